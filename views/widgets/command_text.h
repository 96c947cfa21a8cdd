// A command line to read and copy: wraps where it must and is as tall as its lines, so that nothing of it is hidden.
#pragma once

#include <QPlainTextEdit>

namespace strobe {

class CommandText : public QPlainTextEdit {
    Q_OBJECT
public:
    explicit CommandText(QWidget* parent = nullptr);
    void setText(const QString& text);
    QString text() const { return toPlainText(); }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitHeight();
};

}  // namespace strobe
