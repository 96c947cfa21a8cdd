#pragma once

#include <array>

#include "sessions/session.h"
#include "views/models/column_table_model.h"

namespace strobe {

QString severityName(ProblemSeverity severity);  // "Error"

/// It is about one of these ONNX nodes or about this layer of the engine; an empty name is no layer's.
bool isProblemOf(const ProblemEntry& problem, const std::vector<int>& nodes, const std::string& layer);

// What is wrong or risky, worst first.
class ProblemTableModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { Severity, Where, Message, Fix, Source, ColumnTotal };

    explicit ProblemTableModel(QObject* parent = nullptr);
    // `nodeNames` by ONNX node index name the place of entries without a layer.
    // Resets the model, unless it shows just these.
    void setProblems(std::vector<ProblemEntry> problems, const QStringList& nodeNames);
    const ProblemEntry& problem(int row) const { return m_problems[static_cast<size_t>(row)]; }
    int rowOf(const ProblemEntry& problem) const;  // −1 when it is not among them
    int count(ProblemSeverity severity) const { return m_counts[static_cast<size_t>(severity)]; }

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QString where(const ProblemEntry& problem) const;

    std::vector<ProblemEntry> m_problems;
    QStringList m_nodeNames;
    std::array<int, 3> m_counts{};
};

class ProblemFilterProxy : public SortProxy {
    Q_OBJECT
public:
    explicit ProblemFilterProxy(ProblemTableModel& model, QObject* parent = nullptr);
    void setShown(ProblemSeverity severity, bool isShown);

protected:
    bool filterAcceptsRow(int sourceRow, const QModelIndex& sourceParent) const override;

private:
    ProblemTableModel& m_model;
    std::array<bool, 3> m_shown{true, true, true};
};

}  // namespace strobe
