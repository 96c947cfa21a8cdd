#include "views/pages/problems/problems_page.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <array>

#include "sessions/problems.h"
#include "views/delegates/cell_delegates.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr ProblemSeverity kSegments[] = {ProblemSeverity::Error, ProblemSeverity::Warning, ProblemSeverity::Info};

// The layer of that name in the engine, else in the fused network.
std::optional<LayerRef> findLayer(const BuildIndex& index, const std::string& name) {
    if (name.empty() || !index.build()) return std::nullopt;
    const int id = index.build()->id;
    if (const auto& engine = index.build()->engine) {
        const CompiledGraph& graph = engine->graph();
        for (size_t at = 0; at < graph.layers.size(); ++at)
            if (graph.network.layer(graph.layers[at].layer).name == name) return LayerRef{GraphStage::Engine, id, static_cast<int>(at)};
    }
    const Network* fused = index.network(GraphStage::Fused);
    const LayerId layer = fused ? fused->findLayer(name) : kNone;
    return layer == kNone ? std::nullopt : std::optional(LayerRef{GraphStage::Fused, id, layer});
}

}  // namespace

ProblemsPage::ProblemsPage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("problemsPage"), tr("Problems"), tr("What is wrong or risky?"), context, parent),
      m_severities(new SegmentedControl(SegmentedControl::Mode::Any, this)),
      m_stack(new QStackedWidget(this)),
      m_table(new TableView(this)),
      m_detail(new QLabel(this)) {
    for (int at = 0; at < 3; ++at) {
        m_severities->addSegment(at == 0 ? tr("Errors") : at == 1 ? tr("Warnings") : tr("Notes"));
        m_severities->setOn(at, true);
    }
    headerControls().addWidget(m_severities);
    m_table->setModel(&m_filtered);
    m_table->setEmptyText(tr("No problem of the kinds shown"));
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setTextElideMode(Qt::ElideRight);
    m_table->setItemDelegate(new TextDelegate(m_table));
    m_table->setItemDelegateForColumn(ProblemTableModel::Severity, new ChipDelegate(ChipDelegate::Look::Dot, m_table));
    m_table->setItemDelegateForColumn(ProblemTableModel::Where, new NameDelegate(m_table));
    m_table->setColumnWidths(std::array{84, 150, 360, 290, 76});
    m_table->setStretchColumn(ProblemTableModel::Message, 200);
    m_table->sortByColumn(ProblemTableModel::Severity, Qt::AscendingOrder);
    m_detail->setWordWrap(true);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_detail);
    m_empty = new EmptyState({}, this);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    body().addWidget(m_stack);
    connect(m_severities, &SegmentedControl::toggled, this, [this](int at, bool isOn) {
        m_filtered.setShown(kSegments[at], isOn);
        showDetail();
    });
    connect(m_table, &TableView::rowSelectionChanged, this, &ProblemsPage::showDetail);
    connect(m_table, &QAbstractItemView::clicked, this, &ProblemsPage::goThere);
    connect(m_table, &TableView::rowActivated, this, [this] {
        goThere();
        this->context().showPage(QStringLiteral("graphPage"));
    });
    connect(&context, &WorkbenchContext::selectionChanged, this, &ProblemsPage::followSelection);
    connect(&context, &WorkbenchContext::problemsChanged, this, &ProblemsPage::followProblems);
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &ProblemsPage::followProblems);  // also when the model changed
    followProblems();
}

int ProblemsPage::problemCount() const {
    return m_model.count(ProblemSeverity::Error) + m_model.count(ProblemSeverity::Warning);
}

QWidget* ProblemsPage::focusTarget() {
    return m_table;
}

void ProblemsPage::followProblems() {
    const auto before = chosen();
    m_model.setProblems(context().session().problems(), nodeNames(context().model().get()));
    if (before) choose(*before);  // what is being read stays, also when others come or go
    m_stack->setCurrentIndex(m_model.rowCount() == 0 ? 0 : 1);
    m_empty->setText(!context().model()              ? tr("Open a model to see what is wrong or risky in it · Ctrl+O")
                     : !context().currentBuild() ? tr("No problems found in the file. A build looks at layers and kernels too · Ctrl+B")
                                                 : tr("No problems found, neither in the file nor in its builds"));
    const auto counted = [](int count, const QString& one, const QString& many) {
        return QStringLiteral("%1 %2").arg(count).arg(count == 1 ? one : many);
    };
    const int errors = m_model.count(ProblemSeverity::Error), warnings = m_model.count(ProblemSeverity::Warning),
              notes = m_model.count(ProblemSeverity::Info);
    QStringList parts;
    if (errors > 0) parts << counted(errors, tr("error"), tr("errors"));
    if (warnings > 0) parts << counted(warnings, tr("warning"), tr("warnings"));
    if (notes > 0) parts << counted(notes, tr("note"), tr("notes"));
    setQuestion(parts.isEmpty() ? tr("What is wrong or risky?") : parts.join(QStringLiteral(", ")));
    emit problemCountChanged(problemCount());
    showDetail();
}

void ProblemsPage::showDetail() {
    auto problem = chosen();
    // A single problem needs no choice to be read whole.
    if (!problem && m_filtered.rowCount() == 1)
        problem = m_model.problem(m_filtered.mapToSource(m_filtered.index(0, 0)).row());
    m_detail->setVisible(problem.has_value());
    if (!problem) return;
    QString text = asSentence(QString::fromStdString(problem->message));
    if (!problem->fix.empty())
        text += QStringLiteral("\n") + tr("What to do: %1").arg(QString::fromStdString(problem->fix));
    m_detail->setText(text);
}

std::optional<ProblemEntry> ProblemsPage::chosen() const {
    const QModelIndexList rows = m_table->selectionModel()->selectedRows();
    if (rows.isEmpty()) return std::nullopt;
    return m_model.problem(m_filtered.mapToSource(rows.front()).row());
}

void ProblemsPage::choose(const ProblemEntry& problem) {
    const QModelIndex index = m_filtered.mapFromSource(m_model.index(m_model.rowOf(problem), 0));
    if (index.isValid() && !m_table->selectionModel()->isRowSelected(index.row())) m_table->selectRow(index.row());
}

void ProblemsPage::followSelection(const Selection& selection) {
    if (m_isGoing || selection.origin == objectName()) return;
    const Layer* layer = selection.layer ? context().index()->layer(*selection.layer) : nullptr;
    const auto isAbout = [&](const ProblemEntry& problem) {
        return isProblemOf(problem, selection.nodes, layer ? layer->name : std::string());
    };
    const auto before = chosen();
    if (before && isAbout(*before)) return;
    const QAbstractItemModel& rows = *m_table->model();
    int found = -1;
    for (int row = 0; row < rows.rowCount(); ++row) {
        const ProblemEntry& problem = m_model.problem(m_filtered.mapToSource(m_filtered.index(row, 0)).row());
        if (!isAbout(problem)) continue;
        if (found < 0) found = row;
        // Of several builds the one in view.
        if (context().currentBuild() && problem.source == problemSource(*context().currentBuild())) {
            found = row;
            break;
        }
    }
    if (found >= 0) return m_table->selectRow(found);
    // One of the whole model or of a setting stays to be read; one of another place does not.
    if (before && !(before->layer.empty() && before->provenance.empty())) m_table->clearSelection();
}

void ProblemsPage::goThere() {
    const auto problem = chosen();
    if (!problem) return;
    m_isGoing = true;  // the other build announces the old selection anew
    // A problem of a build is about that build's layers.
    for (const auto& build : context().session().builds())
        if (problem->source == problemSource(*build)) context().setCurrentBuild(build->id);
    m_isGoing = false;
    Selection selection;
    selection.nodes = problem->provenance;
    selection.layer = findLayer(*context().index(), problem->layer);
    selection.origin = objectName();
    if (!selection.isEmpty()) context().select(std::move(selection));
}

}  // namespace strobe
