// A session of every real model is the same after it was saved and opened again.
#include <gtest/gtest.h>
#include <unistd.h>

#include "kernels/cpu/register.h"
#include "sessions/session.h"
#include "tests/support/model_cache.h"

namespace strobe {
namespace {

class RealModelSession : public testing::TestWithParam<const char*> {};

TEST_P(RealModelSession, IsTheSameAfterItWasSavedAndOpened) {
    const std::filesystem::path model = modelCache() / (std::string(GetParam()) + ".onnx");
    if (!std::filesystem::exists(model)) GTEST_SKIP() << model << " is not there; tests/run fetches it";
    const auto document = std::filesystem::path(testing::TempDir()) /
                          ("real_" + std::string(GetParam()) + std::to_string(::getpid()) + ".strobe");
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    Session session(kernels);
    const Status opened = session.openModelNow(model.string());
    ASSERT_TRUE(opened.isOk()) << opened.message();
    Settings settings = session.settings();
    settings.builder.timingCachePath.clear();
    settings.builder.optimizationLevel = 0;
    session.setSettings(settings, "test");
    const auto built = session.buildNow(false, {});
    ASSERT_TRUE(built) << built.status().message();
    const Status saved = session.saveNow(document.string());
    ASSERT_TRUE(saved.isOk()) << saved.message();

    Session other(kernels);
    const Status reopened = other.openDocumentNow(document.string());
    ASSERT_TRUE(reopened.isOk()) << reopened.message();
    ASSERT_EQ(other.builds().size(), 1u);
    const Build& build = *other.builds().front();
    const auto before = (*built)->engine->serialize(), after = build.engine->serialize();
    ASSERT_TRUE(before && after);
    EXPECT_TRUE(*before == *after) << "the engine has other bytes";
    EXPECT_EQ(build.report.fused->layerCount(), (*built)->report.fused->layerCount());
    std::filesystem::remove(document);
}

INSTANTIATE_TEST_SUITE_P(Models, RealModelSession,
                         testing::Values("ocr_det", "ocr_rec", "ocr_cls", "captcha", "magika", "vad", "vad16", "minilm",
                                         "light_squeezenet", "light_densenet121", "light_shufflenet"));

}  // namespace
}  // namespace strobe
