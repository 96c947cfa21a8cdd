#include "views/pages/log/log_page.h"

#include <QHeaderView>
#include <QMenu>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <array>

#include "views/delegates/cell_delegates.h"
#include "views/models/workbench_context.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

namespace strobe {

LogPage::LogPage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("logPage"), tr("Log"), tr("What did the program do?"), context, parent),
      m_stack(new QStackedWidget(this)),
      m_table(new TableView(this)),
      m_detail(new QPlainTextEdit(this)) {
    m_table->setModel(&m_model);
    m_table->setSortingEnabled(false);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setTextElideMode(Qt::ElideRight);
    m_table->setItemDelegate(new TextDelegate(m_table));
    m_table->setItemDelegateForColumn(JobTableModel::State, new ChipDelegate(ChipDelegate::Look::Dot, m_table));
    m_table->setColumnWidths(std::array{110, 320, 90, 400});
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_table->setMenuBuilder([this](QMenu& menu, const QModelIndex& index) {
        if (!index.isValid()) return;
        const JobInfo job = m_model.job(index.row());
        if (!isFinished(job.state))
            menu.addAction(tr("Cancel this job"), this, [this, id = job.id] { this->context().session().jobs().cancel(id); });
    });
    m_detail->setReadOnly(true);
    m_detail->setFont(Theme::monoFont(-1));
    m_detail->setAccessibleName(tr("Error of the selected job"));
    auto* splitter = new QSplitter(Qt::Vertical, this);
    splitter->addWidget(m_table);
    splitter->addWidget(m_detail);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 1);
    m_stack->addWidget(new EmptyState(tr("Nothing was done yet. Open a model · Ctrl+O"), this));
    m_stack->addWidget(splitter);
    body().addWidget(m_stack);
    connect(m_table, &TableView::rowSelectionChanged, this, [this] {
        if (m_isFollowing) return;
        const QModelIndexList rows = m_table->selectionModel()->selectedRows();
        m_selected = rows.isEmpty() ? 0 : m_model.job(rows.front().row()).id;
        showDetail();
    });
    connect(&context, &WorkbenchContext::jobsChanged, this, &LogPage::followJobs);
    followJobs();
}

QWidget* LogPage::focusTarget() {
    return m_table;
}

void LogPage::followJobs() {
    m_isFollowing = true;
    m_model.setJobs(context().jobs());
    for (int row = 0; row < m_model.rowCount(); ++row)
        if (m_model.job(row).id == m_selected && !m_table->selectionModel()->isRowSelected(row)) m_table->selectRow(row);
    m_isFollowing = false;
    m_stack->setCurrentIndex(m_model.rowCount() == 0 ? 0 : 1);
    int failed = 0, waiting = 0;
    for (int row = 0; row < m_model.rowCount(); ++row) {
        failed += m_model.job(row).state == JobState::Failed ? 1 : 0;
        waiting += isFinished(m_model.job(row).state) ? 0 : 1;
    }
    QString text = m_model.rowCount() == 1 ? tr("1 job") : tr("%1 jobs").arg(m_model.rowCount());
    if (waiting > 0) text += tr(", %1 at work or waiting").arg(waiting);
    if (failed > 0) text += tr(", %1 failed").arg(failed);
    setQuestion(m_model.rowCount() == 0 ? tr("What did the program do?") : text);
    showDetail();
}

void LogPage::showDetail() {
    QString text;
    for (int row = 0; row < m_model.rowCount(); ++row) {
        const JobInfo& job = m_model.job(row);
        if (job.id == m_selected && job.state > JobState::Succeeded)
            text = QStringLiteral("%1: %2").arg(QString::fromStdString(job.title), QString::fromStdString(job.result.message()));
    }
    m_detail->setVisible(!text.isEmpty());
    if (m_detail->toPlainText() != text) m_detail->setPlainText(text);
}

}  // namespace strobe
