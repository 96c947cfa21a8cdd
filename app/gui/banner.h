// An error across the top of the window's centre, until it is dismissed or the next success.
#pragma once

#include <QFrame>

class QLabel;

namespace strobe {

class Banner : public QFrame {
    Q_OBJECT
public:
    explicit Banner(QWidget* parent = nullptr);
    void showMessage(const QString& message);
    QString message() const;

private:
    QLabel* m_text;
};

}  // namespace strobe
