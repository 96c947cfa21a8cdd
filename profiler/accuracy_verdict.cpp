#include "profiler/accuracy_verdict.h"

#include <algorithm>
#include <cstdio>

namespace strobe {
namespace {

constexpr double kLabelLossHolds = 0.005, kLabelLossFails = 0.02;  // of all labels

/// Finest first. Types that stand for exact values have the rank of FP32.
int coarseness(DataType type) {
    switch (type) {
        case DataType::Float16:
            return 1;
        case DataType::BFloat16:
            return 2;
        case DataType::Int8:
        case DataType::UInt8:
            return 3;
        case DataType::Float8E4M3FN:
            return 4;
        case DataType::Float8E5M2:
            return 5;
        case DataType::Int4:
        case DataType::UInt4:
            return 6;
        default:
            return 0;
    }
}

DataType coarser(DataType a, DataType b) {
    return coarseness(b) > coarseness(a) ? b : a;
}

DataType coarsestOf(const CompiledGraph& graph, const KernelRegistry& kernels) {
    DataType coarsest = DataType::Float32;
    for (const EngineLayer& chosen : graph.layers) {
        const bool isQuantization = graph.network.layer(chosen.layer).op->family == OpFamily::Quantization;
        for (const std::vector<Format>* formats : {&chosen.inputs, &chosen.outputs})
            for (const Format& format : *formats)
                if (isFloatingPoint(format.type) || isQuantization) coarsest = coarser(coarsest, format.type);
        coarsest = coarser(coarsest, chosen.roundOutputs);
        if (const Tactic* tactic = kernels.findByName(chosen.tactic))
            coarsest = coarser(coarsest, tactic->roundsFactorsTo());
        for (const auto& body : chosen.bodies) coarsest = coarser(coarsest, coarsestOf(*body, kernels));
    }
    return coarsest;
}

std::string number(const char* pattern, double value) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, pattern, value);
    return buffer;
}

std::string distanceText(const TensorDifference& d) {
    return "'" + d.tensor + "' " + (d.snrDb >= kEqualDb ? "is equal" : "has an SNR of " + number("%.1f dB", d.snrDb)) +
           ", its largest difference is " + number("%.3g of its magnitude", d.maxRel);
}

AccuracyVerdict verdictOf(const TensorDifference& d, const AccuracyLimits& limits) {
    if (d.snrDb < limits.failDb) return AccuracyVerdict::Fails;
    return d.snrDb >= limits.holdDb && d.maxRel <= limits.maxRel ? AccuracyVerdict::Holds : AccuracyVerdict::Doubtful;
}

AccuracyJudgement byDistance(const AccuracyReport& report, const AccuracyLimits& limits) {
    if (report.outputs.empty())
        return {AccuracyVerdict::Doubtful, AccuracyGround::Distance, -1, "there are no outputs to compare"};
    // The worst verdict; of several the lowest SNR.
    const auto isWorse = [&](const TensorDifference& x, const TensorDifference& y) {
        const AccuracyVerdict ofX = verdictOf(x, limits), ofY = verdictOf(y, limits);
        return ofX != ofY ? ofX > ofY : x.snrDb < y.snrDb;
    };
    const auto worst = std::min_element(report.outputs.begin(), report.outputs.end(), isWorse);
    return {verdictOf(*worst, limits), AccuracyGround::Distance, static_cast<int>(worst - report.outputs.begin()),
            distanceText(*worst) + "; " + std::string(dataTypeName(report.coarsest)) + " is asked for " +
                number("%g dB and ", limits.holdDb) + number("%g at most", limits.maxRel)};
}

bool hasLabels(const AccuracyReport& report) {
    return report.labelAccuracyReference >= 0 && report.labelAccuracyCandidate >= 0;
}

AccuracyJudgement byLabels(const AccuracyReport& report, int output) {
    const double lost = report.labelAccuracyReference - report.labelAccuracyCandidate;
    const auto verdict = lost < kLabelLossHolds   ? AccuracyVerdict::Holds
                         : lost < kLabelLossFails ? AccuracyVerdict::Doubtful
                                                  : AccuracyVerdict::Fails;
    return {verdict, AccuracyGround::Labels, output,
            number("%.2f %% of labels right, ", 100 * report.labelAccuracyCandidate) +
                number("%.2f %% before", 100 * report.labelAccuracyReference)};
}

}  // namespace

AccuracyLimits accuracyLimits(DataType coarsest) {
    // Measured on one random input each of seven trained networks. FP32 engines that sum in another order: six lie 95
    // to 128 dB apart, within 2e-5; one is equal. Five lie 51 to 67 dB from FP32 in FP16 (within 5e-3) and 34 to 51 dB
    // in BF16 (within 4e-2); the other two (ocr_det, magika) 24 and -1 dB in FP16, 12 and -5 dB in BF16. INT8 and
    // coarser were not measured.
    switch (coarseness(coarsest)) {
        case 0:
            return {80, 60, 1e-4};
        case 1:
            return {40, 30, 1e-2};
        case 2:
            return {30, 20, 3e-2};
        default:
            return {20, 10, 1e-1};
    }
}

DataType coarsestType(const Engine& engine) {
    return coarsestOf(engine.graph(), engine.kernels());
}

DataType coarsestType(const Engine& a, const Engine& b) {
    return coarser(coarsestType(a), coarsestType(b));
}

int firstDiverging(const AccuracyReport& report) {
    const double failDb = accuracyLimits(report.coarsest).failDb;
    const auto first = std::find_if(report.layers.begin(), report.layers.end(),
                                    [&](const LayerDifference& layer) { return layer.difference.snrDb < failDb; });
    return first == report.layers.end() ? -1 : static_cast<int>(first - report.layers.begin());
}

std::string_view accuracyVerdictName(AccuracyVerdict verdict) {
    switch (verdict) {
        case AccuracyVerdict::Holds:
            return "holds";
        case AccuracyVerdict::Doubtful:
            return "doubtful";
        case AccuracyVerdict::Fails:
            return "fails";
    }
    return "";
}

std::string accuracyVerdictText(AccuracyVerdict verdict) {
    return "Accuracy " + std::string(verdict == AccuracyVerdict::Doubtful ? "is " : "") +
           std::string(accuracyVerdictName(verdict));
}

AccuracyJudgement judge(const AccuracyReport& report, std::optional<double> tolerance) {
    const auto indexOf = [&](const auto& output) { return static_cast<int>(&output - report.outputs.data()); };
    for (const TensorDifference& d : report.outputs)
        if (d.nonFinite > 0)
            return {AccuracyVerdict::Fails, AccuracyGround::NonFinite, indexOf(d),
                    std::to_string(d.nonFinite) + " of " + std::to_string(d.count) + " elements of '" + d.tensor +
                        "' are NaN or infinite in one engine only"};
    AccuracyLimits limits = accuracyLimits(report.coarsest);
    if (tolerance) {
        limits.maxRel = *tolerance;
        for (const TensorDifference& d : report.outputs)
            if (d.maxRel > *tolerance)
                return {AccuracyVerdict::Fails, AccuracyGround::Tolerance, indexOf(d),
                        distanceText(d) + number(", the tolerance given allows %g", *tolerance)};
    }
    const bool isExact = coarseness(report.coarsest) == 0;
    AccuracyJudgement distance = byDistance(report, limits);
    if (hasLabels(report)) {
        AccuracyJudgement labels = byLabels(report, distance.output);
        return isExact && distance.verdict > labels.verdict ? distance : labels;
    }
    if (distance.verdict == AccuracyVerdict::Fails && report.inputFile.empty() && !isExact) {
        distance.verdict = AccuracyVerdict::Doubtful;
        distance.ground = AccuracyGround::RandomInput;
        distance.reason += "; on random input that may be noise, compare on real data";
    }
    return distance;
}

}  // namespace strobe
