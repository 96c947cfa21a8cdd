// What the builder and the passes recorded about a layer, as sections of the Inspector. Empty rows: nothing to say.
#pragma once

#include "views/models/build_index.h"
#include "views/widgets/key_value_view.h"

namespace strobe {

/// Time, share, work and precision of the engine layer (or layers) that the layer stands for.
KeyValueSection timeSection(const BuildIndex& index, const LayerRef& ref);
/// Every tactic that was weighed: times of those that ran, reasons of those that declined.
KeyValueSection candidateSection(const BuildIndex& index, const LayerRef& ref);
KeyValueSection fusionSection(const BuildIndex& index, const Layer& layer);
KeyValueSection nearMissSection(const BuildIndex& index, const Layer& layer);

}  // namespace strobe
