// Pan, zoom and painting of the canvas.
#include <QPaintEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "views/widgets/canvas/canvas_state.h"

namespace strobe {
namespace {

constexpr double kMinZoom = 0.004, kMaxZoom = 4.0;         // a graph that needs less to be seen whole gets it
constexpr double kFitMargin = 24;                          // pixels around a framed area
constexpr double kReadableZoom = 0.75, kRevealZoom = 0.9;  // a revealed node reads well

}  // namespace

double GraphCanvas::zoomFactor() const {
    return m_state->view.zoom;
}

void GraphCanvas::setZoomFactor(double factor) {
    m_state->moveTo(m_state->viewArea().center(), factor);
}

void GraphCanvas::zoomToFit() {
    m_state->frame(m_state->picture.bounds, 1.0);
}

void GraphCanvas::zoomToSelection() {
    QRectF area;
    for (size_t i = 0; i < m_state->marks.size(); ++i)
        if (m_state->isSelected(static_cast<int>(i))) area |= m_state->picture.rects[i];
    if (area.isEmpty())
        zoomToFit();
    else
        m_state->frame(area.adjusted(-60, -60, 60, 60), 1.25);
}

void GraphCanvas::zoomOneToOne() {
    setZoomFactor(1.0);
}

void GraphCanvas::reveal(int64_t id) {
    const int visible = m_state->visibleOf(id);
    if (visible >= 0) m_state->revealVisible(visible);
}

void GraphCanvas::setAnimated(bool animated) {
    m_state->animated = animated;
}

void GraphCanvas::setMinimapVisible(bool visible) {
    m_state->minimapVisible = visible;
    update();
}

void GraphCanvas::State::setView(const QPointF& origin, double zoom) {
    view.zoom = std::clamp(zoom, leastZoom(), kMaxZoom);
    // Some of the graph always stays in sight.
    const QSizeF size(widget.width() / view.zoom, widget.height() / view.zoom);
    const double marginX = size.width() * 0.8, marginY = size.height() * 0.8;
    const QRectF& b = picture.bounds;
    const auto bound = [](double at, double low, double high) {
        return std::clamp(at, std::min(low, high), std::max(low, high));
    };
    view.origin = QPointF(bound(origin.x(), b.left() - marginX, b.right() - size.width() + marginX),
                          bound(origin.y(), b.top() - marginY, b.bottom() - size.height() + marginY));
    widget.update();
}

void GraphCanvas::State::moveTo(const QPointF& centre, double zoom) {
    animation.stop();
    zoom = std::clamp(zoom, leastZoom(), kMaxZoom);
    if (!animated || !widget.isVisible()) {
        setView(centre - QPointF(widget.width(), widget.height()) / (2 * zoom), zoom);
        return;
    }
    animationFrom = viewArea().center();
    animationTo = centre;
    zoomFrom = view.zoom;
    zoomTo = zoom;
    animation.start();
}

void GraphCanvas::State::frame(const QRectF& area, double maxZoom) {
    if (area.isEmpty()) return;
    fitPending = !widget.isVisible();
    moveTo(area.center(), std::min(maxZoom, zoomToShow(area)));
}

double GraphCanvas::State::zoomToShow(const QRectF& area) const {
    const double width = std::max(1.0, widget.width() - 2 * kFitMargin),
                 height = std::max(1.0, widget.height() - 2 * kFitMargin);
    return std::min(width / area.width(), height / area.height());
}

double GraphCanvas::State::leastZoom() const {
    return picture.bounds.isEmpty() ? kMinZoom : std::min(kMinZoom, zoomToShow(picture.bounds));
}

void GraphCanvas::State::showWhole() {
    constexpr double kTooSmall = 0.6;  // names cannot be read below
    const bool wasAnimated = std::exchange(animated, false);
    widget.zoomToFit();
    if (view.zoom < kTooSmall && widget.isVisible()) {
        // A long network seen whole is a thread; its beginning, across the full width, says more.
        const double zoom = std::clamp((widget.width() - 48) / picture.bounds.width(), kTooSmall, kRevealZoom);
        QPointF inputs(picture.bounds.center().x(), picture.bounds.top());
        if (picture.bounds.width() * zoom > widget.width()) {
            const auto first = std::min_element(picture.rects.begin(), picture.rects.end(), [](const QRectF& a, const QRectF& b) { return a.top() < b.top(); });
            inputs.setX(first->center().x());
        }
        setView(inputs - QPointF(widget.width() / 2.0, 24) / zoom, zoom);
    }
    animated = wasAnimated;
}

void GraphCanvas::State::zoomAt(const QPointF& device, double factor) {
    animation.stop();
    const QPointF fixed = view.unmap(device);
    const double zoom = std::clamp(view.zoom * factor, leastZoom(), kMaxZoom);
    setView(fixed - device / zoom, zoom);
}

void GraphCanvas::State::revealVisible(int visible) {
    const QRectF& rect = picture.rects[visible];
    const bool isReadable = view.zoom >= kReadableZoom;
    const double margin = 32 / view.zoom;
    if (isReadable && viewArea().adjusted(margin, margin, -margin, -margin).contains(rect)) return;
    moveTo(rect.center(), isReadable ? view.zoom : kRevealZoom);
}

void GraphCanvas::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (m_state->fitPending && !m_state->picture.rects.empty()) {
        m_state->showWhole();
    }
}

void GraphCanvas::paintEvent(QPaintEvent* event) {
    State& s = *m_state;
    const ThemeColours& c = Theme::instance().colours();
    QPainter painter(this);
    painter.fillRect(event->rect(), c.window);
    if (s.picture.rects.empty()) {
        painter.setPen(c.secondary);
        const QString text = s.worker.isRunning() ? tr("Placing the graph…") : s.emptyText;
        painter.drawText(rect().adjusted(24, 24, -24, -24), Qt::AlignCenter | Qt::TextWordWrap, text);
        return;
    }
    s.paintGroupFrame(painter);
    canvas::GraphPainter(s.picture, s.shownColouring(), s.marks).paint(painter, s.view, QRectF(rect()), s.hoverEdge);
    s.paintGroupLabel(painter);
    if (s.drag == State::Drag::RubberBand) {
        QColor fill = c.accent;
        fill.setAlpha(36);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(c.accent);
        painter.setBrush(fill);
        painter.drawRect(QRectF(s.pressAt, s.dragAt).normalized());
    }
    canvas::paintLegend(painter, s.shownColouring().legend, QRectF(rect()));
    s.paintMinimap(painter);
    s.paintHoverLabel(painter);
    if (!s.focusRing) return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(c.accent);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

QRectF GraphCanvas::State::minimapRect() const {
    const QRectF& b = picture.bounds;
    const bool showsAll = viewArea().contains(b);
    if (!minimapVisible || b.isEmpty() || showsAll || widget.width() < 360 || widget.height() < 240) return {};
    const double maxWidth = std::min(200.0, widget.width() * 0.25), maxHeight = std::min(260.0, widget.height() * 0.45);
    const double scale = std::min(maxWidth / b.width(), maxHeight / b.height());
    // A very long graph is stretched sideways, so that there is something to hit.
    const QSizeF size(std::max(48.0, b.width() * scale), std::max(48.0, b.height() * scale));
    return QRectF(QPointF(widget.width() - 8 - size.width(), widget.height() - 8 - size.height()), size);
}

QColor GraphCanvas::State::miniColour(size_t visible) const {
    const int sceneNode = picture.graph.nodes[visible].sceneNode;
    const std::vector<QColor>& fills = shownColouring().fills;
    const bool given = sceneNode >= 0 && static_cast<size_t>(sceneNode) < fills.size();
    if (given && fills[sceneNode].isValid()) return fills[sceneNode];
    return sceneNode >= 0 ? Theme::instance().family(picture.scene->nodes[sceneNode].family) : Theme::instance().colours().secondary;
}

void GraphCanvas::State::paintMinimap(QPainter& painter) {
    const QRectF box = minimapRect();
    if (box.isEmpty()) return;
    const ThemeColours& c = Theme::instance().colours();
    const double sx = box.width() / picture.bounds.width(), sy = box.height() / picture.bounds.height();
    const double ratio = widget.devicePixelRatioF();
    const QSize pixels = (box.size() * ratio).toSize();
    if (minimap.size() != pixels) {
        minimap = QPixmap(pixels);
        minimap.setDevicePixelRatio(ratio);
        minimap.fill(c.surface);
        QPainter mini(&minimap);
        for (size_t i = 0; i < picture.rects.size(); ++i) {
            const QColor fill = miniColour(i);
            const QRectF& r = picture.rects[i];
            mini.fillRect(QRectF(r.x() * sx, r.y() * sy, std::max(1.5, r.width() * sx), std::max(1.0, r.height() * sy)),
                          fill);
        }
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.drawPixmap(box.topLeft(), minimap);
    const QRectF area = viewArea() & picture.bounds;
    QRectF window(box.x() + area.x() * sx, box.y() + area.y() * sy, std::max(3.0, area.width() * sx),
                  std::max(3.0, area.height() * sy));
    QColor fill = c.accent;
    fill.setAlpha(40);
    painter.setPen(QPen(c.accent, 1));
    painter.setBrush(fill);
    painter.drawRect(window);
    painter.setPen(c.hairline);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(box);
}

void GraphCanvas::State::moveByMinimap(const QPointF& device) {
    const QRectF box = minimapRect();
    if (box.isEmpty()) return;
    const QRectF& b = picture.bounds;
    const QPointF centre((device.x() - box.x()) / box.width() * b.width(),
                         (device.y() - box.y()) / box.height() * b.height());
    animation.stop();
    setView(centre - QPointF(widget.width(), widget.height()) / (2 * view.zoom), view.zoom);
}

QString GraphCanvas::State::frameGroup(QRectF* area, QRectF* label) const {
    const int visible = hoverNode >= 0 ? hoverNode : current();
    if (visible < 0 || picture.graph.nodes[visible].sceneNode < 0) return {};
    const QString group = picture.scene->nodes[picture.graph.nodes[visible].sceneNode].group;
    if (group.isEmpty()) return {};
    QRectF bounds;
    for (size_t i = 0; i < picture.rects.size(); ++i) {
        const int sceneNode = picture.graph.nodes[i].members.front();
        const QString& path = picture.scene->nodes[sceneNode].group;
        if (path == group || (path.startsWith(group) && path.size() > group.size() && path[group.size()] == '/'))
            bounds |= picture.rects[i];
    }
    *area = view.map(bounds.adjusted(-10, -12, 10, 12));
    const QFontMetricsF metrics(Theme::systemFont(-1));
    *label = QRectF(area->left(), area->top() - metrics.height() - 4,
                    std::min(metrics.horizontalAdvance(group + QStringLiteral(" −")) + 12, std::max(160.0, area->width())), metrics.height() + 4);
    return group;
}

void GraphCanvas::State::paintGroupFrame(QPainter& painter) {
    QRectF area, label;
    const QString group = frameGroup(&area, &label);
    if (group.isEmpty()) return;
    const Theme& theme = Theme::instance();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.colours().hairline, 1));
    painter.setBrush(theme.tint(theme.colours().hairline, 0.35));
    painter.drawRoundedRect(area, 6, 6);
}

void GraphCanvas::State::paintGroupLabel(QPainter& painter) {
    QRectF area, label;
    const QString group = frameGroup(&area, &label);
    if (group.isEmpty()) return;
    const ThemeColours& c = Theme::instance().colours();
    painter.fillRect(label.adjusted(0, 4, 0, -2), c.window);  // edges run behind it
    painter.setFont(Theme::systemFont(-1));
    painter.setPen(c.secondary);
    const QFontMetricsF metrics(painter.font());
    const QString sign = QStringLiteral(" −");
    painter.drawText(label, Qt::AlignCenter, metrics.elidedText(group, Qt::ElideMiddle, label.width() - 12 - metrics.horizontalAdvance(sign)) + sign);
}

void GraphCanvas::State::paintHoverLabel(QPainter& painter) {
    if (hoverEdge < 0 || drag != Drag::None) return;
    const QString& text = picture.scene->edges[picture.graph.edges[hoverEdge].sceneEdge].label;
    if (text.isEmpty()) return;
    const ThemeColours& c = Theme::instance().colours();
    painter.setFont(Theme::monoFont(-1));
    const QFontMetricsF metrics(painter.font());
    QRectF box(hoverAt + QPointF(12, 14), QSizeF(metrics.horizontalAdvance(text) + 12, metrics.height() + 6));
    box.moveRight(std::min(box.right(), widget.width() - 4.0));
    box.moveBottom(std::min(box.bottom(), widget.height() - 4.0));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(c.hairline);
    painter.setBrush(c.surface);
    painter.drawRect(box);
    painter.setPen(c.text);
    painter.drawText(box, Qt::AlignCenter, text);
}

}  // namespace strobe
