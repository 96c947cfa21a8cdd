// verify_reference [--quiet] DIR…: runs ONNX backend case folders (or folders of them) with the reference kernels, each
// case in a process of its own, and prints pass, wrong, refused or crashed for each, and a summary.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "engine_core/onnx/backend_case.h"
#include "tests/support/run_reference.h"

namespace fs = std::filesystem;
using namespace strobe;

namespace {

struct Outcome {
    std::string status, message;
};

Outcome runCase(const std::string& folder) {
    const auto loaded = loadBackendCase(folder);
    if (!loaded) return {"refused", loaded.status().message()};
    for (size_t n = 0; n < loaded->dataSets.size(); ++n) {
        const BackendCase::DataSet& data = loaded->dataSets[n];
        const auto outputs = runReference(loaded->model.network, data.inputs);
        if (!outputs)
            return {outputs.status().code() == ErrorCode::Unsupported ? "refused" : "wrong",
                    outputs.status().message()};
        for (size_t i = 0; i < data.outputs.size(); ++i) {
            const Status same = compareTensors(*(*outputs)[i], *data.outputs[i], {1e-3, 1e-5});
            if (!same)
                return {"wrong",
                        "data set " + std::to_string(n) + ", output " + std::to_string(i) + ": " + same.message()};
        }
    }
    return {"pass", ""};
}

/// In a child, so that a crash is an outcome and not the end.
Outcome runApart(const std::string& folder) {
    int ends[2];
    if (::pipe(ends) != 0) return {"crashed", "no pipe"};
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        const Outcome outcome = runCase(folder);
        const std::string text = outcome.status + "\n" + outcome.message;
        const bool written = ::write(ends[1], text.data(), std::min<size_t>(text.size(), 60000)) >= 0;
        ::_exit(written ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
    ::close(ends[0]);
    int state = 0;
    ::waitpid(child, &state, 0);
    if (WIFSIGNALED(state)) return {WTERMSIG(state) == SIGALRM ? "timeout" : "crashed", ::strsignal(WTERMSIG(state))};
    const size_t line = text.find('\n');
    return line == std::string::npos ? Outcome{"crashed", "no answer"}
                                     : Outcome{text.substr(0, line), text.substr(line + 1)};
}

std::vector<std::string> findCases(const std::vector<std::string>& arguments) {
    std::vector<std::string> cases;
    for (const std::string& argument : arguments) {
        if (fs::exists(fs::path(argument) / "model.onnx")) {
            cases.push_back(argument);
            continue;
        }
        if (!fs::is_directory(argument)) continue;
        for (const auto& entry : fs::directory_iterator(argument))
            if (fs::exists(entry.path() / "model.onnx")) cases.push_back(entry.path().string());
    }
    std::sort(cases.begin(), cases.end());
    return cases;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool quiet = std::erase(arguments, "--quiet") > 0;
    const std::vector<std::string> cases = findCases(arguments);
    if (cases.empty()) {
        std::fprintf(stderr, "verify_reference [--quiet] DIR...: no folder with a model.onnx among the arguments\n");
        return 2;
    }
    std::map<std::string, int> counts;
    for (const std::string& folder : cases) {
        const Outcome outcome = runApart(folder);
        ++counts[outcome.status];
        if (!quiet || outcome.status != "pass")
            std::printf("%-8s %s%s%s\n", outcome.status.c_str(), fs::path(folder).filename().c_str(),
                        outcome.message.empty() ? "" : ": ", outcome.message.c_str());
    }
    std::printf("%zu cases:", cases.size());
    for (const auto& [status, count] : counts) std::printf(" %d %s", count, status.c_str());
    std::printf("\n");
    return counts["pass"] == static_cast<int>(cases.size()) ? 0 : 1;
}
