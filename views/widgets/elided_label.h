// One line of plain text that is cut with an ellipsis where room ends; then its tooltip shows it whole. It can be copied from its context menu.
#pragma once

#include <QLabel>

namespace strobe {

class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(const QString& text = {}, QWidget* parent = nullptr, Qt::TextElideMode mode = Qt::ElideRight);
    QSize minimumSizeHint() const override;
    bool isElided() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    Qt::TextElideMode m_mode;
};

}  // namespace strobe
