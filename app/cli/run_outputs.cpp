#include "app/cli/run_outputs.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/cli/output_files.h"
#include "profiler/json_text.h"
#include "sessions/npz.h"

namespace strobe::cli {
namespace {

Result<NamedTensors> runIn(ExecutionContext& context, const Engine& engine, const NamedTensors& inputs) {
    STROBE_RETURN_IF_ERROR(setInputs(context, inputs));
    STROBE_RETURN_IF_ERROR(context.run());
    NamedTensors outputs;
    const auto bindings = engine.outputs();
    for (size_t o = 0; o < bindings.size(); ++o) {
        STROBE_ASSIGN(const Dims dims, context.outputDims(static_cast<int>(o)));
        STROBE_ASSIGN(const auto memory, tryAllocateWeights(bindings[o].type, dims));
        const auto& [weights, data] = memory;
        if (weights->bytes > 0) std::memcpy(data, context.outputData(static_cast<int>(o)), weights->bytes);
        outputs[bindings[o].name] = weights;
    }
    return outputs;
}

/// Copies one behind the other into an array of these dims.
Result<WeightsPtr> concatenated(const std::vector<WeightsPtr>& parts, const Dims& dims) {
    STROBE_ASSIGN(const auto memory, tryAllocateWeights(parts.front()->type, dims));
    const auto& [whole, data] = memory;
    auto* at = static_cast<uint8_t*>(data);
    for (const WeightsPtr& part : parts) {
        if (part->bytes > 0) std::memcpy(at, part->data.get(), part->bytes);
        at += part->bytes;
    }
    return whole;
}

/// `parts` are those of the runs, which take `rows` of the data each.
Result<WholeOutput> joined(const std::string& name, const std::vector<WeightsPtr>& parts, int64_t rows) {
    const auto runs = static_cast<int64_t>(parts.size());
    if (runs == 1) return WholeOutput{parts.front(), ""};
    Dims dims = parts.front()->dims;
    const std::string subject = "output '" + name + "' is " + toString(dims);
    for (size_t run = 1; run < parts.size(); ++run)
        if (parts[run]->dims != dims)
            return WholeOutput{nullptr, subject + " in run 1 and " + toString(parts[run]->dims) + " in run " +
                                            std::to_string(run + 1) +
                                            ", which do not fit into one array; run and export one sample at a time"};
    std::string note;
    if (!dims.empty() && dims[0] == rows) {
        dims[0] *= runs;
    } else {
        dims.insert(dims.begin(), runs);
        note = subject + " a run and does not begin with the batch of " + std::to_string(rows) + ": the " +
               std::to_string(runs) + " runs are stacked along a new first dim, " + toString(dims);
    }
    STROBE_ASSIGN(WeightsPtr whole, concatenated(parts, dims));
    return WholeOutput{std::move(whole), std::move(note)};
}

std::string preview(const Weights& tensor) {
    std::string text = std::string(dataTypeName(tensor.type)) + toString(tensor.dims) + " ";
    const std::vector<double> values = toDoubles(tensor);
    for (size_t i = 0; i < std::min<size_t>(values.size(), 10); ++i) {
        char number[32];
        std::snprintf(number, sizeof number, "%s%.6g", i ? " " : "", values[i]);
        text += number;
    }
    return text + (values.size() > 10 ? " …" : "");
}

/// .npz, or JSON as trtexec writes it.
Status writeOutputs(const std::string& path, const NamedTensors& outputs) {
    if (path.ends_with(".npz")) {
        STROBE_RETURN_IF_ERROR(writeNpz(path, outputs));
        printWrote(path);
        return Status::ok();
    }
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [name, tensor] : outputs) {
        std::string dims;
        for (size_t d = 0; d < tensor->dims.size(); ++d) dims += (d ? "x" : "") + std::to_string(tensor->dims[d]);
        list.push_back({{"name", name},
                        {"dimensions", dims},
                        {"type", std::string(dataTypeName(tensor->type))},
                        {"values", toDoubles(*tensor)}});
    }
    return writeText(path, jsonText(list) + "\n");
}

}  // namespace

Result<NamedTensors> runOnce(const Engine& engine, const NamedTensors& inputs, int threads) {
    STROBE_ASSIGN(const std::unique_ptr<ExecutionContext> context, engine.createContext(threads));
    return runIn(*context, engine, inputs);
}

Result<WholeOutputs> runAll(const Engine& engine, const Samples& samples, int threads) {
    STROBE_ASSIGN(const std::unique_ptr<ExecutionContext> context, engine.createContext(threads));
    std::map<std::string, std::vector<WeightsPtr>> parts;
    for (const NamedTensors& inputs : samples.runs) {
        STROBE_ASSIGN(const NamedTensors outputs, runIn(*context, engine, inputs));
        for (const auto& [name, tensor] : outputs) parts[name].push_back(tensor);
    }
    WholeOutputs all;
    for (const auto& [name, tensors] : parts) {
        STROBE_ASSIGN(all[name], joined(name, tensors, samples.rowsPerRun));
    }
    return all;
}

Status reportOutputs(const Options& o, const WholeOutputs& outputs, bool prints) {
    NamedTensors arrays;
    for (const auto& [name, output] : outputs) {
        if (output.array)
            arrays[name] = output.array;
        else if (!o.exportOutput.empty())
            return invalidArgument("--exportOutput=" + o.exportOutput + ": " + output.note);
        if (!output.note.empty()) std::printf("Note: %s\n", output.note.c_str());
    }
    if (prints)
        for (const auto& [name, array] : arrays) std::printf("Output %s: %s\n", name.c_str(), preview(*array).c_str());
    return o.exportOutput.empty() ? Status::ok() : writeOutputs(o.exportOutput, arrays);
}

}  // namespace strobe::cli
