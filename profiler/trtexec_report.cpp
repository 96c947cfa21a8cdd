#include "profiler/trtexec_report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "profiler/json_text.h"

namespace strobe {
namespace {

using Json = nlohmann::ordered_json;

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char* pattern, ...) {
    char buffer[1024];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(buffer, sizeof buffer, pattern, arguments);
    va_end(arguments);
    return buffer;
}

std::string statisticsLine(const char* name, std::vector<double> sample, const std::vector<double>& percentiles) {
    const Statistics s = summarize(sample);
    std::sort(sample.begin(), sample.end());
    std::string line = format("%s: min = %.4g ms, max = %.4g ms, mean = %.4g ms, median = %.4g ms", name, s.min, s.max, s.mean, s.median);
    for (double p : percentiles) line += format(", percentile(%.4g%%) = %.4g ms", p, percentile(sample, p / 100));
    return line + "\n";
}

template <class F>
std::vector<double> collect(const std::vector<QueryTimes>& queries, F value) {
    std::vector<double> values;
    for (const QueryTimes& query : queries) values.push_back(value(query));
    return values;
}

Json tensorJson(const Tensor& tensor, const Format& tensorFormat) {
    Json dims = Json::array();
    for (const Dim& dim : tensor.shape) dims.push_back(dim.isConstant() ? Json(dim.constant()) : Json(dim.toString()));
    return {{"Name", tensor.name},
            {"Location", tensorFormat.memory == MemoryKind::Device ? "Device" : "Host"},
            {"Dimensions", dims},
            {"Format", std::string(layoutName(tensorFormat.layout))},
            {"Datatype", std::string(dataTypeName(tensorFormat.type))}};
}

Json layerJson(const CompiledGraph& graph, const EngineLayer& chosen) {
    const Network& network = graph.network;
    const Layer& layer = network.layer(chosen.layer);
    Json inputs = Json::array(), outputs = Json::array();
    for (size_t i = 0; i < layer.inputs.size(); ++i)
        if (layer.inputs[i] != kNone && !network.tensor(layer.inputs[i]).isConstant()) inputs.push_back(tensorJson(network.tensor(layer.inputs[i]), chosen.inputs[i]));
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        if (layer.outputs[o] != kNone) outputs.push_back(tensorJson(network.tensor(layer.outputs[o]), chosen.outputs[o]));
    std::string metadata;
    for (int node : layer.provenance)
        if (node >= 0 && node < static_cast<int>(network.sourceNodes().size())) metadata += "[ONNX Layer: " + network.sourceNodes()[static_cast<size_t>(node)].name + "]";
    Json json = {{"Name", layer.name},   {"LayerType", layer.op->name}, {"Inputs", inputs},        {"Outputs", outputs}, {"ParameterType", layer.op->name},
                 {"TacticName", chosen.tactic}, {"StreamId", 0},        {"Metadata", metadata}};
    if (const std::string attributes = layer.attributes.toString(); !attributes.empty()) json["Attributes"] = attributes;
    if (layer.program) json["Program"] = layer.program->toString();
    if (!chosen.precisionNote.empty()) json["PrecisionNote"] = chosen.precisionNote;
    if (chosen.roundOutputs != DataType::Undefined) json["Preview"] = std::string(dataTypeName(chosen.roundOutputs));
    Json candidates = Json::array();
    for (const CandidateRecord& c : chosen.candidates) {
        Json candidate = {{"Tactic", c.tactic}, {"Formats", c.formats}, {"Chosen", c.chosen}};
        if (c.milliseconds >= 0) candidate["TimeMs"] = c.milliseconds;
        if (!c.declined.empty()) candidate["Declined"] = c.declined;
        candidates.push_back(std::move(candidate));
    }
    json["Candidates"] = std::move(candidates);
    for (const auto& body : chosen.bodies) {
        Json layers = Json::array();
        for (const EngineLayer& inner : body->layers) layers.push_back(layerJson(*body, inner));
        json["Bodies"].push_back(std::move(layers));
    }
    return json;
}

/// Why the layers' times do not add up to the time of a run without per-layer clocks; empty when they about do.
std::string sumNote(const Profile& profile) {
    constexpr double kFar = 0.25;
    if (profile.latency.median <= 0 || std::fabs(profile.layersSum / profile.latency.median - 1) < kFar) return {};
    const std::string figures =
        format("The layers sum to %.4g ms, a run without per-layer clocks takes %.4g ms: ", profile.layersSum,
               profile.latency.median);
    if (profile.layersSum < profile.latency.median)
        return figures + "the rest is spent between the layers, or other work held up that run\n";
    return figures + format(
                         "the layers were measured on their own, with %zu clocks a run that cost time as well, or "
                         "other work held them up; "
                         "take their shares, not their sum\n",
                         profile.layers.size());
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + "\"";
}

/// trtexec's condition; empty where it does not hold.
std::string transferWarning(const char* what, const Statistics& copies, const Statistics& compute) {
    if (copies.count == 0 || copies.median < compute.median) return {};
    return format(
        "Warning: copying the %s takes %.4g ms, as long as computing (%.4g ms) or longer: the copies bound the "
        "throughput; --noDataTransfers leaves them out of the latency\n",
        what, copies.median, compute.median);
}

}  // namespace

std::string variationWarning(const std::string& what, const Statistics& time) {
    constexpr double kSteady = 0.025;
    if (time.variation() <= kSteady) return {};
    const std::string text = "the " + what +
                             format(" is unsteady, its coefficient of variation is %.3g %% (2.5 %% and less is steady)",
                                    100 * time.variation());
    if (time.spread() <= kSteady)
        return text + format(": single runs were held up; go by the median, which is steady (spread %.2g %%)",
                             100 * time.spread());
    return text + format(
                      " and the median is unsteady too (spread %.3g %%): end other work, keep the clocks fixed, or measure longer "
                      "(--duration)",
                      100 * time.spread());
}

std::string performanceSummary(const std::vector<QueryTimes>& queries, double wallSeconds,
                               const std::vector<double>& percentiles, Transfers transfers) {
    const bool onDevice = transfers != Transfers::None;
    const char* computeName = onDevice ? "GPU Compute Time" : "Compute Time";
    const auto latency = collect(queries, [](const QueryTimes& q) { return q.latency(); });
    const auto enqueue = collect(queries, [](const QueryTimes& q) { return q.endEnqueue - q.startEnqueue; });
    const auto compute = collect(queries, [](const QueryTimes& q) { return q.endCompute - q.startCompute; });
    const auto toDevice = collect(queries, [](const QueryTimes& q) { return q.endH2d - q.startH2d; });
    const auto toHost = collect(queries, [](const QueryTimes& q) { return q.endD2h - q.startD2h; });
    std::string text = "=== Performance summary ===\n";
    text += format("Throughput: %.6g qps\n", wallSeconds > 0 ? static_cast<double>(queries.size()) / wallSeconds : 0);
    // Scripts look for each of trtexec's lines.
    if (!onDevice)
        text +=
            "One measurement, as a run on the CPU is one call without copies: Latency, Enqueue Time, Compute Time\n";
    text += statisticsLine("Latency", latency, percentiles);
    // On a device a run ends when its outputs are on the host: starting it is not told apart from waiting for it.
    if (!onDevice) text += statisticsLine("Enqueue Time", enqueue, percentiles);
    if (transfers == Transfers::Counted) text += statisticsLine("H2D Latency", toDevice, percentiles);
    text += statisticsLine(computeName, compute, percentiles);
    if (transfers == Transfers::Counted) text += statisticsLine("D2H Latency", toHost, percentiles);
    if (transfers == Transfers::LeftOut)
        text += "Copies to and from the device are left out of the latency; throughput and wall time hold them\n";
    if (transfers == Transfers::Unknown)
        text += "Copies to and from the device are part of the times above; --dumpProfile shows each\n";
    text += format("Total Host Walltime: %.6g s\nTotal %s: %.6g s\n", wallSeconds, computeName,
                   std::accumulate(compute.begin(), compute.end(), 0.0) / 1000);
    const Statistics computed = summarize(compute);
    if (transfers == Transfers::Counted) {
        text += transferWarning("inputs to the device (H2D)", summarize(toDevice), computed);
        text += transferWarning("outputs to the host (D2H)", summarize(toHost), computed);
    }
    const std::string warning = variationWarning("compute time", computed);
    return warning.empty() ? text : text + "Warning: " + warning + "\n";
}

std::string profileTable(const Profile& profile) {
    std::string text = "=== Profile (" + std::to_string(profile.instrumented.count) + " iterations ) ===\n";
    text += format("%12s %12s %12s %9s  %s\n", "Time(ms)", "Avg.(ms)", "Median(ms)", "Time(%)", "Layer");
    double total = 0, average = 0;
    for (const LayerProfile& layer : profile.layers) {
        const double sum = layer.milliseconds.mean * layer.milliseconds.count;
        total += sum;
        average += layer.milliseconds.mean;
        text += format("%12.2f %12.4f %12.4f %9.1f  ", sum, layer.milliseconds.mean, layer.milliseconds.median, 100 * layer.share) + layer.name + "\n";
    }
    text += format("%12.2f %12.4f %12.4f %9.1f  Total\n", total, average, profile.layersSum, 100.0);
    text += format("Layers sum to %.1f %% of the instrumented end-to-end median %.4g ms (%.4g ms without per-layer clocks)\n", 100 * profile.coverage(), profile.instrumented.median,
                   profile.latency.median);
    if (const std::string why = profile.disturbance(); !why.empty())
        text += "Warning: the measurement was disturbed: " + why + "; let other programs rest and measure again\n";
    if (!profile.deviceRecords) text += sumNote(profile);
    if (profile.deviceRecords) text += "Layers on the device: the time that it worked for them, from its own records; the rest of a run is starting work and waiting for it\n";
    if (!profile.deviceRecordsUnavailable.empty())
        text += "Layers on the device are timed by the host's clock with a wait after each, as " + profile.deviceRecordsUnavailable + "\n";
    return text;
}

std::string timesJson(const std::vector<QueryTimes>& queries) {
    Json list = Json::array();
    for (const QueryTimes& q : queries)
        list.push_back({{"startEnqMs", q.startEnqueue}, {"endEnqMs", q.endEnqueue}, {"startH2dMs", q.startH2d}, {"endH2dMs", q.endH2d}, {"startComputeMs", q.startCompute},
                        {"endComputeMs", q.endCompute}, {"startD2hMs", q.startD2h}, {"endD2hMs", q.endD2h}, {"h2dMs", q.endH2d - q.startH2d},
                        {"computeMs", q.endCompute - q.startCompute}, {"d2hMs", q.endD2h - q.startD2h}, {"latencyMs", q.latency()}});
    return jsonText(list, 1) + "\n";
}

std::string profileJson(const Profile& profile) {
    Json list = Json::array({Json{{"count", profile.instrumented.count}}});
    for (const LayerProfile& layer : profile.layers) {
        list.push_back({{"name", layer.name}, {"timeMs", layer.milliseconds.mean * layer.milliseconds.count}, {"averageMs", layer.milliseconds.mean},
                        {"medianMs", layer.milliseconds.median}, {"percentage", 100 * layer.share}});
        for (const DeviceKernelTime& kernel : layer.kernels) list.back()["kernels"].push_back({{"name", kernel.name}, {"medianMs", kernel.milliseconds}});
    }
    return jsonText(list, 1) + "\n";
}

std::string layerInfoJson(const Engine& engine) {
    Json layers = Json::array(), bindings = Json::array();
    for (const EngineLayer& layer : engine.graph().layers) layers.push_back(layerJson(engine.graph(), layer));
    for (const auto& list : {engine.inputs(), engine.outputs()})
        for (const BindingInfo& binding : list) bindings.push_back(binding.name);
    return jsonText({{"Layers", layers}, {"Bindings", bindings}}, 1) + "\n";
}

std::string profileCsv(const Profile& profile) {
    std::string text = "layer,op,precision,shape,median_ms,share_percent,gflop,mebibytes,gflops,gbytes_per_s,tactic\n";
    for (const LayerProfile& l : profile.layers) {
        const double seconds = l.milliseconds.median / 1000;
        text += quoted(l.name) + "," + l.op + "," + l.precision + "," + l.outputShape + "," +
                format("%.6g,%.4g,%.6g,%.6g,%.5g,%.5g,", l.milliseconds.median, 100 * l.share, l.flops / 1e9,
                       l.bytes / (1 << 20), seconds > 0 ? l.flops / 1e9 / seconds : 0,
                       seconds > 0 ? l.bytes / 1e9 / seconds : 0) +
                l.tactic + "\n";
    }
    return text;
}

}  // namespace strobe
