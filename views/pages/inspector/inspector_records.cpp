#include "views/pages/inspector/inspector_records.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("Inspector", text);
}

bool shareNodes(const std::vector<int>& a, const std::vector<int>& b) {
    return std::any_of(a.begin(), a.end(), [&](int node) { return std::find(b.begin(), b.end(), node) != b.end(); });
}

/// The one engine layer that a layer stands for; null when there are several or none.
const EngineLayer* onlyEngineLayer(const BuildIndex& index, const LayerRef& ref, LayerRef* found) {
    const auto refs = index.counterparts(ref, GraphStage::Engine);
    if (refs.size() != 1) return nullptr;
    *found = refs.front();
    return index.engineLayer(refs.front());
}

/// Per second, with a slash at which a narrow Inspector does not break the line.
QString rateText(double value, const QString& unit) {
    return formatScaled(value, unit + QStringLiteral("\u2060/\u2060s"));
}

void addProfile(KeyValueSection& section, const LayerProfile& layer) {
    const Statistics& time = layer.milliseconds;
    section.rows.push_back({tr("median"), formatTimeSpread(time.median / 1e3, time.medianError / 1e3), {}, false, tr("median of %1 runs and the 95 % confidence of that median").arg(time.count)});
    section.rows.push_back({tr("spread"), tr("%1, p99 %2").arg(std::isfinite(time.spread()) ? formatPercent(time.spread()) : tr("unknown"), formatTime(time.p99 / 1e3)), {}, false, tr("Interquartile range of single runs, scaled to a σ that outliers do not move; one run in a hundred is slower than p99")});
    section.rows.push_back({tr("share"), formatPercent(layer.share), {}, false, {}});
    const double seconds = time.median / 1e3;
    if (layer.flops > 0 && seconds > 0) section.rows.push_back({tr("work"), tr("%1 at %2").arg(formatScaled(layer.flops, "FLOP"), rateText(layer.flops / seconds, "FLOP")), {}, false, {}});
    if (layer.bytes > 0 && seconds > 0) section.rows.push_back({tr("traffic"), tr("%1 at %2").arg(formatBytes(layer.bytes), rateText(layer.bytes / seconds, "B")), {}, false, {}});
}

QString formatsText(const std::vector<Format>& formats) {
    QStringList all;
    for (const Format& format : formats) all += toQString(format.toString());
    all.removeDuplicates();
    return all.join(QStringLiteral(", "));
}

}  // namespace

KeyValueSection timeSection(const BuildIndex& index, const LayerRef& ref) {
    KeyValueSection section{tr("Time"), {}};
    LayerRef engineRef;
    const EngineLayer* layer = onlyEngineLayer(index, ref, &engineRef);
    if (!layer) return section;
    if (const size_t nodes = index.nodesOf(engineRef).size(); ref.stage == GraphStage::Parsed && nodes > 1)
        section.rows.push_back({{},
                                nodes == 2 ? tr("of the layer that holds this node and another")
                                           : tr("of the layer that holds this node and %1 others").arg(nodes - 1),
                                {},
                                false,
                                {}});
    const int profiled = index.profileIndex(engineRef.index);
    if (profiled != kNone)
        addProfile(section, index.build()->profile->layers[static_cast<size_t>(profiled)]);
    else if (layer->buildMilliseconds >= 0)
        section.rows.push_back({tr("while building"), formatTime(layer->buildMilliseconds / 1e3), {}, false, {}});
    section.rows.push_back({tr("tactic"), toQString(layer->tactic), {}, true, {}});
    section.rows.push_back({tr("formats"), QStringLiteral("%1 → %2").arg(formatsText(layer->inputs), formatsText(layer->outputs)), {}, true, {}});
    if (layer->roundOutputs != DataType::Undefined)
        section.rows.push_back({tr("preview"), tr("outputs are rounded to %1: accuracy is right, speed is not").arg(precisionLabel(layer->roundOutputs)), {}, false, {}});
    if (!layer->precisionNote.empty()) section.rows.push_back({tr("precision"), toQString(layer->precisionNote), {}, false, {}});
    return section;
}

KeyValueSection candidateSection(const BuildIndex& index, const LayerRef& ref) {
    KeyValueSection section{tr("Tactics weighed"), {}};
    LayerRef engineRef;
    const EngineLayer* layer = onlyEngineLayer(index, ref, &engineRef);
    if (!layer) return section;
    std::vector<CandidateRecord> records;
    for (const CandidateRecord& record : layer->candidates) {
        // A tactic that declines every format for one reason says it once.
        const bool known = !record.declined.empty() && std::any_of(records.begin(), records.end(), [&](const CandidateRecord& other) {
                               return other.tactic == record.tactic && other.declined == record.declined;
                           });
        if (!known) records.push_back(record);
    }
    // Fastest first, then those without a time, then those that declined.
    std::stable_sort(records.begin(), records.end(), [](const CandidateRecord& a, const CandidateRecord& b) {
        const auto rank = [](const CandidateRecord& r) { return r.chosen ? 0 : r.milliseconds >= 0 ? 1 : r.declined.empty() ? 2 : 3; };
        return rank(a) != rank(b) ? rank(a) < rank(b) : a.milliseconds < b.milliseconds;
    });
    const bool isBeaten = !records.empty() && records.front().chosen && std::any_of(records.begin(), records.end(), [&](const CandidateRecord& other) {
        return other.milliseconds >= 0 && other.milliseconds < records.front().milliseconds;
    });
    if (isBeaten) section.rows.push_back({{}, tr("The first is best for the whole graph, conversions between layouts counted"), {}, false, {}});
    for (const CandidateRecord& record : records) {
        const QString key = record.milliseconds >= 0 ? formatTime(record.milliseconds / 1e3) : QStringLiteral("–");
        QString text = (record.chosen ? QStringLiteral("● ") : QString()) + toQString(record.tactic);
        if (!record.formats.empty() && record.declined.empty()) text += QStringLiteral("\n") + toQString(record.formats);
        if (!record.declined.empty()) text += QStringLiteral("\n") + toQString(record.declined);
        section.rows.push_back({key, text, {}, true, {}});
    }
    return section;
}

KeyValueSection fusionSection(const BuildIndex& index, const Layer& layer) {
    KeyValueSection section{tr("Passes"), {}};
    if (!index.build()) return section;
    for (const RewriteRecord& record : index.build()->report.passes.rewrites) {
        if (record.result != layer.name && !shareNodes(record.provenance, layer.provenance)) continue;
        QString text = toQString(record.description);
        if (record.savedBytes > 0) text += tr(" · saves %1 of traffic").arg(formatBytes(record.savedBytes));
        QStringList replaced;
        for (const std::string& name : record.replaced) replaced += toQString(name);
        section.rows.push_back({{}, QStringLiteral("%1: %2").arg(toQString(record.pass), text), {}, false, replaced.isEmpty() ? QString() : tr("replaced: %1").arg(replaced.join(QStringLiteral(", ")))});
    }
    return section;
}

KeyValueSection nearMissSection(const BuildIndex& index, const Layer& layer) {
    KeyValueSection section{tr("Why not fused further"), {}};
    if (!index.build()) return section;
    for (const NearMiss& miss : index.build()->report.passes.nearMisses)
        if (miss.layer == layer.name || shareNodes(miss.provenance, layer.provenance)) section.rows.push_back({{}, QStringLiteral("%1: %2").arg(toQString(miss.pass), toQString(miss.reason)), {}, false, {}});
    return section;
}

}  // namespace strobe
