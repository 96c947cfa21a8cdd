#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>

#include "profiler/accuracy_verdict.h"
#include "sessions/document.h"
#include "sessions/document_json.h"
#include "sessions/npz.h"
#include "sessions/problems.h"
#include "sessions/samples.h"
#include "tests/support/little_memory.h"
#include "tests/support/session_test.h"

namespace strobe {
namespace {

std::string scratch(const std::string& name) { return testing::TempDir() + "sessions_test_" + std::to_string(::getpid()) + "_" + name; }

TEST(JobQueue, RunsInOrderAndReportsResults) {
    std::vector<int> order;
    JobQueue queue([] {});
    std::vector<JobId> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(queue.submit("job", [&order, i](JobContext& context) {
            context.progress("step " + std::to_string(i), 0.5, -1);
            context.outcome("done " + std::to_string(i));
            order.push_back(i);
            return i == 3 ? invalidArgument("three") : Status::ok();
        }));
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(queue.wait(ids[i]).isOk(), i != 3);
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(queue.info(ids[3])->state, JobState::Failed);
    EXPECT_EQ(queue.info(ids[3])->result.message(), "three");
    EXPECT_EQ(queue.info(ids[4])->state, JobState::Succeeded);
    EXPECT_EQ(queue.info(ids[4])->outcome, "done 4");
    EXPECT_TRUE(queue.isIdle());
    EXPECT_FALSE(queue.info(0));
    for (int i = 0; i < 21; ++i)
        EXPECT_TRUE(queue.wait(queue.submit("later", [](JobContext&) { return Status::ok(); })).isOk());
    EXPECT_FALSE(queue.info(ids[4])) << "forgotten, not waiting";
}

TEST(JobQueue, JobsThatWereCancelledMeanwhileDoNotHideHowOneEnded) {
    std::atomic<bool> release = false;
    JobQueue queue([] {});
    const JobId running = queue.submit(JobKind::Build, "runs", [&](JobContext&) {
        while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return invalidArgument("failed");
    });
    for (int i = 0; i < 25; ++i) queue.cancel(queue.submit("waits", [](JobContext&) { return Status::ok(); }));
    release = true;
    EXPECT_FALSE(queue.wait(running).isOk());
    const auto ended = queue.info(running);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->state, JobState::Failed);
    EXPECT_EQ(ended->kind, JobKind::Build);
}

TEST(JobQueue, CancelsRunningAndWaitingJobs) {
    JobQueue queue([] {});
    std::atomic<bool> started = false, secondRan = false;
    const JobId running = queue.submit("endless", [&](JobContext& context) {
        started = true;
        while (!context.cancelToken().isCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return cancelled();
    });
    const JobId waiting = queue.submit("second", [&](JobContext&) {
        secondRan = true;
        return Status::ok();
    });
    while (!started) std::this_thread::yield();
    queue.cancel(waiting);
    queue.cancel(running);
    EXPECT_EQ(queue.wait(running).code(), ErrorCode::Cancelled);
    EXPECT_EQ(queue.wait(waiting).code(), ErrorCode::Cancelled);
    EXPECT_EQ(queue.info(running)->state, JobState::Cancelled);
    EXPECT_EQ(queue.info(waiting)->state, JobState::Cancelled);
    EXPECT_FALSE(secondRan);
}

TEST(JobQueue, AnExceptionFailsItsJobAlone) {
    JobQueue queue([] {});
    const JobId memory = queue.submit("memory", [](JobContext&) -> Status { throw std::bad_alloc(); });
    const JobId other = queue.submit("other", [](JobContext&) -> Status { throw std::runtime_error("odd"); });
    const JobId next = queue.submit("next", [](JobContext&) { return Status::ok(); });
    EXPECT_EQ(queue.wait(memory).code(), ErrorCode::OutOfMemory);
    EXPECT_EQ(queue.wait(other).code(), ErrorCode::Internal);
    EXPECT_NE(queue.wait(other).message().find("odd"), std::string::npos);
    EXPECT_TRUE(queue.wait(next).isOk());
    EXPECT_EQ(queue.info(memory)->state, JobState::Failed);
}

TEST(Settings, UndoAndRedo) {
    Session session(cpuKernels());
    const Settings first = session.settings();
    Settings second = first, third = first;
    second.builder.precision = PrecisionMode::Bf16;
    third.seed = 7;
    session.setSettings(second, "precision");
    session.setSettings(third, "seed");
    EXPECT_EQ(session.undoLabel(), "seed");
    session.undo();
    EXPECT_EQ(session.settings(), second);
    EXPECT_EQ(session.redoLabel(), "seed");
    session.undo();
    EXPECT_EQ(session.settings(), first);
    EXPECT_FALSE(session.canUndo());
    session.redo();
    EXPECT_EQ(session.settings(), second);
    session.setSettings(third, "again");
    EXPECT_FALSE(session.canRedo());  // a new edit ends the old future
    const std::string path = scratch("undone.strobe");
    ASSERT_TRUE(session.saveNow(path).isOk());
    EXPECT_FALSE(session.isModified());
    session.undo();
    EXPECT_TRUE(session.isModified());  // the file still holds what was undone
    std::filesystem::remove(path);
}

TEST(Npz, RoundTripKeepsTypesDimsAndBytes) {
    const std::string path = scratch("round.npz");
    const std::map<std::string, WeightsPtr> arrays = {{"floats", makeFloatWeights({2, 2}, std::vector<float>{1, -2, 3.5f, 0})},
                                                      {"ints", makeInt64Weights({3}, std::vector<int64_t>{-1, 0, int64_t{1} << 40})},
                                                      {"scalar", makeFloatWeights({}, std::vector<float>{9})},
                                                      {"none", makeFloatWeights({0, 4}, {})}};
    ASSERT_TRUE(writeNpz(path, arrays).isOk());
    const auto read = readNpz(path);
    ASSERT_TRUE(read) << read.status().message();
    ASSERT_EQ(read->size(), arrays.size());
    for (const auto& [name, array] : arrays) {
        EXPECT_EQ(read->at(name)->type, array->type) << name;
        EXPECT_EQ(read->at(name)->dims, array->dims) << name;
        EXPECT_EQ(toDoubles(*read->at(name)), toDoubles(*array)) << name;
    }
    std::filesystem::remove(path);
}

std::string npy(const std::string& header, const std::string& data) {
    std::string text = header;
    text += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size() & 255) + static_cast<char>(text.size() >> 8) + text + data;
}

Result<WeightsPtr> parse(const std::string& bytes) { return parseNpy({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "a.npy"); }

TEST(Npy, MalformedBytesAreRefusedByName) {
    const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", std::string(8, '\0'));
    ASSERT_TRUE(parse(good)) << parse(good).status().message();
    for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(parse(good.substr(0, length))) << length;
    for (const char* header : {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", "{}", ""}) {
        const auto result = parse(npy(header, std::string(8, '\0')));
        EXPECT_FALSE(result) << header;
        EXPECT_NE(result.status().message().find("a.npy"), std::string::npos) << result.status().message();
    }
}

/// A terabyte of zeros that takes no room on the disk, and could not be read into memory.
TEST(Npy, InputsAreCheckedByTheirHeaders) {
    const std::string path = scratch("large.npy");
    std::ofstream(path, std::ios::binary)
        << npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 1, 8, 8), }", "");
    const auto headerBytes = std::filesystem::file_size(path);
    std::error_code error;
    std::filesystem::resize_file(path, headerBytes + (uintmax_t{1} << 40), error);
    if (error) GTEST_SKIP() << "no sparse files here: " << error.message();
    Session session(cpuKernels());
    ASSERT_TRUE(session.openModelNow(test::kSampleModel).isOk());
    const Network& model = *session.model()->parsed;
    const Status fits = checkInputFiles(model, "image:" + path).status();
    EXPECT_TRUE(fits.isOk()) << fits.message();
    const Status other = checkInputFiles(model, "picture:" + path).status();
    EXPECT_NE(other.message().find("none of which is an input of the model (image)"), std::string::npos)
        << other.message();
    std::filesystem::resize_file(path, headerBytes + 100);
    const Status cut = checkInputFiles(model, "image:" + path).status();
    EXPECT_EQ(cut.message(), path + ": the array [4294967296,1,8,8] needs 1099511627776 bytes, 100 are there");
    std::filesystem::remove(path);
}

TEST(Npz, DamagedArchives) {
    const std::string path = scratch("bad.npz");
    for (const char* content : {"", "no archive", "PK\x03\x04 cut"}) {
        std::ofstream(path, std::ios::binary) << content;
        const auto result = readNpz(path);
        EXPECT_FALSE(result);
        EXPECT_NE(result.status().message().find("bad.npz"), std::string::npos) << result.status().message();
    }
    std::filesystem::remove(path);
    EXPECT_FALSE(readNpz(path));
}

TEST(Npz, WhatIsNotWantedIsNotReadAndWhatDoesNotFitIsRefused) {
    const std::string file = scratch("wanted.npz");
    const WeightsPtr array = makeFloatWeights({2, 3}, std::vector<float>(6, 1.0f));
    ASSERT_TRUE(writeNpz(file, {{"other", array}, {"x", array}}).isOk());
    const auto wanted = [](const std::string& name, const Dims& dims) -> Result<bool> {
        EXPECT_EQ(dims, (Dims{2, 3}));
        return name == "x";
    };
    const auto some = readNpz(file, wanted);
    ASSERT_TRUE(some) << some.status().message();
    EXPECT_EQ(some->size(), 1u);
    EXPECT_EQ(toDoubles(*some->at("x")), toDoubles(*array));
    const auto none = readNpz(file, [](const std::string&, const Dims&) -> Result<bool> { return outOfRange("no"); });
    EXPECT_EQ(none.status().code(), ErrorCode::OutOfRange);
    EXPECT_EQ(none.status().message(), file + ": no");
    std::filesystem::remove(file);
}

TEST(Npz, ADamagedElementIsFound) {
    const std::string file = scratch("damaged.npz");
    ASSERT_TRUE(writeNpz(file, {{"x", makeFloatWeights({64}, std::vector<float>(64, 1.0f))}}).isOk());
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(200);  // within the elements, which are stored as they are
    bytes.put('\x55');
    bytes.close();
    const auto read = readNpz(file);
    ASSERT_FALSE(read);
    EXPECT_NE(read.status().message().find("array 'x' is damaged"), std::string::npos) << read.status().message();
    std::filesystem::remove(file);
}

TEST(Npz, TooLittleMemoryIsAnErrorAndNoEnd) {
    if (!test::kCanLimitMemory) GTEST_SKIP() << "the address sanitizer needs all addresses";
    const std::string file = scratch("large.npz");
    ASSERT_TRUE(writeNpz(file, {{"x", allocateWeights(DataType::Float32, {40000000}).first}}).isOk());
    const auto readInLittleMemory = [&] {
        if (!test::leaveMemory(std::filesystem::file_size(file) + (48u << 20))) return 1;
        const Status status = readNpz(file).status();
        return status.code() == ErrorCode::OutOfMemory && status.message().find("array 'x'") != std::string::npos ? 0
                                                                                                                  : 2;
    };
    EXPECT_EXIT(std::_Exit(readInLittleMemory()), testing::ExitedWithCode(0), "");
    std::filesystem::remove(file);
}

class SampleModel : public test::SessionTest {
protected:
    void SetUp() override { open(test::kSampleModel); }
};

TEST_F(SampleModel, AlignmentCoversEveryLayerOnce) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    const auto rows = alignBuilds(*a, *b, nullptr);
    std::multiset<int> layersA, layersB;
    double msA = 0;
    for (const Comparison::Row& row : rows) {
        layersA.insert(row.layersA.begin(), row.layersA.end());
        layersB.insert(row.layersB.begin(), row.layersB.end());
        msA += row.msA;
    }
    EXPECT_EQ(layersA.size(), a->engine->graph().layers.size());
    EXPECT_EQ(std::set<int>(layersA.begin(), layersA.end()).size(), layersA.size());
    EXPECT_EQ(layersB.size(), b->engine->graph().layers.size());
    EXPECT_EQ(std::set<int>(layersB.begin(), layersB.end()).size(), layersB.size());
    EXPECT_NEAR(msA, a->profile->layersSum, 1e-9 + 1e-6 * msA);
}

/// What a format costs to change stands in a row of its own, so that a layer's time is that of the Layers page.
TEST_F(SampleModel, LayersAndReformatsHaveRowsOfTheirOwn) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    const auto isReformatAt = [](const Build& build, int layer) {
        const CompiledGraph& graph = build.engine->graph();
        return isReformat(graph, graph.layers[static_cast<size_t>(layer)]);
    };
    int reformats = 0;
    for (const Comparison::Row& row : alignBuilds(*a, *b, nullptr)) {
        for (const auto& [build, layers, ms] :
             {std::tuple(a, row.layersA, row.msA), std::tuple(b, row.layersB, row.msB)}) {
            for (const int layer : layers) EXPECT_EQ(isReformatAt(*build, layer), row.isReformat);
            if (layers.size() != 1) continue;
            EXPECT_DOUBLE_EQ(ms, build->profile->layers[static_cast<size_t>(layers[0])].milliseconds.median);
        }
        reformats += row.isReformat ? 1 : 0;
    }
    EXPECT_GT(reformats, 0) << "BF16 converts at least the input";
}

TEST_F(SampleModel, CoarsestTypeIsWhatLayersWereBuiltIn) {
    const auto fp32 = build(PrecisionMode::Fp32), bf16 = build(PrecisionMode::Bf16), fp16 = build(PrecisionMode::Fp16);
    ASSERT_TRUE(fp32 && bf16 && fp16);
    EXPECT_EQ(coarsestType(*fp32->engine), DataType::Float32);
    EXPECT_EQ(coarsestType(*bf16->engine), DataType::BFloat16);
    EXPECT_EQ(coarsestType(*fp16->engine), DataType::Float16);  // an accuracy preview on most CPUs
    EXPECT_EQ(coarsestType(*bf16->engine, *fp16->engine), DataType::BFloat16);
    const auto comparison = m_session.compareNow(fp32->id, fp16->id, {});
    ASSERT_TRUE(comparison) << comparison.status().message();
    EXPECT_EQ((*comparison)->accuracy->coarsest, DataType::Float16);
}

TEST(DocumentJson, AccuracyRoundTrip) {
    AccuracyReport report;
    report.coarsest = DataType::Float16;
    report.inputFile = "real.npz";
    report.outputs.resize(2);
    report.outputs[0].snrDb = 45;
    report.outputs[1].tensor = "boxes";
    report.outputs[1].nonFinite = 7;
    report.outputs[1].snrDb = kNonFiniteDb;
    report.worst = {{3, 0.5, "boxes", 7}};
    const Json json = Json::parse(toJson(report).dump());
    EXPECT_EQ(json["judgement"]["verdict"], "fails");
    const AccuracyReport read = accuracyFrom(json);
    EXPECT_EQ(read.coarsest, DataType::Float16);
    ASSERT_EQ(read.outputs.size(), 2u);
    EXPECT_EQ(read.outputs[0].nonFinite, 0);
    EXPECT_EQ(read.outputs[1].nonFinite, 7);
    EXPECT_EQ(read.outputs[1].snrDb, kNonFiniteDb);
    ASSERT_EQ(read.worst.size(), 1u);
    EXPECT_EQ(read.worst[0].nonFinite, 7);
    EXPECT_EQ(judge(read).reason, judge(report).reason);
}

/// They counted NaN alone, wrote an infinite difference as null and an SNR that saw neither.
TEST(DocumentJson, AccuracyOfOlderDocuments) {
    const Json json = Json::parse(R"({"firstDiverging": -1, "samples": 1, "outputs": [
        {"tensor": "a", "maxAbs": 0.5, "maxRel": 0.01, "snrDb": 40.0, "count": 4, "nan": 0},
        {"tensor": "b", "maxAbs": null, "maxRel": null, "snrDb": 200.0, "count": 4, "nan": 0},
        {"tensor": "c", "maxAbs": 0.0, "maxRel": 0.0, "snrDb": 200.0, "count": 4, "nan": 2}]})");
    const AccuracyReport report = accuracyFrom(json);
    EXPECT_EQ(report.coarsest, DataType::Undefined);
    ASSERT_EQ(report.outputs.size(), 3u);
    EXPECT_EQ(report.outputs[0].nonFinite, 0);
    EXPECT_EQ(report.outputs[0].snrDb, 40);
    EXPECT_EQ(report.outputs[1].nonFinite, 1);
    EXPECT_EQ(report.outputs[1].snrDb, kNonFiniteDb);
    EXPECT_EQ(report.outputs[2].nonFinite, 2);
    EXPECT_EQ(judge(report).output, 1);
}

TEST_F(SampleModel, TimesOfOneCacheGetIntoNoOtherBuild) {
    const std::string first = scratch("first.cache"), second = scratch("second.cache");
    const auto timed = [&](const std::string& cache) {
        Settings settings = m_session.settings();
        settings.builder.timingCachePath = cache;
        settings.builder.optimizationLevel = 1;
        m_session.setSettings(settings, "test");
        const auto built = m_session.buildNow(false, {});
        EXPECT_TRUE(built) << built.status().message();
        return built ? (*built)->report.timedCandidates : -1;
    };
    for (const std::string& cache : {first, second}) std::filesystem::remove(cache);
    EXPECT_GT(timed(first), 0);
    EXPECT_EQ(timed(first), 0);
    EXPECT_GT(timed(""), 0) << "without a file every build measures anew";
    EXPECT_GT(timed(""), 0);
    EXPECT_GT(timed(second), 0);
    EXPECT_EQ(timed(first), 0) << "read again";
}

TEST_F(SampleModel, WhatTheCallerMeasuredIsKept) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(m_session.compareNow(a->id, b->id, {}));
    Profile profile = *a->profile;
    profile.latency.median = 42;
    profile.latency.p75 = 1e3;
    for (LayerProfile& layer : profile.layers) layer.milliseconds.median *= 7;
    profile.layersSum *= 7;
    const auto kept = m_session.keepProfile(a->id, profile);
    ASSERT_TRUE(kept) << kept.status().message();
    EXPECT_EQ((*kept)->id, a->id);
    EXPECT_EQ(m_session.build(a->id)->profile->latency.median, 42);
    EXPECT_NE(a->profile->latency.median, 42) << "a build is immutable";
    const auto isDisturbed = [&] {
        const auto all = m_session.problems();
        return std::count_if(all.begin(), all.end(), [&](const ProblemEntry& problem) {
            return problem.source == "build " + a->name && problem.message.find("disturbed") != std::string::npos;
        });
    };
    EXPECT_EQ(isDisturbed(), 1);
    ASSERT_TRUE(m_session.keepProfile(a->id, profile));
    EXPECT_EQ(isDisturbed(), 1) << "told twice";
    ASSERT_EQ(m_session.comparisons().size(), 1u);
    double sum = 0;
    for (const auto& row : m_session.comparisons()[0]->rows) sum += row.msA;
    EXPECT_NEAR(sum, profile.layersSum, 1e-6 * sum) << "it held the old times";
    AccuracyReport report;
    report.samples = 5;
    ASSERT_TRUE(m_session.keepComparison(a->id, b->id, report));
    EXPECT_EQ(m_session.comparisons().at(0)->accuracy->samples, 5);
    EXPECT_FALSE(m_session.keepProfile(99, profile));
    ASSERT_TRUE(m_session.jobs().wait(m_session.profileAgain(a->id)).isOk());
    EXPECT_NE(m_session.build(a->id)->profile->latency.median, 42);
    EXPECT_EQ(m_session.builds().size(), 2u);
    EXPECT_FALSE(m_session.jobs().wait(m_session.profileAgain(99)).isOk());
    EXPECT_FALSE(m_session.keepComparison(a->id, 99, report));
}

TEST_F(SampleModel, DocumentRoundTrip) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(m_session.compareNow(a->id, b->id, {}));
    const std::string document = path("round.strobe");
    const Status saved = m_session.saveNow(document);
    ASSERT_TRUE(saved.isOk()) << saved.message();
    EXPECT_FALSE(m_session.isModified());
    Session other(cpuKernels());
    const Status opened = other.openDocumentNow(document);
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(other.settings(), m_session.settings());
    EXPECT_EQ(other.model()->hash, m_session.model()->hash);
    ASSERT_EQ(other.builds().size(), 2u);
    EXPECT_EQ(other.builds()[1]->name, b->name);
    EXPECT_EQ(*other.builds()[1]->engine->serialize(), *b->engine->serialize());
    EXPECT_EQ(other.builds()[0]->profile->layers.size(), a->profile->layers.size());
    EXPECT_DOUBLE_EQ(other.builds()[0]->profile->latency.median, a->profile->latency.median);
    ASSERT_EQ(other.comparisons().size(), 1u);
    EXPECT_EQ(other.comparisons()[0]->accuracy->outputs.size(), 1u);
    const auto &was = m_session.comparisons()[0]->speed, &is = other.comparisons()[0]->speed;
    ASSERT_TRUE(was && is);
    EXPECT_EQ(is->rounds.size(), 3u);
    EXPECT_DOUBLE_EQ(is->speedup(), was->speedup());
    EXPECT_DOUBLE_EQ(is->rangeOfSpeedup().max, was->rangeOfSpeedup().max);
    EXPECT_EQ(is->shapes, was->shapes);
}

TEST_F(SampleModel, AnAccuracyLimitKeepsLayersInFp32AndSaysSo) {
    setQuick(10, PrecisionMode::Fp16);  // rounded alike on every CPU
    Settings settings = m_session.settings();
    settings.accuracyLimit = 1e-4;
    m_session.setSettings(settings, "limit");
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built) << built.status().message();
    const Build& limited = **built;
    EXPECT_EQ(limited.name, "FP16 within 0.01 %");
    EXPECT_EQ(limited.settings, settings);  // what was asked; what was found is the engine's
    EXPECT_FALSE(limited.engine->parts().config.precisionRules.empty());
    ASSERT_EQ(limited.notes.size(), 1u);  // the held-out digits are real data
    EXPECT_NE(limited.notes[0].message.find("stay in FP32, to keep the accuracy limit of 0.01 %"), std::string::npos)
        << limited.notes[0].message;
    const std::string document = path("limited.strobe");
    ASSERT_TRUE(m_session.saveNow(document).isOk());
    Session other(cpuKernels());
    ASSERT_TRUE(other.openDocumentNow(document).isOk());
    EXPECT_EQ(other.settings(), settings);
    EXPECT_EQ(other.builds()[0]->engine->parts().config, limited.engine->parts().config);
}

TEST_F(SampleModel, AnAccuracyLimitOnNoiseIsTold) {
    setQuick(10, PrecisionMode::Fp16);
    Settings settings = m_session.settings();
    settings.accuracyLimit = 1;
    settings.inputFile.clear();
    m_session.setSettings(settings, "limit");
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built) << built.status().message();
    ASSERT_EQ((*built)->notes.size(), 2u);
    EXPECT_EQ((*built)->notes[1].severity, BuildNote::Severity::Warning);
    EXPECT_NE((*built)->notes[1].message.find("random input"), std::string::npos);
}

TEST_F(SampleModel, Fp32HasNoUseForALimit) {
    setQuick(10);
    Settings settings = m_session.settings();
    settings.accuracyLimit = 1e-3;
    m_session.setSettings(settings, "limit");
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built) << built.status().message();
    EXPECT_EQ((*built)->name, "FP32");
    EXPECT_TRUE((*built)->notes.empty());
}

TEST_F(SampleModel, ProblemsAreThereAgainWhenASessionIsOpened) {
    ASSERT_TRUE(build());
    auto disturbed = std::make_shared<Build>(*m_session.builds().front());
    auto profile = std::make_shared<Profile>(*disturbed->profile);
    profile->latency.p75 = 3 * profile->latency.median;
    disturbed->profile = profile;
    disturbed->notes = {{BuildNote::Severity::Info, "", {2}, "array 'x' is fp64", "save it as fp32"}};
    const std::vector<ProblemEntry> before = problemsOf(*disturbed);
    ASSERT_EQ(before.size(), 2u + disturbed->report.notes.size());
    EXPECT_NE(before[0].message.find("the measurement was disturbed: single runs scatter"), std::string::npos);
    const SessionSnapshot snapshot{m_session.model(), m_session.settings(), {disturbed}, {}, {}};
    ASSERT_TRUE(saveDocument(path("a.strobe"), snapshot).isOk());
    Session other(cpuKernels());
    ASSERT_TRUE(other.openDocumentNow(path("a.strobe")).isOk());
    const auto after = other.problems();
    for (const ProblemEntry& problem : before)
        EXPECT_NE(std::find(after.begin(), after.end(), problem), after.end()) << problem.message;
    // What the model itself tells comes back too.
    Session fresh(cpuKernels());
    ASSERT_TRUE(fresh.openModelNow(test::kSampleModel).isOk());
    for (const ProblemEntry& problem : fresh.problems())
        EXPECT_NE(std::find(after.begin(), after.end(), problem), after.end()) << problem.message;
}

TEST_F(SampleModel, OpenExtentsAreToldUntilTheSettingsSayThem) {
    const auto isTold = [&] {
        for (const ProblemEntry& problem : m_session.problems())
            if (problem.message.find("leaves extents of its inputs open") != std::string::npos) return true;
        return false;
    };
    EXPECT_TRUE(isTold());
    Settings settings = m_session.settings();
    settings.shapes = {{"image", {4, 1, 8, 8}}};
    m_session.setSettings(settings, "shapes");
    EXPECT_FALSE(isTold());
    m_session.undo();
    EXPECT_TRUE(isTold());
    settings.shapes.clear();
    settings.builder.profiles = {{{{"image", {{1, 1, 8, 8}, {2, 1, 8, 8}, {4, 1, 8, 8}}}}}};
    m_session.setSettings(settings, "profile");
    EXPECT_FALSE(isTold());
}

TEST_F(SampleModel, AComparisonWhoseBuildIsRemovedMeanwhileIsDropped) {
    const auto a = build(), b = build();
    ASSERT_TRUE(a && b);
    const auto remove = [&](double) { m_session.removeBuild(b->id); };
    EXPECT_EQ(m_session.compareNow(a->id, b->id, remove).status().code(), ErrorCode::Cancelled);
    EXPECT_TRUE(m_session.comparisons().empty());
    ASSERT_TRUE(m_session.saveNow(path("a.strobe")).isOk());
    Session other(cpuKernels());
    const Status opened = other.openDocumentNow(path("a.strobe"));
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(other.builds().size(), 1u);
}

TEST_F(SampleModel, WhatChangesDuringASaveIsNotSaved) {
    ASSERT_TRUE(build());
    const std::string document = path("a.strobe");
    const auto isRunning = [&](JobId id) { return m_session.jobs().info(id)->state == JobState::Running; };
    const auto files = [&] {
        return std::distance(std::filesystem::directory_iterator(m_folder.path()),
                             std::filesystem::directory_iterator());
    };
    bool wasDuring = false;
    for (unsigned attempt = 0; attempt < 50 && !wasDuring; ++attempt) {
        std::filesystem::remove(document);
        const JobId id = m_session.saveAs(document);
        // Once there is a file, what it will hold has been taken.
        while (!m_session.jobs().isIdle() && files() == 0) std::this_thread::yield();
        Settings changed = m_session.settings();
        changed.seed = 1000 + attempt;
        m_session.setSettings(changed, "during");
        wasDuring = isRunning(id);
        ASSERT_TRUE(m_session.jobs().wait(id).isOk());
    }
    ASSERT_TRUE(wasDuring);
    EXPECT_TRUE(m_session.isModified());
    Session other(cpuKernels());
    ASSERT_TRUE(other.openDocumentNow(document).isOk());
    EXPECT_NE(other.settings().seed, m_session.settings().seed);
    ASSERT_TRUE(m_session.saveNow(document).isOk());
    EXPECT_FALSE(m_session.isModified());
}

TEST_F(SampleModel, DataThatNoInputCanTakeIsRefusedByItsShape) {
    const auto built = build();
    ASSERT_TRUE(built);
    const std::string name = built->engine->inputs().front().name;
    ASSERT_TRUE(writeNpz(path("flat.npz"), {{name, makeFloatWeights({640}, std::vector<float>(640, 0.0f))}}).isOk());
    const Status status = loadSamples(*built->engine, path("flat.npz"), {}, 1).status();
    EXPECT_EQ(status.code(), ErrorCode::InvalidArgument);
    for (const char* part : {"flat.npz: array '", "' is [640], the model takes ["})
        EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

}  // namespace
}  // namespace strobe
