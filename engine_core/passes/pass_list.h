#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine_core/passes/pass.h"

namespace strobe {

// One maker per pass, in the file of its name.
std::unique_ptr<Pass> makeSymbolicConstantFolding();
std::unique_ptr<Pass> makeConstantFolding();
std::unique_ptr<Pass> makeBodySpecialization();
std::unique_ptr<Pass> makeConstantIfInlining();
std::unique_ptr<Pass> makeIdentityElimination();
std::unique_ptr<Pass> makeDuplicateElimination();
std::unique_ptr<Pass> makeDeadLayerElimination();
std::unique_ptr<Pass> makeGemmLowering();
std::unique_ptr<Pass> makeConvBatchNormFusion();
std::unique_ptr<Pass> makeBatchNormLowering();
std::unique_ptr<Pass> makeOneHotFusion();
std::unique_ptr<Pass> makeActivationFusion();
std::unique_ptr<Pass> makeNormalizationFusion();
std::unique_ptr<Pass> makeSoftmaxFusion();
std::unique_ptr<Pass> makeAttentionFusion();
std::unique_ptr<Pass> makeAttentionHeadFusion();
std::unique_ptr<Pass> makeChannelShuffleFusion();
std::unique_ptr<Pass> makeTransposeMotion();
std::unique_ptr<Pass> makeHorizontalFusion();
std::unique_ptr<Pass> makeEpilogueFusion();
std::unique_ptr<Pass> makePointwiseFusion();
std::unique_ptr<Pass> makePointwiseLowering();

/// Each pass once, in the order of first use.
std::vector<std::unique_ptr<Pass>> makeStandardPasses();
/// Names in running order; a pass may stand there more than once.
std::span<const std::string_view> passSchedule();
/// Names that run first, over and over until none of them finds anything (networks with bodies only).
std::span<const std::string_view> controlFlowSchedule();

}  // namespace strobe
