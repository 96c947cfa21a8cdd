#include "kernels/cpu/cpu_threads.h"

#include <unistd.h>

#include <cstdlib>

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

void restartWithShortSpin(char** argv) {
    if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
    // About 50 µs: longer than the gap between two layers, far shorter than a slice of the scheduler.
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0) execv("/proc/self/exe", argv);
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
};

void runShare(void* data) {
    const Team& team = *static_cast<const Team*>(data);
    const int64_t threads = omp_get_num_threads(), index = omp_get_thread_num();
    const int64_t count = team.end - team.begin, each = count / threads, rest = count % threads;
    const int64_t first = team.begin + index * each + std::min(index, rest);
    const int64_t last = first + each + (index < rest ? 1 : 0);
    if (first < last) team.function(team.context, first, last);
}

}  // namespace

void parallelRanges(int64_t begin, int64_t end, int64_t grain, RangeFunction function, void* context) {
    const int64_t most = (end - begin) / std::max<int64_t>(grain, 1);
    const int64_t threads = std::min<int64_t>(parallelThreads(), std::max<int64_t>(most, 1));
    if (threads <= 1) return function(context, begin, end);
    Team team{begin, end, function, context};
    GOMP_parallel(runShare, &team, static_cast<unsigned>(threads), 0);
}

}  // namespace detail
}  // namespace strobe
