#include "views/pages/page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "views/widgets/theme.h"

namespace strobe {

Page::Page(const QString& objectName, const QString& title, const QString& question, WorkbenchContext& context, QWidget* parent)
    : QWidget(parent), m_context(context), m_title(title), m_question(new QLabel(question, this)) {
    setObjectName(objectName);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(0);
    m_header = new QHBoxLayout;
    m_header->setContentsMargins(kGrid, 4, kGrid, 4);
    m_header->setSpacing(kGrid);
    m_question->setForegroundRole(QPalette::PlaceholderText);
    // Narrow docks shorten the question before they squeeze the controls.
    m_question->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_header->addWidget(m_question, 1);
    outer->addLayout(m_header);
    m_body = new QVBoxLayout;
    m_body->setContentsMargins(0, 0, 0, 0);
    m_body->setSpacing(0);
    outer->addLayout(m_body, 1);
}

void Page::setQuestion(const QString& question) {
    m_question->setText(question);
    m_question->setToolTip(question);
}

}  // namespace strobe
