#include "engine_core/builder/reformat_costs.h"

#include <algorithm>

namespace strobe {

double guessedReformatMilliseconds(const Dims& dims, const Format& from, const Format& to) {
    if (from == to) return 0;
    const double bytes = static_cast<double>(storedBytes(dims, from) + storedBytes(dims, to));
    // A launch and about 20 GB/s through a strided copy on two cores, or a device's own memory at some 400; across the bus a synchronisation comes on top.
    const bool onDevice = from.memory == MemoryKind::Device && to.memory == MemoryKind::Device;
    if (from.memory != to.memory) return 0.02 + bytes / 8e6;
    return 0.004 + bytes / (onDevice ? 4e8 : 2e7);
}

double millisecondsAtSize(const std::vector<std::pair<double, double>>& points, double size) {
    std::pair<double, double> below{0, 0};
    for (size_t i = 0; i < points.size(); ++i) {
        if (size <= points[i].first || i + 1 == points.size())
            return below.second + (points[i].second - below.second) * (size - below.first) / (points[i].first - below.first);
        below = points[i];
    }
    return 0;
}

double ReformatCosts::milliseconds(const Dims& dims, const Format& from, const Format& to) {
    if (from == to) return 0;
    const bool onHost = from.memory == MemoryKind::Host && to.memory == MemoryKind::Host;
    const bool known = std::all_of(dims.begin(), dims.end(), [](int64_t d) { return d > 0; });
    if (!m_setup.timer || !m_failure.isOk() || !onHost || !known || dims.size() < 3) return guessedReformatMilliseconds(dims, from, to);
    const auto& points = pointsOf(dims.size(), from, to);
    if (points.empty()) return guessedReformatMilliseconds(dims, from, to);
    // Measured alone and warm; between layers the tensor comes partly from the other core's cache, and one more layer is run.
    const double elements = static_cast<double>(std::max(storedElementCount(dims, from.layout), storedElementCount(dims, to.layout)));
    return 0.001 + 1.25 * millisecondsAtSize(points, elements);
}

const std::vector<std::pair<double, double>>& ReformatCosts::pointsOf(size_t rank, const Format& from, const Format& to) {
    const auto [found, fresh] = m_points.try_emplace(std::to_string(rank) + from.toString() + to.toString());
    if (!fresh) return found->second;
    // In the first-level cache, in the second-level one, in memory.
    for (const int64_t positions : {64, 4096, 65536}) {
        Dims dims(rank, 1);
        dims[1] = 64;
        dims.back() = positions;
        const double time = fastest(dims, from, to);
        if (time < 0) {
            found->second.clear();
            break;
        }
        found->second.emplace_back(static_cast<double>(elementCount(dims)), time);
    }
    return found->second;
}

/// −1 when none could be measured.
double ReformatCosts::fastest(const Dims& dims, const Format& from, const Format& to) {
    static const Attributes kNoAttributes;
    Problem problem;
    problem.op = OpRegistry::instance().get("Reformat");
    problem.attributes = &kNoAttributes;
    problem.threads = m_setup.threads;
    problem.inputs = {{true, from, dims, nullptr, {}}};
    problem.outputs = {{true, to, dims, nullptr, {}}};
    double best = -1;
    for (const Tactic* tactic : m_setup.kernels->tactics(DeviceKind::Cpu, "Reformat")) {
        if (tactic->isReference() || !tactic->supports(problem).supported) continue;
        const auto time = m_setup.timer->time(*tactic, problem);
        const ErrorCode code = time.status().code();
        if (code == ErrorCode::Cancelled || code == ErrorCode::NotFound) {
            m_failure = time.status();
            return -1;
        }
        if (time && (best < 0 || *time < best)) best = *time;
    }
    return best;
}

}  // namespace strobe
