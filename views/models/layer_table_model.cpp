#include "views/models/layer_table_model.h"

#include <QColor>
#include <algorithm>
#include <cmath>

#include "views/models/unit_choice.h"
#include "views/widgets/table_roles.h"

namespace strobe {
namespace {

template <class F>
double largest(const LayerTable& table, F value) {
    double most = 0;
    for (const LayerRow& row : table.rows) most = std::max(most, value(row));
    return most;
}


}  // namespace

LayerTableModel::LayerTableModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns(columnsFor({}));
}

std::vector<ColumnTableModel::Column> LayerTableModel::columnsFor(const LayerTable& table) {
    const UnitChoice time = timeUnitChoice(largest(table, [](const LayerRow& r) { return r.seconds; }));
    const UnitChoice flops = scaledUnitChoice(largest(table, [](const LayerRow& r) { return r.flops; }), "FLOP");
    const UnitChoice bytes = byteUnitChoice(largest(table, [](const LayerRow& r) { return r.bytes; }));
    m_timeUnit = time.factor;
    m_flopUnit = flops.factor;
    m_byteUnit = bytes.factor;
    m_largestShare = std::max(1e-12, largest(table, [](const LayerRow& r) { return r.share; }));
    return {{tr("#"), tr("Place in the order of execution"), true},
            {tr("Layer"), tr("Name of the engine's layer")},
            {tr("Op"), tr("What the layer computes, with what was fused behind it")},
            {tr("Precision"), tr("Type in which the layer's result is stored")},
            {tr("Output shape"), tr("Extents of the first output at the profiled shapes")},
            {tr("Time (%1)").arg(time.name), tr("Median over the timed runs"), true, true},
            {tr("Share (%)"), tr("Of the sum of all layers' medians"), true, true},
            {tr("Cumulative (%)"), tr("Share of this layer and all slower ones together"), true},
            {tr("Spread (%)"), tr("How far single runs scatter around the median: interquartile range, scaled to a σ that outliers do not move"), true},
            {tr("× calls"), tr("Runs of the layer in one inference"), true},
            {flops.name, tr("Arithmetic operations of one run, by the op's definition"), true, true},
            {bytes.name, tr("Bytes read and written in one run: inputs, weights, outputs; what lies in place already is not moved"), true, true},
            {tr("GFLOP/s"), tr("Operations over time"), true},
            {tr("GB/s"), tr("Bytes over time"), true},
            {tr("Tactic"), tr("The kernel that the builder chose")},
            {tr("Why this precision"), tr("Where another precision was asked for, or a limit decided: why the layer has this one")},
            {tr("ONNX nodes"), tr("How many nodes of the model this layer does"), true},
            {tr("Mcycles"), tr("Processor cycles of one run, all threads"), true, true},
            {tr("IPC"), tr("Instructions per cycle"), true},
            {tr("k misses"), tr("Last-level cache misses of one run, thousands"), true, true}};
}

void LayerTableModel::setTable(LayerTablePtr table) {
    beginResetModel();
    m_table = std::move(table);
    setColumns(columnsFor(m_table ? *m_table : LayerTable()));
    setRowTotal(m_table ? static_cast<int>(m_table->rows.size()) : 0);
    endResetModel();
}

int LayerTableModel::rowOfLayer(int layer) const {
    if (!m_table) return -1;
    const auto& rows = m_table->rows;
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const LayerRow& r) { return r.layer == layer; });
    return at == rows.end() ? -1 : static_cast<int>(at - rows.begin());
}

QVariant LayerTableModel::number(const LayerRow& row, int column) const {
    const auto counted = [&](double CounterValues::* member, double unit) -> QVariant {
        return row.counters ? QVariant((*row.counters).*member / unit) : QVariant();
    };
    switch (column) {
        case Index: return static_cast<double>(row.layer);
        case Time: return row.seconds / m_timeUnit;
        case Share: return row.share * 100;
        case Cumulative: return row.cumulative * 100;
        case Spread: return std::isfinite(row.spread) ? QVariant(row.spread * 100) : QVariant();
        case Calls: return row.calls;
        case Flops: return row.flops / m_flopUnit;
        case Bytes: return row.bytes / m_byteUnit;
        case FlopRate: return row.flopsPerSecond() / 1e9;
        case ByteRate: return row.bytesPerSecond() / 1e9;
        case Nodes: return static_cast<double>(row.provenance.size());
        case Cycles: return counted(&CounterValues::cycles, 1e6);
        case CacheMisses: return counted(&CounterValues::cacheMisses, 1e3);
        case InstructionsPerCycle:
            return row.counters && row.counters->cycles > 0 ? QVariant(row.counters->instructions / row.counters->cycles)
                                                            : QVariant();
        default: return {};
    }
}

QString LayerTableModel::display(const LayerRow& row, int column) const {
    switch (column) {
        case Index: return QString::number(row.layer);
        case Name: return row.name;
        case Op: return row.facts.title;
        case Precision: return row.precision;
        case Share: return formatPercentNumber(row.share);
        case Cumulative: return formatPercentNumber(row.cumulative);
        case Spread: return formatPercentNumber(row.spread);
        case OutputShape: return row.shape;
        case Tactic: return row.tactic;
        case PrecisionNote: return row.facts.precisionNote;
        case Nodes: return formatCount(static_cast<int64_t>(row.provenance.size()));
        case Flops:
        case FlopRate:
            // A layer that only moves data has no rate of arithmetic.
            if (row.flops <= 0) return QStringLiteral("–");
            break;
        case ByteRate:
            if (row.bytes <= 0) return QStringLiteral("–");
            break;
        default: break;
    }
    const QVariant value = number(row, column);
    return value.isValid() ? formatInUnit(value.toDouble()) : QStringLiteral("–");
}

QString LayerTableModel::tooltip(const LayerRow& row, int column) const {
    switch (column) {
        case Time:
        case Spread: {
            const QString time = tr("%1 (95 %)").arg(formatTimeSpread(row.seconds, row.error));
            return std::isfinite(row.spread) ? tr("%1, spread %2").arg(time, formatPercent(row.spread)) : time;
        }
        case Tactic:
            return row.facts.isReference
                       ? tr("%1\nThe naive reference kernel: right, but slow. No other kernel takes this layer.").arg(row.tactic)
                       : row.tactic;
        case Precision:
            return row.facts.isPreview ? tr("Preview: values are rounded to %1, the arithmetic is FP32. Accuracy, not speed.").arg(row.precision)
                                       : row.facts.precisionNote;
        case Op: return row.facts.title;
        case OutputShape: return row.shape;
        case PrecisionNote: return row.facts.precisionNote;
        case Flops: return formatScaled(row.flops, "FLOP");
        case Bytes:
        case ByteRate:
            return row.bytes > 0 ? formatBytes(row.bytes) : tr("Nothing is moved: all of it lies in place already");
        case Name:
        case Nodes: break;
        default: return {};
    }
    QStringList lines = row.nodes.mid(0, 24);
    if (row.nodes.size() > lines.size()) lines << tr("and %1 more").arg(row.nodes.size() - lines.size());
    const QString nodes = lines.join('\n');
    return column == Name && !nodes.isEmpty() ? row.name + QStringLiteral("\n\n") + nodes : nodes;
}

QVariant LayerTableModel::cell(int at, int column, int role) const {
    const LayerRow& row = this->row(at);
    switch (role) {
        case Qt::DisplayRole: return display(row, column);
        case Qt::ToolTipRole: return tooltip(row, column);
        case kSortRole: {
            const QVariant value = number(row, column);
            const bool isText = column == Name || column == Op || column == Precision || column == OutputShape || column == Tactic || column == PrecisionNote;
            return isText ? QVariant(display(row, column)) : value;
        }
        case kShareRole: return column == Share ? QVariant(row.share / m_largestShare) : QVariant();
        case kHatchedRole: return column == Precision && row.facts.isPreview;
        case kColourRole: {
            const Theme& theme = Theme::instance();
            if (column == Op || column == Share) return theme.family(row.facts.family);
            return column == Precision ? QVariant(theme.precision(row.precision)) : QVariant();
        }
        case Qt::ForegroundRole:
            return column == Tactic && row.facts.isReference ? QVariant(Theme::instance().colours().warning) : QVariant();
        default: return {};
    }
}

LayerFilterProxy::LayerFilterProxy(LayerTableModel& model, QObject* parent) : SortProxy(parent), m_model(model) {
    setSourceModel(&model);
}

void LayerFilterProxy::setFilter(LayerFilter filter) {
    m_filter = std::move(filter);
    invalidateFilter();
}

bool LayerFilterProxy::filterAcceptsRow(int sourceRow, const QModelIndex&) const {
    return m_filter.matches(m_model.row(sourceRow));
}

}  // namespace strobe
