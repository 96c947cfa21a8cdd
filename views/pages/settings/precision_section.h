#pragma once

#include <vector>

#include "views/pages/settings/settings_section.h"

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;

namespace strobe {

class PrecisionControl;

// Precision of the whole network, how much of the outputs it may cost, and rules for single layers.
class PrecisionSection : public SettingsSection {
    Q_OBJECT
public:
    PrecisionSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    struct RuleRow {
        QWidget* box;
        QLineEdit* pattern;
        QComboBox* type;
        QLabel* count;
    };
    void addLimit();
    void addRow(const PrecisionRule& rule);
    void removeRow(QWidget* box);
    void clearRows();
    std::vector<PrecisionRule> rules() const;  // rows without a pattern left out
    void commitRules(const QString& label);
    void updateCount(const RuleRow& row) const;
    std::shared_ptr<const Network> rulesNetwork() const;

    PrecisionControl* m_mode;
    QLabel* m_explanation;
    QDoubleSpinBox* m_limit;  // percent; 0: none
    QLabel* m_limitNote;
    QVBoxLayout* m_rowsLayout;
    std::vector<RuleRow> m_rows;
};

}  // namespace strobe
