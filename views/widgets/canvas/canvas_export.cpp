#include <QPainter>
#include <algorithm>
#include <cmath>

#include "views/widgets/canvas/canvas_state.h"
#include "views/widgets/picture_file.h"

namespace strobe {
namespace {

constexpr double kMaxPixels = 16384;
constexpr double kMargin = 24;

}  // namespace

QImage GraphCanvas::toImage(bool wholeGraph, double scale) const {
    const State& s = *m_state;
    if (s.picture.rects.empty()) return {};
    const QRectF area = wholeGraph ? s.picture.bounds.adjusted(-kMargin, -kMargin, kMargin, kMargin) : s.viewArea();
    double zoom = wholeGraph ? scale : scale * s.view.zoom;
    zoom = std::min(zoom, kMaxPixels / std::max(area.width(), area.height()));
    const QSize size(std::max(1, static_cast<int>(std::ceil(area.width() * zoom))),
                     std::max(1, static_cast<int>(std::ceil(area.height() * zoom))));
    QImage image(size, QImage::Format_RGB32);
    image.fill(Theme::instance().colours().window);
    QPainter painter(&image);
    canvas::GraphPainter(s.picture, s.shownColouring(), s.marks)
        .paint(painter, {area.topLeft(), zoom}, QRectF(image.rect()), -1);
    canvas::paintLegend(painter, s.shownColouring().legend, QRectF(image.rect()));
    return image;
}

QImage GraphCanvas::thumbnail(const QSize& size) const {
    const State& s = *m_state;
    if (s.picture.rects.empty() || size.isEmpty()) return {};
    QImage image(size, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    const QRectF& b = s.picture.bounds;
    const double sx = size.width() / std::max(1.0, b.height()), sy = size.height() / std::max(1.0, b.width());
    for (size_t i = 0; i < s.picture.rects.size(); ++i) {
        const QRectF& r = s.picture.rects[i];
        // Networks are long from top to bottom; lying down they fill a line.
        painter.fillRect(QRectF((r.y() - b.y()) * sx, (r.x() - b.x()) * sy, std::max(1.0, r.height() * sx), std::max(1.5, r.width() * sy)), s.miniColour(i));
    }
    return image;
}

bool GraphCanvas::exportPng(const QString& path, bool wholeGraph, QString* error) const {
    const QImage image = toImage(wholeGraph);
    if (!image.isNull()) return savePng(image, path, error);
    if (error != nullptr) *error = tr("There is no graph to export yet: open a model first.");
    return false;
}

bool GraphCanvas::exportSvg(const QString& path, QString* error) const {
    const State& s = *m_state;
    if (s.picture.rects.empty()) {
        if (error != nullptr) *error = tr("There is no graph to export yet: open a model first.");
        return false;
    }
    const QRectF area = s.picture.bounds.adjusted(-kMargin, -kMargin, kMargin, kMargin);
    const auto paint = [&](QPainter& painter) {
        const QRectF page(QPointF(0, 0), area.size());
        painter.fillRect(page, Theme::instance().colours().window);
        canvas::GraphPainter(s.picture, s.shownColouring(), s.marks).paint(painter, {area.topLeft(), 1.0}, page, -1);
        canvas::paintLegend(painter, s.shownColouring().legend, page);
    };
    return saveSvg(tr("Graph"), area.size().toSize(), paint, path, error);
}

}  // namespace strobe
