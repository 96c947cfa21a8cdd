#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/ops/op_definition.h"
#include "engine_core/passes/pass.h"

namespace strobe {

// What every pass needs to recognise a pattern and to put one layer in its place.

/// A pass without state of its own: a name, one line of purpose and a function.
std::unique_ptr<Pass> makePass(std::string_view name, std::string_view purpose, Status (*run)(Network&, PassContext&));

/// Calls `visit(id)` for the layers that live when their turn comes, producers first, until one returns an error or
/// work is cancelled. Layers that `visit` adds are not visited.
template <class Visit>
Status forEachLayer(Network& network, const PassContext& context, Visit visit) {
    for (LayerId id : network.topologicalOrder()) {
        if (context.cancel.isCancelled()) return cancelled();
        if (!network.layer(id).removed) STROBE_RETURN_IF_ERROR(visit(id));
    }
    return Status::ok();
}

// --- recognising

/// True for a layer of that op without an epilogue.
bool isPlain(const Layer& layer, std::string_view op);
/// The input, or kNone when the layer has no such slot or nothing in it.
TensorId inputAt(const Layer& layer, int index);
/// The layer that defines the tensor; nullptr for inputs and constants.
const Layer* producerOf(const Network& network, TensorId tensor);
/// The same, when it is an `op` without an epilogue and the tensor is its output 0.
const Layer* producerOf(const Network& network, TensorId tensor, std::string_view op);
/// The layer that alone reads the tensor (perhaps several times); nullptr when there are others, none, or it is a
/// network output.
const Layer* onlyReader(const Network& network, TensorId tensor);
/// Why the tensor must stay although `inside` go: a network output, or read by another layer. Empty: it may go.
std::string whyVisible(const Network& network, TensorId tensor, std::span<const LayerId> inside);
/// The first such reason over all outputs of `layers` but `kept`.
std::string whyVisible(const Network& network, std::span<const LayerId> layers, std::span<const TensorId> kept);

/// Why nothing can be read off the tensor's shape; empty: its rank is known. Behind an unknown rank nothing was checked
/// either: operands may contradict each other until a run says so.
std::string whyNoRank(const Network& network, TensorId tensor);

/// The number in a constant of one element.
std::optional<double> scalarConstant(const Network& network, TensorId tensor);
/// Elements of a constant integer tensor.
std::optional<std::vector<int64_t>> integerConstant(const Network& network, TensorId tensor);
bool isNear(double found, double expected);

/// A two-operand layer of which one operand is a constant of one element that does not raise the other's rank.
struct ScalarOperation {
    TensorId operand = kNone;
    double scalar = 0;
    int operandIndex = 0;
};
std::optional<ScalarOperation> scalarOperation(const Network& network, const Layer& layer);
/// For Add or Mul: the operand that is not `tensor`; kNone when `tensor` is none of them (or both).
TensorId otherOperand(const Layer& layer, TensorId tensor);

/// The constant axes of a reduction, ascending; empty: none, or not known.
std::vector<int64_t> reducedAxes(const Network& network, const Layer& reduction);
/// What is behind the reshapes, appended to `layers`, that lead a reduction without keepdims back to what was reduced.
/// They keep the row-major order, so the last shape tells which element is which.
TensorId behindReshapes(const Network& network, TensorId tensor, std::vector<LayerId>& layers);
/// Its shape is x's with extents of 1 along `axes`, so that it meets x element by element.
bool isReductionOf(const Network& network, TensorId tensor, TensorId x, std::span<const int64_t> axes);

bool isRealType(DataType type);  // fp32, fp16, bf16: what pointwise programs compute on
/// Elements of a floating-point constant in its own type again.
WeightsPtr weightsFromFloats(DataType type, Dims dims, std::span<const float> values);

// --- rewriting

/// One layer in the place of several.
struct Fusion {
    std::vector<LayerId> layers;  // those that go; none of their tensors but `outputs` may be seen outside
    LayerId namesake = kNone;     // the most significant of them
    const OpDefinition* op = nullptr;
    Attributes attributes;
    std::vector<TensorId> inputs;
    std::vector<TensorId> outputs;  // defined by the new layer; the old producers lose them
    std::optional<PointwiseProgram> program;
    std::string description;
};
/// Makes the layer (provenance: union; name and precision: the namesake's), infers it and records the rewrite.
Result<LayerId> fuse(Network& network, const PassContext& context, Fusion fusion);

/// A Transpose named as its output, from `x` to the new tensor `y` that has no producer yet.
Status addTranspose(Network& network, TensorId x, TensorId y, const std::vector<int64_t>& perm,
                    std::vector<int> provenance);

/// Removes a layer of one output whose result equals `replacement`. False with a near miss when an output's name would
/// be lost.
bool bypass(Network& network, const PassContext& context, LayerId layer, TensorId replacement, std::string description);

std::vector<int> mergedProvenance(const Network& network, std::span<const LayerId> layers);
/// Bytes of the tensor when its shape is constant, else −1.
double tensorBytes(const Network& network, TensorId tensor);

}  // namespace strobe
