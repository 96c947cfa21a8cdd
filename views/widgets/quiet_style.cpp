#include "views/widgets/quiet_style.h"

#include <QPainter>
#include <QStyleFactory>
#include <QStyleOption>

#include "views/widgets/theme.h"

namespace strobe {

QuietStyle::QuietStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

void QuietStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    if (element != PE_IndicatorCheckBox && element != PE_IndicatorItemViewItemCheck)
        return QProxyStyle::drawPrimitive(element, option, painter, widget);
    const ThemeColours& colours = Theme::instance().colours();
    const bool isOn = option->state.testFlag(State_On), isEnabled = option->state.testFlag(State_Enabled);
    const QColor fill = isOn ? (isEnabled ? colours.accent : colours.hairline) : colours.surface;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5);
    painter->setPen(isOn ? fill : option->state.testFlag(State_HasFocus) ? colours.accent : colours.secondary);
    painter->setBrush(fill);
    painter->drawRoundedRect(box, 3, 3);
    if (isOn) {
        QPen pen(isEnabled ? colours.accentText : colours.secondary, 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
        painter->setPen(pen);
        const auto at = [&](double x, double y) { return QPointF(box.left() + x * box.width(), box.top() + y * box.height()); };
        const QPointF tick[] = {at(0.24, 0.52), at(0.43, 0.72), at(0.77, 0.30)};
        painter->drawPolyline(tick, 3);
    }
    painter->restore();
}

}  // namespace strobe
