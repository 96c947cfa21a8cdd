#pragma once
#include <algorithm>
#include <limits>
#include <string_view>

namespace strobe {

/// How long to measure one candidate.
struct TimingEffort {
    int minRuns, maxRuns;
    double budgetMs;
};

/// Times of one candidate. The least counts: other work on the machine only ever adds, a slice of the scheduler at a time.
class TimingSamples {
public:
    explicit TimingSamples(const TimingEffort& effort) : m_effort(effort) {}

    void add(double milliseconds) {
        ++m_count;
        m_spent += milliseconds;
        m_second = std::min(m_second, std::max(milliseconds, m_least));
        m_least = std::min(m_least, milliseconds);
    }
    bool isEnough() const {
        // Hopeless candidates (the reference kernel on a large layer) are not run again and again.
        if (m_count >= 1 && m_least > 20 * m_effort.budgetMs) return true;
        if (m_count < m_effort.minRuns) return false;
        const bool full = m_count >= m_effort.maxRuns || m_count * m_least >= m_effort.budgetMs;
        // Two that agree were not disturbed; a few times the budget is spent to find them.
        const bool agree = m_second <= 1.1 * m_least || m_effort.minRuns == m_effort.maxRuns;
        return full && (agree || m_spent > 6 * m_effort.budgetMs);
    }
    double least() const { return m_least; }

private:
    TimingEffort m_effort;
    int m_count = 0;
    double m_spent = 0, m_least = std::numeric_limits<double>::max(), m_second = std::numeric_limits<double>::max();
};

/// Tasks that run or wait for a core, by the text of /proc/loadavg ("0.5 0.4 0.3 2/133 8964"); 0 when it says nothing.
int runnableTasks(std::string_view loadAverage);
/// Whether more tasks want a core than the machine has, this program's threads included. False where nobody can tell.
bool isMachineBusy();

}  // namespace strobe
