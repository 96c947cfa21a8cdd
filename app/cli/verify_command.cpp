// strobe-cli verify: ONNX backend test folders through the whole engine (import, build, run), each case in a process of
// its own, so that a crash or an endless loop is one case's outcome. Nothing here starts a thread or loads a driver
// before fork().
#include <fnmatch.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/cli/output_files.h"
#include "app/cli/verify_case.h"
#include "kernels/cpu/register.h"
#include "kernels/cuda_loader.h"
#include "profiler/json_text.h"

namespace strobe::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct VerifyOptions {
    Options common;
    std::vector<std::string> folders;
    std::string json, filter = "*";
    double timeout = 60;
    int jobs = 2;
    bool quiet = false;
};

constexpr const char* kStatuses[] = {"pass", "wrong", "refused", "crashed", "timeout"};
constexpr size_t kLongestAnswer = 60000;

struct Child {
    pid_t pid = -1;
    int pipe = -1;
    size_t index = 0;
    Clock::time_point deadline;
    bool timedOut = false;
    std::string answer;
};

[[noreturn]] void answerAndExit(const VerifyOptions& o, const std::string& folder, int pipe) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    // Here and not in the parent: CUDA does not work across fork().
    if (o.common.device.rfind("cuda", 0) == 0) registerCudaModule(kernels);
    const CaseOutcome outcome = verifyCase(kernels, o.common, folder);
    const std::string text = (outcome.status + "\n" + outcome.message).substr(0, kLongestAnswer);
    for (size_t sent = 0; sent < text.size();) {
        const ssize_t n = ::write(pipe, text.data() + sent, text.size() - sent);
        if (n <= 0) ::_exit(1);
        sent += static_cast<size_t>(n);
    }
    ::_exit(0);
}

Result<Child> start(const VerifyOptions& o, const std::string& folder, size_t index) {
    std::fflush(nullptr);
    int ends[2];
    if (::pipe(ends) != 0)
        return Status(ErrorCode::Internal, "verify: no pipe can be made: " + std::string(std::strerror(errno)));
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(ends[0]);
        answerAndExit(o, folder, ends[1]);
    }
    ::close(ends[1]);
    if (pid < 0) {
        ::close(ends[0]);
        return Status(ErrorCode::Internal, "verify: no process can be started: " + std::string(std::strerror(errno)));
    }
    Child child;
    child.pid = pid;
    child.pipe = ends[0];
    child.index = index;
    child.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o.timeout));
    return child;
}

CaseOutcome reap(Child& child, double timeout) {
    ::close(child.pipe);
    int state = 0;
    while (::waitpid(child.pid, &state, 0) < 0 && errno == EINTR) continue;
    if (child.timedOut) return {"timeout", "no result within " + std::to_string(static_cast<int>(timeout)) + " s"};
    if (WIFSIGNALED(state)) return {"crashed", ::strsignal(WTERMSIG(state))};
    const size_t line = child.answer.find('\n');
    if (line == std::string::npos)
        return {"crashed", "ended with code " + std::to_string(WEXITSTATUS(state)) + " and no answer"};
    return {child.answer.substr(0, line), child.answer.substr(line + 1)};
}

/// True when the child has closed its end.
bool readAnswer(Child& child) {
    char buffer[4096];
    const ssize_t n = ::read(child.pipe, buffer, sizeof buffer);
    if (n > 0) child.answer.append(buffer, static_cast<size_t>(n));
    return n == 0 || (n < 0 && errno != EINTR);
}

void killLate(std::vector<Child>& children) {
    for (Child& child : children)
        if (!child.timedOut && Clock::now() > child.deadline) {
            child.timedOut = true;
            ::kill(child.pid, SIGKILL);
        }
}

template <class Report>
Status runAll(const VerifyOptions& o, const std::vector<std::string>& cases, const Report& report) {
    std::vector<Child> children;
    size_t next = 0;
    while (next < cases.size() || !children.empty()) {
        while (next < cases.size() && children.size() < static_cast<size_t>(o.jobs)) {
            STROBE_ASSIGN(Child child, start(o, cases[next], next));
            children.push_back(std::move(child));
            ++next;
        }
        std::vector<pollfd> polled;
        for (const Child& child : children) polled.push_back({child.pipe, POLLIN, 0});
        ::poll(polled.data(), polled.size(), 100);
        killLate(children);
        for (size_t i = children.size(); i-- > 0;)
            if (polled[i].revents && readAnswer(children[i])) {
                report(children[i].index, reap(children[i], o.timeout));
                children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
            }
    }
    return Status::ok();
}

bool isCase(const fs::path& folder) {
    std::error_code error;
    return fs::exists(folder / "model.onnx", error) && fs::is_directory(folder / "test_data_set_0", error);
}

Result<std::vector<std::string>> findCases(const VerifyOptions& o) {
    std::vector<std::string> cases;
    for (std::string folder : o.folders) {
        while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
        std::error_code error;
        if (!fs::is_directory(folder, error))
            return notFound(
                "'" + folder +
                "' is no folder; give folders that hold model.onnx and test_data_set_0, or folders of such");
        if (isCase(folder)) {
            cases.push_back(folder);
            continue;
        }
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
            if (isCase(entry->path())) cases.push_back(entry->path().string());
    }
    const auto differs = [&](const std::string& path) {
        return ::fnmatch(o.filter.c_str(), fs::path(path).filename().c_str(), 0) != 0;
    };
    cases.erase(std::remove_if(cases.begin(), cases.end(), differs), cases.end());
    std::sort(cases.begin(), cases.end());
    if (cases.empty())
        return notFound("no folder with model.onnx and test_data_set_0 under the folders given (filter '" + o.filter +
                        "')");
    return cases;
}

Status writeReport(const std::string& path, const std::vector<std::string>& cases,
                   const std::vector<CaseOutcome>& outcomes, const std::map<std::string, int>& counts) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array(), summary = {{"cases", cases.size()}};
    for (size_t i = 0; i < cases.size(); ++i)
        list.push_back({{"name", fs::path(cases[i]).filename().string()},
                        {"status", outcomes[i].status},
                        {"message", outcomes[i].message}});
    for (const char* status : kStatuses) summary[status] = counts.at(status);
    const nlohmann::ordered_json all = {{"cases", list}, {"summary", summary}};
    return writeText(path, jsonText(all, 1) + "\n");
}

Result<bool> verify(const VerifyOptions& o) {
    STROBE_ASSIGN(const std::vector<std::string> cases, findCases(o));
    std::vector<CaseOutcome> outcomes(cases.size());
    std::map<std::string, int> counts;
    for (const char* status : kStatuses) counts[status] = 0;
    STROBE_RETURN_IF_ERROR(runAll(o, cases, [&](size_t index, CaseOutcome outcome) {
        ++counts[outcome.status];
        if (!o.quiet || outcome.status != "pass")
            std::printf("%-8s %s%s%s\n", outcome.status.c_str(), fs::path(cases[index]).filename().c_str(),
                        outcome.message.empty() ? "" : ": ", outcome.message.c_str());
        outcomes[index] = std::move(outcome);
    }));
    std::printf("%zu cases:", cases.size());
    for (const char* status : kStatuses)
        std::printf(" %d %s%s", counts[status], status, status == kStatuses[4] ? "\n" : ",");
    if (!o.json.empty()) STROBE_RETURN_IF_ERROR(writeReport(o.json, cases, outcomes, counts));
    return counts["wrong"] + counts["crashed"] + counts["timeout"] == 0;
}

}  // namespace

int verifyCommand(const KernelRegistry&, int argc, const char* const* argv) {
    VerifyOptions options;
    options.common.builderOptimizationLevel = 1;
    options.common.threads = 1;
    Options& common = options.common;
    CLI::App app(
        "Run ONNX backend test folders, each in a process of its own; exit 1 when one is wrong, crashes or runs out of "
        "time",
        "strobe-cli verify");
    app.add_option("folders", options.folders, "folders with model.onnx and test_data_set_*, or folders of such")
        ->required();
    app.add_option("--json", options.json, "write cases and summary to this file");
    app.add_option("--filter", options.filter, "only cases whose folder's name matches this glob");
    app.add_option("--timeout", options.timeout, "seconds that one case may take; default 60")
        ->check(CLI::Range(0.001, 1e6));
    app.add_option("--jobs", options.jobs, "cases that run at once; default 2")->check(CLI::Range(1, 256));
    app.add_flag("--quiet", options.quiet, "do not list the cases that pass");
    app.add_flag("--bf16", common.bf16, "compute in BF16 where there is a kernel");
    app.add_flag("--fp16", common.fp16, "FP16 accuracy preview");
    app.add_flag("--best", common.best, "each layer in the precision that is fastest");
    app.add_option("--device", common.device, "cpu, or cuda:0 …");
    app.add_option("--builderOptimizationLevel", common.builderOptimizationLevel, "0 … 5; default 1")
        ->check(CLI::Range(0, 5));
    app.add_option("--cpuThreads", common.threads, "CPU threads of one case; default 1")->check(CLI::Range(1, 1024));
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    if (std::isnan(options.timeout)) return fail(invalidArgument("--timeout: 'nan' is not a number of seconds"));
    if (const Status writable = checkOutputs({{"--json", options.json}}, {}); !writable.isOk()) return fail(writable);
    if (common.bf16 + common.fp16 + common.best > 1)
        return fail(invalidArgument("--bf16, --fp16 and --best exclude each other; give one"));
    const auto right = verify(options);
    if (!right) return fail(right.status());
    return *right ? kSuccess : kFailure;
}

}  // namespace strobe::cli
