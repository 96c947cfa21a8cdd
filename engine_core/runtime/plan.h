#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine_core/runtime/engine.h"
#include "engine_core/runtime/problem_factory.h"

namespace strobe {

/// Where a tensor's bytes are in one plan.
struct TensorPlace {
    enum class Kind : uint8_t {
        None,      // not used in this graph
        Constant,  // `pointer`
        Input,     // network input `index`
        Output,    // network output `index`, written in place
        Arena,     // host arena + `offset`
        Device,    // device arena + `offset`
        Late,      // dims or values known only while running; memory belongs to the executor
    };
    Kind kind = Kind::None;
    int index = 0;
    size_t offset = 0;
    const void* pointer = nullptr;
    Dims dims;           // valid unless Late
    size_t bytes = 0;    // as stored in its format
};

struct PlanStep {
    enum class Kind : uint8_t {
        Kernel,       // prepared
        Nothing,      // all outputs are empty
        Late,         // prepared while running, once dims are known
        ControlFlow,  // If, Loop, Scan
    };
    Kind kind = Kind::Kernel;
    int layer = 0;  // index into CompiledGraph::layers
    std::unique_ptr<Kernel> kernel;
    std::string tactic;  // may differ from the engine's choice at other shapes
    size_t workspaceOffset = 0, workspaceBytes = 0;
    bool onDevice = false;
};

/// How to run a graph at one set of input dims: kernels, places, arena sizes. Immutable; shared by contexts.
struct Plan {
    const CompiledGraph* graph = nullptr;
    SymbolValues symbols;
    std::vector<PlanStep> steps;
    std::vector<TensorPlace> tensors;  // by TensorId
    std::vector<TensorId> lateTensors;  // those of kind Late
    size_t hostBytes = 0, deviceBytes = 0, largestWorkspace = 0;
    std::vector<std::shared_ptr<const void>> ownedConstants;  // evaluated symbolic constants
    int fallbacks = 0;  // steps that run by another tactic than the engine chose
};

/// Everything that plans of one engine share.
struct PlanEnvironment {
    const KernelRegistry* kernels = nullptr;
    PackedWeightsCache* packedWeights = nullptr;
    Device* device = nullptr;
    const CancelToken* cancel = nullptr;  // of whoever waits for the plan: it then fails with Cancelled
};

/// Evaluated elements of a symbolic constant, or null when a symbol has no value.
WeightsPtr evaluateSymbolicConstant(const Tensor& tensor, const SymbolValues& symbols);
/// Prepares one layer's kernel: the engine's tactic, or else the first that supports the problem (tactic tells which).
Result<std::unique_ptr<Kernel>> prepareKernel(const Problem& problem, const EngineLayer& layer, const std::string& layerName,
                                              const PlanEnvironment& environment, std::string& tactic);
/// `inputDims`: one a graph input. `outer`: symbols that the dims of inputs may refer to (a body's surroundings); symbols that are an
/// input's extent are bound from inputDims.
Result<std::shared_ptr<const Plan>> makePlan(const CompiledGraph& graph, const std::vector<Dims>& inputDims, const SymbolValues& outer, int threads,
                                             const PlanEnvironment& environment);

/// Plans by graph and key, least recently used dropped past a limit. Thread-safe; a plan is made once even when asked
/// for twice at once: the second waits, as long as its own token allows. Who asks for another plan waits for nobody.
class PlanCache {
public:
    Result<std::shared_ptr<const Plan>> get(const CompiledGraph& graph, const std::vector<Dims>& inputDims, const SymbolValues& outer, int threads,
                                            const PlanEnvironment& environment);

private:
    static constexpr size_t kMaxPlans = 64;
    using Key = std::pair<const CompiledGraph*, std::string>;
    struct Entry {
        std::shared_ptr<const Plan> plan;
        uint64_t lastUse = 0;
    };
    class Making;

    std::mutex m_mutex;  // of what follows; never held while a plan is made
    std::condition_variable m_madeOne;
    std::set<Key> m_beingMade;
    std::map<Key, Entry> m_plans;
    uint64_t m_clock = 0;
};

}  // namespace strobe
