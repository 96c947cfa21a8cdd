#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/builder/builder_config.h"
#include "engine_core/builder/tactic.h"
#include "engine_core/ir/format.h"
#include "engine_core/ir/network.h"

namespace strobe {

class ExecutionContext;
struct CompiledGraph;

/// One way that the builder weighed for a layer: timed, or declined with the reason.
struct CandidateRecord {
    std::string tactic;
    std::string formats;       // "fp32 nhwc, … → fp32 nhwc"
    double milliseconds = -1;  // median; −1: not timed
    std::string declined;      // why not; empty when it could run
    bool chosen = false;
};

/// A layer of the engine network with what the builder decided for it.
struct EngineLayer {
    LayerId layer = kNone;  // in CompiledGraph::network
    DeviceKind device = DeviceKind::Cpu;
    std::string tactic;
    std::vector<Format> inputs, outputs;  // one an input and output slot
    DataType roundOutputs = DataType::Undefined;  // precision preview: outputs are rounded to this format after the layer
    double buildMilliseconds = -1;  // time measured while building, at the opt shapes
    std::string precisionNote;      // why this precision: a rule, "must stay fp32: …", "bf16: 1.9× faster"
    std::vector<CandidateRecord> candidates;
    std::vector<std::shared_ptr<const CompiledGraph>> bodies;  // If, Loop, Scan
};

/// A network made ready: layers in execution order (Reformat layers included), each with its tactic and formats. Immutable.
struct CompiledGraph {
    Network network;
    std::vector<EngineLayer> layers;
};
/// `layer` of `graph` only changes the format of a tensor: the builder put it there, no node of the model asked for it.
/// It carries its producer's provenance.
bool isReformat(const CompiledGraph& graph, const EngineLayer& layer);

struct BindingInfo {
    std::string name;
    DataType type = DataType::Undefined;
    Shape shape;
    bool rankKnown = true;
};

struct MemoryFigures {
    size_t weights = 0;      // constants as stored in the engine
    size_t activations = 0;  // arena for one context
    size_t workspace = 0;    // largest kernel workspace (within the arena)
};

/// A built network: immutable, shareable between threads and contexts. Holds no activation memory.
class Engine : public std::enable_shared_from_this<Engine> {
public:
    struct Parts {
        std::shared_ptr<const CompiledGraph> graph;
        BuilderConfig config;
        DeviceInfo device;
        std::string modelName, modelHash;
        std::vector<OptimizationProfile> profiles;  // never empty when an input is dynamic
        SymbolValues optSymbols;                    // symbols at the first profile's opt shapes
    };
    /// `kernels` must outlive the engine. Fails when a tactic named in the graph is not registered.
    static Result<std::shared_ptr<const Engine>> create(Parts parts, const KernelRegistry& kernels);
    /// Reads the file once and uses the weights in place; what becomes of the file afterwards does not matter. Errors: damaged, other version, other ISA or device (with "rebuild"), unknown tactic.
    static Result<std::shared_ptr<const Engine>> load(const std::string& path, const KernelRegistry& kernels);
    static Result<std::shared_ptr<const Engine>> loadBytes(std::shared_ptr<const void> owner, std::span<const uint8_t> bytes, const std::string& shownName,
                                                           const KernelRegistry& kernels, const CancelToken* cancel = nullptr);
    /// The engine file's bytes; equal for equal builds.
    Result<std::vector<uint8_t>> serialize() const;
    /// How many those are, without making them.
    size_t fileBytes() const;
    /// The file is whole or not there.
    Status save(const std::string& path, const CancelToken* cancel = nullptr) const;
    ~Engine();

    const Parts& parts() const { return m_parts; }
    const CompiledGraph& graph() const { return *m_parts.graph; }
    const KernelRegistry& kernels() const { return m_kernels; }
    std::vector<BindingInfo> inputs() const;
    std::vector<BindingInfo> outputs() const;
    /// At given input shapes (by name); nullopt shapes use the first profile's opt.
    Result<MemoryFigures> memory(const std::map<std::string, Dims>& shapes) const;

    /// A context runs one inference at a time; make one per thread. threads 0: as the engine was built.
    Result<std::unique_ptr<ExecutionContext>> createContext(int threads = 0) const;

    /// Which profile allows these shapes; an OutOfRange error names input, dim, value found and range allowed.
    Result<int> profileFor(const std::map<std::string, Dims>& shapes) const;
    /// Whether that one does. OutOfRange as above, or where the engine has no such profile.
    Status checkProfile(int profile, const std::map<std::string, Dims>& shapes) const;

    struct Shared;  // plans and packed weights, shared by all contexts
    Shared& shared() const { return *m_shared; }

private:
    Engine(Parts parts, const KernelRegistry& kernels);
    Parts m_parts;
    const KernelRegistry& m_kernels;
    std::unique_ptr<Shared> m_shared;
};

}  // namespace strobe
