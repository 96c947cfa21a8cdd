// A session of every real model is the same after it was saved and opened again.
#include <gtest/gtest.h>

#include "tests/support/model_cache.h"
#include "tests/support/session_test.h"

namespace strobe {
namespace {

class RealModelSession : public test::SessionTest, public testing::WithParamInterface<const char*> {};

TEST_P(RealModelSession, IsTheSameAfterItWasSavedAndOpened) {
    const std::string model = std::string(GetParam()) + ".onnx", document = path("model.strobe");
    STROBE_NEEDS_CACHED(model);
    open((modelCache() / model).string());
    setQuick(0);
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built) << built.status().message();
    const Status saved = m_session.saveNow(document);
    ASSERT_TRUE(saved.isOk()) << saved.message();

    Session other(cpuKernels());
    const Status reopened = other.openDocumentNow(document);
    ASSERT_TRUE(reopened.isOk()) << reopened.message();
    ASSERT_EQ(other.builds().size(), 1u);
    const Build& build = *other.builds().front();
    const auto before = (*built)->engine->serialize(), after = build.engine->serialize();
    ASSERT_TRUE(before && after);
    EXPECT_TRUE(*before == *after) << "the engine has other bytes";
    EXPECT_EQ(build.report.fused->layerCount(), (*built)->report.fused->layerCount());
}

INSTANTIATE_TEST_SUITE_P(Models, RealModelSession,
                         testing::Values("ocr_det", "ocr_rec", "ocr_cls", "captcha", "magika", "vad", "vad16", "minilm",
                                         "light_squeezenet", "light_densenet121", "light_shufflenet"));

}  // namespace
}  // namespace strobe
