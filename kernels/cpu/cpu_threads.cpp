#include "kernels/cpu/cpu_threads.h"

#include <hwy/cache_control.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

// GCC's OpenMP runtime by its C entries instead of pragmas: clang's pragmas would start a second runtime, with a second
// pool beside oneDNN's.
extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags);
void omp_set_num_threads(int threads);
int omp_get_max_threads();
int omp_get_num_threads();
int omp_get_thread_num();
int omp_in_parallel();
}

namespace strobe {

ThreadScope::ThreadScope(int threads) : m_previous(omp_get_max_threads()) {
    if (threads > 0 && threads != m_previous) omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
    if (omp_get_max_threads() != m_previous) omp_set_num_threads(m_previous);
}

int64_t shortSpinCount() {
    // A sleeping thread takes some 50 µs to wake, so small models were half wake-ups at 10 µs; a layer on one thread is shorter than this.
    constexpr double kMicroseconds = 80.0;
    constexpr int kPauses = 1000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kPauses; ++i) hwy::Pause();  // what the runtime does in each turn: 10 to 50 ns, depending on the CPU
    const double each = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / kPauses;
    return std::clamp<int64_t>(static_cast<int64_t>(kMicroseconds / std::max(each, 1e-3)), 500, 20000);
}

void restartWithShortSpin(char** argv) {
    if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
    if (setenv("GOMP_SPINCOUNT", std::to_string(shortSpinCount()).c_str(), 1) == 0) execv("/proc/self/exe", argv);
    // Without /proc the program goes on as it is.
}

int parallelThreads() {
    return omp_in_parallel() ? 1 : omp_get_max_threads();
}
int parallelThreadIndex() {
    return omp_in_parallel() ? omp_get_thread_num() : 0;
}

namespace detail {
namespace {

struct Team {
    int64_t begin, end;
    RangeFunction function;
    void* context;
    std::exception_ptr error = {};  // the first: an exception must not leave a thread of the pool
    std::once_flag failed = {};
};

void runShare(void* data) {
    Team& team = *static_cast<Team*>(data);
    const int64_t threads = omp_get_num_threads(), index = omp_get_thread_num();
    const int64_t count = team.end - team.begin, each = count / threads, rest = count % threads;
    const int64_t first = team.begin + index * each + std::min(index, rest);
    const int64_t last = first + each + (index < rest ? 1 : 0);
    if (first >= last) return;
    try {
        team.function(team.context, first, last);
    } catch (...) {
        std::call_once(team.failed, [&] { team.error = std::current_exception(); });
    }
}

}  // namespace

void parallelRanges(int64_t begin, int64_t end, int64_t grain, RangeFunction function, void* context) {
    const int64_t most = (end - begin) / std::max<int64_t>(grain, 1);
    const int64_t threads = std::min<int64_t>(parallelThreads(), std::max<int64_t>(most, 1));
    if (threads <= 1) return function(context, begin, end);
    Team team{begin, end, function, context};
    GOMP_parallel(runShare, &team, static_cast<unsigned>(threads), 0);
    if (team.error) std::rethrow_exception(team.error);
}

}  // namespace detail
}  // namespace strobe
