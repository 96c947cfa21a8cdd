#include "engine_core/base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "engine_core/base/atomic_file.h"

namespace strobe {
namespace {

constexpr uint64_t kMapAlways = 0;

class MappedFileOnDisk : public testing::Test {
protected:
    void SetUp() override {
        m_path = (std::filesystem::temp_directory_path() / ("strobe_mapped_" + std::to_string(::getpid()))).string();
        write(std::string(5 * 4096 + 100, 'x'));
    }
    void TearDown() override { std::filesystem::remove(m_path); }
    /// Over the same file, as exporters do.
    void write(const std::string& bytes) { std::ofstream(m_path, std::ios::binary | std::ios::trunc) << bytes; }
    static size_t sum(const MappedFile& file) { return std::accumulate(file.bytes().begin(), file.bytes().end(), size_t{0}); }
    std::string m_path;
};

TEST_F(MappedFileOnDisk, ReadBytesStayWhateverBecomesOfTheFile) {
    const auto file = MappedFile::open(m_path);
    ASSERT_TRUE(file);
    const size_t before = sum(**file);
    write("y");
    EXPECT_EQ(sum(**file), before);
    EXPECT_TRUE((*file)->checkUnchanged().isOk());
}

/// Without the guard this is SIGBUS.
TEST_F(MappedFileOnDisk, CutWhileMappedReadsAsZerosAndIsTold) {
    const auto file = MappedFile::open(m_path, kMapAlways);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->checkUnchanged().isOk());
    ASSERT_EQ(::truncate(m_path.c_str(), 4096), 0);
    EXPECT_EQ(sum(**file), 4096u * 'x');
    const Status status = (*file)->checkUnchanged();
    EXPECT_EQ(status.code(), ErrorCode::IoError);
    for (const char* part : {"strobe_mapped_", "20580 bytes when it was opened, 4096 now", "open it again"}) EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST_F(MappedFileOnDisk, AnotherFileUnderTheNameLeavesTheMappedOneAlone) {
    const auto file = MappedFile::open(m_path, kMapAlways);
    ASSERT_TRUE(file);
    const std::string bytes = "new";
    ASSERT_TRUE(writeFileAtomically(m_path, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).isOk());
    EXPECT_TRUE((*file)->checkUnchanged().isOk());
    EXPECT_EQ(sum(**file), (5u * 4096 + 100) * 'x');
}

TEST_F(MappedFileOnDisk, OtherBusErrorsStillEndTheProcess) {
    // By the signal, or by whoever watched for it before (the address sanitizer).
    EXPECT_DEATH(
        {
            const auto file = MappedFile::open(m_path, kMapAlways);
            ::raise(SIGBUS);
        },
        "");
}

volatile std::sig_atomic_t g_busErrors = 0;
void countBusError(int) {
    g_busErrors = g_busErrors + 1;
}

/// Two bus errors that are not the guard's, then one that is: 0 when all went where they belong.
int passOnTwice(const std::string& path) {
    struct sigaction counting {};
    counting.sa_handler = countBusError;
    ::sigaction(SIGBUS, &counting, nullptr);
    const auto file = MappedFile::open(path, kMapAlways);
    ::raise(SIGBUS);
    ::raise(SIGBUS);
    if (g_busErrors != 2) return 1;
    if (!file || ::truncate(path.c_str(), 4096) != 0) return 2;
    const auto bytes = (*file)->bytes();
    return std::accumulate(bytes.begin(), bytes.end(), size_t{0}) == 4096u * 'x' && g_busErrors == 2 ? 0 : 3;
}

TEST_F(MappedFileOnDisk, OtherBusErrorsReachTheEarlierHandlerEachTime) {
    // A process of its own: the guard is set up once.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(std::_Exit(passOnTwice(m_path)), testing::ExitedWithCode(0), "");
    GTEST_FLAG_SET(death_test_style, "fast");
}

TEST_F(MappedFileOnDisk, CancelledReadsAndWritesLeaveNothing) {
    const CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ(MappedFile::read(m_path, &cancel).status().code(), ErrorCode::Cancelled);
    const std::vector<uint8_t> bytes(100, 'z');
    const auto names = [&] {
        std::vector<std::string> all;
        const std::filesystem::path path(m_path);
        for (const auto& entry : std::filesystem::directory_iterator(path.parent_path()))
            if (entry.path().filename().string().rfind(path.filename().string(), 0) == 0) all.push_back(entry.path().string());
        return all;
    };
    EXPECT_EQ(writeFileAtomically(m_path, bytes, &cancel).code(), ErrorCode::Cancelled);
    EXPECT_EQ(names(), (std::vector<std::string>{m_path}));
    EXPECT_EQ(std::filesystem::file_size(m_path), 5u * 4096 + 100);
    {
        AtomicFile half(m_path);
        ASSERT_TRUE(half.append(bytes).isOk());
        EXPECT_EQ(names().size(), 2u);
        EXPECT_EQ(half.commit(&cancel).code(), ErrorCode::Cancelled);
    }
    EXPECT_EQ(names(), (std::vector<std::string>{m_path}));
    EXPECT_TRUE(writeFileAtomically(m_path, bytes).isOk());
    EXPECT_EQ(std::filesystem::file_size(m_path), 100u);
}

TEST_F(MappedFileOnDisk, WhatIsNoFileIsRefused) {
    EXPECT_EQ(MappedFile::open(m_path + ".none").status().code(), ErrorCode::NotFound);
    EXPECT_EQ(MappedFile::open("/").status().code(), ErrorCode::IoError);
    const std::string fifo = m_path + ".fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(MappedFile::read(fifo).status().code(), ErrorCode::IoError);
    std::filesystem::remove(fifo);
    write("");
    const auto empty = MappedFile::open(m_path);
    ASSERT_TRUE(empty);
    EXPECT_TRUE((*empty)->bytes().empty());
}

}  // namespace
}  // namespace strobe
