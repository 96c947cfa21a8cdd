#include "views/widgets/bar_chart.h"

#include <QContextMenuEvent>
#include <QMenu>
#include <QMessageBox>
#include <QMouseEvent>
#include <QPainter>
#include <QRegularExpression>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/widgets/file_dialog.h"
#include "views/widgets/number_format.h"
#include "views/widgets/picture_file.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr QSize kPicture(640, 240);

}  // namespace

BarChart::BarChart(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setMinimumHeight(64);
    connect(&Theme::instance(), &Theme::themeChanged, this, qOverload<>(&QWidget::update));
}

void BarChart::setData(BarChartData bars) {
    m_data = std::move(bars);
    m_hover = -1;
    update();
}

void BarChart::setEmptyText(const QString& text) {
    m_emptyText = text;
    update();
}

QRectF BarChart::plotArea(const QRectF& area) const {
    const bool hasAxis = !m_data.labels.empty() || m_data.low != m_data.high;
    const double axis = hasAxis ? QFontMetricsF(Theme::figuresFont(-1)).height() + 4 : 2;
    const QFontMetricsF metrics(Theme::figuresFont(-1));
    double scale = 0;
    for (const double value : scaleValues()) scale = std::max(scale, metrics.horizontalAdvance(formatNumber(value)));
    return area.adjusted(scale + kGrid, 6, -kGrid, -axis - 2);
}

std::vector<double> BarChart::scaleValues() const {
    if (m_data.values.empty()) return {};
    const double top = *std::max_element(m_data.values.begin(), m_data.values.end());
    if (!(top > 0)) return {};
    std::vector<double> values{0};
    // A power of ten in the middle tells that the axis is logarithmic.
    if (m_data.logarithmic && top >= 100) values.push_back(std::pow(10.0, std::floor(std::log10(top) / 2)));
    values.push_back(top);
    return values;
}

int BarChart::barAt(const QPointF& point) const {
    const QRectF plot = plotArea(QRectF(rect()));
    if (m_data.values.empty() || point.x() < plot.left() || point.x() >= plot.right()) return -1;
    const auto count = static_cast<double>(m_data.values.size());
    return static_cast<int>((point.x() - plot.left()) / plot.width() * count);
}

double BarChart::heightOf(double value) const {
    const double top = *std::max_element(m_data.values.begin(), m_data.values.end());
    if (!(top > 0) || !(value > 0)) return 0;
    return m_data.logarithmic ? std::log1p(value) / std::log1p(top) : value / top;
}

QString BarChart::describe(int bar) const {
    const auto index = static_cast<size_t>(bar);
    const QString value =
        formatNumber(m_data.values[index]) + (m_data.valueName.isEmpty() ? QString() : ' ' + m_data.valueName);
    if (index < m_data.labels.size()) return m_data.labels[index] + QStringLiteral(": ") + value;
    if (m_data.low == m_data.high) return value;
    const double step = (m_data.high - m_data.low) / static_cast<double>(m_data.values.size());
    return tr("%1 to %2 %3: %4")
        .arg(formatNumber(m_data.low + bar * step), formatNumber(m_data.low + (bar + 1) * step), m_data.unit, value);
}

void BarChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(Theme::figuresFont(-1));
    if (m_data.values.empty()) {
        painter.setPen(Theme::instance().colours().secondary);
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
        return;
    }
    paintBars(painter, QRectF(rect()), m_hover);
    paintAxis(painter, QRectF(rect()));
}

void BarChart::paintBars(QPainter& painter, const QRectF& area, int hovered) const {
    const QRectF plot = plotArea(area);
    const double step = barWidth(plot);
    const double gap = step > 6 ? std::min(step * 0.2, 6.0) : step > 3 ? 1 : 0;
    const QColor colour = m_data.colour.isValid() ? m_data.colour : Theme::instance().colours().accent;
    for (size_t i = 0; i < m_data.values.size(); ++i) {
        const double value = heightOf(m_data.values[i]);
        // What is not zero is at least one pixel tall.
        const double height = value > 0 ? std::max(1.0, value * plot.height()) : 0;
        const QRectF bar(plot.left() + static_cast<double>(i) * step + gap / 2, plot.bottom() - height, step - gap,
                         height);
        painter.fillRect(bar, static_cast<int>(i) == hovered ? colour.lighter(120) : colour);
    }
}

void BarChart::paintAxis(QPainter& painter, const QRectF& area) const {
    const ThemeColours& c = Theme::instance().colours();
    const QRectF plot = plotArea(area);
    painter.setPen(c.hairline);
    painter.drawLine(plot.bottomLeft(), plot.bottomRight());
    painter.setPen(c.secondary);
    const QRectF axis(plot.left(), plot.bottom() + 2, plot.width(), area.bottom() - plot.bottom() - 2);
    paintScale(painter, plot);
    if (m_data.low != m_data.high) paintEnds(painter, plot, axis);
    paintLabels(painter, plot, axis);
}

void BarChart::paintLabels(QPainter& painter, const QRectF& plot, const QRectF& axis) const {
    const double step = barWidth(plot);
    const QFontMetricsF metrics(painter.font());
    double widest = 0;
    for (const QString& label : m_data.labels) widest = std::max(widest, metrics.horizontalAdvance(label));
    // Where not all have room, every second or third is there whole.
    const auto stride = std::max<size_t>(1, static_cast<size_t>(std::ceil((widest + kGrid / 2.0) / step)));
    for (size_t i = 0; i < std::min(m_data.labels.size(), m_data.values.size()); i += stride) {
        const double middle = plot.left() + (static_cast<double>(i) + 0.5) * step;
        painter.drawText(QRectF(middle - widest / 2, axis.top(), widest, axis.height()), Qt::AlignHCenter | Qt::AlignTop,
                         m_data.labels[i]);
    }
}

void BarChart::paintEnds(QPainter& painter, const QRectF& plot, const QRectF& axis) const {
    const QString low = formatNumber(m_data.low);
    const QString high = formatNumber(m_data.high) + (m_data.unit.isEmpty() ? QString() : ' ' + m_data.unit);
    painter.drawText(axis, Qt::AlignLeft | Qt::AlignTop, low);
    painter.drawText(axis, Qt::AlignRight | Qt::AlignTop, high);
    if (m_data.low >= 0 || m_data.high <= 0) return;
    const double zero = plot.left() - m_data.low / (m_data.high - m_data.low) * plot.width();
    const QFontMetricsF metrics = QFontMetricsF(painter.font());
    const double reach = metrics.horizontalAdvance('0') / 2 + kGrid;
    // Where there is no room between the ends, they say enough.
    if (zero - reach < axis.left() + metrics.horizontalAdvance(low)) return;
    if (zero + reach > axis.right() - metrics.horizontalAdvance(high)) return;
    painter.drawText(QRectF(zero - 20, axis.top(), 40, axis.height()), Qt::AlignHCenter | Qt::AlignTop,
                     QStringLiteral("0"));
}

void BarChart::paintScale(QPainter& painter, const QRectF& plot) const {
    const double line = QFontMetricsF(painter.font()).height();
    for (const double value : scaleValues()) {
        const double y = plot.bottom() - heightOf(value) * plot.height();
        const QRectF label(0, y - line / 2, plot.left() - kGrid / 2.0, line);
        painter.drawText(label, Qt::AlignRight | Qt::AlignVCenter, formatNumber(value));
        painter.drawLine(QPointF(plot.left() - 3, y), QPointF(plot.left(), y));
    }
}

void BarChart::paintPicture(QPainter& painter) const {
    const QRectF page(QPointF(0, 0), QSizeF(kPicture));
    const ThemeColours& c = Theme::instance().colours();
    painter.fillRect(page, c.surface);
    QRectF title = page.adjusted(kGrid, kGrid, -kGrid, 0);
    painter.setFont(Theme::systemFont(0, true));
    title.setHeight(painter.fontMetrics().height());
    painter.setPen(c.text);
    painter.drawText(title, Qt::AlignLeft,
                     painter.fontMetrics().elidedText(m_data.title, Qt::ElideMiddle, static_cast<int>(title.width())));
    painter.setFont(Theme::figuresFont(-1));
    const QRectF area = page.adjusted(0, title.bottom(), 0, -kGrid / 2);
    paintBars(painter, area, -1);
    paintAxis(painter, area);
}

bool BarChart::savePicture(const QString& path, QString* error) const {
    const auto paint = [this](QPainter& painter) { paintPicture(painter); };
    if (path.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive))
        return saveSvg(m_data.title, kPicture, paint, path, error);
    constexpr int kScale = 2;  // sharp in a document
    QImage image(kPicture * kScale, QImage::Format_RGB32);
    image.setDevicePixelRatio(kScale);
    QPainter painter(&image);
    paint(painter);
    painter.end();
    return savePng(image, path, error);
}

void BarChart::saveWithDialog(const QString& suffix) {
    static const QRegularExpression other(QStringLiteral("[^A-Za-z0-9]+"));
    const QString name = QString(m_data.title).replace(other, QStringLiteral("_")) + '.' + suffix;
    const QString filter = tr("%1 (*.%2)").arg(suffix.toUpper(), suffix);
    const QString path = askSavePath(this, tr("Save chart"), name, filter, SuffixRule::WhereOther);
    if (path.isEmpty()) return;
    QString error;
    if (!savePicture(path, &error)) QMessageBox::warning(this, tr("Not saved"), error);
}

void BarChart::contextMenuEvent(QContextMenuEvent* event) {
    if (m_data.values.empty()) return;
    QMenu menu(this);
    menu.addAction(tr("Save chart as PNG…"), this, [this] { saveWithDialog(QStringLiteral("png")); });
    menu.addAction(tr("Save chart as SVG…"), this, [this] { saveWithDialog(QStringLiteral("svg")); });
    menu.exec(event->globalPos());
}

void BarChart::mouseMoveEvent(QMouseEvent* event) {
    const int bar = barAt(event->position());
    if (bar == m_hover) return;
    m_hover = bar;
    if (bar >= 0) QToolTip::showText(event->globalPosition().toPoint(), describe(bar), this);
    update();
}

void BarChart::leaveEvent(QEvent*) {
    m_hover = -1;
    update();
}

}  // namespace strobe
