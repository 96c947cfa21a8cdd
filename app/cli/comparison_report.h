#pragma once
#include <string>

#include "profiler/accuracy_verdict.h"
#include "profiler/speed_in_turn.h"

namespace strobe::cli {

void printTimes(const SpeedInTurn& times);
void printReport(const AccuracyReport& report, bool withLayers);
/// What --json writes: all that is printed and more; app/README.md tells of the fields.
std::string comparisonJson(const SpeedInTurn& times, const AccuracyReport& report,
                           const AccuracyJudgement& judgement);

}  // namespace strobe::cli
