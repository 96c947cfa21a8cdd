#include "engine_core/builder/builder.h"
#include "engine_core/builder/shape_trials.h"

namespace strobe {
namespace {

/// Every dim of an input that has no shape of its own: bound by another input, or assumed.
Result<Dims> dimsFrom(const Tensor& tensor, const SymbolValues& bound, const SymbolValues& assumed) {
    Dims dims;
    for (const Dim& dim : tensor.shape) {
        auto value = dim.evaluate(bound);
        if (!value) value = dim.evaluate(assumed);
        if (!value)
            return invalidArgument("input '" + tensor.name + "' " + toString(tensor.shape) +
                                   " has no shape in the profile and none can be assumed; give one");
        dims.push_back(*value);
    }
    return dims;
}

struct Corner {
    const char* name;
    Dims ShapeRange::*dims;
};
constexpr Corner kCorners[] = {{"min", &ShapeRange::min}, {"opt", &ShapeRange::opt}, {"max", &ShapeRange::max}};

/// `corner` is "min " …, or empty where all three are the same.
Status checkExtent(const Tensor& tensor, size_t d, const std::string& corner, const Dims& dims) {
    const std::string subject = "input '" + tensor.name + "', dim " + std::to_string(d) + ": the " + corner +
                                "extent is " + std::to_string(dims[d]);
    const Dim& dim = tensor.shape[d];
    if (dims[d] < 0) return invalidArgument(subject + "; 1 or more is needed");
    if (!dim.isConstant() || dim.constant() == dims[d]) return Status::ok();
    Dims right = dims;
    for (size_t i = 0; i < right.size(); ++i)
        if (tensor.shape[i].isConstant()) right[i] = tensor.shape[i].constant();
    return invalidArgument(subject + ", the model fixes it to " + dim.toString() + "; give " +
                           shapesText({{tensor.name, right}}));
}

Status checkRange(const Tensor& tensor, const ShapeRange& range) {
    if (!tensor.rankKnown) return Status::ok();
    const std::string subject = "input '" + tensor.name + "'";
    const bool isFixed = range.min == range.opt && range.opt == range.max;
    const auto nameOf = [&](const Corner& corner) { return isFixed ? "" : std::string(corner.name) + " "; };
    for (const Corner& corner : kCorners)
        if (const Dims& dims = range.*corner.dims; dims.size() != tensor.shape.size())
            return invalidArgument(subject + ": the " + nameOf(corner) + "shape " + toString(dims) + " has rank " +
                                   std::to_string(dims.size()) + ", the model's is " + toString(tensor.shape) +
                                   " of rank " + std::to_string(tensor.shape.size()));
    for (size_t d = 0; d < range.min.size(); ++d) {
        for (const Corner& corner : kCorners)
            STROBE_RETURN_IF_ERROR(checkExtent(tensor, d, nameOf(corner), range.*corner.dims));
        if (range.min[d] > range.opt[d] || range.opt[d] > range.max[d])
            return invalidArgument(subject + ": dim " + std::to_string(d) + " has min " + std::to_string(range.min[d]) +
                                   ", opt " + std::to_string(range.opt[d]) + ", max " + std::to_string(range.max[d]) +
                                   "; min ≤ opt ≤ max is needed");
    }
    return Status::ok();
}

}  // namespace

Result<SymbolValues> symbolsAt(const Network& network, const OptimizationProfile& profile, Dims ShapeRange::*corner) {
    std::map<std::string, Dims> shapes;
    for (const auto& [name, range] : profile.inputs) shapes[name] = range.*corner;
    return bindSymbols(network, shapes);
}

Result<SymbolValues> bindSymbols(const Network& network, const std::map<std::string, Dims>& shapes) {
    SymbolValues symbols;
    std::map<std::string, std::string> boundBy;
    for (TensorId id : network.inputs()) {
        const Tensor& tensor = network.tensor(id);
        const auto found = shapes.find(tensor.name);
        if (found == shapes.end() || !tensor.rankKnown) continue;
        const Dims& dims = found->second;
        if (dims.size() != tensor.shape.size())
            return invalidArgument("input '" + tensor.name + "' has shape " + toString(dims) + ", the model's is " +
                                   toString(tensor.shape));
        for (size_t d = 0; d < dims.size(); ++d) {
            const std::string where = "dim " + std::to_string(d) + " of input '" + tensor.name + "'";
            if (dims[d] < 0) return invalidArgument(where + " is " + std::to_string(dims[d]) + ", 0 or more is needed");
            if (const auto symbol = tensor.shape[d].symbolName()) {
                const auto [place, fresh] = symbols.try_emplace(*symbol, dims[d]);
                if (!fresh && place->second != dims[d])
                    return invalidArgument(where + " is " + std::to_string(dims[d]) + ", but " + boundBy[*symbol] +
                                           " gives the same extent '" + *symbol + "' as " +
                                           std::to_string(place->second));
                boundBy.try_emplace(*symbol, where);
            } else if (tensor.shape[d].isConstant() && tensor.shape[d].constant() != dims[d]) {
                return invalidArgument(where + " is " + std::to_string(dims[d]) + ", the model fixes it to " +
                                       tensor.shape[d].toString());
            }
        }
    }
    return symbols;
}

Result<std::vector<OptimizationProfile>> completeProfiles(const Network& network,
                                                          const std::vector<OptimizationProfile>& asked,
                                                          const SymbolValues& assumed) {
    std::vector<OptimizationProfile> profiles = asked;
    if (profiles.empty()) profiles.emplace_back();
    for (OptimizationProfile& profile : profiles) {
        for (const auto& [name, range] : profile.inputs) {
            const TensorId id = network.findTensor(name);
            if (id == kNone || !network.tensor(id).isInput) {
                std::string names;
                for (TensorId input : network.inputs())
                    names += (names.empty() ? "" : ", ") + network.tensor(input).name;
                return invalidArgument("profile names input '" + name +
                                       "', which the model does not have; its inputs are: " + names);
            }
            STROBE_RETURN_IF_ERROR(checkRange(network.tensor(id), range));
        }
        const OptimizationProfile given = profile;
        for (const Corner& corner : kCorners) {
            STROBE_ASSIGN(const SymbolValues bound, symbolsAt(network, given, corner.dims));
            for (TensorId id : network.inputs()) {
                const Tensor& tensor = network.tensor(id);
                if (given.inputs.count(tensor.name)) continue;
                STROBE_ASSIGN(profile.inputs[tensor.name].*corner.dims, dimsFrom(tensor, bound, assumed));
            }
        }
    }
    return profiles;
}

}  // namespace strobe
