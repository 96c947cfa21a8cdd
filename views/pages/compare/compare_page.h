// Which build is better, and what did it cost? Two builds side by side in time and accuracy.
#pragma once

#include "views/models/compare_table.h"
#include "views/models/compare_table_model.h"
#include "views/models/selection.h"
#include "views/pages/page.h"

class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace strobe {

class AnswerTile;
class BarChart;
class EmptyState;
class FigureGrid;
class TablePane;
class TableView;

class ComparePage : public Page {
    Q_OBJECT
public:
    explicit ComparePage(WorkbenchContext& context, QWidget* parent = nullptr);
    QWidget* focusTarget() override;
    // Shows the pair; what was compared of it, if anything.
    void setPair(int buildA, int buildB);

private:
    void buildHeader();
    QWidget* buildAnswers();
    QWidget* buildFigures();
    QWidget* buildRows();
    void fillBuilds();
    void followBuilds();
    void followComparison();
    void choosePair();
    void followSelection(const Selection& selection);
    void showPair();
    void showOutput();
    void showTables(const Build& a, const Build& b, std::shared_ptr<const Comparison> comparison);
    void publish();
    void compareNow();
    void followJobs();
    void showAccuracy();
    int chosen(const QComboBox& box) const;
    std::shared_ptr<const Comparison> comparisonOf(int a, int b) const;

    CompareTableModel m_rows;
    SortProxy m_sortedRows;
    OutputTableModel m_outputs;
    WorstSamplesModel m_worst;
    bool m_isFollowing = false;

    QComboBox *m_a, *m_b;
    QPushButton *m_compare, *m_swap;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    AnswerTile *m_speed, *m_accuracy;
    CompareAnswer m_answer;  // about accuracy, of the pair shown
    FigureGrid* m_figures;
    TableView *m_outputTable, *m_worstTable;
    BarChart* m_histogram;
    QLabel* m_histogramTitle;
    TablePane* m_rowPane;
    bool m_isPairChosen = false;  // by the user: then a new build is not the candidate by itself
    JobId m_job = 0;              // the comparison that this page asked for, until it ends
};

}  // namespace strobe
