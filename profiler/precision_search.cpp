#include "profiler/precision_search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>

#include "engine_core/builder/precision_policy.h"
#include "engine_core/runtime/execution_context.h"

namespace strobe {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Output {
    std::vector<float> values;
    Dims dims;
};
using RunOutputs = std::vector<Output>;  // by the engine's outputs, which every build of a model has in the same order

/// Every run's outputs, one run after the other, until `take` says that no more are needed.
Status forEachRun(const Engine& engine, const std::vector<NamedTensors>& runs, const CancelToken& cancel,
                  const std::function<bool(size_t, RunOutputs)>& take) {
    STROBE_ASSIGN(const std::unique_ptr<ExecutionContext> context, engine.createContext());
    for (size_t r = 0; r < runs.size(); ++r) {
        STROBE_RETURN_IF_ERROR(setInputs(*context, runs[r]));
        STROBE_RETURN_IF_ERROR(context->run(nullptr, cancel));
        RunOutputs outputs;
        for (int o = 0; o < static_cast<int>(engine.outputs().size()); ++o) {
            STROBE_ASSIGN(Dims dims, context->outputDims(o));
            const Format plain{context->outputType(o), Layout::Plain, MemoryKind::Host};
            outputs.push_back({readAsFloats(context->outputData(o), dims, plain), dims});
        }
        if (!take(r, std::move(outputs))) break;
    }
    return Status::ok();
}

/// The FP32 outputs that others are held against.
class Reference {
public:
    Status record(const Engine& engine, std::vector<NamedTensors> runs, const CancelToken& cancel) {
        m_runs = std::move(runs);
        m_outputs.resize(m_runs.size());
        STROBE_RETURN_IF_ERROR(forEachRun(engine, m_runs, cancel, [&](size_t r, RunOutputs outputs) {
            m_outputs[r] = std::move(outputs);
            return true;
        }));
        for (size_t o = 0; o < engine.outputs().size(); ++o) m_ranges.push_back(rangeOf(o));
        return Status::ok();
    }

    /// Runs that cannot change whether the largest error is more than `enough` are left out.
    Result<double> errorOf(const Engine& engine, const CancelToken& cancel, double enough = kInfinity) const {
        std::vector<double> largest(m_ranges.size());
        STROBE_RETURN_IF_ERROR(forEachRun(engine, m_runs, cancel, [&](size_t r, const RunOutputs& outputs) {
            bool goesOn = true;
            for (size_t o = 0; o < largest.size(); ++o) {
                largest[o] = std::max(largest[o], largestDifference(m_outputs[r][o], outputs[o]) / m_ranges[o]);
                goesOn = goesOn && largest[o] <= enough;
            }
            return goesOn;
        }));
        return largest.empty() ? 0 : *std::max_element(largest.begin(), largest.end());
    }
    int runs() const { return static_cast<int>(m_runs.size()); }

private:
    static double largestDifference(const Output& expected, const Output& got) {
        if (expected.dims != got.dims) return kInfinity;
        double largest = 0;
        for (size_t i = 0; i < got.values.size(); ++i) {
            const double e = static_cast<double>(expected.values[i]), g = static_cast<double>(got.values[i]);
            if (e == g || (std::isnan(e) && std::isnan(g))) continue;
            largest = std::max(largest, std::isfinite(e) && std::isfinite(g) ? std::fabs(e - g) : kInfinity);
        }
        return largest;
    }

    /// Of the finite values; the magnitude where they are all the same.
    double rangeOf(size_t output) const {
        double low = kInfinity, high = -kInfinity;
        for (const RunOutputs& outputs : m_outputs)
            for (const float value : outputs[output].values)
                if (std::isfinite(value))
                    low = std::min(low, static_cast<double>(value)), high = std::max(high, static_cast<double>(value));
        if (!(low <= high)) return 1;
        const double magnitude = std::max(std::fabs(low), std::fabs(high));
        return std::max(high - low > 1e-6 * magnitude ? high - low : magnitude, 1e-30);
    }

    std::vector<NamedTensors> m_runs;
    std::vector<RunOutputs> m_outputs;
    std::vector<double> m_ranges;
};

std::map<std::string, double> timesOf(const Engine& engine) {
    std::map<std::string, double> times;
    for (const EngineLayer& layer : engine.graph().layers)
        times[engine.graph().network.layer(layer.layer).name] = layer.buildMilliseconds;
    return times;
}

/// All layers together.
double timedMilliseconds(const Engine& engine) {
    double sum = 0;
    for (const EngineLayer& layer : engine.graph().layers) sum += std::max(0.0, layer.buildMilliseconds);
    return sum;
}

double savedBy(const std::string& layer, const std::map<std::string, double>& exact,
               const std::map<std::string, double>& lower) {
    const auto before = exact.find(layer), after = lower.find(layer);
    if (before == exact.end() || after == lower.end() || before->second <= 0 || after->second <= 0) return 0;
    return std::max(0.0, before->second - after->second);
}

/// Names of the layers that read or write a lower precision.
std::set<std::string> loweredIn(const Engine& engine) {
    const auto isLower = [](const Format& format) {
        return format.type == DataType::BFloat16 || format.type == DataType::Float16;
    };
    std::set<std::string> names;
    for (const EngineLayer& layer : engine.graph().layers)
        if (std::any_of(layer.inputs.begin(), layer.inputs.end(), isLower) ||
            std::any_of(layer.outputs.begin(), layer.outputs.end(), isLower))
            names.insert(engine.graph().network.layer(layer.layer).name);
    return names;
}

class PrecisionSearch {
public:
    PrecisionSearch(double limit, const Builder& builder, const Builder::Request& request)
        : m_limit(limit), m_builder(builder), m_request(request) {
        if (!m_request.timingCache) m_request.timingCache = &m_timings;  // every trial asks for the same times
    }

    Result<PrecisionSearchResult> run(const RunLoader& load) {
        STROBE_RETURN_IF_ERROR(search(load));
        report("Built", 1);
        BuildReport& report = m_result.build.report;
        report.totalSeconds = secondsSpent();
        report.timedCandidates = m_timed;
        report.cachedCandidates = m_cached;
        return std::move(m_result);
    }

private:
    Status search(const RunLoader& load) {
        report("Fusing", 0);
        STROBE_ASSIGN(BuildReport fused, m_builder.fuse(m_request));
        m_request.fused = std::make_shared<const BuildReport>(std::move(fused));
        BuilderConfig fp32 = m_request.config;
        fp32.precision = PrecisionMode::Fp32;
        fp32.precisionRules.clear();
        STROBE_ASSIGN(const BuildResult exact, build("FP32 to compare with", fp32, 0, 0.15));
        STROBE_ASSIGN(std::vector<NamedTensors> runs, load(*exact.engine));
        STROBE_RETURN_IF_ERROR(m_reference.record(*exact.engine, std::move(runs), m_request.cancel));
        STROBE_ASSIGN(m_result.build,
                      build(std::string(precisionModeName(m_request.config.precision)), m_request.config, 0.15, 0.3));
        STROBE_ASSIGN(m_result.before, m_reference.errorOf(*m_result.build.engine, m_request.cancel));
        m_result.after = m_result.before;
        m_result.runs = m_reference.runs();
        if (m_result.before <= m_limit) return Status::ok();
        collectLayers(*exact.engine);
        if (m_result.layers.empty()) return Status::ok();
        STROBE_RETURN_IF_ERROR(keepEveryLayer("Every layer in FP32"));
        if (m_result.after > m_limit) return Status::ok();
        m_floor = m_result.after;
        m_fastestMs = timedMilliseconds(*m_result.build.engine);
        STROBE_RETURN_IF_ERROR(measureLayers());
        return lowerMost();
    }

    /// But those that the request's own rules lower, and those in bodies.
    Status keepEveryLayer(const std::string& what) {
        for (LayerSensitivity& layer : m_result.layers) layer.staysFp32 = true;
        STROBE_ASSIGN(m_result.build, build(what, configWith([](size_t) { return true; }), m_told, m_told));
        STROBE_ASSIGN(m_result.after, m_reference.errorOf(*m_result.build.engine, m_request.cancel));
        return Status::ok();
    }

    /// Of the layers that the mode may lower and no rule speaks of, those that it did.
    void collectLayers(const Engine& exact) {
        const Engine& lower = *m_result.build.engine;
        const Network& fused = *m_result.build.report.fused;
        const auto exactTimes = timesOf(exact), times = timesOf(lower);
        const std::set<std::string> lowered = loweredIn(lower);
        const auto& rules = m_request.config.precisionRules;
        std::vector<BuildNote> unread;
        const auto decided = decidePrecision(fused, m_request.config, lower.parts().device, unread);
        for (LayerId id : fused.topologicalOrder()) {
            const Layer& layer = fused.layer(id);
            const LayerPrecision& precision = decided[static_cast<size_t>(id)];
            const auto speaksOfIt = [&](const PrecisionRule& rule) { return appliesTo(rule, layer, fused); };
            if ((precision.lower == DataType::Undefined && precision.preview == DataType::Undefined) ||
                std::any_of(rules.begin(), rules.end(), speaksOfIt))
                continue;
            if (precision.preview == DataType::Undefined && lowered.count(layer.name) == 0) {
                m_leftInFp32.push_back(layer.name);
                continue;
            }
            m_lowerType = precision.lower;
            m_isPreview = m_isPreview || precision.preview != DataType::Undefined;
            LayerSensitivity found;
            found.layer = layer.name;
            found.savedMs = savedBy(layer.name, exactTimes, times);
            m_result.layers.push_back(std::move(found));
        }
    }

    /// Each layer's share of the error: it alone is lowered.
    Status measureLayers() {
        const size_t count = m_result.layers.size();
        for (size_t l = 0; l < count; ++l) {
            const auto isOther = [&](size_t other) { return other != l; };
            const std::string what = "Lowering " + m_result.layers[l].layer + " alone (" + std::to_string(l + 1) +
                                     " of " + std::to_string(count) + ")";
            const double at = 0.3 + 0.4 * static_cast<double>(l) / static_cast<double>(count);
            STROBE_ASSIGN(const BuildResult built, build(what, pinnedConfig(isOther), at, at));
            STROBE_ASSIGN(m_result.layers[l].error, m_reference.errorOf(*built.engine, m_request.cancel));
        }
        m_isMeasured = true;
        for (size_t l = 0; l < count; ++l) m_order.push_back(l);
        std::stable_sort(m_order.begin(), m_order.end(),
                         [&](size_t a, size_t b) { return price(m_result.layers[a]) < price(m_result.layers[b]); });
        // What saves nothing by itself may still save a reformat between two that do.
        const auto saves = [&](size_t layer) { return m_isPreview || m_result.layers[layer].savedMs > 0; };
        m_savers = static_cast<size_t>(std::stable_partition(m_order.begin(), m_order.end(), saves) - m_order.begin());
        return Status::ok();
    }

    /// Error (squares add up) that lowering the layer costs by time that it saves. Where that is nothing, a fraction of
    /// a small layer's.
    static double price(const LayerSensitivity& layer) {
        constexpr double kLeastMs = 5e-4;
        return layer.error * layer.error / std::max(layer.savedMs, kLeastMs);
    }

    /// Lowers what the limit bears, the cheapest first.
    Status lowerMost() {
        m_lowered.assign(m_order.size(), false);
        if (m_savers > 0) STROBE_RETURN_IF_ERROR(tryLowering(0, m_savers));
        if (m_savers < m_order.size()) STROBE_RETURN_IF_ERROR(tryLowering(m_savers, m_order.size()));
        if (std::count(m_lowered.begin(), m_lowered.end(), true) == 0) return keepEveryLayer("No layer lowered");
        for (size_t l = 0; l < m_result.layers.size(); ++l) m_result.layers[l].staysFp32 = !m_lowered[l];
        // The same once more, as only now it is known why each layer stays.
        STROBE_ASSIGN(BuildResult told,
                      build("Giving reasons", configWith([&](size_t l) { return !m_lowered[l]; }), m_told, m_told));
        STROBE_ASSIGN(const double error, m_reference.errorOf(*told.engine, m_request.cancel));
        if (error > m_limit) return Status::ok();
        m_result.build = std::move(told);
        m_result.after = error;
        return Status::ok();
    }

    /// Lowers m_order[from, to) beside what is lowered already, as a whole or, where that is inaccurate or slower, by
    /// halves. Each step is judged by a run.
    Status tryLowering(size_t from, size_t to) {
        for (size_t i = from; i < to; ++i) m_lowered[m_order[i]] = true;
        if (isPromising()) {
            const std::string what =
                "Lowering " + std::to_string(to - from) + " of " + std::to_string(m_order.size()) + " layers together";
            const double at = 0.7 + 0.27 * static_cast<double>(from) / static_cast<double>(m_order.size());
            STROBE_ASSIGN(BuildResult built,
                          build(what, configWith([&](size_t layer) { return !m_lowered[layer]; }), at, at));
            STROBE_ASSIGN(const double error, m_reference.errorOf(*built.engine, m_request.cancel, m_limit));
            const bool isTaken = error <= m_limit && isFaster(*built.engine);
            if (to - from == 1) m_result.layers[m_order[from]].savesNothing = error <= m_limit && !isTaken;
            if (isTaken) {
                m_result.build = std::move(built);
                m_result.after = error;
                return Status::ok();
            }
        }
        for (size_t i = from; i < to; ++i) m_lowered[m_order[i]] = false;
        if (to - from == 1) return Status::ok();
        const size_t middle = (from + to) / 2;
        STROBE_RETURN_IF_ERROR(tryLowering(from, middle));
        return tryLowering(middle, to);
    }

    /// Whether what is lowered may keep the limit: errors that do not know of each other add up as squares, and each
    /// was measured with what no choice of layers takes away. A set that does better than that on these runs does so by
    /// luck, which other data would not have.
    bool isPromising() const {
        double squares = m_floor * m_floor;
        for (size_t l = 0; l < m_lowered.size(); ++l) {
            const double error = m_result.layers[l].error;
            if (m_lowered[l]) squares += std::max(0.0, error * error - m_floor * m_floor);
        }
        return std::sqrt(squares) <= m_limit;
    }

    /// Reformats between FP32 and the lower precision may cost more than a layer saves. A preview is never faster, and
    /// levels 0 and 1 time no reformats.
    bool isFaster(const Engine& engine) {
        const double milliseconds = timedMilliseconds(engine);
        if (!m_isPreview && m_request.config.optimizationLevel > 1 && milliseconds >= m_fastestMs) return false;
        m_fastestMs = milliseconds;
        return true;
    }

    /// The found rules stand before the user's, which win.
    BuilderConfig configWith(const std::function<bool(size_t)>& staysFp32) const {
        BuilderConfig config = m_request.config;
        std::vector<PrecisionRule> found;
        for (size_t l = 0; l < m_result.layers.size(); ++l)
            if (staysFp32(l))
                found.push_back({m_result.layers[l].layer, DataType::Float32, reasonFor(m_result.layers[l])});
        config.precisionRules.insert(config.precisionRules.begin(), found.begin(), found.end());
        return config;
    }

    /// Leaves no choice where the mode has one: it would find FP32 cheaper for a layer that is lowered alone, and tell
    /// no error.
    BuilderConfig pinnedConfig(const std::function<bool(size_t)>& staysFp32) const {
        BuilderConfig config = configWith(staysFp32);
        if (m_isPreview) return config;
        std::vector<PrecisionRule> pins;
        for (size_t l = 0; l < m_result.layers.size(); ++l)
            if (!staysFp32(l)) pins.push_back({m_result.layers[l].layer, m_lowerType, "lowered in a trial"});
        for (const std::string& layer : m_leftInFp32) pins.push_back({layer, DataType::Float32, "left in FP32"});
        config.precisionRules.insert(config.precisionRules.begin(), pins.begin(), pins.end());
        return config;
    }

    std::string reasonFor(const LayerSensitivity& layer) const {
        const std::string limit = "the accuracy limit of " + shareText(m_limit);
        if (!m_isMeasured) return "stays fp32 for " + limit + ", which the others break";
        const std::string cost = std::isfinite(layer.error)
                                     ? "costs " + shareText(layer.error) + " of an output's range"
                                     : "breaks an output";
        if (layer.savesNothing) return "stays fp32: lowering it makes nothing faster (alone it " + cost + ")";
        char saved[40] = "";
        if (layer.savedMs > 0 && !m_isPreview) std::snprintf(saved, sizeof saved, " and saves %.2g ms", layer.savedMs);
        return "stays fp32: lowered alone it " + cost + saved + "; with the others that is more than " + limit;
    }

    /// Tells progress between `from` and `to`: of the steps inside only where that is a range.
    Result<BuildResult> build(const std::string& what, const BuilderConfig& config, double from, double to) {
        if (m_request.cancel.isCancelled()) return cancelled();
        Builder::Request request = m_request;
        request.config = config;
        report(what, from);
        request.progress = nullptr;
        if (to > from)
            request.progress = [&](const BuildProgress& step) {
                report(what + ": " + step.step, from + (to - from) * step.fraction);
            };
        STROBE_ASSIGN(BuildResult result, m_builder.build(request));
        m_timed += result.report.timedCandidates;
        if (to > from) m_cached += result.report.cachedCandidates;  // trials ask for the same times again and again
        return result;
    }

    void report(const std::string& step, double fraction) {
        if (!m_request.progress) return;
        fraction = m_told = std::max(m_told, fraction);  // each body of a layer begins anew
        m_request.progress({step, fraction, fraction > 0.3 ? secondsSpent() / fraction * (1 - fraction) : -1});
    }

    double secondsSpent() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    }

    double m_limit;
    const Builder& m_builder;
    Builder::Request m_request;
    TimingCache m_timings;
    double m_fastestMs = 0;  // of the layers of what was taken so far
    double m_floor = 0;      // error with every layer in FP32 that may be
    bool m_isMeasured = false;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    Reference m_reference;
    PrecisionSearchResult m_result;
    std::vector<std::string> m_leftInFp32;  // by a mode that may lower them
    DataType m_lowerType = DataType::Undefined;
    bool m_isPreview = false;
    std::vector<size_t> m_order;    // of m_result.layers: the one to lower first
    size_t m_savers = 0;            // so many of them first
    std::vector<bool> m_lowered;    // by m_result.layers
    int m_timed = 0, m_cached = 0;  // candidates of all builds
    double m_told = 0;              // progress
};

}  // namespace

std::string shareText(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g %%", share * 100);
    return text;
}

Result<PrecisionSearchResult> buildWithin(double limit, const Builder& builder, const Builder::Request& request,
                                          const RunLoader& load) {
    return PrecisionSearch(limit, builder, request).run(load);
}

}  // namespace strobe
