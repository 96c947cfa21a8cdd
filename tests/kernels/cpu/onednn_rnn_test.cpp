#include "kernels/cpu/onednn_support.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

struct RnnParameters {
    int64_t steps, batch, inputs, hidden;
    const char* direction = "forward";
    bool bias = true, states = true;
};

KernelCase makeRnn(const std::string& op, const RnnParameters& p) {
    const int64_t directions = p.direction == std::string("bidirectional") ? 2 : 1, gates = op == "LSTM" ? 4 : 3;
    KernelCase c;
    c.op = op;
    c.attributes.set("direction", std::string(p.direction));
    c.attributes.set("hidden_size", p.hidden);
    c.inputs = {{{p.steps, p.batch, p.inputs}},
                KernelInput::weights({directions, gates * p.hidden, p.inputs}),
                KernelInput::weights({directions, gates * p.hidden, p.hidden}),
                p.bias ? KernelInput::weights({directions, 2 * gates * p.hidden}) : KernelInput::absent(),
                KernelInput::absent()};
    for (int state = 0; state < (op == "LSTM" ? 2 : 1); ++state)
        c.inputs.push_back(p.states ? KernelInput{{directions, p.batch, p.hidden}} : KernelInput::absent());
    c.outputs = op == "LSTM" ? 3 : 2;
    return c;
}

const RnnParameters kRnns[] = {{1, 1, 16, 16},
                               {5, 2, 7, 9},
                               {4, 1, 12, 20, "reverse"},
                               {6, 3, 10, 8, "bidirectional"},
                               {3, 1, 8, 8, "bidirectional", false, false},
                               {2, 1, 32, 32, "forward", true, false}};

TEST(OnednnLstm, DirectionsStatesAndBiases) {
    for (const RnnParameters& p : kRnns) expectMatchesReference(makeRnn("LSTM", p), "onednn.lstm");
}

TEST(OnednnLstm, Bf16) {
    if (!onednnHasBf16()) GTEST_SKIP() << "this CPU has no BF16 arithmetic";
    for (const RnnParameters& p : kRnns) {
        KernelCase c = makeRnn("LSTM", p);
        c.floatType = DataType::BFloat16;
        c.tolerance = 0.03;
        expectMatchesReference(c, "onednn.lstm");
    }
}

TEST(OnednnGru, ResetBeforeAndAfterTheProduct) {
    for (const RnnParameters& p : kRnns)
        for (int64_t after : {0, 1}) {
            KernelCase c = makeRnn("GRU", p);
            c.attributes.set("linear_before_reset", after);
            expectMatchesReference(c, "onednn.gru");
        }
}

TEST(OnednnLstm, WhatOneDnnLacksIsDeclined) {
    KernelCase clipped = makeRnn("LSTM", kRnns[0]);
    clipped.attributes.set("clip", 1.0f);
    expectDeclines(clipped, "onednn.lstm", "clip");
    KernelCase variable = makeRnn("LSTM", kRnns[0]);
    variable.inputs[1].constant = false;
    expectDeclines(variable, "onednn.lstm", "constant");
    KernelCase other = makeRnn("LSTM", kRnns[0]);
    other.attributes.set("activations", std::vector<std::string>{"HardSigmoid", "Tanh", "Tanh"});
    expectDeclines(other, "onednn.lstm", "HardSigmoid");
    KernelCase lengths = makeRnn("LSTM", kRnns[1]);
    lengths.inputs[4] = KernelInput::integers({5, 3});
    lengths.inputs[4].type = DataType::Int32;
    expectDeclines(lengths, "onednn.lstm");
}

}  // namespace
}  // namespace strobe
