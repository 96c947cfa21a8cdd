#include "views/pages/compare/compare_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>
#include <array>

#include "views/delegates/cell_delegates.h"
#include "views/models/build_label.h"
#include "views/models/workbench_context.h"
#include "views/pages/compare/answer_tile.h"
#include "views/pages/compare/figure_grid.h"
#include "views/widgets/bar_chart.h"
#include "views/widgets/number_format.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kLeastTable = 24;

QComboBox* makeBuildBox(QWidget* parent, const QString& name) {
    auto* box = new QComboBox(parent);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    box->setMinimumWidth(112);
    box->setAccessibleName(name);
    box->setToolTip(name);
    return box;
}

TableView* makeTable(QWidget* parent, QAbstractItemModel& model) {
    auto* table = new TableView(parent);
    table->setModel(&model);
    table->setSortingEnabled(false);
    table->setItemDelegate(new TextDelegate(table));
    table->setSelectionMode(QAbstractItemView::SingleSelection);
    // In a low window the figures come first; the table scrolls in what is left.
    table->setMinimumHeight(kLeastTable);
    return table;
}

constexpr int kFiguresWidth = 430, kRowsWidth = 550, kLeastFigures = 330;  // at first; every column of the rows then fits

// Decades of |difference| as the accuracy report counts them.
QStringList decadeLabels(size_t bins) {
    QStringList labels{QStringLiteral("≈0")};  // under 1e−8
    for (size_t bin = 1; bin < bins; ++bin) labels << QStringLiteral("1e%1").arg(static_cast<int>(bin) - 9).replace('-', QChar(0x2212));
    return labels;
}

}  // namespace

ComparePage::ComparePage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("comparePage"), tr("Compare"), tr("Which build is better, and what did it cost?"), context, parent),
      m_a(makeBuildBox(this, tr("Build A, the reference"))),
      m_b(makeBuildBox(this, tr("Build B, the candidate"))),
      m_compare(new QPushButton(tr("Compare"), this)),
      m_stack(new QStackedWidget(this)),
      m_empty(new EmptyState({}, this)) {
    buildHeader();
    auto* halves = new QSplitter(Qt::Horizontal, this);
    halves->addWidget(buildFigures());
    halves->addWidget(buildRows());
    halves->setSizes({kFiguresWidth, kRowsWidth});
    halves->setStretchFactor(0, 2);
    halves->setStretchFactor(1, 3);
    halves->setChildrenCollapsible(false);
    m_figures->setMinimumWidth(kLeastFigures);
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(buildAnswers());
    layout->addWidget(halves, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    body().addWidget(m_stack);
    connect(&context, &WorkbenchContext::buildsChanged, this, &ComparePage::followBuilds);
    connect(&context, &WorkbenchContext::modelChanged, this, [this] {
        for (QComboBox* box : {m_a, m_b}) box->clear();  // another model's build may have the same id
        followBuilds();
    });
    connect(&context, &WorkbenchContext::currentComparisonChanged, this, &ComparePage::followComparison);
    connect(&context, &WorkbenchContext::selectionChanged, this, &ComparePage::followSelection);
    connect(&context, &WorkbenchContext::jobsChanged, this, &ComparePage::followJobs);
    fillBuilds();
    followComparison();
}

void ComparePage::buildHeader() {
    m_compare->setObjectName(QStringLiteral("compareButton"));
    auto* swap = new QPushButton(QStringLiteral("⇄"), this);
    swap->setToolTip(tr("Swap A and B"));
    swap->setAccessibleName(tr("Swap A and B"));
    m_swap = swap;
    for (QWidget* widget : std::initializer_list<QWidget*>{m_a, swap, m_b, m_compare}) headerControls().addWidget(widget);
    connect(m_a, &QComboBox::activated, this, &ComparePage::choosePair);
    connect(m_b, &QComboBox::activated, this, &ComparePage::choosePair);
    connect(swap, &QPushButton::clicked, this, [this] {
        const int a = m_a->currentIndex();
        m_a->setCurrentIndex(m_b->currentIndex());
        m_b->setCurrentIndex(a);
        choosePair();
    });
    connect(m_compare, &QPushButton::clicked, this, &ComparePage::compareNow);
}

QWidget* ComparePage::buildAnswers() {
    auto* answers = new QWidget(this);
    auto* row = new QHBoxLayout(answers);
    row->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    row->setSpacing(kGrid);
    m_speed = new AnswerTile(answers);
    m_speed->setObjectName(QStringLiteral("speedAnswer"));
    m_speed->setRemedy(tr("Measure in turn"));
    connect(m_speed, &AnswerTile::remedyRequested, this, &ComparePage::compareNow);
    m_accuracy = new AnswerTile(answers);
    m_accuracy->setObjectName(QStringLiteral("accuracyAnswer"));
    row->addWidget(m_speed, 1);
    row->addWidget(m_accuracy, 1);
    return answers;
}

QWidget* ComparePage::buildFigures() {
    auto* side = new QWidget(this);
    auto* layout = new QVBoxLayout(side);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_figures = new FigureGrid(side);
    layout->addWidget(m_figures);
    auto* tabs = new QTabWidget(side);
    tabs->setDocumentMode(true);
    m_outputTable = makeTable(tabs, m_outputs);
    m_outputTable->setItemDelegateForColumn(OutputTableModel::Tensor, new NameDelegate(m_outputTable));
    m_outputTable->setEmptyText(tr("Compare to see how the outputs differ"));
    m_outputTable->setStretchColumn(OutputTableModel::Tensor, 96);
    m_outputTable->setColumnWidths(std::array{96, 72, 90, 72, 72, 72, 72, 72, 72});
    // The context menu brings the others back.
    for (const int column : {OutputTableModel::Rms, OutputTableModel::Cosine, OutputTableModel::Top5}) m_outputTable->setColumnHidden(column, true);
    // What is read first stands first.
    m_outputTable->horizontalHeader()->moveSection(OutputTableModel::Snr, 1);
    m_outputTable->horizontalHeader()->moveSection(m_outputTable->horizontalHeader()->visualIndex(OutputTableModel::MaxRel), 2);
    m_worstTable = makeTable(tabs, m_worst);
    m_worstTable->setItemDelegateForColumn(WorstSamplesModel::Tensor, new NameDelegate(m_worstTable));
    m_worstTable->setEmptyText(tr("Compare to see the samples that differ most"));
    m_worstTable->setColumnWidths(std::array{72, 200, 72});
    auto* histogram = new QWidget(tabs);
    auto* column = new QVBoxLayout(histogram);
    column->setContentsMargins(kGrid, kGrid, kGrid, 0);
    m_histogramTitle = new QLabel(histogram);
    m_histogramTitle->setForegroundRole(QPalette::PlaceholderText);
    m_histogramTitle->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_histogram = new BarChart(histogram);
    m_histogram->setMinimumHeight(kLeastTable);
    m_histogram->setEmptyText(tr("Compare to see the distribution of the difference"));
    column->addWidget(m_histogramTitle);
    column->addWidget(m_histogram, 1);
    tabs->addTab(m_outputTable, tr("Outputs"));
    tabs->addTab(histogram, tr("Difference"));
    tabs->addTab(m_worstTable, tr("Worst samples"));
    layout->addWidget(tabs, 1);
    connect(m_outputTable, &TableView::rowSelectionChanged, this, &ComparePage::showOutput);
    return side;
}

QWidget* ComparePage::buildRows() {
    m_rowPane = new TablePane(this);
    m_rowPane->table().setMinimumHeight(kLeastTable);
    m_sortedRows.setSourceModel(&m_rows);
    m_rowPane->setModel(&m_sortedRows);
    TableView& table = m_rowPane->table();
    table.setItemDelegate(new TextDelegate(&table));
    table.setObjectName(QStringLiteral("comparedRows"));
    for (const int column : {CompareTableModel::Title, CompareTableModel::LayersA, CompareTableModel::LayersB})
        table.setItemDelegateForColumn(column, new NameDelegate(&table));
    table.setItemDelegateForColumn(CompareTableModel::Delta, new DeltaDelegate(&table));
    table.setColumnWidths(std::array{190, 200, 200, 60, 60, 84, 76, 70, 88});
    // The nodes name the row; the layers' own names are a menu away.
    table.setColumnHidden(CompareTableModel::LayersA, true);
    table.setColumnHidden(CompareTableModel::LayersB, true);
    table.setColumnHidden(CompareTableModel::Cosine, true);
    table.setStretchColumn(CompareTableModel::Title, 96);
    table.horizontalHeader()->moveSection(table.horizontalHeader()->visualIndex(CompareTableModel::Snr), table.horizontalHeader()->visualIndex(CompareTableModel::MaxAbs));
    table.sortByColumn(CompareTableModel::Title, Qt::AscendingOrder);
    connect(&table, &TableView::rowSelectionChanged, this, &ComparePage::publish);
    connect(&table, &TableView::rowActivated, this, [this] { context().showPage(QStringLiteral("graphPage")); });
    return m_rowPane;
}

QWidget* ComparePage::focusTarget() {
    return &m_rowPane->table();
}

int ComparePage::chosen(const QComboBox& box) const {
    return box.currentData().toInt();
}

std::shared_ptr<const Comparison> ComparePage::comparisonOf(int a, int b) const {
    for (const auto& comparison : context().session().comparisons())
        if (comparison->a == a && comparison->b == b) return comparison;
    return nullptr;
}

void ComparePage::fillBuilds() {
    const auto builds = context().session().builds();
    const int oldA = chosen(*m_a), oldB = chosen(*m_b);
    const int oldNewest = m_b->itemData(m_b->count() - 1).toInt();
    for (QComboBox* box : {m_a, m_b}) {
        box->clear();
        for (const auto& build : builds) box->addItem(buildLabel(*build), build->id);
    }
    const auto restore = [](QComboBox& box, int id, int otherwise) {
        const int at = box.findData(id);
        box.setCurrentIndex(at >= 0 ? at : otherwise);
    };
    // The first build is the reference, the newest the candidate, until the user says otherwise of builds that exist.
    m_isPairChosen = m_isPairChosen && m_a->findData(oldA) >= 0 && m_b->findData(oldB) >= 0;
    const bool hasNewer = !builds.empty() && builds.back()->id > oldNewest;
    restore(*m_a, oldA, 0);
    restore(*m_b, (hasNewer && !m_isPairChosen) || oldA == oldB ? 0 : oldB, static_cast<int>(builds.size()) - 1);
}

void ComparePage::followBuilds() {
    fillBuilds();
    showPair();
}

void ComparePage::choosePair() {
    m_isPairChosen = true;
    showPair();
}

void ComparePage::followComparison() {
    if (const auto comparison = context().currentComparison())
        setPair(comparison->a, comparison->b);
    else
        showPair();
}

void ComparePage::setPair(int buildA, int buildB) {
    m_a->setCurrentIndex(m_a->findData(buildA));
    m_b->setCurrentIndex(m_b->findData(buildB));
    showPair();
}

void ComparePage::showPair() {
    const auto a = context().session().build(chosen(*m_a)), b = context().session().build(chosen(*m_b));
    const bool isPair = a && b && a != b;
    const auto comparison = isPair ? comparisonOf(a->id, b->id) : nullptr;
    // What the page shows, so that one it does not show can be asked for again.
    context().setCurrentComparison(comparison ? comparison->id : 0);
    m_answer = accuracyAnswer(comparison.get());
    m_compare->setText(comparison ? tr("Compare again") : tr("Compare"));
    followJobs();
    const bool hasTwo = context().session().builds().size() >= 2;
    for (QWidget* widget : std::initializer_list<QWidget*>{m_a, m_swap, m_b, m_compare}) widget->setVisible(hasTwo);
    const bool hasModel = context().model() != nullptr;
    m_empty->setText(hasTwo      ? tr("Choose two different builds")
                     : !hasModel ? tr("Open a model and build it twice, with different settings; then compare · Ctrl+O")
                                 : tr("Build twice, with different settings, then compare. Choose a precision and press Build and profile · Ctrl+B"));
    m_empty->setAction(hasTwo || !hasModel ? nullptr : context().action(QStringLiteral("build")));
    m_stack->setCurrentIndex(isPair ? 1 : 0);
    if (!isPair) {
        setQuestion(tr("Which build is better, and what did it cost?"));
        return;
    }
    setQuestion(compareSubject(*a, *b, comparison.get()));
    m_speed->setAnswer(speedAnswer(*a, *b, comparison.get()));
    m_figures->setFigures(QString::fromStdString(a->name), QString::fromStdString(b->name), compareFigures(*a, *b, comparison.get()));
    showTables(*a, *b, comparison);
}

void ComparePage::showTables(const Build& a, const Build& b, std::shared_ptr<const Comparison> comparison) {
    const auto accuracy = comparison ? comparison->accuracy : nullptr;
    if (!comparison) {
        // Times are known without running anything.
        auto times = std::make_shared<Comparison>();
        times->rows = alignBuilds(a, b, nullptr);
        comparison = std::move(times);
    }
    m_isFollowing = true;
    const CompareTablePtr table = makeCompareTable(*comparison, compareNames(a, b), a.profile && b.profile);
    m_rows.setTable(table, QString::fromStdString(a.name), QString::fromStdString(b.name));
    for (const int column : {CompareTableModel::MaxAbs, CompareTableModel::Snr})
        m_rowPane->table().setColumnHidden(column, !table->hasAccuracy);
    QStringList clocks{clocksText(a), clocksText(b)};
    clocks.removeAll(QString());
    m_rowPane->setNote(clocks.join(QStringLiteral("; ")));
    m_outputs.setReport(accuracy);
    m_worst.setReport(accuracy);
    m_outputTable->setColumnHidden(OutputTableModel::Top1, !m_outputs.hasScores());
    m_outputTable->setColumnHidden(OutputTableModel::NonFinite, !m_outputs.hasNonFinite());
    if (m_outputs.rowCount() > 0) m_outputTable->selectRow(0);
    showOutput();
    m_isFollowing = false;  // what arrives by itself selects nothing for the user
    followSelection(context().selection());
}

void ComparePage::showOutput() {
    const QModelIndexList rows = m_outputTable->selectionModel()->selectedRows();
    BarChartData bars;
    m_histogramTitle->setVisible(!rows.isEmpty());
    if (!rows.isEmpty()) {
        const TensorDifference& output = m_outputs.output(rows.front().row());
        bars.values.assign(output.histogram.begin(), output.histogram.end());
        for (const QString& label : decadeLabels(bars.values.size())) bars.labels.push_back(label);
        bars.valueName = tr("elements");
        bars.logarithmic = true;
        bars.title = tr("|A − B| of %1, %2 elements, by power of ten")
                         .arg(QString::fromStdString(output.tensor), formatCount(output.count));
        m_histogramTitle->setText(bars.title);
    }
    m_histogram->setData(std::move(bars));
    if (!m_isFollowing && !rows.isEmpty())
        context().selectTensor(QString::fromStdString(m_outputs.output(rows.front().row()).tensor), objectName());
}

void ComparePage::publish() {
    const QItemSelectionModel* selected = m_rowPane->table().selectionModel();
    if (m_isFollowing || selected == nullptr || !selected->hasSelection()) return;
    std::vector<int> nodes;
    for (const QModelIndex& index : selected->selectedRows()) {
        const auto& provenance = m_rows.row(m_sortedRows.mapToSource(index).row()).provenance;
        nodes.insert(nodes.end(), provenance.begin(), provenance.end());
    }
    if (nodes.empty()) return;
    // A row that is one layer of the build in view points at that layer.
    Selection selection{std::move(nodes), std::nullopt, {}, objectName()};
    const auto layers = context().index()->layersOf(GraphStage::Engine, selection.nodes);
    if (layers.size() == 1) selection.layer = layers.front();
    context().select(std::move(selection));
}

void ComparePage::followSelection(const Selection& selection) {
    if (selection.origin == objectName() || m_rowPane->table().selectionModel() == nullptr) return;
    const int row = m_rows.rowOfNodes(selection.nodes);
    m_isFollowing = true;
    TableView& table = m_rowPane->table();
    if (row < 0) {
        table.clearSelection();
    } else {
        const QModelIndex index = m_sortedRows.mapFromSource(m_rows.index(row, 0));
        table.selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        table.scrollTo(index);
    }
    m_isFollowing = false;
}

void ComparePage::compareNow() {
    m_job = context().session().compare(chosen(*m_a), chosen(*m_b));
    followJobs();
}

void ComparePage::showAccuracy() {
    // Whoever asked for it, and whichever pair it is: the page's own pair may be another.
    const auto& jobs = context().jobs();
    const auto running = std::find_if(jobs.begin(), jobs.end(), [](const JobInfo& job) {
        return job.kind == JobKind::Compare && job.state == JobState::Running;
    });
    if (running == jobs.end()) return m_accuracy->setAnswer(m_answer);
    const QString title = QString::fromStdString(running->title);
    m_accuracy->setAnswer({tr("Comparing…"), tr("%1, %2 done").arg(title, formatPercent(running->fraction))});
}

void ComparePage::followJobs() {
    const bool isPair = m_a->count() > 1 && chosen(*m_a) != chosen(*m_b);
    showAccuracy();
    const auto job = context().session().jobs().info(m_job);
    const bool isBusy = job && !isFinished(job->state);
    m_compare->setEnabled(isPair && !isBusy);
    m_compare->setToolTip(!isPair  ? tr("Choose two different builds")
                          : isBusy ? tr("These builds are being compared")
                                   : tr("Runs both builds on the same inputs: compares outputs and every tensor that both hold, and measures both in turn"));
    if (isBusy) return;
    m_job = 0;
    if (job && job->state == JobState::Failed)
        setQuestion(tr("Could not compare: %1").arg(QString::fromStdString(job->result.message())));
}

}  // namespace strobe
