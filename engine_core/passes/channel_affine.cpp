#include "engine_core/passes/channel_affine.h"

#include <algorithm>
#include <cmath>

namespace strobe {
namespace {

/// One number per channel from a constant that varies along `axis` of a rank-`rank` tensor only.
std::optional<std::vector<float>> perChannel(const Tensor& constant, size_t rank, size_t axis, int64_t channels) {
    if (!constant.constant || !isRealType(constant.type) || constant.constant->dims.size() > rank) return std::nullopt;
    const Dims& dims = constant.constant->dims;
    for (size_t i = 0; i < dims.size(); ++i)
        if (dims[i] != 1 && (i + rank - dims.size() != axis || dims[i] != channels)) return std::nullopt;
    std::vector<float> values = toFloats(*constant.constant);
    if (values.size() == 1) values.assign(static_cast<size_t>(channels), values[0]);
    return values;
}

ChannelAffine fromScale(std::vector<float> scale) {
    ChannelAffine affine;
    affine.shift.assign(scale.size(), 0.0f);
    affine.scale = std::move(scale);
    return affine;
}

ChannelAffine fromShift(std::vector<float> shift) {
    ChannelAffine affine;
    affine.scale.assign(shift.size(), 1.0f);
    affine.shift = std::move(shift);
    return affine;
}

}  // namespace

bool ChannelAffine::scales() const {
    return std::any_of(scale.begin(), scale.end(), [](float s) { return s != 1.0f; });
}

ChannelAffine ChannelAffine::then(const ChannelAffine& next) const {
    ChannelAffine both = *this;
    for (size_t i = 0; i < scale.size(); ++i) {
        both.scale[i] = scale[i] * next.scale[i];
        both.shift[i] = shift[i] * next.scale[i] + next.shift[i];
    }
    return both;
}

std::optional<ChannelAffine> affineOfBatchNorm(const Network& network, const Layer& layer, std::string& why) {
    if (layer.attributes.getBool("training_mode", false)) {
        why = "it runs in training mode";
        return std::nullopt;
    }
    std::vector<std::vector<float>> parameters;
    for (size_t i = 1; i < 5; ++i) {
        const Tensor& t = network.tensor(layer.inputs[i]);
        if (!t.constant) {
            why = "its parameter '" + t.name + "' is not constant";
            return std::nullopt;
        }
        parameters.push_back(toFloats(*t.constant));
        // Of a symbolic channel count inference checked none against another.
        if (parameters.back().size() != parameters.front().size()) {
            why = "its parameters '" + network.tensor(layer.inputs[1]).name + "' and '" + t.name + "' differ in length";
            return std::nullopt;
        }
    }
    const double epsilon = static_cast<double>(layer.attributes.getFloat("epsilon", 1e-5f));
    ChannelAffine affine;
    for (size_t c = 0; c < parameters[0].size(); ++c) {
        const double scale =
            static_cast<double>(parameters[0][c]) / std::sqrt(static_cast<double>(parameters[3][c]) + epsilon);
        affine.scale.push_back(static_cast<float>(scale));
        affine.shift.push_back(
            static_cast<float>(static_cast<double>(parameters[1][c]) - static_cast<double>(parameters[2][c]) * scale));
    }
    return affine;
}

std::optional<ChannelAffine> affineOfArithmetic(const Network& network, const Layer& layer, TensorId x, size_t axis) {
    const std::string& op = layer.op->name;
    if (layer.program || (op != "Add" && op != "Sub" && op != "Mul" && op != "Div")) return std::nullopt;
    const TensorId other = otherOperand(layer, x);
    const Tensor& t = network.tensor(x);
    if (other == kNone || !t.rankKnown || axis >= t.shape.size() || !t.shape[axis].isConstant()) return std::nullopt;
    if ((op == "Sub" || op == "Div") && layer.inputs[0] != x) return std::nullopt;
    auto values = perChannel(network.tensor(other), t.shape.size(), axis, t.shape[axis].constant());
    if (!values) return std::nullopt;
    if (op == "Sub") std::transform(values->begin(), values->end(), values->begin(), [](float v) { return -v; });
    if (op == "Div") std::transform(values->begin(), values->end(), values->begin(), [](float v) { return 1.0f / v; });
    return op == "Add" || op == "Sub" ? fromShift(std::move(*values)) : fromScale(std::move(*values));
}

}  // namespace strobe
