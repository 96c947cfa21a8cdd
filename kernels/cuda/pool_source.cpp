#include "kernels/cuda/pool_source.h"

#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/nvrtc_compiler.h"
#include "kernels/cuda/pointwise_source.h"

namespace strobe {
namespace {

// p.v: from, to, count, C, H, W, oH, oW, then for both dims: kernel, stride, dilation, pad begin, pad end; then strides
// of X: N, C, H, W.
constexpr const char* kBody = R"(
struct Params { u64 v[22]; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 t = (i64)blockIdx.x * 256 + threadIdx.x;
    if (t >= (i64)p.v[2]) return;
    const int channels = (int)p.v[3], height = (int)p.v[4], width = (int)p.v[5], outHeight = (int)p.v[6], outWidth = (int)p.v[7];
    i64 rest = t;
    int c, oh, ow;
    if (CHANNELS_LAST) { c = (int)(rest % channels); rest /= channels; }
    ow = (int)(rest % outWidth); rest /= outWidth;
    oh = (int)(rest % outHeight); rest /= outHeight;
    if (!CHANNELS_LAST) { c = (int)(rest % channels); rest /= channels; }
    const i64 plane = rest * (i64)p.v[18] + c * (i64)p.v[19];
    float value = AVERAGE ? 0.0f : -inf();
    int cells = 0;
    for (int kh = 0; kh < (int)p.v[8]; ++kh) {
        const int h = oh * (int)p.v[9] + kh * (int)p.v[10] - (int)p.v[11];
        if (h >= height + (int)p.v[12]) continue;
        for (int kw = 0; kw < (int)p.v[13]; ++kw) {
            const int w = ow * (int)p.v[14] + kw * (int)p.v[15] - (int)p.v[16];
            if (w >= width + (int)p.v[17]) continue;
            const bool inside = h >= 0 && h < height && w >= 0 && w < width;
            if (inside || COUNT_PADDING) ++cells;
            if (!inside) continue;
            const float x = LOAD((const void*)p.v[0], plane + h * (i64)p.v[20] + w * (i64)p.v[21]);
            value = AVERAGE ? value + x : opMax(value, x);
        }
    }
    STORE((void*)p.v[1], t, AVERAGE ? value / fmaxf((float)cells, 1.0f) : value);
}
)";

// A block joins the pixels of one part: for all of 256 / LANES neighbouring pixels at a time, LANES channels that lie
// side by side. p.v: input, parts, channels, pixels, parts an output, groups of LANES channels an image.
constexpr const char* kPart = R"(
struct Params { u64 v[6]; };
__device__ inline float join(float a, float b) { return AVERAGE ? a + b : opMax(a, b); }
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    __shared__ float values[256];
    const u32 channels = (u32)p.v[2], pixels = (u32)p.v[3], parts = (u32)p.v[4], groups = (u32)p.v[5];
    const u32 part = blockIdx.x % parts, group = blockIdx.x / parts % groups, image = blockIdx.x / parts / groups;
    const u32 channel = group * LANES + threadIdx.x % LANES;
    const u32 each = (pixels + parts - 1) / parts, end = min(pixels, (part + 1) * each);
    float value = AVERAGE ? 0.0f : -inf();
    if (channel < channels)
        for (u32 i = part * each + threadIdx.x / LANES; i < end; i += 256 / LANES) value = join(value, LOAD((const void*)p.v[0], AT));
    values[threadIdx.x] = value;
    for (u32 half = 128; half >= LANES; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) values[threadIdx.x] = join(values[threadIdx.x], values[threadIdx.x + half]);
    }
    if (threadIdx.x < LANES && channel < channels) ((float*)p.v[1])[((i64)image * channels + channel) * parts + part] = values[threadIdx.x];
}
)";

// p.v: parts, output, outputs, parts an output, pixels.
constexpr const char* kJoin = R"(
struct Params { u64 v[5]; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 t = (i64)blockIdx.x * 256 + threadIdx.x;
    if (t >= (i64)p.v[2]) return;
    const int parts = (int)p.v[3];
    float value = AVERAGE ? 0.0f : -inf();
    for (int i = 0; i < parts; ++i) {
        const float part = ((const float*)p.v[0])[t * parts + i];
        value = AVERAGE ? value + part : opMax(value, part);
    }
    STORE((void*)p.v[1], t, AVERAGE ? value / (float)p.v[4] : value);
}
)";

/// {kernel, stride, dilation, pad begin, pad end} for each spatial dim.
Result<std::vector<std::vector<int64_t>>> windows(const Problem& problem) {
    const Dims& x = problem.inputs[0].dims;
    std::vector<std::vector<int64_t>> result;
    STROBE_ASSIGN(const WindowAttributes w,
                  windowAttributes(*problem.attributes, toShape(x), problem.attributes->getInts("kernel_shape")));
    const Dims begins = toDims(w.padsBegin), ends = toDims(w.padsEnd);
    for (size_t d = 0; d + 2 < x.size(); ++d)
        result.push_back({w.kernel[d], w.strides[d], w.dilations[d], begins[d], ends[d]});
    return result;
}

Status checkPool(const Problem& problem) {
    if (problem.program) return unsupported("has no epilogue");
    if (const Support support =
            checkDeviceTensors({problem.op, problem.attributes, nullptr, {problem.inputs[0]}, {problem.outputs[0]}});
        !support.supported)
        return unsupported(support.reason);
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.dims.size() != 3 && x.dims.size() != 4)
        return unsupported("pools one or two spatial dims, the input is " + toString(x.dims));
    if (x.format.layout != y.format.layout) return unsupported("input and output must share a layout");
    if (problem.outputs.size() > 1 && problem.outputs[1].present) return unsupported("gives no indices");
    if (elementCount(x.dims) == 0 || elementCount(y.dims) > INT32_MAX)
        return unsupported("serves 1 to 2147483647 outputs, there are " + std::to_string(elementCount(y.dims)));
    return Status::ok();
}

}  // namespace

Result<GlobalPoolPlan> planGlobalPool(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkPool(problem));
    const Dims& x = problem.inputs[0].dims;
    const bool channelsLast = problem.inputs[0].format.layout == Layout::ChannelsLast;
    const std::string average = problem.op->name == "GlobalAveragePool" ? "true" : "false";
    const int64_t pixels = elementCount(x) / (x[0] * x[1]), lanes = channelsLast ? 32 : 1;
    if (pixels > INT32_MAX) return unsupported("pixels must fit 31 bits, there are " + std::to_string(pixels));
    GlobalPoolPlan plan;
    plan.outputs = x[0] * x[1];
    const int64_t groups = (x[1] + lanes - 1) / lanes;
    // Parts of at least four pixels a thread, and no more blocks than keep a large device busy.
    const int64_t most = std::max<int64_t>(1, 1024 / (x[0] * groups));
    plan.parts = std::clamp<int64_t>(pixels * lanes / 1024, 1, std::min<int64_t>(most, 64));
    plan.blocks = x[0] * groups * plan.parts;
    const char* at = channelsLast ? "((i64)image * pixels + i) * channels + channel"
                                  : "((i64)image * channels + channel) * pixels + i";
    std::string part = replaceAll(replaceAll(kPart, "AVERAGE", average), "LANES", std::to_string(lanes));
    part = replaceAll(replaceAll(std::move(part), "AT)", std::string(at) + ")"), "LOAD",
                      "load" + elementSuffix(problem.inputs[0].format.type));
    plan.partSource = kernelPrelude() + part;
    plan.joinSource = kernelPrelude() + replaceAll(replaceAll(kJoin, "AVERAGE", average), "STORE",
                                                   "store" + elementSuffix(problem.outputs[0].format.type));
    for (int64_t word : {x[1], pixels, plan.parts, groups}) plan.partGeometry.push_back(static_cast<uint64_t>(word));
    for (int64_t word : {plan.outputs, plan.parts, pixels}) plan.joinGeometry.push_back(static_cast<uint64_t>(word));
    return plan;
}

Result<PoolPlan> planPool(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkPool(problem));
    Dims x = problem.inputs[0].dims, y = problem.outputs[0].dims;
    STROBE_ASSIGN(auto window, windows(problem));
    if (x.size() == 3) {
        x.insert(x.begin() + 2, 1);
        y.insert(y.begin() + 2, 1);
        window.insert(window.begin(), {1, 1, 1, 0, 0});
    }
    PoolPlan plan;
    const Layout layout = problem.inputs[0].format.layout;
    const bool average = problem.op->name.find("Average") != std::string::npos;
    std::string body = replaceAll(kBody, "CHANNELS_LAST", layout == Layout::ChannelsLast ? "true" : "false");
    body = replaceAll(std::move(body), "COUNT_PADDING",
                      problem.attributes->getBool("count_include_pad", false) ? "true" : "false");
    body = replaceAll(replaceAll(std::move(body), "LOAD", "load" + elementSuffix(problem.inputs[0].format.type)),
                      "STORE", "store" + elementSuffix(problem.outputs[0].format.type));
    plan.source = kernelPrelude() + replaceAll(std::move(body), "AVERAGE", average ? "true" : "false");
    plan.outputs = elementCount(y);
    for (int64_t word : {plan.outputs, x[1], x[2], x[3], y[2], y[3]})
        plan.geometry.push_back(static_cast<uint64_t>(word));
    for (const auto& dim : window) plan.geometry.insert(plan.geometry.end(), dim.begin(), dim.end());
    for (int64_t stride : elementStrides(x, layout)) plan.geometry.push_back(static_cast<uint64_t>(stride));
    return plan;
}

}  // namespace strobe
