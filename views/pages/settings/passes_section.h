#pragma once

#include <vector>

#include "views/pages/settings/settings_section.h"

class QCheckBox;

namespace strobe {

// Which rewrites of the network the builder may make.
class PassesSection : public SettingsSection {
    Q_OBJECT
public:
    PassesSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    std::vector<std::pair<std::string, QCheckBox*>> m_boxes;
};

}  // namespace strobe
