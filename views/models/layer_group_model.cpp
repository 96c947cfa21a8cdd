#include "views/models/layer_group_model.h"

#include <algorithm>
#include <map>
#include <set>

#include "views/models/layer_filter.h"
#include "views/models/unit_choice.h"
#include "views/widgets/table_roles.h"

namespace strobe {
namespace {

constexpr int kFewestScopes = 4, kDeepestScope = 6;

QString scopeToDepth(const QString& scope, int depth) {
    return scope.section('/', 0, depth - 1);
}

int scopeDepth(const LayerTable& table, const std::vector<int>& rows) {
    for (int depth = 1; depth < kDeepestScope; ++depth) {
        std::set<QString> scopes;
        for (const int row : rows) scopes.insert(scopeToDepth(table.rows[static_cast<size_t>(row)].scope, depth));
        if (scopes.size() >= kFewestScopes) return depth;
    }
    return kDeepestScope;
}

}  // namespace

std::vector<LayerGroup> groupLayers(const LayerTable& table, const std::vector<int>& rows, LayerGrouping grouping) {
    const int depth = grouping == LayerGrouping::Scope ? scopeDepth(table, rows) : 0;
    std::map<QString, LayerGroup> groups;
    std::map<QString, double> longest;
    for (const int at : rows) {
        const LayerRow& row = table.rows[static_cast<size_t>(at)];
        const QString key = grouping == LayerGrouping::Op          ? row.op
                            : grouping == LayerGrouping::Precision ? row.precision
                                                                   : scopeToDepth(row.scope, depth);
        LayerGroup& group = groups[key];
        group.key = key;
        group.rows.push_back(at);
        group.seconds += row.seconds;
        group.share += row.share;
        group.flops += row.flops;
        group.bytes += row.bytes;
        const auto [slowest, isFirst] = longest.try_emplace(key, row.seconds);
        if (isFirst || row.seconds > slowest->second) {
            slowest->second = row.seconds;
            group.family = row.facts.family;
        }
    }
    std::vector<LayerGroup> sorted;
    for (auto& entry : groups) sorted.push_back(std::move(entry.second));
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
    return sorted;
}

LayerGroupModel::LayerGroupModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns(columns());
}

std::vector<ColumnTableModel::Column> LayerGroupModel::columns() {
    const auto largest = [&](double LayerGroup::* member) {
        double most = 0;
        for (const LayerGroup& group : m_groups) most = std::max(most, group.*member);
        return most;
    };
    const UnitChoice time = timeUnitChoice(largest(&LayerGroup::seconds));
    const UnitChoice flops = scaledUnitChoice(largest(&LayerGroup::flops), "FLOP");
    const UnitChoice bytes = byteUnitChoice(largest(&LayerGroup::bytes));
    m_timeUnit = time.factor;
    m_flopUnit = flops.factor;
    m_byteUnit = bytes.factor;
    const QString title = m_grouping == LayerGrouping::Op          ? tr("Op")
                          : m_grouping == LayerGrouping::Precision ? tr("Precision")
                                                                   : tr("Scope");
    return {{title, tr("Double-click shows the layers of the group")},
            {tr("Layers"), {}, true},
            {tr("Time (%1)").arg(time.name), tr("Sum of the layers' medians"), true, true},
            {tr("Share (%)"), tr("Of the sum of all layers' medians"), true, true},
            {flops.name, tr("Arithmetic operations of one run"), true, true},
            {bytes.name, tr("Bytes read and written in one run"), true, true},
            {tr("GFLOP/s"), tr("Operations over time"), true},
            {tr("GB/s"), tr("Bytes over time"), true}};
}

void LayerGroupModel::setGroups(LayerTablePtr table, const std::vector<int>& rows, LayerGrouping grouping) {
    beginResetModel();
    m_grouping = grouping;
    m_groups = table ? groupLayers(*table, rows, grouping) : std::vector<LayerGroup>();
    setColumns(columns());
    setRowTotal(static_cast<int>(m_groups.size()));
    endResetModel();
}

QString LayerGroupModel::filterFor(int row) const {
    const QString& key = group(row).key;
    if (m_grouping == LayerGrouping::Op) return LayerFilter::term(QStringLiteral("op"), key);
    if (m_grouping == LayerGrouping::Precision) return LayerFilter::term(QStringLiteral("precision"), key);
    const QString scope = LayerFilter::term(QStringLiteral("scope"), key);
    // A scope that is not as deep as the others are cut may hold some of them, which are groups of their own.
    const QString inside = key + '/';
    const bool hasInner = !key.isEmpty() && std::any_of(m_groups.begin(), m_groups.end(), [&](const LayerGroup& other) {
        return other.key.startsWith(inside);
    });
    return hasInner ? scope + QStringLiteral(" -") + LayerFilter::term(QStringLiteral("scope"), inside + '*') : scope;
}

QVariant LayerGroupModel::number(const LayerGroup& group, int column) const {
    switch (column) {
        case Layers: return static_cast<double>(group.rows.size());
        case Time: return group.seconds / m_timeUnit;
        case Share: return group.share * 100;
        case Flops: return group.flops > 0 ? QVariant(group.flops / m_flopUnit) : QVariant();
        case Bytes: return group.bytes / m_byteUnit;
        case FlopRate: return group.seconds > 0 && group.flops > 0 ? QVariant(group.flops / group.seconds / 1e9) : QVariant();
        case ByteRate: return group.seconds > 0 && group.bytes > 0 ? QVariant(group.bytes / group.seconds / 1e9) : QVariant();
        default: return {};
    }
}

QVariant LayerGroupModel::cell(int row, int column, int role) const {
    const LayerGroup& group = this->group(row);
    const QString name = group.key.isEmpty() ? tr("(no scope)") : group.key;
    switch (role) {
        case Qt::DisplayRole: {
            if (column == Key) return name;
            if (column == Share) return formatPercentNumber(group.share);
            if (column == Layers) return formatCount(static_cast<int64_t>(group.rows.size()));
            const QVariant value = number(group, column);
            return value.isValid() ? formatInUnit(value.toDouble()) : QStringLiteral("–");
        }
        case kSortRole: return column == Key ? QVariant(name) : number(group, column);
        case kShareRole: {
            const double largest = m_groups.front().share;
            return column == Share && largest > 0 ? QVariant(group.share / largest) : QVariant();
        }
        case kColourRole:
            if (m_grouping == LayerGrouping::Precision && (column == Key || column == Share))
                return Theme::instance().precision(group.key);
            return column == Share || (column == Key && m_grouping == LayerGrouping::Op)
                       ? QVariant(Theme::instance().family(group.family))
                       : QVariant();
        default: return {};
    }
}

}  // namespace strobe
