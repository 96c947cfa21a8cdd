#include <cmath>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct Moments {
    double mean = 0.0, variance = 0.0;
};

/// Mean and population variance of `count` elements from `first` on.
Moments moments(const std::vector<double>& x, size_t first, size_t count) {
    Moments m;
    for (size_t i = first; i < first + count; ++i) m.mean += x[i] / static_cast<double>(count);
    for (size_t i = first; i < first + count; ++i)
        m.variance += (x[i] - m.mean) * (x[i] - m.mean) / static_cast<double>(count);
    return m;
}

double epsilonOf(const Problem& problem) {
    return static_cast<double>(problem.attributes->getFloat("epsilon", 1e-5f));
}

/// Mean and variance of every channel over batch and space.
std::vector<Moments> channelMoments(const std::vector<double>& x, const AxisSplit& split) {
    std::vector<Moments> channels(static_cast<size_t>(split.extent));
    const double count = static_cast<double>(split.outer * split.inner);
    const auto channelOf = [&](size_t i) {
        return static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.extent);
    };
    for (size_t i = 0; i < x.size(); ++i) channels[channelOf(i)].mean += x[i] / count;
    for (size_t i = 0; i < x.size(); ++i) {
        Moments& m = channels[channelOf(i)];
        m.variance += (x[i] - m.mean) * (x[i] - m.mean) / count;
    }
    return channels;
}

Status runBatchNormalization(const Problem& problem, const RunArguments& arguments) {
    const AxisSplit split(inputDims(arguments, 0), 1);
    std::vector<double> x = readNumbers(problem, arguments, 0);
    const std::vector<double> scale = readNumbers(problem, arguments, 1), bias = readNumbers(problem, arguments, 2);
    std::vector<double> mean = readNumbers(problem, arguments, 3), variance = readNumbers(problem, arguments, 4);
    if (problem.attributes->getBool("training_mode", false)) {
        const double momentum = static_cast<double>(problem.attributes->getFloat("momentum", 0.9f));
        const std::vector<Moments> batch = channelMoments(x, split);
        std::vector<double> runningMean(mean.size()), runningVariance(mean.size());
        for (size_t c = 0; c < mean.size(); ++c) {
            runningMean[c] = mean[c] * momentum + batch[c].mean * (1.0 - momentum);
            runningVariance[c] = variance[c] * momentum + batch[c].variance * (1.0 - momentum);
            mean[c] = batch[c].mean;
            variance[c] = batch[c].variance;
        }
        writeNumbers(problem, arguments, 1, runningMean);
        writeNumbers(problem, arguments, 2, runningVariance);
    }
    for (size_t i = 0; i < x.size(); ++i) {
        const auto c = static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.extent);
        x[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + epsilonOf(problem)) * scale[c] + bias[c];
    }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

/// Groups of channels of one sample are brought to mean 0 and variance 1, then scaled by channel.
Status normalizeGroups(const Problem& problem, const RunArguments& arguments, int64_t groups) {
    const Dims& dims = inputDims(arguments, 0);
    const AxisSplit split(dims, 1);
    std::vector<double> x = readNumbers(problem, arguments, 0);
    const std::vector<double> scale = readNumbers(problem, arguments, 1), bias = readNumbers(problem, arguments, 2);
    if (x.empty()) return Status::ok();
    const auto size = static_cast<size_t>(split.extent / groups * split.inner);
    for (size_t first = 0; first < x.size(); first += size) {
        const Moments m = moments(x, first, size);
        for (size_t i = first; i < first + size; ++i) {
            const auto c = static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.extent);
            x[i] = (x[i] - m.mean) / std::sqrt(m.variance + epsilonOf(problem)) * scale[c] + bias[c];
        }
    }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

Status runInstanceNormalization(const Problem& problem, const RunArguments& arguments) {
    return normalizeGroups(problem, arguments, inputDims(arguments, 0)[1]);
}
Status runGroupNormalization(const Problem& problem, const RunArguments& arguments) {
    return normalizeGroups(problem, arguments, problem.attributes->getInt("num_groups", 1));
}

/// x·scale + bias with both broadcast to x.
void scaleAndShift(const Problem& problem, const RunArguments& arguments, std::vector<double>& x) {
    const Dims& dims = inputDims(arguments, 0);
    const std::vector<double> scale = readNumbers(problem, arguments, 1), bias = readNumbers(problem, arguments, 2);
    const std::vector<int64_t> scaleStrides = broadcastStrides(inputDims(arguments, 1), dims);
    const std::vector<int64_t> biasStrides = broadcastStrides(bias.empty() ? Dims() : inputDims(arguments, 2), dims);
    Dims index(dims.size(), 0);
    for (double& value : x) {
        value *= scale[static_cast<size_t>(offsetOf(index, scaleStrides))];
        if (!bias.empty()) value += bias[static_cast<size_t>(offsetOf(index, biasStrides))];
        advance(index, dims);
    }
}

template <bool Centered>
Status runLayerNormalization(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = inputDims(arguments, 0);
    std::vector<double> x = readNumbers(problem, arguments, 0);
    if (x.empty()) return Status::ok();
    size_t size = 1;
    for (auto i = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", -1), dims)); i < dims.size(); ++i)
        size *= static_cast<size_t>(dims[i]);
    std::vector<double> means, inverses;
    for (size_t first = 0; first < x.size(); first += size) {
        Moments m = moments(x, first, size);
        if (!Centered) {
            m.variance += m.mean * m.mean;  // the mean of squares
            m.mean = 0.0;
        }
        means.push_back(m.mean);
        inverses.push_back(1.0 / std::sqrt(m.variance + epsilonOf(problem)));
        for (size_t i = first; i < first + size; ++i) x[i] = (x[i] - m.mean) * inverses.back();
    }
    writeNumbers(problem, arguments, 1, means);
    writeNumbers(problem, arguments, 2, inverses);
    scaleAndShift(problem, arguments, x);
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

Status runLrn(const Problem& problem, const RunArguments& arguments) {
    const AxisSplit split(inputDims(arguments, 0), 1);
    const int64_t size = problem.attributes->getInt("size", 1);
    const double alpha = static_cast<double>(problem.attributes->getFloat("alpha", 1e-4f)),
                 beta = static_cast<double>(problem.attributes->getFloat("beta", 0.75f));
    const double bias = static_cast<double>(problem.attributes->getFloat("bias", 1.0f));
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<double> y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const int64_t c = static_cast<int64_t>(i) / split.inner % split.extent;
        double squares = 0.0;
        for (int64_t other = std::max<int64_t>(0, c - (size - 1) / 2);
             other <= std::min(split.extent - 1, c + size / 2); ++other) {
            const double value = x[static_cast<size_t>(static_cast<int64_t>(i) + (other - c) * split.inner)];
            squares += value * value;
        }
        y[i] = x[i] / std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
    }
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

Status runLpNormalization(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = inputDims(arguments, 0);
    const AxisSplit split(dims, wrapAxis(problem.attributes->getInt("axis", -1), dims));
    const int64_t p = problem.attributes->getInt("p", 2);
    std::vector<double> x = readNumbers(problem, arguments, 0),
                        norms(static_cast<size_t>(split.outer * split.inner), 0.0);
    const auto lineOf = [&](size_t i) {
        const auto at = static_cast<int64_t>(i);
        return static_cast<size_t>(at / (split.extent * split.inner) * split.inner + at % split.inner);
    };
    for (size_t i = 0; i < x.size(); ++i) norms[lineOf(i)] += p == 1 ? std::abs(x[i]) : x[i] * x[i];
    for (size_t i = 0; i < x.size(); ++i) {
        const double norm = p == 1 ? norms[lineOf(i)] : std::sqrt(norms[lineOf(i)]);
        x[i] = norm == 0.0 ? 0.0 : x[i] / norm;
    }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

Status runMeanVarianceNormalization(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = inputDims(arguments, 0);
    Dims kept = dims;
    for (int64_t axis : problem.attributes->getInts("axes", {0, 2, 3}))
        kept[static_cast<size_t>(wrapAxis(axis, dims))] = 1;
    const std::vector<int64_t> strides = broadcastStrides(kept, dims);
    std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<Moments> stats(static_cast<size_t>(elementCount(kept)));
    if (x.empty()) return Status::ok();
    const double share = static_cast<double>(stats.size()) / static_cast<double>(x.size());
    const auto forEach = [&](auto use) {
        Dims index(dims.size(), 0);
        for (double& value : x) {
            use(value, stats[static_cast<size_t>(offsetOf(index, strides))]);
            advance(index, dims);
        }
    };
    forEach([&](double value, Moments& m) { m.mean += value * share; });
    forEach([&](double value, Moments& m) { m.variance += (value - m.mean) * (value - m.mean) * share; });
    constexpr double kEpsilon = 1e-9;  // ONNX's function body
    forEach([&](double& value, const Moments& m) { value = (value - m.mean) / (std::sqrt(m.variance) + kEpsilon); });
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(normalization) {
    addReference(registry, {"BatchNormalization", runBatchNormalization, onlyFloats});
    addReference(registry, {"InstanceNormalization", runInstanceNormalization, onlyFloats});
    addReference(registry, {"GroupNormalization", runGroupNormalization, onlyFloats});
    addReference(registry, {"LayerNormalization", runLayerNormalization<true>, onlyFloats});
    addReference(registry, {"RMSNormalization", runLayerNormalization<false>, onlyFloats});
    addReference(registry, {"LRN", runLrn, onlyFloats});
    addReference(registry, {"LpNormalization", runLpNormalization, onlyFloats});
    addReference(registry, {"MeanVarianceNormalization", runMeanVarianceNormalization, onlyFloats});
}

}  // namespace strobe
