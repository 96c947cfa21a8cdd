#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/ir/attributes.h"
#include "engine_core/ir/dim.h"
#include "engine_core/ir/pointwise_program.h"
#include "engine_core/ir/weights.h"

namespace strobe {

class Network;
struct OpDefinition;

using TensorId = int;
using LayerId = int;
inline constexpr int kNone = -1;

/// A place where a tensor is read: input `index` of `layer`.
struct TensorUse {
    LayerId layer = kNone;
    int index = 0;
    bool operator==(const TensorUse&) const = default;
};

/// A value of the network. Exactly one of: network input, constant, symbolic constant, output of a layer.
struct Tensor {
    TensorId id = kNone;
    std::string name;  // unique within the network; ONNX names are kept
    DataType type = DataType::Undefined;
    Shape shape;             // valid when rankKnown
    bool rankKnown = true;   // false: known only when the model runs
    LayerId producer = kNone;
    int producerOutput = 0;
    std::vector<TensorUse> uses;  // kept by Network
    WeightsPtr constant;
    /// Elements known as expressions (integer tensors of rank ≤ 1, at most 1,024 elements): shape arithmetic. On a tensor without
    /// producer, input flag or constant, this *is* the value: a symbolic constant, worked out when shapes are bound.
    std::optional<std::vector<Dim>> values;
    bool isInput = false;
    bool isOutput = false;

    bool isConstant() const { return constant != nullptr; }
    bool isSymbolicConstant() const { return producer == kNone && !isInput && !constant && values.has_value(); }
};

/// Per-layer request of the user or of a pass about precision.
struct PrecisionRequest {
    DataType type = DataType::Undefined;  // Undefined: none
    std::string reason;                   // "set by user: conv*", "must stay fp32: accumulates indices"
};

/// A node. Inputs are the op's own (absent optional ones are kNone), padded to the op's maxInputs when `program` is an epilogue
/// with extra inputs; those extra inputs follow.
struct Layer {
    LayerId id = kNone;
    std::string name;  // unique, not empty
    const OpDefinition* op = nullptr;
    Attributes attributes;
    std::vector<TensorId> inputs;
    std::vector<TensorId> outputs;  // kNone where an optional output is absent
    /// Op "Pointwise": what it computes. Any other op: its epilogue, applied to output 0.
    std::optional<PointwiseProgram> program;
    /// Bodies of If, Loop, Scan; what they capture from outside has been made explicit layer inputs (see ops/control_flow).
    std::vector<std::shared_ptr<const Network>> subgraphs;
    std::vector<int> provenance;  // ascending indices into Network::sourceNodes()
    PrecisionRequest precision;
    bool removed = false;
};

/// One node of the model file, for provenance.
struct SourceNode {
    std::string name;  // as in the file, or "Op_index" where the file has none
    std::string opType;
    std::string domain;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

/// A directed acyclic graph of layers over SSA tensors. A value: copies are independent (weights are shared). Ids are stable:
/// a pass never renumbers, so the same id means the same tensor in the parsed and in the fused network. Not thread-safe.
class Network {
public:
    const std::string& name() const { return m_name; }
    void setName(std::string name) { m_name = std::move(name); }

    // --- building
    TensorId addInput(std::string name, DataType type, Shape shape);
    TensorId addConstant(std::string name, WeightsPtr weights);
    TensorId addSymbolicConstant(std::string name, std::vector<Dim> values, bool scalar = false);
    /// A tensor without a definition yet; it becomes a layer's output. `name` is made unique by a suffix when taken.
    TensorId addTensor(std::string name, DataType type = DataType::Undefined, Shape shape = {});
    /// Adds a layer that reads `inputs` and defines `outputs` (tensors without producer). The name is made unique.
    LayerId addLayer(std::string name, const OpDefinition* op, Attributes attributes, std::vector<TensorId> inputs, std::vector<TensorId> outputs);
    void markOutput(TensorId tensor);
    void setSourceNodes(std::shared_ptr<const std::vector<SourceNode>> nodes) { m_sourceNodes = std::move(nodes); }

    // --- rewriting
    /// Requires that no output of the layer is used or a network output. Its outputs cease to exist.
    void removeLayer(LayerId layer);
    void setInput(LayerId layer, int index, TensorId tensor);
    void setInputs(LayerId layer, std::vector<TensorId> inputs);
    /// Detaches output `index` of the layer (its tensor then has no producer).
    void setOutput(LayerId layer, int index, TensorId tensor);
    /// Every use of `from`, and its place among the network outputs, becomes `to`. When `from` was a network output, `to` takes its name.
    void replaceAllUses(TensorId from, TensorId to);
    /// Turns a produced tensor into a constant; its producer loses that output.
    void makeConstant(TensorId tensor, WeightsPtr weights);
    /// The tensor is no network input any more; the caller gives it another definition, or it ceases to exist (then nothing may use it).
    void dropInput(TensorId tensor);
    /// Replaces symbols in all shapes and values, bodies included; shapes that follow are the caller's to infer again.
    void substituteSymbols(const std::map<std::string, Dim>& values);
    /// Drops constants that nothing uses.
    void removeUnusedConstants();
    /// The same for one tensor; false: it is no constant, or used.
    bool removeIfUnusedConstant(TensorId tensor);
    /// Bytes of all constants, those of bodies included; memory that several share, in whole or in part, counts once.
    double constantBytes() const;

    // --- reading
    const Tensor& tensor(TensorId id) const { return m_tensors[static_cast<size_t>(id)]; }
    Tensor& tensor(TensorId id) { return m_tensors[static_cast<size_t>(id)]; }
    const Layer& layer(LayerId id) const { return m_layers[static_cast<size_t>(id)]; }
    Layer& layer(LayerId id) { return m_layers[static_cast<size_t>(id)]; }
    int tensorCount() const { return static_cast<int>(m_tensors.size()); }  // ids, dead ones included
    int layerCount() const;                                                 // living layers
    int layerIdCount() const { return static_cast<int>(m_layers.size()); }  // ids, removed ones included
    /// True when a tensor id still means something (input, constant, produced).
    bool isAlive(TensorId tensor) const;
    const std::vector<TensorId>& inputs() const { return m_inputs; }
    const std::vector<TensorId>& outputs() const { return m_outputs; }
    TensorId findTensor(std::string_view name) const;
    LayerId findLayer(std::string_view name) const;
    const std::vector<SourceNode>& sourceNodes() const;
    std::shared_ptr<const std::vector<SourceNode>> sharedSourceNodes() const { return m_sourceNodes; }
    /// Living layers, producers first, otherwise in id order. Layers on a cycle are left out (the verifier names them).
    std::vector<LayerId> topologicalOrder() const;
    /// What inference puts before the layer id to name an extent known only at run time: "u" → "u12". Bodies of control flow take a
    /// prefix of their own, since their inputs' dims may speak of the outer network's symbols.
    const std::string& symbolPrefix() const { return m_symbolPrefix; }
    void setSymbolPrefix(std::string prefix) { m_symbolPrefix = std::move(prefix); }
    std::string uniqueTensorName(std::string name) const;

    /// Text form, one line a tensor or layer, in topological order.
    std::string toString() const;

private:
    void addUse(TensorId tensor, LayerId layer, int index);
    void removeUse(TensorId tensor, LayerId layer, int index);
    TensorId newTensor(std::string name);

    std::string m_name;
    std::vector<Tensor> m_tensors;
    std::vector<Layer> m_layers;
    std::vector<TensorId> m_inputs, m_outputs;
    std::map<std::string, TensorId, std::less<>> m_tensorByName;
    std::map<std::string, LayerId, std::less<>> m_layerByName;
    std::shared_ptr<const std::vector<SourceNode>> m_sourceNodes;
    std::string m_symbolPrefix = "u";
};

/// The program has the inputs and results that its layer says. An epilogue's extra inputs may not widen the result
/// either: that is checked where the fusion is made.
Status checkProgram(const Layer& layer);
/// Arity, attribute kinds and program of one layer; Internal error naming the first violation.
Status checkLayer(const Layer& layer);
/// Checks the spec of the IR: ids, uses, unique names, no cycle, arity, attribute kinds, inferred types and shapes equal to the
/// stored ones, valid programs. Internal error naming the first violation.
Status verify(const Network& network);

}  // namespace strobe
