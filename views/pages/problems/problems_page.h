// What is wrong or risky? Problems of import, builds and profiles; a click goes to the node or layer.
#pragma once

#include <optional>

#include "views/models/problem_table_model.h"
#include "views/pages/page.h"

class QLabel;
class QStackedWidget;

namespace strobe {

class EmptyState;
class SegmentedControl;
struct Selection;
class TableView;

class ProblemsPage : public Page {
    Q_OBJECT
public:
    explicit ProblemsPage(WorkbenchContext& context, QWidget* parent = nullptr);
    // Errors and warnings, for the dock's title.
    int problemCount() const;
    QWidget* focusTarget() override;

signals:
    void problemCountChanged(int count);

private:
    void followProblems();
    void showDetail();
    void followSelection(const Selection& selection);
    void goThere();
    std::optional<ProblemEntry> chosen() const;
    void choose(const ProblemEntry& problem);

    ProblemTableModel m_model;
    ProblemFilterProxy m_filtered{m_model};
    SegmentedControl* m_severities;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    TableView* m_table;
    QLabel* m_detail;
    bool m_isGoing = false;
};

}  // namespace strobe
