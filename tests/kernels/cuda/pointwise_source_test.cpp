#include "kernels/cuda/pointwise_source.h"

#include "kernels/cuda/pointwise_kernel.h"
#include "tests/kernels/cuda/cuda_problem.h"

namespace strobe {
namespace {

TensorDesc tensor(Dims dims, Layout layout = Layout::Plain, DataType type = DataType::Float32) {
    return {true, {type, layout, MemoryKind::Device}, std::move(dims), nullptr, {}};
}
PointwiseProgram parse(const char* text, int inputs) {
    return *PointwiseProgram::parse(text, inputs);
}

TEST(PointwiseSource, EqualDimsAndScalarsAreReadFourAtATime) {
    const auto source =
        pointwiseSource(parse("v2=Add(v0,v1); -> v2", 2), {tensor({2, 3, 4, 5}), tensor({1})}, {tensor({2, 3, 4, 5})});
    ASSERT_TRUE(source.hasValue()) << source.status().message();
    EXPECT_TRUE(source->vectorised);
    EXPECT_EQ(source->count, 120);
    EXPECT_EQ(source->threads(), 30);
    EXPECT_NE(source->text.find("load4F32"), std::string::npos);
    EXPECT_TRUE(source->extents.empty());
}

TEST(PointwiseSource, NeighboursOfOneStrideAreMerged) {
    // One value a channel of a plain tensor: N merges with nothing, H and W merge.
    const auto source = pointwiseSource(parse("v2=Mul(v0,v1); -> v2", 2), {tensor({2, 3, 4, 5}), tensor({3, 1, 1})},
                                        {tensor({2, 3, 4, 5})});
    ASSERT_TRUE(source.hasValue()) << source.status().message();
    EXPECT_FALSE(source->vectorised);
    EXPECT_EQ(source->extents, (std::vector<int64_t>{2, 3, 20}));
    EXPECT_EQ(source->strides, (std::vector<std::vector<int64_t>>{{0, 1, 0}}));
    // Channels-last: all but the channels merge.
    const auto last = pointwiseSource(parse("v2=Mul(v0,v1); -> v2", 2),
                                      {tensor({2, 3, 4, 5}, Layout::ChannelsLast), tensor({3, 1, 1})},
                                      {tensor({2, 3, 4, 5}, Layout::ChannelsLast)});
    EXPECT_EQ(last->extents, (std::vector<int64_t>{40, 3}));
    EXPECT_EQ(last->strides, (std::vector<std::vector<int64_t>>{{0, 1}}));
}

TEST(PointwiseSource, ShapesOfOneKindShareOneText) {
    const PointwiseProgram program = parse("v2=Mul(v0,v1); -> v2", 2);
    const auto a = pointwiseSource(program, {tensor({2, 3, 4, 5}), tensor({3, 1, 1})}, {tensor({2, 3, 4, 5})});
    const auto b = pointwiseSource(program, {tensor({8, 64, 7, 7}), tensor({64, 1, 1})}, {tensor({8, 64, 7, 7})});
    EXPECT_EQ(a->text, b->text);
    EXPECT_NE(a->extents, b->extents);
}

TEST(PointwiseSource, ParametersHoldCountShapeAndAddresses) {
    const auto source =
        pointwiseSource(parse("v2=Mul(v0,v1); -> v2", 2), {tensor({2, 3}), tensor({2, 1})}, {tensor({2, 3})});
    alignas(16) float x[6] = {}, y[2] = {}, z[6] = {};
    const auto words = source->parameters({x, y}, {z});
    EXPECT_EQ(words, (std::vector<uint64_t>{6, reinterpret_cast<uint64_t>(y) % 16 == 0, 2, 3, 1, 0,
                                            reinterpret_cast<uint64_t>(x), reinterpret_cast<uint64_t>(y),
                                            reinterpret_cast<uint64_t>(z)}));
    EXPECT_EQ(source->parameters({x + 1, y}, {z})[1], 0u);
}

TEST(PointwiseSource, DeclinesBlockedLayoutsAndIntegers) {
    const PointwiseProgram relu = parse("v1=Relu(v0); -> v1", 1);
    EXPECT_NE(pointwiseSource(relu, {tensor({1, 16, 4, 4}, Layout::Blocked16)}, {tensor({1, 16, 4, 4})})
                  .status()
                  .message()
                  .find("plain or nhwc"),
              std::string::npos);
    EXPECT_NE(pointwiseSource(relu, {tensor({4}, Layout::Plain, DataType::Int64)}, {tensor({4})})
                  .status()
                  .message()
                  .find("int64"),
              std::string::npos);
}

TEST(EpiloguePass, RenumbersTheProgramBehindTheBias) {
    KernelCase c;
    c.op = "Conv";
    c.inputs = {{{1, 4, 5, 5}}, KernelInput::weights({8, 4, 1, 1}), KernelInput::weights({8}), {{1, 8, 5, 5}}};
    c.program = "v2=Add(v0,v1); v3=Relu(v2); -> v3";
    CaseData data;
    const Problem problem = deviceProblem(c, data);
    const EpiloguePass pass = epiloguePass(problem, 2, 1);
    EXPECT_EQ(pass.program.toString(), "v3=Add(v0,v1); v4=Add(v3,v2); v5=Relu(v4); -> v5");
    EXPECT_EQ(pass.sources, (std::vector<size_t>{2, 3}));
    EXPECT_EQ(pass.inputs[1].dims, (Dims{8, 1, 1}));
    EXPECT_EQ(epiloguePass(problem, -1, 1).program, *problem.program);
}

}  // namespace
}  // namespace strobe
