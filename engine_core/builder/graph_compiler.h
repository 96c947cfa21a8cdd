#pragma once
#include "engine_core/builder/builder.h"
#include "engine_core/builder/lowering.h"

namespace strobe {

/// Compiles one fused network, and the bodies in it, to a CompiledGraph: candidates, timing, selection, lowering.
class GraphCompiler {
public:
    struct Setup {
        const BuilderConfig* config = nullptr;
        const KernelRegistry* kernels = nullptr;
        DeviceInfo device;
        LayerTimer* timer = nullptr;
        BuildReport* report = nullptr;
        int threads = 1;
        std::vector<SymbolValues> largest;  // at the max shapes of each profile; needed only where the workspace is limited
        CancelToken cancel;
        std::function<void(const std::string& step, int done, int total)> progress;
    };
    explicit GraphCompiler(Setup setup) : m_setup(std::move(setup)), m_constants(m_setup.cancel) {}
    /// `symbols`: values at the opt shapes; dims that they do not decide stay open until the engine runs.
    Result<std::shared_ptr<const CompiledGraph>> compile(const Network& network, const SymbolValues& symbols);

private:
    Result<EngineLayer> compileControlFlow(const Network& network, const Layer& layer, const SymbolValues& symbols);
    Result<EngineLayer> chooseReformat(const Network& network, const Layer& layer, const Format& from, const Format& to, const SymbolValues& symbols);
    /// One entry a layer of `order`; empty for layers with bodies.
    Result<std::vector<LayerCandidates>> findCandidates(const Network& network, const std::vector<LayerId>& order, const std::vector<LayerPrecision>& precision,
                                                        const ProblemInputs& shapes);
    EngineLayer lower(const Layer& layer, const LayerPrecision& precision, LayerCandidates candidates, int choice);
    void noteOracle(const Layer& layer, const LayerCandidates& candidates, const Candidate& chosen);
    Setup m_setup;
    ConstantConverter m_constants;
};

}  // namespace strobe
