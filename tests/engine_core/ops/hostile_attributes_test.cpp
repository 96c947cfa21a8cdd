// Every op's inference with numbers that no exporter writes: an error or sound extents, never an overflow (the sanitize preset watches).
#include <gtest/gtest.h>

#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

constexpr int64_t kHostile[] = {INT64_MIN, INT64_MIN + 1, -5, -1, 0, 1, 3, int64_t{1} << 31, int64_t{1} << 62, INT64_MAX};

/// One op on inputs of `rank` dims of 4; inputs whose values count are [value, 2].
class Trial {
public:
    Trial(const OpDefinition& op, size_t rank, DataType type, int64_t value) : m_op(op), m_values{value, 2}, m_floats{static_cast<float>(value), 2.0f} {
        const int inputs = std::min(op.maxInputs, std::max(op.minInputs, 2));
        for (int i = 0; i < inputs; ++i) {
            const bool isValue = i < 32 && (op.valueInputs >> i & 1u);
            const bool isScale = isValue && op.name == "Resize" && i < 3;
            if (isValue)
                m_inputs.push_back({true, isScale ? DataType::Float32 : DataType::Int64, {2}, isScale ? static_cast<const void*>(m_floats) : m_values});
            else
                m_inputs.push_back({true, type, Dims(rank, 4), nullptr});
        }
        for (const AttributeSpec& spec : op.attributes)
            if (spec.required) set(spec, 1, rank);
    }

    void set(const AttributeSpec& spec, int64_t value, size_t rank) {
        if (spec.kind == AttributeKind::Int) m_attributes.set(spec.name, value);
        if (spec.kind == AttributeKind::Float) m_attributes.set(spec.name, static_cast<float>(value));
        if (spec.kind == AttributeKind::Ints) m_attributes.set(spec.name, std::vector<int64_t>(spec.name == "pads" ? 2 * (rank - 2) : spec.name == "perm" ? rank : rank - 2, value));
    }

    void expectSound(const std::string& what) const {
        const auto outputs = inferConcrete(m_op, m_attributes, {}, m_inputs, std::min(m_op.maxOutputs, 3));
        if (!outputs) {
            EXPECT_FALSE(outputs.status().message().empty()) << what;
            EXPECT_NE(outputs.status().code(), ErrorCode::Internal) << what << ": " << outputs.status().message();
            return;
        }
        std::vector<Dims> inputs, results;
        for (const ConcreteInput& input : m_inputs) inputs.push_back(input.dims);
        for (const ConcreteOutput& output : *outputs) {
            results.push_back(output.dims);
            for (int64_t extent : output.dims) EXPECT_GE(extent, -1) << what << " gives " << toString(output.dims);
        }
        if (m_op.flops) (void)m_op.flops({m_attributes, inputs, results});
    }

private:
    const OpDefinition& m_op;
    int64_t m_values[2];
    float m_floats[2];
    Attributes m_attributes;
    std::vector<ConcreteInput> m_inputs;
};

TEST(HostileAttributes, InferenceRefusesThemOrGivesSoundExtents) {
    for (const OpDefinition* op : OpRegistry::instance().all()) {
        if (op->family == OpFamily::ControlFlow) continue;
        for (size_t rank : {size_t{2}, size_t{3}, size_t{4}})
            for (DataType type : {DataType::Float32, DataType::Int64})
                for (int64_t value : kHostile) {
                    const std::string what = op->name + " of rank " + std::to_string(rank) + " with ";
                    Trial(*op, rank, type, value).expectSound(what + "values " + std::to_string(value));
                    for (const AttributeSpec& spec : op->attributes) {
                        Trial trial(*op, rank, type, 1);
                        trial.set(spec, value, rank);
                        trial.expectSound(what + spec.name + " " + std::to_string(value));
                    }
                }
    }
}

}  // namespace
}  // namespace strobe
