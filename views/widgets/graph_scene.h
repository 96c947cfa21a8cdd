// What a graph canvas shows: plain values, built once, shared and never changed. May be built on any thread.
#pragma once

#include <QColor>
#include <QString>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "views/widgets/theme.h"

namespace strobe {

enum class GraphBadge : uint8_t { None, Note, Warning, Error };

struct GraphNode {
    int64_t id = 0;    // unique in the scene; selections and signals speak in these
    QString title;     // op: "Conv + Relu"
    QString subtitle;  // name, shown small and elided in the middle
    NodeFamily family = NodeFamily::Other;
    QString chip;          // right-hand value ("1.23 ms"); empty while unknown
    QString precision;     // "INT8"; empty for none
    bool preview = false;  // the precision is an accuracy preview: its chip is hatched
    GraphBadge badge = GraphBadge::None;
    QString tooltip;
    QString group;  // name scope, "/"-separated: "model.2/cv1"; empty for none
};

struct GraphEdge {
    int from = 0;  // index into GraphScene::nodes
    int to = 0;
    QString label;  // shape, shown on hover: "1×64×80×80"
};

struct GraphScene {
    std::vector<GraphNode> nodes;
    std::vector<GraphEdge> edges;
};
using GraphScenePtr = std::shared_ptr<const GraphScene>;

struct GraphLegend {
    QString title;  // "Time (ms)"; empty hides the legend
    struct Swatch {
        QColor colour;
        QString label;
        bool hatched = false;
    };
    std::vector<Swatch> swatches;  // either swatches …
    std::vector<QColor> ramp;      // … or a ramp with its two ends named
    QString rampLow, rampHigh;
};

// One colour per node of the scene (by index; an invalid colour leaves the node plain) and what the colours mean.
// An empty `fills` shows only the family stripes.
struct GraphColouring {
    std::vector<QColor> fills;
    GraphLegend legend;
    // What a folded group shows for its members (indices into the scene): optional, both called on the GUI thread.
    std::function<QColor(const std::vector<int>& members)> groupFill;
    std::function<QString(const std::vector<int>& members)> groupChip;
};

}  // namespace strobe
