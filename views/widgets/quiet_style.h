// Fusion with what it draws too dark for a dark theme redrawn in the theme's colours.
#pragma once

#include <QProxyStyle>

namespace strobe {

class QuietStyle : public QProxyStyle {
    Q_OBJECT
public:
    QuietStyle();
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override;
};

}  // namespace strobe
