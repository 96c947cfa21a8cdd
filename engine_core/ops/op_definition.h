#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/ir/network.h"
#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// Colour families of the views (GUI.md).
enum class OpFamily : uint8_t {
    Convolution, MatMul, Attention, Normalization, Pointwise, PoolingReduction, ShapeCopy, Recurrent, Quantization, ControlFlow
};
std::string_view opFamilyName(OpFamily family);

enum class AttributeKind : uint8_t { Int, Float, String, Ints, Floats, Strings, Tensor, Graph };
std::string_view attributeKindName(AttributeKind kind);
/// Kind of a stored value (Graph is never stored: subgraphs live in Layer::subgraphs).
AttributeKind kindOf(const AttributeValue& value);

struct AttributeSpec {
    std::string name;
    AttributeKind kind;
    bool required = false;
};

/// What shape and type inference sees of a layer, and where it writes. The same function serves symbolic shapes (import), and
/// constant ones (at run time, when input values are known): it must not tell the two apart.
class InferenceContext {
public:
    virtual ~InferenceContext() = default;
    virtual const Attributes& attributes() const = 0;
    virtual int inputCount() const = 0;   // slots, absent ones included
    virtual int outputCount() const = 0;  // slots the layer has
    virtual bool hasInput(int index) const = 0;
    virtual DataType inputType(int index) const = 0;
    /// Rank 0 for an absent input, and where the rank is known only when the model runs: of an infer() that is called
    /// then, only the element types count (layers with bodies excepted).
    virtual const Shape& inputShape(int index) const = 0;
    /// Elements of an integer input, when known as constants or expressions (flattened).
    virtual std::optional<std::vector<Dim>> inputValues(int index) const = 0;
    /// The constant behind an input, else nullptr.
    virtual WeightsPtr inputConstant(int index) const = 0;
    virtual std::span<const std::shared_ptr<const Network>> subgraphs() const = 0;

    virtual void setOutput(int index, DataType type, Shape shape) = 0;
    virtual void setOutputUnknownRank(int index, DataType type) = 0;
    /// Elements of output `index` as expressions (shape arithmetic); ignored when longer than 1,024.
    virtual void setOutputValues(int index, std::vector<Dim> values) = 0;
    /// An extent that is only known when the model runs.
    virtual Dim freshSymbol() = 0;
};

/// A layer at concrete shapes, for cost.
struct CostContext {
    const Attributes& attributes;
    std::span<const Dims> inputs;   // rank-0 dims for absent ones
    std::span<const Dims> outputs;
};

/// Everything engine_core knows of an op. One canonical meaning per op: the newest opset's (the importer lifts older ones).
struct OpDefinition {
    std::string name;  // ONNX op type, or our own for fused ones
    bool isInternal = false;  // ours: passes and the builder make it, a model file cannot name it
    OpFamily family = OpFamily::Pointwise;
    int minInputs = 0;
    int maxInputs = 0;  // own inputs; kVariadic: any number (such an op takes no epilogue inputs)
    int minOutputs = 1;
    int maxOutputs = 1;
    /// Each output has its part of the result, whether or not it is read (Split): none may be absent.
    bool needsEveryOutput = false;
    /// Output `index` is a tensor even if nobody asked for it; kernels rely on that.
    bool needsOutput(int index) const { return needsEveryOutput || index < minOutputs; }
    std::vector<AttributeSpec> attributes;
    /// Inputs whose *values* decide the output shape (Reshape's shape, Slice's starts …), as a bit mask. At run time the kernel
    /// always finds such an input in host memory, in its Problem.
    uint32_t valueInputs = 0;
    /// Output shape is known only after the kernel ran (NonZero, Loop …); the kernel allocates those outputs itself.
    bool dataDependentShape = false;
    /// Same inputs give other outputs (RandomNormal …): never folded, never merged.
    bool nondeterministic = false;
    /// A result that must not be rounded below FP32 even if asked; the reason is shown. Empty: may be rounded.
    std::string keepFp32Reason;

    /// Sets every output's type and shape. Errors name attribute or input, value found, value allowed; the caller adds file and node.
    Status (*infer)(InferenceContext&) = nullptr;
    /// Floating-point (or integer multiply-add) operations of one run; nullptr: one per output element.
    double (*flops)(const CostContext&) = nullptr;
    /// For element-wise ops: appends what the layer computes, given the value numbers of its inputs; returns the result's value
    /// number, or nullopt when these attributes or types have no FP32 scalar form. nullptr: not element-wise.
    std::optional<int> (*toPointwise)(const Layer& layer, const Network& network, const std::vector<int>& inputValues, PointwiseProgram& program) = nullptr;

    static constexpr int kVariadic = 1 << 20;
};

/// All ops, by name. Filled once at first use, then read-only from any thread.
class OpRegistry {
public:
    static const OpRegistry& instance();
    const OpDefinition* find(std::string_view name) const;  // nullptr: unknown
    /// Requires the op to exist (a name in our own code).
    const OpDefinition* get(std::string_view name) const;
    std::vector<const OpDefinition*> all() const;
    /// The known name nearest to an unknown one, for messages.
    std::string nearest(std::string_view name) const;

    void add(OpDefinition definition);

private:
    std::vector<std::unique_ptr<OpDefinition>> m_ops;
};

/// Body of a file in engine_core/ops: STROBE_OPS(conv) { registry.add({...}); } — listed by strobe_ops(conv) in CMake.
#define STROBE_OPS(file) void registerOps_##file([[maybe_unused]] ::strobe::OpRegistry& registry)

/// Runs an op's inference for one layer of a network and stores types, shapes and values in its output tensors. Folds integer
/// shape arithmetic: outputs whose values come out known keep them.
Status inferLayer(Network& network, LayerId layer);
/// inferLayer over the whole network in topological order; the error names the node.
Status inferNetwork(Network& network);
/// Infers at constant shapes without a network: inputs given as dims (+ host values for value inputs), returns output types and
/// dims; a dim that only the kernel can tell is −1.
struct ConcreteInput {
    bool present = false;
    DataType type = DataType::Undefined;
    Dims dims;
    const void* hostData = nullptr;  // elements, when known
};
struct ConcreteOutput {
    DataType type = DataType::Undefined;
    Dims dims;
    bool rankKnown = true;
};
Result<std::vector<ConcreteOutput>> inferConcrete(const OpDefinition& op, const Attributes& attributes,
                                                  std::span<const std::shared_ptr<const Network>> subgraphs,
                                                  std::span<const ConcreteInput> inputs, int outputCount);

}  // namespace strobe
