#pragma once

#include "views/models/column_table_model.h"
#include "views/models/layer_filter.h"

namespace strobe {

// One row a layer of a profiled build. The row number is the place in LayerTable::rows.
class LayerTableModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId {
        Index, Name, Op, Precision, OutputShape, Time, Share, Cumulative, Spread, Calls, Flops, Bytes, FlopRate, ByteRate,
        Tactic, PrecisionNote, Nodes, Cycles, InstructionsPerCycle, CacheMisses, ColumnTotal
    };

    explicit LayerTableModel(QObject* parent = nullptr);
    void setTable(LayerTablePtr table);  // null empties
    const LayerTable* table() const { return m_table.get(); }
    const LayerRow& row(int index) const { return m_table->rows[static_cast<size_t>(index)]; }
    // Row of an engine layer, −1 when there is none.
    int rowOfLayer(int layer) const;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QVariant number(const LayerRow& row, int column) const;  // in the column's unit; invalid for no value
    QString display(const LayerRow& row, int column) const;
    QString tooltip(const LayerRow& row, int column) const;
    std::vector<Column> columnsFor(const LayerTable& table);

    LayerTablePtr m_table;
    double m_timeUnit = 1e-3;  // seconds
    double m_flopUnit = 1e6, m_byteUnit = 1048576, m_largestShare = 1;
};

class LayerFilterProxy : public SortProxy {
    Q_OBJECT
public:
    explicit LayerFilterProxy(LayerTableModel& model, QObject* parent = nullptr);
    void setFilter(LayerFilter filter);
    const LayerFilter& filter() const { return m_filter; }

protected:
    bool filterAcceptsRow(int sourceRow, const QModelIndex& sourceParent) const override;

private:
    LayerTableModel& m_model;
    LayerFilter m_filter;
};

}  // namespace strobe
