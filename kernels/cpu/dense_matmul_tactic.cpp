#include "kernels/cpu/dense_gemm.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

/// B's columns and depth, whichever way it lies.
struct Factor {
    int64_t depth = 0, columns = 0;
    bool transposed = false;
};

Factor factorOf(const Problem& problem) {
    const Dims& b = problem.inputs[1].dims;
    const bool transposed = problem.attributes->getBool("transB", false);
    return {b[transposed ? 1 : 0], b[transposed ? 0 : 1], transposed};
}

DenseShape denseShape(const Problem& problem) {
    const Factor factor = factorOf(problem);
    DenseShape s;
    s.columns = factor.columns;
    s.rows = elementCount(problem.inputs[0].dims) / factor.depth;
    s.patch.tap = s.patch.pixelStride = factor.depth;
    s.patch.inWidth = s.patch.outWidth = s.rows;
    s.patch.imageStride = s.rows * factor.depth;
    return s;
}

WeightOrder weightOrder(const Factor& factor) {
    WeightOrder order;
    order.columnStride = factor.transposed ? factor.depth : 1;
    for (int64_t k = 0; k < factor.depth; ++k) order.kOffsets.push_back(k * (factor.transposed ? 1 : factor.columns));
    return order;
}

/// Products whose right-hand side is a constant matrix.
class DenseMatMulTactic final : public Tactic {
public:
    explicit DenseMatMulTactic(GemmCompute compute) : m_compute(compute) {}
    std::string_view name() const override { return m_compute == GemmCompute::Float32 ? "simd.matmul" : "amx.matmul"; }
    bool wantsExactConstants() const override { return m_compute == GemmCompute::Float32; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &a = problem.inputs[0], &b = problem.inputs[1];
        if (m_compute == GemmCompute::AmxBFloat16) {
            if (a.format.type != DataType::BFloat16) return Support::no("serves BF16");
            if (b.format.type != DataType::BFloat16) return Support::no("serves BF16 weights");
            if (!amxAvailable()) return Support::no("the processor has no AMX");
        }
        if (b.dims.size() != 2 || !b.constantData) return Support::no("the right-hand side is not a constant matrix");
        if (problem.attributes->getBool("transA", false)) return Support::no("transposes no left-hand side");
        if (problem.attributes->getFloat("alpha", 1.0f) != 1.0f) return Support::no("multiplies by no alpha");
        if (a.dims.size() < 2 || elementCount(a.dims) == 0 || elementCount(b.dims) == 0)
            return Support::no("a factor is a vector or empty");
        if (isGiven(problem, 2) &&
            (!problem.inputs[2].constantData || !coversRow(problem.inputs[2].dims, {factorOf(problem).columns}, 0)))
            return Support::no("the addend is not a constant row");
        for (const TensorDesc* desc : {&a, &problem.outputs[0]})
            if (desc->format.layout != Layout::Plain) return Support::no("takes the plain layout");
        if (const Support storage = supportsFloatStorage(problem, FloatResult::AsInputOrSums); !storage.supported)
            return storage;
        if (!isFloatingPoint(b.format.type)) return Support::no("weights are not floating point");
        return supportsEpilogue(problem);
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        const DenseShape shape = denseShape(problem);
        const Factor factor = factorOf(problem);
        STROBE_ASSIGN(auto weights, packDenseWeights(problem, shape, weightOrder(factor), m_compute, context,
                                                     std::string(name()) + (factor.transposed ? " t" : " n")));
        auto bias = knownFloats(problem, 2);
        if (!bias) return internalError("product prepared for an addend that it declined");
        for (float& value : *bias) value *= problem.attributes->getFloat("beta", 1.0f);
        return std::unique_ptr<Kernel>(
            std::make_unique<DenseGemmKernel>(problem, shape, m_compute, std::move(weights), *bias));
    }

private:
    GemmCompute m_compute;
};

}  // namespace

void registerDenseMatMul(KernelRegistry& registry) {
    for (const char* op : {"MatMul", "Gemm"})
        for (const GemmCompute compute : {GemmCompute::AmxBFloat16, GemmCompute::Float32})
            registry.add(DeviceKind::Cpu, op, std::make_unique<DenseMatMulTactic>(compute));
}

}  // namespace strobe
