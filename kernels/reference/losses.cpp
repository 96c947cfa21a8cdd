#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

/// scores → logarithms of their softmax along dim 1.
void logSoftmaxClasses(std::vector<double>& scores, const AxisSplit& split) {
    for (int64_t outer = 0; outer < split.outer; ++outer)
        for (int64_t inner = 0; inner < split.inner; ++inner) {
            const auto at = [&](int64_t c) -> double& {
                return scores[static_cast<size_t>((outer * split.extent + c) * split.inner + inner)];
            };
            double highest = -std::numeric_limits<double>::infinity(), sum = 0.0;
            for (int64_t c = 0; c < split.extent; ++c) highest = std::max(highest, at(c));
            for (int64_t c = 0; c < split.extent; ++c) sum += std::exp(at(c) - highest);
            for (int64_t c = 0; c < split.extent; ++c) at(c) -= highest + std::log(sum);
        }
}

Status writeLoss(const Problem& problem, const RunArguments& arguments, const std::vector<double>& logs,
                 const AxisSplit& split) {
    const std::vector<double> weights = readNumbers(problem, arguments, 2);
    const std::vector<int64_t> labels = readIntegers(problem, arguments, 1);
    const bool ignores = problem.attributes->has("ignore_index");
    const int64_t ignored = problem.attributes->getInt("ignore_index", 0);
    std::vector<double> losses;
    double sum = 0.0, weightSum = 0.0;
    for (size_t i = 0; i < labels.size(); ++i) {
        const int64_t label = labels[i], at = static_cast<int64_t>(i);
        losses.push_back(0.0);
        if (ignores && label == ignored) continue;
        if (label < 0 || label >= split.extent)
            return invalidArgument("label " + std::to_string(label) + " (input 1) is outside [0, " +
                                   std::to_string(split.extent) + ") and is not ignore_index");
        const double weight = weights.empty() ? 1.0 : weights[static_cast<size_t>(label)];
        losses.back() =
            -weight *
            logs[static_cast<size_t>((at / split.inner * split.extent + label) * split.inner + at % split.inner)];
        sum += losses.back();
        weightSum += weight;
    }
    const std::string reduction = problem.attributes->getString("reduction", "mean");
    if (reduction == "mean") losses = {sum / weightSum};
    if (reduction == "sum") losses = {sum};
    writeNumbers(problem, arguments, 0, losses);
    return Status::ok();
}

Status runLogLikelihood(const Problem& problem, const RunArguments& arguments) {
    return writeLoss(problem, arguments, readNumbers(problem, arguments, 0), AxisSplit(inputDims(arguments, 0), 1));
}

Status runCrossEntropy(const Problem& problem, const RunArguments& arguments) {
    const AxisSplit split(inputDims(arguments, 0), 1);
    std::vector<double> logs = readNumbers(problem, arguments, 0);
    logSoftmaxClasses(logs, split);
    writeNumbers(problem, arguments, 1, logs);
    return writeLoss(problem, arguments, logs, split);
}

}  // namespace

STROBE_REFERENCE(losses) {
    addReference(registry, {"NegativeLogLikelihoodLoss", runLogLikelihood, onlyFloats});
    addReference(registry, {"SoftmaxCrossEntropyLoss", runCrossEntropy, onlyFloats});
}

}  // namespace strobe
