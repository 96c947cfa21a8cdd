#pragma once
#include <string>
#include <vector>

#include "profiler/accuracy_verdict.h"
#include "profiler/statistics.h"

namespace strobe::cli {

/// Medians of both sides in one round of measuring them in turn, ms.
struct ComparedRound {
    double a = 0, b = 0;
    double speedup() const { return b > 0 ? a / b : 0; }
};
/// Latency of both sides, ms: over all runs, and by rounds, which are further apart than the error of the median says.
struct ComparedTimes {
    Statistics a, b;
    std::vector<ComparedRound> rounds;
    double speedup() const { return ComparedRound{a.median, b.median}.speedup(); }
};

void printTimes(const ComparedTimes& times);
void printReport(const AccuracyReport& report, bool withLayers);
/// What --json writes: all that is printed and more; app/README.md tells of the fields.
std::string comparisonJson(const ComparedTimes& times, const AccuracyReport& report,
                           const AccuracyJudgement& judgement);

}  // namespace strobe::cli
