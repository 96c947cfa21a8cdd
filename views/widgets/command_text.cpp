#include "views/widgets/command_text.h"

#include <QAbstractTextDocumentLayout>
#include <QTextOption>
#include <cmath>

#include "views/widgets/theme.h"

namespace strobe {

CommandText::CommandText(QWidget* parent) : QPlainTextEdit(parent) {
    setReadOnly(true);
    setTabChangesFocus(true);
    setFont(Theme::monoFont(-1));
    setProperty("field", true);
    setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMinimumWidth(80);
    document()->setDocumentMargin(3);
    fitHeight();
}

void CommandText::setText(const QString& text) {
    if (text == toPlainText()) return;
    setPlainText(text);
    fitHeight();
}

void CommandText::resizeEvent(QResizeEvent* event) {
    QPlainTextEdit::resizeEvent(event);
    fitHeight();
}

void CommandText::fitHeight() {
    // The layout of a plain text counts its height in lines.
    const double lines = std::max(1.0, document()->documentLayout()->documentSize().height());
    const int frame = height() - viewport()->height();
    const int wanted = static_cast<int>(std::ceil(lines * fontMetrics().lineSpacing() + 2 * document()->documentMargin())) + frame;
    if (wanted != height() || minimumHeight() != wanted) setFixedHeight(wanted);
}

}  // namespace strobe
