// Draws a GraphPicture: level of detail by zoom, only what meets the visible area. Internal to the canvas.
#pragma once

#include <QFont>
#include <QPainter>
#include <cstdint>
#include <vector>

#include "views/widgets/canvas/graph_picture.h"

namespace strobe::canvas {

enum NodeMark : uint8_t {
    kSelected = 1,
    kHighlighted = 2,
    kHit = 4,
    kCurrentHit = 8,
    kDimmed = 16,
    kHovered = 32,
};

// Scene to device: device = (scene − origin) × zoom.
struct ViewTransform {
    QPointF origin;
    double zoom = 1;

    QPointF map(const QPointF& scene) const { return (scene - origin) * zoom; }
    QRectF map(const QRectF& scene) const { return QRectF(map(scene.topLeft()), scene.size() * zoom); }
    QPointF unmap(const QPointF& device) const { return device / zoom + origin; }
    QRectF unmap(const QRectF& device) const { return QRectF(unmap(device.topLeft()), device.size() / zoom); }
};

class GraphPainter {
public:
    GraphPainter(const GraphPicture& picture, const GraphColouring& colouring, const std::vector<uint8_t>& marks);

    // `hoveredEdge` is −1 for none. `device` is the area to fill, in device coordinates.
    void paint(QPainter& painter, const ViewTransform& view, const QRectF& device, int hoveredEdge);

private:
    void paintEdges(QPainter& painter, const QRectF& area, int hoveredEdge);
    void paintEdgesFar(QPainter& painter, const std::vector<int>& edges);
    void paintEdge(QPainter& painter, int edge, const QPen& pen, bool arrow);
    void paintNodesFar(QPainter& painter, const std::vector<int>& nodes);
    void paintNode(QPainter& painter, int node);
    void paintFrame(QPainter& painter, int node, const QRectF& rect);
    void paintText(QPainter& painter, int node, const QRectF& rect, const QColor& fill);
    void paintPrecision(QPainter& painter, const GraphNode& node, const QRectF& rect, bool dimmed);
    void paintBadge(QPainter& painter, GraphBadge badge, const QRectF& rect);
    QColor fillOf(int node) const;  // invalid when plain
    QColor stripeOf(int node) const;
    QColor dim(const QColor& colour, int node) const;
    uint8_t marksOf(int node) const { return node < static_cast<int>(m_marks.size()) ? m_marks[node] : 0; }

    const GraphPicture& m_picture;
    const GraphColouring& m_colouring;
    const std::vector<uint8_t>& m_marks;
    NodeMetrics m_metrics;
    ViewTransform m_view;
    QFont m_titleFont, m_nameFont, m_valueFont;
};

// The legend in the lower left corner of `device`; returns its area (empty without a title).
QRectF paintLegend(QPainter& painter, const GraphLegend& legend, const QRectF& device);

}  // namespace strobe::canvas
