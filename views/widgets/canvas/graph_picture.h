// What the canvas draws: the scene with its groups folded, placed, and indexed by area. Built on the GUI thread from a
// finished layout; not changed afterwards. Internal to the canvas.
#pragma once

#include <QPointF>
#include <QRectF>
#include <QSet>
#include <QString>
#include <unordered_map>
#include <vector>

#include "views/widgets/graph_layout.h"
#include "views/widgets/graph_scene.h"

namespace strobe::canvas {

// A node of the scene, or a folded group that stands for its members.
struct VisibleNode {
    int sceneNode = -1;  // −1 for a group
    QString group;       // path of the folded group
    std::vector<int> members;
    QString title, subtitle;  // elided to the width
    QSizeF size;
};

struct VisibleEdge {
    int from = 0, to = 0;
    int sceneEdge = 0;  // one of those that it stands for
};

struct VisibleGraph {
    std::vector<VisibleNode> nodes;
    std::vector<VisibleEdge> edges;
    std::vector<int> nodeOf;  // scene node → visible node
};

// Folds the groups in `collapsed` (full paths; the outermost one wins) and measures every node.
VisibleGraph foldScene(const GraphScene& scene, const QSet<QString>& collapsed);
LayoutInput layoutInput(const VisibleGraph& graph, const GraphScene& scene);
// True when a layout of one also serves the other: same nodes, names, groups and edges.
bool sameStructure(const GraphScene& a, const GraphScene& b);

// A uniform grid over the picture; items are found by area without repeats.
class AreaIndex {
public:
    void reset(const QRectF& bounds, int itemCount);
    void insert(int item, const QRectF& area);
    // Appends the items whose cells meet `area`, in ascending order.
    void query(const QRectF& area, std::vector<int>& items) const;

private:
    struct Range {
        int left, top, right, bottom;
    };
    Range cells(const QRectF& area) const;

    QRectF m_bounds;
    double m_cell = 512;
    int m_columns = 0, m_rows = 0;
    std::vector<std::vector<int>> m_cells;
    mutable std::vector<uint32_t> m_seen;
    mutable uint32_t m_stamp = 0;
};

struct GraphPicture {
    GraphScenePtr scene;
    VisibleGraph graph;
    std::vector<QRectF> rects;                         // by visible node
    std::vector<std::vector<QPointF>> paths;           // by visible edge
    std::vector<std::vector<int>> outgoing, incoming;  // visible edges by visible node
    QRectF bounds;
    AreaIndex nodeIndex, edgeIndex;

    int nodeAt(const QPointF& point, double zoom) const;       // visible node, or −1
    QRectF markOf(int node, double zoom) const;                // its area; from afar a mark of a few pixels
    int edgeAt(const QPointF& point, double tolerance) const;  // visible edge, or −1

private:
    QSizeF leastMark(double zoom) const;
};

GraphPicture makePicture(GraphScenePtr scene, VisibleGraph graph, const LayoutResult& layout);

// Sizes at zoom 1, from the system font.
struct NodeMetrics {
    double height, padding, stripe, titlePixels, smallPixels;
    static NodeMetrics current();
};

}  // namespace strobe::canvas
