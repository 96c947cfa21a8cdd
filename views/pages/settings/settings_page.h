// What may I change? Everything that decides a build and how it is measured, undoable, in one scrollable form.
#pragma once

#include <vector>

#include "views/pages/page.h"

class QLabel;
class QScrollArea;
class QToolButton;
class QVBoxLayout;

namespace strobe {

class ElidedLabel;
class SettingsSection;

class SettingsPage : public Page {
    Q_OBJECT
public:
    explicit SettingsPage(WorkbenchContext& context, QWidget* parent = nullptr);
    QWidget* focusTarget() override;

private:
    void addSection(SettingsSection* section);
    void buildHistory();
    void refresh();
    void refreshIgnored();

    QScrollArea* m_scroll;
    QVBoxLayout* m_sectionsLayout;
    std::vector<SettingsSection*> m_sections;
    QWidget* m_ignoredBox;
    QLabel* m_ignored;
    QToolButton *m_undo, *m_redo;
    ElidedLabel* m_lastChange;
};

}  // namespace strobe
