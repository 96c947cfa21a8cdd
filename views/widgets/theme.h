// Every colour and font of the window, in one place. GUI thread only.
//
// Widgets ask Theme::instance() while painting and never keep a colour; they repaint on themeChanged().
#pragma once

#include <QColor>
#include <QFont>
#include <QObject>
#include <QPalette>
#include <QString>
#include <cstdint>

namespace strobe {

// The first ten stand in the order of engine_core's OpFamily, which this folder does not include.
enum class NodeFamily : uint8_t {
    Convolution,
    MatMul,
    Attention,  // attention and softmax
    Normalization,
    Pointwise,
    PoolingReduction,
    ShapeCopy,
    Recurrent,
    Quantization,
    ControlFlow,
    Other  // graph inputs and outputs, folded groups
};
inline constexpr int kNodeFamilyCount = 11;
QString nodeFamilyLabel(NodeFamily family);

enum class ThemeMode : uint8_t { System, Light, Dark };

struct ThemeColours {
    QColor window, surface, hairline, text, secondary, accent, good, warning, bad, selection;
    QColor hover;       // between surface and selection
    QColor accentText;  // text that stands on the accent
};

class Theme : public QObject {
    Q_OBJECT
public:
    static Theme& instance();

    // Fusion style, palette and style sheet on the QApplication; call once after it exists. Follows the system until
    // setMode says otherwise.
    void install();
    void setMode(ThemeMode mode);
    ThemeMode mode() const { return m_mode; }
    bool isDark() const { return m_dark; }

    const ThemeColours& colours() const;
    QColor family(NodeFamily family) const;
    // "FP32", "TF32", "BF16", "FP16", "FP8", "INT8", "INT4" in any case; anything else is the secondary text colour.
    QColor precision(const QString& name) const;
    // `t` in 0..1 (clamped), cool to warm; the larger, the further from the surface: brighter on dark, darker on light.
    QColor magnitude(double t) const;
    // Blue (−1) through grey (0) to orange (+1).
    QColor difference(double t) const;
    // Black-ish or white-ish, whichever reads better on `background`.
    QColor textOn(const QColor& background) const;
    // `colour` moved toward the surface: strength 1 leaves it as it is, 0 gives the surface.
    QColor tint(const QColor& colour, double strength) const;

    static QFont systemFont(int pointDelta = 0, bool bold = false);
    // The system font with figures of one width, for columns of numbers.
    static QFont figuresFont(int pointDelta = 0);
    static QFont monoFont(int pointDelta = 0);

    QPalette palette() const;
    QString styleSheet() const;

signals:
    void themeChanged();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    Theme() = default;
    void refresh();

    ThemeMode m_mode = ThemeMode::System;
    bool m_dark = false;
    bool m_installed = false;
    bool m_refreshing = false;
};

// The 8-px grid.
inline constexpr int kGrid = 8;

}  // namespace strobe
