#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_resize.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 16384;

/// Images of rows of pixels; a pixel is the channels that lie side by side.
class ResizeKernel final : public Kernel {
public:
    ResizeKernel(const Problem& problem, ResizePlan plan)
        : m_type(problem.inputs[0].format.type),
          m_linear(plan.linear),
          m_threads(problem.threads),
          m_inHeight(plan.inHeight),
          m_inWidth(plan.inWidth),
          m_rows(std::move(plan.rows)),
          m_columns(std::move(plan.columns)) {
        const Dims& x = problem.inputs[0].dims;
        const Layout layout = problem.inputs[0].format.layout;
        m_lanes = layout == Layout::Plain ? 1 : layout == Layout::ChannelsLast ? x[1] : layoutBlock(layout);
        m_images = storedElementCount(x, layout) / std::max<int64_t>(1, m_lanes * m_inHeight * m_inWidth);
    }

    size_t workspaceBytes() const override { return m_linear ? rowBytes() * static_cast<size_t>(m_threads) : 0; }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const auto height = static_cast<int64_t>(m_rows.size()), width = static_cast<int64_t>(m_columns.size());
        parallelFor(0, m_images * height, kElementsPerThread / std::max<int64_t>(1, width * m_lanes),
                    [&](int64_t first, int64_t last) {
                        float* own =
                            m_linear ? reinterpret_cast<float*>(static_cast<char*>(arguments.workspace) +
                                                                static_cast<size_t>(parallelThreadIndex()) * rowBytes())
                                     : nullptr;
                        for (int64_t job = first; job < last; ++job) {
                            const char* image =
                                arguments.inputs[0].as<const char>() + bytesOf(job / height * m_inHeight * m_inWidth);
                            char* to = arguments.outputs[0].as<char>() + bytesOf(job * width);
                            const ResizeTap& tap = m_rows[static_cast<size_t>(job % height)];
                            if (m_linear) {
                                blendRows(m_type, image + bytesOf(tap.first * m_inWidth),
                                          image + bytesOf(tap.second * m_inWidth), tap.weight, own,
                                          m_inWidth * m_lanes);
                                blendPixels(own, m_columns.data(), width, m_lanes, m_type, to);
                            } else if (job > first && job % height > 0 &&
                                       m_rows[static_cast<size_t>(job % height - 1)].first == tap.first) {
                                std::memcpy(to, to - bytesOf(width), bytesOf(width));
                            } else {
                                copyPixels(image + bytesOf(tap.first * m_inWidth), to);
                            }
                        }
                    });
        return Status::ok();
    }

private:
    size_t bytesOf(int64_t pixels) const { return dataTypeBytes(m_type, pixels * m_lanes); }
    size_t rowBytes() const { return (static_cast<size_t>(m_inWidth * m_lanes) * sizeof(float) + 63) / 64 * 64; }

    template <class Element>
    void copyElements(const char* from, char* to) const {
        for (size_t x = 0; x < m_columns.size(); ++x)
            std::memcpy(to + x * sizeof(Element), from + static_cast<size_t>(m_columns[x].first) * sizeof(Element),
                        sizeof(Element));
    }
    void copyPixels(const char* from, char* to) const {
        const size_t bytes = bytesOf(1);
        switch (bytes) {
            case 1:
                return copyElements<uint8_t>(from, to);
            case 2:
                return copyElements<uint16_t>(from, to);
            case 4:
                return copyElements<uint32_t>(from, to);
            case 8:
                return copyElements<uint64_t>(from, to);
            default:
                for (size_t x = 0; x < m_columns.size(); ++x)
                    std::memcpy(to + x * bytes, from + static_cast<size_t>(m_columns[x].first) * bytes, bytes);
        }
    }

    DataType m_type;
    bool m_linear;
    int m_threads;
    int64_t m_lanes = 1, m_images = 0, m_inHeight, m_inWidth;
    std::vector<ResizeTap> m_rows, m_columns;
};

class ResizeTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.resize"; }

    Support supports(const Problem& problem) const override {
        const auto plan = planResize(problem);
        if (!plan) return Support::no(plan.status().message());
        if (plan->linear) return supportsFloatStorage(problem);
        const DataType type = problem.inputs[0].format.type;
        return dataTypeBits(type) % 8 == 0 && type != DataType::String ? Support::yes()
                                                                       : Support::no("elements are not whole bytes");
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        return withLayouts(Tactic::candidateFormats(problem), problem, simdLayouts());
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        STROBE_ASSIGN(ResizePlan plan, planResize(problem));
        return std::unique_ptr<Kernel>(std::make_unique<ResizeKernel>(problem, std::move(plan)));
    }
};

}  // namespace

void registerSimdResize(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Resize", std::make_unique<ResizeTactic>());
}

}  // namespace strobe
