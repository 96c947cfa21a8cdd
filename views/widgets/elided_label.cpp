#include "views/widgets/elided_label.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QPainter>
#include <QTextLayout>
#include <QToolTip>
#include <algorithm>

namespace strobe {

ElidedLabel::ElidedLabel(const QString& text, QWidget* parent, Qt::TextElideMode mode) : QLabel(parent), m_mode(mode) {
    setTextFormat(Qt::PlainText);
    setText(text);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* copy = new QAction(tr("Copy"), this);
    connect(copy, &QAction::triggered, this, [this] { QApplication::clipboard()->setText(this->text()); });
    addAction(copy);
    setContextMenuPolicy(Qt::ActionsContextMenu);
}

void ElidedLabel::setLines(int most) {
    m_lines = most;
    setWordWrap(most > 1);  // QLabel takes a height-for-width policy away with every text of one that does not wrap
}

QSize ElidedLabel::minimumSizeHint() const {
    return {0, sizeHint().height()};
}

QSize ElidedLabel::sizeHint() const {
    const QSize size = QLabel::sizeHint();
    if (m_lines == 1) return size;
    const QMargins margins = contentsMargins();
    return {size.width(), fontMetrics().lineSpacing() + margins.top() + margins.bottom()};
}

int ElidedLabel::heightForWidth(int width) const {
    if (m_lines == 1) return QLabel::heightForWidth(width);
    const QMargins margins = contentsMargins();
    const auto lines = std::max<qsizetype>(1, linesFor(width - margins.left() - margins.right()).size());
    return static_cast<int>(lines) * fontMetrics().lineSpacing() + margins.top() + margins.bottom();
}

QStringList ElidedLabel::linesFor(int width) const {
    if (m_lines == 1) return {fontMetrics().elidedText(text(), m_mode, width)};
    QTextLayout layout(text(), font());
    layout.beginLayout();
    QStringList lines;
    for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
        line.setLineWidth(width);
        const bool isLast = lines.size() + 1 == m_lines;
        const QString rest = text().mid(line.textStart());
        lines += isLast ? fontMetrics().elidedText(rest, m_mode, width) : rest.left(line.textLength());
        if (isLast) break;
    }
    layout.endLayout();
    return lines;
}

bool ElidedLabel::isElided() const {
    return linesFor(contentsRect().width()).join(QString()) != text();
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QRect area = contentsRect();
    painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
    const QStringList lines = linesFor(area.width());
    const QString shown = lines.join('\n');
    // Three dots and a letter tell nobody anything.
    if (shown != text() && shown.size() <= 3) return;
    painter.drawText(area, static_cast<int>(alignment()) | (lines.size() == 1 ? Qt::TextSingleLine : 0), shown);
}

bool ElidedLabel::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip || !toolTip().isEmpty()) return QLabel::event(event);
    if (isElided())
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), text(), this);
    else
        QToolTip::hideText();
    return true;
}

}  // namespace strobe
