#include "views/pages/settings/settings_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMetaProperty>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/pages/settings/build_section.h"
#include "views/pages/settings/passes_section.h"
#include "views/pages/settings/precision_section.h"
#include "views/pages/settings/profiles_section.h"
#include "views/pages/settings/run_section.h"
#include "views/pages/settings/tactics_section.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

// A form wider than this leaves labels and values too far apart.
constexpr int kWidestForm = 720;
// Narrower, and fields and the page's question are cut off: it does not scroll sideways.
constexpr int kNarrowestForm = 260;

}  // namespace

SettingsPage::SettingsPage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("settingsPage"), tr("Settings"), tr("What may I change?"), context, parent),
      m_scroll(new QScrollArea(this)),
      m_ignoredBox(new QWidget(this)),
      m_ignored(new QLabel(m_ignoredBox)),
      m_undo(new QToolButton(this)),
      m_redo(new QToolButton(this)),
      m_lastChange(new ElidedLabel({}, this)) {
    buildHistory();
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    auto* outer = new QHBoxLayout(content);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* form = new QWidget(content);
    form->setMaximumWidth(kWidestForm);
    outer->addWidget(form, 1);
    outer->addStretch(0);
    m_sectionsLayout = new QVBoxLayout(form);
    m_sectionsLayout->setContentsMargins(0, 0, 0, 0);
    m_sectionsLayout->setSpacing(0);
    auto* ignoredLayout = new QVBoxLayout(m_ignoredBox);
    ignoredLayout->setContentsMargins(2 * kGrid, kGrid + 4, 2 * kGrid, kGrid + 4);
    m_ignored->setWordWrap(true);
    m_ignored->setObjectName(QStringLiteral("ignoredRequests"));
    m_ignored->setTextInteractionFlags(Qt::TextSelectableByMouse);
    ignoredLayout->addWidget(m_ignored);
    m_sectionsLayout->addWidget(m_ignoredBox);
    addSection(new PrecisionSection(context, form));
    addSection(new ProfilesSection(context, form));
    addSection(new BuildSection(context, form));
    addSection(new RunSection(context, form));
    addSection(new PassesSection(context, form));
    addSection(new TacticsSection(context, form));
    m_sectionsLayout->addStretch(1);
    m_scroll->setWidget(content);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setMinimumWidth(kNarrowestForm);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    body().addWidget(m_scroll);
    connect(&context, &WorkbenchContext::settingsStepped, this, [this] { m_hasStepped = true; });
    connect(&context, &WorkbenchContext::settingsChanged, this, [this] {
        const Values before = m_hasStepped ? values() : Values();
        refresh();
        if (std::exchange(m_hasStepped, false)) revealChange(before);
    });
    connect(&context, &WorkbenchContext::modelChanged, this, &SettingsPage::refresh);
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &SettingsPage::refresh);
    connect(&context, &WorkbenchContext::buildsChanged, this, &SettingsPage::refreshIgnored);
    connect(&Theme::instance(), &Theme::themeChanged, this, &SettingsPage::refresh);
    refresh();
}

void SettingsPage::buildHistory() {
    m_undo->setText(QStringLiteral("↶"));
    m_redo->setText(QStringLiteral("↷"));
    m_undo->setObjectName(QStringLiteral("undoSettings"));
    m_redo->setObjectName(QStringLiteral("redoSettings"));
    // Not in the first line: a narrow dock needs that for its question.
    auto* history = new QHBoxLayout;
    history->setContentsMargins(kGrid, 2, kGrid, 2);
    history->setSpacing(0);
    for (QToolButton* button : {m_undo, m_redo}) {
        button->setProperty("tight", true);
        history->addWidget(button);
    }
    history->addSpacing(kGrid);
    history->addWidget(m_lastChange, 1);
    m_lastChange->setForegroundRole(QPalette::PlaceholderText);
    body().addLayout(history);
    connect(m_undo, &QToolButton::clicked, this, [this] { context().undo(); });
    connect(m_redo, &QToolButton::clicked, this, [this] { context().redo(); });
}

void SettingsPage::addSection(SettingsSection* section) {
    if (!m_sections.empty()) {
        auto* line = new QFrame;
        line->setFixedHeight(1);
        line->setBackgroundRole(QPalette::Mid);
        line->setAutoFillBackground(true);
        m_sectionsLayout->addWidget(line);
    }
    m_sectionsLayout->addWidget(section);
    m_sections.push_back(section);
}

QWidget* SettingsPage::focusTarget() {
    return m_scroll;
}

QList<SettingsPage::Field> SettingsPage::fields() const {
    QList<Field> all;
    for (const SettingsSection* section : m_sections)
        for (const QLabel* label : section->findChildren<QLabel*>())
            if (label->buddy() && !label->isHidden()) all += Field{label->text(), label->buddy()};
    return all;
}

void SettingsPage::showField(QWidget& field) {
    m_scroll->ensureWidgetVisible(&field);
    field.setFocus(Qt::ShortcutFocusReason);
}

SettingsPage::Values SettingsPage::values() const {
    Values all;
    for (const SettingsSection* section : m_sections) {
        auto& fields = all.emplace_back();
        for (QWidget* widget : section->findChildren<QWidget*>())
            if (const QMetaProperty value = widget->metaObject()->userProperty();
                value.isValid() && !widget->isHidden())
                fields.emplace_back(widget, value.read(widget));
    }
    return all;
}

void SettingsPage::revealChange(const Values& before) {
    const Values after = values();
    for (size_t s = 0; s < m_sections.size(); ++s) {
        if (before[s] == after[s]) continue;
        const auto isNew = [&](const auto& field) {
            return std::find(before[s].begin(), before[s].end(), field) == before[s].end();
        };
        const auto changed = std::find_if(after[s].begin(), after[s].end(), isNew);
        QWidget* target = changed == after[s].end() ? m_sections[s] : changed->first;  // else fields went
        m_scroll->widget()->layout()->activate();
        const QPoint top = target->mapTo(m_scroll->widget(), QPoint());
        m_scroll->ensureVisible(top.x(), top.y() + std::min(target->height(), 3 * kGrid));
        return;
    }
}

void SettingsPage::refresh() {
    const Session& session = context().session();
    const Settings settings = session.settings();
    for (SettingsSection* section : m_sections) section->refresh(settings);
    const QString undo = QString::fromStdString(session.undoLabel()), redo = QString::fromStdString(session.redoLabel());
    m_undo->setEnabled(!undo.isEmpty());
    m_redo->setEnabled(!redo.isEmpty());
    m_undo->setToolTip(undo.isEmpty() ? tr("Nothing to undo") : tr("Undo %1").arg(insideSentence(undo)));
    m_redo->setToolTip(redo.isEmpty() ? tr("Nothing to redo") : tr("Redo %1").arg(insideSentence(redo)));
    m_lastChange->setText(undo.isEmpty() ? tr("No change to undo") : tr("Changed: %1").arg(insideSentence(undo)));
    refreshIgnored();
}

void SettingsPage::refreshIgnored() {
    QStringList lines;
    for (const std::string& reason : context().session().ignoredRequests()) lines << QStringLiteral("•  ") + QString::fromStdString(reason);
    m_ignoredBox->setVisible(!lines.isEmpty());
    if (lines.isEmpty()) return;
    QPalette palette;
    palette.setColor(QPalette::WindowText, Theme::instance().colours().warning);
    m_ignored->setPalette(palette);
    m_ignored->setText(tr("Not everything asked for came true in the last build:") + '\n' + lines.join('\n'));
}

}  // namespace strobe
