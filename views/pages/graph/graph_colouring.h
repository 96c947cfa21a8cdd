// What the colours of the graph mean: one thing at a time, with its legend. GUI thread (asks Theme).
#pragma once

#include <memory>

#include "views/models/graph_scene_builder.h"
#include "views/widgets/graph_scene.h"

namespace strobe {

enum class GraphColour : uint8_t { Family, Time, Precision, Memory, Divergence };

/// `data` is kept by the colouring for folded groups.
GraphColouring colourGraph(std::shared_ptr<const GraphSceneData> data, GraphColour by);
/// What to do when a colouring has nothing to show; empty when it has.
QString whyNoColour(const GraphSceneData& data, GraphColour by);

}  // namespace strobe
