#include <algorithm>

#include "engine_core/builder/builder.h"

namespace strobe {
namespace {

/// Extent taken for a dim that neither model nor user fixes: batch 1, image sides 224, sequences 128.
int64_t guessedExtent(const Shape& shape, size_t d) {
    if (d == 0) return 1;
    if (shape.size() == 4 && d >= 2) return 224;
    return 128;
}

Dims dimsOr(const Shape& shape, const SymbolValues& known, bool smallest) {
    Dims dims;
    for (size_t d = 0; d < shape.size(); ++d) {
        const auto value = shape[d].evaluate(known);
        dims.push_back(value ? *value : smallest ? 1 : guessedExtent(shape, d));
    }
    return dims;
}

Status checkRange(const Tensor& tensor, const ShapeRange& range) {
    const std::string subject = "input '" + tensor.name + "': ";
    if (!tensor.rankKnown) return Status::ok();
    for (const Dims* dims : {&range.min, &range.opt, &range.max})
        if (dims->size() != tensor.shape.size())
            return invalidArgument(subject + "shape " + toString(*dims) + " has rank " + std::to_string(dims->size()) + ", the model's is " + toString(tensor.shape));
    for (size_t d = 0; d < range.min.size(); ++d) {
        if (range.min[d] < 0 || range.min[d] > range.opt[d] || range.opt[d] > range.max[d])
            return invalidArgument(subject + "dim " + std::to_string(d) + " has min " + std::to_string(range.min[d]) + ", opt " + std::to_string(range.opt[d]) + ", max " +
                                   std::to_string(range.max[d]) + "; min ≤ opt ≤ max is needed");
        if (!tensor.shape[d].isConstant()) continue;
        for (const Dims* dims : {&range.min, &range.opt, &range.max})
            if ((*dims)[d] != tensor.shape[d].constant())
                return invalidArgument(subject + "dim " + std::to_string(d) + " is " + std::to_string((*dims)[d]) + ", the model fixes it to " +
                                       tensor.shape[d].toString());
    }
    return Status::ok();
}

/// Symbols that one corner (min, opt or max) of a profile binds.
Result<SymbolValues> cornerSymbols(const Network& network, const OptimizationProfile& profile, Dims ShapeRange::* corner) {
    std::map<std::string, Dims> shapes;
    for (const auto& [name, range] : profile.inputs) shapes[name] = range.*corner;
    return bindSymbols(network, shapes);
}

}  // namespace

Result<SymbolValues> bindSymbols(const Network& network, const std::map<std::string, Dims>& shapes) {
    SymbolValues symbols;
    std::map<std::string, std::string> boundBy;
    for (TensorId id : network.inputs()) {
        const Tensor& tensor = network.tensor(id);
        const auto found = shapes.find(tensor.name);
        if (found == shapes.end() || !tensor.rankKnown) continue;
        const Dims& dims = found->second;
        if (dims.size() != tensor.shape.size())
            return invalidArgument("input '" + tensor.name + "' has shape " + toString(dims) + ", the model's is " + toString(tensor.shape));
        for (size_t d = 0; d < dims.size(); ++d) {
            const std::string where = "dim " + std::to_string(d) + " of input '" + tensor.name + "'";
            if (dims[d] < 0) return invalidArgument(where + " is " + std::to_string(dims[d]) + ", 0 or more is needed");
            if (const auto symbol = tensor.shape[d].symbolName()) {
                const auto [place, fresh] = symbols.try_emplace(*symbol, dims[d]);
                if (!fresh && place->second != dims[d])
                    return invalidArgument(where + " is " + std::to_string(dims[d]) + ", but " + boundBy[*symbol] + " gives the same extent '" + *symbol + "' as " +
                                           std::to_string(place->second));
                boundBy.try_emplace(*symbol, where);
            } else if (tensor.shape[d].isConstant() && tensor.shape[d].constant() != dims[d]) {
                return invalidArgument(where + " is " + std::to_string(dims[d]) + ", the model fixes it to " + tensor.shape[d].toString());
            }
        }
    }
    return symbols;
}

Result<std::vector<OptimizationProfile>> completeProfiles(const Network& network, const std::vector<OptimizationProfile>& asked) {
    std::vector<OptimizationProfile> profiles = asked;
    if (profiles.empty()) profiles.emplace_back();
    for (OptimizationProfile& profile : profiles) {
        for (const auto& [name, range] : profile.inputs) {
            const TensorId id = network.findTensor(name);
            if (id == kNone || !network.tensor(id).isInput) {
                std::string names;
                for (TensorId input : network.inputs()) names += (names.empty() ? "" : ", ") + network.tensor(input).name;
                return invalidArgument("profile names input '" + name + "', which the model does not have; its inputs are: " + names);
            }
            STROBE_RETURN_IF_ERROR(checkRange(network.tensor(id), range));
        }
        STROBE_ASSIGN(const SymbolValues min, cornerSymbols(network, profile, &ShapeRange::min));
        STROBE_ASSIGN(const SymbolValues opt, cornerSymbols(network, profile, &ShapeRange::opt));
        STROBE_ASSIGN(const SymbolValues max, cornerSymbols(network, profile, &ShapeRange::max));
        const bool given = !profile.inputs.empty();
        for (TensorId id : network.inputs()) {
            const Tensor& tensor = network.tensor(id);
            if (profile.inputs.count(tensor.name)) continue;
            ShapeRange& range = profile.inputs[tensor.name];
            range.opt = dimsOr(tensor.shape, opt, false);
            range.min = given ? dimsOr(tensor.shape, min, true) : range.opt;
            range.max = given ? dimsOr(tensor.shape, max, false) : range.opt;
            for (size_t d = 0; d < range.opt.size(); ++d) range.min[d] = std::min(range.min[d], range.opt[d]);
        }
        STROBE_RETURN_IF_ERROR(cornerSymbols(network, profile, &ShapeRange::opt).status());
    }
    return profiles;
}

}  // namespace strobe
