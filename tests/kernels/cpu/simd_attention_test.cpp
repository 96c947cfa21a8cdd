#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase attention(const Dims& q, const Dims& k, const Dims& v) {
    KernelCase c;
    c.op = "Attention";
    c.inputs = {{q}, {k}, {v}};
    c.tolerance = 4e-6;
    return c;
}

TEST(SimdAttention, FourDimensional) {
    for (int64_t queries : {1, 7, 33, 70})
        for (int64_t keys : {1, 19, 64}) {
            expectMatchesOnEachTarget(attention({2, 3, queries, 20}, {2, 3, keys, 20}, {2, 3, keys, 24}),
                                      "simd.attention");
        }
}

TEST(SimdAttention, FlatHeadsAreShared) {
    KernelCase c = attention({2, 9, 4 * 8}, {2, 11, 2 * 8}, {2, 11, 2 * 16});
    c.attributes.set("q_num_heads", int64_t{4});
    c.attributes.set("kv_num_heads", int64_t{2});
    c.attributes.set("scale", 0.3f);
    expectMatchesOnEachTarget(c, "simd.attention");
    c.floatType = DataType::BFloat16;
    c.tolerance = 0.0;
    expectMatchesOnEachTarget(c, "simd.attention");
}

TEST(SimdAttention, Masks) {
    for (const Dims& mask : {Dims{9, 11}, Dims{2, 1, 1, 11}, Dims{3, 9, 11}, Dims{2, 3, 9, 11}})
        for (DataType type : {DataType::Float32, DataType::Bool}) {
            KernelCase c = attention({2, 3, 9, 8}, {2, 3, 11, 8}, {2, 3, 11, 8});
            c.inputs.push_back({mask, type, false, true, type == DataType::Bool ? 0.0 : -5.0, 1.0});
            expectMatchesReference(c, "simd.attention");
        }
    KernelCase nothing = attention({1, 1, 3, 8}, {1, 1, 4, 8}, {1, 1, 4, 8});
    nothing.inputs.push_back({{3, 4}, DataType::Bool});
    nothing.inputs.back().values = {1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0};
    expectMatchesReference(nothing, "simd.attention");
    KernelCase causal = attention({2, 3, 9, 8}, {2, 3, 9, 8}, {2, 3, 9, 8});
    causal.attributes.set("is_causal", int64_t{1});
    expectMatchesOnEachTarget(causal, "simd.attention");
}

TEST(SimdAttention, DeclinesPastKeys) {
    KernelCase c = attention({1, 2, 3, 8}, {1, 2, 3, 8}, {1, 2, 3, 8});
    c.inputs.insert(c.inputs.end(), {KernelInput::absent(), {{1, 2, 5, 8}}, {{1, 2, 5, 8}}});
    expectDeclines(c, "simd.attention", "past");
}

}  // namespace
}  // namespace strobe
