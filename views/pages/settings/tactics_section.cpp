#include "views/pages/settings/tactics_section.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <set>

#include "views/models/workbench_context.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

void clearLayout(QVBoxLayout& layout) {
    while (QLayoutItem* item = layout.takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
}

QVBoxLayout* makeRows() {
    auto* rows = new QVBoxLayout;
    rows->setSpacing(2);
    return rows;
}

}  // namespace

TacticsSection::TacticsSection(WorkbenchContext& context, QWidget* parent)
    : SettingsSection(tr("Tactics"), context, parent), m_banned(makeRows()), m_pinned(makeRows()), m_choice(new QComboBox(this)) {
    body().addWidget(new QLabel(tr("Banned everywhere"), this));
    body().addLayout(m_banned);
    m_noBans = &addNote(tr("None."));
    auto* row = new QHBoxLayout;
    m_choice->setEditable(true);
    m_choice->setObjectName(QStringLiteral("banChoice"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_choice->setMinimumContentsLength(8);
    m_choice->setInsertPolicy(QComboBox::NoInsert);
    m_choice->lineEdit()->setPlaceholderText(tr("name of a tactic"));
    m_choice->setAccessibleName(tr("Tactic to ban"));
    guardWheel(*m_choice);
    auto* add = new QPushButton(tr("Ban"), this);
    add->setObjectName(QStringLiteral("ban"));
    row->addWidget(m_choice, 1);
    row->addWidget(add);
    body().addLayout(row);
    connect(add, &QPushButton::clicked, this, [this] { ban(m_choice->currentText().trimmed()); });
    connect(m_choice->lineEdit(), &QLineEdit::returnPressed, this, [this] { ban(m_choice->currentText().trimmed()); });

    auto* pinned = new QLabel(tr("Pinned to a layer"), this);
    pinned->setContentsMargins(0, kGrid, 0, 0);
    body().addWidget(pinned);
    body().addLayout(m_pinned);
    m_noPins = &addNote(tr("None. Pin a tactic from the Inspector of a layer."));
}

void TacticsSection::ban(const QString& tactic) {
    if (tactic.isEmpty()) return;
    commit(tr("Ban %1").arg(tactic), [&](Settings& settings) { settings.builder.bannedTactics.insert(tactic.toStdString()); });
    m_choice->clearEditText();
}

void TacticsSection::addRow(QVBoxLayout& rows, const QString& text, const QString& removal, const std::function<void()>& remove) {
    auto* box = new QWidget(this);
    auto* layout = new QHBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* label = new QLabel(text, box);
    label->setFont(Theme::monoFont(-1));
    label->setToolTip(text);
    label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    QToolButton* button = makeRemoveButton(removal);
    layout->addWidget(label, 1);
    layout->addWidget(button);
    rows.addWidget(box);
    connect(button, &QToolButton::clicked, this, remove);
}

void TacticsSection::fillChoices(const Settings& settings) {
    const auto build = context().currentBuild();
    if (!build || build == m_choicesOf) return;
    m_choicesOf = build;
    std::set<std::string> names;
    for (const EngineLayer& layer : build->engine->graph().layers) {
        names.insert(layer.tactic);
        for (const CandidateRecord& candidate : layer.candidates) names.insert(candidate.tactic);
    }
    for (const std::string& banned : settings.builder.bannedTactics) names.erase(banned);
    const QString typed = m_choice->currentText();
    m_choice->clear();
    for (const std::string& name : names) m_choice->addItem(QString::fromStdString(name));
    m_choice->setEditText(typed);
}

void TacticsSection::refresh(const Settings& settings) {
    fillChoices(settings);
    clearLayout(*m_banned);
    clearLayout(*m_pinned);
    for (const std::string& name : settings.builder.bannedTactics) {
        const QString tactic = QString::fromStdString(name);
        addRow(*m_banned, tactic, tr("Allow %1 again").arg(tactic), [this, name, tactic] {
            commit(tr("Allow %1").arg(tactic), [&](Settings& now) { now.builder.bannedTactics.erase(name); });
        });
    }
    for (const auto& [layer, tactic] : settings.builder.pinnedTactics) {
        const QString name = QString::fromStdString(layer);
        addRow(*m_pinned, name + QStringLiteral(" → ") + QString::fromStdString(tactic), tr("Let the builder choose for %1").arg(name), [this, layer = layer, name] {
            commit(tr("Unpin %1").arg(name), [&](Settings& now) { now.builder.pinnedTactics.erase(layer); });
        });
    }
    m_noBans->setVisible(settings.builder.bannedTactics.empty());
    m_noPins->setVisible(settings.builder.pinnedTactics.empty());
}

}  // namespace strobe
