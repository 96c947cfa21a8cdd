#include <cstring>

#include "engine_core/base/float_formats.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

/// Offset in elements of position (n, c, s) where s counts the spatial positions.
int64_t offsetIn(Layout layout, int64_t n, int64_t c, int64_t s, int64_t channels, int64_t spatial) {
    if (layout == Layout::Plain) return (n * channels + c) * spatial + s;
    if (layout == Layout::ChannelsLast) return (n * spatial + s) * channels + c;
    const int64_t block = layoutBlock(layout), groups = (channels + block - 1) / block;
    return ((n * groups + c / block) * spatial + s) * block + c % block;
}

float readFloat(DataType type, const void* data, int64_t at) {
    switch (type) {
        case DataType::Float32:
            return static_cast<const float*>(data)[at];
        case DataType::Float64:
            return static_cast<float>(static_cast<const double*>(data)[at]);
        case DataType::Float16:
            return float16ToFloat(static_cast<const uint16_t*>(data)[at]);
        case DataType::BFloat16:
            return bfloat16ToFloat(static_cast<const uint16_t*>(data)[at]);
        case DataType::Float8E4M3FN:
            return float8E4M3FNToFloat(static_cast<const uint8_t*>(data)[at]);
        default:
            return float8E5M2ToFloat(static_cast<const uint8_t*>(data)[at]);
    }
}

void writeFloat(DataType type, void* data, int64_t at, float value) {
    switch (type) {
        case DataType::Float32:
            static_cast<float*>(data)[at] = value;
            return;
        case DataType::Float64:
            static_cast<double*>(data)[at] = static_cast<double>(value);
            return;
        case DataType::Float16:
            static_cast<uint16_t*>(data)[at] = floatToFloat16(value);
            return;
        case DataType::BFloat16:
            static_cast<uint16_t*>(data)[at] = floatToBFloat16(value);
            return;
        case DataType::Float8E4M3FN:
            static_cast<uint8_t*>(data)[at] = floatToFloat8E4M3FN(value);
            return;
        default:
            static_cast<uint8_t*>(data)[at] = floatToFloat8E5M2(value);
            return;
    }
}

class ReformatReference final : public Kernel {
public:
    explicit ReformatReference(const Problem& problem)
        : m_dims(problem.inputs[0].dims), m_from(problem.inputs[0].format), m_to(problem.outputs[0].format) {}

    Status run(const RunArguments& arguments) const override {
        const void* source = arguments.inputs[0].data;
        void* destination = arguments.outputs[0].data;
        if (elementCount(m_dims) == 0) return Status::ok();
        std::memset(destination, 0, storedBytes(m_dims, m_to));
        const int64_t batch = m_dims.empty() ? 1 : m_dims[0], channels = m_dims.size() > 1 ? m_dims[1] : 1;
        int64_t spatial = 1;
        for (size_t i = 2; i < m_dims.size(); ++i) spatial *= m_dims[i];
        for (int64_t n = 0; n < batch; ++n)
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t s = 0; s < spatial; ++s)
                    move(source, offsetIn(m_from.layout, n, c, s, channels, spatial), destination,
                         offsetIn(m_to.layout, n, c, s, channels, spatial));
        return Status::ok();
    }

private:
    void move(const void* source, int64_t from, void* destination, int64_t to) const {
        if (m_from.type != m_to.type)
            return writeFloat(m_to.type, destination, to, readFloat(m_from.type, source, from));
        const auto bytes = static_cast<int64_t>(dataTypeBytes(m_to.type, 1));
        std::memcpy(static_cast<char*>(destination) + to * bytes, static_cast<const char*>(source) + from * bytes,
                    static_cast<size_t>(bytes));
    }

    Dims m_dims;
    Format m_from, m_to;
};

/// The one reference that takes every layout.
class ReformatReferenceTactic final : public Tactic {
public:
    std::string_view name() const override { return "reference.Reformat"; }
    bool isReference() const override { return true; }
    Support supports(const Problem& problem) const override {
        const Format &from = problem.inputs[0].format, &to = problem.outputs[0].format;
        if (from.memory != MemoryKind::Host || to.memory != MemoryKind::Host)
            return Support::no("reference kernels take host tensors");
        for (const Format& format : {from, to}) {
            if (dataTypeBits(format.type) < 8 || format.type == DataType::String)
                return Support::no("elements of type " + std::string(dataTypeName(format.type)) +
                                   " cannot be moved one by one");
            if (format.layout != Layout::Plain && problem.inputs[0].dims.size() < 3)
                return Support::no("layout " + std::string(layoutName(format.layout)) + " needs rank 3 or more");
        }
        if (from.type != to.type && !(isFloatingPoint(from.type) && isFloatingPoint(to.type)))
            return Support::no("Reformat changes floating-point types only, " + from.toString() + " to " +
                               to.toString() + " was asked");
        return Support::yes();
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<ReformatReference>(problem));
    }
};

}  // namespace

STROBE_REFERENCE(reformat) {
    registry.add(DeviceKind::Cpu, "Reformat", std::make_unique<ReformatReferenceTactic>());
}

}  // namespace strobe
