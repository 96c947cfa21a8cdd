#include "engine_core/builder/shape_trials.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>

#include "engine_core/builder/builder.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;

/// What the inputs of published models are, most frequent first.
constexpr int64_t kUsualExtents[] = {48,  32,  64,  128, 224, 256, 320, 640, 512, 416, 384, 96, 112,
                                     160, 192, 299, 28,  16,  8,   80,  100, 1,   2,   3,   4};

/// Until when a search may go on.
class Budget {
public:
    Budget(double seconds, const CancelToken& cancel)
        : m_end(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
          m_cancel(cancel) {}
    bool isSpent() const { return m_cancel.isCancelled() || Clock::now() > m_end; }

private:
    Clock::time_point m_end;
    const CancelToken& m_cancel;
};

/// Shapes of a layer's inputs, for a message.
std::string inputShapes(const Network& network, const Layer& layer) {
    std::string text;
    for (TensorId id : layer.inputs) {
        if (id == kNone || text.size() > 300) continue;
        const Tensor& tensor = network.tensor(id);
        text += (text.empty() ? "" : ", ") + std::string("'") + tensor.name + "' " +
                (tensor.rankKnown ? toString(tensor.shape) : "[?]");
    }
    return text;
}

Status checkOutputsOf(const Network& network, const Layer& layer) {
    for (TensorId id : layer.outputs) {
        if (id == kNone) continue;
        for (const Dim& dim : network.tensor(id).shape)
            if (dim.isConstant() && dim.constant() < 0)
                return invalidArgument("node '" + layer.name + "' (" + layer.op->name + "): its output would be " +
                                       toString(network.tensor(id).shape));
    }
    return Status::ok();
}

double bytesOf(const Network& network, const std::vector<TensorId>& tensors) {
    double bytes = 0;
    for (TensorId id : tensors) {
        if (id == kNone || network.tensor(id).constant || !network.tensor(id).rankKnown) continue;
        double elements = std::max(1.0, dataTypeBits(network.tensor(id).type) / 8.0);
        for (const Dim& dim : network.tensor(id).shape)
            if (dim.isConstant()) elements *= static_cast<double>(dim.constant());
        bytes += elements;
    }
    return bytes;
}

/// Empty where the model as it stands need not be.
Status checkNotEmptied(const Network& general, const Network& bound) {
    for (TensorId id : general.outputs()) {
        const Shape &before = general.tensor(id).shape, &now = bound.tensor(id).shape;
        for (size_t d = 0; d < std::min(before.size(), now.size()); ++d)
            if (now[d].isConstant(0) && !before[d].isConstant())
                return invalidArgument("output '" + general.tensor(id).name + "' would be empty, " + toString(now));
    }
    return Status::ok();
}

std::map<std::string, Dim> asDims(const SymbolValues& symbols) {
    std::map<std::string, Dim> dims;
    for (const auto& [name, value] : symbols) dims[name] = value;
    return dims;
}

/// Symbols of the inputs in order, each with the input and dim where it stands first.
struct OpenDim {
    std::string symbol;
    TensorId input = kNone;
    size_t dim = 0;
};
std::vector<OpenDim> openDims(const Network& network) {
    std::vector<OpenDim> open;
    for (TensorId id : network.inputs()) {
        const Tensor& tensor = network.tensor(id);
        for (size_t d = 0; tensor.rankKnown && d < tensor.shape.size(); ++d)
            if (const auto symbol = tensor.shape[d].symbolName())
                if (std::none_of(open.begin(), open.end(),
                                 [&](const OpenDim& known) { return known.symbol == *symbol; }))
                    open.push_back({*symbol, id, d});
    }
    return open;
}

int64_t guessByName(const std::string& symbol) {
    std::string name;
    for (char c : symbol) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto holds = [&](const char* part) { return name.find(part) != std::string::npos; };
    if (holds("batch") || name == "n" || name == "b" || name == "bs") return 1;
    if (holds("seq") || holds("length")) return 128;
    return 0;
}

int64_t firstGuess(const Shape& shape, size_t d, const std::string& symbol) {
    if (const int64_t named = guessByName(symbol)) return named;
    if (d == 0) return 1;
    if (shape.size() == 4) {
        const bool channelsLast = shape[3].isConstant() && shape[3].constant() <= 4;
        return d == (channelsLast ? 3u : 1u) ? 3 : 224;
    }
    // A recurrent state: layers × batch × width.
    if (shape.size() == 3 && d == 1 && shape[0].isConstant() && shape[0].constant() > 1 && shape[2].isConstant())
        return 1;
    return 128;
}

/// The best that changing one symbol gives, by how far inference comes; false when none is better.
bool improve(const Network& network, const std::vector<OpenDim>& open, SymbolValues& values, ShapeTrial& best,
             const Budget& budget) {
    bool improved = false;
    SymbolValues found = values;
    for (const OpenDim& dim : open)
        for (const int64_t extent : kUsualExtents) {
            if (best.status.isOk() || budget.isSpent()) break;
            SymbolValues changed = values;
            if (changed[dim.symbol] == extent) continue;
            changed[dim.symbol] = extent;
            ShapeTrial trial = tryShapes(network, changed);
            if (!trial.status.isOk() && trial.layersPassed <= best.layersPassed) continue;
            best = std::move(trial);
            found = std::move(changed);
            improved = true;
        }
    values = std::move(found);
    return improved;
}

/// Extents to try instead of a refused one: usual ones, nearest first, then any nearby.
std::vector<int64_t> nearbyExtents(int64_t extent) {
    std::vector<int64_t> all(std::begin(kUsualExtents), std::end(kUsualExtents));
    const auto distance = [&](int64_t other) { return std::abs(other - extent); };
    std::stable_sort(all.begin(), all.end(), [&](int64_t a, int64_t b) { return distance(a) < distance(b); });
    for (int64_t step = 1; step <= 64; ++step)
        for (const int64_t other : {extent + step, extent - step}) all.push_back(other);
    all.erase(std::remove_if(all.begin(), all.end(), [&](int64_t other) { return other < 1 || other == extent; }),
              all.end());
    return all;
}

/// Extents that the network takes instead of those asked for; `dim` where one alone differs.
struct Nearby {
    const OpenDim* dim = nullptr;
    SymbolValues values;
};

/// One dim changed, and as little as possible.
std::optional<Nearby> findOneNearby(const Network& network, const std::vector<OpenDim>& open, const SymbolValues& asked,
                                    const Budget& budget) {
    std::vector<std::vector<int64_t>> extents;
    size_t longest = 0;
    for (const OpenDim& dim : open) {
        const auto found = asked.find(dim.symbol);
        extents.push_back(found == asked.end() ? std::vector<int64_t>() : nearbyExtents(found->second));
        longest = std::max(longest, extents.back().size());
    }
    for (size_t n = 0; n < longest; ++n)
        for (size_t s = 0; s < open.size(); ++s) {
            if (n >= extents[s].size()) continue;
            if (budget.isSpent()) return std::nullopt;
            SymbolValues changed = asked;
            changed[open[s].symbol] = extents[s][n];
            if (tryShapes(network, changed).status.isOk()) return Nearby{&open[s], std::move(changed)};
        }
    return std::nullopt;
}

/// One dim, or where several are at fault: all but the batch up to a multiple, as networks that halve and double their
/// images need it; else those that would be assumed.
std::optional<Nearby> findNearby(const Network& network, const std::vector<OpenDim>& open, const SymbolValues& asked,
                                 const CancelToken& cancel) {
    if (auto one = findOneNearby(network, open, asked, Budget(0.2, cancel))) return one;
    const Budget budget(0.2, cancel);
    for (const int64_t multiple : {2, 4, 8, 16, 32, 64}) {
        SymbolValues changed = asked;
        int changes = 0;
        for (const OpenDim& dim : open) {
            const auto value = changed.find(dim.symbol);
            if (value == changed.end() || dim.dim == 0 || value->second > (int64_t{1} << 32)) continue;
            const int64_t rounded = std::max(multiple, (value->second + multiple - 1) / multiple * multiple);
            changes += rounded != value->second;
            value->second = rounded;
        }
        if (changes > 1 && !budget.isSpent() && tryShapes(network, changed).status.isOk())
            return Nearby{nullptr, std::move(changed)};
    }
    AssumedExtents assumed = assumeExtents(network, cancel);
    if (!assumed.refused.isOk()) return std::nullopt;
    return Nearby{nullptr, std::move(assumed.values)};
}

/// `shapes` with symbols at their new extents wherever they stand.
std::map<std::string, Dims> withExtents(const Network& network, std::map<std::string, Dims> shapes,
                                        const SymbolValues& values) {
    for (auto& [name, dims] : shapes)
        if (const auto changed = evaluate(network.tensor(network.findTensor(name)).shape, values)) dims = *changed;
    return shapes;
}

/// Shapes of the inputs that have open dims: the others need not be given.
std::map<std::string, Dims> openOnly(const Network& network, std::map<std::string, Dims> shapes) {
    for (TensorId id : network.inputs())
        if (network.tensor(id).rankKnown && isConstant(network.tensor(id).shape)) shapes.erase(network.tensor(id).name);
    return shapes;
}

std::optional<RefusedShape> findRefused(const Network& network, const std::map<std::string, Dims>& shapes,
                                        const std::string& corner, const CancelToken& cancel) {
    const auto symbols = bindSymbols(network, shapes);
    RefusedShape refused;
    refused.corner = corner;
    refused.message = symbols.status().message();
    if (!symbols) return refused;
    const ShapeTrial trial = tryShapes(network, *symbols);
    if (trial.status.isOk()) return std::nullopt;
    const std::vector<OpenDim> open = openDims(network);
    const auto nearby = findNearby(network, open, *symbols, cancel);
    const std::string which = corner.empty() ? "" : corner + " ";
    if (nearby) refused.accepted = openOnly(network, withExtents(network, shapes, nearby->values));
    if (nearby && nearby->dim) {
        const std::string& symbol = nearby->dim->symbol;
        refused.message = "input '" + network.tensor(nearby->dim->input).name + "', dim " +
                          std::to_string(nearby->dim->dim) + ": the model does not take the " + which + "extent " +
                          std::to_string(symbols->find(symbol)->second) + ": " + trial.status.message() +
                          "; it takes " + std::to_string(nearby->values.find(symbol)->second) + " there, as in " +
                          shapesText(refused.accepted);
        return refused;
    }
    refused.message = "the model does not take the " + which + "shapes " + shapesText(openOnly(network, shapes)) +
                      ": " + trial.status.message() +
                      (nearby ? "; it takes, for one, " + shapesText(refused.accepted) : "");
    return refused;
}

}  // namespace

ShapeTrial tryShapes(const Network& network, const SymbolValues& symbols) {
    ShapeTrial trial;
    Network bound = network;
    bound.substituteSymbols(asDims(symbols));
    for (LayerId id : bound.topologicalOrder()) {
        const Layer& layer = bound.layer(id);
        if (trial.status = inferLayer(bound, id); trial.status.isOk()) trial.status = checkOutputsOf(bound, layer);
        if (!trial.status.isOk()) {
            trial.status = Status(ErrorCode::InvalidArgument,
                                  trial.status.message() + " (its inputs: " + inputShapes(bound, layer) + ")");
            return trial;
        }
        ++trial.layersPassed;
        const double bytes = bytesOf(bound, layer.inputs) + bytesOf(bound, layer.outputs);
        if (bytes <= trial.largestBytes) continue;
        trial.largestBytes = bytes;
        trial.largestLayer = layer.name;
    }
    trial.status = checkNotEmptied(network, bound);
    return trial;
}

Status checkFits(const Network& network, const SymbolValues& symbols, size_t memoryBytes) {
    const ShapeTrial trial = tryShapes(network, symbols);
    if (trial.largestBytes <= static_cast<double>(memoryBytes)) return Status::ok();
    char text[96];
    std::snprintf(text, sizeof text, "%.3g GiB at these shapes, there are %.3g GiB", trial.largestBytes / (1 << 30),
                  static_cast<double>(memoryBytes) / (1 << 30));
    return outOfRange("node '" + trial.largestLayer + "' alone needs " + text + "; use smaller shapes");
}

AssumedExtents assumeExtents(const Network& network, const CancelToken& cancel) {
    AssumedExtents assumed;
    const std::vector<OpenDim> open = openDims(network);
    for (const OpenDim& dim : open)
        assumed.values[dim.symbol] = firstGuess(network.tensor(dim.input).shape, dim.dim, dim.symbol);
    if (open.empty()) return assumed;
    const Budget budget(0.5, cancel);
    ShapeTrial best = tryShapes(network, assumed.values);
    while (!best.status.isOk() && improve(network, open, assumed.values, best, budget)) continue;
    assumed.refused = best.status;
    return assumed;
}

std::optional<RefusedShape> findRefusedShape(const Network& network, const std::vector<OptimizationProfile>& profiles,
                                             const CancelToken& cancel) {
    constexpr std::pair<const char*, Dims ShapeRange::*> kCorners[] = {
        {"opt", &ShapeRange::opt}, {"min", &ShapeRange::min}, {"max", &ShapeRange::max}};
    for (size_t p = 0; p < profiles.size(); ++p) {
        const auto& inputs = profiles[p].inputs;
        const bool isFixed = std::all_of(inputs.begin(), inputs.end(),
                                         [](const auto& input) { return input.second.min == input.second.max; });
        for (const auto& [corner, member] : kCorners) {
            if (isFixed && member != &ShapeRange::opt) continue;
            std::map<std::string, Dims> shapes;
            for (const auto& [name, range] : inputs) shapes[name] = range.*member;
            auto refused = findRefused(network, shapes, isFixed ? "" : corner, cancel);
            if (!refused) continue;
            refused->profile = p;
            return refused;
        }
    }
    return std::nullopt;
}

std::optional<RefusedShape> findRefusedRunShape(const Network& network, const std::map<std::string, Dims>& shapes,
                                                const CancelToken& cancel) {
    return findRefused(network, shapes, "run", cancel);
}

std::string shapesText(const std::map<std::string, Dims>& shapes) {
    std::string text;
    for (const auto& [name, dims] : shapes) {
        text += (text.empty() ? "" : ",") + name + ":";
        for (size_t d = 0; d < dims.size(); ++d) text += (d ? "x" : "") + std::to_string(dims[d]);
    }
    return text;
}

}  // namespace strobe
