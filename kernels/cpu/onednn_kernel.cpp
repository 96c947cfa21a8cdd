#include "kernels/cpu/onednn_kernel.h"

#include <algorithm>
#include <cstdio>

#include "kernels/cpu/cpu_threads.h"

namespace strobe {
namespace {

size_t roundUp(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

bool hasNoElements(const Problem& problem) {
    return std::all_of(problem.outputs.begin(), problem.outputs.end(),
                       [](const TensorDesc& desc) { return !desc.present || elementCount(desc.dims) == 0; });
}

}  // namespace

std::string onednnFingerprint(const dnnl::memory::desc& desc) {
    uint64_t hash = 1469598103934665603ull;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&desc.data);
    for (size_t i = 0; i < sizeof desc.data; ++i) hash = (hash ^ bytes[i]) * 1099511628211ull;
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
}

OnednnKernel::OnednnKernel(const Problem& problem) : m_threads(problem.threads), m_isEmpty(hasNoElements(problem)) {}

OnednnBuffer OnednnKernel::reserve(size_t bytes) {
    const OnednnBuffer buffer{OnednnBuffer::Where::Workspace, m_reserved, nullptr};
    m_reserved += roundUp(bytes);
    return buffer;
}

void OnednnKernel::addStep(dnnl::primitive primitive, std::vector<OnednnArgument> arguments,
                           const dnnl::memory::desc& scratchpad, std::string description) {
    m_scratchpad = std::max(m_scratchpad, roundUp(scratchpad.get_size()));
    m_steps.push_back({std::move(primitive), std::move(arguments), scratchpad, false});
    if (!m_description.empty()) m_description += " + ";
    m_description += description;
}

Status OnednnKernel::addReorder(const dnnl::memory::desc& fromDesc, OnednnBuffer from, const dnnl::memory::desc& toDesc,
                                OnednnBuffer to) {
    STROBE_ASSIGN(const auto pd, guardOnednn("a change of layout", [&] {
                      return dnnl::reorder::primitive_desc(onednnEngine(), fromDesc, onednnEngine(), toDesc,
                                                           onednnAttributes());
                  }));
    STROBE_ASSIGN(auto primitive, guardOnednn("a change of layout", [&] { return dnnl::reorder(pd); }));
    addStep(std::move(primitive), {{DNNL_ARG_FROM, fromDesc, std::move(from)}, {DNNL_ARG_TO, toDesc, std::move(to)}},
            pd.scratchpad_desc(), pd.impl_info_str());
    m_steps.back().isCopy = fromDesc == toDesc;
    return Status::ok();
}

void* OnednnKernel::resolve(const OnednnBuffer& buffer, const RunArguments& arguments) {
    switch (buffer.where) {
        case OnednnBuffer::Where::Input:
            return arguments.inputs[buffer.at].data;
        case OnednnBuffer::Where::Output:
            return arguments.outputs[buffer.at].data;
        case OnednnBuffer::Where::Workspace:
            return static_cast<char*>(arguments.workspace) + buffer.at;
        case OnednnBuffer::Where::Constant:
            return const_cast<void*>(buffer.constant.get());
    }
    return nullptr;
}

std::unique_ptr<OnednnKernel::MemorySet> OnednnKernel::takeMemory() const {
    {
        std::lock_guard lock(m_mutex);
        if (!m_idleMemory.empty()) {
            auto memory = std::move(m_idleMemory.back());
            m_idleMemory.pop_back();
            return memory;
        }
    }
    auto set = std::make_unique<MemorySet>();
    for (const Step& step : m_steps) {
        StepMemory memory;
        const auto add = [&](int name, const dnnl::memory::desc& desc) {
            memory.inOrder.emplace_back(desc, onednnEngine(), nullptr);
            memory.byName.emplace(name, memory.inOrder.back());
        };
        for (const OnednnArgument& argument : step.arguments) add(argument.name, argument.desc);
        if (step.scratchpad.get_size() > 0) add(DNNL_ARG_SCRATCHPAD, step.scratchpad);
        set->push_back(std::move(memory));
    }
    return set;
}

void OnednnKernel::giveBackMemory(std::unique_ptr<MemorySet> memory) const {
    std::lock_guard lock(m_mutex);
    m_idleMemory.push_back(std::move(memory));
}

void OnednnKernel::runStep(const Step& step, StepMemory& memory, const RunArguments& arguments) const {
    if (step.isCopy && resolve(step.arguments[0].buffer, arguments) == resolve(step.arguments[1].buffer, arguments))
        return;
    for (size_t i = 0; i < step.arguments.size(); ++i)
        memory.inOrder[i].set_data_handle(resolve(step.arguments[i].buffer, arguments));
    if (memory.inOrder.size() > step.arguments.size())
        memory.inOrder.back().set_data_handle(static_cast<char*>(arguments.workspace) + m_reserved);
    step.primitive.execute(onednnStream(), memory.byName);
}

Status OnednnKernel::run(const RunArguments& arguments) const {
    if (m_isEmpty) return Status::ok();
    const ThreadScope threads(m_threads);
    return guardOnednn(m_description,
                       [&] {
                           auto memory = takeMemory();
                           for (size_t i = 0; i < m_steps.size(); ++i) runStep(m_steps[i], (*memory)[i], arguments);
                           giveBackMemory(std::move(memory));
                           return true;
                       })
        .status();
}

Support OnednnTactic::supports(const Problem& problem) const {
    const ThreadScope threads(problem.threads);
    try {
        return check(problem);
    } catch (const dnnl::error& error) {
        return Support::no(statusOf(error, summary(problem)).message());
    }
}

std::vector<Tactic::Formats> OnednnTactic::candidateFormats(const Problem& problem) const {
    const ThreadScope threads(problem.threads);
    try {
        return formatsToTry(problem);
    } catch (const dnnl::error&) {
        return Tactic::candidateFormats(problem);
    }
}

bool OnednnTactic::canRunInPlace(const Problem& problem, int input, int output) const {
    const ThreadScope threads(problem.threads);
    try {
        return overwritesInput(problem, input, output);
    } catch (const dnnl::error&) {
        return false;
    }
}

Result<std::unique_ptr<Kernel>> OnednnTactic::prepare(const Problem& problem, const PrepareContext& context) const {
    const ThreadScope threads(problem.threads);
    try {
        return makeKernel(problem, context);
    } catch (const dnnl::error& error) {
        return statusOf(error, summary(problem));
    }
}

Result<OnednnBuffer> placeWeights(const Problem& problem, size_t index, const dnnl::memory::desc& stored,
                                  const dnnl::memory::desc& wanted, const PrepareContext& context,
                                  OnednnKernel& kernel) {
    const TensorDesc& tensor = problem.inputs[index];
    if (stored == wanted) return OnednnBuffer::input(index);
    if (tensor.constantKey.empty() || !tensor.constantData || !context.packedWeights) {
        OnednnBuffer packed = kernel.reserve(wanted.get_size());
        STROBE_RETURN_IF_ERROR(kernel.addReorder(stored, OnednnBuffer::input(index), wanted, packed));
        return packed;
    }
    const auto pack = [&](void* destination) {
        return guardOnednn("packing weights " + toString(tensor.dims),
                           [&] {
                               dnnl::memory from(stored, onednnEngine(), const_cast<void*>(tensor.constantData));
                               dnnl::memory to(wanted, onednnEngine(), destination);
                               dnnl::reorder(from, to).execute(onednnStream(), from, to);
                               return true;
                           })
            .status();
    };
    const std::string key = tensor.constantKey + "|onednn|" + onednnFingerprint(stored) + onednnFingerprint(wanted);
    STROBE_ASSIGN(auto data, context.packedWeights->get(key, wanted.get_size(), pack));
    return OnednnBuffer::packed(std::move(data));
}

}  // namespace strobe
