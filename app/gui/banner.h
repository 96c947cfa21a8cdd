// An error across the top of the window's centre, until it is dismissed or what failed succeeds.
#pragma once

#include <QFrame>

class QLabel;
class QToolButton;

namespace strobe {

class Banner : public QFrame {
    Q_OBJECT
public:
    explicit Banner(QWidget* parent = nullptr);
    /// `hasProblems`: the Problems page says more, and a button leads there.
    void showMessage(const QString& message, bool hasProblems = false);
    QString message() const;

signals:
    void problemsRequested();

private:
    QLabel* m_text;
    QToolButton* m_problems;
};

}  // namespace strobe
