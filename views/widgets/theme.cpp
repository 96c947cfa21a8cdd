#include "views/widgets/theme.h"

#include <QApplication>
#include <QEvent>
#include <QFontDatabase>
#include <QWindow>
#include <algorithm>
#include <array>
#include <cmath>

#include "views/widgets/quiet_style.h"

// A static library's resources are only linked in when asked for, outside any namespace.
static void loadIcons() {
    Q_INIT_RESOURCE(strobe_icons);
}

namespace strobe {
namespace {

const ThemeColours kLight{QColor(0xF6F7F9), QColor(0xFFFFFF), QColor(0xE1E5EA), QColor(0x1B1F24),
                          QColor(0x5A6370), QColor(0x2A67E0), QColor(0x1A7F5A), QColor(0x9A6700),
                          QColor(0xC2352F), QColor(0xDCE8FF), QColor(0xEEF2F8), QColor(0xFFFFFF)};
const ThemeColours kDark{QColor(0x15171B), QColor(0x1D2025), QColor(0x2D3239), QColor(0xE7EAEE),
                         QColor(0x9BA5B2), QColor(0x6CA0FF), QColor(0x4CC38A), QColor(0xE2B341),
                         QColor(0xF2726B), QColor(0x24385C), QColor(0x262B33), QColor(0x0E1116)};

constexpr std::array<QRgb, kNodeFamilyCount> kFamilies{0xFF3B6FD4, 0xFF7A4FD0, 0xFFB8489B, 0xFF1F8F81,
                                                       0xFF5F8A1F, 0xFFB9701A, 0xFF7F8A99, 0xFFA34A34,
                                                       0xFFB38A00, 0xFF4F5F73, 0xFF98A1AD};

struct NamedColour {
    const char* name;
    QRgb colour;
};
constexpr std::array<NamedColour, 7> kPrecisions{{{"FP32", 0xFF4C6EF5},
                                                  {"TF32", 0xFF3E8ED0},
                                                  {"BF16", 0xFF0E9384},
                                                  {"FP16", 0xFF2E9E5B},
                                                  {"FP8", 0xFFC98A00},
                                                  {"INT8", 0xFFE0620D},
                                                  {"INT4", 0xFFD9363E}}};

// Small is cool and close to the surface, large is warm and far from it, in both themes alike. Lightness runs evenly
// one way, so that the ramps also read without hue.
constexpr std::array<QRgb, 6> kMagnitudeLight{0xFFE2EAF3, 0xFFB4D3DC, 0xFF8CC0A4, 0xFFCFA93A, 0xFFC8601F, 0xFF8A1C2B};
constexpr std::array<QRgb, 6> kMagnitudeDark{0xFF2C3550, 0xFF33597A, 0xFF2C8080, 0xFF63A854, 0xFFD9BE3C, 0xFFFFE98A};

QColor mix(const QColor& a, const QColor& b, double t) {
    const auto channel = [t](double x, double y) { return static_cast<float>(x + (y - x) * t); };
    return QColor::fromRgbF(channel(a.redF(), b.redF()), channel(a.greenF(), b.greenF()),
                            channel(a.blueF(), b.blueF()));
}

double luminance(const QColor& colour) {
    const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}

bool looksDark(const QPalette& palette) {
    return palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness();
}

QFont sized(QFont font, int pointDelta) {
    if (font.pointSizeF() > 0) font.setPointSizeF(std::max(6.0, font.pointSizeF() + pointDelta));
    return font;
}

}  // namespace

QString nodeFamilyLabel(NodeFamily family) {
    static const std::array<const char*, kNodeFamilyCount> names{
        "Convolution", "MatMul",    "Attention, softmax", "Normalisation", "Pointwise", "Pooling, reduction",
        "Shape, copy", "Recurrent", "Quantisation",       "Control flow",  "Other"};
    return QString::fromLatin1(names[static_cast<size_t>(family)]);
}

Theme& Theme::instance() {
    static Theme theme;
    return theme;
}

void Theme::install() {
    loadIcons();
    QApplication::setStyle(new QuietStyle);
    if (!m_installed) qApp->installEventFilter(this);
    m_installed = true;
    refresh();
}

void Theme::setMode(ThemeMode mode) {
    if (m_mode == mode) return;
    m_mode = mode;
    refresh();
}

void Theme::refresh() {
    if (!m_installed || m_refreshing) return;
    m_refreshing = true;
    if (m_mode == ThemeMode::System) {
        // A default palette hands the platform's own back; Qt 6.4 has no other way to ask for its colour scheme.
        QApplication::setPalette(QPalette());
        m_dark = looksDark(QApplication::palette());
    } else {
        m_dark = m_mode == ThemeMode::Dark;
    }
    QApplication::setPalette(palette());
    qApp->setStyleSheet(styleSheet());
    m_refreshing = false;
    emit themeChanged();
}

bool Theme::eventFilter(QObject* watched, QEvent* event) {
    const bool systemChanged = event->type() == QEvent::ThemeChange && qobject_cast<QWindow*>(watched) != nullptr;
    if (systemChanged && !m_refreshing && m_mode == ThemeMode::System)
        QMetaObject::invokeMethod(this, &Theme::refresh, Qt::QueuedConnection);
    return QObject::eventFilter(watched, event);
}

const ThemeColours& Theme::colours() const {
    return m_dark ? kDark : kLight;
}

QColor Theme::family(NodeFamily family) const {
    const QColor colour = QColor::fromRgb(kFamilies[static_cast<size_t>(family)]);
    return m_dark ? mix(colour, QColor(Qt::white), 0.18) : colour;
}

QColor Theme::precision(const QString& name) const {
    const auto found = std::find_if(kPrecisions.begin(), kPrecisions.end(), [&](const NamedColour& entry) {
        return name.compare(QLatin1String(entry.name), Qt::CaseInsensitive) == 0;
    });
    if (found == kPrecisions.end()) return colours().secondary;
    const QColor colour = QColor::fromRgb(found->colour);
    return m_dark ? mix(colour, QColor(Qt::white), 0.15) : colour;
}

QColor Theme::magnitude(double t) const {
    const double clamped = std::isfinite(t) ? std::clamp(t, 0.0, 1.0) : 0.0;
    const auto& ramp = m_dark ? kMagnitudeDark : kMagnitudeLight;
    const double at = clamped * (ramp.size() - 1);
    const auto low = std::min(static_cast<size_t>(at), ramp.size() - 2);
    return mix(QColor::fromRgb(ramp[low]), QColor::fromRgb(ramp[low + 1]), at - static_cast<double>(low));
}

QColor Theme::difference(double t) const {
    const double clamped = std::isfinite(t) ? std::clamp(t, -1.0, 1.0) : 0.0;
    const QColor middle = m_dark ? QColor(0x4A505A) : QColor(0xD5D9DF);
    const QColor end =
        clamped < 0 ? (m_dark ? QColor(0x5B9BFF) : QColor(0x2563C9)) : (m_dark ? QColor(0xF59A45) : QColor(0xD9650B));
    return mix(middle, end, std::abs(clamped));
}

QColor Theme::textOn(const QColor& background) const {
    const double back = luminance(background);
    // Nearly black: on a fill halfway, anything lighter falls under 4.5:1.
    return 1.05 / (back + 0.05) >= (back + 0.05) / 0.0515 ? QColor(0xFFFFFF) : QColor(0x040506);
}

QColor Theme::tint(const QColor& colour, double strength) const {
    return mix(colours().surface, colour, strength);
}

QFont Theme::systemFont(int pointDelta, bool bold) {
    QFont font = sized(QApplication::font(), pointDelta);
    font.setBold(bold);
    return font;
}

QFont Theme::figuresFont(int pointDelta) {
    // Figures of the usual interface faces are tabular unless kerning pairs move them; the mono face is not used,
    // since it is wider and would make a table of names and numbers restless.
    QFont font = sized(QApplication::font(), pointDelta);
    font.setKerning(false);
    return font;
}

QFont Theme::monoFont(int pointDelta) {
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    font.setPointSizeF(QApplication::font().pointSizeF());
    return sized(font, pointDelta);
}

QPalette Theme::palette() const {
    const ThemeColours& c = colours();
    QPalette p;
    p.setColor(QPalette::Window, c.window);
    p.setColor(QPalette::WindowText, c.text);
    p.setColor(QPalette::Base, c.surface);
    p.setColor(QPalette::AlternateBase, mix(c.surface, c.window, 0.6));
    p.setColor(QPalette::Text, c.text);
    p.setColor(QPalette::PlaceholderText, c.secondary);
    p.setColor(QPalette::Button, c.surface);
    p.setColor(QPalette::ButtonText, c.text);
    p.setColor(QPalette::BrightText, c.bad);
    p.setColor(QPalette::Highlight, c.selection);
    p.setColor(QPalette::HighlightedText, c.text);
    p.setColor(QPalette::Link, c.accent);
    p.setColor(QPalette::LinkVisited, c.accent);
    p.setColor(QPalette::ToolTipBase, c.surface);
    p.setColor(QPalette::ToolTipText, c.text);
    p.setColor(QPalette::Light, mix(c.hairline, c.surface, 0.5));
    p.setColor(QPalette::Midlight, c.hairline);
    p.setColor(QPalette::Mid, c.hairline);
    p.setColor(QPalette::Dark, mix(c.hairline, c.secondary, 0.4));
    p.setColor(QPalette::Shadow, mix(c.hairline, c.text, 0.3));
    const QColor faint = mix(c.secondary, c.window, 0.35);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText})
        p.setColor(QPalette::Disabled, role, faint);
    return p;
}

}  // namespace strobe
