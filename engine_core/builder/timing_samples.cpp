#include "engine_core/builder/timing_samples.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <thread>

namespace strobe {

int runnableTasks(std::string_view loadAverage) {
    const size_t slash = loadAverage.find('/');
    if (slash == std::string_view::npos) return 0;
    const size_t space = loadAverage.rfind(' ', slash);
    if (space == std::string_view::npos) return 0;
    int tasks = 0;
    std::from_chars(loadAverage.data() + space + 1, loadAverage.data() + slash, tasks);
    return tasks;
}

bool isMachineBusy() {
    const int file = ::open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    char text[128];
    const ssize_t length = ::read(file, text, sizeof text);
    ::close(file);
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    return length > 0 && cores > 0 && runnableTasks({text, static_cast<size_t>(length)}) > cores;
}

}  // namespace strobe
