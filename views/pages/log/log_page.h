// What did the program do? Jobs with their state, duration and, when they failed, the whole error.
#pragma once

#include "views/models/job_table_model.h"
#include "views/pages/page.h"

class QPlainTextEdit;
class QStackedWidget;

namespace strobe {

class TableView;

class LogPage : public Page {
    Q_OBJECT
public:
    explicit LogPage(WorkbenchContext& context, QWidget* parent = nullptr);
    QWidget* focusTarget() override;

private:
    void followJobs();
    void showDetail();

    JobTableModel m_model;
    QStackedWidget* m_stack;
    TableView* m_table;
    QPlainTextEdit* m_detail;
    JobId m_selected = 0;
    bool m_isFollowing = false;
};

}  // namespace strobe
