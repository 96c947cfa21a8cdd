#include "kernels/cpu/onednn_support.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace strobe {

using dnnl::memory;

const dnnl::engine& onednnEngine() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

dnnl::stream& onednnStream() {
    thread_local dnnl::stream stream(onednnEngine());
    return stream;
}

std::optional<memory::data_type> onednnType(DataType type) {
    switch (type) {
        case DataType::Float32:
            return memory::data_type::f32;
        case DataType::BFloat16:
            return memory::data_type::bf16;
        case DataType::Int8:
            return memory::data_type::s8;
        case DataType::UInt8:
            return memory::data_type::u8;
        case DataType::Int32:
            return memory::data_type::s32;
        default:
            return std::nullopt;
    }
}

namespace {

std::optional<memory::format_tag> blockedTag(size_t rank, Layout layout) {
    using Tag = memory::format_tag;
    const bool eight = layout == Layout::Blocked8;
    switch (rank) {
        case 3:
            return eight ? Tag::nCw8c : Tag::nCw16c;
        case 4:
            return eight ? Tag::nChw8c : Tag::nChw16c;
        case 5:
            return eight ? Tag::nCdhw8c : Tag::nCdhw16c;
        default:
            return std::nullopt;
    }
}

memory::dims plainStrides(const Dims& dims) {
    memory::dims strides(dims.size(), 1);
    for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
    return strides;
}

memory::dims channelsLastStrides(const Dims& dims) {
    memory::dims strides(dims.size(), 1);
    int64_t stride = dims[1];
    for (size_t i = dims.size(); i-- > 2; stride *= dims[i]) strides[i] = stride;
    strides[0] = stride;
    return strides;
}

/// Why oneDNN cannot be told of such a tensor; empty: it can. It throws on the −1 of an extent that only the run knows,
/// keeps extents in 32 bits in places (and then divides by zero), and strides of absurd extents overflow.
std::string declines(const Dims& dims) {
    constexpr int64_t kMostElements = int64_t{1} << 40;
    int64_t elements = 1;
    for (const int64_t extent : dims) {
        if (extent < 0) return "oneDNN needs every extent, the tensor is " + toString(dims);
        if (extent > std::numeric_limits<int32_t>::max())
            return "oneDNN takes extents of 32 bits, the tensor is " + toString(dims);
        if (extent > kMostElements / elements) return "no memory holds a tensor " + toString(dims);
        elements *= std::max<int64_t>(extent, 1);
    }
    return {};
}

constexpr size_t kMaxRank = DNNL_MAX_NDIMS;

}  // namespace

memory::desc onednnPlainDesc(const Dims& dims, memory::data_type type) {
    if (dims.empty()) return memory::desc({1}, type, memory::dims{1});
    return memory::desc(dims, type, plainStrides(dims));
}

memory::desc onednnAnyDesc(const Dims& dims, memory::data_type type) {
    return memory::desc(dims, type, memory::format_tag::any);
}

Result<memory::desc> onednnDesc(const Dims& dims, const Format& format) {
    if (std::string reason = declines(dims); !reason.empty()) return unsupported(std::move(reason));
    const auto type = onednnType(format.type);
    if (!type) return unsupported("oneDNN has no element type " + std::string(dataTypeName(format.type)));
    if (dims.size() > kMaxRank)
        return unsupported("oneDNN takes up to 12 dims, the tensor has " + std::to_string(dims.size()));
    if (format.memory != MemoryKind::Host) return unsupported("oneDNN runs on host memory");
    if (format.layout == Layout::Plain) return onednnPlainDesc(dims, *type);
    if (dims.size() < 3)
        return unsupported("layout " + std::string(layoutName(format.layout)) +
                           " needs rank 3 or more, the tensor is " + toString(dims));
    if (format.layout == Layout::ChannelsLast) return memory::desc(dims, *type, channelsLastStrides(dims));
    const auto tag = blockedTag(dims.size(), format.layout);
    if (!tag) return unsupported("oneDNN has blocked layouts for rank 3 to 5, the tensor is " + toString(dims));
    return memory::desc(dims, *type, *tag);
}

std::optional<Layout> layoutOf(const memory::desc& desc, const Dims& dims) {
    for (Layout layout : {Layout::ChannelsLast, Layout::Blocked16, Layout::Blocked8, Layout::Plain})
        for (DataType type : {DataType::Float32, DataType::BFloat16}) {
            const auto own = onednnDesc(dims, {type, layout});
            if (own && *own == desc) return layout;
        }
    return std::nullopt;
}

bool onednnHasBf16() {
    static const bool has =
        (static_cast<int>(dnnl::get_effective_cpu_isa()) & static_cast<int>(dnnl::cpu_isa::avx512_core_bf16)) ==
        static_cast<int>(dnnl::cpu_isa::avx512_core_bf16);
    return has;
}

Layout onednnBlockedLayout() {
    static const bool wide =
        (static_cast<int>(dnnl::get_effective_cpu_isa()) & static_cast<int>(dnnl::cpu_isa::avx512_core)) ==
        static_cast<int>(dnnl::cpu_isa::avx512_core);
    return wide ? Layout::Blocked16 : Layout::Blocked8;
}

Support checkFloatTensors(const Problem& problem) {
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list) {
            if (!desc.present) continue;
            if (desc.format.memory != MemoryKind::Host) return Support::no("oneDNN runs on host memory");
            if (std::string reason = declines(desc.dims); !reason.empty()) return Support::no(std::move(reason));
            const DataType type = desc.format.type;
            if (type != DataType::Float32 && type != DataType::BFloat16)
                return Support::no("oneDNN computes in FP32 and BF16, a tensor is " + std::string(dataTypeName(type)));
            if (type == DataType::BFloat16 && !onednnHasBf16()) return Support::no("this CPU has no BF16 arithmetic");
        }
    return Support::yes();
}

dnnl::primitive_attr onednnAttributes() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

bool isNaiveImplementation(const char* description) {
    return std::strstr(description, "ref") != nullptr;
}

Status statusOf(const dnnl::error& error, const std::string& what) {
    const bool isMemory = error.status == dnnl_out_of_memory;
    const std::string cause = error.status == dnnl_unimplemented ? "has no kernel"
                              : isMemory                         ? "is out of memory"
                                                                 : error.what();
    return Status(isMemory ? ErrorCode::OutOfMemory : ErrorCode::Unsupported, "oneDNN " + cause + " for " + what);
}

std::string summary(const Problem& problem) {
    std::string text = problem.op->name;
    const auto append = [&](const TensorDesc& desc) {
        text += desc.present ? " " + desc.format.toString() + toString(desc.dims) : "";
    };
    for (const TensorDesc& desc : problem.inputs) append(desc);
    text += " →";
    for (const TensorDesc& desc : problem.outputs) append(desc);
    return text;
}

}  // namespace strobe
