// Whether a comparison's figures are good enough. The one place that says so: the window, the command line and
// documents word it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "profiler/accuracy.h"

namespace strobe {

/// What is asked of an output by the coarsest precision that either engine was built in.
struct AccuracyLimits {
    double holdDb, failDb;  // an SNR of at least `holdDb` holds, one under `failDb` fails
    double maxRel;          // largest difference that holds, as a share of the reference's largest magnitude
};
/// Finer types count as FP32.
AccuracyLimits accuracyLimits(DataType coarsest);

/// The coarsest type that the engine rounds to: what its layers were built in, accuracy previews, TF32 (as Float16,
/// whose mantissa it has) and quantised integers included; FP32 at least. Other integers (indices, images) hold exact
/// values and do not count.
DataType coarsestType(const Engine& engine);
/// Of both.
DataType coarsestType(const Engine& a, const Engine& b);

/// Index into `layers` of the first whose SNR falls under `failDb`; −1: none.
int firstDiverging(const AccuracyReport& report);

enum class AccuracyVerdict : uint8_t { Holds, Doubtful, Fails };
std::string_view accuracyVerdictName(AccuracyVerdict verdict);  // "holds", "doubtful", "fails"
std::string accuracyVerdictText(AccuracyVerdict verdict);  // "Accuracy holds", "Accuracy is doubtful", …

/// What decided.
enum class AccuracyGround : uint8_t {
    NonFinite,    // NaN or infinite in one engine only
    Tolerance,    // a tolerance that was given is exceeded
    Labels,       // share of right labels
    Distance,     // SNR and largest difference of an output
    RandomInput,  // they would fail, were the input more than noise
};

struct AccuracyJudgement {
    AccuracyVerdict verdict = AccuracyVerdict::Holds;
    AccuracyGround ground = AccuracyGround::Distance;
    int output = -1;  // index into AccuracyReport::outputs: the one that decided, else the one that differs most; −1:
                      // there is none
    std::string reason;  // one line: what was found and what is asked
};

/// In this order: (1) NaN or infinities in one engine only fail. (2) So does exceeding a `tolerance` that is given
/// (otherwise `AccuracyLimits::maxRel` is it). (3) Labels, where there are any: a loss of less than 0.5 points holds,
/// of 2 or more fails; where both engines are FP32, (4) must hold as well. (4) Each output by `accuracyLimits`: SNR and
/// largest difference within both holds, an SNR under `failDb` fails; the worst output stands for all. Below FP32
/// random input fails nobody by (4): what a network answers to noise may be nothing but noise.
AccuracyJudgement judge(const AccuracyReport& report, std::optional<double> tolerance = {});

}  // namespace strobe
