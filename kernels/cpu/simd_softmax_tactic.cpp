#include <algorithm>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_rows.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 8192;
constexpr int64_t kColumnsPerJob = 64;

std::optional<AxisView> softmaxView(const Problem& problem) {
    const Dims& dims = problem.inputs[0].dims;
    std::vector<bool> axes(dims.size(), false);
    if (dims.empty()) return AxisView{};
    axes[normalAxis(problem.attributes->getInt("axis", -1), dims.size())] = true;
    return viewAround(dims, problem.inputs[0].format.layout, axes);
}

class SoftmaxKernel final : public Kernel {
public:
    SoftmaxKernel(const Problem& problem, const AxisView& view)
        : m_view(view),
          m_type(problem.inputs[0].format.type),
          m_logarithm(problem.op->name == "LogSoftmax"),
          m_threads(problem.threads) {}

    size_t workspaceBytes() const override { return scratchBytes() * static_cast<size_t>(m_threads); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        if (m_view.extent == 0) return Status::ok();
        const int64_t pieces = (m_view.inner + kColumnsPerJob - 1) / kColumnsPerJob;
        const int64_t perJob = m_view.extent * std::min(m_view.inner, kColumnsPerJob);
        parallelFor(0, m_view.outer * pieces, kElementsPerThread / std::max<int64_t>(1, perJob),
                    [&](int64_t first, int64_t last) {
                        auto* scratch =
                            reinterpret_cast<float*>(static_cast<char*>(arguments.workspace) +
                                                     static_cast<size_t>(parallelThreadIndex()) * scratchBytes());
                        for (int64_t job = first; job < last; ++job) {
                            const size_t offset = dataTypeBytes(m_type, job / pieces * m_view.extent * m_view.inner);
                            AxisLines lines;
                            lines.type = m_type;
                            lines.x = arguments.inputs[0].as<const char>() + offset;
                            lines.extent = m_view.extent;
                            lines.inner = m_view.inner;
                            lines.first = job % pieces * kColumnsPerJob;
                            lines.last = std::min(m_view.inner, lines.first + kColumnsPerJob);
                            softmaxLines(lines, m_logarithm, m_type, arguments.outputs[0].as<char>() + offset, scratch);
                        }
                    });
        return Status::ok();
    }

private:
    size_t scratchBytes() const { return (static_cast<size_t>(m_view.extent) * sizeof(float) + 63) / 64 * 64; }

    AxisView m_view;
    DataType m_type;
    bool m_logarithm;
    int m_threads;
};

class SoftmaxTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.softmax"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("applies no epilogue");
        if (problem.inputs[0].format != problem.outputs[0].format)
            return Support::no("input and output differ in format");
        // Channels' padding would take part.
        if (layoutBlock(problem.inputs[0].format.layout) > 1) return Support::no("takes no blocked layouts");
        if (!softmaxView(problem)) return Support::no("the axis does not lie in one piece");
        return supportsFloatStorage(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        return withLayouts(Tactic::candidateFormats(problem), problem, {Layout::ChannelsLast});
    }

    bool canRunInPlace(const Problem&, int input, int output) const override { return input == 0 && output == 0; }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        const auto view = softmaxView(problem);
        if (!view) return internalError("softmax prepared for a layout that it declined");
        return std::unique_ptr<Kernel>(std::make_unique<SoftmaxKernel>(problem, *view));
    }
};

}  // namespace

void registerSimdSoftmax(KernelRegistry& registry) {
    for (const char* op : {"Softmax", "LogSoftmax"})
        registry.add(DeviceKind::Cpu, op, std::make_unique<SoftmaxTactic>());
}

}  // namespace strobe
