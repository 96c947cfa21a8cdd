// A row of joined buttons: one of several ([Parsed | Fused | Engine]), or any of several (precision toggles).
#pragma once

#include <QColor>
#include <QStringList>
#include <QWidget>
#include <vector>

namespace strobe {

class SegmentedControl : public QWidget {
    Q_OBJECT
    Q_PROPERTY(int current READ current USER true)
public:
    enum class Mode { One, Any };
    explicit SegmentedControl(Mode mode = Mode::One, QWidget* parent = nullptr);

    // `colour` marks the segment with a stripe while it is on; `hatched` marks a preview.
    void addSegment(const QString& text, const QString& tooltip = {}, const QColor& colour = {}, bool hatched = false);
    void setSegmentHint(int index, const QString& tooltip, bool hatched);
    bool isHatched(int index) const { return m_segments[static_cast<size_t>(index)].hatched; }
    QString segmentToolTip(int index) const { return m_segments[static_cast<size_t>(index)].tooltip; }
    // `why` it is disabled is added to its tooltip.
    void setSegmentEnabled(int index, bool enabled, const QString& why = {});
    int count() const { return static_cast<int>(m_segments.size()); }

    int current() const;         // the first that is on, or −1
    void setCurrent(int index);  // does not emit
    bool isOn(int index) const { return m_segments[static_cast<size_t>(index)].on; }
    void setOn(int index, bool on);  // does not emit

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

signals:
    void currentChanged(int index);    // Mode::One, by the user
    void toggled(int index, bool on);  // Mode::Any, by the user

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Segment {
        QString text, tooltip, why;
        QColor colour;
        bool hatched = false, on = false, enabled = true;
    };
    int widthOf(const Segment& segment) const;
    int segmentAt(int x) const;
    void activate(int index);

    Mode m_mode;
    std::vector<Segment> m_segments;
    int m_hover = -1;
    int m_focus = 0;  // segment that the keyboard stands on
};

}  // namespace strobe
