#pragma once
#include <atomic>
#include <memory>

namespace strobe {

/// Shared stop request. Copies refer to the same flag; any thread may cancel, long work polls. A default token never cancels until asked.
class CancelToken {
public:
    CancelToken() : m_flag(std::make_shared<std::atomic<bool>>(false)) {}
    void cancel() const { m_flag->store(true, std::memory_order_relaxed); }
    bool isCancelled() const { return m_flag->load(std::memory_order_relaxed); }

private:
    std::shared_ptr<std::atomic<bool>> m_flag;
};

}  // namespace strobe
