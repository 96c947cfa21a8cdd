#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace strobe {

/// Shared stop request. Copies refer to the same flag; any thread may cancel, long work polls. A default token never cancels until asked.
/// A request is never taken back, so work may leave its result unfinished when whoever would use it asks the token again.
class CancelToken {
public:
    CancelToken() : m_state(std::make_shared<State>()) {}
    /// One that cancels itself at look number `looks`, 1 or more: how tests stop work midway, the same way each time.
    static CancelToken atLook(int64_t looks) {
        CancelToken token;
        token.m_state->looksLeft = looks;
        return token;
    }
    void cancel() const { m_state->cancelled.store(true, std::memory_order_relaxed); }
    bool isCancelled() const {
        if (m_state->looksLeft.load(std::memory_order_relaxed) > 0 && --m_state->looksLeft == 0) cancel();
        return m_state->cancelled.load(std::memory_order_relaxed);
    }

private:
    struct State {
        std::atomic<bool> cancelled{false};
        std::atomic<int64_t> looksLeft{0};  // 0: looks are not counted
    };
    std::shared_ptr<State> m_state;
};

/// Null: nobody asks.
inline bool isCancelled(const CancelToken* cancel) { return cancel && cancel->isCancelled(); }

/// Bytes to copy, hash or write between two looks at a token: some milliseconds.
inline constexpr size_t kBytesPerPoll = size_t{4} << 20;

/// Calls work(first, last) on ranges of at most `step` that cover [0, count). False when it was stopped before the end.
template <class Work>
bool inSteps(const CancelToken* cancel, size_t count, size_t step, Work&& work) {
    for (size_t first = 0; first < count; first += step) {
        if (isCancelled(cancel)) return false;
        work(first, std::min(count, first + step));
    }
    return true;
}

}  // namespace strobe
