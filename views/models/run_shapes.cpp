#include "views/models/run_shapes.h"

#include <algorithm>

namespace strobe {
namespace {

using Shapes = std::map<std::string, Dims>;

/// Of inputs that `shapes` leaves out: extents that they share with the others, else the profile's opt.
Shapes completeShapes(const Network& network, Shapes shapes, const OptimizationProfile& profile) {
    const auto symbols = bindSymbols(network, shapes);
    for (const auto& [name, range] : profile.inputs) {
        const auto [place, isFresh] = shapes.try_emplace(name, range.opt);
        const Tensor& tensor = network.tensor(network.findTensor(name));
        if (!isFresh || !symbols || !tensor.rankKnown) continue;
        for (size_t d = 0; d < range.opt.size(); ++d)
            place->second[d] = tensor.shape[d].evaluate(*symbols).value_or(range.opt[d]);
    }
    return shapes;
}

bool isInside(const ShapeRange& range, size_t d, int64_t extent) {
    return extent >= range.min[d] && extent <= range.max[d];
}

bool allows(const OptimizationProfile& profile, const Shapes& shapes) {
    return std::all_of(profile.inputs.begin(), profile.inputs.end(), [&](const auto& input) {
        const auto& [name, range] = input;
        const Dims& dims = shapes.at(name);
        bool fits = dims.size() == range.opt.size();
        for (size_t d = 0; fits && d < dims.size(); ++d) fits = isInside(range, d, dims[d]);
        return fits;
    });
}

/// A range of one shape was a guess, or meant as the only shape: it moves. Others grow.
void widen(OptimizationProfile& profile, const Shapes& shapes) {
    for (auto& [name, range] : profile.inputs) {
        const Dims& dims = shapes.at(name);
        const bool isOneShape = range.min == range.max;
        for (size_t d = 0; d < std::min(dims.size(), range.opt.size()); ++d) {
            if (isInside(range, d, dims[d])) continue;
            range.opt[d] = dims[d];
            range.min[d] = isOneShape ? dims[d] : std::min(range.min[d], dims[d]);
            range.max[d] = isOneShape ? dims[d] : std::max(range.max[d], dims[d]);
        }
    }
}

}  // namespace

Shapes effectiveShapes(const Model& model, const Settings& settings) {
    const auto profiles = completeProfiles(*model.parsed, settings.builder.profiles, model.assumed.values);
    return profiles ? completeShapes(*model.parsed, settings.shapes, profiles->front()) : settings.shapes;
}

std::string shapesRefusal(const Model& model, const Settings& settings, const Shapes& shapes) {
    Settings asked = settings;
    asked.shapes = shapes;
    const auto refused = findRefusedRunShape(*model.parsed, effectiveShapes(model, asked));
    if (!refused || refused->accepted.empty()) return {};
    return refused->message + "; write those shapes, or others that it takes";
}

std::string shapesLabel(const Settings& before, const Settings& after) {
    const bool isWidened = before.builder.profiles != after.builder.profiles;
    return isWidened ? "shapes, and the profile to allow them" : "shapes";
}

Result<Settings> withShapes(const Model& model, Settings settings, const Shapes& shapes) {
    STROBE_RETURN_IF_ERROR(bindSymbols(*model.parsed, shapes).status());
    STROBE_ASSIGN(auto profiles, completeProfiles(*model.parsed, settings.builder.profiles, model.assumed.values));
    settings.shapes = shapes;
    const Shapes whole = completeShapes(*model.parsed, shapes, profiles.front());
    STROBE_ASSIGN(const SymbolValues symbols, bindSymbols(*model.parsed, whole));
    STROBE_RETURN_IF_ERROR(tryShapes(*model.parsed, symbols).status);
    if (std::any_of(profiles.begin(), profiles.end(), [&](const auto& profile) { return allows(profile, whole); }))
        return settings;
    widen(profiles.front(), whole);
    settings.builder.profiles = std::move(profiles);
    return settings;
}

}  // namespace strobe
