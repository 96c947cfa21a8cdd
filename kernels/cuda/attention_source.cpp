#include "kernels/cuda/attention_source.h"

#include <bit>
#include <cmath>

#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {
namespace {

constexpr int64_t kMaxKeys = 10240, kMaxHead = 256;  // 40 KiB of scores beside the query

// p.v: Q, K, V, mask, Y, heads, queries, keys, head size, value size, query heads a key head, scale's bits, mask's
// extent of keys, then strides of batch, head and position: of Q, K, V, Y, and of batch, head, query and key of the
// mask.
constexpr const char* kBody = R"(
struct Params { u64 v[29]; };
template <class F> __device__ inline float acrossBlock(float value, F join) {
    __shared__ float parts[4];
    for (int offset = 16; offset > 0; offset /= 2) value = join(value, __shfl_xor_sync(0xffffffffu, value, offset));
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    return join(join(parts[0], parts[1]), join(parts[2], parts[3]));
}
extern "C" __global__ void __launch_bounds__(128) strobeKernel(const Params p) {
    __shared__ float scores[KEYS], query[256];
    const int heads = (int)p.v[5], queries = (int)p.v[6], keys = (int)p.v[7], size = (int)p.v[8], width = (int)p.v[9];
    const int row = blockIdx.x % queries, head = blockIdx.x / queries % heads, batch = blockIdx.x / queries / heads;
    const int shared = head / (int)p.v[10], t = threadIdx.x;
    const float scale = __uint_as_float((u32)p.v[11]);
    const i64 q = batch * (i64)p.v[13] + head * (i64)p.v[14] + row * (i64)p.v[15];
    const i64 k = batch * (i64)p.v[16] + shared * (i64)p.v[17], v = batch * (i64)p.v[19] + shared * (i64)p.v[20];
    const i64 m = batch * (i64)p.v[25] + head * (i64)p.v[26] + row * (i64)p.v[27];
    for (int d = t; d < size; d += 128) query[d] = LOAD_Q((const void*)p.v[0], q + d) * scale;
    __syncthreads();
    float top = -inf();
    for (int key = t; key < keys; key += 128) {
        const i64 at = k + key * (i64)p.v[18];
        float sum = 0.0f;
        for (int d = 0; d < size; ++d) sum += query[d] * LOAD_K((const void*)p.v[1], at + d);
        MASK
        scores[key] = sum;
        top = fmaxf(top, sum);
    }
    top = acrossBlock(top, [](float a, float b) { return fmaxf(a, b); });
    float total = 0.0f;
    for (int key = t; key < keys; key += 128) total += scores[key] = top == -inf() ? 0.0f : expf(scores[key] - top);
    total = acrossBlock(total, [](float a, float b) { return a + b; });
    const float inverse = total > 0.0f ? 1.0f / total : 0.0f;
    const i64 y = batch * (i64)p.v[22] + head * (i64)p.v[23] + row * (i64)p.v[24];
    for (int d = t; d < width; d += 128) {
        float sum = 0.0f;
        for (int key = 0; key < keys; ++key) sum += scores[key] * LOAD_V((const void*)p.v[2], v + key * (i64)p.v[21] + d);
        STORE((void*)p.v[4], y + d, sum * inverse);
    }
}
)";

constexpr const char* kCausal = "if (key > row) sum = -inf();\n";
// Columns behind the mask's end are masked.
constexpr const char* kAdded =
    "sum = key < (int)p.v[12] ? sum + LOAD_M((const void*)p.v[3], m + key * (i64)p.v[28]) : -inf();\n";
constexpr const char* kAllowed =
    "if (key >= (int)p.v[12] || LOAD_M((const void*)p.v[3], m + key * (i64)p.v[28]) == 0.0f) sum = -inf();\n";

/// One of Q, K, V, Y: extents and strides of batch, head and position; elements of a head are contiguous.
struct Heads {
    int64_t batch, heads, positions, size;
    int64_t strides[3];
};

Heads headsOf(const Dims& dims, int64_t heads) {
    if (dims.size() == 4)
        return {dims[0], dims[1], dims[2], dims[3], {dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3]}};
    const int64_t size = dims[2] / heads;
    return {dims[0], heads, dims[1], size, {dims[1] * dims[2], size, dims[2]}};
}

Status checkAttention(const Problem& problem) {
    if (problem.program) return unsupported("has no epilogue");
    Problem floats = problem;
    if (floats.inputs.size() > 3 && floats.inputs[3].format.type == DataType::Bool)
        floats.inputs[3].format.type = DataType::Float32;
    if (const Support support = checkDeviceTensors(floats); !support.supported) return unsupported(support.reason);
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list)
            if (desc.present && desc.format.layout != Layout::Plain) return unsupported("works on plain tensors");
    for (size_t i = 4; i < problem.inputs.size(); ++i)
        if (problem.inputs[i].present) return unsupported("takes no past keys and no lengths");
    for (size_t o = 1; o < problem.outputs.size(); ++o)
        if (problem.outputs[o].present) return unsupported("gives neither present keys nor scores");
    if (problem.attributes->getFloat("softcap", 0.0f) != 0.0f) return unsupported("has no soft cap");
    for (const char* window : {"left_window_size", "right_window_size"})
        if (problem.attributes->getInt(window, -1) >= 0) return unsupported("has no sliding window");
    return Status::ok();
}

void addMask(const Problem& problem, AttentionPlan& plan) {
    plan.hasMask = problem.inputs.size() > 3 && problem.inputs[3].present;
    std::string text = problem.attributes->getBool("is_causal", false) ? kCausal : "";
    Dims strides(4, 0);
    int64_t extent = 0;
    if (plan.hasMask) {
        const TensorDesc& mask = problem.inputs[3];
        text += replaceAll(mask.format.type == DataType::Bool ? kAllowed : kAdded, "LOAD_M",
                           "load" + elementSuffix(mask.format.type));
        extent = mask.dims.back();
        int64_t step = 1;
        for (size_t d = mask.dims.size(), at = 4; d-- > 0 && at-- > 0; step *= mask.dims[d])
            strides[at] = mask.dims[d] == 1 && at < 3 ? 0 : step;
    }
    plan.source = replaceAll(plan.source, "MASK", text);
    plan.geometry[7] = static_cast<uint64_t>(extent);
    for (int64_t stride : strides) plan.geometry.push_back(static_cast<uint64_t>(stride));
}

}  // namespace

Result<AttentionPlan> planAttention(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkAttention(problem));
    const Attributes& attributes = *problem.attributes;
    const Heads q = headsOf(problem.inputs[0].dims, attributes.getInt("q_num_heads", 1)),
                k = headsOf(problem.inputs[1].dims, attributes.getInt("kv_num_heads", 1)),
                v = headsOf(problem.inputs[2].dims, attributes.getInt("kv_num_heads", 1)),
                y = headsOf(problem.outputs[0].dims, q.heads);
    AttentionPlan plan;
    plan.rows = q.batch * q.heads * q.positions;
    if (plan.rows == 0 || plan.rows > INT32_MAX)
        return unsupported("serves 1 to 2147483647 rows, there are " + std::to_string(plan.rows));
    if (k.positions == 0 || k.positions > kMaxKeys || q.size > kMaxHead)
        return unsupported("serves up to " + std::to_string(kMaxKeys) + " keys and heads of up to " +
                           std::to_string(kMaxHead) + ", there are " + std::to_string(k.positions) + " and " +
                           std::to_string(q.size));
    const float scale =
        attributes.has("scale") ? attributes.getFloat("scale", 1.0f) : 1.0f / std::sqrt(static_cast<float>(q.size));
    plan.source = kernelPrelude() + kBody;
    // A few sizes of shared memory, so that one text serves many lengths.
    int64_t room = 256;
    while (room < k.positions) room = room < 1024 ? room * 2 : room + 1024;
    plan.source = replaceAll(plan.source, "KEYS", std::to_string(room));
    for (const auto& [name, desc] :
         {std::pair{"LOAD_Q", &problem.inputs[0]}, {"LOAD_K", &problem.inputs[1]}, {"LOAD_V", &problem.inputs[2]}})
        plan.source = replaceAll(plan.source, name, "load" + elementSuffix(desc->format.type));
    plan.source = replaceAll(plan.source, "STORE", "store" + elementSuffix(problem.outputs[0].format.type));
    for (int64_t word : {q.heads, q.positions, k.positions, q.size, v.size, q.heads / k.heads})
        plan.geometry.push_back(static_cast<uint64_t>(word));
    plan.geometry.push_back(std::bit_cast<uint32_t>(scale));
    plan.geometry.push_back(0);  // the mask's extent
    for (const Heads* side : {&q, &k, &v, &y})
        for (int64_t stride : side->strides) plan.geometry.push_back(static_cast<uint64_t>(stride));
    addMask(problem, plan);
    return plan;
}

}  // namespace strobe
