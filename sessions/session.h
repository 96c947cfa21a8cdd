#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/builder/builder.h"
#include "engine_core/builder/shape_trials.h"
#include "engine_core/onnx/importer.h"
#include "profiler/accuracy.h"
#include "profiler/profile.h"
#include "profiler/speed_in_turn.h"
#include "sessions/job_queue.h"

namespace strobe {

/// The model under work. Immutable once loaded.
struct Model {
    std::string path, name, hash;  // name: the file's; hash: XXH3 of the file, hexadecimal
    std::shared_ptr<const ImportedModel> imported;
    std::shared_ptr<const Network> parsed;  // imported->network
    AssumedExtents assumed;                 // for dims that neither the model nor the settings fix
};
/// What was read from `path`, with the extents to assume.
std::shared_ptr<const Model> makeModel(const std::string& path, ImportedModel imported, const CancelToken& cancel = {});

/// What the user sets; undoable as a whole.
struct Settings {
    BuilderConfig builder;
    std::map<std::string, Dims> shapes;  // the shapes to profile at; empty: profile's opt
    std::string inputFile;               // real inputs: an .npz, or "name:file.npy,…" (see samples.h); empty: random
    unsigned seed = 42;
    double profileMs = 1000;
    /// Largest error that a build below FP32 may have in any element of an output, as a share of the output's range in FP32 on these
    /// inputs: layers stay in FP32 until it is kept. 0: none is asked.
    double accuracyLimit = 0;
    bool operator==(const Settings&) const = default;
};

/// One finished build with its measurements. Immutable.
struct Build {
    int id = 0;
    std::string name;      // "BF16", "FP32 (2)"; made from the settings
    Settings settings;
    std::string createdAt; // ISO 8601, UTC
    std::shared_ptr<const Engine> engine;
    BuildReport report;
    std::shared_ptr<const Profile> profile;  // null: built only
    size_t engineBytes = 0;
    std::vector<BuildNote> notes;  // what came up while it was made, beside the report's
    std::string weightsLost;  // not empty: opened from a document that could not hold its weights, which says why; it must not be run
};

/// Two builds side by side: A the reference, B the candidate.
struct Comparison {
    int id = 0, a = 0, b = 0;  // Build::id
    std::shared_ptr<const AccuracyReport> accuracy;
    std::optional<SpeedInTurn> speed;  // on the first of the same inputs; older documents have none
    /// Layers of both aligned by the ONNX nodes that they hold: rows of the Compare page. Reformats stand in rows of
    /// their own, with the nodes whose results they change.
    struct Row {
        std::vector<int> provenance;  // ONNX nodes of the row
        std::vector<int> layersA, layersB;  // indices into each engine's layers
        double msA = 0, msB = 0;
        double errorMs = 0;       // 95 % half-width of the difference of medians
        bool significant() const { return (msB - msA > errorMs) || (msA - msB > errorMs); }
        int accuracyLayer = -1;   // index into accuracy->layers
        bool isReformat = false;
    };
    std::vector<Row> rows;
};
std::vector<Comparison::Row> alignBuilds(const Build& a, const Build& b, const AccuracyReport* accuracy);

enum class ProblemSeverity : uint8_t { Info, Warning, Error };
struct ProblemEntry {
    ProblemSeverity severity = ProblemSeverity::Info;
    std::string source;           // "import", "build FP32", "build" (one that failed), "compare"
    std::vector<int> provenance;  // ONNX nodes to go to
    std::string layer;
    std::string message, fix;
    bool operator==(const ProblemEntry&) const = default;
};

/// What a document file holds.
struct SessionSnapshot {
    std::shared_ptr<const Model> model;
    Settings settings;
    std::vector<std::shared_ptr<const Build>> builds;
    std::vector<std::shared_ptr<const Comparison>> comparisons;
    std::vector<std::string> notes;  // what was left out when it was read, and why
};

/// What changed; a listener asks the session for the rest.
enum class SessionChange : uint8_t { Model, Settings, Builds, Comparisons, Problems, Jobs, Document };

/// The document: model, settings with undo, builds, comparisons, problems, and the jobs that make them. Plain C++; GUI, CLI and
/// bindings use it as it is. Public calls are thread-safe and never wait for work; results are immutable and shared.
class Session {
public:
    using Listener = std::function<void(SessionChange)>;  // called from any thread; must only post to its own
    explicit Session(const KernelRegistry& kernels);
    ~Session();  // cancels and joins the worker

    int addListener(Listener listener);
    void removeListener(int id);

    // --- reading (snapshots)
    std::shared_ptr<const Model> model() const;
    Settings settings() const;
    std::vector<std::shared_ptr<const Build>> builds() const;
    std::shared_ptr<const Build> build(int id) const;
    std::vector<std::shared_ptr<const Comparison>> comparisons() const;
    std::vector<ProblemEntry> problems() const;
    const KernelRegistry& kernels() const { return m_kernels; }
    std::vector<DeviceInfo> devices() const;
    /// Whether anything changed since what the document on disk holds was taken; changes made during a save are not in
    /// it.
    bool isModified() const;
    std::string documentPath() const;

    /// Where measured times are kept unless the settings say otherwise; empty: no home folder. Makes the folder.
    static std::string defaultTimingCachePath();

    // --- settings, undoable; `label` is shown in the Edit menu
    void setSettings(Settings settings, std::string label);
    bool canUndo() const;
    bool canRedo() const;
    std::string undoLabel() const;
    std::string redoLabel() const;
    void undo();
    void redo();
    /// Each rule or request in force that will have no effect, with why.
    std::vector<std::string> ignoredRequests() const;
    /// Forgets every measured time, in memory and in the settings' file, so that the next build times each candidate again.
    Status clearTimingCache();

    // --- jobs (queued on the worker; the id is in JobQueue). Results arrive by listener.
    /// Held-out data beside a model ("digits_heldout.npz" beside "digits.onnx") becomes the input data when another model than before is
    /// opened; undo takes it back. Reading the same file again leaves settings and undo as they are.
    JobId openModel(std::string path);
    /// With the settings of now. Where the same build waits or runs already, that job's id, and nothing new.
    JobId buildAndProfile(bool profile = true);
    /// The job that waits or runs to build what buildAndProfile() would now.
    std::optional<JobId> pendingBuild(bool profile = true) const;
    /// Measures a build anew, on the data, shapes and for as long as it was built with.
    JobId profileAgain(int build);
    JobId compare(int buildA, int buildB);
    JobId exportEngine(int build, std::string path);
    JobId saveAs(std::string path);
    JobId openDocument(std::string path);
    void removeBuild(int id);
    JobQueue& jobs() { return *m_jobs; }
    const JobQueue& jobs() const { return *m_jobs; }

    // --- the same work done on the calling thread (CLI)
    Status openModelNow(const std::string& path, const CancelToken& cancel = {});
    Result<std::shared_ptr<const Build>> buildNow(bool profile, const Builder::ProgressCallback& progress, const CancelToken& cancel = {});
    Result<std::shared_ptr<const Build>> profileNow(int build, const Builder::ProgressCallback& progress, const CancelToken& cancel = {});
    /// Takes over what the caller measured, so that what it shows and what is saved are the same. The build gets this
    /// profile, and comparisons its times; the two builds are compared by this report.
    Result<std::shared_ptr<const Build>> keepProfile(int build, Profile profile, std::vector<BuildNote> notes = {});
    Result<std::shared_ptr<const Comparison>> keepComparison(int a, int b, AccuracyReport report,
                                                            std::optional<SpeedInTurn> speed = {});
    /// Cancelled when one of both builds was removed meanwhile.
    Result<std::shared_ptr<const Comparison>> compareNow(int a, int b, const std::function<void(double)>& progress, const CancelToken& cancel = {});
    /// Also when a mapped model file has changed meanwhile: weights that lay in it are then left out, which a problem tells.
    Status saveNow(const std::string& path, const CancelToken& cancel = {});
    Status exportEngineNow(int build, const std::string& path, const CancelToken& cancel = {});
    Status openDocumentNow(const std::string& path, const CancelToken& cancel = {});

private:
    /// The open model's file is as it was when it was opened, so that its weights are.
    Status checkModelFiles() const;
    Result<std::shared_ptr<const Build>> makeBuild(const std::shared_ptr<const Model>& model, Settings settings,
                                                   bool profile, const Builder::ProgressCallback& progress,
                                                   const CancelToken& cancel);
    /// Numbers and names a finished build and adds it.
    Status takeBuild(const std::shared_ptr<const Model>& model, const std::shared_ptr<Build>& build);
    /// Adds it, unless one of the builds was removed meanwhile.
    Result<std::shared_ptr<const Comparison>> takeComparison(const std::shared_ptr<const Build>& a, const std::shared_ptr<const Build>& b, AccuracyReport report,
                                                             std::optional<SpeedInTurn> speed);
    struct State;
    const KernelRegistry& m_kernels;
    std::unique_ptr<State> m_state;
    std::unique_ptr<JobQueue> m_jobs;
};

}  // namespace strobe
