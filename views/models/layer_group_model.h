#pragma once

#include "views/models/column_table_model.h"
#include "views/models/layer_table.h"

namespace strobe {

enum class LayerGrouping : uint8_t { None, Op, Precision, Scope };

// Layers added up by what they have in common, largest time first.
struct LayerGroup {
    QString key;  // "Conv", "BF16", "model.2/cv1"; empty for layers without a scope
    std::vector<int> rows;
    double seconds = 0, share = 0, flops = 0, bytes = 0;
    NodeFamily family = NodeFamily::Other;  // of the member that takes longest
};
// `rows`: indices into table.rows that count. Scopes are cut where they part the layers into four groups or more.
std::vector<LayerGroup> groupLayers(const LayerTable& table, const std::vector<int>& rows, LayerGrouping grouping);

class LayerGroupModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { Key, Layers, Time, Share, Flops, Bytes, FlopRate, ByteRate, ColumnTotal };

    explicit LayerGroupModel(QObject* parent = nullptr);
    void setGroups(LayerTablePtr table, const std::vector<int>& rows, LayerGrouping grouping);
    const LayerGroup& group(int row) const { return m_groups[static_cast<size_t>(row)]; }
    LayerGrouping grouping() const { return m_grouping; }
    // What to type into the filter to see the group's layers and no others.
    QString filterFor(int row) const;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QVariant number(const LayerGroup& group, int column) const;
    std::vector<Column> columns();

    LayerGrouping m_grouping = LayerGrouping::Op;
    std::vector<LayerGroup> m_groups;
    double m_timeUnit = 1e-3, m_flopUnit = 1e6, m_byteUnit = 1048576;
};

}  // namespace strobe
