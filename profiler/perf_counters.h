#pragma once
#include <memory>
#include <string>

#include "profiler/profile.h"

namespace strobe {

/// Hardware counters of the thread that makes this, not of those it shares work with, through perf_event_open(2).
/// Absent on many virtual machines: then whyNot() says so and read() is empty.
class PerfCounters {
public:
    PerfCounters();
    ~PerfCounters();
    PerfCounters(const PerfCounters&) = delete;
    PerfCounters& operator=(const PerfCounters&) = delete;
    bool available() const { return m_group >= 0; }
    const std::string& whyNot() const { return m_whyNot; }
    /// Counts since construction.
    CounterValues read() const;

private:
    int m_group = -1;
    int m_members[2] = {-1, -1};
    std::string m_whyNot;
};

}  // namespace strobe
