// oneDNN's interface throws: nothing that a model can ask may let an exception out of a tactic.
#include <cstddef>

#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

struct Layer {
    const char* op;
    std::vector<Dims> inputs, outputs;
    std::vector<int64_t> kernel;
    bool constantWeights = false;
};

const Layer kLayers[] = {
    {"Conv", {{1, 8, 6, 6}, {8, 8, 3, 3}, {8}}, {{1, 8, 4, 4}}, {3, 3}},
    {"Conv", {{1, 8, 6, 6}, {8, 8, 3, 3}, {8}}, {{1, 8, 4, 4}}, {3, 3}, true},
    {"ConvTranspose", {{1, 8, 6, 6}, {8, 8, 3, 3}, {8}}, {{1, 8, 8, 8}}, {3, 3}},
    {"MatMul", {{2, 4, 8}, {8, 5}}, {{2, 4, 5}}, {}},
    {"Gemm", {{4, 8}, {8, 5}, {5}}, {{4, 5}}, {}, true},
    {"MaxPool", {{1, 8, 6, 6}}, {{1, 8, 4, 4}}, {3, 3}},
    {"AveragePool", {{1, 8, 6, 6}}, {{1, 8, 4, 4}}, {3, 3}},
    {"GlobalAveragePool", {{1, 8, 6, 6}}, {{1, 8, 1, 1}}, {}},
    {"Softmax", {{4, 8, 3}}, {{4, 8, 3}}, {}},
    {"LSTM", {{5, 2, 3}, {1, 16, 3}, {1, 16, 4}, {1, 32}}, {{5, 1, 2, 4}}, {}, true},
    {"GRU", {{5, 2, 3}, {1, 12, 3}, {1, 12, 4}, {1, 24}}, {{5, 1, 2, 4}}, {}, true},
    {"Reformat", {{2, 8, 6, 6}}, {{2, 8, 6, 6}}, {}},
};

constexpr size_t kConstantBytes = 1 << 16;

/// Asks everything that may be asked of a tactic short of running.
class HostileProblem {
public:
    explicit HostileProblem(const Layer& layer) : m_zeros(kConstantBytes) {
        m_problem.op = OpRegistry::instance().get(layer.op);
        m_problem.attributes = &m_attributes;
        if (!layer.kernel.empty()) m_attributes.set("kernel_shape", layer.kernel);
        if (m_problem.op->name == "LSTM" || m_problem.op->name == "GRU")
            m_attributes.set("hidden_size", layer.outputs[0].back());
        for (const Dims& dims : layer.inputs)
            m_problem.inputs.push_back({true, {DataType::Float32}, dims, nullptr, {}});
        for (const Dims& dims : layer.outputs)
            m_problem.outputs.push_back({true, {DataType::Float32}, dims, nullptr, {}});
        for (size_t i = 1; layer.constantWeights && i < m_problem.inputs.size(); ++i) {
            m_problem.inputs[i].constantData = m_zeros.data();
            m_problem.inputs[i].constantKey = "w" + std::to_string(i);
        }
    }

    size_t tensors() const { return m_problem.inputs.size() + m_problem.outputs.size(); }
    TensorDesc& tensor(size_t i) {
        return i < m_problem.inputs.size() ? m_problem.inputs[i] : m_problem.outputs[i - m_problem.inputs.size()];
    }

    /// True when some tactic supported it.
    bool ask() const {
        bool supported = false;
        for (const Tactic* tactic : cpuKernels().tactics(DeviceKind::Cpu, m_problem.op->name)) {
            if (tactic->name().rfind("onednn.", 0) != 0) continue;
            std::fprintf(stderr, "%s %s\n", std::string(tactic->name()).c_str(), describe(m_problem).c_str());
            SCOPED_TRACE(std::string(tactic->name()) + " " + describe(m_problem));
            supported = askOne(*tactic, m_problem) || supported;
            EXPECT_NO_THROW({
                for (const Tactic::Formats& formats : tactic->candidateFormats(m_problem))
                    askOne(*tactic, withFormats(m_problem, formats));
            });
        }
        return supported;
    }

private:
    static bool fits(const Problem& problem) {
        size_t largest = 0;
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list) largest = std::max(largest, storedBytes(desc.dims, desc.format));
        return largest <= kConstantBytes;
    }
    static bool askOne(const Tactic& tactic, const Problem& problem) {
        Support support;
        EXPECT_NO_THROW({
            support = tactic.supports(problem);
            (void)tactic.canRunInPlace(problem, 0, 0);
            if (support.supported && fits(problem)) {
                PackedWeightsCache cache;
                const auto kernel = tactic.prepare(problem, {&cache, nullptr});
                EXPECT_TRUE(kernel) << kernel.status().message();
            }
        });
        EXPECT_NE(support.supported, !support.reason.empty());
        return support.supported;
    }

    std::vector<std::byte> m_zeros;
    Attributes m_attributes;
    Problem m_problem;
};

TEST(OnednnHostile, WholeProblemsAreSupported) {
    for (const Layer& layer : kLayers) EXPECT_TRUE(HostileProblem(layer).ask()) << layer.op;
}

TEST(OnednnHostile, AbsurdExtents) {
    for (const Layer& layer : kLayers)
        for (size_t t = 0; t < HostileProblem(layer).tensors(); ++t)
            for (size_t d = 0; d < HostileProblem(layer).tensor(t).dims.size(); ++d)
                for (int64_t extent :
                     {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{7}, int64_t{1} << 30, int64_t{INT32_MAX},
                      int64_t{1} << 31, int64_t{1} << 47, int64_t{1} << 61, INT64_MAX, INT64_MIN}) {
                    HostileProblem problem(layer);
                    problem.tensor(t).dims[d] = extent;
                    problem.ask();
                }
}

TEST(OnednnHostile, EveryTensorAbsurd) {
    for (const Layer& layer : kLayers)
        for (int64_t extent : {int64_t{-1}, int64_t{0}, int64_t{1} << 12, int64_t{1} << 31, INT64_MAX}) {
            HostileProblem problem(layer);
            for (size_t t = 0; t < problem.tensors(); ++t)
                for (int64_t& own : problem.tensor(t).dims) own = extent;
            EXPECT_FALSE(problem.ask() && (extent < 0 || extent > INT32_MAX)) << layer.op;
        }
}

TEST(OnednnHostile, FormatsThatDoNotFit) {
    for (const Layer& layer : kLayers)
        for (size_t t = 0; t < HostileProblem(layer).tensors(); ++t) {
            for (Layout layout : {Layout::ChannelsLast, Layout::Blocked8, Layout::Blocked16}) {
                HostileProblem problem(layer);
                problem.tensor(t).format.layout = layout;
                problem.ask();
            }
            for (DataType type : {DataType::BFloat16, DataType::Float16, DataType::Float64, DataType::Int8,
                                  DataType::Int64, DataType::Bool, DataType::String, DataType::Int4}) {
                HostileProblem problem(layer);
                problem.tensor(t).format.type = type;
                problem.ask();
            }
            HostileProblem device(layer);
            device.tensor(t).format.memory = MemoryKind::Device;
            EXPECT_FALSE(device.ask()) << layer.op;
        }
}

TEST(OnednnHostile, RanksPastTheLibrarys) {
    for (size_t rank : {size_t{0}, size_t{1}, size_t{6}, size_t{12}, size_t{13}, size_t{65}}) {
        HostileProblem softmax({"Softmax", {Dims(rank, 1)}, {Dims(rank, 1)}, {}});
        softmax.ask();
        HostileProblem reformat({"Reformat", {Dims(rank, 2)}, {Dims(rank, 2)}, {}});
        reformat.ask();
    }
    HostileProblem product({"MatMul", {Dims(13, 2), Dims(13, 2)}, {Dims(13, 2)}, {}});
    EXPECT_FALSE(product.ask());
}

/// oneDNN takes 32 post-ops and throws at the next.
TEST(OnednnHostile, MorePostOpsThanTheLibraryTakes) {
    KernelCase c;
    c.op = "Conv";
    c.inputs = {{{1, 8, 6, 6}}, KernelInput::weights({8, 8, 3, 3}), KernelInput::absent()};
    for (int i = 1; i <= 40; ++i)
        c.program += "v" + std::to_string(i) + (i % 2 ? "=Tanh(v" : "=Sigmoid(v") + std::to_string(i - 1) + "); ";
    c.program += "-> v40";
    expectDeclines(c, "onednn.conv");
    expectMatchesReference(c, "onednn.conv+epilogue");
}

}  // namespace
}  // namespace strobe
