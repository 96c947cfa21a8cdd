#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/simd_rows.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 8192;

/// Rows of `size` elements that are normalised on their own; row r is scaled by entries from r % cycle · (size / run)
/// on.
struct NormShape {
    int64_t rows = 1, size = 1;
    int64_t run = 1;    // elements that share an entry of scale and bias
    int64_t cycle = 1;  // rows after which the entries repeat
};

std::optional<NormShape> normShape(const Problem& problem) {
    const Dims& dims = problem.inputs[0].dims;
    NormShape shape;
    if (problem.op->name == "LayerNormalization" || problem.op->name == "RMSNormalization") {
        const size_t axis = normalAxis(problem.attributes->getInt("axis", -1), dims.size());
        for (size_t i = axis; i < dims.size(); ++i) shape.size *= dims[i];
        for (size_t input : {size_t{1}, size_t{2}})
            if (input < static_cast<size_t>(problem.op->maxInputs) && isGiven(problem, input) &&
                !coversRow(problem.inputs[input].dims, dims, axis))
                return std::nullopt;
    } else {
        int64_t spatial = 1;
        for (size_t i = 2; i < dims.size(); ++i) spatial *= dims[i];
        const int64_t groups =
            problem.op->name == "GroupNormalization" ? problem.attributes->getInt("num_groups", 1) : dims[1];
        shape.size = groups == 0 ? 0 : dims[1] / groups * spatial;
        shape.run = spatial;
        shape.cycle = groups;
    }
    shape.rows = shape.size == 0 ? 0 : elementCount(dims) / shape.size;
    return shape;
}

class NormKernel final : public Kernel {
public:
    NormKernel(const Problem& problem, const NormShape& shape, std::vector<float> scale, std::vector<float> bias)
        : m_shape(shape),
          m_scale(std::move(scale)),
          m_bias(std::move(bias)),
          m_type(problem.inputs[0].format.type),
          m_epsilon(problem.attributes->getFloat("epsilon", 1e-5f)),
          m_centered(problem.op->name != "RMSNormalization"),
          m_threads(problem.threads) {
        if (!problem.program) return;
        m_epilogue.emplace(problem);
        m_rowBytes = (static_cast<size_t>(shape.size) * sizeof(float) + 63) / 64 * 64;
    }

    size_t workspaceBytes() const override { return threadBytes() * static_cast<size_t>(m_threads); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        parallelFor(0, m_shape.rows, kElementsPerThread / std::max<int64_t>(1, m_shape.size),
                    [&](int64_t first, int64_t last) {
                        char* own = static_cast<char*>(arguments.workspace) +
                                    static_cast<size_t>(parallelThreadIndex()) * threadBytes();
                        for (int64_t r = first; r < last; ++r) runRow(arguments, r, own);
                    });
        return Status::ok();
    }

private:
    size_t threadBytes() const { return m_epilogue ? m_rowBytes + m_epilogue->scratchBytes() : 0; }

    void runRow(const RunArguments& arguments, int64_t r, char* scratch) const {
        const int64_t begin = r * m_shape.size,
                      entry = r % m_shape.cycle * (m_shape.size / std::max<int64_t>(1, m_shape.run));
        NormRow row;
        row.type = m_type;
        row.x = arguments.inputs[0].as<const char>() + dataTypeBytes(m_type, begin);
        row.outType = m_epilogue ? DataType::Float32 : m_type;
        row.y = m_epilogue ? scratch : arguments.outputs[0].as<char>() + dataTypeBytes(m_type, begin);
        row.size = m_shape.size;
        row.centered = m_centered;
        row.epsilon = m_epsilon;
        row.run = m_shape.run;
        row.scale = m_scale.data() + (m_shape.cycle > 1 ? entry : 0);
        row.bias = m_bias.empty() ? nullptr : m_bias.data() + (m_shape.cycle > 1 ? entry : 0);
        normalizeRow(row);
        if (m_epilogue)
            m_epilogue->apply(arguments, reinterpret_cast<const float*>(scratch), begin, begin + m_shape.size,
                              scratch + m_rowBytes);
    }

    NormShape m_shape;
    std::vector<float> m_scale, m_bias;
    DataType m_type;
    float m_epsilon;
    bool m_centered;
    int m_threads;
    std::optional<TileEpilogue> m_epilogue;
    size_t m_rowBytes = 0;
};

class NormTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.norm"; }

    Support supports(const Problem& problem) const override {
        for (size_t o = 1; o < problem.outputs.size(); ++o)
            if (problem.outputs[o].present) return Support::no("gives no mean and deviation");
        if (problem.inputs[0].format.layout != Layout::Plain || problem.outputs[0].format.layout != Layout::Plain)
            return Support::no("takes the plain layout");
        if (!normShape(problem)) return Support::no("scale or bias is broadcast over the normalised axes");
        for (size_t i = 1; i < problem.inputs.size() && i < static_cast<size_t>(problem.op->maxInputs); ++i)
            if (problem.inputs[i].present && !problem.inputs[i].constantData)
                return Support::no("scale or bias is not constant");
        if (const Support storage = supportsFloatStorage(problem); !storage.supported) return storage;
        return supportsEpilogue(problem);
    }

    bool canRunInPlace(const Problem& problem, int input, int output) const override {
        return input == 0 && output == 0 && !problem.program;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        const auto shape = normShape(problem);
        auto scale = knownFloats(problem, 1);
        auto bias = problem.op->maxInputs > 2 ? knownFloats(problem, 2) : std::vector<float>();
        if (!shape || !scale || !bias) return internalError("normalisation prepared for parameters that it declined");
        return std::unique_ptr<Kernel>(
            std::make_unique<NormKernel>(problem, *shape, std::move(*scale), std::move(*bias)));
    }
};

}  // namespace

void registerSimdNormalizations(KernelRegistry& registry) {
    for (const char* op : {"LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization"})
        registry.add(DeviceKind::Cpu, op, std::make_unique<NormTactic>());
}

}  // namespace strobe
