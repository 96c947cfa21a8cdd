#include "views/pages/settings/passes_section.h"

#include <QCheckBox>
#include <QLabel>
#include <QRegularExpression>
#include <QVBoxLayout>

#include "engine_core/passes/pass.h"
#include "views/models/display_text.h"

namespace strobe {
namespace {

// "ConvBatchNormFusion" reads as "Conv batch norm fusion"; spelt as the rest of the window is.
QString spacedName(const QString& name) {
    static const QRegularExpression hump(QStringLiteral("(?<=[a-z])(?=[A-Z])"));
    QStringList words = name.split(hump);
    for (qsizetype at = 1; at < words.size(); ++at) words[at] = words[at].toLower();
    return words.join(' ').replace(QStringLiteral("ization"), QStringLiteral("isation"));
}

}  // namespace

PassesSection::PassesSection(WorkbenchContext& context, QWidget* parent) : SettingsSection(tr("Passes"), context, parent) {
    addNote(tr("Rewrites of the network, in this order. Switch one off to see what it is worth."));
    for (const auto& pass : PassManager::standardPasses()) {
        const QString name = toQString(pass->name());
        auto* box = new QCheckBox(spacedName(name), this);
        box->setObjectName(name);
        auto* purpose = new QLabel(toQString(pass->purpose()), this);
        purpose->setWordWrap(true);
        purpose->setForegroundRole(QPalette::PlaceholderText);
        purpose->setContentsMargins(22, 0, 0, 2);
        auto* pair = new QVBoxLayout;
        pair->setSpacing(0);
        pair->addWidget(box);
        pair->addWidget(purpose);
        body().addLayout(pair);
        m_boxes.emplace_back(name.toStdString(), box);
        connect(box, &QCheckBox::clicked, this, [this, name, label = box->text()](bool isOn) {
            commit(isOn ? tr("Switch on “%1”").arg(label) : tr("Switch off “%1”").arg(label), [&](Settings& settings) {
                if (isOn)
                    settings.builder.disabledPasses.erase(name.toStdString());
                else
                    settings.builder.disabledPasses.insert(name.toStdString());
            });
        });
    }
}

void PassesSection::refresh(const Settings& settings) {
    for (const auto& [name, box] : m_boxes) box->setChecked(settings.builder.disabledPasses.count(name) == 0);
}

}  // namespace strobe
