#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/ir/network.h"

namespace strobe {

/// An element-wise computation: its tensors, and the program over them. Scalar constants have become instructions.
struct PointwiseForm {
    std::vector<TensorId> inputs;
    PointwiseProgram program;
};

/// Grows a program from several pieces: equal values are made once, and only what the results need is kept.
class PointwiseComposer {
public:
    int input(TensorId tensor);
    int constant(float value);
    /// `instruction`'s operands are values of this composer.
    int add(PointwiseInstruction instruction);
    /// Puts a program in place, its inputs being the given values; returns the values of its results.
    std::vector<int> inlineProgram(const PointwiseProgram& program, const std::vector<int>& inputValues);
    /// Inputs in order of `add`ing, `first` (when used) before all others.
    PointwiseForm finish(const std::vector<int>& results, TensorId first = kNone) const;

private:
    struct Value {
        TensorId tensor = kNone;  // an input when not kNone
        PointwiseInstruction instruction;
    };
    std::vector<Value> m_values;
};

/// What a layer computes on FP32, FP16 or BF16 tensors (flags inside a chain may be Bool), as a form; nullopt when it
/// is not element-wise, has several outputs or an epilogue. A "Pointwise" layer gives its own program.
std::optional<PointwiseForm> pointwiseForm(const Network& network, const Layer& layer);
/// The same for a layer of one input whose rank is known only when the model runs: there is nothing to broadcast.
std::optional<PointwiseForm> rankFreeForm(const Network& network, const Layer& layer);

/// Adds what the layer computes to a composer and returns its value. Inputs that stand in `known` are those values;
/// scalar constants become numbers.
std::optional<int> compose(PointwiseComposer& composer, const Network& network, const Layer& layer,
                           const std::map<TensorId, int>& known = {});

/// True when the inputs alone broadcast to `shape`, so that a Pointwise layer over them infers it.
bool broadcastsTo(const Network& network, const std::vector<TensorId>& inputs, const Shape& shape);

/// True for programs that only pass inputs through.
bool isTrivial(const PointwiseProgram& program);

}  // namespace strobe
