#include "kernels/cuda/resize_source.h"

#include <bit>

#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {
namespace {

// p.v: from, to, taps, count, lanes (elements of a pixel), height, width, input's height, input's width.
constexpr const char* kBody = R"(
struct Params { u64 v[9]; };
struct Tap { u32 first, second; float weight; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 t = (i64)blockIdx.x * 256 + threadIdx.x;
    if (t >= (i64)p.v[3]) return;
    const u32 lanes = (u32)p.v[4], height = (u32)p.v[5], width = (u32)p.v[6], inWidth = (u32)p.v[8];
    u32 rest = (u32)t;
    const u32 lane = rest % lanes; rest /= lanes;
    const u32 x = rest % width; rest /= width;
    const u32 y = rest % height; rest /= height;
    const Tap* taps = (const Tap*)p.v[2];
    const Tap row = taps[y], column = taps[height + x];
    const i64 image = (i64)rest * (i64)p.v[7];
    const i64 top = (image + row.first) * inWidth, bottom = (image + row.second) * inWidth;
    const void* from = (const void*)p.v[0];
    WRITE
}
)";

constexpr const char* kNearest = "((WORD*)p.v[1])[t] = ((const WORD*)from)[(top + column.first) * lanes + lane];";
constexpr const char* kLinear = R"(
    const float a = LOAD(from, (top + column.first) * lanes + lane), b = LOAD(from, (top + column.second) * lanes + lane);
    const float c = LOAD(from, (bottom + column.first) * lanes + lane), d = LOAD(from, (bottom + column.second) * lanes + lane);
    const float left = a + (c - a) * row.weight, right = b + (d - b) * row.weight;
    STORE((void*)p.v[1], t, left + (right - left) * column.weight);
)";

Result<std::string> writeText(DataType type, bool linear) {
    if (linear) {
        if (elementSuffix(type).empty() || type == DataType::Bool)
            return unsupported("blends fp32, fp16 and bf16, the input is " + std::string(dataTypeName(type)));
        const std::string suffix = elementSuffix(type) + "(";
        return replaceAll(replaceAll(kLinear, "LOAD(", "load" + suffix), "STORE(", "store" + suffix);
    }
    const size_t bytes = dataTypeBits(type) % 8 == 0 ? dataTypeBytes(type, 1) : 0;
    const char* word = wordType(bytes);
    if (!word || type == DataType::String) return unsupported("elements are not 1, 2, 4 or 8 bytes");
    return replaceAll(kNearest, "WORD", word);
}

}  // namespace

Result<DeviceResizePlan> planDeviceResize(const Problem& problem) {
    STROBE_ASSIGN(const ResizePlan resize, planResize(problem));
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.constantData || x.format.memory != MemoryKind::Device) return unsupported("runs on device memory");
    const Layout layout = x.format.layout;
    if (layoutBlock(layout) != 1) return unsupported("reads plain and nhwc tensors, this is " + x.format.toString());
    DeviceResizePlan plan;
    plan.count = elementCount(y.dims);
    if (plan.count == 0 || plan.count > INT32_MAX)
        return unsupported("serves 1 to 2147483647 elements, there are " + std::to_string(plan.count));
    STROBE_ASSIGN(const std::string write, writeText(x.format.type, resize.linear));
    plan.source = kernelPrelude() + replaceAll(kBody, "WRITE", write);
    for (const auto* taps : {&resize.rows, &resize.columns})
        for (const ResizeTap& tap : *taps)
            for (uint32_t word : {static_cast<uint32_t>(tap.first), static_cast<uint32_t>(tap.second),
                                  std::bit_cast<uint32_t>(tap.weight)})
                plan.taps.push_back(word);
    const int64_t lanes = layout == Layout::ChannelsLast ? x.dims[1] : 1;
    for (int64_t word : {plan.count, lanes, static_cast<int64_t>(resize.rows.size()),
                         static_cast<int64_t>(resize.columns.size()), resize.inHeight, resize.inWidth})
        plan.geometry.push_back(static_cast<uint64_t>(word));
    return plan;
}

}  // namespace strobe
