#include "views/models/time_left.h"

#include <algorithm>
#include <cmath>

namespace strobe {
namespace {

constexpr double kQuiet = 0.5;                        // s: the first estimates are guesses
constexpr double kSlowest = 4;                        // s in which the end moves most of the way to an estimate, once there were many
constexpr double kMostRise = 1.25, kMostRiseBy = 1.0;  // of what was shown, and s: less is not worth a change of mind

}  // namespace

double TimeLeft::update(double estimate, double now) {
    if (estimate < 0 || !std::isfinite(estimate)) {
        m_began = -1;
        return -1;
    }
    const bool isFirst = m_began < 0;
    if (isFirst) m_began = m_last = now;
    const double age = now - m_began;
    const double lean = isFirst ? 1 : 1 - std::exp(-(now - m_last) / std::clamp(age / 2, 0.1, kSlowest));
    m_end = isFirst ? now + estimate : m_end + lean * (now + estimate - m_end);
    m_last = now;
    const double left = std::max(0.0, m_end - now);
    if (age < kQuiet) {
        m_shown = left;
        return -1;
    }
    if (left < m_shown || left > m_shown * kMostRise + kMostRiseBy) m_shown = left;
    return m_shown;
}

}  // namespace strobe
