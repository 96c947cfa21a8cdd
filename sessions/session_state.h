// What a session holds, behind its mutex. For the session's own sources only.
#pragma once

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>

#include "engine_core/builder/timing_cache.h"
#include "sessions/session.h"

namespace strobe {

struct UndoStep {
    Settings settings;
    std::string label;
};

/// Of the time that a comparison takes; the rest measures both in turn.
inline constexpr double kAccuracyShare = 0.6;

/// "BF16 + 1 rule @cuda:0".
std::string buildTitle(const Settings& settings);
/// The first that tells two builds of one title apart, as it stands behind the title of the second: " level 5",
/// " 1 thread", " at x:1x3x48x200", " on digits.npz"; empty where nothing of these does.
std::string differenceText(const Settings& first, const Settings& second);

/// What names the inputs, layers and data of one model.
inline void takeModelsOwn(Settings& to, const Settings& from) {
    to.shapes = from.shapes;
    to.inputFile = from.inputFile;
    to.builder.profiles = from.builder.profiles;
    to.builder.precisionRules = from.builder.precisionRules;
    to.builder.pinnedTactics = from.builder.pinnedTactics;
}

/// A build that was asked for, as things stood then.
struct AskedBuild {
    JobId job = 0;
    std::string modelHash;
    Settings settings;
    bool profile = false;
};

struct Session::State {
    mutable std::mutex mutex;
    std::map<int, Listener> listeners;
    int nextListener = 1, nextBuild = 1, nextComparison = 1;
    std::shared_ptr<const Model> model;
    Settings settings;
    std::deque<UndoStep> undo, redo;
    std::vector<std::shared_ptr<const Build>> builds;
    std::vector<std::shared_ptr<const Comparison>> comparisons;
    std::vector<AskedBuild> asked;  // may hold some whose job has ended
    std::vector<ProblemEntry> problems;
    std::string documentPath;
    uint64_t revision = 0, savedRevision = 0;  // of what a document holds: counted up with every change of it
    TimingCache timingCache;      // what was measured or read for the file below
    std::string timingCachePath;  // of the builds so far; empty: none of them had one

    void notify(std::initializer_list<SessionChange> changes) {
        std::vector<Listener> all;
        {
            std::lock_guard lock(mutex);
            for (const auto& entry : listeners) all.push_back(entry.second);
        }
        for (SessionChange change : changes)
            for (const Listener& listener : all) listener(change);
    }

    /// Another model than before: what was set for that one is dropped, data beside this one is taken where none was asked for.
    void settleFor(const std::filesystem::path& data, bool hadModel) {
        if (hadModel) takeModelsOwn(settings, Settings());
        undo.clear();
        redo.clear();
        if (data.empty() || !settings.inputFile.empty()) return;
        undo.push_back({settings, "Input data " + data.filename().string()});
        settings.inputFile = data.string();
    }

    /// "BF16 + 1 rule"; where that is taken, what else is different too ("BF16 level 5"), at last a number ("BF16 (2)").
    std::string buildName(const Settings& used) const {
        const std::string base = buildTitle(used);
        const auto named = [&](const std::string& name) {
            const auto found = std::find_if(builds.begin(), builds.end(), [&](const auto& b) { return b->name == name; });
            return found == builds.end() ? nullptr : found->get();
        };
        const Build* taken = named(base);
        if (!taken) return base;
        const std::string other = base + differenceText(taken->settings, used);
        std::string name = other;
        for (int n = 2; named(name); ++n) name = other + " (" + std::to_string(n) + ")";
        return name;
    }

    bool lists(const std::shared_ptr<const Build>& build) const {
        return std::find(builds.begin(), builds.end(), build) != builds.end();
    }

    /// Takes the settings of the last step in `from`; those that are left go to `to`.
    void step(std::deque<UndoStep>& from, std::deque<UndoStep>& to) {
        {
            std::lock_guard lock(mutex);
            if (from.empty()) return;
            UndoStep taken = std::move(from.back());
            from.pop_back();
            to.push_back({std::move(settings), taken.label});
            settings = std::move(taken.settings);
            ++revision;
        }
        notify({SessionChange::Settings, SessionChange::Problems, SessionChange::Document});
    }
    void dropComparisonsOf(int build) {
        const auto isOfIt = [&](const auto& c) { return c->a == build || c->b == build; };
        comparisons.erase(std::remove_if(comparisons.begin(), comparisons.end(), isOfIt), comparisons.end());
    }
    /// Their rows take the times of now.
    void realignComparisonsOf(int build) {
        const auto find = [&](int id) {
            return *std::find_if(builds.begin(), builds.end(), [&](const auto& b) { return b->id == id; });
        };
        for (auto& comparison : comparisons) {
            if (comparison->a != build && comparison->b != build) continue;
            auto fresh = std::make_shared<Comparison>(*comparison);
            fresh->rows = alignBuilds(*find(fresh->a), *find(fresh->b), fresh->accuracy.get());
            comparison = std::move(fresh);
        }
    }
    /// How a build ended: one that failed is a problem until another ends uncancelled; takes the lock.
    void tellOfBuild(const std::string& title, const Status& ended) {
        if (ended.code() == ErrorCode::Cancelled) return;
        std::vector<ProblemEntry> told;
        if (!ended.isOk())
            told.push_back({ProblemSeverity::Error, "build", {}, "", title + " failed: " + ended.message(), ""});
        {
            std::lock_guard lock(mutex);
            setProblems("build", std::move(told));
        }
        notify({SessionChange::Problems});
    }
    /// What was done to the data of the last comparison, as problems; takes the lock.
    void tellOfData(const std::string& file, const std::vector<std::string>& notes) {
        std::vector<ProblemEntry> told;
        for (const std::string& note : notes)
            told.push_back({ProblemSeverity::Info, "compare", {}, "", file + ": " + note, "give data that fits as it is"});
        {
            std::lock_guard lock(mutex);
            setProblems("compare", std::move(told));
        }
        notify({SessionChange::Problems});
    }
    void setProblems(const std::string& source, std::vector<ProblemEntry> fresh) {
        problems.erase(std::remove_if(problems.begin(), problems.end(), [&](const ProblemEntry& p) { return p.source == source; }), problems.end());
        problems.insert(problems.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
    }
};

}  // namespace strobe
