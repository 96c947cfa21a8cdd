#include <atomic>
#include <cmath>
#include <cstring>
#include <random>

#include "engine_core/ir/weights.h"
#include "kernels/reference/element_access.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

/// A given seed gives the same numbers at every run; without one each run differs.
std::mt19937_64 generatorFor(const Problem& problem) {
    if (problem.attributes->has("seed")) {
        const float seed = problem.attributes->getFloat("seed", 0.0f);
        uint32_t bits = 0;
        std::memcpy(&bits, &seed, sizeof bits);
        return std::mt19937_64(bits);
    }
    static std::atomic<uint64_t> runs{std::random_device()()};
    return std::mt19937_64(runs.fetch_add(0x9e3779b97f4a7c15ull));
}

/// In [0, 1); spelled out, since the standard library's distributions differ between implementations.
double uniform(std::mt19937_64& generator) {
    return static_cast<double>(generator() >> 11) * 0x1.0p-53;
}
/// Box–Muller.
double normal(std::mt19937_64& generator) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(generator)));
    return radius * std::cos(6.283185307179586 * uniform(generator));
}

template <class Draw>
void fill(const Problem& problem, const RunArguments& arguments, Draw draw) {
    const int64_t count = elementCount(*arguments.outputs[0].dims);
    const DataType type = problem.outputs[0].format.type;
    const auto store = [&](auto zero) {
        for (int64_t i = 0; i < count; ++i) {
            pollCancel(8);
            arguments.outputs[0].as<decltype(zero)>()[i] = static_cast<decltype(zero)>(draw(i));
        }
    };
    if (type == DataType::Bool)
        store(uint8_t());
    else
        withNumberType(type, store);
}

Status runNormal(const Problem& problem, const RunArguments& arguments) {
    std::mt19937_64 generator = generatorFor(problem);
    const double mean = problem.attributes->getFloat("mean", 0.0f), scale = problem.attributes->getFloat("scale", 1.0f);
    fill(problem, arguments, [&](int64_t) { return mean + scale * normal(generator); });
    return Status::ok();
}

Status runUniform(const Problem& problem, const RunArguments& arguments) {
    std::mt19937_64 generator = generatorFor(problem);
    const double low = problem.attributes->getFloat("low", 0.0f), high = problem.attributes->getFloat("high", 1.0f);
    fill(problem, arguments, [&](int64_t) { return low + (high - low) * uniform(generator); });
    return Status::ok();
}

std::vector<double> readInput(const Problem& problem, const RunArguments& arguments) {
    const Weights view =
        borrowedWeights(problem.inputs[0].format.type, *arguments.inputs[0].dims, arguments.inputs[0].data);
    return toDoubles(view);
}

Status runBernoulli(const Problem& problem, const RunArguments& arguments) {
    std::mt19937_64 generator = generatorFor(problem);
    const std::vector<double> chance = readInput(problem, arguments);
    fill(problem, arguments, [&](int64_t i) { return uniform(generator) < chance[static_cast<size_t>(i)] ? 1 : 0; });
    return Status::ok();
}

/// Inputs are unnormalised log-probabilities, one row a batch.
Status runMultinomial(const Problem& problem, const RunArguments& arguments) {
    std::mt19937_64 generator = generatorFor(problem);
    const std::vector<double> logits = readInput(problem, arguments);
    const auto classes = static_cast<size_t>((*arguments.inputs[0].dims)[1]),
               samples = static_cast<size_t>((*arguments.outputs[0].dims)[1]);
    if (classes == 0 && samples > 0) return invalidArgument("Multinomial has no class to draw from");
    fill(problem, arguments, [&](int64_t i) {
        pollCancel(8 * static_cast<int64_t>(classes));
        const double* row = logits.data() + static_cast<size_t>(i) / samples * classes;
        double highest = row[0], sum = 0.0;
        for (size_t c = 1; c < classes; ++c) highest = std::max(highest, row[c]);
        for (size_t c = 0; c < classes; ++c) sum += std::exp(row[c] - highest);
        double left = uniform(generator) * sum;
        size_t chosen = 0;
        while (chosen + 1 < classes && (left -= std::exp(row[chosen] - highest)) >= 0.0) ++chosen;
        return static_cast<int64_t>(chosen);
    });
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(random) {
    addReference(registry, {"RandomNormal", runNormal});
    addReference(registry, {"RandomNormalLike", runNormal});
    addReference(registry, {"RandomUniform", runUniform});
    addReference(registry, {"RandomUniformLike", runUniform});
    addReference(registry, {"Bernoulli", runBernoulli});
    addReference(registry, {"Multinomial", runMultinomial});
}

}  // namespace strobe
