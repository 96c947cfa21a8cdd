#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine_core/ops/compute_shapes.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct RoiBins {
    double startY, startX, binHeight, binWidth;
    int64_t gridY, gridX;  // samples in a bin
};

RoiBins roiBins(const Attributes& attributes, const double* roi, const Dims& y) {
    const double scale = static_cast<double>(attributes.getFloat("spatial_scale", 1.0f));
    const bool halfPixel = attributes.getString("coordinate_transformation_mode", "half_pixel") == "half_pixel";
    const double offset = halfPixel ? 0.5 : 0.0;
    double width = (roi[2] - roi[0]) * scale, height = (roi[3] - roi[1]) * scale;
    if (!halfPixel) {
        width = std::max(width, 1.0);
        height = std::max(height, 1.0);
    }
    RoiBins bins{roi[1] * scale - offset,
                 roi[0] * scale - offset,
                 height / static_cast<double>(y[2]),
                 width / static_cast<double>(y[3]),
                 0,
                 0};
    const int64_t ratio = attributes.getInt("sampling_ratio", 0);
    // A box that is no number (NaN) has no samples.
    const auto samples = [&](double size) {
        return ratio > 0    ? ratio
               : size > 0.0 ? static_cast<int64_t>(std::ceil(std::min(size, static_cast<double>(kMostRoiSamples))))
                            : 0;
    };
    bins.gridY = samples(bins.binHeight);
    bins.gridX = samples(bins.binWidth);
    return bins;
}

/// The four neighbours of a point times their weights; nothing outside the plane by more than a pixel.
std::vector<double> neighbours(const double* plane, int64_t height, int64_t width, double y, double x) {
    if (!(y >= -1.0 && y <= static_cast<double>(height) && x >= -1.0 && x <= static_cast<double>(width)))
        return {0.0, 0.0, 0.0, 0.0};
    y = std::clamp(y, 0.0, static_cast<double>(height - 1));
    x = std::clamp(x, 0.0, static_cast<double>(width - 1));
    const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
    const int64_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
    const double ly = y - static_cast<double>(top), lx = x - static_cast<double>(left);
    return {(1.0 - ly) * (1.0 - lx) * plane[top * width + left], (1.0 - ly) * lx * plane[top * width + right],
            ly * (1.0 - lx) * plane[bottom * width + left], ly * lx * plane[bottom * width + right]};
}

double poolBin(const RoiBins& bins, const double* plane, int64_t height, int64_t width, int64_t row, int64_t column,
               bool isMax) {
    double sum = 0.0, highest = -std::numeric_limits<double>::infinity();
    for (int64_t iy = 0; iy < bins.gridY; ++iy)
        for (int64_t ix = 0; ix < bins.gridX; ++ix) {
            pollCancel(8);
            const double y = bins.startY + (static_cast<double>(row) +
                                            (static_cast<double>(iy) + 0.5) / static_cast<double>(bins.gridY)) *
                                               bins.binHeight;
            const double x = bins.startX + (static_cast<double>(column) +
                                            (static_cast<double>(ix) + 0.5) / static_cast<double>(bins.gridX)) *
                                               bins.binWidth;
            for (double part : neighbours(plane, height, width, y, x)) {
                sum += part;
                highest = std::max(highest, part);
            }
        }
    const int64_t samples = bins.gridY * bins.gridX;
    if (samples == 0) return 0.0;
    return isMax ? highest : sum / static_cast<double>(samples);
}

Status runRoiAlign(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = inputDims(arguments, 0), &y = outputDims(arguments, 0);
    const std::vector<double> values = readNumbers(problem, arguments, 0), rois = readNumbers(problem, arguments, 1);
    const std::vector<int64_t> batches = readIntegers(problem, arguments, 2);
    const bool isMax = problem.attributes->getString("mode", "avg") == "max";
    if (values.empty() && elementCount(y) > 0)
        return invalidArgument("input 0 of shape " + toString(x) + " has nothing to sample");
    std::vector<double> result;
    for (int64_t r = 0; r < y[0]; ++r) {
        const RoiBins bins = roiBins(*problem.attributes, rois.data() + 4 * r, y);
        const int64_t batch = batches[static_cast<size_t>(r)];
        if (batch < 0 || batch >= x[0])
            return invalidArgument("batch index " + std::to_string(batch) + " (input 2) is outside [0, " +
                                   std::to_string(x[0]) + ")");
        for (int64_t c = 0; c < y[1]; ++c)
            for (int64_t row = 0; row < y[2]; ++row)
                for (int64_t column = 0; column < y[3]; ++column)
                    result.push_back(poolBin(bins, values.data() + (batch * x[1] + c) * x[2] * x[3], x[2], x[3], row,
                                             column, isMax));
    }
    writeNumbers(problem, arguments, 0, result);
    return Status::ok();
}

/// First and one past the last cell of bin `bin` of `bins` along one dim, within the plane.
std::pair<int64_t, int64_t> binCells(double start, double end, int64_t bin, int64_t bins, int64_t extent) {
    const double size = std::max(end - start + 1.0, 1.0) / static_cast<double>(bins),
                 limit = static_cast<double>(extent);
    const double first = std::floor(static_cast<double>(bin) * size) + start,
                 last = std::ceil(static_cast<double>(bin + 1) * size) + start;
    // Of a box that is no number (NaN) no cell is left.
    if (!(first <= last)) return {0, 0};
    return {static_cast<int64_t>(std::clamp(first, 0.0, limit)), static_cast<int64_t>(std::clamp(last, 0.0, limit))};
}

Status runMaxRoiPool(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = inputDims(arguments, 0), &y = outputDims(arguments, 0);
    const std::vector<double> values = readNumbers(problem, arguments, 0), rois = readNumbers(problem, arguments, 1);
    const double scale = static_cast<double>(problem.attributes->getFloat("spatial_scale", 1.0f));
    std::vector<double> result;
    if (elementCount(y) == 0) return Status::ok();
    Dims index(4, 0);
    do {
        const double* roi = rois.data() + 5 * index[0];
        if (!(roi[0] >= 0.0 && roi[0] < static_cast<double>(x[0])))
            return invalidArgument("roi " + std::to_string(index[0]) + " names batch " + std::to_string(roi[0]) +
                                   ", outside [0, " + std::to_string(x[0]) + ")");
        const auto [top, bottom] =
            binCells(std::round(roi[2] * scale), std::round(roi[4] * scale), index[2], y[2], x[2]);
        const auto [left, right] =
            binCells(std::round(roi[1] * scale), std::round(roi[3] * scale), index[3], y[3], x[3]);
        const double* plane = values.data() + (static_cast<int64_t>(roi[0]) * x[1] + index[1]) * x[2] * x[3];
        double highest = -std::numeric_limits<double>::infinity();
        pollCancel((bottom - top) * (right - left));
        for (int64_t row = top; row < bottom; ++row)
            for (int64_t column = left; column < right; ++column)
                highest = std::max(highest, plane[row * x[3] + column]);
        result.push_back(top < bottom && left < right ? highest : 0.0);
    } while (advance(index, y));
    writeNumbers(problem, arguments, 0, result);
    return Status::ok();
}

struct Box {
    double top, left, bottom, right;
    double area() const { return (bottom - top) * (right - left); }
};

Box readBox(const double* b, bool centered) {
    if (centered) return {b[1] - b[3] / 2.0, b[0] - b[2] / 2.0, b[1] + b[3] / 2.0, b[0] + b[2] / 2.0};
    return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

double intersectionOverUnion(const Box& a, const Box& b) {
    const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top),
                 width = std::min(a.right, b.right) - std::max(a.left, b.left);
    if (height <= 0.0 || width <= 0.0 || a.area() <= 0.0 || b.area() <= 0.0) return 0.0;
    return height * width / (a.area() + b.area() - height * width);
}

Status runNonMaxSuppression(const Problem& problem, const RunArguments& arguments) {
    const Dims& scoreDims = inputDims(arguments, 1);
    const std::vector<double> boxes = readNumbers(problem, arguments, 0), scores = readNumbers(problem, arguments, 1);
    const auto limit = static_cast<size_t>(std::max(0.0, readNumber(problem, arguments, 2, 0.0)));
    const double overlap = readNumber(problem, arguments, 3, 0.0),
                 threshold = readNumber(problem, arguments, 4, -std::numeric_limits<double>::infinity());
    const bool centered = problem.attributes->getBool("center_point_box", false);
    const int64_t count = scoreDims[2];
    std::vector<int64_t> selected;
    for (int64_t n = 0; n < scoreDims[0]; ++n)
        for (int64_t c = 0; c < scoreDims[1]; ++c) {
            const double* score = scores.data() + (n * scoreDims[1] + c) * count;
            std::vector<int64_t> order(static_cast<size_t>(count));
            std::iota(order.begin(), order.end(), 0);
            pollCancel(count);
            std::erase_if(order, [&](int64_t i) { return !(score[i] > threshold); });
            std::stable_sort(order.begin(), order.end(),
                             [&](int64_t a, int64_t b) { return precedes(score[a], score[b], true); });
            std::vector<Box> kept;
            for (int64_t i : order) {
                if (kept.size() == limit) break;
                pollCancel(static_cast<int64_t>(kept.size()) + 1);
                const Box box = readBox(boxes.data() + (n * count + i) * 4, centered);
                if (std::any_of(kept.begin(), kept.end(),
                                [&](const Box& other) { return intersectionOverUnion(box, other) > overlap; }))
                    continue;
                kept.push_back(box);
                selected.insert(selected.end(), {n, c, i});
            }
        }
    STROBE_ASSIGN(void* destination, arguments.allocator->allocate(0, {static_cast<int64_t>(selected.size() / 3), 3}));
    std::copy(selected.begin(), selected.end(), static_cast<int64_t*>(destination));
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(regions) {
    addReference(registry, {"RoiAlign", runRoiAlign, onlyFloats});
    addReference(registry, {"MaxRoiPool", runMaxRoiPool, onlyFloats});
    addReference(registry, {"NonMaxSuppression", runNonMaxSuppression, onlyFloats});
}

}  // namespace strobe
