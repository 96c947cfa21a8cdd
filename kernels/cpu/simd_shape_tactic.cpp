#include <algorithm>

#include "kernels/cpu/simd_strided_copy.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

/// Extents from `start` on, or their product.
class ExtentKernel final : public Kernel {
public:
    explicit ExtentKernel(const Problem& problem) : m_product(problem.op->name == "Size") {
        const auto rank = static_cast<int64_t>(problem.inputs[0].dims.size());
        const int64_t start = problem.attributes->getInt("start", 0);
        m_start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
    }
    Status run(const RunArguments& arguments) const override {
        const Dims& x = *arguments.inputs[0].dims;
        auto* y = arguments.outputs[0].as<int64_t>();
        if (m_product)
            *y = elementCount(x);
        else
            std::copy_n(x.begin() + m_start, elementCount(*arguments.outputs[0].dims), y);
        return Status::ok();
    }

private:
    bool m_product;
    int64_t m_start = 0;
};

class FillKernel final : public Kernel {
public:
    explicit FillKernel(const Problem& problem)
        : m_value(problem.attributes->getWeights("value")), m_type(problem.outputs[0].format.type) {}
    Status run(const RunArguments& arguments) const override {
        static constexpr char kZero[16] = {};
        fillWith(arguments.outputs[0].data, dataTypeBytes(m_type, elementCount(*arguments.outputs[0].dims)),
                 m_value ? m_value->data.get() : kZero, dataTypeBytes(m_type, 1));
        return Status::ok();
    }

private:
    WeightsPtr m_value;
    DataType m_type;
};

class ShapeTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.shape"; }

    Support supports(const Problem& problem) const override {
        const TensorDesc& out = problem.outputs[0];
        if (problem.program) return Support::no("applies no epilogue");
        if (dataTypeBits(out.format.type) % 8 != 0 || out.format.type == DataType::String)
            return Support::no("elements are not whole bytes");
        if (out.format.layout != Layout::Plain || out.format.memory != MemoryKind::Host)
            return Support::no("writes plain host tensors");
        return Support::yes();
    }

    /// Extents are the same in every layout.
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates = Tactic::candidateFormats(problem);
        if (problem.op->name == "ConstantOfShape" || problem.inputs[0].dims.size() < 3) return candidates;
        for (Layout layout : {Layout::ChannelsLast, Layout::Blocked16, Layout::Blocked8}) {
            candidates.push_back(candidates.front());
            candidates.back().inputs[0].layout = layout;
        }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        if (problem.op->name == "ConstantOfShape")
            return std::unique_ptr<Kernel>(std::make_unique<FillKernel>(problem));
        return std::unique_ptr<Kernel>(std::make_unique<ExtentKernel>(problem));
    }
};

}  // namespace

void registerSimdShapes(KernelRegistry& registry) {
    for (const char* op : {"Shape", "Size", "ConstantOfShape"})
        registry.add(DeviceKind::Cpu, op, std::make_unique<ShapeTactic>());
}

}  // namespace strobe
