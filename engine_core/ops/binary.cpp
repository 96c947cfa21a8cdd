#include <algorithm>
#include <array>
#include <utility>

#include "engine_core/ops/elementwise.h"
#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

using Fold = std::optional<Dim> (*)(const Dim&, const Dim&);

std::optional<Dim> truth(std::optional<bool> value) {
    return value ? std::optional<Dim>(*value ? 1 : 0) : std::nullopt;
}
std::optional<bool> provablyLess(const Dim& a, const Dim& b) {
    if (provablyAtMost(a + Dim(1), b)) return true;
    return provablyAtMost(b, a) ? std::optional<bool>(false) : std::nullopt;
}
bool bothNonNegative(const Dim& a, const Dim& b) {
    return provablyAtMost(Dim(0), a) && provablyAtMost(Dim(0), b) && b != Dim(0);
}

/// Integer division truncates; on symbols it is a floor division where both operands are known not to be negative.
std::optional<Dim> foldDiv(const Dim& a, const Dim& b) {
    if (a.isConstant() && b.isConstant() && b.constant() != 0 && b.constant() != -1)
        return Dim(a.constant() / b.constant());
    return bothNonNegative(a, b) ? std::optional<Dim>(Dim::floorDiv(a, b)) : std::nullopt;
}
std::optional<Dim> foldMod(const Dim& a, const Dim& b) {
    return bothNonNegative(a, b) ? std::optional<Dim>(Dim::mod(a, b)) : std::nullopt;
}
std::optional<Dim> foldAdd(const Dim& a, const Dim& b) {
    return a + b;
}
std::optional<Dim> foldSub(const Dim& a, const Dim& b) {
    return a - b;
}
std::optional<Dim> foldMul(const Dim& a, const Dim& b) {
    return a * b;
}
std::optional<Dim> foldMin(const Dim& a, const Dim& b) {
    return minOf(a, b);
}
std::optional<Dim> foldMax(const Dim& a, const Dim& b) {
    return maxOf(a, b);
}
std::optional<Dim> foldEqual(const Dim& a, const Dim& b) {
    return truth(provablyEqual(a, b));
}
std::optional<Dim> foldLess(const Dim& a, const Dim& b) {
    return truth(provablyLess(a, b));
}
std::optional<Dim> foldGreater(const Dim& a, const Dim& b) {
    return truth(provablyLess(b, a));
}
std::optional<Dim> foldLessOrEqual(const Dim& a, const Dim& b) {
    const auto greater = provablyLess(b, a);
    return greater ? truth(!*greater) : std::nullopt;
}
std::optional<Dim> foldGreaterOrEqual(const Dim& a, const Dim& b) {
    return foldLessOrEqual(b, a);
}
/// On booleans (0 or 1).
std::optional<Dim> foldAnd(const Dim& a, const Dim& b) {
    return a * b;
}
std::optional<Dim> foldOr(const Dim& a, const Dim& b) {
    return a + b - a * b;
}
std::optional<Dim> foldXor(const Dim& a, const Dim& b) {
    return a + b - Dim(2) * a * b;
}

struct BinaryRow {
    const char* name;
    unsigned types;
    bool toBool = false;
    bool variadic = false;
    Fold fold = nullptr;
    std::vector<AttributeSpec> attributes = {};
};

const std::vector<BinaryRow>& rows() {
    static const std::vector<BinaryRow> kRows = {
        {"Add", kNumberTypes, false, false, foldAdd},
        {"Sub", kNumberTypes, false, false, foldSub},
        {"Mul", kNumberTypes, false, false, foldMul},
        {"Div", kNumberTypes, false, false, foldDiv},
        {"Pow", kNumberTypes},
        {"Mod", kNumberTypes, false, false, foldMod, {{"fmod", AttributeKind::Int}}},
        {"PRelu", kNumberTypes},
        {"BitShift",
         kUnsignedTypes | kSignedTypes,
         false,
         false,
         nullptr,
         {{"direction", AttributeKind::String, true}}},
        {"BitwiseAnd", kIntTypes},
        {"BitwiseOr", kIntTypes},
        {"BitwiseXor", kIntTypes},
        {"Min", kNumberTypes, false, true, foldMin},
        {"Max", kNumberTypes, false, true, foldMax},
        {"Sum", kFloatTypes, false, true},
        {"Mean", kFloatTypes, false, true},
        {"Equal", kAnyType & ~unsigned(kSubByteTypes), true, false, foldEqual},
        {"Less", kNumberTypes, true, false, foldLess},
        {"LessOrEqual", kNumberTypes, true, false, foldLessOrEqual},
        {"Greater", kNumberTypes, true, false, foldGreater},
        {"GreaterOrEqual", kNumberTypes, true, false, foldGreaterOrEqual},
        {"And", kBoolType, true, false, foldAnd},
        {"Or", kBoolType, true, false, foldOr},
        {"Xor", kBoolType, true, false, foldXor},
    };
    return kRows;
}

/// Elements of the result, when all inputs' are known.
void propagate(InferenceContext& context, Fold fold, int count, const Shape& shape) {
    if (!fold || shape.size() > 1 || !isConstant(shape)) return;
    std::vector<Dim> result;
    for (int i = 0; i < count; ++i) {
        auto values = context.inputValues(i);
        if (!values || values->empty()) return;
        if (i == 0) {
            result = std::move(*values);
            continue;
        }
        const size_t size = std::max(result.size(), values->size());
        std::vector<Dim> next;
        for (size_t k = 0; k < size; ++k) {
            const auto value = fold(result[k % result.size()], (*values)[k % values->size()]);
            if (!value) return;
            next.push_back(*value);
        }
        result = std::move(next);
    }
    setValues(context, 0, shape, std::move(result));
}

Status inferRow(InferenceContext& context, const BinaryRow& row) {
    const int count = row.variadic ? context.inputCount() : 2;
    const DataType type = row.toBool ? DataType::Bool : context.inputType(0);
    context.setOutputUnknownRank(0, type);
    const bool mixed = std::string_view(row.name) == "Pow";
    Shape shape = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireType(context, 0, row.types));
    for (int i = 1; i < count; ++i) {
        STROBE_RETURN_IF_ERROR(requireType(context, i, row.types));
        if (!mixed) STROBE_RETURN_IF_ERROR(requireSameType(context, 0, i));
        STROBE_ASSIGN(shape, broadcastShapes(shape, context.inputShape(i)));
    }
    if (row.fold && type != DataType::Undefined && !isFloatingPoint(context.inputType(0)))
        propagate(context, row.fold, count, shape);
    context.setOutput(0, type, std::move(shape));
    return Status::ok();
}

template <size_t index>
Status inferAt(InferenceContext& context) {
    return inferRow(context, rows()[index]);
}
constexpr size_t kRowCount = 23;
template <size_t... index>
constexpr auto inferTable(std::index_sequence<index...>) {
    return std::array<Status (*)(InferenceContext&), kRowCount>{inferAt<index>...};
}

Status inferWhere(InferenceContext& context) {
    context.setOutputUnknownRank(0, context.inputType(1));
    STROBE_RETURN_IF_ERROR(requireType(context, 0, kBoolType));
    STROBE_RETURN_IF_ERROR(requireSameType(context, 1, 2));
    STROBE_ASSIGN(Shape shape, broadcastShapes(context.inputShape(1), context.inputShape(2)));
    STROBE_ASSIGN(shape, broadcastShapes(context.inputShape(0), shape));
    context.setOutput(0, context.inputType(1), shape);
    const auto condition = context.inputValues(0), a = context.inputValues(1), b = context.inputValues(2);
    if (!condition || !a || !b || condition->empty() || a->empty() || b->empty() || shape.size() > 1)
        return Status::ok();
    std::vector<Dim> values;
    for (size_t i = 0; i < std::max({condition->size(), a->size(), b->size()}); ++i) {
        const Dim& choice = (*condition)[i % condition->size()];
        if (!choice.isConstant()) return Status::ok();
        values.push_back(choice.constant() != 0 ? (*a)[i % a->size()] : (*b)[i % b->size()]);
    }
    setValues(context, 0, shape, std::move(values));
    return Status::ok();
}

std::optional<int> toPointwise(const Layer& layer, const Network& network, const std::vector<int>& values,
                               PointwiseProgram& program) {
    for (size_t i = layer.op->name == "Where" ? 1 : 0;
         i < layer.inputs.size() && static_cast<int>(i) < layer.op->maxInputs; ++i) {
        const DataType type = network.tensor(layer.inputs[i]).type;
        if (type != DataType::Bool && (!isFloatingPoint(type) || type == DataType::Float64)) return std::nullopt;
    }
    if (layer.op->name == "Where" && network.tensor(layer.inputs[1]).type == DataType::Bool) return std::nullopt;
    return lowerElementwise(layer.op->name, layer.attributes, values, program);
}

void addWhere(OpRegistry& registry) {
    OpDefinition op;
    op.name = "Where";
    op.minInputs = op.maxInputs = 3;
    op.infer = inferWhere;
    op.toPointwise = toPointwise;
    registry.add(std::move(op));
}

}  // namespace

STROBE_OPS(binary) {
    static constexpr auto kInfer = inferTable(std::make_index_sequence<kRowCount>());
    for (size_t i = 0; i < kRowCount; ++i) {
        const BinaryRow& row = rows()[i];
        OpDefinition op;
        op.name = row.name;
        op.minInputs = row.variadic ? 1 : 2;
        op.maxInputs = row.variadic ? OpDefinition::kVariadic : 2;
        op.attributes = row.attributes;
        op.infer = kInfer[i];
        if ((row.types & kFloatTypes) || row.types == kBoolType) op.toPointwise = toPointwise;
        registry.add(std::move(op));
    }
    addWhere(registry);
}

}  // namespace strobe
