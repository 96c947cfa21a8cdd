#include "kernels/cuda/reformat_source.h"

#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {
namespace {

// Every layout is N × ⌈C/block⌉ × spatial × block: plain has a block of 1, channels-last one of C.
constexpr const char* kBody = R"(
struct Params { u64 v[9]; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 count = (i64)p.v[2];
    const u32 channels = (u32)p.v[3], spatial = (u32)p.v[4], fromBlock = (u32)p.v[5], toBlock = (u32)p.v[6];
    const u32 fromGroups = (u32)p.v[7], toGroups = (u32)p.v[8];
    for (i64 i = (i64)blockIdx.x * 256 + threadIdx.x; i < count; i += (i64)gridDim.x * 256) {
        const u32 lane = (u32)(i % toBlock);
        i64 rest = i / toBlock;
        const u32 s = (u32)(rest % spatial);
        rest /= spatial;
        const u32 c = (u32)(rest % toGroups) * toBlock + lane;
        const i64 n = rest / toGroups;
        if (c >= channels) { STORE_ZERO; continue; }
        const i64 at = ((n * fromGroups + c / fromBlock) * spatial + s) * fromBlock + c % fromBlock;
        CONVERT;
    }
}
)";

Result<std::string> convertText(DataType from, DataType to, bool zero) {
    const auto isFloat = [](DataType t) { return !elementSuffix(t).empty() && t != DataType::Bool; };
    if (from != to) {
        if (!isFloat(from) || !isFloat(to))
            return unsupported("converts between fp32, fp16 and bf16, not " + std::string(dataTypeName(from)) + " to " +
                               std::string(dataTypeName(to)));
        return "store" + elementSuffix(to) + "((void*)p.v[1], i, " +
               (zero ? "0.0f" : "load" + elementSuffix(from) + "((const void*)p.v[0], at)") + ")";
    }
    const size_t bytes = dataTypeBytes(to, 1);
    const char* word = wordType(bytes);
    if (!word)
        return unsupported("moves elements of 1, 2, 4 and 8 bytes, " + std::string(dataTypeName(to)) +
                           " has none of these");
    return "((" + std::string(word) +
           "*)p.v[1])[i] = " + (zero ? std::string("0") : "((const " + std::string(word) + "*)p.v[0])[at]");
}

int64_t blockOf(Layout layout, int64_t channels) {
    return layout == Layout::ChannelsLast ? std::max<int64_t>(1, channels) : layoutBlock(layout);
}

}  // namespace

Result<ReformatPlan> planReformat(const TensorDesc& from, const TensorDesc& to) {
    if (from.format.type == DataType::String || to.format.type == DataType::String)
        return unsupported("strings stay on the host");
    ReformatPlan plan;
    plan.fromBytes = storedBytes(from.dims, from.format);
    plan.toBytes = storedBytes(to.dims, to.format);
    plan.fromHost = from.format.memory == MemoryKind::Host;
    plan.toHost = to.format.memory == MemoryKind::Host;
    if (plan.fromHost && plan.toHost)
        return unsupported("copies to, from or on the device; both tensors lie on the host");
    plan.convert = from.format.type != to.format.type || from.format.layout != to.format.layout;
    if (!plan.convert) return plan;
    STROBE_ASSIGN(const std::string convert, convertText(from.format.type, to.format.type, false));
    STROBE_ASSIGN(const std::string zero, convertText(from.format.type, to.format.type, true));
    plan.source = kernelPrelude() + replaceAll(replaceAll(kBody, "STORE_ZERO", zero), "CONVERT", convert);
    plan.storedElements = storedElementCount(to.dims, to.format.layout);
    int64_t channels = 1, spatial = elementCount(to.dims);
    if (to.dims.size() >= 3) {
        channels = to.dims[1];
        spatial = 1;
        for (size_t d = 2; d < to.dims.size(); ++d) spatial *= to.dims[d];
    }
    if (channels > INT32_MAX || spatial > INT32_MAX) return unsupported("channels and pixels must each fit 31 bits");
    const int64_t fromBlock = blockOf(from.format.layout, channels), toBlock = blockOf(to.format.layout, channels);
    for (int64_t word : {plan.storedElements, channels, spatial, fromBlock, toBlock,
                         (channels + fromBlock - 1) / fromBlock, (channels + toBlock - 1) / toBlock})
        plan.geometry.push_back(static_cast<uint64_t>(word));
    return plan;
}

}  // namespace strobe
