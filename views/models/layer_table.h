// The layers of one profiled build as rows: what the Layers page shows, filters and groups. Plain values, any thread.
#pragma once

#include <QString>
#include <QStringList>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "profiler/profile.h"
#include "sessions/session.h"
#include "views/widgets/theme.h"

namespace strobe {

// What a profile does not say of a layer but its engine does.
struct LayerFacts {
    NodeFamily family = NodeFamily::Other;
    QString kind;              // for sentences, singular: "depthwise convolution"
    QString title;             // op and what was fused behind it: "Conv + HardSwish"
    bool isReference = false;  // runs on the naive kernel
    bool isPreview = false;    // the precision is an accuracy preview
    QString precisionNote;     // why it has its precision, where there is more to say than what was asked; else empty
};

struct LayerRow {
    int layer = 0;  // index into CompiledGraph::layers
    QString name, op, precision, shape, tactic;
    LayerFacts facts;
    std::vector<int> provenance;
    QStringList nodes;  // names of the ONNX nodes
    QString scope;      // name scope of the layer, "model.2/cv1"; empty for none
    double seconds = 0, spread = 0;  // median; Statistics::spread()
    double error = 0;                // half-width of the 95 % interval of the median, seconds
    double share = 0;                // of the sum of layers
    double cumulative = 0;           // share of this layer and all slower ones
    double calls = 1;                // runs in one inference
    double flops = 0, bytes = 0;     // of one run
    std::optional<CounterValues> counters;

    double flopsPerSecond() const { return seconds > 0 ? flops / seconds : 0; }
    double bytesPerSecond() const { return seconds > 0 ? bytes / seconds : 0; }
};

struct LayerTable {
    std::vector<LayerRow> rows;  // execution order
    double latency = 0;          // median end to end, seconds
    double layersSum = 0;        // seconds
    bool hasCounters = false;
    bool hasPrecisionNotes = false;
};
using LayerTablePtr = std::shared_ptr<const LayerTable>;

// `facts` by layer index, or empty; `nodes` names the ONNX nodes.
LayerTablePtr makeLayerTable(const Profile& profile, std::span<const LayerFacts> facts, std::span<const SourceNode> nodes);
// Null when the build holds no profile.
LayerTablePtr makeLayerTable(const Build& build);
std::vector<LayerFacts> layerFacts(const Engine& engine);

// "42 % of the layers’ 6.91 ms is in 12 convolutions, 5 of them depthwise": the op that takes most.
QString layersHeadline(const LayerTable& table);

}  // namespace strobe
