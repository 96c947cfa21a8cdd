// Plain text of one line, or a few, that is cut with an ellipsis where room ends; then its tooltip shows it whole. It can
// be copied from its context menu.
#pragma once

#include <QLabel>

namespace strobe {

class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(const QString& text = {}, QWidget* parent = nullptr, Qt::TextElideMode mode = Qt::ElideRight);
    // Wraps into this many lines before it is cut; 1 at first.
    void setLines(int most);
    QSize minimumSizeHint() const override;
    QSize sizeHint() const override;
    int heightForWidth(int width) const override;
    bool isElided() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    QStringList linesFor(int width) const;

    int m_lines = 1;
    Qt::TextElideMode m_mode;
};

}  // namespace strobe
