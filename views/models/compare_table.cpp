#include "views/models/compare_table.h"

#include <QObject>
#include <algorithm>
#include <cmath>

#include "profiler/accuracy_verdict.h"
#include "sessions/problems.h"
#include "views/models/build_label.h"
#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

QStringList pick(const std::vector<int>& indices, const QStringList& names) {
    QStringList picked;
    for (const int index : indices)
        picked << (index >= 0 && index < names.size() ? names[index] : QStringLiteral("#%1").arg(index));
    return picked;
}

QStringList layerNames(const Build& build) {
    QStringList names;
    if (!build.engine) return names;
    const CompiledGraph& graph = build.engine->graph();
    for (const EngineLayer& layer : graph.layers) names << QString::fromStdString(graph.network.layer(layer.layer).name);
    return names;
}

QString titleOf(const CompareRow& row) {
    // One layer in both builds goes by its name, as on the other pages.
    if (!row.isReformat && row.layersA.size() == 1 && row.layersA == row.layersB)
        return row.nodes.size() <= 1 ? row.layersA.front()
                                     : QObject::tr("%1 +%2").arg(row.layersA.front()).arg(row.nodes.size() - 1);
    const QStringList& from = !row.nodes.isEmpty() ? row.nodes : !row.layersB.isEmpty() ? row.layersB : row.layersA;
    if (from.isEmpty()) return QStringLiteral("–");
    const QString title =
        from.size() == 1 ? from.front() : QObject::tr("%1 +%2").arg(from.front()).arg(from.size() - 1);
    // Those of the network's inputs have no node, and their own names say what they are.
    return row.isReformat && !row.nodes.isEmpty() ? QObject::tr("reformat after %1").arg(title) : title;
}

using Verdict = CompareFigure::Verdict;

QString latencyText(const Build& build) {
    const Statistics& latency = build.profile->latency;
    return markedTime(build, formatTimeSpread(latency.median / 1000, latency.medianError / 1000));
}

Verdict verdictOf(double a, double b, double tolerance) {
    if (std::abs(b - a) <= tolerance) return Verdict::None;
    return b < a ? Verdict::Better : Verdict::Worse;
}

QString relativeChange(double a, double b) {
    if (a <= 0) return {};
    const double change = b / a - 1;
    if (std::abs(change) < 5e-4) return QObject::tr("same");
    return formatSigned(change * 100, std::abs(change) < 0.1 ? 2 : 3) + QStringLiteral("\u00a0%");
}

CompareFigure bytesFigure(const QString& name, double a, double b) {
    return {name, formatBytes(a), formatBytes(b), relativeChange(a, b), verdictOf(a, b, 5e-4 * a)};
}

void addAccuracy(std::vector<CompareFigure>& figures, const AccuracyReport& report) {
    if (const int first = firstDiverging(report); first >= 0) {
        const LayerDifference& layer = report.layers[static_cast<size_t>(first)];
        figures.push_back({QObject::tr("First to diverge"), QString::fromStdString(layer.layerReference),
                           QString::fromStdString(layer.layerCandidate), snrText(layer.difference.snrDb, true),
                           Verdict::Worse});
    } else if (!report.layers.empty()) {
        figures.push_back({QObject::tr("First to diverge"),
                           QObject::tr("none"),
                           {},
                           QObject::tr("all ≥ %1 dB").arg(accuracyLimits(report.coarsest).failDb),
                           Verdict::None});
    }
    const double gain = 100 * (report.labelAccuracyCandidate - report.labelAccuracyReference);
    if (report.labelAccuracyReference >= 0 && report.labelAccuracyCandidate >= 0)
        figures.push_back({QObject::tr("Label accuracy"), formatPercent(report.labelAccuracyReference),
                           formatPercent(report.labelAccuracyCandidate),
                           gain == 0 ? QObject::tr("same") : QObject::tr("%1 points").arg(formatSigned(gain)),
                           verdictOf(-report.labelAccuracyReference, -report.labelAccuracyCandidate, 1e-12)});
}

QString accuracyHeadline(const AccuracyReport& report, const AccuracyJudgement& judgement) {
    if (judgement.verdict == AccuracyVerdict::Holds) return QObject::tr("Accuracy holds");
    const double lost = report.labelAccuracyReference - report.labelAccuracyCandidate;
    if (judgement.ground == AccuracyGround::Labels)
        return QObject::tr("Accuracy drops by %1 points").arg(formatNumber(100 * lost));
    if (judgement.ground == AccuracyGround::RandomInput) return QObject::tr("Accuracy differs on random input");
    return judgement.verdict == AccuracyVerdict::Fails ? QObject::tr("Accuracy does not hold")
                                                       : QObject::tr("Accuracy is doubtful");
}

/// What was found, and where it does not hold, what is asked.
QString accuracyDetail(const AccuracyReport& report, const AccuracyJudgement& judgement) {
    const TensorDifference& output = report.outputs[static_cast<size_t>(judgement.output)];
    const QString name = toQString(output.tensor);
    if (judgement.ground == AccuracyGround::NonFinite)
        return QObject::tr("%1: %2 elements are NaN or infinite in one build only")
            .arg(name, formatCount(output.nonFinite));
    QString detail = output.maxAbs > 0 ? QObject::tr("%1: SNR %2, error up to %3, %4 of its range")
                                             .arg(name, snrText(output.snrDb, true), formatNumber(output.maxAbs),
                                                  formatPercent(output.maxRel))
                                       : QObject::tr("every output is equal, bit by bit");
    if (report.labelAccuracyReference >= 0 && report.labelAccuracyCandidate >= 0)
        detail = QObject::tr("%1 → %2 of labels right · %3")
                     .arg(formatPercent(report.labelAccuracyReference), formatPercent(report.labelAccuracyCandidate),
                          detail);
    if (judgement.verdict == AccuracyVerdict::Holds || judgement.ground == AccuracyGround::Labels) return detail;
    const AccuracyLimits limits = accuracyLimits(report.coarsest);
    detail += QObject::tr(" · %1 is asked for %2 dB and %3")
                  .arg(precisionLabel(report.coarsest), formatNumber(limits.holdDb), formatPercent(limits.maxRel));
    if (judgement.ground == AccuracyGround::RandomInput) detail += QObject::tr(" · Settings takes real data");
    return detail;
}

QString shapesOf(const std::map<std::string, Dims>& shapes) {
    QStringList texts;
    for (const auto& [name, dims] : shapes) texts << shapeText(dims);
    return texts.join(QStringLiteral(", "));
}

/// Why each build's own times cannot be set against the other's; empty when they can.
QString doubtOfProfiles(const Build& a, const Build& b) {
    if (a.profile->shapes != b.profile->shapes)
        return QObject::tr("%1 was measured at %2, %3 at %4: Compare measures both on the same inputs")
            .arg(QString::fromStdString(b.name), shapesOf(b.profile->shapes), QString::fromStdString(a.name),
                 shapesOf(a.profile->shapes));
    for (const Build* build : {&a, &b})
        if (const std::string why = disturbanceOf(*build); !why.empty())
            return QObject::tr("%1 was measured on a busy machine: %2")
                .arg(QString::fromStdString(build->name), QString::fromStdString(why));
    return {};
}

/// The same of rounds that took turns.
QString doubtOfRounds(const SpeedInTurn& speed) {
    constexpr double kTooFar = 1.5, kTooFarUndecided = 1.2;
    const double most = speed.isDecided() ? kTooFar : kTooFarUndecided;
    const SpeedRange range = speed.rangeOfSpeedup();
    if (range.max <= most * range.min) return {};
    return QObject::tr("the rounds say %1× to %2×; let other programs rest and compare again")
        .arg(formatNumber(range.min), formatNumber(range.max));
}

QString doubtOf(const Build& a, const Build& b, const Comparison* comparison) {
    return comparison && comparison->speed ? doubtOfRounds(*comparison->speed) : doubtOfProfiles(a, b);
}

QString inTurnText(const SpeedInTurn& speed) {
    const auto time = [](const Statistics& s) { return formatTimeSpread(s.median / 1e3, s.medianError / 1e3); };
    return QObject::tr("%1 against %2, in turn on the same inputs").arg(time(speed.b), time(speed.a));
}

}  // namespace

CompareNames compareNames(const Build& a, const Build& b) {
    CompareNames names;
    if (b.engine)
        for (const SourceNode& node : b.engine->graph().network.sourceNodes()) names.nodes << QString::fromStdString(node.name);
    names.layersA = layerNames(a);
    names.layersB = layerNames(b);
    return names;
}

CompareTablePtr makeCompareTable(const Comparison& comparison, const CompareNames& names, bool hasTimes) {
    auto table = std::make_shared<CompareTable>();
    table->hasTimes = hasTimes;
    const AccuracyReport* accuracy = comparison.accuracy.get();
    const int first = accuracy ? firstDiverging(*accuracy) : -1;
    if (accuracy) table->failDb = accuracyLimits(accuracy->coarsest).failDb;
    for (const Comparison::Row& from : comparison.rows) {
        CompareRow row;
        row.provenance = from.provenance;
        row.isReformat = from.isReformat;
        row.nodes = pick(from.provenance, names.nodes);
        row.layersA = pick(from.layersA, names.layersA);
        row.layersB = pick(from.layersB, names.layersB);
        row.title = titleOf(row);
        row.layerA = from.layersA.empty() ? -1 : from.layersA.front();
        row.layerB = from.layersB.empty() ? -1 : from.layersB.front();
        row.secondsA = from.msA / 1000;
        row.secondsB = from.msB / 1000;
        row.errorSeconds = from.errorMs / 1000;
        row.isSignificant = hasTimes && from.significant();
        if (accuracy && from.accuracyLayer >= 0 && static_cast<size_t>(from.accuracyLayer) < accuracy->layers.size()) {
            row.difference = accuracy->layers[static_cast<size_t>(from.accuracyLayer)].difference;
            row.isFirstDiverging = first == from.accuracyLayer;
            table->hasAccuracy = true;
        }
        table->rows.push_back(std::move(row));
    }
    return table;
}

std::optional<Speedup> speedup(const Build& a, const Build& b, const Comparison* comparison) {
    if (comparison && comparison->speed) {
        const SpeedInTurn& speed = *comparison->speed;
        if (speed.a.median <= 0 || speed.b.median <= 0) return std::nullopt;
        return Speedup{speed.speedup(), speed.isDecided()};
    }
    if (!a.profile || !b.profile || a.profile->latency.median <= 0 || b.profile->latency.median <= 0) return std::nullopt;
    const Statistics &x = a.profile->latency, &y = b.profile->latency;
    const double ratio = x.median / y.median;
    const double error = ratio * std::hypot(x.medianError / x.median, y.medianError / y.median);
    return Speedup{ratio, ratio - error > 1 || ratio + error < 1};
}

namespace {

CompareFigure latencyFigure(const Build& a, const Build& b, const Comparison* comparison, const Speedup& faster) {
    const bool isInTurn = comparison && comparison->speed;
    const auto time = [](double milliseconds) { return formatTime(milliseconds / 1000); };
    const QString change = QObject::tr("%1×").arg(formatNumber(faster.ratio));
    const bool isSure = faster.isSignificant && doubtOf(a, b, comparison).isEmpty();
    return {QObject::tr("Latency"),
            isInTurn ? time(comparison->speed->a.median) : markedTime(a, time(a.profile->latency.median)),
            isInTurn ? time(comparison->speed->b.median) : markedTime(b, time(b.profile->latency.median)),
            faster.isSignificant ? change : change + QObject::tr(", noise"),
            !isSure ? Verdict::None : faster.ratio > 1 ? Verdict::Better : Verdict::Worse};
}

}  // namespace

std::vector<CompareFigure> compareFigures(const Build& a, const Build& b, const Comparison* comparison) {
    std::vector<CompareFigure> figures;
    if (const auto faster = speedup(a, b, comparison)) figures.push_back(latencyFigure(a, b, comparison, *faster));
    if (a.profile && b.profile)
        figures.push_back({QObject::tr("Sum of layers"), formatTime(a.profile->layersSum / 1000),
                           formatTime(b.profile->layersSum / 1000),
                           relativeChange(a.profile->layersSum, b.profile->layersSum), Verdict::None});
    figures.push_back(bytesFigure(QObject::tr("Engine size"), static_cast<double>(a.engineBytes), static_cast<double>(b.engineBytes)));
    if (a.profile && b.profile) {
        const auto memory = [](const Build& build) {
            return static_cast<double>(build.profile->memory.weights + build.profile->memory.activations);
        };
        figures.push_back(bytesFigure(QObject::tr("Memory"), memory(a), memory(b)));
    }
    if (comparison && comparison->accuracy) addAccuracy(figures, *comparison->accuracy);
    return figures;
}

QString shortened(const QString& name) {
    constexpr int kMost = 24;
    return name.size() <= kMost ? name : name.left(kMost - 1).trimmed() + QStringLiteral("…");
}

CompareAnswer speedAnswer(const Build& a, const Build& b, const Comparison* comparison) {
    // The answer comes last, and a data file's long name would push it out of sight.
    const QString nameA = shortened(QString::fromStdString(a.name)), nameB = shortened(QString::fromStdString(b.name));
    const auto faster = speedup(a, b, comparison);
    if (!faster) return {QObject::tr("No times"), QObject::tr("Profile both builds to compare their speed"), Verdict::None, false};
    const bool isInTurn = comparison && comparison->speed;
    const QString detail = isInTurn ? inTurnText(*comparison->speed)
                                    : QObject::tr("%1 against %2, each measured by itself; Compare measures them in turn")
                                          .arg(latencyText(b), latencyText(a));
    const QString doubt = doubtOf(a, b, comparison);
    if (!doubt.isEmpty())
        return {QObject::tr("Speed is doubtful"), detail + QStringLiteral(" · ") + doubt, Verdict::None, true,
                QObject::tr("doubtful")};
    if (!faster->isSignificant)
        return {QObject::tr("%1 and %2 are equally fast").arg(nameB, nameA), detail, Verdict::None, false,
                QObject::tr("equally fast")};
    if (faster->ratio > 1) {
        const QString brief = QObject::tr("%1× as fast").arg(formatNumber(faster->ratio));
        return {QObject::tr("%1 is %2").arg(nameB, brief), detail, Verdict::Better, false, brief};
    }
    const QString brief = QObject::tr("%1× as long").arg(formatNumber(1 / faster->ratio));
    return {QObject::tr("%1 takes %2").arg(nameB, brief), detail, Verdict::Worse, false, brief};
}

CompareAnswer accuracyAnswer(const Comparison* comparison) {
    if (!comparison || !comparison->accuracy) return {QObject::tr("Accuracy unknown"), QObject::tr("Press Compare to run both on the same inputs"), Verdict::None, false};
    const AccuracyReport& report = *comparison->accuracy;
    const AccuracyJudgement judgement = judge(report);
    if (judgement.output < 0) return {QObject::tr("No outputs to compare"), {}, Verdict::None, false};
    const bool holds = judgement.verdict == AccuracyVerdict::Holds, fails = judgement.verdict == AccuracyVerdict::Fails;
    return {accuracyHeadline(report, judgement), accuracyDetail(report, judgement),
            holds   ? Verdict::Better
            : fails ? Verdict::Worse
                    : Verdict::None,
            !holds && !fails};
}

QString compareSubject(const Build& a, const Build& b, const Comparison* comparison) {
    QString text = QObject::tr("%1 against %2").arg(QString::fromStdString(b.name), QString::fromStdString(a.name));
    if (!comparison || !comparison->accuracy) return text;
    const int samples = comparison->accuracy->samples;
    const QString file = QString::fromStdString(comparison->accuracy->inputFile).section('/', -1);
    if (file.isEmpty()) return text + QObject::tr(", on random input");
    return text + (samples == 1 ? QObject::tr(", on 1 run of %1").arg(file) : QObject::tr(", on %1 runs of %2").arg(formatCount(samples), file));
}

}  // namespace strobe
