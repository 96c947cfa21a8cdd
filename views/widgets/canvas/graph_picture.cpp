#include "views/widgets/canvas/graph_picture.h"

#include <algorithm>
#include <cmath>

namespace strobe::canvas {
namespace {

constexpr QSizeF kLeastMark(4, 1.5);  // pixels
constexpr double kRibbon = 12;        // a graph that would be a thread is a ribbon of so many pixels

QRectF segmentArea(const QPointF& a, const QPointF& b) {
    return QRectF(QPointF(std::min(a.x(), b.x()), std::min(a.y(), b.y())),
                  QPointF(std::max(a.x(), b.x()), std::max(a.y(), b.y())));
}

// Distance to the S between two waypoints, sampled; exact enough for a pointer.
double distanceTo(const QPointF& point, const QPointF& a, const QPointF& b) {
    constexpr int kSamples = 24;
    double best = INFINITY;
    for (int i = 0; i <= kSamples; ++i) {
        const double t = static_cast<double>(i) / kSamples;
        const double ease = t * t * (3 - 2 * t);
        const QPointF on(a.x() + (b.x() - a.x()) * ease, a.y() + (b.y() - a.y()) * t);
        best = std::min(best, std::hypot(on.x() - point.x(), on.y() - point.y()));
    }
    if (std::abs(a.x() - b.x()) < 0.01 && point.y() >= std::min(a.y(), b.y()) && point.y() <= std::max(a.y(), b.y()))
        best = std::abs(point.x() - a.x());
    return best;
}

}  // namespace

void AreaIndex::reset(const QRectF& bounds, int itemCount) {
    constexpr double kMaxCells = 1 << 16;
    m_bounds = bounds;
    m_cell = std::max(512.0, std::sqrt(bounds.width() * bounds.height() / kMaxCells));
    m_columns = static_cast<int>(bounds.width() / m_cell) + 1;
    m_rows = static_cast<int>(bounds.height() / m_cell) + 1;
    m_cells.assign(static_cast<size_t>(m_columns) * m_rows, {});
    m_seen.assign(static_cast<size_t>(itemCount), 0);
    m_stamp = 0;
}

AreaIndex::Range AreaIndex::cells(const QRectF& area) const {
    const auto cell = [this](double at, int count) {
        return static_cast<int>(std::clamp(std::floor(at / m_cell), 0.0, static_cast<double>(count - 1)));
    };
    return {cell(area.left() - m_bounds.left(), m_columns), cell(area.top() - m_bounds.top(), m_rows),
            cell(area.right() - m_bounds.left(), m_columns), cell(area.bottom() - m_bounds.top(), m_rows)};
}

void AreaIndex::insert(int item, const QRectF& area) {
    const Range range = cells(area);
    for (int row = range.top; row <= range.bottom; ++row) {
        for (int column = range.left; column <= range.right; ++column) {
            auto& list = m_cells[static_cast<size_t>(row) * m_columns + column];
            if (list.empty() || list.back() != item) list.push_back(item);
        }
    }
}

void AreaIndex::query(const QRectF& area, std::vector<int>& items) const {
    if (m_cells.empty()) return;
    ++m_stamp;
    const size_t first = items.size();
    const Range range = cells(area);
    for (int row = range.top; row <= range.bottom; ++row) {
        for (int column = range.left; column <= range.right; ++column) {
            for (const int item : m_cells[static_cast<size_t>(row) * m_columns + column]) {
                if (m_seen[item] == m_stamp) continue;
                m_seen[item] = m_stamp;
                items.push_back(item);
            }
        }
    }
    std::sort(items.begin() + static_cast<std::ptrdiff_t>(first), items.end());
}

QSizeF GraphPicture::leastMark(double zoom) const {
    return QSizeF(std::max(kLeastMark.width(), kRibbon - bounds.width() * zoom), kLeastMark.height()) / zoom;
}

QRectF GraphPicture::markOf(int node, double zoom) const {
    QRectF area = rects[node];
    area.setSize(area.size().expandedTo(leastMark(zoom)));
    area.moveCenter(rects[node].center());
    return area;
}

int GraphPicture::nodeAt(const QPointF& point, double zoom) const {
    std::vector<int> found;
    const QSizeF reach = leastMark(zoom);
    nodeIndex.query(QRectF(point - QPointF(reach.width(), reach.height()) / 2, reach), found);
    // Marks overlap from afar: the last one painted lies on top.
    const auto hit =
        std::find_if(found.rbegin(), found.rend(), [&](int node) { return markOf(node, zoom).contains(point); });
    return hit == found.rend() ? -1 : *hit;
}

int GraphPicture::edgeAt(const QPointF& point, double tolerance) const {
    std::vector<int> found;
    const QRectF area(point.x() - tolerance, point.y() - tolerance, 2 * tolerance, 2 * tolerance);
    edgeIndex.query(area, found);
    int best = -1;
    double bestDistance = tolerance;
    for (const int edge : found) {
        const auto& path = paths[edge];
        for (size_t i = 0; i + 1 < path.size(); ++i) {
            if (!segmentArea(path[i], path[i + 1])
                     .adjusted(-tolerance, -tolerance, tolerance, tolerance)
                     .contains(point))
                continue;
            const double distance = distanceTo(point, path[i], path[i + 1]);
            if (distance >= bestDistance) continue;
            bestDistance = distance;
            best = edge;
        }
    }
    return best;
}

GraphPicture makePicture(GraphScenePtr scene, VisibleGraph graph, const LayoutResult& layout) {
    GraphPicture picture;
    picture.scene = std::move(scene);
    picture.graph = std::move(graph);
    picture.bounds = QRectF(0, 0, layout.width, layout.height);
    const auto nodeCount = picture.graph.nodes.size();
    picture.outgoing.resize(nodeCount);
    picture.incoming.resize(nodeCount);
    picture.nodeIndex.reset(picture.bounds, static_cast<int>(nodeCount));
    picture.edgeIndex.reset(picture.bounds, static_cast<int>(layout.edges.size()));
    for (const LayoutRect& rect : layout.nodes) {
        picture.rects.emplace_back(rect.x, rect.y, rect.width, rect.height);
        picture.nodeIndex.insert(static_cast<int>(picture.rects.size()) - 1, picture.rects.back());
    }
    for (int e = 0; e < static_cast<int>(layout.edges.size()); ++e) {
        std::vector<QPointF> path;
        for (const LayoutPoint& point : layout.edges[e]) path.emplace_back(point.x, point.y);
        for (size_t i = 0; i + 1 < path.size(); ++i) picture.edgeIndex.insert(e, segmentArea(path[i], path[i + 1]));
        picture.paths.push_back(std::move(path));
        picture.outgoing[picture.graph.edges[e].from].push_back(e);
        picture.incoming[picture.graph.edges[e].to].push_back(e);
    }
    return picture;
}

}  // namespace strobe::canvas
