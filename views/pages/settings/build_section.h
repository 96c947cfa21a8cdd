#pragma once

#include "views/pages/settings/settings_section.h"

class QLineEdit;
class QSpinBox;

namespace strobe {

class SegmentedControl;

// How hard the builder tries and what it may use: level, threads, workspace, timing cache.
class BuildSection : public SettingsSection {
    Q_OBJECT
public:
    BuildSection(WorkbenchContext& context, QWidget* parent);
    void refresh(const Settings& settings) override;

private:
    void clearCache();

    SegmentedControl* m_level;
    QLabel* m_explanation;
    QSpinBox *m_threads, *m_workspace;
    QLineEdit* m_cache;
    QLabel *m_cacheState, *m_error;
};

}  // namespace strobe
