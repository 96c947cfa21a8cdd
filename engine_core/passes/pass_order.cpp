#include <array>

#include "engine_core/passes/pass_list.h"

namespace strobe {

std::vector<std::unique_ptr<Pass>> makeStandardPasses() {
    using Maker = std::unique_ptr<Pass> (*)();
    static constexpr Maker kMakers[] = {
        makeSymbolicConstantFolding, makeConstantFolding,     makeBodySpecialization,  makeConstantIfInlining, makeIdentityElimination, makeDuplicateElimination,
        makeDeadLayerElimination,    makeGemmLowering,        makeConvBatchNormFusion, makeOneHotFusion,
        makeBatchNormLowering,       makeNormalizationFusion, makeSoftmaxFusion,       makeChannelShuffleFusion,
        makeTransposeMotion,     makeAttentionFusion,         makeAttentionHeadFusion, makeActivationFusion,    makeEpilogueFusion,
        makeHorizontalFusion,        makePointwiseFusion,     makePointwiseLowering,
    };
    std::vector<std::unique_ptr<Pass>> passes;
    for (Maker maker : kMakers) passes.push_back(maker());
    return passes;
}

std::span<const std::string_view> controlFlowSchedule() {
    static constexpr std::array kSchedule = {
        // Conditions are shape arithmetic more often than not.
        std::string_view("SymbolicConstantFolding"),
        std::string_view("ConstantFolding"),
        // What became known outside decides conditions inside; one level of bodies a round.
        std::string_view("BodySpecialization"),
        // What a branch gave had an unknown rank: inlined, it decides the next conditions.
        std::string_view("ConstantIfInlining"),
    };
    return kSchedule;
}

std::span<const std::string_view> passSchedule() {
    static constexpr std::array kSchedule = {
        // Shape arithmetic first: it holds most small layers of an exported model, and its results decide no-op
        // Reshapes and Slices.
        std::string_view("SymbolicConstantFolding"),
        // Before every pattern: patterns ask for constants.
        std::string_view("ConstantFolding"),
        // Identities stand between the layers of a pattern.
        std::string_view("IdentityElimination"),
        // Exporters write Sub(x, mean) twice; patterns look for one.
        std::string_view("DuplicateElimination"),
        // Dead readers would count as "also read by".
        std::string_view("DeadLayerElimination"),
        // Makes MatMul of Gemm, so that the fusions below know one product.
        std::string_view("GemmLowering"),
        // Before activations: x·1 + 0 between convolution and activation vanishes into weights.
        std::string_view("ConvBatchNormFusion"),
        // After the bias is part of the product: it goes into the table.
        std::string_view("OneHotFusion"),
        // The normalisations that no weights took.
        std::string_view("BatchNormLowering"),
        // Whole patterns before their pieces: these are made of element-wise layers that PointwiseFusion would join.
        std::string_view("NormalizationFusion"),
        std::string_view("SoftmaxFusion"),
        // Before the reshapes in it meet others.
        std::string_view("ChannelShuffleFusion"),
        // Attention looks for one Transpose before K.
        std::string_view("TransposeMotion"),
        std::string_view("AttentionFusion"),
        std::string_view("AttentionHeadFusion"),
        // Before epilogues: a chain of five layers with two paths is no epilogue, one SiLU is.
        std::string_view("ActivationFusion"),
        // A Squeeze goes behind a whole activation, not behind its parts: they read it more than once.
        std::string_view("TransposeMotion"),
        // Patterns leave layers behind that only they read.
        std::string_view("DuplicateElimination"),
        std::string_view("DeadLayerElimination"),
        // Before PointwiseFusion: an epilogue saves a whole trip through memory, a joined chain only what lies between
        // its layers.
        std::string_view("EpilogueFusion"),
        // After epilogues: a Split right behind the product would part it from its activation.
        std::string_view("HorizontalFusion"),
        std::string_view("PointwiseFusion"),
        // The rest, one by one.
        std::string_view("PointwiseLowering"),
    };
    return kSchedule;
}

}  // namespace strobe
