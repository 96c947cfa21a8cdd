#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace strobe::test {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kCanLimitMemory = false;  // it needs all addresses
#else
inline constexpr bool kCanLimitMemory = true;
#endif

/// From now on this process gets at most `bytes` more of addresses: for a process of the test's own (EXPECT_EXIT),
/// where kCanLimitMemory.
inline bool leaveMemory(size_t bytes) {
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit limit{most, most};
    return ::setrlimit(RLIMIT_AS, &limit) == 0;
}

}  // namespace strobe::test
