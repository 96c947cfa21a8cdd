#include "engine_core/onnx/lifting.h"

namespace strobe {
namespace {

constexpr const char* kMicrosoft = "com.microsoft";

Attributes geluAttributes(const char* approximate) {
    Attributes attributes;
    attributes.set("approximate", std::string(approximate));
    return attributes;
}

Status needInputs(const NodeLift& node, size_t least) {
    for (size_t i = 0; i < least; ++i)
        if (!node.hasInput(i))
            return invalidModel("lacks input " + std::to_string(i) + ", " + std::to_string(least) + " are needed");
    return Status::ok();
}

/// Gelu, BiasGelu (erf) and FastGelu (tanh), each with a bias as optional second input.
Status biasedGelu(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(needInputs(node, node.op == "BiasGelu" ? 2 : 1));
    TensorId x = node.inputs[0];
    if (node.hasInput(1)) {
        STROBE_ASSIGN(x, node.emit("Add", {}, {x, node.inputs[1]}));
    }
    node.become("Gelu", geluAttributes(node.op == "FastGelu" ? "tanh" : "none"), {x});
    return Status::ok();
}

/// x · sigmoid(alpha · x)
Status quickGelu(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(needInputs(node, 1));
    const TensorId x = node.inputs[0];
    STROBE_ASSIGN(const float factor, node.attribute<float>("alpha", 1.702f));
    const TensorId alpha = node.scalar("alpha", node.input(0)->type, factor);
    STROBE_ASSIGN(const TensorId scaled, node.emit("Mul", {}, {x, alpha}));
    STROBE_ASSIGN(const TensorId gate, node.emit("Sigmoid", {}, {scaled}));
    node.become("Mul", {}, {x, gate});
    return Status::ok();
}

/// Input `index` with its last two dims swapped.
Status transposeLastTwo(NodeLift& node, size_t index) {
    const auto rank = node.rank(index);
    if (!rank || *rank < 2)
        return unsupported("transposing input " + std::to_string(index) + " needs a known rank of 2 or more");
    std::vector<int64_t> permutation;
    for (int64_t i = 0; i < *rank; ++i) permutation.push_back(i);
    std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
    Attributes attributes;
    attributes.set("perm", permutation);
    STROBE_ASSIGN(node.inputs[index], node.emit("Transpose", attributes, {node.inputs[index]}));
    return Status::ok();
}

Status fusedMatMul(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(needInputs(node, 2));
    for (const char* flag : {"transBatchA", "transBatchB"}) {
        STROBE_ASSIGN(const int64_t set, node.attribute<int64_t>(flag, 0));
        if (set != 0)
            return unsupported(std::string("FusedMatMul with ") + flag +
                               " is not served; export the model before onnxruntime optimises it");
    }
    STROBE_ASSIGN(const int64_t transA, node.attribute<int64_t>("transA", 0));
    STROBE_ASSIGN(const int64_t transB, node.attribute<int64_t>("transB", 0));
    if (transA != 0) STROBE_RETURN_IF_ERROR(transposeLastTwo(node, 0));
    if (transB != 0) STROBE_RETURN_IF_ERROR(transposeLastTwo(node, 1));
    STROBE_ASSIGN(const float alpha, node.attribute<float>("alpha", 1.0f));
    if (alpha == 1.0f) {
        node.become("MatMul", {}, {node.inputs[0], node.inputs[1]});
        return Status::ok();
    }
    const TensorId factor = node.scalar("alpha", node.input(0)->type, alpha);
    STROBE_ASSIGN(const TensorId product, node.emit("MatMul", {}, {node.inputs[0], node.inputs[1]}));
    node.become("Mul", {}, {product, factor});
    return Status::ok();
}

Result<Attributes> normalizationAttributes(const NodeLift& node, int64_t axis, float defaultEpsilon) {
    STROBE_ASSIGN(const float epsilon, node.attribute<float>("epsilon", defaultEpsilon));
    Attributes attributes;
    attributes.set("axis", axis);
    attributes.set("epsilon", epsilon);
    return attributes;
}

/// (input + skip + bias) normalised; output 3 is the sum itself.
Status skipNormalization(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(needInputs(node, 3));
    const bool simplified = node.op == "SkipSimplifiedLayerNormalization";
    const size_t biasSlot = simplified ? 3 : 4;
    STROBE_ASSIGN(TensorId sum, node.emit("Add", {}, {node.inputs[0], node.inputs[1]}));
    if (node.hasInput(biasSlot)) {
        STROBE_ASSIGN(sum, node.emit("Add", {}, {sum, node.inputs[biasSlot]}));
    }
    std::vector<TensorId> inputs = {sum, node.inputs[2]};
    if (!simplified && node.hasInput(3)) inputs.push_back(node.inputs[3]);
    if (node.outputCount > 3) node.aliases[3] = sum;
    node.outputCount = 1;
    STROBE_ASSIGN(const Attributes attributes, normalizationAttributes(node, -1, 1e-12f));
    node.become(simplified ? "RMSNormalization" : "LayerNormalization", attributes, inputs);
    return Status::ok();
}

Status simplifiedNormalization(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(needInputs(node, 2));
    STROBE_ASSIGN(const int64_t axis, node.attribute<int64_t>("axis", -1));
    STROBE_ASSIGN(const Attributes attributes, normalizationAttributes(node, axis, 1e-5f));
    node.outputCount = 1;
    node.become("RMSNormalization", attributes, {node.inputs[0], node.inputs[1]});
    return Status::ok();
}

Status sameAsOnnx(NodeLift& node) {
    node.domain.clear();
    node.version = kAnyVersion;
    return Status::ok();
}

}  // namespace

void appendLiftingContrib(std::vector<LiftRule>& rules) {
    const LiftRule own[] = {
        {kMicrosoft, "Gelu", kAnyVersion, biasedGelu},
        {kMicrosoft, "BiasGelu", kAnyVersion, biasedGelu},
        {kMicrosoft, "FastGelu", kAnyVersion, biasedGelu},
        {kMicrosoft, "QuickGelu", kAnyVersion, quickGelu},
        {kMicrosoft, "FusedMatMul", kAnyVersion, fusedMatMul},
        {kMicrosoft, "LayerNormalization", kAnyVersion, sameAsOnnx},
        {kMicrosoft, "SkipLayerNormalization", kAnyVersion, skipNormalization},
        {kMicrosoft, "SkipSimplifiedLayerNormalization", kAnyVersion, skipNormalization},
        {"", "SimplifiedLayerNormalization", kAnyVersion, simplifiedNormalization},
    };
    rules.insert(rules.end(), std::begin(own), std::end(own));
}

}  // namespace strobe
