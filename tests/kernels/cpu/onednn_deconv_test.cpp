#include "kernels/cpu/onednn_support.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

struct DeconvParameters {
    const char* name;
    Dims x, w;
    Ints strides, pads, outputPadding, dilations, outputShape;
    int64_t group = 1;
    const char* autoPad = "";
};

KernelCase makeDeconv(const DeconvParameters& p) {
    KernelCase c;
    c.op = "ConvTranspose";
    c.attributes.set("group", p.group);
    const auto set = [&](const char* name, const Ints& values) {
        if (!values.empty()) c.attributes.set(name, values);
    };
    set("strides", p.strides);
    set("pads", p.pads);
    set("output_padding", p.outputPadding);
    set("dilations", p.dilations);
    set("output_shape", p.outputShape);
    if (*p.autoPad) c.attributes.set("auto_pad", std::string(p.autoPad));
    c.inputs = {{p.x}, KernelInput::weights(p.w), KernelInput::weights({p.w[1] * p.group})};
    return c;
}

const DeconvParameters kDeconvs[] = {
    {"doubling", {1, 24, 10, 12}, {24, 16, 2, 2}, {2, 2}},
    {"oneOutputChannel", {1, 24, 10, 12}, {24, 1, 2, 2}, {2, 2}},
    {"k3", {2, 5, 6, 7}, {5, 9, 3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"k4s2", {1, 16, 6, 6}, {16, 16, 4, 4}, {2, 2}, {1, 1, 1, 1}},
    {"outputPadding", {1, 8, 5, 5}, {8, 8, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}},
    {"asymmetric", {1, 8, 5, 5}, {8, 4, 3, 3}, {2, 2}, {0, 1, 1, 0}},
    {"dilated", {1, 4, 6, 6}, {4, 4, 3, 3}, {1, 1}, {}, {}, {2, 2}},
    {"groups", {1, 12, 5, 5}, {12, 3, 3, 3}, {2, 2}, {}, {}, {}, {}, 3},
    {"depthwise", {1, 16, 5, 5}, {16, 1, 4, 4}, {2, 2}, {1, 1, 1, 1}, {}, {}, {}, 16},
    {"sameUpper", {1, 6, 5, 5}, {6, 6, 3, 3}, {2, 2}, {}, {}, {}, {}, 1, "SAME_UPPER"},
    {"outputShape", {1, 6, 5, 5}, {6, 6, 3, 3}, {2, 2}, {}, {}, {}, {10, 9}},
    {"line", {2, 6, 9}, {6, 5, 4}, {2}, {1, 1}},
};

class OnednnDeconv : public testing::TestWithParam<DeconvParameters> {};

TEST_P(OnednnDeconv, Fp32) {
    expectMatchesReference(makeDeconv(GetParam()), "onednn.deconv");
}

TEST_P(OnednnDeconv, Bf16) {
    KernelCase c = makeDeconv(GetParam());
    c.floatType = DataType::BFloat16;
    if (!onednnHasBf16()) return expectDeclines(c, "onednn.deconv", "no BF16 arithmetic");
    expectMatchesReference(c, "onednn.deconv");
}

TEST_P(OnednnDeconv, Activation) {
    KernelCase c = makeDeconv(GetParam());
    c.program = "v1=HardSwish(v0); -> v1";
    expectMatchesReference(c, "onednn.deconv");
    c.program = "v1=Sigmoid(v0); v2=Mul(v0,v1); -> v2";
    expectMatchesReference(c, "onednn.deconv+epilogue");
}

INSTANTIATE_TEST_SUITE_P(Shapes, OnednnDeconv, testing::ValuesIn(kDeconvs),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace strobe
