#include "kernels/cuda/row_source.h"

#include <algorithm>
#include <bit>

#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/nvrtc_compiler.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

// p.v: three inputs, output, columns, epsilon's bits.
constexpr const char* kHead = R"(
struct Params { u64 v[6]; };
__device__ inline float sumOf(float a, float b) { return a + b; }
template <float (*Join)(float, float)>
__device__ inline float acrossBlock(float value, float neutral) {
    __shared__ float parts[8];
    for (int offset = 16; offset > 0; offset /= 2) value = Join(value, __shfl_down_sync(0xffffffffu, value, offset));
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    float all = neutral;
    for (int i = 0; i < 8; ++i) all = Join(all, parts[i]);
    return all;
}
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 row = blockIdx.x, columns = (i64)p.v[4], first = row * columns;
    const float epsilon = __uint_as_float((u32)p.v[5]);
    const void* x = (const void*)p.v[0];
    void* y = (void*)p.v[3];
)";

constexpr const char* kSoftmax = R"(
    float top = -inf();
    for (i64 i = threadIdx.x; i < columns; i += 256) top = opMax(top, LOAD0(x, first + i));
    top = acrossBlock<opMax>(top, -inf());
    float sum = 0.0f;
    for (i64 i = threadIdx.x; i < columns; i += 256) sum += expf(LOAD0(x, first + i) - top);
    sum = acrossBlock<sumOf>(sum, 0.0f);
    for (i64 i = threadIdx.x; i < columns; i += 256) { const float v = LOAD0(x, first + i) - top; STORE(y, first + i, FINISH); }
}
)";

constexpr const char* kNormalise = R"(
    float mean = 0.0f;
    if (CENTRED) {
        for (i64 i = threadIdx.x; i < columns; i += 256) mean += LOAD0(x, first + i);
        mean = acrossBlock<sumOf>(mean, 0.0f) / (float)columns;
    }
    float squares = 0.0f;
    for (i64 i = threadIdx.x; i < columns; i += 256) { const float d = LOAD0(x, first + i) - mean; squares += d * d; }
    const float scale = 1.0f / sqrtf(acrossBlock<sumOf>(squares, 0.0f) / (float)columns + epsilon);
    for (i64 i = threadIdx.x; i < columns; i += 256)
        STORE(y, first + i, (LOAD0(x, first + i) - mean) * scale * LOAD1((const void*)p.v[1], i) + SHIFT);
}
)";

constexpr const char* kReduce = R"(
    float value = NEUTRAL;
    for (i64 i = threadIdx.x; i < columns; i += 256) value = JOIN(value, LOAD0(x, first + i));
    value = acrossBlock<JOIN>(value, NEUTRAL);
    if (threadIdx.x == 0) STORE(y, row, FINISH);
}
)";

std::string withTypes(std::string body, const Problem& problem) {
    body = replaceAll(std::move(body), "STORE(", "store" + elementSuffix(problem.outputs[0].format.type) + "(");
    for (size_t i = 0; i < problem.inputs.size(); ++i)
        body = replaceAll(std::move(body), "LOAD" + std::to_string(i),
                          "load" + elementSuffix(problem.inputs[i].format.type));
    return kernelPrelude() + kHead + body;
}

/// Splits dims before `axis` from those at and behind it.
void split(const Dims& dims, size_t axis, RowPlan& plan) {
    plan.rows = plan.columns = 1;
    for (size_t d = 0; d < dims.size(); ++d) (d < axis ? plan.rows : plan.columns) *= dims[d];
}

Result<RowPlan> planSoftmax(const Problem& problem) {
    RowPlan plan;
    const Dims& dims = problem.inputs[0].dims;
    const size_t axis = normalAxis(problem.attributes->getInt("axis", -1), dims.size());
    split(dims, axis, plan);
    if (dims.empty() || plan.columns != dims[axis]) return unsupported("works along the last axis");
    plan.source = withTypes(
        replaceAll(kSoftmax, "FINISH", problem.op->name == "Softmax" ? "expf(v) / sum" : "v - logf(sum)"), problem);
    return plan;
}

Result<RowPlan> planNormalisation(const Problem& problem) {
    RowPlan plan;
    const Dims& dims = problem.inputs[0].dims;
    const size_t axis = normalAxis(problem.attributes->getInt("axis", -1), dims.size());
    split(dims, axis, plan);
    const bool shifted = isGiven(problem, 2);
    for (size_t i = 1; i < (shifted ? 3u : 2u); ++i)
        if (!coversRow(problem.inputs[i].dims, dims, axis))
            return unsupported("scale and bias must have one value a normalised element, one is " +
                               toString(problem.inputs[i].dims));
    for (size_t o = 1; o < problem.outputs.size(); ++o)
        if (problem.outputs[o].present) return unsupported("gives no statistics");
    plan.inputs[1] = 1;
    if (shifted) plan.inputs[2] = 2;
    std::string body = replaceAll(kNormalise, "SHIFT", shifted ? "LOAD2((const void*)p.v[2], i)" : "0.0f");
    plan.source = withTypes(
        replaceAll(std::move(body), "CENTRED", problem.op->name == "LayerNormalization" ? "true" : "false"), problem);
    return plan;
}

Result<RowPlan> planReduction(const Problem& problem) {
    RowPlan plan;
    const Dims& dims = problem.inputs[0].dims;
    const auto reduced = reducedAxes(problem);
    if (!reduced) return unsupported("the axes are no constants");
    const auto count = static_cast<size_t>(std::count(reduced->begin(), reduced->end(), true));
    const size_t firstAxis = dims.size() - count;
    for (size_t d = 0; d < dims.size(); ++d)
        if ((*reduced)[d] != (d >= firstAxis)) return unsupported("reduces trailing axes");
    split(dims, firstAxis, plan);
    const std::string& op = problem.op->name;
    const bool isMax = op == "ReduceMax", isMin = op == "ReduceMin";
    std::string body = replaceAll(kReduce, "JOIN", isMax ? "opMax" : isMin ? "opMin" : "sumOf");
    body = replaceAll(std::move(body), "NEUTRAL", isMax ? "-inf()" : isMin ? "inf()" : "0.0f");
    plan.source = withTypes(
        replaceAll(std::move(body), "FINISH", op == "ReduceMean" ? "value / (float)columns" : "value"), problem);
    return plan;
}

}  // namespace

Result<RowPlan> planRows(const Problem& problem) {
    if (problem.program) return unsupported("has no epilogue");
    Problem floats = problem;
    const std::string& op = problem.op->name;
    const bool reduces = op.rfind("Reduce", 0) == 0;
    if (reduces && floats.inputs.size() > 1) floats.inputs.resize(1);  // the axes
    if (const Support support = checkDeviceTensors(floats); !support.supported) return unsupported(support.reason);
    for (const auto* list : {&floats.inputs, &floats.outputs})
        for (const TensorDesc& desc : *list)
            if (desc.present && desc.format.layout != Layout::Plain) return unsupported("works on plain tensors");
    STROBE_ASSIGN(RowPlan plan, reduces                                ? planReduction(problem)
                                : op.find("Norm") != std::string::npos ? planNormalisation(problem)
                                                                       : planSoftmax(problem));
    if (plan.rows > INT32_MAX || elementCount(problem.inputs[0].dims) == 0)
        return unsupported("serves 1 to 2147483647 rows, there are " + std::to_string(plan.rows));
    const float epsilon = problem.attributes->getFloat("epsilon", 1e-5f);
    plan.words = {static_cast<uint64_t>(plan.columns), std::bit_cast<uint32_t>(epsilon)};
    return plan;
}

}  // namespace strobe
