#include <QFontInfo>
#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "views/widgets/canvas/graph_picture.h"
#include "views/widgets/number_format.h"

namespace strobe::canvas {
namespace {

constexpr double kMinWidth = 152, kMaxWidth = 248;
constexpr double kValueWidth = 64;  // kept free at the right of the title, so that a time can arrive later

QFont pixelFont(QFont font, double pixels) {
    font.setPixelSize(std::max(1, static_cast<int>(std::lround(pixels))));
    return font;
}

// The outermost collapsed scope that holds `group`; empty when none does.
QString foldedInto(const QString& group, const QSet<QString>& collapsed) {
    if (group.isEmpty() || collapsed.isEmpty()) return {};
    for (qsizetype at = group.indexOf('/'); at >= 0; at = group.indexOf('/', at + 1))
        if (collapsed.contains(group.left(at))) return group.left(at);
    return collapsed.contains(group) ? group : QString();
}

struct Measure {
    NodeMetrics metrics = NodeMetrics::current();
    QFontMetricsF title{pixelFont(Theme::systemFont(0, true), metrics.titlePixels)};
    QFontMetricsF name{pixelFont(Theme::monoFont(), metrics.smallPixels)};

    void apply(VisibleNode& node, bool hasPrecision) const {
        const double inset = metrics.stripe + 2 * metrics.padding;
        const double titleWidth = title.horizontalAdvance(node.title) + inset + kValueWidth;
        const double precisionWidth = hasPrecision ? 44 : 0;
        const double nameWidth = name.horizontalAdvance(node.subtitle) + inset + precisionWidth;
        const double width = std::ceil(std::clamp(std::max(titleWidth, nameWidth), kMinWidth, kMaxWidth) / 8) * 8;
        node.size = {width, metrics.height};
        node.title = title.elidedText(node.title, Qt::ElideRight, width - inset - kValueWidth);
        node.subtitle = name.elidedText(node.subtitle, Qt::ElideMiddle, width - inset - precisionWidth);
    }
};

}  // namespace

NodeMetrics NodeMetrics::current() {
    const double title = std::max(10, QFontInfo(Theme::systemFont()).pixelSize());
    const double small = std::max(9.0, std::round(title * 0.84));
    return {std::ceil((title * 1.3 + small * 1.3 + 12) / 4) * 4, 8, 4, title, small};
}

VisibleGraph foldScene(const GraphScene& scene, const QSet<QString>& collapsed) {
    VisibleGraph graph;
    graph.nodeOf.resize(scene.nodes.size());
    QHash<QString, int> groups;
    for (int i = 0; i < static_cast<int>(scene.nodes.size()); ++i) {
        const GraphNode& node = scene.nodes[i];
        const QString folded = foldedInto(node.group, collapsed);
        const int known = folded.isEmpty() ? -1 : groups.value(folded, -1);
        if (known >= 0) {
            graph.nodeOf[i] = known;
            graph.nodes[known].members.push_back(i);
            continue;
        }
        graph.nodeOf[i] = static_cast<int>(graph.nodes.size());
        VisibleNode visible;
        if (folded.isEmpty()) {
            visible.sceneNode = i;
            visible.title = node.title;
            visible.subtitle = node.subtitle;
        } else {
            groups.insert(folded, graph.nodeOf[i]);
            visible.group = folded;
            visible.title = folded.section('/', -1);
        }
        visible.members.push_back(i);
        graph.nodes.push_back(std::move(visible));
    }
    const Measure measure;
    for (VisibleNode& node : graph.nodes) {
        if (node.sceneNode < 0)
            node.subtitle = QObject::tr("%1 nodes").arg(formatCount(static_cast<int64_t>(node.members.size())));
        measure.apply(node, node.sceneNode >= 0 && !scene.nodes[node.sceneNode].precision.isEmpty());
    }
    QSet<std::pair<int, int>> folded;  // several edges of a folded group to one neighbour are drawn once
    for (int e = 0; e < static_cast<int>(scene.edges.size()); ++e) {
        const int from = graph.nodeOf[scene.edges[e].from], to = graph.nodeOf[scene.edges[e].to];
        const bool touchesGroup = graph.nodes[from].sceneNode < 0 || graph.nodes[to].sceneNode < 0;
        if (touchesGroup && (from == to || folded.contains({from, to}))) continue;
        if (touchesGroup) folded.insert({from, to});
        graph.edges.push_back({from, to, e});
    }
    return graph;
}

LayoutInput layoutInput(const VisibleGraph& graph, const GraphScene& scene) {
    LayoutInput input;
    QHash<QString, int> groups;
    for (const VisibleNode& node : graph.nodes) {
        input.nodes.push_back({node.size.width(), node.size.height()});
        const QString& path = scene.nodes[node.members.front()].group;
        if (!groups.contains(path)) groups.insert(path, static_cast<int>(groups.size()));
        input.groups.push_back(path.isEmpty() ? -1 : groups.value(path));
    }
    for (const VisibleEdge& edge : graph.edges) input.edges.push_back({edge.from, edge.to});
    return input;
}

bool sameStructure(const GraphScene& a, const GraphScene& b) {
    const auto sameNode = [](const GraphNode& x, const GraphNode& y) {
        return x.id == y.id && x.title == y.title && x.subtitle == y.subtitle && x.group == y.group &&
               x.precision.isEmpty() == y.precision.isEmpty();
    };
    const auto sameEdge = [](const GraphEdge& x, const GraphEdge& y) { return x.from == y.from && x.to == y.to; };
    return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), sameNode) &&
           std::equal(a.edges.begin(), a.edges.end(), b.edges.begin(), b.edges.end(), sameEdge);
}

}  // namespace strobe::canvas
