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

/// Every run's outputs, one run after the other.
Status forEachRun(const Engine& engine, const std::vector<NamedTensors>& runs, const CancelToken& cancel,
                  const std::function<void(size_t, RunOutputs)>& take) {
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
        take(r, std::move(outputs));
    }
    return Status::ok();
}

/// The FP32 outputs that others are held against.
class Reference {
public:
    Status record(const Engine& engine, std::vector<NamedTensors> runs, const CancelToken& cancel) {
        m_runs = std::move(runs);
        m_outputs.resize(m_runs.size());
        STROBE_RETURN_IF_ERROR(forEachRun(engine, m_runs, cancel,
                                          [&](size_t r, RunOutputs outputs) { m_outputs[r] = std::move(outputs); }));
        for (size_t o = 0; o < engine.outputs().size(); ++o) m_ranges.push_back(rangeOf(o));
        return Status::ok();
    }

    Result<OutputError> errorOf(const Engine& engine, const CancelToken& cancel) const {
        std::vector<Sums> sums(m_ranges.size());
        STROBE_RETURN_IF_ERROR(forEachRun(engine, m_runs, cancel, [&](size_t r, const RunOutputs& outputs) {
            for (size_t o = 0; o < sums.size(); ++o) sums[o].add(m_outputs[r][o], outputs[o]);
        }));
        OutputError error;
        for (size_t o = 0; o < sums.size(); ++o) {
            error.largest = std::max(error.largest, sums[o].largest / m_ranges[o]);
            error.rms = std::max(error.rms, std::sqrt(sums[o].squares / std::max(1.0, sums[o].count)) / m_ranges[o]);
        }
        return error;
    }
    int runs() const { return static_cast<int>(m_runs.size()); }

private:
    struct Sums {
        double largest = 0, squares = 0, count = 0;
        void add(const Output& expected, const Output& got) {
            if (expected.dims != got.dims) {
                largest = squares = kInfinity;
                return;
            }
            for (size_t i = 0; i < got.values.size(); ++i) {
                const double e = static_cast<double>(expected.values[i]), g = static_cast<double>(got.values[i]);
                if (e == g || (std::isnan(e) && std::isnan(g))) continue;
                const double off = std::isfinite(e) && std::isfinite(g) ? std::fabs(e - g) : kInfinity;
                largest = std::max(largest, off);
                squares += off * off;
            }
            count += static_cast<double>(got.values.size());
        }
    };

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

bool isLowered(const EngineLayer& layer) {
    const auto isLower = [](const Format& format) {
        return format.type == DataType::BFloat16 || format.type == DataType::Float16;
    };
    return layer.roundOutputs != DataType::Undefined ||
           std::any_of(layer.inputs.begin(), layer.inputs.end(), isLower) ||
           std::any_of(layer.outputs.begin(), layer.outputs.end(), isLower);
}

class PrecisionSearch {
public:
    PrecisionSearch(double limit, const Builder& builder, const Builder::Request& request)
        : m_limit(limit), m_builder(builder), m_request(request) {}

    Result<PrecisionSearchResult> run(const RunLoader& load) {
        STROBE_RETURN_IF_ERROR(search(load));
        BuildReport& report = m_result.build.report;
        report.totalSeconds = secondsSpent();
        report.timedCandidates = m_timed;
        report.cachedCandidates = m_cached;
        return std::move(m_result);
    }

private:
    Status search(const RunLoader& load) {
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
        if (m_result.before.largest <= m_limit) return Status::ok();
        collectLayers(*exact.engine);
        if (m_result.layers.empty()) return Status::ok();
        STROBE_RETURN_IF_ERROR(measureLayers());
        return keepFewest();
    }

    /// In the mode's engine, the layers that it lowered and no rule of the user's speaks of.
    void collectLayers(const Engine& exact) {
        const Engine& lower = *m_result.build.engine;
        const auto exactTimes = timesOf(exact);
        for (const EngineLayer& chosen : lower.graph().layers) {
            const Network& network = lower.graph().network;
            const Layer& layer = network.layer(chosen.layer);
            const Network& fused = *m_result.build.report.fused;
            if (!isLowered(chosen) || fused.findLayer(layer.name) == kNone) continue;  // a reformat has no say
            const auto& rules = m_request.config.precisionRules;
            if (std::any_of(rules.begin(), rules.end(),
                            [&](const PrecisionRule& rule) { return matchesRule(rule.pattern, layer, network); }))
                continue;
            LayerSensitivity found;
            found.layer = layer.name;
            const auto exactTime = exactTimes.find(layer.name);
            if (exactTime != exactTimes.end() && exactTime->second > 0 && chosen.buildMilliseconds > 0)
                found.savedMs = std::max(0.0, exactTime->second - chosen.buildMilliseconds);
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
            const double at = 0.3 + 0.5 * static_cast<double>(l) / static_cast<double>(count);
            STROBE_ASSIGN(m_result.layers[l].error, trial(what, configWith(isOther, 0), at));
        }
        for (size_t l = 0; l < count; ++l) m_order.push_back(l);
        std::stable_sort(m_order.begin(), m_order.end(),
                         [&](size_t a, size_t b) { return worth(m_result.layers[a]) > worth(m_result.layers[b]); });
        return Status::ok();
    }

    /// Error (squares add up) that keeping the layer in FP32 saves, by time lost. Where that is nothing, a fraction of
    /// a small layer's.
    static double worth(const LayerSensitivity& layer) {
        constexpr double kLeastMs = 5e-4;
        return layer.error.rms * layer.error.rms / std::max(layer.savedMs, kLeastMs);
    }

    /// The shortest beginning of the order that keeps the limit. What an untimed build promises the real one may miss,
    /// as it takes other kernels: then more is asked.
    Status keepFewest() {
        double asked = m_limit;
        size_t least = 1;
        while (true) {
            STROBE_ASSIGN(size_t kept, fewestWithin(asked, least));
            const BuilderConfig config =
                configWith([&](size_t layer) { return isAmongFirst(layer, kept); }, m_request.config.optimizationLevel);
            STROBE_ASSIGN(m_result.build,
                          build(std::to_string(kept) + " of " + std::to_string(m_order.size()) + " layers in FP32",
                                config, 0.9, 0.99));
            STROBE_ASSIGN(m_result.after, m_reference.errorOf(*m_result.build.engine, m_request.cancel));
            for (size_t l = 0; l < m_result.layers.size(); ++l) m_result.layers[l].staysFp32 = isAmongFirst(l, kept);
            if (m_result.after.largest <= m_limit || kept == m_order.size()) return Status::ok();
            asked *= 0.8;
            least = kept + 1;
        }
    }

    Result<size_t> fewestWithin(double limit, size_t least) {
        size_t low = least, high = m_order.size();  // `high` is taken as good: nothing better can be had
        while (low < high) {
            const size_t middle = (low + high) / 2;
            STROBE_ASSIGN(const OutputError error, errorKeeping(middle));
            if (error.largest <= limit)
                high = middle;
            else
                low = middle + 1;
        }
        return high;
    }

    Result<OutputError> errorKeeping(size_t kept) {
        if (const auto known = m_tried.find(kept); known != m_tried.end()) return known->second;
        const BuilderConfig config = configWith([&](size_t layer) { return isAmongFirst(layer, kept); }, 0);
        STROBE_ASSIGN(
            const OutputError error,
            trial("Trying " + std::to_string(kept) + " of " + std::to_string(m_order.size()) + " layers in FP32",
                  config, 0.8 + 0.01 * std::min<double>(9, static_cast<double>(m_tried.size()))));
        m_tried[kept] = error;
        return error;
    }

    bool isAmongFirst(size_t layer, size_t kept) const {
        return std::find(m_order.begin(), m_order.begin() + static_cast<std::ptrdiff_t>(kept), layer) !=
               m_order.begin() + static_cast<std::ptrdiff_t>(kept);
    }

    BuilderConfig configWith(const std::function<bool(size_t)>& staysFp32, int level) const {
        BuilderConfig config = m_request.config;
        config.optimizationLevel = level;
        for (size_t l = 0; l < m_result.layers.size(); ++l)
            if (staysFp32(l))
                config.precisionRules.push_back(
                    {m_result.layers[l].layer, DataType::Float32, reasonFor(m_result.layers[l])});
        return config;
    }

    std::string reasonFor(const LayerSensitivity& layer) const {
        char text[160];
        std::snprintf(text, sizeof text,
                      "stays fp32 to keep the accuracy limit of %.3g %%: lowered alone, it moves an output by %.2g %% "
                      "of its range",
                      m_limit * 100, layer.error.largest * 100);
        return text;
    }

    Result<OutputError> trial(const std::string& what, const BuilderConfig& config, double at) {
        STROBE_ASSIGN(const BuildResult built, build(what, config, at, at));
        return m_reference.errorOf(*built.engine, m_request.cancel);
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
        m_cached += result.report.cachedCandidates;
        return result;
    }

    void report(const std::string& step, double fraction) {
        if (!m_request.progress) return;
        m_request.progress({step, fraction, fraction > 0.3 ? secondsSpent() / fraction * (1 - fraction) : -1});
    }

    double secondsSpent() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    }

    double m_limit;
    const Builder& m_builder;
    const Builder::Request& m_request;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    Reference m_reference;
    PrecisionSearchResult m_result;
    std::vector<size_t> m_order;            // of m_result.layers: the one to keep first
    int m_timed = 0, m_cached = 0;          // candidates of all builds
    std::map<size_t, OutputError> m_tried;  // by how many of m_order stay
};

}  // namespace

Result<PrecisionSearchResult> buildWithin(double limit, const Builder& builder, const Builder::Request& request,
                                          const RunLoader& load) {
    return PrecisionSearch(limit, builder, request).run(load);
}

}  // namespace strobe
