#include "app/cli/input_data.h"

#include <algorithm>
#include <cstdio>

#include "app/cli/shape_flags.h"
#include "sessions/npz.h"
#include "sessions/samples.h"

namespace strobe::cli {
namespace {

bool endsWith(const std::string& text, const std::string& ending) {
    return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

/// "name:file.npy,other:file2.npy"
Result<NamedTensors> readNamedFiles(const std::string& text) {
    NamedTensors tensors;
    size_t begin = 0;
    while (begin < text.size()) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.find(':');
        if (colon == std::string::npos)
            return invalidArgument("--loadInputs: '" + part + "' is no input; write name:file.npy or give one .npz");
        if (endsWith(part, ".npz"))
            return invalidArgument(
                "--loadInputs: '" + part +
                "' names an .npz, which holds names of its own; write --loadInputs=" + part.substr(colon + 1));
        STROBE_ASSIGN(tensors[part.substr(0, colon)], readNpy(part.substr(colon + 1)));
    }
    return tensors;
}

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

}  // namespace

bool isArchive(const Options& o) {
    return endsWith(o.loadInputs, ".npz") && o.loadInputs.find(':') == std::string::npos;
}

/// The data of --loadInputs as it lies in its files; empty without.
Result<NamedTensors> readInputs(const Options& o) {
    if (o.loadInputs.empty()) return NamedTensors();
    if (!isArchive(o)) return readNamedFiles(o.loadInputs);
    STROBE_ASSIGN(auto arrays, readNpz(o.loadInputs));
    return NamedTensors(arrays.begin(), arrays.end());
}

Status checkInputNames(const Options& o, const NamedTensors& given, const Network& network) {
    int found = 0;
    std::string names, inputs;
    for (const TensorId id : network.inputs()) inputs += (inputs.empty() ? "" : ", ") + network.tensor(id).name;
    for (const auto& [name, array] : given) {
        names += (names.empty() ? "" : ", ") + name;
        const TensorId id = network.findTensor(name);
        const bool isInput = id != kNone && network.tensor(id).isInput;
        if (!isInput && !isArchive(o))
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

Status checkInputShapes(const Options& o, const NamedTensors& given, const OptimizationProfile& profile) {
    for (const auto& [name, array] : given) {
        const auto range = profile.inputs.find(name);
        if (range == profile.inputs.end()) continue;
        const Dims &dims = array->dims, &min = range->second.min, &max = range->second.max;
        for (size_t d = 0; d < std::min(dims.size(), min.size()); ++d) {
            if (dims[d] >= min[d] && (dims[d] <= max[d] || (d == 0 && isArchive(o)))) continue;
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

Status checkInputsOfEngine(const Options& o, const Engine& engine) {
    STROBE_ASSIGN(const NamedTensors given, readInputs(o));
    const Network& network = engine.graph().network;
    const auto& profiles = engine.parts().profiles;
    // Extents that an engine fixes the model may leave open: then another engine is the remedy, if it is no slip.
    for (const auto& [name, array] : given) {
        const TensorId id = network.findTensor(name);
        const bool isSlip = id != kNone && !usualSlip(array->dims, network.tensor(id).shape).empty();
        if (!isSlip && profiles.size() == 1) STROBE_RETURN_IF_ERROR(checkInputShapes(o, given, profiles.front()));
    }
    return checkInputNames(o, given, network);
}

Result<NamedTensors> obtainInputs(const Options& o, const Engine& engine) {
    STROBE_ASSIGN(auto shapes, parseShapes(o.shapes, "--shapes"));
    if (const auto unnamed = shapes.find(""); unnamed != shapes.end() && engine.inputs().size() == 1) {
        const Dims dims = unnamed->second;
        shapes.erase(unnamed);
        shapes[engine.inputs()[0].name] = dims;
    }
    if (!shapes.empty()) STROBE_RETURN_IF_ERROR(checkRunShapes(engine, shapes));
    std::vector<std::string> notes;
    NamedTensors inputs;
    if (isArchive(o)) {
        STROBE_ASSIGN(Samples samples, loadSamples(engine, o.loadInputs, shapes, o.seed, 1));
        notes = std::move(samples.notes);
        inputs = std::move(samples.runs.front());
    } else {
        STROBE_ASSIGN(inputs, readNamedFiles(o.loadInputs));
        for (const BindingInfo& binding : engine.inputs())
            if (const auto given = inputs.find(binding.name); given != inputs.end()) {
                STROBE_ASSIGN(given->second, convertForInput(given->second, binding, notes));
            }
        STROBE_ASSIGN(inputs, completeInputs(engine, shapes, inputs, o.seed));
    }
    for (const std::string& note : notes) std::printf("Note: %s\n", note.c_str());
    return inputs;
}

}  // namespace strobe::cli
