// ONNX's node backend cases through import, builder and runtime, as `strobe-cli verify` runs them (tests/support/node_cases.py makes them).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/cli/command_line.h"
#include "kernels/cpu/register.h"
#include "tests/support/model_cache.h"

namespace strobe {
namespace {

namespace fs = std::filesystem;

/// Of 1,884 cases of onnx 1.23; onnxruntime passes 1,571. Goes up with every op that is added, never down.
constexpr int kPassFloor = 1636;

TEST(NodeCases, PassAtLeastTheFloorAndNeverCrash) {
    STROBE_NEEDS_CACHED("node");
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const std::string folder = (modelCache() / "node").string(),
                      report = (fs::path(testing::TempDir()) / "node_cases.json").string(), flag = "--json=" + report;
    const char* arguments[] = {"verify", folder.c_str(), "--quiet", flag.c_str()};
    cli::verifyCommand(kernels, 4, arguments);
    std::ifstream file(report);
    ASSERT_TRUE(file) << "no report";
    const nlohmann::json json = nlohmann::json::parse(file);
    const auto& summary = json.at("summary");
    std::printf("NODE CASES %s\n", summary.dump().c_str());
    EXPECT_GE(summary.at("pass").get<int>(), kPassFloor);
    for (const char* status : {"wrong", "crashed", "timeout"}) EXPECT_EQ(summary.at(status).get<int>(), 0) << status;
    for (const auto& entry : json.at("cases"))
        EXPECT_EQ(entry.at("status") == "refused" && entry.at("message").get<std::string>().empty(), false) << entry.at("name");
}

}  // namespace
}  // namespace strobe
