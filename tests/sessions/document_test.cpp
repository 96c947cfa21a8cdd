// Session documents: older versions, damage, cancel, too little memory, a model that changed under them.
#include "sessions/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "onnx.pb.h"
#include "sessions/document_format.h"
#include "tests/support/little_memory.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/session_test.h"

namespace strobe {
namespace {

namespace fs = std::filesystem;

class Documents : public test::SessionTest {
protected:
    /// The sample with one build, saved.
    std::string savedSample() {
        open(test::kSampleModel);
        EXPECT_TRUE(build());
        const Status saved = m_session.saveNow(path("sample.strobe"));
        EXPECT_TRUE(saved.isOk()) << saved.message();
        return path("sample.strobe");
    }
    static Status openAnew(const std::string& document, const CancelToken& cancel = {}) {
        Session other(cpuKernels());
        return other.openDocumentNow(document, cancel);
    }
    static void change(const std::string& document, const std::vector<std::string>& statements) {
        auto db = Database::create(document);
        ASSERT_TRUE(db) << db.status().message();
        for (const std::string& sql : statements) {
            const Status done = db->execute(sql);
            ASSERT_TRUE(done.isOk()) << sql << ": " << done.message();
        }
    }
    static void setVersion(const std::string& document, int version) { change(document, {"PRAGMA user_version = " + std::to_string(version)}); }
    /// What version 1 or 2 wrote: the engine in one blob, and no checksum or one over other tables.
    static void makeOlder(const std::string& document, int version) {
        std::string engine;
        {
            auto db = Database::openReadOnly(document);
            ASSERT_TRUE(db);
            ASSERT_TRUE(db->query("SELECT bytes FROM engines ORDER BY rowid", {}, [&](const Database::Row& row) { return engine += row.text(0), Status::ok(); }).isOk());
        }
        change(document, {"ALTER TABLE builds RENAME TO newer",
                          "CREATE TABLE builds(id INTEGER PRIMARY KEY, name TEXT, created_at TEXT, config BLOB, extra TEXT, engine BLOB, fused BLOB, report TEXT, profile TEXT)",
                          "INSERT INTO builds SELECT id,name,created_at,config,extra,x'00',fused,report,profile FROM newer", "DROP TABLE newer", "DROP TABLE engines",
                          "DELETE FROM meta WHERE key NOT IN ('model_path', 'model_hash')"});
        auto db = Database::create(document);
        ASSERT_TRUE(db->execute("UPDATE builds SET engine=?", {Database::Value::blob(engine)}).isOk());
        const std::string checksum = secondChecksum(*db);
        if (version == 2) {
            EXPECT_TRUE(db->execute("INSERT INTO meta VALUES('checksum', ?)", {checksum}).isOk());
        }
        setVersion(document, version);
    }
    /// As version 2 computed it, from whole rows in memory.
    static std::string secondChecksum(Database& db) {
        StreamHash hash;
        for (const std::string table : {"meta", "settings", "builds", "layer_profiles", "comparisons"})
            EXPECT_TRUE(db.query("SELECT * FROM " + table + " ORDER BY rowid", {}, [&](const Database::Row& row) {
                              if (table == "meta" && row.text(0) == "checksum") return Status::ok();
                              hash.update(table.data(), table.size());
                              for (int c = 0; c < row.columns(); ++c) EXPECT_TRUE(row.addTo(hash, c, {}).isOk());
                              return Status::ok();
                          }).isOk());
        return hashText(hash.digest());
    }
    /// Changes what a document holds, with the checksum that belongs to it.
    static void changeSoundly(const std::string& document, const std::vector<std::string>& statements) {
        change(document, statements);
        auto db = Database::create(document);
        ASSERT_TRUE(db);
        const auto checksum = documentChecksum(*db, kDocumentVersion, {});
        ASSERT_TRUE(checksum);
        ASSERT_TRUE(db->execute("UPDATE meta SET value=? WHERE key='checksum'", {*checksum}).isOk());
    }
    size_t filesBeside() const {
        return static_cast<size_t>(std::distance(fs::directory_iterator(m_folder.path()), fs::directory_iterator()));
    }
};

TEST_F(Documents, OlderVersionsStillOpen) {
    const std::string document = savedSample();
    const auto engine = m_session.builds().front()->engine->serialize();
    for (const int version : {2, 1}) {
        const std::string older = path("older" + std::to_string(version) + ".strobe");
        fs::copy_file(document, older);
        makeOlder(older, version);
        Session other(cpuKernels());
        const Status opened = other.openDocumentNow(older);
        ASSERT_TRUE(opened.isOk()) << version << ": " << opened.message();
        ASSERT_EQ(other.builds().size(), 1u);
        EXPECT_EQ(*other.builds().front()->engine->serialize(), *engine);
        EXPECT_EQ(other.builds().front()->profile->layers.size(), m_session.builds().front()->profile->layers.size());
    }
}

TEST_F(Documents, TheChecksumCannotBeSkippedByAnotherVersionNumber) {
    const std::string document = savedSample();
    const std::string second = path("second.strobe");
    fs::copy_file(document, second);
    makeOlder(second, 2);
    for (const auto& [file, stated] : {std::pair{document, 2}, {document, 1}, {second, 1}, {second, 3}}) {
        const std::string flipped = path("flipped.strobe");
        fs::copy_file(file, flipped, fs::copy_options::overwrite_existing);
        setVersion(flipped, stated);
        const Status status = openAnew(flipped);
        EXPECT_EQ(status.code(), ErrorCode::InvalidModel) << file << " as " << stated;
        EXPECT_NE(status.message().find("flipped.strobe: the session is damaged"), std::string::npos) << status.message();
    }
    setVersion(document, 4);
    EXPECT_EQ(openAnew(document).code(), ErrorCode::Unsupported);
}

TEST_F(Documents, AnyChangeOfAnEngineIsFound) {
    const std::string document = savedSample(), second = path("second.strobe");
    fs::copy_file(document, second);
    makeOlder(second, 2);
    change(document, {"UPDATE engines SET bytes = zeroblob(length(bytes)) WHERE rowid = 1"});
    change(second, {"UPDATE builds SET engine = zeroblob(length(engine))"});
    for (const std::string& file : {document, second})
        EXPECT_NE(openAnew(file).message().find("its contents differ from their checksum"), std::string::npos)
            << openAnew(file).message();
}

TEST_F(Documents, CancelledSavesExportsAndOpensLeaveNothing) {
    const std::string document = savedSample();
    const CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ(m_session.saveNow(path("never.strobe"), cancel).code(), ErrorCode::Cancelled);
    EXPECT_EQ(m_session.exportEngineNow(m_session.builds().front()->id, path("never.engine"), cancel).code(),
              ErrorCode::Cancelled);
    EXPECT_EQ(openAnew(document, cancel).code(), ErrorCode::Cancelled);
    EXPECT_EQ(filesBeside(), 1u);
    EXPECT_EQ(m_session.documentPath(), document);
    EXPECT_TRUE(openAnew(document).isOk());
}

/// 0 when the document is refused for want of memory.
int openInLittleMemory(const std::string& document, const KernelRegistry& kernels) {
    // Room for the mapped document and not for its largest value beside it.
    if (!test::leaveMemory(fs::file_size(document) + (48u << 20))) return 1;
    const auto opened = loadDocument(document, kernels);
    return !opened && opened.status().code() == ErrorCode::OutOfMemory ? 0 : 2;
}

TEST_F(Documents, TooLittleMemoryIsAnErrorAndNoEnd) {
    if (!test::kCanLimitMemory) GTEST_SKIP() << "the address sanitizer needs all addresses";
    const std::string document = savedSample();
    changeSoundly(document, {"INSERT INTO engines VALUES(999, zeroblob(150000000))"});
    EXPECT_TRUE(openAnew(document).isOk());
    EXPECT_EXIT(std::_Exit(openInLittleMemory(document, cpuKernels())), testing::ExitedWithCode(0), "");
}

TEST_F(Documents, AComparisonWithoutItsBuildsIsLeftOutAndTheRestOpens) {
    const std::string document = savedSample();
    changeSoundly(document, {"INSERT INTO comparisons VALUES(1, 1, 7, '{}')"});
    Session other(cpuKernels());
    const Status opened = other.openDocumentNow(document);
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(other.builds().size(), 1u);
    EXPECT_TRUE(other.comparisons().empty());
    const auto problems = other.problems();
    EXPECT_TRUE(std::any_of(problems.begin(), problems.end(), [](const ProblemEntry& problem) {
        return problem.message.find("a comparison was left out") != std::string::npos;
    }));
}

TEST_F(Documents, FileNamesNeedNotBeUtf8) {
    const std::string odd = "d\xff\xc3", model = path(odd + ".onnx"), data = path(odd + ".npz");
    fs::copy_file(test::kSampleModel, model);
    fs::copy_file("resources/sample/digits_heldout.npz", data);
    open(model);
    Settings settings = m_session.settings();
    settings.inputFile = data;
    m_session.setSettings(settings, "data");
    const auto first = build();
    settings = m_session.settings();
    settings.builder.timingCachePath = path(odd + ".cache");
    m_session.setSettings(settings, "cache");
    ASSERT_TRUE(first);
    const auto compared = m_session.compareNow(first->id, first->id, {});
    ASSERT_TRUE(compared) << compared.status().message();
    const std::string document = path(odd + ".strobe"), engine = path(odd + ".engine");
    const Status saved = m_session.saveNow(document);
    ASSERT_TRUE(saved.isOk()) << saved.message();
    Session other(cpuKernels());
    const Status opened = other.openDocumentNow(document);
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(other.settings(), m_session.settings());
    EXPECT_EQ(other.model()->path, model);
    ASSERT_EQ(other.builds().size(), 1u);
    EXPECT_EQ(other.builds().front()->settings, first->settings);
    EXPECT_EQ(other.builds().front()->engine->parts().modelName, odd + ".onnx");
    ASSERT_EQ(other.comparisons().size(), 1u);
    EXPECT_EQ(other.comparisons().front()->accuracy->inputFile, data);
    ASSERT_TRUE(other.exportEngineNow(first->id, engine).isOk());
    const auto loaded = Engine::load(engine, cpuKernels());
    EXPECT_TRUE(loaded) << loaded.status().message();
}

/// x + w with w in a file of external data that is so large that it is mapped.
class MappedModel : public Documents {
protected:
    void SetUp() override {
        OnnxBuilder b;
        b.input("x", {1, 4096});
        strobe_onnx::TensorProto& w = b.floats("w", {4096}, std::vector<float>(4096, 1.0f));
        w.clear_float_data();
        w.clear_raw_data();
        w.set_data_location(1);  // external
        auto* entry = w.add_external_data();
        entry->set_key("location");
        entry->set_value("weights.bin");
        b.node("Add", {"x", "w"}, {"y"}, "sum");
        b.output("y");
        std::ofstream(path("model.onnx"), std::ios::binary) << b.bytes();
        writeWeights(1.0f);
        fs::resize_file(path("weights.bin"), MappedFile::kMostReadBytes + 4096);  // a hole
        open(path("model.onnx"));
        ASSERT_TRUE(build());
    }
    void writeWeights(float value) const {
        const std::vector<float> values(4096, value);
        std::fstream file(path("weights.bin"), std::ios::binary | std::ios::in | std::ios::out);
        if (!file.is_open()) file.open(path("weights.bin"), std::ios::binary | std::ios::out);
        file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
};

TEST_F(MappedModel, UnchangedIsSavedWhole) {
    ASSERT_TRUE(m_session.saveNow(path("a.strobe")).isOk());
    Session other(cpuKernels());
    ASSERT_TRUE(other.openDocumentNow(path("a.strobe")).isOk());
    EXPECT_EQ(other.builds().front()->weightsLost, "");
    EXPECT_EQ(*other.builds().front()->engine->serialize(), *m_session.builds().front()->engine->serialize());
    EXPECT_TRUE(other.exportEngineNow(other.builds().front()->id, path("a.engine")).isOk());
}

TEST_F(MappedModel, ChangedIsSavedWithoutItsWeightsAndSaysSo) {
    const auto before = m_session.builds().front();
    writeWeights(2.0f);
    const Status saved = m_session.saveNow(path("a.strobe"));
    ASSERT_TRUE(saved.isOk()) << saved.message();
    std::string told;
    for (const ProblemEntry& problem : m_session.problems())
        if (problem.source == "save") told = problem.message;
    const std::string bytes = std::to_string(fs::file_size(path("model.onnx"))) + " bytes";
    for (const std::string& part :
         {std::string("weights.bin"), path("model.onnx"), bytes, m_session.model()->hash, std::string("build anew")})
        EXPECT_NE(told.find(part), std::string::npos) << told;

    Session other(cpuKernels());
    const Status opened = other.openDocumentNow(path("a.strobe"));
    ASSERT_TRUE(opened.isOk()) << opened.message();
    const auto build = other.builds().front();
    EXPECT_EQ(build->weightsLost, told);
    EXPECT_DOUBLE_EQ(build->profile->latency.median, before->profile->latency.median);
    ASSERT_EQ(build->engine->graph().layers.size(), before->engine->graph().layers.size());
    for (const Status& refused : {other.exportEngineNow(build->id, path("a.engine")), other.compareNow(build->id, build->id, {}).status()}) {
        EXPECT_EQ(refused.code(), ErrorCode::IoError);
        EXPECT_NE(refused.message().find("has no weights any more"), std::string::npos) << refused.message();
    }
    EXPECT_FALSE(fs::exists(path("a.engine")));
    // Saved again, it still says so.
    ASSERT_TRUE(other.saveNow(path("b.strobe")).isOk());
    Session third(cpuKernels());
    ASSERT_TRUE(third.openDocumentNow(path("b.strobe")).isOk());
    EXPECT_EQ(third.builds().front()->weightsLost, told);
}

}  // namespace
}  // namespace strobe
