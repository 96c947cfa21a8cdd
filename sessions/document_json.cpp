#include "sessions/document_json.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include "engine_core/base/utf8.h"
#include "profiler/accuracy_verdict.h"

namespace strobe {
namespace {

template <class T>
T get(const Json& json, const char* key, T fallback = {}) {
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? fallback : found->get<T>();
}

Json toJson(const std::map<std::string, Dims>& shapes) {
    Json json = Json::object();
    for (const auto& [name, dims] : shapes) json[name] = dims;
    return json;
}
std::map<std::string, Dims> shapesFrom(const Json& json, const char* key) {
    std::map<std::string, Dims> shapes;
    if (const auto found = json.find(key); found != json.end())
        for (const auto& [name, dims] : found->items()) shapes[name] = dims.get<Dims>();
    return shapes;
}

Json toJson(const TensorDifference& d) {
    return {{"tensor", d.tensor},
            {"maxAbs", d.maxAbs},
            {"maxRel", d.maxRel},
            {"meanAbs", d.meanAbs},
            {"rms", d.rms},
            {"cosine", d.cosine},
            {"snrDb", d.snrDb},
            {"min", d.referenceMin},
            {"max", d.referenceMax},
            {"count", d.count},
            {"nonFinite", d.nonFinite},
            {"histogram", d.histogram},
            {"top1", d.top1Agreement},
            {"top5", d.top5Agreement}};
}
/// Older versions counted NaN alone, and an infinite difference was written as null.
int64_t nonFiniteOfOlder(const Json& j) {
    const auto maxAbs = j.find("maxAbs");
    return std::max<int64_t>(get<int64_t>(j, "nan"), maxAbs != j.end() && maxAbs->is_null() ? 1 : 0);
}
TensorDifference differenceFrom(const Json& j) {
    TensorDifference d;
    d.tensor = get<std::string>(j, "tensor");
    d.maxAbs = get<double>(j, "maxAbs");
    d.maxRel = get<double>(j, "maxRel");
    d.meanAbs = get<double>(j, "meanAbs");
    d.rms = get<double>(j, "rms");
    d.cosine = get<double>(j, "cosine", 1);
    d.snrDb = get<double>(j, "snrDb");
    d.referenceMin = get<double>(j, "min");
    d.referenceMax = get<double>(j, "max");
    d.count = get<int64_t>(j, "count");
    d.nonFinite = get<int64_t>(j, "nonFinite", nonFiniteOfOlder(j));
    if (d.nonFinite > 0) d.snrDb = kNonFiniteDb;
    d.histogram = get<std::vector<int>>(j, "histogram");
    d.top1Agreement = get<double>(j, "top1", -1);
    d.top5Agreement = get<double>(j, "top5", -1);
    return d;
}

constexpr size_t kEscapeBytes = 3;

/// A path is bytes, JSON's strings are UTF-8: a byte that is none becomes NUL, which no path holds, and its two
/// hexadecimal digits.
std::string pathText(const std::string& path) {
    std::string text;
    for (size_t at = 0; at < path.size();) {
        const size_t length = utf8Length(path, at);
        if (length > 0) {
            text.append(path, at, length);
        } else {
            char escape[kEscapeBytes + 1];
            std::snprintf(escape, sizeof escape, "%c%02x", 0, static_cast<unsigned char>(path[at]));
            text.append(escape, kEscapeBytes);
        }
        at += std::max<size_t>(length, 1);
    }
    return text;
}
std::string pathFrom(const Json& json, const char* key) {
    const std::string text = get<std::string>(json, key);
    std::string path;
    for (size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        const char* const digits = text.data() + at + 1;
        const bool isEscape = text[at] == 0 && text.size() - at >= kEscapeBytes &&
                              std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        path += isEscape ? static_cast<char>(byte) : text[at];
        if (isEscape) at += kEscapeBytes - 1;
    }
    return path;
}

}  // namespace

Json toJson(const Statistics& s) {
    return {{"count", s.count}, {"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"median", s.median}, {"p25", s.p25}, {"p75", s.p75}, {"p90", s.p90}, {"p95", s.p95}, {"p99", s.p99}, {"deviation", s.deviation}, {"medianError", s.medianError}};
}
Statistics statisticsFrom(const Json& j) {
    Statistics s;
    s.count = get<int>(j, "count");
    s.min = get<double>(j, "min");
    s.max = get<double>(j, "max");
    s.mean = get<double>(j, "mean");
    s.median = get<double>(j, "median");
    // Sessions of older versions hold no quartiles: the spread is then unknown, not nought.
    s.p25 = get<double>(j, "p25", std::numeric_limits<double>::quiet_NaN());
    s.p75 = get<double>(j, "p75", std::numeric_limits<double>::quiet_NaN());
    s.p90 = get<double>(j, "p90");
    s.p95 = get<double>(j, "p95");
    s.p99 = get<double>(j, "p99");
    s.deviation = get<double>(j, "deviation");
    s.medianError = get<double>(j, "medianError");
    return s;
}

Json toJson(const Settings& s) {
    return {{"shapes", toJson(s.shapes)},
            {"inputFile", pathText(s.inputFile)},
            {"seed", s.seed},
            {"profileMs", s.profileMs},
            {"accuracyLimit", s.accuracyLimit}};
}
void settingsFrom(const Json& j, Settings& s) {
    s.shapes = shapesFrom(j, "shapes");
    s.inputFile = pathFrom(j, "inputFile");
    s.seed = get<unsigned>(j, "seed", 42);
    s.profileMs = get<double>(j, "profileMs", 1000);
    s.accuracyLimit = get<double>(j, "accuracyLimit", 0);
}

Json toJson(const std::vector<BuildNote>& notes) {
    Json json = Json::array();
    for (const BuildNote& n : notes)
        json.push_back({{"severity", static_cast<int>(n.severity)},
                        {"layer", n.layer},
                        {"nodes", n.provenance},
                        {"message", n.message},
                        {"fix", n.fix}});
    return json;
}
std::vector<BuildNote> notesFrom(const Json& json) {
    std::vector<BuildNote> notes;
    for (const Json& n : json) {
        const int severity = std::clamp(get<int>(n, "severity"), 0, 2);
        notes.push_back({static_cast<BuildNote::Severity>(severity), get<std::string>(n, "layer"),
                         get<std::vector<int>>(n, "nodes"), get<std::string>(n, "message"),
                         get<std::string>(n, "fix")});
    }
    return notes;
}

Json toJson(const BuildReport& r) {
    Json json = {{"totalSeconds", r.totalSeconds}, {"passSeconds", r.passSeconds}, {"timingSeconds", r.timingSeconds}, {"timed", r.timedCandidates},
                 {"cached", r.cachedCandidates}, {"reformats", r.reformats}, {"reformatsAvoided", r.reformatsAvoided}};
    for (const PassRun& p : r.passes.runs) json["passes"].push_back({{"name", p.name}, {"ms", p.milliseconds}, {"rewrites", p.rewrites}, {"before", p.layersBefore}, {"after", p.layersAfter}, {"disabled", p.disabled}});
    for (const RewriteRecord& w : r.passes.rewrites)
        json["rewrites"].push_back({{"pass", w.pass}, {"result", w.result}, {"replaced", w.replaced}, {"nodes", w.provenance}, {"description", w.description}, {"savedBytes", w.savedBytes}});
    for (const NearMiss& m : r.passes.nearMisses) json["nearMisses"].push_back({{"pass", m.pass}, {"layer", m.layer}, {"nodes", m.provenance}, {"reason", m.reason}});
    if (!r.notes.empty()) json["notes"] = toJson(r.notes);
    return json;
}

BuildReport reportFrom(const Json& j) {
    BuildReport r;
    r.totalSeconds = get<double>(j, "totalSeconds");
    r.passSeconds = get<double>(j, "passSeconds");
    r.timingSeconds = get<double>(j, "timingSeconds");
    r.timedCandidates = get<int>(j, "timed");
    r.cachedCandidates = get<int>(j, "cached");
    r.reformats = get<int>(j, "reformats");
    r.reformatsAvoided = get<int>(j, "reformatsAvoided");
    const auto each = [&](const char* key, const auto& read) {
        if (const auto found = j.find(key); found != j.end())
            for (const Json& item : *found) read(item);
    };
    each("passes", [&](const Json& p) {
        r.passes.runs.push_back({get<std::string>(p, "name"), get<double>(p, "ms"), get<int>(p, "rewrites"), get<int>(p, "before"), get<int>(p, "after"), get<bool>(p, "disabled")});
    });
    each("rewrites", [&](const Json& w) {
        r.passes.rewrites.push_back({get<std::string>(w, "pass"), get<std::string>(w, "result"), get<std::vector<std::string>>(w, "replaced"), get<std::vector<int>>(w, "nodes"),
                                     get<std::string>(w, "description"), get<double>(w, "savedBytes", -1)});
    });
    each("nearMisses", [&](const Json& m) { r.passes.nearMisses.push_back({get<std::string>(m, "pass"), get<std::string>(m, "layer"), get<std::vector<int>>(m, "nodes"), get<std::string>(m, "reason")}); });
    if (const auto notes = j.find("notes"); notes != j.end()) r.notes = notesFrom(*notes);
    return r;
}

Json layerTimesJson(const LayerProfile& layer) {
    Json json = toJson(layer.milliseconds);
    for (const DeviceKernelTime& kernel : layer.kernels) json["kernels"].push_back({{"name", kernel.name}, {"ms", kernel.milliseconds}});
    return json;
}
void layerTimesFrom(const Json& j, LayerProfile& layer) {
    layer.milliseconds = statisticsFrom(j);
    if (const auto kernels = j.find("kernels"); kernels != j.end())
        for (const Json& kernel : *kernels) layer.kernels.push_back({get<std::string>(kernel, "name"), get<double>(kernel, "ms")});
}

Json toJson(const Profile& p) {
    return {{"latency", toJson(p.latency)}, {"instrumented", toJson(p.instrumented)}, {"layersSum", p.layersSum}, {"iterations", p.iterations}, {"shapes", toJson(p.shapes)},
            {"threads", p.threads}, {"countersUnavailable", p.countersUnavailable}, {"deviceRecords", p.deviceRecords},
            {"deviceRecordsUnavailable", p.deviceRecordsUnavailable}, {"weights", p.memory.weights}, {"activations", p.memory.activations}, {"workspace", p.memory.workspace}};
}
Profile profileFrom(const Json& j) {
    Profile p;
    p.latency = statisticsFrom(j.at("latency"));
    p.instrumented = statisticsFrom(j.at("instrumented"));
    p.layersSum = get<double>(j, "layersSum");
    p.iterations = get<int>(j, "iterations");
    p.shapes = shapesFrom(j, "shapes");
    p.threads = get<int>(j, "threads");
    p.countersUnavailable = get<std::string>(j, "countersUnavailable");
    p.deviceRecords = get<bool>(j, "deviceRecords");
    p.deviceRecordsUnavailable = get<std::string>(j, "deviceRecordsUnavailable");
    p.memory = {get<size_t>(j, "weights"), get<size_t>(j, "activations"), get<size_t>(j, "workspace")};
    return p;
}

Json toJson(const AccuracyJudgement& judgement) {
    return {{"verdict", accuracyVerdictName(judgement.verdict)}, {"reason", judgement.reason}};
}

Json toJson(const AccuracyReport& r) {
    Json json = {{"samples", r.samples},
                 {"inputFile", pathText(r.inputFile)},
                 {"coarsest", dataTypeName(r.coarsest)},
                 {"labelsA", r.labelAccuracyReference},
                 {"labelsB", r.labelAccuracyCandidate}};
    json["judgement"] = toJson(judge(r));  // for other readers: judged anew when opened
    for (const TensorDifference& d : r.outputs) json["outputs"].push_back(toJson(d));
    for (const LayerDifference& l : r.layers) json["layers"].push_back({{"nodes", l.provenance}, {"a", l.layerReference}, {"b", l.layerCandidate}, {"difference", toJson(l.difference)}});
    for (const SampleDifference& s : r.worst)
        json["worst"].push_back(
            {{"sample", s.sample}, {"maxAbs", s.maxAbs}, {"tensor", s.tensor}, {"nonFinite", s.nonFinite}});
    return json;
}
AccuracyReport accuracyFrom(const Json& j) {
    AccuracyReport r;
    r.coarsest = dataTypeFromName(get<std::string>(j, "coarsest")).value_or(DataType::Undefined);
    r.samples = get<int>(j, "samples");
    r.inputFile = pathFrom(j, "inputFile");
    r.labelAccuracyReference = get<double>(j, "labelsA", -1);
    r.labelAccuracyCandidate = get<double>(j, "labelsB", -1);
    if (const auto list = j.find("outputs"); list != j.end())
        for (const Json& d : *list) r.outputs.push_back(differenceFrom(d));
    if (const auto list = j.find("layers"); list != j.end())
        for (const Json& l : *list) r.layers.push_back({get<std::vector<int>>(l, "nodes"), get<std::string>(l, "a"), get<std::string>(l, "b"), differenceFrom(l.at("difference"))});
    if (const auto list = j.find("worst"); list != j.end())
        for (const Json& s : *list)
            r.worst.push_back({get<int>(s, "sample"), get<double>(s, "maxAbs"), get<std::string>(s, "tensor"),
                               get<int64_t>(s, "nonFinite")});
    return r;
}

Json toJson(const SpeedInTurn& speed) {
    Json rounds = Json::array();
    for (const SpeedRound& round : speed.rounds) rounds.push_back({{"a", round.a}, {"b", round.b}});
    return {{"a", toJson(speed.a)}, {"b", toJson(speed.b)}, {"rounds", rounds}, {"shapes", toJson(speed.shapes)}};
}

SpeedInTurn speedFrom(const Json& j) {
    SpeedInTurn speed{statisticsFrom(j.at("a")), statisticsFrom(j.at("b")), {}, shapesFrom(j, "shapes")};
    for (const Json& round : j.at("rounds"))
        speed.rounds.push_back({round.at("a").get<double>(), round.at("b").get<double>()});
    return speed;
}

}  // namespace strobe
