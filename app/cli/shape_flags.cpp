#include "app/cli/shape_flags.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "engine_core/base/nearest_name.h"

namespace strobe::cli {
namespace {

using Shapes = std::map<std::string, Dims>;

bool isDigits(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Status notAShape(const std::string& flag, const std::string& part, const std::string& text) {
    const std::string subject = flag + ": '" + part + "' is not a shape";
    if (isDigits(part) || part.find('[') != std::string::npos || part.find(']') != std::string::npos ||
        text.find('[') != std::string::npos)
        return invalidArgument(subject + "; extents are joined by x: write name:1x3x224x224");
    return invalidArgument(subject + "; write name:1x3x224x224, extents of 1 or more");
}

Result<Dims> parseExtents(const std::string& extents, const std::string& flag, const std::string& part,
                          const std::string& text) {
    Dims dims;
    const char* at = extents.data();
    const char* last = at + extents.size();
    while (at < last) {
        int64_t extent = 0;
        const auto [next, error] = std::from_chars(at, last, extent);
        if (error != std::errc() || extent < 0 || (next < last && *next != 'x') || next + 1 == last)
            return notAShape(flag, part, text);
        dims.push_back(extent);
        at = next < last ? next + 1 : next;
    }
    return dims;
}

Result<Shapes> shapesOf(const Network& network, const std::string& text, const std::string& flag) {
    STROBE_ASSIGN(Shapes shapes, parseShapes(text, flag));
    std::vector<std::string> names;
    std::string list;
    for (const TensorId id : network.inputs()) {
        names.push_back(network.tensor(id).name);
        list += (list.empty() ? "" : ", ") + names.back();
    }
    if (const auto unnamed = shapes.find(""); unnamed != shapes.end()) {
        if (names.size() != 1)
            return invalidArgument(flag + ": the model has " + std::to_string(names.size()) + " inputs (" + list +
                                   "); give each its shape, as in " + flag + "=" +
                                   shapesText({{names.front(), unnamed->second}}) + ",…");
        shapes[names.front()] = unnamed->second;
        shapes.erase("");
    }
    for (const auto& entry : shapes) {
        if (std::find(names.begin(), names.end(), entry.first) != names.end()) continue;
        const std::string nearest = nearestName(entry.first, {names.begin(), names.end()}, 4);
        return invalidArgument(flag + ": the model has no input '" + entry.first + "'" +
                               (nearest.empty() ? "" : "; did you mean '" + nearest + "'?") +
                               "; its inputs are: " + list);
    }
    return shapes;
}

/// What the flags say, by input; inputs that a flag leaves out are missing there.
struct ShapeFlags {
    Shapes min, opt, max, run;
    bool givesProfile() const { return !min.empty() || !opt.empty() || !max.empty(); }
};

Result<ShapeFlags> readFlags(const Options& o, const Network& network) {
    ShapeFlags flags;
    STROBE_ASSIGN(flags.min, shapesOf(network, o.minShapes, "--minShapes"));
    STROBE_ASSIGN(flags.opt, shapesOf(network, o.optShapes, "--optShapes"));
    STROBE_ASSIGN(flags.max, shapesOf(network, o.maxShapes, "--maxShapes"));
    STROBE_ASSIGN(flags.run, shapesOf(network, o.shapes, "--shapes"));
    return flags;
}

/// One corner of one input: as its flag says, or by extents that it shares with inputs of which the flag says
/// something.
std::optional<Dims> cornerOf(const Network& network, const std::string& name, const Shapes& corner) {
    if (const auto given = corner.find(name); given != corner.end()) return given->second;
    const auto symbols = corner.empty() ? Result<SymbolValues>(SymbolValues()) : bindSymbols(network, corner);
    const Tensor& tensor = network.tensor(network.findTensor(name));
    return symbols && tensor.rankKnown ? evaluate(tensor.shape, *symbols) : std::nullopt;
}

/// The range of three corners of which one at least is given; `filled` says what was taken from where ("min and max as
/// --optShapes").
ShapeRange completeRange(std::optional<Dims> min, std::optional<Dims> opt, std::optional<Dims> max,
                         std::string& filled) {
    const char* source = opt ? "opt" : max ? "max" : "min";
    for (const auto& [corner, dims] :
         {std::make_pair("min", &min), std::make_pair("opt", &opt), std::make_pair("max", &max)})
        if (!*dims) filled += (filled.empty() ? "" : " and ") + std::string(corner);
    if (!filled.empty()) filled += " as --" + std::string(source) + "Shapes";
    if (!opt) opt = max ? max : min;
    return {min.value_or(*opt), *opt, max.value_or(*opt)};
}

/// The profile that the flags give, telling what was filled in.
OptimizationProfile profileFrom(const ShapeFlags& flags, const Network& network) {
    OptimizationProfile profile;
    if (!flags.givesProfile()) {
        for (const auto& [name, dims] : flags.run) profile.inputs[name] = {dims, dims, dims};
        return profile;
    }
    Shapes named = flags.min;
    named.insert(flags.opt.begin(), flags.opt.end());
    named.insert(flags.max.begin(), flags.max.end());
    for (const auto& entry : named) {
        const std::string& name = entry.first;
        std::string filled;
        const ShapeRange& range = profile.inputs[name] =
            completeRange(cornerOf(network, name, flags.min), cornerOf(network, name, flags.opt),
                          cornerOf(network, name, flags.max), filled);
        if (filled.empty()) continue;
        std::printf("Shapes of %s: min %s, opt %s, max %s (%s, as trtexec fills in what is not given)\n", name.c_str(),
                    toString(range.min).c_str(), toString(range.opt).c_str(), toString(range.max).c_str(),
                    filled.c_str());
    }
    return profile;
}

/// Shapes of the data where dims are open; an .npz is cut along its batch, so that stays as assumed.
OptimizationProfile profileFrom(const NamedTensors& given, const Model& model, bool isCut) {
    OptimizationProfile profile;
    for (const auto& [name, tensor] : given) {
        const TensorId id = model.parsed->findTensor(name);
        if (id == kNone || !model.parsed->tensor(id).isInput) continue;
        const Shape& shape = model.parsed->tensor(id).shape;
        if (!model.parsed->tensor(id).rankKnown || shape.size() != tensor->dims.size() || isConstant(shape)) continue;
        Dims dims = tensor->dims;
        if (const auto batch = isCut && !dims.empty() ? shape[0].evaluate(model.assumed.values) : std::nullopt)
            dims[0] = std::min(dims[0], *batch);
        profile.inputs[name] = {dims, dims, dims};
    }
    return profile;
}

/// The flag that a refused corner came from.
std::string flagOf(const std::string& corner, const ShapeFlags& flags) {
    if (!corner.empty() && corner != "run") return "--" + corner + "Shapes";
    return corner == "run" || !flags.givesProfile() ? "--shapes" : "--optShapes";
}

Status refuse(const RefusedShape& refused, const ShapeFlags& flags) {
    std::string remedy;
    if (!refused.accepted.empty())
        remedy = "; write " + flagOf(refused.corner, flags) + "=" + shapesText(refused.accepted);
    else
        remedy = "; give shapes that it takes with --shapes";
    return invalidArgument(refused.message + remedy);
}

Status checkRunShapes(const Model& model, const OptimizationProfile& profile, const ShapeFlags& flags) {
    Shapes run;
    bool isOpt = true;
    for (const auto& [name, range] : profile.inputs) {
        const auto given = flags.run.find(name);
        const Dims& dims = run[name] = given == flags.run.end() ? range.opt : given->second;
        isOpt = isOpt && dims == range.opt;
        if (dims.size() != range.opt.size())
            return invalidArgument("--shapes: input '" + name + "' has rank " + std::to_string(dims.size()) +
                                   ", the model's is " + std::to_string(range.opt.size()));
        for (size_t d = 0; d < dims.size(); ++d)
            if (dims[d] < range.min[d] || dims[d] > range.max[d])
                return invalidArgument("--shapes: input '" + name + "', dim " + std::to_string(d) + " is " +
                                       std::to_string(dims[d]) + ", the profile allows " +
                                       std::to_string(range.min[d]) + " to " + std::to_string(range.max[d]) +
                                       "; widen --minShapes or --maxShapes");
    }
    if (isOpt) return Status::ok();
    if (const auto refused = findRefusedRunShape(*model.parsed, run)) return refuse(*refused, flags);
    STROBE_ASSIGN(const SymbolValues symbols, bindSymbols(*model.parsed, run));
    return checkFits(*model.parsed, symbols, cpuDeviceInfo().memoryBytes).withContext("--shapes");
}

bool isBound(const Shape& shape, const SymbolValues& symbols) {
    return std::all_of(shape.begin(), shape.end(), [&](const Dim& dim) { return dim.evaluate(symbols).has_value(); });
}

/// What neither flags nor data said, nor another input that shares the extents.
Status printAssumed(const Model& model, const OptimizationProfile& asked, const OptimizationProfile& complete) {
    Shapes given, assumed;
    for (const auto& [name, range] : asked.inputs) given[name] = range.opt;
    STROBE_ASSIGN(const SymbolValues bound, bindSymbols(*model.parsed, given));
    std::string open;
    for (const TensorId id : model.parsed->inputs()) {
        const Tensor& tensor = model.parsed->tensor(id);
        if (asked.inputs.count(tensor.name) || !tensor.rankKnown || isBound(tensor.shape, bound)) continue;
        assumed[tensor.name] = complete.inputs.at(tensor.name).opt;
        open += (open.empty() ? "" : ", ") + tensor.name + toString(tensor.shape);
    }
    const std::string text = shapesText(assumed);
    if (!assumed.empty())
        std::printf("Shapes: %s assumed, as the model leaves them open (%s); give others with --shapes=%s\n",
                    text.c_str(), open.c_str(), text.c_str());
    return Status::ok();
}

}  // namespace

Result<std::map<std::string, Dims>> parseShapes(const std::string& text, const std::string& flag) {
    Shapes shapes;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.rfind(':');
        const std::string name = colon == std::string::npos ? "" : part.substr(0, colon);
        STROBE_ASSIGN(Dims dims,
                      parseExtents(colon == std::string::npos ? part : part.substr(colon + 1), flag, part, text));
        if (name.empty() && !shapes.empty()) return notAShape(flag, part, text);
        if (!shapes.emplace(name, std::move(dims)).second)
            return invalidArgument(flag + ": '" + name + "' is given twice");
    }
    return shapes;
}

Status takeShapes(const Options& o, const Model& model, const NamedTensors& given, Settings& settings) {
    STROBE_ASSIGN(const ShapeFlags flags, readFlags(o, *model.parsed));
    settings.shapes = flags.run;
    const bool isFromData = !flags.givesProfile() && flags.run.empty() && !given.empty();
    const OptimizationProfile asked =
        isFromData ? profileFrom(given, model, !settings.inputFile.empty()) : profileFrom(flags, *model.parsed);
    if (!asked.inputs.empty()) settings.builder.profiles = {asked};
    STROBE_ASSIGN(const auto complete,
                  completeProfiles(*model.parsed, settings.builder.profiles, model.assumed.values));
    if (isFromData && !asked.inputs.empty()) {
        Shapes shapes;
        for (const auto& [name, range] : asked.inputs) shapes[name] = range.opt;
        std::printf("Shapes: %s, as the data of --loadInputs\n", shapesText(shapes).c_str());
    }
    STROBE_RETURN_IF_ERROR(printAssumed(model, asked, complete.front()));
    if (const auto refused = findRefusedShape(*model.parsed, complete))
        return isFromData && !asked.inputs.empty() ? invalidArgument("--loadInputs: " + refused->message)
                                                   : refuse(*refused, flags);
    return checkRunShapes(model, complete.front(), flags);
}

}  // namespace strobe::cli
