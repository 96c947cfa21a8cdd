// A line edit for filters: clear button, hint, and a pause before it speaks so that a long list is not filtered at
// every key.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QTimer>
#include <QWidget>

namespace strobe {

class FilterBar : public QWidget {
    Q_OBJECT
public:
    explicit FilterBar(const QString& placeholder, QWidget* parent = nullptr);

    QString text() const { return m_edit->text(); }
    void setText(const QString& text);  // speaks at once
    // Beside the field: "12 of 71", or what is wrong with the expression.
    void setHint(const QString& hint, bool isError = false);
    QLineEdit& edit() const { return *m_edit; }

signals:
    void filterChanged(const QString& text);  // after a pause, or at once on Return and clear
    void nextRequested();                     // Return on an unchanged text, Down
    void previousRequested();                 // Shift+Return, Up
    void dismissed();                         // Esc on an empty field

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    bool handleKey(int key, Qt::KeyboardModifiers modifiers);
    void speak();

    QLineEdit* m_edit;
    QLabel* m_hint;
    QTimer m_pause;
    QString m_spoken;
};

}  // namespace strobe
