#include "views/models/problem_table_model.h"

#include <QColor>
#include <algorithm>

#include "views/models/display_text.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/theme.h"

namespace strobe {

QString severityName(ProblemSeverity severity) {
    switch (severity) {
        case ProblemSeverity::Error: return QObject::tr("Error");
        case ProblemSeverity::Warning: return QObject::tr("Warning");
        case ProblemSeverity::Info: break;
    }
    return QObject::tr("Note");
}

bool isProblemOf(const ProblemEntry& problem, const std::vector<int>& nodes, const std::string& layer) {
    if (!layer.empty() && problem.layer == layer) return true;
    const auto& own = problem.provenance;
    return std::find_first_of(own.begin(), own.end(), nodes.begin(), nodes.end()) != own.end();
}

ProblemTableModel::ProblemTableModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns({{tr("Severity"), {}},
                {tr("Where"), tr("Layer or ONNX node; a click goes there")},
                {tr("What"), {}},
                {tr("What to do"), {}},
                {tr("Found by"), tr("The step that found it")}});
}

void ProblemTableModel::setProblems(std::vector<ProblemEntry> problems, const QStringList& nodeNames) {
    std::stable_sort(problems.begin(), problems.end(),
                     [](const auto& a, const auto& b) { return a.severity > b.severity; });
    if (problems == m_problems && nodeNames == m_nodeNames)
        return;  // a reset takes the view's selection and place away
    beginResetModel();
    m_problems = std::move(problems);
    m_nodeNames = nodeNames;
    m_counts = {};
    for (const ProblemEntry& problem : m_problems) ++m_counts[static_cast<size_t>(problem.severity)];
    setRowTotal(static_cast<int>(m_problems.size()));
    endResetModel();
}

int ProblemTableModel::rowOf(const ProblemEntry& problem) const {
    const auto found = std::find(m_problems.begin(), m_problems.end(), problem);
    return found == m_problems.end() ? -1 : static_cast<int>(found - m_problems.begin());
}

QString ProblemTableModel::where(const ProblemEntry& problem) const {
    if (!problem.layer.empty()) return QString::fromStdString(problem.layer);
    if (problem.provenance.empty()) return tr("whole model");
    const int first = problem.provenance.front();
    const QString name = first >= 0 && first < m_nodeNames.size() ? m_nodeNames[first] : tr("node %1").arg(first);
    return problem.provenance.size() == 1 ? name : tr("%1 +%2").arg(name).arg(problem.provenance.size() - 1);
}

QVariant ProblemTableModel::cell(int row, int column, int role) const {
    const ProblemEntry& problem = this->problem(row);
    if (role == kSortRole && column == Severity) return -static_cast<int>(problem.severity);
    if (role == kColourRole && column == Severity) {
        const ThemeColours& colours = Theme::instance().colours();
        return problem.severity == ProblemSeverity::Error     ? colours.bad
               : problem.severity == ProblemSeverity::Warning ? colours.warning
                                                              : colours.secondary;
    }
    if (role != Qt::DisplayRole && role != kSortRole && role != Qt::ToolTipRole) return {};
    switch (column) {
        case Severity: return role == Qt::ToolTipRole ? QVariant() : QVariant(severityName(problem.severity));
        case Where: return where(problem);
        case Message: return asSentence(QString::fromStdString(problem.message));
        case Fix: return asSentence(QString::fromStdString(problem.fix));
        default: return QString::fromStdString(problem.source);
    }
}

ProblemFilterProxy::ProblemFilterProxy(ProblemTableModel& model, QObject* parent) : SortProxy(parent), m_model(model) {
    setSourceModel(&model);
}

void ProblemFilterProxy::setShown(ProblemSeverity severity, bool isShown) {
    m_shown[static_cast<size_t>(severity)] = isShown;
    invalidateFilter();
}

bool ProblemFilterProxy::filterAcceptsRow(int sourceRow, const QModelIndex&) const {
    return m_shown[static_cast<size_t>(m_model.problem(sourceRow).severity)];
}

}  // namespace strobe
