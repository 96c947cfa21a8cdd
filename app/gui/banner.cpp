#include "app/gui/banner.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "views/widgets/theme.h"

namespace strobe {

Banner::Banner(QWidget* parent) : QFrame(parent), m_text(new QLabel(this)), m_problems(new QToolButton(this)) {
    setObjectName("banner");
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(kGrid, 4, kGrid, 4);
    layout->addWidget(m_text, 1);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* dismiss = new QToolButton(this);
    dismiss->setText(tr("Dismiss"));
    connect(dismiss, &QToolButton::clicked, this, &QWidget::hide);
    m_problems->setText(tr("Show problems"));
    connect(m_problems, &QToolButton::clicked, this, &Banner::problemsRequested);
    layout->addWidget(m_problems, 0, Qt::AlignTop);
    layout->addWidget(dismiss, 0, Qt::AlignTop);
    const auto restyle = [this] {
        const ThemeColours& c = Theme::instance().colours();
        setStyleSheet(QStringLiteral("#banner { background: %1; border-left: 3px solid %2; }").arg(Theme::instance().tint(c.bad, 0.12).name(), c.bad.name()));
    };
    connect(&Theme::instance(), &Theme::themeChanged, this, restyle);
    restyle();
    hide();
}

void Banner::showMessage(const QString& message, bool hasProblems) {
    m_text->setText(message);
    m_problems->setVisible(hasProblems);
    show();
}

QString Banner::message() const {
    return isVisibleTo(parentWidget()) ? m_text->text() : QString();
}

}  // namespace strobe
