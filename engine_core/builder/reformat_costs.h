#pragma once
#include <map>
#include <string>
#include <vector>

#include "engine_core/builder/layer_timer.h"

namespace strobe {

/// Estimated milliseconds to bring a tensor from one format to another, without a measurement; 0 when they are equal.
double guessedReformatMilliseconds(const Dims& dims, const Format& from, const Format& to);

/// Milliseconds at a size between measured ones: straight lines from (0, 0) through the points, which are in order of size, and on past the last.
double millisecondsAtSize(const std::vector<std::pair<double, double>>& points, double size);

/// What changes of format cost on this machine: each pair of host formats is measured at a few sizes, once, and kept in the timing cache.
/// Guesses where nothing may be measured, and after a failure. Not thread-safe.
class ReformatCosts {
public:
    struct Setup {
        const KernelRegistry* kernels = nullptr;
        LayerTimer* timer = nullptr;  // null: guess
        int threads = 1;
    };
    explicit ReformatCosts(Setup setup) : m_setup(std::move(setup)) {}
    double milliseconds(const Dims& dims, const Format& from, const Format& to);
    /// The first error that concerns the whole build: Cancelled, or NotFound where the timing cache may not be missed. That one tactic
    /// cannot be measured is none.
    const Status& failure() const { return m_failure; }

private:
    const std::vector<std::pair<double, double>>& pointsOf(size_t rank, const Format& from, const Format& to);
    double fastest(const Dims& dims, const Format& from, const Format& to);
    Setup m_setup;
    Status m_failure;
    std::map<std::string, std::vector<std::pair<double, double>>> m_points;  // by the pair of formats: elements, milliseconds
};

}  // namespace strobe
