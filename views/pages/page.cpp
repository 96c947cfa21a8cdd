#include "views/pages/page.h"

#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

// All first lines are equally tall, so that they align across the window.
constexpr int kHeaderHeight = 36;

}  // namespace

Page::Page(const QString& objectName, const QString& title, const QString& question, WorkbenchContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_title(title),
      m_header(new QWidget(this)),
      m_question(new ElidedLabel(question, m_header)),
      m_titleLabel(new QLabel(title, m_header)),
      m_close(new QToolButton(m_header)),
      m_lead(new QHBoxLayout),
      m_controls(new QHBoxLayout) {
    setObjectName(objectName);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(0);
    m_header->setObjectName(QStringLiteral("pageHeader"));
    m_header->setAttribute(Qt::WA_StyledBackground);
    auto* line = new QHBoxLayout(m_header);
    line->setContentsMargins(kGrid, 3, kGrid, 3);
    line->addStrut(kHeaderHeight - 6);
    line->setSpacing(kGrid);
    m_titleLabel->setFont(Theme::systemFont(0, true));
    m_titleLabel->hide();
    m_question->setForegroundRole(QPalette::PlaceholderText);
    m_question->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);  // it gives way, but not before it must
    m_controls->setSpacing(kGrid);
    m_close->setObjectName(QStringLiteral("closePage"));
    m_close->setText(QStringLiteral("✕"));
    m_close->setAccessibleName(tr("Close %1").arg(title));
    m_close->setToolTip(tr("Close %1; the View menu brings it back").arg(title));
    m_close->setFocusPolicy(Qt::NoFocus);
    m_close->hide();
    connect(m_close, &QToolButton::clicked, this, &Page::closeRequested);
    line->addWidget(m_titleLabel);
    line->addLayout(m_lead);
    line->addWidget(m_question, 1);
    line->addLayout(m_controls);
    line->addWidget(m_close);
    outer->addWidget(m_header);
    m_body = new QVBoxLayout;
    m_body->setContentsMargins(0, 0, 0, 0);
    m_body->setSpacing(0);
    outer->addLayout(m_body, 1);
}

void Page::setQuestion(const QString& question) {
    m_question->setText(question);
}

int Page::questionWidth() const {
    return m_question->sizeHint().width();
}

QWidget* Page::takeHeader() {
    layout()->removeWidget(m_header);
    m_close->show();
    return m_header;
}

void Page::setTitleShown(bool shown) {
    m_titleLabel->setVisible(shown);
}

}  // namespace strobe
