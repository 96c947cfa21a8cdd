#include "app/cli/input_data.h"

#include <algorithm>
#include <cstdio>

#include "app/cli/shape_flags.h"

namespace strobe::cli {
namespace {

std::string describe(const std::string& name, const Dims& dims) {
    return "--loadInputs: array '" + name + "' is " + toString(dims);
}

/// Names and ranges of --shapes that an engine does not have.
Status checkRunShapes(const Engine& engine, const std::map<std::string, Dims>& shapes) {
    std::string names;
    for (const BindingInfo& input : engine.inputs()) names += (names.empty() ? "" : ", ") + input.name;
    for (const auto& entry : shapes) {
        const auto isIt = [&](const BindingInfo& input) { return input.name == entry.first; };
        const std::vector<BindingInfo> inputs = engine.inputs();
        if (std::none_of(inputs.begin(), inputs.end(), isIt))
            return invalidArgument("--shapes: the engine has no input '" + entry.first + "'; its inputs are: " + names);
    }
    return engine.profileFor(shapes).status().withContext("--shapes");
}

/// What of the data does not fit the profile.
Status checkInputShapes(const Options& o, const NamedTensors& given, const OptimizationProfile& profile) {
    for (const auto& [name, array] : given) {
        const auto range = profile.inputs.find(name);
        if (range == profile.inputs.end()) continue;
        const Dims &dims = array->dims, &min = range->second.min, &max = range->second.max;
        for (size_t d = 0; d < std::min(dims.size(), min.size()); ++d) {
            if (dims[d] >= min[d] && (dims[d] <= max[d] || (d == 0 && isArchive(o.loadInputs)))) continue;
            const std::string allowed =
                std::to_string(min[d]) + (min[d] == max[d] ? "" : " to " + std::to_string(max[d]));
            return invalidArgument(describe(name, dims) + ", the engine takes " + allowed + " in dim " +
                                   std::to_string(d) + "; give data that fits, or " +
                                   (o.loadEngine.empty() ? "build for it" : "build the engine again for it") +
                                   ", as with --shapes=" + shapesText({{name, dims}}));
        }
    }
    return Status::ok();
}

}  // namespace

Result<NamedTensors> readInputs(const Options& o) {
    auto arrays = readInputFiles(o.loadInputs);
    return arrays ? std::move(arrays) : arrays.status().withContext("--loadInputs");
}

Status checkInputNames(const Options& o, const NamedTensors& given, const Network& network) {
    int found = 0;
    std::string names, inputs;
    for (const TensorId id : network.inputs()) inputs += (inputs.empty() ? "" : ", ") + network.tensor(id).name;
    for (const auto& [name, array] : given) {
        names += (names.empty() ? "" : ", ") + name;
        const TensorId id = network.findTensor(name);
        const bool isInput = id != kNone && network.tensor(id).isInput;
        if (!isInput && !isArchive(o.loadInputs))
            return invalidArgument("--loadInputs: the model has no input '" + name + "'; its inputs are: " + inputs);
        if (!isInput) continue;
        ++found;
        const Tensor& tensor = network.tensor(id);
        if (tensor.rankKnown)
            STROBE_RETURN_IF_ERROR(checkLayout(name, array->dims, tensor.shape).withContext("--loadInputs"));
    }
    if (given.empty() || found > 0) return Status::ok();
    return invalidArgument(o.loadInputs + ": holds arrays " + names + ", none of which is an input of the model (" +
                           inputs + "); name them so");
}

Status checkInputShapes(const Options& o, const NamedTensors& given, const std::vector<OptimizationProfile>& profiles) {
    const auto used = static_cast<size_t>(o.useProfile);
    if (o.useProfile >= 0 && used < profiles.size())
        return checkInputShapes(o, given, profiles[used]).withContext("--useProfile=" + std::to_string(used));
    Status first;
    for (const OptimizationProfile& profile : profiles) {
        const Status fits = checkInputShapes(o, given, profile);
        if (fits.isOk()) return fits;
        if (first.isOk()) first = fits;
    }
    return profiles.size() > 1 ? first.withContext("no profile fits; the first one") : first;
}

Status checkInputsOfEngine(const Options& o, const Engine& engine) {
    STROBE_ASSIGN(const NamedTensors given, readInputs(o));
    const Network& network = engine.graph().network;
    const auto& profiles = engine.parts().profiles;
    // Extents that an engine fixes the model may leave open: then another engine is the remedy, if it is no slip.
    for (const auto& [name, array] : given) {
        const TensorId id = network.findTensor(name);
        const bool isSlip = id != kNone && !usualSlip(array->dims, network.tensor(id).shape).empty();
        if (!isSlip) STROBE_RETURN_IF_ERROR(checkInputShapes(o, given, profiles));
    }
    return checkInputNames(o, given, network);
}

Result<Samples> obtainSamples(const Options& o, const Engine& engine, int maxRuns) {
    STROBE_ASSIGN(auto shapes, parseShapes(o.shapes, "--shapes"));
    if (const auto unnamed = shapes.find(""); unnamed != shapes.end() && engine.inputs().size() == 1) {
        const Dims dims = unnamed->second;
        shapes.erase(unnamed);
        shapes[engine.inputs()[0].name] = dims;
    }
    const std::string used = "--useProfile=" + std::to_string(o.useProfile);
    if (o.useProfile >= 0) {
        STROBE_RETURN_IF_ERROR(engine.checkProfile(o.useProfile, {}).withContext(used));
        const auto& profiles = engine.parts().profiles;
        const bool isFree = shapes.empty() && (o.loadInputs.empty() || isArchive(o.loadInputs));
        if (isFree && !profiles.empty()) shapes = optShapes(profiles[static_cast<size_t>(o.useProfile)]);
    }
    if (!shapes.empty()) STROBE_RETURN_IF_ERROR(checkRunShapes(engine, shapes));
    STROBE_ASSIGN(Samples samples, loadSamples(engine, o.loadInputs, shapes, o.seed, maxRuns));
    if (o.useProfile >= 0) {
        std::map<std::string, Dims> found;
        for (const auto& [name, tensor] : samples.runs.front()) found[name] = tensor->dims;
        STROBE_RETURN_IF_ERROR(engine.checkProfile(o.useProfile, found).withContext(used));
    }
    for (const std::string& note : samples.notes) std::printf("Note: %s\n", note.c_str());
    return samples;
}

}  // namespace strobe::cli
