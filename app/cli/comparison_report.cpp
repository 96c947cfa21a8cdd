#include "app/cli/comparison_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "profiler/json_text.h"
#include "profiler/trtexec_report.h"

namespace strobe::cli {
namespace {

void printDifference(const TensorDifference& d) {
    std::printf("  %-32s max abs %.3g, max rel %.3g, RMS %.3g, cosine %.7f, SNR %.1f dB", d.tensor.c_str(), d.maxAbs,
                d.maxRel, d.rms, d.cosine, d.snrDb);
    if (d.top1Agreement >= 0) std::printf(", top-1 agreement %.2f %%", 100 * d.top1Agreement);
    if (d.nonFinite > 0) std::printf(", %lld NaN or infinite on one side only", static_cast<long long>(d.nonFinite));
    std::printf("\n");
}

nlohmann::ordered_json differenceJson(const TensorDifference& d) {
    return {{"tensor", d.tensor},
            {"maxAbs", d.maxAbs},
            {"maxRel", d.maxRel},
            {"meanAbs", d.meanAbs},
            {"rms", d.rms},
            {"cosine", d.cosine},
            {"snrDb", d.snrDb},
            {"nonFinite", d.nonFinite},
            {"top1Agreement", d.top1Agreement}};
}

nlohmann::ordered_json roundsJson(const SpeedInTurn& times) {
    nlohmann::ordered_json rounds = nlohmann::ordered_json::array();
    for (const SpeedRound& round : times.rounds)
        rounds.push_back({{"latencyMsA", round.a}, {"latencyMsB", round.b}, {"speedup", round.speedup()}});
    return rounds;
}

/// Sides whose times are unsteady, with what to do.
std::vector<std::pair<std::string, std::string>> warningsOf(const SpeedInTurn& times) {
    std::vector<std::pair<std::string, std::string>> warnings;
    for (const auto& [side, time] : {std::make_pair("A", &times.a), std::make_pair("B", &times.b)})
        if (const std::string warning = variationWarning("latency", *time); !warning.empty())
            warnings.emplace_back(side, warning);
    return warnings;
}

nlohmann::ordered_json warningsJson(const SpeedInTurn& times) {
    nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
    for (const auto& [side, warning] : warningsOf(times)) warnings.push_back({{"side", side}, {"message", warning}});
    return warnings;
}

}  // namespace

void printTimes(const SpeedInTurn& times) {
    const Statistics &a = times.a, &b = times.b;
    std::printf("Latency: A median = %.4g ms ± %.2g, B median = %.4g ms ± %.2g; B is %.3g × as fast\n", a.median,
                a.medianError, b.median, b.medianError, times.speedup());
    const SpeedRange roundsA = times.rangeA(), roundsB = times.rangeB(), speedup = times.rangeOfSpeedup();
    std::printf("Rounds in turn: A %.4g to %.4g ms, B %.4g to %.4g ms; B is %.3g to %.3g × as fast%s\n", roundsA.min,
                roundsA.max, roundsB.min, roundsB.max, speedup.min, speedup.max,
                times.isDecided() ? "" : ", so that which is faster is not decided");
    for (const auto& [side, warning] : warningsOf(times))
        std::printf("Warning: %s: %s\n", side.c_str(), warning.c_str());
}

void printReport(const AccuracyReport& report, bool withLayers) {
    std::printf("Accuracy over %d %s%s (A is the reference):\n", report.samples, report.samples == 1 ? "run" : "runs",
                report.inputFile.empty() ? " on random input" : "");
    for (const TensorDifference& d : report.outputs) printDifference(d);
    if (report.labelAccuracyReference >= 0)
        std::printf("Labels: A %.2f %% right, B %.2f %% right\n", 100 * report.labelAccuracyReference,
                    100 * report.labelAccuracyCandidate);
    if (const int first = firstDiverging(report); first >= 0) {
        const LayerDifference& layer = report.layers[static_cast<size_t>(first)];
        const TensorDifference& d = layer.difference;
        std::printf("First diverging layer: %s (tensor %s, ", layer.layerCandidate.c_str(), d.tensor.c_str());
        if (d.nonFinite > 0)
            std::printf("%lld elements NaN or infinite on one side only)\n", static_cast<long long>(d.nonFinite));
        else
            std::printf("SNR %.1f dB)\n", d.snrDb);
    }
    if (!withLayers) return;
    std::printf("Layers:\n");
    for (const LayerDifference& layer : report.layers) printDifference(layer.difference);
}

std::string comparisonJson(const SpeedInTurn& times, const AccuracyReport& report,
                           const AccuracyJudgement& judgement) {
    const SpeedRange speedup = times.rangeOfSpeedup();
    nlohmann::ordered_json json = {{"latencyMsA", times.a.median},
                                   {"latencyMsB", times.b.median},
                                   {"latencyErrorMsA", times.a.medianError},
                                   {"latencyErrorMsB", times.b.medianError},
                                   {"latencyVariationA", times.a.variation()},
                                   {"latencyVariationB", times.b.variation()},
                                   {"speedup", times.speedup()},
                                   {"rounds", roundsJson(times)},
                                   {"speedupMin", speedup.min},
                                   {"speedupMax", speedup.max},
                                   {"isFasterDecided", times.isDecided()},
                                   {"warnings", warningsJson(times)},
                                   {"verdict", accuracyVerdictName(judgement.verdict)},
                                   {"reason", judgement.reason},
                                   {"coarsest", dataTypeName(report.coarsest)},
                                   {"samples", report.samples},
                                   {"labelAccuracyA", report.labelAccuracyReference},
                                   {"labelAccuracyB", report.labelAccuracyCandidate}};
    for (const TensorDifference& d : report.outputs) json["outputs"].push_back(differenceJson(d));
    for (const LayerDifference& l : report.layers) {
        json["layers"].push_back(differenceJson(l.difference));
        json["layers"].back()["layerA"] = l.layerReference;
        json["layers"].back()["layerB"] = l.layerCandidate;
    }
    return jsonText(json, 1) + "\n";
}

}  // namespace strobe::cli
