#pragma once

#include "views/models/column_table_model.h"
#include "views/models/compare_table.h"

namespace strobe {

// One row for each set of ONNX nodes that the layers of both builds share.
class CompareTableModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { Title, LayersA, LayersB, TimeA, TimeB, Delta, MaxAbs, Snr, Cosine, ColumnTotal };

    explicit CompareTableModel(QObject* parent = nullptr);
    // `nameA` and `nameB` explain the columns. Null empties.
    void setTable(CompareTablePtr table, const QString& nameA, const QString& nameB);
    const CompareRow& row(int index) const { return m_table->rows[static_cast<size_t>(index)]; }
    // First row that holds one of the nodes; −1 for none. `nodes` is ascending.
    int rowOfNodes(const std::vector<int>& nodes) const;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<Column> columnsFor(const CompareTable& table, const QString& nameA, const QString& nameB);
    QVariant number(const CompareRow& row, int column) const;
    QString display(const CompareRow& row, int column) const;
    QString tooltip(const CompareRow& row, int column) const;

    CompareTablePtr m_table;
    double m_timeUnit = 1e-3, m_largestDelta = 1;
};

// What each network output differs by.
class OutputTableModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { Tensor, MaxAbs, MaxRel, Rms, Cosine, Snr, Top1, Top5, NonFinite, ColumnTotal };

    explicit OutputTableModel(QObject* parent = nullptr);
    void setReport(std::shared_ptr<const AccuracyReport> report);  // null empties
    const TensorDifference& output(int row) const { return m_report->outputs[static_cast<size_t>(row)]; }
    bool hasScores() const;     // any output with top-1 agreement
    bool hasNonFinite() const;  // NaN or infinities in one build only

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QVariant number(const TensorDifference& output, int column) const;

    std::shared_ptr<const AccuracyReport> m_report;
};

// Samples whose outputs differ most.
class WorstSamplesModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { Sample, Tensor, MaxAbs, ColumnTotal };

    explicit WorstSamplesModel(QObject* parent = nullptr);
    void setReport(std::shared_ptr<const AccuracyReport> report);

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::shared_ptr<const AccuracyReport> m_report;
};

// "0.99987": as many nines as tell it from 1.
QString formatCosine(double cosine);

}  // namespace strobe
