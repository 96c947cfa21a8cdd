#pragma once
#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace strobe {

/// The one thread pool of all CPU kernels is the OpenMP runtime that oneDNN uses too.

/// Sets how many threads parallel work started from this thread may use, until it leaves scope. Kernel::run opens one
/// with Problem::threads.
class ThreadScope {
public:
    explicit ThreadScope(int threads);
    ~ThreadScope();
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

private:
    int m_previous;
};

/// Call first in main. GCC's OpenMP runtime lets idle threads spin for milliseconds, so that on a machine with other work every layer
/// waits for a thread that has lost its core: ResNet-50 then took 520 ms instead of 61. The runtime reads its settings before main, hence
/// the program starts itself anew, once, with a short spin, unless GOMP_SPINCOUNT or OMP_WAIT_POLICY is set already.
void restartWithShortSpin(char** argv);
/// Turns of the runtime's waiting loop that take about 80 µs on this CPU.
int64_t shortSpinCount();

/// Threads that parallelFor may use now; 1 inside parallel work.
int parallelThreads();
/// Number of the calling thread inside parallel work, 0 … parallelThreads()−1; 0 outside.
int parallelThreadIndex();

namespace detail {
using RangeFunction = void (*)(void* context, int64_t begin, int64_t end);
void parallelRanges(int64_t begin, int64_t end, int64_t grain, RangeFunction function, void* context);
}  // namespace detail

/// Calls fn(first, last) on disjoint ranges that cover [begin, end), one range a thread, none smaller than `grain`
/// except the last. Runs in the calling thread when one range suffices. What fn throws
/// is thrown here once every range has ended.
template <class Fn>
void parallelFor(int64_t begin, int64_t end, int64_t grain, Fn&& fn) {
    using Function = std::remove_reference_t<Fn>;
    if (end <= begin) return;
    if (end - begin <= std::max<int64_t>(grain, 1)) {
        fn(begin, end);
        return;
    }
    detail::parallelRanges(
        begin, end, grain,
        [](void* context, int64_t first, int64_t last) { (*static_cast<Function*>(context))(first, last); },
        const_cast<void*>(static_cast<const void*>(&fn)));
}

}  // namespace strobe
