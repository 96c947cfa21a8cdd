#pragma once
#include "engine_core/builder/constant_converter.h"
#include "engine_core/builder/format_selection.h"

namespace strobe {

/// A layer with the decision made for it.
struct LoweredLayer {
    LayerId layer = kNone;
    EngineLayer engine;  // tactic, formats, candidates; `layer` is set by lowering
    DataType roundConstants = DataType::Undefined;  // precision preview
};

struct LoweringResult {
    std::shared_ptr<CompiledGraph> graph;
    int reformats = 0;
    int reformatsAvoided = 0;  // edges between layers that agreed on a format other than the plain one
};

/// Makes the engine network: a copy of `network` in which formats are real. Reformat layers are added where they
/// differ, shared by all readers of one format; constants are converted to the types that their readers chose.
/// `chooseReformat` decides how each of them runs.
Result<LoweringResult> lowerNetwork(const Network& network, std::vector<LoweredLayer> layers, ConstantConverter& constants,
                                    const std::function<Result<EngineLayer>(const Network&, const Layer&, const Format& from, const Format& to)>& chooseReformat);

}  // namespace strobe
