#pragma once

#include "views/pages/settings/settings_section.h"

class QComboBox;

namespace strobe {

// Kernels that the builder must not use, and those that a layer must use.
class TacticsSection : public SettingsSection {
    Q_OBJECT
public:
    TacticsSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    void addRow(QVBoxLayout& rows, const QString& text, const QString& removal, const std::function<void()>& remove);
    void fillChoices(const Settings& settings);
    void ban(const QString& tactic);

    QVBoxLayout *m_banned, *m_pinned;
    QLabel *m_noBans, *m_noPins;
    QComboBox* m_choice;
    std::shared_ptr<const Build> m_choicesOf;
};

}  // namespace strobe
