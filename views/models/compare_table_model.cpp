#include "views/models/compare_table_model.h"

#include <QColor>
#include <algorithm>
#include <cmath>

#include "profiler/accuracy_verdict.h"
#include "views/models/display_text.h"
#include "views/models/unit_choice.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

bool sharesNode(const std::vector<int>& a, const std::vector<int>& b) {
    return std::any_of(a.begin(), a.end(), [&](int node) { return std::binary_search(b.begin(), b.end(), node); });
}

}  // namespace

QString formatCosine(double cosine) {
    if (!std::isfinite(cosine)) return QStringLiteral("–");
    if (cosine >= 1 - 1e-12) return QStringLiteral("1");
    const int nines = cosine > 0 ? static_cast<int>(std::floor(-std::log10(1 - cosine))) : 0;
    return QString::number(cosine, 'f', std::clamp(nines + 2, 3, 9)).replace('-', QChar(0x2212));
}

CompareTableModel::CompareTableModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns(columnsFor({}, QStringLiteral("A"), QStringLiteral("B")));
}

std::vector<ColumnTableModel::Column> CompareTableModel::columnsFor(const CompareTable& table, const QString& nameA,
                                                                    const QString& nameB) {
    double slowest = 0, delta = 0;
    for (const CompareRow& row : table.rows) {
        slowest = std::max({slowest, row.secondsA, row.secondsB});
        delta = std::max(delta, std::abs(row.delta()));
    }
    const UnitChoice time = timeUnitChoice(slowest);
    m_timeUnit = time.factor;
    m_largestDelta = std::max(delta, 1e-12);
    return {
        {tr("ONNX nodes"), tr("Nodes that the layers of both builds do together")},
        {tr("Layers of A"), nameA},
        {tr("Layers of B"), nameB},
        {tr("A (%1)").arg(time.name), tr("Sum of medians in %1").arg(nameA), true, true},
        {tr("B (%1)").arg(time.name), tr("Sum of medians in %1").arg(nameB), true, true},
        {tr("Δ (%1)").arg(time.name), tr("B − A. Faint without bar: within the noise of the measurement"), true, true},
        {tr("Max abs"), tr("Largest difference of any element of the last tensor of the row"), true},
        {tr("SNR (dB)"),
         table.hasAccuracy ? tr("Signal power over error power; under %1 dB the row has diverged").arg(table.failDb)
                           : tr("Signal power over error power"),
         true},
        {tr("Cosine"), tr("Cosine of the angle between both results"), true}};
}

void CompareTableModel::setTable(CompareTablePtr table, const QString& nameA, const QString& nameB) {
    beginResetModel();
    m_table = std::move(table);
    setColumns(columnsFor(m_table ? *m_table : CompareTable(), nameA, nameB));
    setRowTotal(m_table ? static_cast<int>(m_table->rows.size()) : 0);
    endResetModel();
}

int CompareTableModel::rowOfNodes(const std::vector<int>& nodes) const {
    for (int row = 0; row < rowCount(); ++row)
        if (sharesNode(this->row(row).provenance, nodes)) return row;
    return -1;
}

QVariant CompareTableModel::number(const CompareRow& row, int column) const {
    const auto time = [&](double seconds, bool isThere) {
        return m_table->hasTimes && isThere ? QVariant(seconds / m_timeUnit) : QVariant();
    };
    switch (column) {
        case TimeA: return time(row.secondsA, row.layerA >= 0);
        case TimeB: return time(row.secondsB, row.layerB >= 0);
        case Delta: return time(row.delta(), true);
        case MaxAbs: return row.difference ? QVariant(row.difference->maxAbs) : QVariant();
        case Snr: return row.difference ? QVariant(row.difference->snrDb) : QVariant();
        case Cosine: return row.difference ? QVariant(row.difference->cosine) : QVariant();
        default: return {};
    }
}

QString CompareTableModel::display(const CompareRow& row, int column) const {
    const auto layers = [](const QStringList& names) {
        return names.isEmpty() ? QStringLiteral("–")
               : names.size() == 1 ? names.front()
                                   : tr("%1 +%2").arg(names.front()).arg(names.size() - 1);
    };
    switch (column) {
        case Title: return row.isFirstDiverging ? tr("▶ %1").arg(row.title) : row.title;
        case LayersA: return layers(row.layersA);
        case LayersB: return layers(row.layersB);
        default: break;
    }
    const QVariant value = number(row, column);
    if (!value.isValid()) return QStringLiteral("–");
    if (column == Snr) return snrText(value.toDouble(), false);
    if (column == Cosine) return formatCosine(value.toDouble());
    return column == Delta ? formatSigned(value.toDouble()) : column == MaxAbs ? formatNumber(value.toDouble()) : formatInUnit(value.toDouble());
}

QString CompareTableModel::tooltip(const CompareRow& row, int column) const {
    switch (column) {
        case Title:
            return (row.isFirstDiverging ? tr("First place where the builds diverge\n") : QString()) + row.nodes.mid(0, 24).join('\n');
        case LayersA: return row.layersA.join('\n');
        case LayersB: return row.layersB.join('\n');
        case Delta:
            return row.isSignificant ? tr("± %1 (95 %)").arg(formatTime(row.errorSeconds))
                                     : tr("Within the noise: ± %1 (95 %)").arg(formatTime(row.errorSeconds));
        case MaxAbs:
        case Snr:
        case Cosine: return row.difference ? QString::fromStdString(row.difference->tensor) : QString();
        default: return {};
    }
}

QVariant CompareTableModel::cell(int at, int column, int role) const {
    const CompareRow& row = this->row(at);
    switch (role) {
        case Qt::DisplayRole: return display(row, column);
        case Qt::ToolTipRole: return tooltip(row, column);
        case kSortRole:
            // In the order of the model's nodes, which names would scramble.
            if (column == Title) return row.provenance.empty() ? QVariant() : QVariant(row.provenance.front());
            return column <= LayersB ? QVariant(display(row, column)) : number(row, column);
        case kDeltaRole: return column == Delta && row.isSignificant ? QVariant(row.delta() / m_largestDelta) : QVariant();
        case Qt::ForegroundRole: {
            const bool isBad = row.isFirstDiverging && column == Title;
            const bool isLow = column == Snr && row.difference && row.difference->snrDb < m_table->failDb;
            return isBad || isLow ? QVariant(Theme::instance().colours().bad) : QVariant();
        }
        default: return {};
    }
}

OutputTableModel::OutputTableModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns({{tr("Output"), {}},
                {tr("Max abs"), tr("Largest difference of any element"), true},
                {tr("Max rel (%)"), tr("The same, relative to the reference's largest magnitude"), true},
                {tr("RMS"), tr("Root of the mean squared difference"), true},
                {tr("Cosine"), tr("Cosine of the angle between both results"), true},
                {tr("SNR (dB)"), tr("Signal power over error power"), true},
                {tr("Top-1 (%)"), tr("Rows in which both agree on the best class"), true},
                {tr("Top-5 (%)"), tr("Rows in which A's best class is among B's best five"), true},
                {tr("NaN, ∞"), tr("Elements that are NaN or infinite in one build only"), true}});
}

void OutputTableModel::setReport(std::shared_ptr<const AccuracyReport> report) {
    beginResetModel();
    m_report = std::move(report);
    setRowTotal(m_report ? static_cast<int>(m_report->outputs.size()) : 0);
    endResetModel();
}

bool OutputTableModel::hasScores() const {
    return m_report && std::any_of(m_report->outputs.begin(), m_report->outputs.end(),
                                   [](const TensorDifference& output) { return output.top1Agreement >= 0; });
}

bool OutputTableModel::hasNonFinite() const {
    return m_report && std::any_of(m_report->outputs.begin(), m_report->outputs.end(),
                                   [](const TensorDifference& output) { return output.nonFinite > 0; });
}

QVariant OutputTableModel::number(const TensorDifference& output, int column) const {
    switch (column) {
        case MaxAbs: return output.maxAbs;
        case MaxRel: return output.maxRel * 100;
        case Rms: return output.rms;
        case Cosine: return output.cosine;
        case Snr: return output.snrDb;
        case Top1: return output.top1Agreement >= 0 ? QVariant(output.top1Agreement * 100) : QVariant();
        case Top5: return output.top5Agreement >= 0 ? QVariant(output.top5Agreement * 100) : QVariant();
        case NonFinite:
            return static_cast<double>(output.nonFinite);
        default: return {};
    }
}

QVariant OutputTableModel::cell(int row, int column, int role) const {
    const TensorDifference& output = this->output(row);
    const QString name = QString::fromStdString(output.tensor);
    const QVariant value = number(output, column);
    if (role == kSortRole) return column == Tensor ? QVariant(name) : value;
    if (role == Qt::ForegroundRole) {
        const bool isBad = (column == Snr && output.snrDb < accuracyLimits(m_report->coarsest).failDb) ||
                           (column == NonFinite && output.nonFinite > 0);
        return isBad ? QVariant(Theme::instance().colours().bad) : QVariant();
    }
    if (role == Qt::ToolTipRole && column == Tensor)
        return tr("%1\n%2 elements, reference from %3 to %4")
            .arg(name, formatCount(output.count), formatNumber(output.referenceMin), formatNumber(output.referenceMax));
    if (role != Qt::DisplayRole) return {};
    switch (column) {
        case Tensor: return name;
        case Cosine: return formatCosine(output.cosine);
        case Snr:
            return snrText(output.snrDb, false);
        default: return value.isValid() ? formatNumber(value.toDouble()) : QStringLiteral("–");
    }
}

WorstSamplesModel::WorstSamplesModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns({{tr("Sample"), tr("Place in the input file"), true}, {tr("Output"), {}}, {tr("Max abs"), {}, true}});
}

void WorstSamplesModel::setReport(std::shared_ptr<const AccuracyReport> report) {
    beginResetModel();
    m_report = std::move(report);
    setRowTotal(m_report ? static_cast<int>(m_report->worst.size()) : 0);
    endResetModel();
}

QVariant WorstSamplesModel::cell(int row, int column, int role) const {
    const SampleDifference& sample = m_report->worst[static_cast<size_t>(row)];
    const QString tensor = QString::fromStdString(sample.tensor);
    const bool isFinite = sample.nonFinite == 0;
    if (role == kSortRole)
        return column == Sample   ? QVariant(double(sample.sample))
               : column == Tensor ? QVariant(tensor)
                                  : QVariant(isFinite ? sample.maxAbs : HUGE_VAL);
    if (role == Qt::ToolTipRole && column == MaxAbs && !isFinite)
        return tr("%1 elements are NaN or infinite in one build only").arg(formatCount(sample.nonFinite));
    if (role != Qt::DisplayRole) return {};
    if (column == MaxAbs) return isFinite ? formatNumber(sample.maxAbs) : tr("NaN, ∞");
    return column == Sample ? formatCount(sample.sample) : tensor;
}

}  // namespace strobe
