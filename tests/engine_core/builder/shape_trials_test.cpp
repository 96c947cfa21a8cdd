#include "engine_core/builder/shape_trials.h"

#include <gtest/gtest.h>

#include "engine_core/builder/builder.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

/// image [batch, 3, H, W] → 2×2 pooling without padding (halves, rounding down) → doubled again → sum with the image: H
/// and W must be even.
Network evenImages() {
    NetworkBuilder b;
    const TensorId image = b.input("image", {Dim::symbol("batch"), 3, Dim::symbol("H"), Dim::symbol("W")});
    const TensorId half =
        b.layer("half", "MaxPool", {image},
                attributes({{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}}));
    const TensorId twice = b.layer("twice", "Resize", {half, kNone, b.floats("scales", {4}, {1, 1, 2, 2})},
                                   attributes({{"mode", std::string("nearest")}}));
    b.output(b.layer("sum", "Add", {image, twice}));
    return b.take();
}

/// x [N, 3, H, W] reshaped to [N, 3·48, W]: H must be 48.
Network onlyHeight48() {
    NetworkBuilder b;
    const TensorId x = b.input("x", {Dim::symbol("N"), 3, Dim::symbol("H"), Dim::symbol("W")});
    const TensorId rows = b.layer("rows", "Transpose", {x}, attributes({{"perm", std::vector<int64_t>{0, 3, 1, 2}}}));
    const TensorId flat = b.layer("flat", "Reshape", {rows, b.integers("shape", {0, 0, -1})});
    b.output(b.layer("head", "MatMul", {flat, b.wave("weights", {3 * 48, 5})}));
    return b.take();
}

std::vector<OptimizationProfile> profile(const std::string& input, Dims min, Dims opt, Dims max) {
    return {{{{input, {std::move(min), std::move(opt), std::move(max)}}}}};
}

void expectParts(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(ShapeTrials, InferenceTellsWhereItStops) {
    const Network network = evenImages();
    EXPECT_TRUE(tryShapes(network, {{"batch", 2}, {"H", 8}, {"W", 6}}).status.isOk());
    const ShapeTrial odd = tryShapes(network, {{"batch", 2}, {"H", 8}, {"W", 7}});
    EXPECT_EQ(odd.layersPassed, 2);
    expectParts(odd.status.message(), {"'sum'", "[2,3,8,7]", "[2,3,8,6]"});
    EXPECT_FALSE(tryShapes(network, {{"batch", 0}, {"H", 8}, {"W", 8}}).status.isOk())
        << "nothing comes out of an empty batch";
}

/// Zero rows of a cache are no empty result: what is appended to them comes out.
TEST(ShapeTrials, AnEmptyInputThatFillsUpIsAccepted) {
    NetworkBuilder b;
    const TensorId past = b.input("past", {Dim::symbol("P"), 4}), next = b.input("next", {1, 4});
    b.output(b.layer("present", "Concat", {past, next}, attributes({{"axis", int64_t{0}}})));
    const Network network = b.take();
    EXPECT_TRUE(tryShapes(network, {{"P", 0}}).status.isOk());
    EXPECT_FALSE(
        findRefusedShape(network, {{{{"past", {{0, 4}, {8, 4}, {64, 4}}}, {"next", {{1, 4}, {1, 4}, {1, 4}}}}}}));
}

TEST(ShapeTrials, AssumesByNameAndPlace) {
    NetworkBuilder b;
    const TensorId ids = b.input("ids", {Dim::symbol("batch_size"), Dim::symbol("sequence")}),
                   state = b.input("state", {2, Dim::symbol("d1"), 16});
    b.output(b.layer("a", "Abs", {ids}));
    b.output(b.layer("b", "Abs", {state}));
    const AssumedExtents assumed = assumeExtents(b.take());
    EXPECT_TRUE(assumed.refused.isOk());
    EXPECT_EQ(assumed.values, (SymbolValues{{"batch_size", 1}, {"sequence", 128}, {"d1", 1}}));
    EXPECT_EQ(assumeExtents(evenImages()).values, (SymbolValues{{"batch", 1}, {"H", 224}, {"W", 224}}));
}

TEST(ShapeTrials, AssumesWhatTheNetworkTakes) {
    const AssumedExtents assumed = assumeExtents(onlyHeight48());
    EXPECT_TRUE(assumed.refused.isOk()) << assumed.refused.message();
    EXPECT_EQ(assumed.values, (SymbolValues{{"N", 1}, {"H", 48}, {"W", 224}}));
}

/// 47·47 elements are no usual image: the search must end and say that it found none.
TEST(ShapeTrials, SaysWhenNothingIsFound) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {Dim::symbol("A"), Dim::symbol("B")});
    const TensorId flat = b.layer("flat", "Reshape", {x, b.integers("shape", {1, -1})});
    b.output(b.layer("head", "MatMul", {flat, b.wave("weights", {47 * 47, 2})}));
    const Network network = b.take();
    EXPECT_FALSE(assumeExtents(network).refused.isOk());
    const auto refused = findRefusedShape(network, profile("x", {2, 2}, {2, 2}, {2, 2}));
    ASSERT_TRUE(refused);
    EXPECT_TRUE(refused->accepted.empty());
    expectParts(refused->message, {"x:2x2", "'head'"});
}

TEST(ShapeTrials, RefusalNamesInputDimAndWhatIsTaken) {
    const Network network = onlyHeight48();
    EXPECT_FALSE(findRefusedShape(network, profile("x", {1, 3, 48, 10}, {1, 3, 48, 320}, {4, 3, 48, 640})));
    const auto min = findRefusedShape(network, profile("x", {1, 3, 47, 320}, {1, 3, 48, 320}, {1, 3, 48, 320}));
    ASSERT_TRUE(min);
    EXPECT_EQ(min->corner, "min");
    EXPECT_EQ(min->accepted, (std::map<std::string, Dims>{{"x", {1, 3, 48, 320}}}));
    expectParts(min->message, {"input 'x', dim 2", "min extent 47", "'head'", "it takes 48", "x:1x3x48x320"});
    const auto fixed = findRefusedShape(evenImages(), profile("image", {0, 3, 8, 8}, {0, 3, 8, 8}, {0, 3, 8, 8}));
    ASSERT_TRUE(fixed);
    expectParts(fixed->message,
                {"input 'image', dim 0", "does not take the extent 0", "'sum' would be empty", "it takes 1"});
    const auto two =
        findRefusedShape(evenImages(), profile("image", {1, 3, 99, 101}, {1, 3, 99, 101}, {1, 3, 99, 101}));
    ASSERT_TRUE(two);
    EXPECT_EQ(two->accepted.at("image"), (Dims{1, 3, 100, 102}));
}

TEST(Profiles, RangesAreCheckedAgainstTheModel) {
    const Network network = evenImages();
    const auto message = [&](Dims min, Dims opt, Dims max) {
        return completeProfiles(network, profile("image", std::move(min), std::move(opt), std::move(max)), {})
            .status()
            .message();
    };
    EXPECT_EQ(message({1, 3, 8, 8}, {1, 3, 8, 8}, {1, 3, 8, 8}), "");
    expectParts(message({1, 4, 8, 8}, {1, 4, 8, 8}, {1, 4, 8, 8}), {"'image', dim 1", "the extent is 4"});
    expectParts(message({1, 3, 8, 8}, {1, 4, 8, 8}, {1, 3, 8, 8}),
                {"'image', dim 1", "opt extent is 4", "fixes it to 3", "image:1x3x8x8"});
    expectParts(message({1, 3, -8, 8}, {1, 3, 8, 8}, {1, 3, 8, 8}),
                {"'image', dim 2", "min extent is -8", "1 or more"});
    expectParts(message({2, 3, 8, 8}, {1, 3, 8, 8}, {4, 3, 8, 8}), {"dim 0", "min 2, opt 1, max 4"});
    expectParts(message({1, 3, 8}, {1, 3, 8}, {1, 3, 8}), {"rank 3", "rank 4"});
}

/// What one input of a profile says of a shared symbol holds for the others, corner by corner; the rest is assumed.
TEST(Profiles, MissingInputsFollowTheGivenOnes) {
    NetworkBuilder b;
    const Dim n = Dim::symbol("N");
    b.output(b.layer("sum", "Add", {b.input("a", {n, 4}), b.input("b", {n, 4})}));
    b.output(b.layer("abs", "Abs", {b.input("c", {Dim::symbol("M"), 2})}));
    const auto profiles = completeProfiles(b.take(), profile("a", {1, 4}, {2, 4}, {8, 4}), {{"M", 7}, {"N", 99}});
    ASSERT_TRUE(profiles) << profiles.status().message();
    EXPECT_EQ(profiles->front().inputs.at("b"), (ShapeRange{{1, 4}, {2, 4}, {8, 4}}));
    EXPECT_EQ(profiles->front().inputs.at("c"), (ShapeRange{{7, 2}, {7, 2}, {7, 2}}));
}

/// Shapes that no memory holds are refused, not tried.
TEST(ShapeTrials, WhatNoMemoryHoldsIsRefused) {
    const Network network = evenImages();
    const SymbolValues large = {{"batch", 1}, {"H", 100000000}, {"W", 100000000}};
    EXPECT_TRUE(checkFits(network, {{"batch", 1}, {"H", 64}, {"W", 64}}, size_t{1} << 20).isOk());
    const Status status = checkFits(network, large, size_t{64} << 30);
    EXPECT_EQ(status.code(), ErrorCode::OutOfRange);
    expectParts(status.message(), {"node 'sum'", "64 GiB", "smaller shapes"});
}

/// The builder refuses before it fuses or times anything.
TEST(Profiles, TheBuilderRefusesFirst) {
    KernelRegistry none;
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(onlyHeight48());
    request.config.profiles = profile("x", {1, 3, 47, 320}, {1, 3, 48, 320}, {1, 3, 48, 320});
    std::vector<std::string> steps;
    request.progress = [&](const BuildProgress& p) { steps.push_back(p.step); };
    const auto built = Builder(none).build(request);
    EXPECT_EQ(built.status().code(), ErrorCode::InvalidArgument);
    expectParts(built.status().message(), {"dim 2", "47", "48"});
    EXPECT_TRUE(steps.empty());
}

}  // namespace
}  // namespace strobe::test
