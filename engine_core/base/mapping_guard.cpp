#include "engine_core/base/mapping_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace strobe {
namespace {

constexpr size_t kSlots = 65536;

/// What the signal handler may look at: plain atomics, no locks.
struct Range {
    std::atomic<bool> taken{false};
    std::atomic<uintptr_t> begin{0}, end{0};  // 0: none
    std::atomic<bool> isHit{false};           // pages of it were filled with zeros
};
std::array<Range, kSlots> g_ranges;
std::atomic<size_t> g_used{0};  // slots below this one have been taken at some time
struct sigaction g_previous;
uintptr_t g_pageBytes = 4096;

/// Zeros from `address` to the end of the guarded range around it: the file ends before.
bool fillWithZeros(uintptr_t address) {
    const uintptr_t page = address / g_pageBytes * g_pageBytes;
    for (size_t i = 0; i < g_used.load(); ++i) {
        const uintptr_t begin = g_ranges[i].begin.load(), end = g_ranges[i].end.load();
        // A slot is set end first and cleared begin first: with a begin, the end is its own.
        if (begin == 0 || address < begin || address >= end || g_ranges[i].begin.load() != begin) continue;
        g_ranges[i].isHit = true;
        return ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
    }
    return false;
}

/// What would have happened without the guard, which stays in place: whoever was there before may go on from a bus error.
void passOn(int signal, siginfo_t* info, void* context, bool isFault) {
    if (g_previous.sa_flags & SA_SIGINFO) return g_previous.sa_sigaction(signal, info, context);
    if (g_previous.sa_handler == SIG_IGN && !isFault) return;
    if (g_previous.sa_handler != SIG_DFL && g_previous.sa_handler != SIG_IGN) return g_previous.sa_handler(signal);
    // Nobody was: the process ends by the signal, when the faulting read comes again or this one is delivered.
    struct sigaction end {};
    end.sa_handler = SIG_DFL;
    ::sigaction(SIGBUS, &end, nullptr);
    if (!isFault) ::raise(signal);
}

void onBusError(int signal, siginfo_t* info, void* context) {
    const int savedErrno = errno;
    const bool isFault = info->si_code > 0;  // else sent by somebody
    if (!isFault || !fillWithZeros(reinterpret_cast<uintptr_t>(info->si_addr))) passOn(signal, info, context, isFault);
    errno = savedErrno;
}

void installOnce() {
    static const bool installed = [] {
        g_pageBytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
        struct sigaction action {};
        action.sa_sigaction = onBusError;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        return ::sigaction(SIGBUS, &action, &g_previous) == 0;
    }();
    (void)installed;
}

size_t takeSlot() {
    for (size_t i = 0; i < kSlots; ++i) {
        bool expected = false;
        if (!g_ranges[i].taken.compare_exchange_strong(expected, true)) continue;
        for (size_t used = g_used.load(); used <= i && !g_used.compare_exchange_weak(used, i + 1);) {
        }
        return i;
    }
    return kSlots;
}

}  // namespace

MappingGuard::MappingGuard(const void* begin, size_t bytes) : m_slot(takeSlot()) {
    installOnce();
    if (m_slot == kSlots) return;
    const auto first = reinterpret_cast<uintptr_t>(begin);
    g_ranges[m_slot].isHit = false;
    g_ranges[m_slot].end = (first + bytes + g_pageBytes - 1) / g_pageBytes * g_pageBytes;
    g_ranges[m_slot].begin = first;
}

bool MappingGuard::wasHit() const {
    return m_slot < kSlots && g_ranges[m_slot].isHit;
}

MappingGuard::~MappingGuard() {
    if (m_slot == kSlots) return;
    g_ranges[m_slot].begin = 0;
    g_ranges[m_slot].end = 0;
    g_ranges[m_slot].taken = false;
}

}  // namespace strobe
