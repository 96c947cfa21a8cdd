// What may I change? Everything that decides a build and how it is measured, undoable, in one scrollable form.
#pragma once

#include <QList>
#include <QVariant>
#include <utility>
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

    struct Field {
        QString name;  // as its label says
        QWidget* widget;
    };
    /// Those with a label, in the form's order.
    QList<Field> fields() const;
    /// Scrolls there and gives it the keyboard.
    void showField(QWidget& field);

private:
    using Values = std::vector<std::vector<std::pair<QWidget*, QVariant>>>;  // of each section's fields
    Values values() const;
    /// Scrolls to the first field that shows something else than before.
    void revealChange(const Values& before);
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
    bool m_hasStepped = false;  // undone or redone, and not shown yet
};

}  // namespace strobe
