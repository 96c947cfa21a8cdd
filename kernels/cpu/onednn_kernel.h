#pragma once
#include <mutex>
#include <unordered_map>
#include <vector>

#include "kernels/cpu/onednn_support.h"

namespace strobe {

/// Where an argument of a oneDNN primitive lies when the kernel runs.
struct OnednnBuffer {
    enum class Where : uint8_t { Input, Output, Workspace, Constant };
    Where where = Where::Input;
    size_t at = 0;                         // index of input or output, or byte offset in the workspace
    std::shared_ptr<const void> constant;  // Constant: packed weights

    static OnednnBuffer input(size_t index) { return {Where::Input, index, nullptr}; }
    static OnednnBuffer output(size_t index) { return {Where::Output, index, nullptr}; }
    static OnednnBuffer packed(std::shared_ptr<const void> data) { return {Where::Constant, 0, std::move(data)}; }
};

struct OnednnArgument {
    int name = 0;  // DNNL_ARG_…
    dnnl::memory::desc desc;
    OnednnBuffer buffer;
};

/// A short list of oneDNN primitives run one after another. Steps are added in prepare(); then it is immutable.
class OnednnKernel final : public Kernel {
public:
    /// Where no output has elements, nothing runs.
    explicit OnednnKernel(const Problem& problem);

    /// Room in the workspace for a tensor between steps.
    OnednnBuffer reserve(size_t bytes);
    /// Scratchpads of the steps share memory.
    void addStep(dnnl::primitive primitive, std::vector<OnednnArgument> arguments, const dnnl::memory::desc& scratchpad,
                 std::string description);
    /// Changes layout or type; nothing to do when both are in one place at run time and descriptors are equal.
    Status addReorder(const dnnl::memory::desc& fromDesc, OnednnBuffer from, const dnnl::memory::desc& toDesc,
                      OnednnBuffer to);

    size_t workspaceBytes() const override { return m_reserved + m_scratchpad; }
    Status run(const RunArguments& arguments) const override;
    std::string description() const override { return m_description; }

private:
    struct Step {
        dnnl::primitive primitive;
        std::vector<OnednnArgument> arguments;
        dnnl::memory::desc scratchpad;
        bool isCopy = false;  // from arguments[0] to arguments[1], same descriptor
    };
    /// oneDNN's memory objects of one step, in the order of its arguments, then the scratchpad. Only their addresses
    /// change between runs.
    struct StepMemory {
        std::vector<dnnl::memory> inOrder;
        std::unordered_map<int, dnnl::memory> byName;
    };
    using MemorySet = std::vector<StepMemory>;
    static void* resolve(const OnednnBuffer& buffer, const RunArguments& arguments);
    std::unique_ptr<MemorySet> takeMemory() const;
    void giveBackMemory(std::unique_ptr<MemorySet> memory) const;
    void runStep(const Step& step, StepMemory& memory, const RunArguments& arguments) const;

    std::vector<Step> m_steps;
    mutable std::mutex m_mutex;
    mutable std::vector<std::unique_ptr<MemorySet>> m_idleMemory;  // one set for each run that was under way at once
    size_t m_reserved = 0, m_scratchpad = 0;
    int m_threads;
    bool m_isEmpty;
    std::string m_description;
};

/// What oneDNN's tactics share: its C++ interface throws from every constructor, and no exception leaves a tactic. The
/// problem's threads are set while one of these is called.
class OnednnTactic : public Tactic {
public:
    Support supports(const Problem& problem) const final;
    std::vector<Formats> candidateFormats(const Problem& problem) const final;
    bool canRunInPlace(const Problem& problem, int input, int output) const final;
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const final;

protected:
    /// As the public ones; may throw dnnl::error.
    virtual Support check(const Problem& problem) const = 0;
    virtual std::vector<Formats> formatsToTry(const Problem& problem) const {
        return Tactic::candidateFormats(problem);
    }
    virtual bool overwritesInput(const Problem&, int /*input*/, int /*output*/) const { return false; }
    virtual Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const = 0;
};

/// A kernel of one primitive from input 0 to output 0. A Plan has `x`, `y` and the primitive's descriptor `pd`.
template <class Primitive, class Plan>
Result<std::unique_ptr<Kernel>> makeUnaryKernel(const Problem& problem, const Plan& plan) {
    auto kernel = std::make_unique<OnednnKernel>(problem);
    kernel->addStep(Primitive(plan.pd),
                    {{DNNL_ARG_SRC, plan.x, OnednnBuffer::input(0)}, {DNNL_ARG_DST, plan.y, OnednnBuffer::output(0)}},
                    plan.pd.scratchpad_desc(), plan.pd.impl_info_str());
    return std::unique_ptr<Kernel>(std::move(kernel));
}

/// Names a descriptor in keys of packed weights: equal exactly where memory is laid out alike.
std::string onednnFingerprint(const dnnl::memory::desc& desc);

/// Copies a host tensor into another layout, a large one part by part, so that a request to stop is obeyed between
/// them. `what` is named in errors.
Status reorder(const std::string& what, const dnnl::memory::desc& fromDesc, const void* from,
               const dnnl::memory::desc& toDesc, void* to, const CancelToken* cancel);

/// A weight in the layout that a primitive wants: packed once for all plans when it is constant, else reordered at
/// every run. `stored` describes how input `index` lies as the problem gives it (plain; dims may be split for groups or
/// swapped for transposes).
Result<OnednnBuffer> placeWeights(const Problem& problem, size_t index, const dnnl::memory::desc& stored,
                                  const dnnl::memory::desc& wanted, const PrepareContext& context,
                                  OnednnKernel& kernel);

}  // namespace strobe
