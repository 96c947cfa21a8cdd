#include "profiler/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine_core/runtime/engine_shared.h"
#include "profiler/accuracy_verdict.h"

namespace strobe {
namespace {

constexpr int kFirstDecade = -8, kDecades = 12;  // histogram: < 1e-8, ten decades, ≥ 1e2

/// The same number to whoever reads it: all NaN are one, and so are infinities of one sign.
bool isSameNonFinite(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || (std::isinf(a) && a == b);
}

/// Masks of attention hold the lowest FP32 for −∞, which rounds to −∞ in BF16: where values end, both are as far.
double withEndsInfinite(float value) {
    constexpr float kRoundsToInfinity = 0x1.FFp127f;  // halfway between the greatest BF16 and 2^128
    if (std::fabs(value) < kRoundsToInfinity || !std::isfinite(value)) return static_cast<double>(value);
    return std::copysign(std::numeric_limits<double>::infinity(), static_cast<double>(value));
}

/// Running sums behind a TensorDifference, so that many samples add up.
struct Sums {
    TensorDifference difference;
    double errorSquares = 0, referenceSquares = 0, candidateSquares = 0, product = 0, absolute = 0;
    int64_t rows = 0, top1 = 0, top5 = 0;

    Sums() {
        difference.histogram.assign(kDecades, 0);
        difference.referenceMin = std::numeric_limits<double>::infinity();
        difference.referenceMax = -std::numeric_limits<double>::infinity();
    }

    void add(std::span<const float> reference, std::span<const float> candidate) {
        for (size_t i = 0; i < reference.size(); ++i) {
            const double r = withEndsInfinite(reference[i]), c = withEndsInfinite(candidate[i]);
            if (std::isfinite(r)) {
                difference.referenceMin = std::min(difference.referenceMin, r);
                difference.referenceMax = std::max(difference.referenceMax, r);
            }
            if (!std::isfinite(r) || !std::isfinite(c)) {
                if (!isSameNonFinite(r, c)) ++difference.nonFinite;
                continue;
            }
            const double error = std::fabs(r - c);
            difference.maxAbs = std::max(difference.maxAbs, error);
            errorSquares += error * error;
            referenceSquares += r * r;
            candidateSquares += c * c;
            product += r * c;
            absolute += error;
            const int decade = error <= 0 ? 0 : std::clamp(static_cast<int>(std::floor(std::log10(error))) - kFirstDecade + 1, 0, kDecades - 1);
            ++difference.histogram[static_cast<size_t>(decade)];
        }
        difference.count += static_cast<int64_t>(reference.size());
    }

    /// Agreement of the best class, and of the reference's best with the candidate's best five.
    void addScores(std::span<const float> reference, std::span<const float> candidate, int64_t columns) {
        const auto width = static_cast<size_t>(columns);
        for (size_t row = 0; row + width <= reference.size(); row += width) {
            const auto r = reference.subspan(row, width), c = candidate.subspan(row, width);
            const auto best = static_cast<size_t>(std::max_element(r.begin(), r.end()) - r.begin());
            const auto better = std::count_if(c.begin(), c.end(), [&](float value) { return value > c[best]; });
            const bool isComparable = std::isnan(r[best]) == std::isnan(c[best]);  // no score is less than NaN
            ++rows;
            top1 += isComparable && better < 1 ? 1 : 0;
            top5 += isComparable && better < 5 ? 1 : 0;
        }
    }

    TensorDifference finish() {
        const auto n = static_cast<double>(std::max<int64_t>(1, difference.count));
        if (difference.referenceMin > difference.referenceMax) difference.referenceMin = difference.referenceMax = 0;
        const double magnitude = std::max(std::fabs(difference.referenceMin), std::fabs(difference.referenceMax));
        difference.maxRel = magnitude > 0 ? difference.maxAbs / magnitude : difference.maxAbs > 0 ? 1 : 0;
        difference.meanAbs = absolute / n;
        difference.rms = std::sqrt(errorSquares / n);
        const double norms = std::sqrt(referenceSquares * candidateSquares);
        difference.cosine = norms > 0 ? product / norms : errorSquares > 0 ? 0 : 1;
        difference.snrDb = decibels();
        if (rows > 0) {
            difference.top1Agreement = static_cast<double>(top1) / static_cast<double>(rows);
            difference.top5Agreement = static_cast<double>(top5) / static_cast<double>(rows);
        }
        return difference;
    }

    double decibels() const {
        if (difference.nonFinite > 0) return kNonFiniteDb;
        if (errorSquares <= 0) return kEqualDb;
        return std::clamp(10 * std::log10(std::max(referenceSquares, 1e-300) / errorSquares), kNonFiniteDb, kEqualDb);
    }
};

/// NaN and infinities first, then the largest difference.
bool isWorse(const SampleDifference& a, const SampleDifference& b) {
    return a.nonFinite != b.nonFinite ? a.nonFinite > b.nonFinite : a.maxAbs > b.maxAbs;
}

struct Captured {
    std::vector<float> values;
    Dims dims;
    int layer = 0;
};

/// Keeps every named floating-point tensor of the outermost graph as it passes.
class TensorCapture final : public StepObserver {
public:
    explicit TensorCapture(Device* device) : m_device(device) {}
    void stepStarted(const StepView&) override {}
    void stepFinished(const StepView& step) override {
        if (step.depth > 0) return;
        const EngineLayer& chosen = step.graph->layers[static_cast<size_t>(step.index)];
        if (isReformat(*step.graph, chosen)) return;
        const Layer& layer = step.graph->network.layer(chosen.layer);
        for (size_t o = 0; o < layer.outputs.size(); ++o) {
            if (layer.outputs[o] == kNone || !step.outputs[o].data || !isFloatingPoint(chosen.outputs[o].type)) continue;
            const void* data = fetch(step, o, chosen.outputs[o]);
            if (data) tensors[step.graph->network.tensor(layer.outputs[o]).name] = {readAsFloats(data, *step.outputs[o].dims, chosen.outputs[o]), *step.outputs[o].dims, step.index};
        }
    }
    std::map<std::string, Captured> tensors;
    Status failure;  // the first

private:
    /// The elements on the host; null on failure.
    const void* fetch(const StepView& step, size_t output, const Format& format) {
        if (format.memory == MemoryKind::Host) return step.outputs[output].data;
        m_bytes.resize(storedBytes(*step.outputs[output].dims, format));
        Status status = m_device->copyToHost(m_bytes.data(), step.outputs[output].data, m_bytes.size(), step.stream);
        if (status.isOk()) status = step.stream->synchronize();
        if (status.isOk()) return m_bytes.data();
        if (failure.isOk()) failure = std::move(status);
        return nullptr;
    }
    Device* m_device;
    std::vector<uint8_t> m_bytes;
};

struct Runner {
    const Engine& engine;
    std::unique_ptr<ExecutionContext> context;
    TensorCapture capture;
    std::vector<Captured> outputs;

    Status run(const NamedTensors& inputs, bool layers, const CancelToken& cancel) {
        STROBE_RETURN_IF_ERROR(setInputs(*context, inputs));
        capture.tensors.clear();
        STROBE_RETURN_IF_ERROR(context->run(layers ? &capture : nullptr, cancel));
        STROBE_RETURN_IF_ERROR(capture.failure.withContext("reading a layer's result"));
        outputs.clear();
        for (size_t o = 0; o < engine.outputs().size(); ++o) {
            STROBE_ASSIGN(const Dims dims, context->outputDims(static_cast<int>(o)));
            const Format plain{context->outputType(static_cast<int>(o)), Layout::Plain, MemoryKind::Host};
            outputs.push_back({readAsFloats(context->outputData(static_cast<int>(o)), dims, plain), dims, 0});
        }
        return Status::ok();
    }
};

int64_t countCorrect(const Captured& scores, std::span<const int64_t> labels) {
    const auto columns = static_cast<size_t>(scores.dims.back());
    int64_t correct = 0;
    for (size_t row = 0; row < labels.size() && (row + 1) * columns <= scores.values.size(); ++row) {
        const auto first = scores.values.begin() + static_cast<std::ptrdiff_t>(row * columns);
        const auto best = std::max_element(first, first + static_cast<std::ptrdiff_t>(columns));
        correct += best - first == labels[row] && !std::isnan(*best) ? 1 : 0;
    }
    return correct;
}

TensorCapture captureOf(const Engine& engine) { return TensorCapture(engine.shared().device.get()); }

class Comparator {
public:
    Comparator(const Engine& reference, const Engine& candidate, const AccuracyOptions& options)
        : m_options(options), m_reference{reference, nullptr, captureOf(reference), {}}, m_candidate{candidate, nullptr, captureOf(candidate), {}} {}

    Status open() {
        STROBE_ASSIGN(m_reference.context, m_reference.engine.createContext());
        STROBE_ASSIGN(m_candidate.context, m_candidate.engine.createContext());
        for (const BindingInfo& output : m_reference.engine.outputs()) {
            const int partner = m_candidate.context->outputIndex(output.name);
            if (partner == kNone)
                return invalidArgument("output '" + output.name +
                                       "' is in one engine only; compare builds of one model");
            m_partners.push_back(static_cast<size_t>(partner));
        }
        m_outputs.resize(m_partners.size());
        return Status::ok();
    }

    Status add(const NamedTensors& sample, const CancelToken& cancel) {
        const bool readsLayers = m_options.layers && m_samples < m_options.layerSamples;
        STROBE_RETURN_IF_ERROR(m_reference.run(sample, readsLayers, cancel));
        STROBE_RETURN_IF_ERROR(m_candidate.run(sample, readsLayers, cancel));
        SampleDifference worst{m_samples, 0, "", 0};
        for (size_t o = 0; o < m_outputs.size(); ++o) {
            const Captured &r = m_reference.outputs[o], &c = m_candidate.outputs[m_partners[o]];
            if (r.dims != c.dims) return invalidArgument("output '" + m_reference.engine.outputs()[o].name + "' has shape " + toString(r.dims) + " and " + toString(c.dims));
            Sums own;
            own.add(r.values, c.values);
            const TensorDifference d = own.finish();
            const SampleDifference differs{m_samples, d.maxAbs, m_reference.engine.outputs()[o].name, d.nonFinite};
            if (o == 0 || isWorse(differs, worst)) worst = differs;
            m_outputs[o].add(r.values, c.values);
            if (r.dims.size() == 2 && r.dims[1] >= 2) m_outputs[o].addScores(r.values, c.values, r.dims[1]);
        }
        m_worst.push_back(worst);
        countLabels();
        for (auto& [name, candidate] : m_candidate.capture.tensors) {
            if (cancel.isCancelled()) return cancelled();  // all tensors of a large network take half a second
            const auto reference = m_reference.capture.tensors.find(name);
            if (reference == m_reference.capture.tensors.end() || reference->second.dims != candidate.dims) continue;
            Pair& pair = m_layers[name];
            pair.layerReference = reference->second.layer;
            pair.layerCandidate = candidate.layer;
            pair.sums.add(reference->second.values, candidate.values);
        }
        ++m_samples;
        return Status::ok();
    }

    AccuracyReport finish() {
        AccuracyReport report;
        report.samples = m_samples;
        report.coarsest = coarsestType(m_reference.engine, m_candidate.engine);
        for (size_t o = 0; o < m_outputs.size(); ++o) {
            report.outputs.push_back(m_outputs[o].finish());
            report.outputs.back().tensor = m_reference.engine.outputs()[o].name;
        }
        std::vector<std::pair<int, LayerDifference>> layers;
        for (auto& [name, pair] : m_layers) {
            const CompiledGraph &r = m_reference.engine.graph(), &c = m_candidate.engine.graph();
            const Layer& candidate = c.network.layer(c.layers[static_cast<size_t>(pair.layerCandidate)].layer);
            LayerDifference layer{candidate.provenance, r.network.layer(r.layers[static_cast<size_t>(pair.layerReference)].layer).name, candidate.name, pair.sums.finish()};
            layer.difference.tensor = name;
            layers.emplace_back(pair.layerCandidate, std::move(layer));
        }
        std::stable_sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& entry : layers) report.layers.push_back(std::move(entry.second));
        std::stable_sort(m_worst.begin(), m_worst.end(), isWorse);
        if (m_worst.size() > 16) m_worst.resize(16);
        report.worst = std::move(m_worst);
        if (m_labelled > 0) {
            report.labelAccuracyReference = static_cast<double>(m_correctReference) / static_cast<double>(m_labelled);
            report.labelAccuracyCandidate = static_cast<double>(m_correctCandidate) / static_cast<double>(m_labelled);
        }
        return report;
    }

private:
    struct Pair {
        int layerReference = 0, layerCandidate = 0;
        Sums sums;
    };

    /// Labels follow the rows of the first output, sample after sample.
    void countLabels() {
        if (m_reference.outputs.empty()) return;
        const Captured& scores = m_reference.outputs[0];
        if (scores.dims.size() != 2 || m_labelled >= static_cast<int64_t>(m_options.labels.size())) return;
        const auto rows = static_cast<size_t>(std::min<int64_t>(scores.dims[0], static_cast<int64_t>(m_options.labels.size()) - m_labelled));
        const std::span<const int64_t> labels(m_options.labels.data() + m_labelled, rows);
        m_correctReference += countCorrect(scores, labels);
        m_correctCandidate += countCorrect(m_candidate.outputs[m_partners[0]], labels);
        m_labelled += static_cast<int64_t>(rows);
    }

    const AccuracyOptions& m_options;
    Runner m_reference, m_candidate;
    std::vector<Sums> m_outputs;
    std::vector<size_t> m_partners;  // the candidate's output of the same name, by the reference's
    std::map<std::string, Pair> m_layers;
    std::vector<SampleDifference> m_worst;
    int m_samples = 0;
    int64_t m_labelled = 0, m_correctReference = 0, m_correctCandidate = 0;
};

}  // namespace

TensorDifference compareTensors(std::string name, std::span<const float> reference, std::span<const float> candidate, const Dims& dims) {
    Sums sums;
    sums.add(reference, candidate);
    if (dims.size() == 2 && dims[1] >= 2) sums.addScores(reference, candidate, dims[1]);
    TensorDifference difference = sums.finish();
    difference.tensor = std::move(name);
    return difference;
}

Result<AccuracyReport> compareAccuracy(const Engine& reference, const Engine& candidate, const std::vector<NamedTensors>& samples, const AccuracyOptions& options,
                                       const std::function<void(double)>& progress, const CancelToken& cancel) {
    Comparator comparator(reference, candidate, options);
    STROBE_RETURN_IF_ERROR(comparator.open());
    for (size_t s = 0; s < samples.size(); ++s) {
        STROBE_RETURN_IF_ERROR(comparator.add(samples[s], cancel));
        if (progress) progress(static_cast<double>(s + 1) / static_cast<double>(samples.size()));
    }
    return comparator.finish();
}

}  // namespace strobe
