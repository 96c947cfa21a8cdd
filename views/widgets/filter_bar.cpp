#include "views/widgets/filter_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>

#include "views/widgets/theme.h"

namespace strobe {

FilterBar::FilterBar(const QString& placeholder, QWidget* parent)
    : QWidget(parent), m_edit(new QLineEdit(this)), m_hint(new QLabel(this)) {
    constexpr int kPauseMs = 120;
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(m_edit, 1);
    layout->addWidget(m_hint);
    m_edit->setPlaceholderText(placeholder);
    m_edit->setClearButtonEnabled(true);
    m_edit->installEventFilter(this);
    m_hint->hide();
    setFocusProxy(m_edit);
    m_pause.setSingleShot(true);
    m_pause.setInterval(kPauseMs);
    connect(&m_pause, &QTimer::timeout, this, &FilterBar::speak);
    connect(m_edit, &QLineEdit::textChanged, this, [this](const QString& text) {
        if (text.isEmpty())
            speak();
        else
            m_pause.start();
    });
}

void FilterBar::setText(const QString& text) {
    m_edit->setText(text);
    speak();
}

void FilterBar::setHint(const QString& hint, bool isError) {
    m_hint->setText(hint);
    m_hint->setForegroundRole(isError ? QPalette::BrightText : QPalette::PlaceholderText);
    m_hint->setVisible(!hint.isEmpty());
}

void FilterBar::speak() {
    m_pause.stop();
    if (m_spoken == m_edit->text()) return;
    m_spoken = m_edit->text();
    emit filterChanged(m_spoken);
}

bool FilterBar::handleKey(int key, Qt::KeyboardModifiers modifiers) {
    if (key == Qt::Key_Return || key == Qt::Key_Enter) {
        if (m_spoken != m_edit->text())
            speak();
        else if (modifiers.testFlag(Qt::ShiftModifier))
            emit previousRequested();
        else
            emit nextRequested();
        return true;
    }
    if (key == Qt::Key_Escape) {
        if (m_edit->text().isEmpty())
            emit dismissed();
        else
            m_edit->clear();
        return true;
    }
    if (key == Qt::Key_Down) emit nextRequested();
    if (key == Qt::Key_Up) emit previousRequested();
    return key == Qt::Key_Down || key == Qt::Key_Up;
}

bool FilterBar::eventFilter(QObject* watched, QEvent* event) {
    // Esc belongs to the field while it is in use, not to a shortcut of the window.
    if (watched == m_edit && event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();
        return true;
    }
    if (watched == m_edit && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (!key->modifiers().testFlag(Qt::AltModifier) && handleKey(key->key(), key->modifiers())) return true;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace strobe
