#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine_core/ops/resize.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_resize.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 16384;

/// One axis: extents and the asked scale, which need not be out / in.
struct Line {
    int64_t in = 1, out = 1;
    double scale = 1.0;
};

std::optional<std::vector<double>> knownNumbers(const Problem& problem, size_t input) {
    if (input >= problem.inputs.size() || !problem.inputs[input].present ||
        elementCount(problem.inputs[input].dims) == 0)
        return std::vector<double>();
    if (!problem.inputs[input].constantData) return std::nullopt;
    Weights view;
    view.type = problem.inputs[input].format.type;
    view.dims = problem.inputs[input].dims;
    view.data = std::shared_ptr<const void>(problem.inputs[input].constantData, [](const void*) {});
    return toDoubles(view);
}

/// A line for each axis of the tensor.
Result<std::vector<Line>> resizeLines(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const std::vector<int64_t> axes, resizeAxes(*problem.attributes, static_cast<int64_t>(x.size())));
    const auto scales = knownNumbers(problem, 2), sizes = knownNumbers(problem, 3);
    if (!scales || !sizes) return unsupported("scales or sizes are not known");
    std::vector<Line> lines(x.size());
    for (size_t d = 0; d < x.size(); ++d) lines[d] = {x[d], y[d], 1.0};
    std::vector<double> asked;
    for (size_t i = 0; i < axes.size(); ++i) {
        Line& line = lines[static_cast<size_t>(axes[i])];
        line.scale = scales->empty() ? (*sizes)[i] / static_cast<double>(line.in) : (*scales)[i];
        asked.push_back(line.scale);
    }
    const std::string policy = problem.attributes->getString("keep_aspect_ratio_policy", "stretch");
    if (scales->empty() && policy != "stretch")
        for (int64_t axis : axes) lines[static_cast<size_t>(axis)].scale = keepAspectScale(policy, asked);
    return lines;
}

/// Where output position `i` lies on the input.
double sourcePosition(const std::string& mode, const Line& line, double i) {
    const auto in = static_cast<double>(line.in);
    const double resized = line.scale * in;
    if (mode == "asymmetric") return i / line.scale;
    if (mode == "align_corners") return resized == 1.0 ? 0.0 : i * (in - 1.0) / (resized - 1.0);
    if (mode == "pytorch_half_pixel" && resized == 1.0) return -0.5;
    const double halfPixel = (i + 0.5) / line.scale - 0.5;
    if (mode == "half_pixel_symmetric") return in / 2.0 * (1.0 - static_cast<double>(line.out) / resized) + halfPixel;
    return halfPixel;
}

double nearestPosition(const std::string& mode, double x) {
    if (mode == "floor") return std::floor(x);
    if (mode == "ceil") return std::ceil(x);
    return mode == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

std::vector<ResizeTap> tapsOf(const Attributes& attributes, const Line& line) {
    const std::string mode = attributes.getString("coordinate_transformation_mode", "half_pixel"),
                      nearest = attributes.getString("nearest_mode", "round_prefer_floor");
    const bool isNearest = attributes.getString("mode", "nearest") == "nearest",
               isIdentity = line.scale == 1.0 && line.in == line.out;
    std::vector<ResizeTap> taps(static_cast<size_t>(line.out));
    for (size_t i = 0; i < taps.size(); ++i) {
        const double x = isIdentity ? static_cast<double>(i) : sourcePosition(mode, line, static_cast<double>(i));
        const double first = isNearest ? nearestPosition(nearest, x) : std::floor(x);
        const auto clamped = [&](double at) {
            return static_cast<int64_t>(std::clamp(at, 0.0, static_cast<double>(line.in - 1)));
        };
        taps[i] = {clamped(first), isNearest ? clamped(first) : clamped(first + 1.0),
                   isNearest ? 0.0f : static_cast<float>(x - first)};
    }
    return taps;
}

/// Images of rows of pixels; a pixel is the channels that lie side by side.
class ResizeKernel final : public Kernel {
public:
    ResizeKernel(const Problem& problem, const std::vector<Line>& lines)
        : m_type(problem.inputs[0].format.type),
          m_linear(problem.attributes->getString("mode", "nearest") == "linear"),
          m_threads(problem.threads) {
        const Dims& x = problem.inputs[0].dims;
        const Layout layout = problem.inputs[0].format.layout;
        m_lanes = layout == Layout::Plain ? 1 : layout == Layout::ChannelsLast ? x[1] : layoutBlock(layout);
        const size_t height = x.size() == 4 ? 2 : x.size();
        const Line single;
        m_rows = tapsOf(*problem.attributes, height < x.size() ? lines[height] : single);
        m_columns = tapsOf(*problem.attributes, lines.back());
        m_inHeight = height < x.size() ? x[height] : 1;
        m_inWidth = x.back();
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
    int64_t m_lanes = 1, m_images = 0, m_inHeight = 1, m_inWidth = 1;
    std::vector<ResizeTap> m_rows, m_columns;
};

class ResizeTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.resize"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("applies no epilogue");
        const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
        if (x.format != y.format) return Support::no("input and output differ in format");
        if (x.dims.size() < 3 || x.dims.size() > 4 || elementCount(x.dims) == 0)
            return Support::no("takes images of rank 3 or 4");
        if (x.dims[0] != y.dims[0] || x.dims[1] != y.dims[1]) return Support::no("batch or channels change");
        const std::string mode = problem.attributes->getString("mode", "nearest");
        if (mode != "nearest" && mode != "linear") return Support::no("mode " + mode);
        if (problem.attributes->getString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
            return Support::no("crops are not served");
        if (mode == "linear" &&
            (problem.attributes->getBool("antialias", false) || problem.attributes->getBool("exclude_outside", false)))
            return Support::no("antialias and exclude_outside are not served");
        if (const auto lines = resizeLines(problem); !lines) return Support::no(lines.status().message());
        if (mode == "linear") return supportsFloatStorage(problem);
        const DataType type = x.format.type;
        return dataTypeBits(type) % 8 == 0 && type != DataType::String ? Support::yes()
                                                                       : Support::no("elements are not whole bytes");
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        return withLayouts(Tactic::candidateFormats(problem), problem, simdLayouts());
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        STROBE_ASSIGN(const std::vector<Line> lines, resizeLines(problem));
        return std::unique_ptr<Kernel>(std::make_unique<ResizeKernel>(problem, lines));
    }
};

}  // namespace

void registerSimdResize(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Resize", std::make_unique<ResizeTactic>());
}

}  // namespace strobe
