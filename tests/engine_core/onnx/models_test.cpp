#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "engine_core/onnx/importer.h"
#include "engine_core/ops/op_definition.h"
#include "tests/support/model_cache.h"

namespace strobe {
namespace {

// vad decides by the rank of values inside its branches which branch to take, so only folding those conditions can tell
// more.
struct RealModel {
    const char* name;
    const char* output;  // shape of output 0 as the text form shows it
};

class RealModels : public testing::TestWithParam<RealModel> {};

TEST_P(RealModels, ImportsWithTheShapeThatItsAuthorMeant) {
    const std::string file = std::string(GetParam().name) + ".onnx";
    STROBE_NEEDS_CACHED(file);
    const auto model = importOnnx((modelCache() / file).string());
    ASSERT_TRUE(model) << model.status().message();
    const Network& network = model->network;
    const Status valid = verify(network);
    EXPECT_TRUE(valid.isOk()) << valid.message();
    const Tensor& output = network.tensor(network.outputs()[0]);
    EXPECT_EQ(output.rankKnown ? toString(output.shape) : "unknown rank", GetParam().output);
    if (!output.rankKnown) return;
    int unknown = 0;
    for (LayerId id : network.topologicalOrder())
        for (TensorId tensor : network.layer(id).outputs)
            if (tensor != kNone && !network.tensor(tensor).rankKnown && unknown++ < 5)
                ADD_FAILURE() << network.tensor(tensor).name << " has no known rank";
}

INSTANTIATE_TEST_SUITE_P(
    All, RealModels,
    testing::Values(RealModel{"ocr_det",
                              "[p2o_DynamicDimension_0,1,32*floordiv(floordiv(floordiv(floordiv(floordiv(p2o_"
                              "DynamicDimension_1+1,2)+1,2)+1,2)+1,2)+1,2),32*floordiv(floordiv(floordiv(floordiv("
                              "floordiv(p2o_DynamicDimension_2+1,2)+1,2)+1,2)+1,2)+1,2)]"},
                    RealModel{"ocr_rec",
                              "[p2o_DynamicDimension_0,floordiv(floordiv(p2o_DynamicDimension_1+1,2)+1,4),6625]"},
                    RealModel{"ocr_cls", "[x_d0,2]"}, RealModel{"detector", "[1,3549,6]"},
                    RealModel{"captcha", "[floordiv(floordiv(floordiv(image_width+1,2)+1,2)+1,2),1,8210]"},
                    RealModel{"magika", "[unk__214,214]"}, RealModel{"vad", "unknown rank"},
                    RealModel{"vad16", "[u7,1]"}, RealModel{"minilm", "[batch,sequence,384]"},
                    RealModel{"light_resnet50", "[1,1000]"}, RealModel{"light_squeezenet", "[1,1000,1,1]"},
                    RealModel{"light_densenet121", "[1,1000,1,1]"}, RealModel{"light_inception_v2", "[1,1000]"},
                    RealModel{"light_shufflenet", "[1,1000]"}, RealModel{"light_vgg19", "[1,1000]"}),
    [](const auto& model) { return std::string(model.param.name); });

}  // namespace
}  // namespace strobe
