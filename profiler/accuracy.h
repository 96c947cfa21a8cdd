#pragma once
#include <functional>
#include <string>
#include <vector>

#include "profiler/profile.h"

namespace strobe {

/// Difference of one tensor between a reference and a candidate, over all samples compared.
struct TensorDifference {
    std::string tensor;            // ONNX name
    double maxAbs = 0, maxRel = 0; // relative to the reference's largest magnitude
    double meanAbs = 0, rms = 0;
    double cosine = 1;
    double snrDb = 0;              // 10·log10(signal power / error power); +inf when equal is stored as 200
    double referenceMin = 0, referenceMax = 0;
    int64_t count = 0, mismatchedNaN = 0;
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
};

/// Two engines on the same inputs. Immutable.
struct AccuracyReport {
    std::vector<TensorDifference> outputs;
    std::vector<LayerDifference> layers;    // tensors that exist in both, in the candidate's execution order
    int firstDiverging = -1;                // index into layers: first whose SNR falls under `divergenceDb`; −1: none
    std::vector<SampleDifference> worst;    // up to 16, worst first
    int samples = 0;
    std::string inputFile;                  // where the samples came from; empty: random. Filled in by whoever loaded them
    double labelAccuracyReference = -1, labelAccuracyCandidate = -1;  // when labels were given
};

struct AccuracyOptions {
    double divergenceDb = 20;
    bool layers = true;
    int layerSamples = 32;        // layers are read on so many samples at most: reading them costs far more than running
    std::vector<int64_t> labels;  // one a sample, for a classifier's first output; may be empty
};

/// Runs both on every sample (fusion undisturbed: tensors are read as they pass) and accumulates differences.
Result<AccuracyReport> compareAccuracy(const Engine& reference, const Engine& candidate, const std::vector<NamedTensors>& samples,
                                       const AccuracyOptions& options, const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

}  // namespace strobe
