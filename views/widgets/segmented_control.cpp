#include "views/widgets/segmented_control.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>

#include "views/widgets/theme.h"

namespace strobe {

SegmentedControl::SegmentedControl(Mode mode, QWidget* parent) : QWidget(parent), m_mode(mode) {
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::themeChanged, this, qOverload<>(&QWidget::update));
}

void SegmentedControl::addSegment(const QString& text, const QString& tooltip, const QColor& colour, bool hatched) {
    m_segments.push_back({text, tooltip, {}, colour, hatched});
    if (m_mode == Mode::One && m_segments.size() == 1) m_segments.front().on = true;
    updateGeometry();
    update();
}

void SegmentedControl::setSegmentHint(int index, const QString& tooltip, bool hatched) {
    m_segments[static_cast<size_t>(index)].tooltip = tooltip;
    m_segments[static_cast<size_t>(index)].hatched = hatched;
    update();
}

void SegmentedControl::setSegmentEnabled(int index, bool enabled, const QString& why) {
    m_segments[static_cast<size_t>(index)].enabled = enabled;
    m_segments[static_cast<size_t>(index)].why = why;
    update();
}

int SegmentedControl::current() const {
    const auto found = std::find_if(m_segments.begin(), m_segments.end(), [](const Segment& s) { return s.on; });
    return found == m_segments.end() ? -1 : static_cast<int>(found - m_segments.begin());
}

void SegmentedControl::setCurrent(int index) {
    for (int i = 0; i < count(); ++i) m_segments[static_cast<size_t>(i)].on = i == index;
    m_focus = std::max(0, index);
    update();
}

void SegmentedControl::setOn(int index, bool on) {
    m_segments[static_cast<size_t>(index)].on = on;
    update();
}

int SegmentedControl::widthOf(const Segment& segment) const {
    return fontMetrics().horizontalAdvance(segment.text) + 2 * kGrid + 4;
}

QSize SegmentedControl::sizeHint() const {
    int width = 1;
    for (const Segment& segment : m_segments) width += widthOf(segment);
    return {width, fontMetrics().height() + kGrid + 2};
}

int SegmentedControl::segmentAt(int x) const {
    int left = 0;
    for (int i = 0; i < count(); ++i) {
        left += widthOf(m_segments[static_cast<size_t>(i)]);
        if (x >= 0 && x < left) return i;
    }
    return -1;
}

void SegmentedControl::activate(int index) {
    if (index < 0 || index >= count() || !m_segments[static_cast<size_t>(index)].enabled) return;
    m_focus = index;
    Segment& segment = m_segments[static_cast<size_t>(index)];
    if (m_mode == Mode::Any) {
        segment.on = !segment.on;
        update();
        emit toggled(index, segment.on);
    } else if (!segment.on) {
        setCurrent(index);
        emit currentChanged(index);
    }
}

void SegmentedControl::paintEvent(QPaintEvent*) {
    const Theme& theme = Theme::instance();
    const ThemeColours& c = theme.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    QPainterPath outline;
    outline.addRoundedRect(frame, 4, 4);
    painter.fillPath(outline, c.surface);
    painter.setClipPath(outline);
    int left = 0;
    for (int i = 0; i < count(); ++i) {
        const Segment& segment = m_segments[static_cast<size_t>(i)];
        const QRect box(left, 0, widthOf(segment), height());
        const bool usable = segment.enabled && isEnabled();
        if (segment.on)
            painter.fillRect(box, c.selection);
        else if (i == m_hover && usable)
            painter.fillRect(box, c.hover);
        if (segment.on && segment.colour.isValid()) {
            const QRect stripe(box.left(), box.bottom() - 2, box.width(), 3);
            painter.fillRect(stripe, segment.colour);
            if (segment.hatched) painter.fillRect(stripe, QBrush(c.surface, Qt::BDiagPattern));
        }
        painter.setPen(!usable      ? palette().color(QPalette::Disabled, QPalette::Text)
                       : segment.on ? c.text
                                    : c.secondary);
        painter.drawText(box, Qt::AlignCenter, segment.text);
        if (hasFocus() && i == m_focus) {
            painter.setPen(c.accent);
            painter.drawRect(box.adjusted(2, 2, -3, -3));
        }
        left = box.right() + 1;
        painter.setPen(c.hairline);
        if (i + 1 < count()) painter.drawLine(left, 0, left, height());
    }
    painter.setClipping(false);
    painter.setPen(QPen(c.hairline, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(outline);
}

void SegmentedControl::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) activate(segmentAt(qRound(event->position().x())));
}

void SegmentedControl::mouseMoveEvent(QMouseEvent* event) {
    m_hover = segmentAt(qRound(event->position().x()));
    update();
}

void SegmentedControl::leaveEvent(QEvent*) {
    m_hover = -1;
    update();
}

void SegmentedControl::keyPressEvent(QKeyEvent* event) {
    if (event->modifiers() != Qt::NoModifier) return QWidget::keyPressEvent(event);
    const int step = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
    if (step != 0 && count() > 0) {
        m_focus = std::clamp(m_focus + step, 0, count() - 1);
        if (m_mode == Mode::One) activate(m_focus);
        update();
    } else if (event->key() == Qt::Key_Space) {
        activate(m_focus);
    } else {
        QWidget::keyPressEvent(event);
    }
}

bool SegmentedControl::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int index = segmentAt(help->pos().x());
    QString text = index < 0 ? QString() : m_segments[static_cast<size_t>(index)].tooltip;
    if (index >= 0 && !m_segments[static_cast<size_t>(index)].enabled) text += '\n' + m_segments[static_cast<size_t>(index)].why;
    if (text.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), text, this);
    return true;
}

}  // namespace strobe
