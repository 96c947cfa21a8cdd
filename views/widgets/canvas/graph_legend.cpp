#include <QFontMetricsF>
#include <algorithm>

#include "views/widgets/canvas/graph_painter.h"

namespace strobe::canvas {
namespace {

constexpr double kSwatch = 10, kPad = 8, kRampWidth = 160;

void paintSwatch(QPainter& painter, const QRectF& box, const GraphLegend::Swatch& swatch) {
    painter.fillRect(box, swatch.colour);
    if (swatch.hatched) painter.fillRect(box, QBrush(Theme::instance().tint(swatch.colour, 0.5), Qt::BDiagPattern));
}

void paintRamp(QPainter& painter, const GraphLegend& legend, const QRectF& box, double line) {
    const auto steps = static_cast<double>(legend.ramp.size());
    for (size_t i = 0; i < legend.ramp.size(); ++i) {
        const double at = box.left() + box.width() * static_cast<double>(i) / steps;
        painter.fillRect(QRectF(at, box.top(), box.width() / steps + 0.5, kSwatch), legend.ramp[i]);
    }
    const QRectF labels(box.left(), box.top() + kSwatch + 2, box.width(), line);
    painter.drawText(labels, Qt::AlignLeft | Qt::AlignTop, legend.rampLow);
    painter.drawText(labels, Qt::AlignRight | Qt::AlignTop, legend.rampHigh);
}

}  // namespace

QRectF paintLegend(QPainter& painter, const GraphLegend& legend, const QRectF& device) {
    if (legend.title.isEmpty()) return {};
    const Theme& theme = Theme::instance();
    const QFont small = Theme::systemFont(-1), bold = Theme::systemFont(-1, true);
    const QFontMetricsF metrics(small);
    const double line = metrics.height() + 2;
    const bool isRamp = !legend.ramp.empty();
    double width = std::max(QFontMetricsF(bold).horizontalAdvance(legend.title), isRamp ? kRampWidth : 0.0);
    for (const auto& swatch : legend.swatches)
        width = std::max(width, metrics.horizontalAdvance(swatch.label) + kSwatch + kPad);
    const double body = isRamp ? kSwatch + 2 + line : line * static_cast<double>(legend.swatches.size());
    const QSizeF size(width + 2 * kPad, line + body + 2 * kPad - 4);
    const QRectF box(QPointF(device.left() + kPad, device.bottom() - kPad - size.height()), size);
    QColor back = theme.colours().surface;
    back.setAlpha(235);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(theme.colours().hairline);
    painter.setBrush(back);
    painter.drawRect(box);
    painter.setPen(theme.colours().text);
    painter.setFont(bold);
    double y = box.top() + kPad - 2;
    painter.drawText(QRectF(box.left() + kPad, y, width, line), Qt::AlignLeft | Qt::AlignVCenter, legend.title);
    painter.setFont(small);
    painter.setPen(theme.colours().secondary);
    y += line;
    if (isRamp) {
        paintRamp(painter, legend, QRectF(box.left() + kPad, y + 2, width, body), line);
        return box;
    }
    for (const auto& swatch : legend.swatches) {
        paintSwatch(painter, QRectF(box.left() + kPad, y + (line - kSwatch) / 2, kSwatch, kSwatch), swatch);
        painter.drawText(QRectF(box.left() + 2 * kPad + kSwatch, y, width, line), Qt::AlignLeft | Qt::AlignVCenter,
                         swatch.label);
        y += line;
    }
    return box;
}

}  // namespace strobe::canvas
