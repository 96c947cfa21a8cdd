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

/// What a ramp of colours can show of a node.
struct Measure {
    double GraphNodeFacts::*value;  // negative: unknown
    QString title;
    QString (*write)(double value, int digits);
};

struct ValueRange {
    double low = 0, high = 0;
    bool isCut = false;  // less than `low` looks like `low`
    bool isEmpty() const { return high <= 0; }
    /// Logarithmic, since layers span decades; small ranges are not stretched.
    double at(double value) const {
        if (value <= low || high <= low) return value >= high ? 1 : 0;
        return std::clamp(std::log(value / low) / std::log(high / low), 0.0, 1.0);
    }
};

/// To 1, 2 or 5 times a power of ten.
double roundUp(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0})
        if (value <= step * power * (1 + 1e-9)) return step * power;
    return 10 * power;
}

ValueRange rangeOf(const GraphSceneData& data, double GraphNodeFacts::*value) {
    ValueRange range{HUGE_VAL, 0};
    for (const GraphNodeFacts& facts : data.facts) {
        if (facts.*value <= 0) continue;
        range.low = std::min(range.low, facts.*value);
        range.high = std::max(range.high, facts.*value);
    }
    // Under a hundredth of the most nobody looks for time or memory; the ramp keeps its colours for the others.
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

Measure timeOf(const GraphSceneData& data) {
    // Without a profile there is what the builder measured as it chose.
    const bool isProfiled = !data.index->build() || data.index->build()->profile;
    return {&GraphNodeFacts::milliseconds,
            !isProfiled                        ? tr("Time of the layer's kernel while building")
            : data.stage == GraphStage::Parsed ? tr("Time of the layer that holds the node")
                                               : tr("Time of the layer"),
            [](double milliseconds, int digits) { return formatTime(milliseconds / 1e3, digits); }};
}

Measure memoryOf(const GraphSceneData& data) {
    const bool isAssumed = !data.index->build() && !data.index->model()->assumed.values.empty();
    return {&GraphNodeFacts::bytes,
            isAssumed ? tr("Outputs and weights, at assumed shapes") : tr("Outputs and weights of the layer"),
            [](double bytes, int) { return formatBytes(bytes); }};
}

void colourByMeasure(const std::shared_ptr<const GraphSceneData>& data, const Measure& measure,
                     GraphColouring& colouring) {
    const auto value = measure.value;
    const ValueRange range = rangeOf(*data, value);
    if (range.isEmpty()) return;
    const auto fill = [range](double shown) {
        return shown < 0 ? noValue() : Theme::instance().magnitude(range.at(shown));
    };
    for (const GraphNodeFacts& facts : data->facts) colouring.fills.push_back(fill(facts.*value));
    colouring.legend.title = measure.title;
    for (int i = 0; i < 32; ++i) colouring.legend.ramp.push_back(Theme::instance().magnitude(i / 31.0));
    colouring.legend.rampLow = range.isCut ? tr("≤ %1").arg(measure.write(range.low, 1)) : measure.write(range.low, 3);
    colouring.legend.rampHigh = measure.write(range.high, 3);
    colouring.groupFill = [data, value, fill](const std::vector<int>& members) {
        double most = -1;
        for (const int member : members) most = std::max(most, data->facts[static_cast<size_t>(member)].*value);
        return fill(most);
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
            colourByMeasure(data, timeOf(*data), colouring);
            break;
        case GraphColour::Memory:
            colourByMeasure(data, memoryOf(*data), colouring);
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
    if (by == GraphColour::Memory && !any([](const auto& f) { return f.bytes > 0; }))
        return tr("No sizes known: give the inputs shapes in Settings");
    if (by == GraphColour::Divergence && !any([](const auto& f) { return f.snrDb.has_value(); })) {
        const auto build = data.index ? data.index->build() : nullptr;
        return build ? tr("No errors of %1 yet: compare it, as B, with a reference").arg(toQString(build->name))
                     : tr("Nothing compared yet: compare two builds");
    }
    return {};
}

}  // namespace strobe
