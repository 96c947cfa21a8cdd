#pragma once
#include <functional>
#include <vector>

#include "engine_core/builder/constant_converter.h"
#include "engine_core/builder/layer_timer.h"
#include "engine_core/builder/precision_policy.h"
#include "engine_core/runtime/engine.h"
#include "engine_core/runtime/problem_factory.h"

namespace strobe {

/// One way to run a layer that supports its problem.
struct Candidate {
    const Tactic* tactic = nullptr;
    DeviceKind device = DeviceKind::Cpu;
    std::vector<Format> inputs, outputs;
    double milliseconds = 0;
    int record = 0;  // index into LayerCandidates::records
    DataType precision() const { return outputs.empty() ? DataType::Undefined : outputs[0].type; }
};

struct LayerCandidates {
    std::vector<Candidate> usable;         // never empty after success
    std::vector<CandidateRecord> records;  // everything that was weighed, declined ones included
    std::string precisionNote;
};

/// No where the tactic needs more scratch memory on this problem than the settings allow.
Support checkWorkspaceLimit(const BuilderConfig& config, const LayerTimer& timer, const Tactic& tactic, const Problem& problem);

/// Finds and times the candidates of layers at the opt shapes.
class CandidateFinder {
public:
    struct Setup {
        const Network* network = nullptr;
        const BuilderConfig* config = nullptr;
        const KernelRegistry* kernels = nullptr;
        DeviceKind device = DeviceKind::Cpu;  // preferred; CPU candidates are always added
        ProblemInputs problems;               // dims and known values at the opt shapes
        std::vector<ProblemInputs> largest;   // at the max shapes of each profile; only the workspace limit asks for them
        LayerTimer* timer = nullptr;
        ConstantConverter* constants = nullptr;
        CancelToken cancel;
    };
    explicit CandidateFinder(Setup setup) : m_setup(std::move(setup)) {}
    /// Error when no tactic at all supports the layer, with every reason.
    Result<LayerCandidates> find(const Layer& layer, const LayerPrecision& precision);

private:
    void enumerate(const Layer& layer, const LayerPrecision& precision, const Problem& base, LayerCandidates& found) const;
    void deferToRun(const Layer& layer, const Problem& base, LayerCandidates& found) const;
    void consider(const Layer& layer, const Tactic& tactic, DeviceKind device, const Problem& base, LayerCandidates& found) const;
    /// The layer's problem in a lower precision, or in FP32.
    struct Variant {
        Problem problem;
        Problem exact;  // the same with FP32 constants, for tactics that want them
        bool isFp32 = false;
    };
    std::vector<Variant> variantsOf(const Layer& layer, const LayerPrecision& precision, const Problem& base) const;
    enum class Rounded : uint8_t { Activations, Matrices, AllConstants };
    Problem inLower(const Problem& problem, const Layer& layer, const LayerPrecision& precision, Rounded rounded, bool fp32Result) const;
    Problem withFormats(const Problem& problem, const Layer& layer, const std::vector<Format>& inputs, const std::vector<Format>& outputs) const;
    Support checkWorkspace(const Layer& layer, const Tactic& tactic, const Problem& problem) const;
    Status timeAll(const Layer& layer, const Problem& base, LayerCandidates& found) const;
    Setup m_setup;
};

}  // namespace strobe
