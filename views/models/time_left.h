// What a running job says about its time left, made fit to read: estimates jump with every step, a clock does not. Any thread, one at a time.
#pragma once

namespace strobe {

class TimeLeft {
public:
    /// `estimate`: the job's own, in seconds, negative for unknown; `now`: seconds of a steady clock, not falling.
    /// Returns the seconds to show, negative while unknown: they run down with the clock, lean towards the estimates, and rise only when
    /// those are well above what was shown.
    double update(double estimate, double now);

private:
    double m_began = -1, m_last = 0;  // of the clock; negative: no estimate yet
    double m_end = 0, m_shown = 0;    // when the job will have ended; seconds last shown
};

}  // namespace strobe
