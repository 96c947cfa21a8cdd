#include "views/widgets/canvas/graph_painter.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace strobe::canvas {
namespace {

constexpr double kFarZoom = 0.3;   // below: filled rectangles and thin lines
constexpr double kTextZoom = 0.5;  // below: no text
constexpr double kRadius = 5;

QFont pixelFont(QFont font, double pixels) {
    font.setPixelSize(std::max(5, static_cast<int>(std::floor(pixels + 0.25))));
    return font;
}

QColor blend(const QColor& a, const QColor& b, double t) {
    const auto channel = [t](int x, int y) { return static_cast<int>(x + (y - x) * t); };
    return QColor(channel(a.red(), b.red()), channel(a.green(), b.green()), channel(a.blue(), b.blue()));
}

}  // namespace

GraphPainter::GraphPainter(const GraphPicture& picture, const GraphColouring& colouring,
                           const std::vector<uint8_t>& marks)
    : m_picture(picture), m_colouring(colouring), m_marks(marks), m_metrics(NodeMetrics::current()) {}

void GraphPainter::paint(QPainter& painter, const ViewTransform& view, const QRectF& device, int hoveredEdge) {
    m_view = view;
    m_titleFont = pixelFont(Theme::systemFont(0, true), m_metrics.titlePixels * view.zoom);
    m_nameFont = pixelFont(Theme::monoFont(), m_metrics.smallPixels * view.zoom);
    m_valueFont = pixelFont(Theme::figuresFont(), m_metrics.titlePixels * view.zoom);
    const QRectF area = view.unmap(device).adjusted(-16, -16, 16, 16);
    paintEdges(painter, area, hoveredEdge);
    std::vector<int> nodes;
    m_picture.nodeIndex.query(area, nodes);
    std::erase_if(nodes, [&](int node) { return !m_picture.rects[node].intersects(area); });
    if (view.zoom < kFarZoom) {
        paintNodesFar(painter, nodes);
        return;
    }
    for (const int node : nodes) paintNode(painter, node);
}

QColor GraphPainter::dim(const QColor& colour, int node) const {
    return (marksOf(node) & kDimmed) != 0 ? blend(colour, Theme::instance().colours().window, 0.6) : colour;
}

QColor GraphPainter::fillOf(int node) const {
    const VisibleNode& visible = m_picture.graph.nodes[node];
    if (visible.sceneNode < 0) return m_colouring.groupFill ? m_colouring.groupFill(visible.members) : QColor();
    const auto index = static_cast<size_t>(visible.sceneNode);
    return index < m_colouring.fills.size() ? m_colouring.fills[index] : QColor();
}

QColor GraphPainter::stripeOf(int node) const {
    const VisibleNode& visible = m_picture.graph.nodes[node];
    if (visible.sceneNode < 0) return Theme::instance().colours().secondary;
    return Theme::instance().family(m_picture.scene->nodes[visible.sceneNode].family);
}

void GraphPainter::paintEdges(QPainter& painter, const QRectF& area, int hoveredEdge) {
    std::vector<int> edges;
    m_picture.edgeIndex.query(area, edges);
    if (m_view.zoom < kFarZoom) {
        paintEdgesFar(painter, edges);
    } else {
        const ThemeColours& c = Theme::instance().colours();
        const QColor line = blend(c.hairline, c.secondary, 0.45);
        painter.setRenderHint(QPainter::Antialiasing);
        for (const int e : edges) {
            const VisibleEdge& edge = m_picture.graph.edges[e];
            const int marks = marksOf(edge.from) | marksOf(edge.to);
            const bool strong = (marks & (kSelected | kHovered)) != 0;
            const bool faint = (marksOf(edge.from) & marksOf(edge.to) & kDimmed) != 0;
            const QColor colour = strong ? c.accent : faint ? blend(line, c.window, 0.7) : line;
            paintEdge(painter, e, QPen(colour, strong ? 1.6 : 1.1), m_view.zoom >= kTextZoom);
        }
    }
    if (hoveredEdge >= 0) {
        painter.setRenderHint(QPainter::Antialiasing);
        paintEdge(painter, hoveredEdge, QPen(Theme::instance().colours().accent, 2.2), true);
    }
}

void GraphPainter::paintEdgesFar(QPainter& painter, const std::vector<int>& edges) {
    const ThemeColours& c = Theme::instance().colours();
    std::vector<QLineF> lines, strong;
    for (const int e : edges) {
        const VisibleEdge& edge = m_picture.graph.edges[e];
        auto& list = ((marksOf(edge.from) | marksOf(edge.to)) & kSelected) != 0 ? strong : lines;
        // Bends within a pixel are not seen, nor are edges that short: a whole graph has tens of thousands.
        const auto& path = m_picture.paths[e];
        if (path.empty()) continue;
        QPointF from = m_view.map(path.front());
        for (size_t i = 1; i < path.size(); ++i) {
            const QPointF to = m_view.map(path[i]);
            if ((to - from).manhattanLength() < 1.5) continue;
            list.emplace_back(from, to);
            from = to;
        }
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(blend(c.hairline, c.secondary, 0.3), 0));
    painter.drawLines(lines.data(), static_cast<int>(lines.size()));
    painter.setPen(QPen(c.accent, 0));
    painter.drawLines(strong.data(), static_cast<int>(strong.size()));
}

void GraphPainter::paintEdge(QPainter& painter, int edge, const QPen& pen, bool arrow) {
    const auto& points = m_picture.paths[edge];
    if (points.size() < 2) return;
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    const QPointF start = m_view.map(points.front()), end = m_view.map(points.back());
    if (points.size() == 2 && std::abs(start.x() - end.x()) < 0.5) {
        painter.drawLine(start, end);
    } else {
        QPainterPath path(start);
        for (size_t i = 1; i < points.size(); ++i) {
            const QPointF a = m_view.map(points[i - 1]), b = m_view.map(points[i]);
            const double bend = (b.y() - a.y()) / 2;
            if (std::abs(a.x() - b.x()) < 0.5)
                path.lineTo(b);
            else
                path.cubicTo(a.x(), a.y() + bend, b.x(), b.y() - bend, b.x(), b.y());
        }
        painter.drawPath(path);
    }
    if (!arrow) return;
    const double size = std::max(3.0, 4.5 * m_view.zoom);
    const double up = points.back().y() < points[points.size() - 2].y() ? -1 : 1;
    const QPointF head[3] = {end, end + QPointF(-size * 0.7, -up * size * 1.3),
                             end + QPointF(size * 0.7, -up * size * 1.3)};
    painter.setBrush(pen.color());
    painter.setPen(Qt::NoPen);
    painter.drawPolygon(head, 3);
}

void GraphPainter::paintNodesFar(QPainter& painter, const std::vector<int>& nodes) {
    const ThemeColours& c = Theme::instance().colours();
    painter.setRenderHint(QPainter::Antialiasing, false);
    std::vector<int> framed;
    for (const int node : nodes) {
        const QRectF rect = m_view.map(m_picture.markOf(node, m_view.zoom));
        const QColor fill = fillOf(node);
        painter.fillRect(rect, dim(fill.isValid() ? fill : stripeOf(node), node));
        if ((marksOf(node) & (kSelected | kHighlighted | kHit)) != 0) framed.push_back(node);
    }
    // Frames last and never below a few pixels: a selection must be seen from any distance.
    painter.setBrush(Qt::NoBrush);
    for (const int node : framed) {
        const QRectF rect = m_view.map(m_picture.markOf(node, m_view.zoom)).adjusted(-2, -2, 2, 2);
        const bool isHitOnly = (marksOf(node) & (kSelected | kHighlighted)) == 0;
        painter.setPen(QPen(isHitOnly ? c.warning : c.accent, 2));
        painter.drawRect(rect);
    }
}

void GraphPainter::paintNode(QPainter& painter, int node) {
    const ThemeColours& c = Theme::instance().colours();
    const QRectF rect = m_view.map(m_picture.rects[node]);
    const VisibleNode& visible = m_picture.graph.nodes[node];
    const double radius = kRadius * std::min(1.5, m_view.zoom);
    const QColor given = fillOf(node);
    const bool selected = (marksOf(node) & kSelected) != 0;
    const QColor fill = dim(given.isValid() ? given : selected ? c.selection : c.surface, node);
    const QColor border = dim(given.isValid() ? blend(fill, c.text, 0.25) : blend(c.hairline, c.secondary, 0.35), node);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(border, 1));
    painter.setBrush(fill);
    if (visible.sceneNode < 0) {
        // A second sheet behind tells a folded group from a node.
        const double step = 3 * m_view.zoom;
        painter.drawRoundedRect(rect.translated(step, step), radius, radius);
    }
    painter.drawRoundedRect(rect, radius, radius);
    const double stripe = std::max(2.0, m_metrics.stripe * m_view.zoom);
    painter.setPen(Qt::NoPen);
    painter.setBrush(dim(stripeOf(node), node));
    painter.setClipRect(QRectF(rect.left(), rect.top(), stripe, rect.height()));
    painter.drawRoundedRect(rect, radius, radius);
    painter.setClipping(false);
    if (marksOf(node) != 0) paintFrame(painter, node, rect);
    if (m_view.zoom < kTextZoom) return;
    paintText(painter, node, rect, fill);
    if (visible.sceneNode >= 0) paintBadge(painter, m_picture.scene->nodes[visible.sceneNode].badge, rect);
}

void GraphPainter::paintFrame(QPainter& painter, int node, const QRectF& rect) {
    const ThemeColours& c = Theme::instance().colours();
    const uint8_t marks = marksOf(node);
    const double radius = kRadius * std::min(1.5, m_view.zoom) + 2;
    const auto frame = [&](const QColor& colour, double width, double distance, Qt::PenStyle style) {
        painter.setPen(QPen(colour, width, style));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(rect.adjusted(-distance, -distance, distance, distance), radius, radius);
    };
    if ((marks & kHighlighted) != 0) frame(c.accent, 1.5, 3.5, Qt::DashLine);
    if ((marks & kHit) != 0) frame(c.warning, (marks & kCurrentHit) != 0 ? 3 : 1.5, 3, Qt::SolidLine);
    if ((marks & kSelected) != 0)
        frame(c.accent, 2, 1, Qt::SolidLine);
    else if ((marks & kHovered) != 0)
        frame(c.accent, 1, 0, Qt::SolidLine);
}

void GraphPainter::paintText(QPainter& painter, int node, const QRectF& rect, const QColor& fill) {
    const VisibleNode& visible = m_picture.graph.nodes[node];
    const Theme& theme = Theme::instance();
    const ThemeColours& c = theme.colours();
    const bool isPlain = !fillOf(node).isValid();
    const bool dimmed = (marksOf(node) & kDimmed) != 0;
    QColor text = isPlain ? c.text : theme.textOn(fill), faint = isPlain ? c.secondary : text;  // fainter would not read on every fill
    if (dimmed) {
        text = blend(text, fill, 0.55);
        faint = blend(faint, fill, 0.55);
    }
    const double zoom = m_view.zoom;
    const double left = rect.left() + (m_metrics.stripe + m_metrics.padding) * zoom;
    const double right = rect.right() - m_metrics.padding * zoom;
    const double titleLine = rect.top() + (6 + m_metrics.titlePixels * 0.92) * zoom;
    const double nameLine = rect.bottom() - (6 + m_metrics.smallPixels * 0.22) * zoom;
    painter.setPen(text);
    painter.setFont(m_titleFont);
    painter.drawText(QPointF(left, titleLine), visible.title);
    const bool isGroup = visible.sceneNode < 0;
    const QString chip = !isGroup ? m_picture.scene->nodes[visible.sceneNode].chip
                                  : (m_colouring.groupChip ? m_colouring.groupChip(visible.members) : QString());
    if (!chip.isEmpty()) {
        painter.setFont(m_valueFont);
        const double width = painter.fontMetrics().horizontalAdvance(chip);
        painter.drawText(QPointF(right - width, titleLine), chip);
    }
    painter.setPen(faint);
    painter.setFont(m_nameFont);
    painter.drawText(QPointF(left, nameLine), visible.subtitle);
    if (!isGroup) paintPrecision(painter, m_picture.scene->nodes[visible.sceneNode], rect, dimmed);
}

void GraphPainter::paintPrecision(QPainter& painter, const GraphNode& node, const QRectF& rect, bool dimmed) {
    if (node.precision.isEmpty()) return;
    const Theme& theme = Theme::instance();
    const double zoom = m_view.zoom;
    QFont font = m_valueFont;
    font.setPixelSize(std::max(5, static_cast<int>(m_metrics.smallPixels * 0.95 * zoom)));
    painter.setFont(font);
    const double mark = 3 * zoom;
    const double width = painter.fontMetrics().horizontalAdvance(node.precision) + mark + 7 * zoom;
    const double height = (m_metrics.smallPixels + 3) * zoom;
    const QRectF chip(rect.right() - width - m_metrics.padding * zoom, rect.bottom() - height - 4 * zoom, width,
                      height);
    // Text on the surface reads on every fill; the mark at its left carries the precision's colour.
    const double shade = dimmed ? 0.45 : 1;
    const QColor window = theme.colours().window, colour = blend(window, theme.precision(node.precision), shade);
    painter.setPen(Qt::NoPen);
    painter.setBrush(blend(window, theme.colours().surface, shade));
    painter.drawRoundedRect(chip, 2.5 * zoom, 2.5 * zoom);
    const QRectF side(chip.left(), chip.top(), mark, chip.height());
    painter.fillRect(side, colour);
    if (node.preview) painter.fillRect(side, QBrush(theme.tint(colour, 0.35), Qt::BDiagPattern));
    painter.setPen(blend(window, theme.colours().text, shade));
    painter.drawText(chip.adjusted(mark, 0, 0, 0), Qt::AlignCenter, node.precision);
}

void GraphPainter::paintBadge(QPainter& painter, GraphBadge badge, const QRectF& rect) {
    if (badge == GraphBadge::None) return;
    const ThemeColours& c = Theme::instance().colours();
    const QColor colour = badge == GraphBadge::Error ? c.bad : badge == GraphBadge::Warning ? c.warning : c.accent;
    const double radius = 7 * std::min(1.25, m_view.zoom);
    const QRectF circle(rect.right() - radius * 1.1, rect.top() - radius * 0.9, 2 * radius, 2 * radius);
    painter.setPen(QPen(c.window, 1.5));
    painter.setBrush(colour);
    painter.drawEllipse(circle);
    QFont font = m_titleFont;
    font.setPixelSize(std::max(6, static_cast<int>(radius * 1.4)));
    painter.setFont(font);
    painter.setPen(c.accentText);
    painter.drawText(circle, Qt::AlignCenter, badge == GraphBadge::Note ? QStringLiteral("i") : QStringLiteral("!"));
}

}  // namespace strobe::canvas
