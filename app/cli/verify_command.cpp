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

#include "app/cli/inference.h"
#include "engine_core/builder/builder.h"
#include "engine_core/onnx/backend_case.h"
#include "engine_core/ops/op_definition.h"
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

struct Outcome {
    std::string status, message;
};
constexpr const char* kStatuses[] = {"pass", "wrong", "refused", "crashed", "timeout"};
constexpr size_t kLongestAnswer = 60000;

/// ONNX's runner asks for 1e-3 and 1e-7; types whose own rounding step is coarser (or a build that computes in them)
/// get about two steps. Sums in another order differ by steps of the largest value, not of the one that cancels: two of
/// them are allowed.
Tolerance toleranceFor(const Weights& wanted, PrecisionMode mode) {
    const DataType type = wanted.type;
    if (type == DataType::BFloat16 || mode == PrecisionMode::Bf16 || mode == PrecisionMode::Best) return {2e-2, 2e-2};
    if (type == DataType::Float16 || mode == PrecisionMode::Fp16) return {4e-3, 1e-3};
    double largest = 0;
    for (double value : toDoubles(wanted))
        if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
    return {1e-3, 1e-7 + 2.4e-7 * std::min(largest, 1.0)};
}

Outcome outcomeOf(const Status& status, const std::string& where) {
    return {status.code() == ErrorCode::Unsupported ? "refused" : "wrong", where + status.message()};
}

/// One profile a data set: data sets may differ even in rank.
BuilderConfig configFor(const Options& o, const BackendCase& backendCase) {
    BuilderConfig config;
    config.precision = o.bf16   ? PrecisionMode::Bf16
                       : o.fp16 ? PrecisionMode::Fp16
                       : o.best ? PrecisionMode::Best
                                : PrecisionMode::Fp32;
    config.optimizationLevel = o.builderOptimizationLevel;
    config.threads = o.threads;
    if (!o.device.empty()) config.device = o.device;
    const Network& network = backendCase.model.network;
    for (const BackendCase::DataSet& set : backendCase.dataSets) {
        OptimizationProfile profile;
        for (size_t i = 0; i < set.inputs.size(); ++i) {
            const Dims& dims = set.inputs[i]->dims;
            profile.inputs[network.tensor(network.inputs()[i]).name] = {dims, dims, dims};
        }
        if (std::find(config.profiles.begin(), config.profiles.end(), profile) == config.profiles.end())
            config.profiles.push_back(std::move(profile));
    }
    return config;
}

/// Such outputs differ from run to run by definition: only their types and dims can be compared.
bool isRandom(const Network& network) {
    for (LayerId id : network.topologicalOrder()) {
        const Layer& layer = network.layer(id);
        if (layer.op->nondeterministic) return true;
        for (const auto& body : layer.subgraphs)
            if (isRandom(*body)) return true;
    }
    return false;
}

Status compareForms(const Weights& found, const Weights& wanted) {
    if (found.type == wanted.type && found.dims == wanted.dims) return Status::ok();
    return invalidArgument(std::string(dataTypeName(found.type)) + toString(found.dims) + " found, " +
                           std::string(dataTypeName(wanted.type)) + toString(wanted.dims) + " wanted");
}

Outcome runDataSet(const Engine& engine, const BackendCase& backendCase, size_t n, const BuilderConfig& config) {
    const BackendCase::DataSet& set = backendCase.dataSets[n];
    const Network& network = backendCase.model.network;
    NamedTensors inputs;
    for (size_t i = 0; i < set.inputs.size(); ++i) inputs[network.tensor(network.inputs()[i]).name] = set.inputs[i];
    const std::string where = "data set " + std::to_string(n) + ", ";
    const auto outputs = runOnce(engine, inputs, config.threads);
    if (!outputs) return outcomeOf(outputs.status(), where + "run: ");
    const bool random = isRandom(network);
    for (size_t i = 0; i < set.outputs.size(); ++i) {
        const std::string& name = network.tensor(network.outputs()[i]).name;
        const auto found = outputs->find(name);
        if (found == outputs->end()) return {"wrong", where + "output '" + name + "' is missing from the engine"};
        const Weights& wanted = *set.outputs[i];
        const Status same = random ? compareForms(*found->second, wanted)
                                   : compareTensors(*found->second, wanted, toleranceFor(wanted, config.precision));
        if (!same.isOk()) return {"wrong", where + "output '" + name + "': " + same.message()};
    }
    return {"pass", random ? "values are random: type and dims compared" : ""};
}

Outcome runCase(const KernelRegistry& kernels, const Options& o, const std::string& folder) {
    auto loaded = loadBackendCase(folder);
    if (!loaded) return {"refused", loaded.status().message()};
    Builder::Request request;
    request.config = configFor(o, *loaded);
    request.modelName = loaded->name;
    request.modelHash = loaded->model.fileHash;
    request.parsed = std::make_shared<const Network>(loaded->model.network);
    const auto built = Builder(kernels).build(request);
    if (!built) return outcomeOf(built.status(), "build: ");
    for (size_t n = 0; n < loaded->dataSets.size(); ++n)
        if (Outcome outcome = runDataSet(*built->engine, *loaded, n, request.config);
            outcome.status != "pass" || n + 1 == loaded->dataSets.size())
            return outcome;
    return {"refused", "no data set"};
}

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
    const Outcome outcome = runCase(kernels, o.common, folder);
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

Outcome reap(Child& child, double timeout) {
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

Status writeReport(const std::string& path, const std::vector<std::string>& cases, const std::vector<Outcome>& outcomes,
                   const std::map<std::string, int>& counts) {
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
    std::vector<Outcome> outcomes(cases.size());
    std::map<std::string, int> counts;
    for (const char* status : kStatuses) counts[status] = 0;
    STROBE_RETURN_IF_ERROR(runAll(o, cases, [&](size_t index, Outcome outcome) {
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
