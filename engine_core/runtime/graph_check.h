#pragma once
#include "engine_core/runtime/engine.h"

namespace strobe {

/// Whether the runtime can rely on a graph that was read from a file: order, formats and bodies fit each other. Its
/// bodies have been checked before; InvalidModel names the layer.
Status checkGraph(const CompiledGraph& graph);

}  // namespace strobe
