#pragma once
#include <functional>
#include <string>
#include <vector>

#include "profiler/profile.h"

namespace strobe {

constexpr double kEqualDb = 200;       // SNR of tensors that are equal
constexpr double kNonFiniteDb = -200;  // SNR of tensors of which one is NaN or infinite where the other is not

/// Difference of one tensor between a reference and a candidate, over all samples compared. Every figure is finite.
struct TensorDifference {
    std::string tensor;            // ONNX name
    double maxAbs = 0, maxRel = 0; // relative to the reference's largest magnitude
    double meanAbs = 0, rms = 0;
    double cosine = 1;
    double snrDb = 0;  // 10·log10(signal power / error power), at most kEqualDb; kNonFiniteDb where nonFinite > 0
    double referenceMin = 0, referenceMax = 0;
    int64_t count = 0;
    // NaN or infinite on one side only, or infinite with opposite signs; left out of the sums. What BF16 would round to ±∞
    // (beyond 3.396e38: the −∞ of masks) is infinite here.
    int64_t nonFinite = 0;
    std::vector<int> histogram;    // of |difference|, log-spaced decades 1e-8 … 1e2 (first bin: below, last: above)
    double top1Agreement = -1, top5Agreement = -1;  // for outputs that look like class scores (rank 2, ≥ 2 columns); −1: not applicable
};
TensorDifference compareTensors(std::string name, std::span<const float> reference, std::span<const float> candidate, const Dims& dims);

struct LayerDifference {
    std::vector<int> provenance;   // ONNX nodes of the candidate's layer
    std::string layerReference, layerCandidate;
    TensorDifference difference;
};

struct SampleDifference {
    int sample = 0;
    double maxAbs = 0;
    std::string tensor;
    int64_t nonFinite = 0;  // of that tensor
};

/// Two engines on the same inputs. Immutable.
struct AccuracyReport {
    std::vector<TensorDifference> outputs;
    std::vector<LayerDifference> layers;    // tensors that exist in both, in the candidate's execution order
    DataType coarsest = DataType::Float32;  // of what the layers of both were really built in, as coarsestType() says
    std::vector<SampleDifference> worst;    // up to 16, worst first: most NaN and infinities, then largest difference
    int samples = 0;
    std::string inputFile;                  // where the samples came from; empty: random. Filled in by whoever loaded them
    double labelAccuracyReference = -1, labelAccuracyCandidate = -1;  // when labels were given
};

struct AccuracyOptions {
    bool layers = true;
    int layerSamples = 32;        // layers are read on so many samples at most: reading them costs far more than running
    std::vector<int64_t> labels;  // one a sample, for a classifier's first output; may be empty
};

/// Runs both on every sample (fusion undisturbed: tensors are read as they pass) and accumulates differences.
Result<AccuracyReport> compareAccuracy(const Engine& reference, const Engine& candidate, const std::vector<NamedTensors>& samples,
                                       const AccuracyOptions& options, const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

}  // namespace strobe
