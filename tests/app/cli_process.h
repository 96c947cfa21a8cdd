#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"

namespace strobe::test {

/// How one call of strobe-cli went, as a user sees it.
struct CliResult {
    int code = -1;    // exit code; −1 when a signal ended it
    int signal = 0;
    double seconds = 0;
    std::string out, err;
};

inline std::string readAll(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}
inline void writeAll(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// Runs build/bin/strobe-cli; a run over a minute is killed. `prepare` is called in the new process before the program.
inline CliResult runCli(const std::vector<std::string>& arguments, const std::function<void()>& prepare = {}) {
    const ScratchFolder folder;
    const std::string out = folder / "out", err = folder / "err";
    std::vector<std::string> words = {STROBE_CLI};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), 1);
        ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), 2);
        if (prepare) prepare();
        ::execv(STROBE_CLI, argv.data());
        ::_exit(127);
    }
    int state = 0;
    ::waitpid(child, &state, 0);
    CliResult result;
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (WIFEXITED(state)) result.code = WEXITSTATUS(state);
    if (WIFSIGNALED(state)) result.signal = WTERMSIG(state);
    result.out = readAll(out);
    result.err = readAll(err);
    return result;
}

inline std::string sample(const std::string& file) { return std::string(STROBE_SOURCE_DIR) + "/resources/sample/" + file; }

}  // namespace strobe::test
