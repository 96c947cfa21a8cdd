// What the Inspector writes about a layer, a tensor or a selection of many. Pure: reads immutable results.
// Links: "node:12", "layer:STAGE:INDEX", "tensor:NAME".
#pragma once

#include <memory>
#include <vector>

#include "views/models/build_index.h"
#include "views/models/weight_statistics.h"
#include "views/widgets/key_value_view.h"

namespace strobe {

struct InspectorSubject {
    std::shared_ptr<const BuildIndex> index;
    std::shared_ptr<const Comparison> comparison;  // with the index's build as the candidate; may be null
    std::vector<ProblemEntry> problems;            // of the session
};

std::vector<KeyValueSection> layerSections(const InspectorSubject& subject, const LayerRef& ref);
std::vector<KeyValueSection> tensorSections(const InspectorSubject& subject, GraphStage stage, TensorId tensor);
/// Several nodes at once: how many, in which layers, with which time.
std::vector<KeyValueSection> manySections(const InspectorSubject& subject, const std::vector<int>& nodes);
KeyValueSection weightSection(const QString& name, const Weights& weights, const WeightStatistics& statistics);

/// The constants that a layer reads, by name.
std::vector<std::pair<QString, WeightsPtr>> layerConstants(const BuildIndex& index, const LayerRef& ref);
/// Symbols at which the current build was measured; null without one.
const SymbolValues* buildSymbols(const BuildIndex& index);

}  // namespace strobe
