#include <algorithm>
#include <map>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/simd_rows.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 16384;
constexpr int64_t kColumnsPerJob = 64;

const std::map<std::string, ReduceKind>& kinds() {
    static const std::map<std::string, ReduceKind> kKinds = {
        {"ReduceSum", ReduceKind::Sum}, {"ReduceMean", ReduceKind::Mean},           {"ReduceMax", ReduceKind::Max},
        {"ReduceMin", ReduceKind::Min}, {"ReduceSumSquare", ReduceKind::SumSquare}, {"ReduceL1", ReduceKind::L1},
        {"ReduceL2", ReduceKind::L2},   {"GlobalAveragePool", ReduceKind::Mean},    {"GlobalMaxPool", ReduceKind::Max}};
    return kKinds;
}

/// Which logical axes go; nullopt when that is only known at run time.
std::optional<std::vector<bool>> goneAxes(const Problem& problem) {
    if (problem.op->name.rfind("Global", 0) != 0) return reducedAxes(problem);
    std::vector<bool> axes(problem.inputs[0].dims.size(), true);
    axes[0] = axes[1] = false;
    return axes;
}

std::optional<AxisView> reduceView(const Problem& problem) {
    const auto axes = goneAxes(problem);
    if (!axes) return std::nullopt;
    return viewAround(problem.inputs[0].dims, problem.inputs[0].format.layout, *axes);
}

class ReduceKernel final : public Kernel {
public:
    ReduceKernel(const Problem& problem, const AxisView& view)
        : m_view(view),
          m_kind(kinds().at(problem.op->name)),
          m_type(problem.inputs[0].format.type),
          m_threads(problem.threads) {
        if (problem.program) m_epilogue.emplace(problem);
        m_keepsFloats = m_type != DataType::Float32 || m_epilogue;
        if (m_keepsFloats) m_sumBytes = (static_cast<size_t>(view.outer * view.inner) * sizeof(float) + 63) / 64 * 64;
    }

    size_t workspaceBytes() const override { return m_sumBytes + (m_epilogue ? m_epilogue->scratchBytes() : 0); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        float* sums = m_keepsFloats ? static_cast<float*>(arguments.workspace) : arguments.outputs[0].as<float>();
        const int64_t pieces = (m_view.inner + kColumnsPerJob - 1) / kColumnsPerJob;
        const int64_t perJob = m_view.extent * std::min(m_view.inner, kColumnsPerJob);
        parallelFor(0, m_view.outer * pieces, kElementsPerThread / std::max<int64_t>(1, perJob),
                    [&](int64_t first, int64_t last) {
                        for (int64_t job = first; job < last; ++job) {
                            const int64_t outer = job / pieces;
                            AxisLines lines;
                            lines.type = m_type;
                            lines.x = arguments.inputs[0].as<const char>() +
                                      dataTypeBytes(m_type, outer * m_view.extent * m_view.inner);
                            lines.extent = m_view.extent;
                            lines.inner = m_view.inner;
                            lines.first = job % pieces * kColumnsPerJob;
                            lines.last = std::min(m_view.inner, lines.first + kColumnsPerJob);
                            reduceLines(lines, m_kind, sums + outer * m_view.inner);
                        }
                    });
        const int64_t count = m_view.outer * m_view.inner;
        if (m_epilogue)
            m_epilogue->apply(arguments, sums, 0, count, static_cast<char*>(arguments.workspace) + m_sumBytes);
        else if (m_keepsFloats)
            storeTile(m_type, sums, arguments.outputs[0].data, 0, static_cast<size_t>(count));
        return Status::ok();
    }

private:
    AxisView m_view;
    ReduceKind m_kind;
    DataType m_type;
    int m_threads;
    std::optional<TileEpilogue> m_epilogue;
    bool m_keepsFloats = false;
    size_t m_sumBytes = 0;
};

class ReduceTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.reduce"; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
        if (x.format.layout != y.format.layout) return Support::no("input and output differ in layout");
        if (x.format.layout != Layout::Plain && x.dims.size() != y.dims.size())
            return Support::no("dims vanish in a layout that depends on them");
        const auto view = reduceView(problem);
        if (!view) return Support::no("the reduced axes are not known or do not lie in one piece");
        if (view->extent == 0) return Support::no("nothing to reduce");
        if (const Support storage = supportsFloatStorage(problem); !storage.supported) return storage;
        return supportsEpilogue(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> plain = Tactic::candidateFormats(problem);
        if (problem.outputs[0].dims.size() != problem.inputs[0].dims.size()) return plain;
        return withLayouts(std::move(plain), problem, simdLayouts());
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        const auto view = reduceView(problem);
        if (!view) return internalError("reduction prepared for a layout that it declined");
        return std::unique_ptr<Kernel>(std::make_unique<ReduceKernel>(problem, *view));
    }
};

}  // namespace

void registerSimdReductions(KernelRegistry& registry) {
    for (const auto& [op, kind] : kinds()) registry.add(DeviceKind::Cpu, op, std::make_unique<ReduceTactic>());
}

}  // namespace strobe
