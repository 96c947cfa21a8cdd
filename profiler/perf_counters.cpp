#include "profiler/perf_counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace strobe {
namespace {

int openCounter(uint64_t event, int group) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = event;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    attributes.read_format = PERF_FORMAT_GROUP;
    return static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, group, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

PerfCounters::PerfCounters() {
    m_group = openCounter(PERF_COUNT_HW_CPU_CYCLES, -1);
    if (m_group < 0) {
        m_whyNot = errno == EACCES || errno == EPERM ? "not allowed: set /proc/sys/kernel/perf_event_paranoid to 2 or less"
                                                     : std::string("this machine has no hardware counters: ") + std::strerror(errno);
        return;
    }
    m_members[0] = openCounter(PERF_COUNT_HW_INSTRUCTIONS, m_group);
    m_members[1] = openCounter(PERF_COUNT_HW_CACHE_MISSES, m_group);
}

PerfCounters::~PerfCounters() {
    for (int member : m_members)
        if (member >= 0) ::close(member);
    if (m_group >= 0) ::close(m_group);
}

CounterValues PerfCounters::read() const {
    uint64_t buffer[1 + 3] = {};
    if (m_group < 0 || ::read(m_group, buffer, sizeof buffer) <= 0) return {};
    CounterValues values;
    size_t next = 1;
    values.cycles = static_cast<double>(buffer[next++]);
    if (m_members[0] >= 0) values.instructions = static_cast<double>(buffer[next++]);
    if (m_members[1] >= 0) values.cacheMisses = static_cast<double>(buffer[next]);
    return values;
}

}  // namespace strobe
