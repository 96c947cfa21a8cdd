#include "views/widgets/status_widgets.h"

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>

#include "views/widgets/elided_label.h"
#include "views/widgets/number_format.h"
#include "views/widgets/theme.h"

namespace strobe {

EmptyState::EmptyState(const QString& text, QWidget* parent)
    : QWidget(parent), m_text(new QLabel(text, this)), m_button(new QPushButton(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 3 * kGrid);
    layout->setSpacing(2 * kGrid);
    layout->addStretch(1);
    layout->addWidget(m_text);
    layout->addWidget(m_button, 0, Qt::AlignHCenter);
    layout->addStretch(1);
    m_text->setAlignment(Qt::AlignCenter);
    m_text->setWordWrap(true);
    m_text->setForegroundRole(QPalette::PlaceholderText);
    m_button->setProperty("primary", true);
    m_button->hide();
    connect(m_button, &QPushButton::clicked, this, [this] {
        if (m_action != nullptr) m_action->trigger();
    });
}

void EmptyState::setText(const QString& text) {
    m_text->setText(text);
}

void EmptyState::setAction(QAction* action) {
    if (m_action != nullptr) m_action->disconnect(this);
    m_action = action;
    m_button->setVisible(action != nullptr);
    if (action == nullptr) return;
    const auto follow = [this] {
        m_button->setText(QString(m_action->text()).remove('&'));
        m_button->setToolTip(m_action->shortcut().toString(QKeySequence::NativeText));
        m_button->setEnabled(m_action->isEnabled());
    };
    follow();
    connect(action, &QAction::changed, this, follow);
    connect(action, &QObject::destroyed, this, [this] {
        m_action = nullptr;
        m_button->hide();
    });
}

ProgressStrip::ProgressStrip(QWidget* parent)
    : QWidget(parent),
      m_job(new QLabel(this)),
      m_step(new ElidedLabel({}, this, Qt::ElideMiddle)),
      m_left(new QLabel(this)),
      m_bar(new QProgressBar(this)),
      m_cancel(new QPushButton(tr("Cancel"), this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(kGrid, 4, kGrid, 4);
    layout->setSpacing(kGrid);
    layout->addWidget(m_job);
    layout->addWidget(m_step, 1);
    layout->addWidget(m_bar);
    layout->addWidget(m_left);
    layout->addWidget(m_cancel);
    m_job->setFont(Theme::systemFont(0, true));
    m_step->setForegroundRole(QPalette::PlaceholderText);
    m_step->setMinimumWidth(80);
    m_left->setForegroundRole(QPalette::PlaceholderText);
    m_left->setFont(Theme::figuresFont());
    m_left->setMinimumWidth(QFontMetrics(m_left->font()).horizontalAdvance(formatTimeLeft(0.5)));  // so that the bar stands still
    m_bar->setTextVisible(false);
    m_bar->setFixedWidth(160);
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        setCancelling();
        emit cancelRequested();
    });
}

void ProgressStrip::setProgress(const QString& job, const QString& step, double fraction, double secondsLeft) {
    m_job->setText(job);
    m_step->setText(step);
    m_step->setToolTip(step);
    m_bar->setRange(0, fraction < 0 ? 0 : 1000);
    if (fraction >= 0) m_bar->setValue(static_cast<int>(std::min(fraction, 1.0) * 1000));
    m_left->setText(secondsLeft < 0 ? QString() : formatTimeLeft(secondsLeft));
    m_cancel->setEnabled(true);
    m_cancel->setText(tr("Cancel"));
}

void ProgressStrip::setCancelling() {
    m_cancel->setEnabled(false);
    m_cancel->setText(tr("Stopping…"));
}

StatusStrip::StatusStrip(QWidget* parent) : QWidget(parent), m_layout(new QHBoxLayout(this)) {
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(0);
    m_layout->addStretch(1);
}

void StatusStrip::setSegments(const QStringList& texts, const QStringList& tooltips) {
    while (m_labels.size() < static_cast<size_t>(texts.size())) {
        auto* label = new QLabel(this);
        label->setContentsMargins(kGrid, 3, kGrid, 3);
        label->installEventFilter(this);
        m_layout->insertWidget(static_cast<int>(m_labels.size()), label);
        m_labels.push_back(label);
    }
    bool isFirst = true;
    for (size_t i = 0; i < m_labels.size(); ++i) {
        const auto at = static_cast<qsizetype>(i);
        const QString text = texts.value(at);
        m_labels[i]->setText(text);
        m_labels[i]->setToolTip(tooltips.value(at));
        m_labels[i]->setVisible(!text.isEmpty());
        const bool divided = !isFirst && !text.isEmpty();
        m_labels[i]->setStyleSheet(divided ? QStringLiteral("border: none; border-left: 1px solid palette(mid);")
                                           : QString());
        isFirst = isFirst && text.isEmpty();
    }
}

bool StatusStrip::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::MouseButtonRelease) {
        const auto found = std::find(m_labels.begin(), m_labels.end(), watched);
        if (found != m_labels.end()) emit segmentClicked(static_cast<int>(found - m_labels.begin()));
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace strobe
