#include "views/pages/graph/graph_colouring.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "views/models/display_text.h"
#include "views/widgets/number_format.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr double kGoodDb = 80, kBadDb = 10;  // ends of the divergence ramp
constexpr double kTint = 0.55;               // categories are tinted, so that text on them stays quiet

QString tr(const char* text) {
    return QCoreApplication::translate("GraphColouring", text);
}

struct TimeRange {
    double low = 0, high = 0;  // ms
    bool isCut = false;        // faster layers than `low` look like `low`
    bool isEmpty() const { return high <= 0; }
    /// Logarithmic, since layers span decades; small ranges are not stretched.
    double at(double milliseconds) const {
        if (milliseconds <= low || high <= low) return milliseconds >= high ? 1 : 0;
        return std::clamp(std::log(milliseconds / low) / std::log(high / low), 0.0, 1.0);
    }
};

/// To 1, 2 or 5 times a power of ten.
double roundUp(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0})
        if (value <= step * power * (1 + 1e-9)) return step * power;
    return 10 * power;
}

TimeRange timeRange(const GraphSceneData& data) {
    TimeRange range{HUGE_VAL, 0};
    for (const GraphNodeFacts& facts : data.facts) {
        if (facts.milliseconds <= 0) continue;
        range.low = std::min(range.low, facts.milliseconds);
        range.high = std::max(range.high, facts.milliseconds);
    }
    // Under a hundredth of the slowest layer nobody looks for time; the ramp keeps its colours for the others.
    const double least = roundUp(range.high / 100);
    range.isCut = range.low < least;
    if (range.isCut) range.low = least;
    return range;
}

QString sumChip(const GraphSceneData& data, const std::vector<int>& members) {
    double sum = 0;
    for (const int member : members) sum += std::max(0.0, data.facts[static_cast<size_t>(member)].milliseconds);
    return sum > 0 ? formatTime(sum / 1e3) : QString();
}

/// Of nodes without a value: their family's colour would be read as one.
QColor noValue() {
    return Theme::instance().tint(Theme::instance().colours().secondary, 0.15);
}

QColor divergenceColour(std::optional<double> snrDb) {
    if (!snrDb) return noValue();
    return Theme::instance().difference(std::clamp((kGoodDb - *snrDb) / (kGoodDb - kBadDb), 0.0, 1.0));
}

QColor worstOf(const GraphSceneData& data, const std::vector<int>& members) {
    std::optional<double> worst;
    for (const int member : members) {
        const auto& snr = data.facts[static_cast<size_t>(member)].snrDb;
        if (snr && (!worst || *snr < *worst)) worst = snr;
    }
    return divergenceColour(worst);
}

void colourByFamily(const GraphSceneData& data, GraphColouring& colouring) {
    std::set<NodeFamily> present;
    for (const GraphNode& node : data.scene->nodes)
        if (node.family != NodeFamily::Other) present.insert(node.family);
    colouring.legend.title = tr("Op family");
    for (const NodeFamily family : present) colouring.legend.swatches.push_back({Theme::instance().family(family), nodeFamilyLabel(family)});
}

void colourByTime(const std::shared_ptr<const GraphSceneData>& data, GraphColouring& colouring) {
    const TimeRange range = timeRange(*data);
    if (range.isEmpty()) return;
    for (const GraphNodeFacts& facts : data->facts)
        colouring.fills.push_back(facts.milliseconds < 0 ? noValue() : Theme::instance().magnitude(range.at(facts.milliseconds)));
    colouring.legend.title = data->stage == GraphStage::Parsed ? tr("Time of the layer that holds the node") : tr("Time of the layer");
    for (int i = 0; i < 32; ++i) colouring.legend.ramp.push_back(Theme::instance().magnitude(i / 31.0));
    colouring.legend.rampLow = range.isCut ? tr("≤ %1").arg(formatTime(range.low / 1e3, 1)) : formatTime(range.low / 1e3);
    colouring.legend.rampHigh = formatTime(range.high / 1e3);
    colouring.groupFill = [data, range](const std::vector<int>& members) {
        double most = -1;
        for (const int member : members) most = std::max(most, data->facts[static_cast<size_t>(member)].milliseconds);
        return most < 0 ? noValue() : Theme::instance().magnitude(range.at(most));
    };
}

void colourByPrecision(const GraphSceneData& data, GraphColouring& colouring) {
    std::set<std::pair<QString, bool>> present;
    for (const GraphNodeFacts& facts : data.facts) {
        colouring.fills.push_back(facts.precision.isEmpty() ? noValue() : Theme::instance().tint(Theme::instance().precision(facts.precision), kTint));
        if (!facts.precision.isEmpty()) present.insert({facts.precision, facts.preview});
    }
    colouring.legend.title = tr("Precision");
    for (const auto& [name, preview] : present)
        colouring.legend.swatches.push_back({Theme::instance().tint(Theme::instance().precision(name), kTint), preview ? tr("%1 (preview)").arg(name) : name, preview});
}

void colourByDivergence(const std::shared_ptr<const GraphSceneData>& data, GraphColouring& colouring) {
    for (const GraphNodeFacts& facts : data->facts) colouring.fills.push_back(divergenceColour(facts.snrDb));
    colouring.legend.title = tr("Signal to error against the reference");
    for (int i = 0; i < 32; ++i) colouring.legend.ramp.push_back(divergenceColour(kGoodDb + (kBadDb - kGoodDb) * i / 31.0));
    colouring.legend.rampLow = tr("≥ %1 dB, close").arg(kGoodDb);
    colouring.legend.rampHigh = tr("≤ %1 dB, far").arg(kBadDb);
    colouring.groupFill = [data](const std::vector<int>& members) { return worstOf(*data, members); };
}

}  // namespace

GraphColouring colourGraph(std::shared_ptr<const GraphSceneData> data, GraphColour by) {
    GraphColouring colouring;
    if (!data || !data->scene) return colouring;
    if (data->stage != GraphStage::Parsed)
        colouring.groupChip = [data](const std::vector<int>& members) { return sumChip(*data, members); };
    if (!whyNoColour(*data, by).isEmpty()) return colouring;
    switch (by) {
        case GraphColour::Family:
            colourByFamily(*data, colouring);
            break;
        case GraphColour::Time:
            colourByTime(data, colouring);
            break;
        case GraphColour::Precision:
            colourByPrecision(*data, colouring);
            break;
        case GraphColour::Divergence:
            colourByDivergence(data, colouring);
            break;
    }
    return colouring;
}

QString whyNoColour(const GraphSceneData& data, GraphColour by) {
    const auto any = [&](auto holds) { return std::any_of(data.facts.begin(), data.facts.end(), holds); };
    if (by == GraphColour::Time && !any([](const auto& f) { return f.milliseconds > 0; })) return tr("No times yet: build and profile");
    if (by == GraphColour::Precision && !any([](const auto& f) { return !f.precision.isEmpty(); })) return tr("No precisions yet: build and profile");
    if (by == GraphColour::Divergence && !any([](const auto& f) { return f.snrDb.has_value(); })) {
        const auto build = data.index ? data.index->build() : nullptr;
        return build ? tr("No errors of %1 yet: compare it, as B, with a reference").arg(toQString(build->name))
                     : tr("Nothing compared yet: compare two builds");
    }
    return {};
}

}  // namespace strobe
