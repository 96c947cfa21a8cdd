#include <algorithm>
#include <limits>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_depthwise.h"
#include "kernels/cpu/simd_pool.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 16384;  // read; below, another thread costs more than it saves

bool isGlobal(const Problem& problem) { return problem.op->name.rfind("Global", 0) == 0; }
bool isMaximum(const Problem& problem) { return problem.op->name.find("Max") != std::string::npos; }

Result<PoolShape> poolShape(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const WindowAttributes window, windowAttributes(*problem.attributes, toShape(x), problem.attributes->getInts("kernel_shape")));
    const Layout layout = problem.inputs[0].format.layout;
    const size_t last = x.size() - 3;  // index of the width among spatial dims
    PoolShape s;
    s.lanes = layout == Layout::ChannelsLast ? x[1] : layoutBlock(layout);
    s.maximum = isMaximum(problem);
    s.countsPadding = problem.attributes->getBool("count_include_pad", false);
    s.inWidth = x.back();
    s.outWidth = y.back();
    s.kernelWidth = window.kernel[last];
    s.strideWidth = window.strides[last];
    s.dilationWidth = window.dilations[last];
    s.padLeft = window.padsBegin[last].constant();
    s.inHeight = s.outHeight = s.kernelHeight = 1;
    if (last == 0) return s;
    s.inHeight = x[2];
    s.outHeight = y[2];
    s.kernelHeight = window.kernel[0];
    s.strideHeight = window.strides[0];
    s.dilationHeight = window.dilations[0];
    s.padTop = window.padsBegin[0].constant();
    return s;
}

/// Some output sees nothing but padding along this axis.
bool hasEmptyWindow(int64_t outputs, int64_t extent, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
    for (int64_t i = 0; i < outputs; ++i) {
        const int64_t start = i * stride - pad, first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
        if (first >= kernel || start + first * dilation >= extent) return true;
    }
    return false;
}

class PoolKernel final : public Kernel {
public:
    PoolKernel(const Problem& problem, const PoolShape& shape)
        : m_shape(shape),
          m_type(problem.inputs[0].format.type),
          m_images(storedElementCount(problem.inputs[0].dims, problem.inputs[0].format.layout) / std::max<int64_t>(1, shape.lanes * shape.inHeight * shape.inWidth)),
          m_scratch(static_cast<size_t>((poolScratchFloats(shape) + 15) / 16 * 16) * sizeof(float)),
          m_threads(problem.threads) {}

    size_t workspaceBytes() const override { return m_scratch * static_cast<size_t>(m_threads); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const int64_t imageElements = m_shape.inHeight * m_shape.inWidth * m_shape.lanes, rowElements = m_shape.outWidth * m_shape.lanes;
        const int64_t perRow = std::max<int64_t>(1, m_shape.inWidth * m_shape.lanes * m_shape.kernelHeight);
        parallelFor(0, m_images * m_shape.outHeight, (kElementsPerThread + perRow - 1) / perRow, [&](int64_t first, int64_t last) {
            PoolRow row;
            row.type = m_type;
            row.scratch = reinterpret_cast<float*>(static_cast<char*>(arguments.workspace) + static_cast<size_t>(parallelThreadIndex()) * m_scratch);
            for (int64_t job = first; job < last; ++job) {
                row.y = job % m_shape.outHeight;
                row.in = arguments.inputs[0].as<const char>() + dataTypeBytes(m_type, job / m_shape.outHeight * imageElements);
                row.out = arguments.outputs[0].as<char>() + dataTypeBytes(m_type, job * rowElements);
                poolRow(m_shape, row);
            }
        });
        return Status::ok();
    }

private:
    PoolShape m_shape;
    DataType m_type;
    int64_t m_images;
    size_t m_scratch;  // bytes of a thread
    int m_threads;
};

/// Positions are shared among threads as the layer before shared them, so that each reads what its own cache holds; then the threads'
/// totals are put together.
class GlobalPoolKernel final : public Kernel {
public:
    explicit GlobalPoolKernel(const Problem& problem)
        : m_type(problem.inputs[0].format.type), m_images(problem.inputs[0].dims[0]), m_channels(problem.inputs[0].dims[1]), m_maximum(isMaximum(problem)), m_threads(problem.threads) {
        m_positions = elementCount(problem.inputs[0].dims) / std::max<int64_t>(1, m_images * m_channels);
        m_stride = (m_channels + 15) / 16 * 16;
    }

    size_t workspaceBytes() const override { return static_cast<size_t>(m_stride * m_threads) * sizeof(float); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        auto* totals = static_cast<float*>(arguments.workspace);
        const float start = m_maximum ? -std::numeric_limits<float>::infinity() : 0.0f;
        for (int64_t image = 0; image < m_images; ++image) {
            std::fill_n(totals, m_stride * m_threads, start);
            parallelFor(0, m_positions, (kElementsPerThread + m_channels - 1) / m_channels, [&](int64_t first, int64_t last) {
                poolTotals({m_type, arguments.inputs[0].as<const char>() + dataTypeBytes(m_type, (image * m_positions + first) * m_channels), last - first, m_channels,
                            m_maximum, totals + parallelThreadIndex() * m_stride});
            });
            for (int64_t c = 0; c < m_channels; ++c) totals[c] = joined(totals + c);
            storeTile(m_type, totals, arguments.outputs[0].data, image * m_channels, static_cast<size_t>(m_channels));
        }
        return Status::ok();
    }

private:
    float joined(const float* totals) const {
        float result = totals[0];
        for (int thread = 1; thread < m_threads; ++thread) {
            const float other = totals[thread * m_stride];
            result = m_maximum ? greaterOrNan(result, other) : result + other;
        }
        return m_maximum ? result : result / static_cast<float>(m_positions);
    }

    DataType m_type;
    int64_t m_images, m_channels, m_positions = 0, m_stride = 0;
    bool m_maximum;
    int m_threads;
};

class PoolTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.pool"; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
        if (problem.program) return Support::no("pools without an epilogue");
        if (problem.outputs.size() > 1 && problem.outputs[1].present) return Support::no("gives no indices");
        if (const Support storage = supportsFloatStorage(problem); !storage.supported) return storage;
        if (x.format.type != y.format.type) return Support::no("input and output differ in type");
        if (x.format.layout == Layout::Plain) return Support::no("channels do not lie side by side");
        if (elementCount(x.dims) == 0) return Support::no("the input has no elements");
        return isGlobal(problem) ? supportsGlobal(x, y) : supportsWindow(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates;
        const auto add = [&](Layout in, Layout out) {
            Formats formats = Tactic::candidateFormats(problem).front();
            formats.inputs[0].layout = in;
            formats.outputs[0].layout = out;
            candidates.push_back(std::move(formats));
        };
        if (problem.inputs[0].dims.size() < 3) return Tactic::candidateFormats(problem);
        if (isGlobal(problem)) {
            add(Layout::ChannelsLast, Layout::ChannelsLast);
            add(Layout::ChannelsLast, Layout::Plain);
        } else {
            for (Layout layout : simdLayouts()) add(layout, layout);
        }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        if (isGlobal(problem)) return std::unique_ptr<Kernel>(std::make_unique<GlobalPoolKernel>(problem));
        STROBE_ASSIGN(const PoolShape shape, poolShape(problem));
        return std::unique_ptr<Kernel>(std::make_unique<PoolKernel>(problem, shape));
    }

private:
    static Support supportsGlobal(const TensorDesc& x, const TensorDesc& y) {
        if (x.format.layout != Layout::ChannelsLast) return Support::no("reads channels-last tensors");
        return layoutBlock(y.format.layout) > 1 ? Support::no("writes no blocks") : Support::yes();
    }

    static Support supportsWindow(const Problem& problem) {
        const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
        if (x.dims.size() > 4) return Support::no("pools one or two spatial dims");
        if (x.format.layout != y.format.layout) return Support::no("input and output differ in layout");
        if (layoutBlock(x.format.layout) > 1 && layoutBlock(x.format.layout) < simdLanes()) return Support::no("channel blocks are shorter than this machine's vectors");
        const auto shape = poolShape(problem);
        if (!shape) return Support::no(shape.status().message());
        if (shape->countsPadding && problem.attributes->getBool("ceil_mode", false)) return Support::no("counts what ceil_mode adds as padding");
        const bool empty = hasEmptyWindow(shape->outHeight, shape->inHeight, shape->kernelHeight, shape->strideHeight, shape->dilationHeight, shape->padTop) ||
                           hasEmptyWindow(shape->outWidth, shape->inWidth, shape->kernelWidth, shape->strideWidth, shape->dilationWidth, shape->padLeft);
        return empty ? Support::no("a window lies wholly in padding") : Support::yes();
    }
};

}  // namespace

void registerSimdPool(KernelRegistry& registry) {
    for (const char* op : {"MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"}) registry.add(DeviceKind::Cpu, op, std::make_unique<PoolTactic>());
}

}  // namespace strobe
