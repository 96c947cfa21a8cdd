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

namespace {

constexpr size_t kPartBytes = 4 * kBytesPerPoll;

/// Elements along `dim` that lie in one block; 0 where the layout is not made of blocks.
int64_t blockAlong(const dnnl::memory::desc& desc, int dim) {
    if (desc.data.format_kind != dnnl_blocked) return 0;
    const dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
    int64_t block = 1;
    for (int i = 0; i < blocking.inner_nblks; ++i)
        if (blocking.inner_idxs[i] == dim) block *= blocking.inner_blks[i];
    return block;
}

/// How a reorder is cut into parts: along which dim, in steps of how many elements. Step 0: not at all.
struct ReorderParts {
    int dim = 0;
    int64_t step = 0;
};
ReorderParts partsOf(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
    const dnnl::memory::dims dims = to.dims();
    for (int d = 0; d < static_cast<int>(dims.size()) && to.get_size() > 2 * kPartBytes; ++d) {
        const int64_t extent = dims[static_cast<size_t>(d)], a = blockAlong(from, d), b = blockAlong(to, d);
        if (a == 0 || b == 0) break;
        // Blocks are powers of two.
        const int64_t block = std::max(a, b), perPart = extent / static_cast<int64_t>(to.get_size() / kPartBytes + 1);
        if (extent % block == 0 && perPart >= block) return {d, perPart / block * block};
    }
    return {};
}

void reorderOnce(const dnnl::memory::desc& fromDesc, const void* from, const dnnl::memory::desc& toDesc, void* to) {
    dnnl::memory source(fromDesc, onednnEngine(), const_cast<void*>(from));
    dnnl::memory destination(toDesc, onednnEngine(), to);
    dnnl::reorder(source, destination).execute(onednnStream(), source, destination);
}

Status reorderParts(const dnnl::memory::desc& fromDesc, const void* from, const dnnl::memory::desc& toDesc, void* to,
                    const CancelToken* cancel) {
    const ReorderParts parts = cancel ? partsOf(fromDesc, toDesc) : ReorderParts{};
    if (isCancelled(cancel)) return cancelled();
    if (parts.step == 0) return reorderOnce(fromDesc, from, toDesc, to), Status::ok();
    dnnl::memory::dims part = toDesc.dims(), offset(part.size(), 0);
    const auto dim = static_cast<size_t>(parts.dim);
    const bool whole = inSteps(cancel, static_cast<size_t>(part[dim]), static_cast<size_t>(parts.step),
                               [&](size_t first, size_t last) {
                                   offset[dim] = static_cast<int64_t>(first);
                                   part[dim] = static_cast<int64_t>(last - first);
                                   reorderOnce(fromDesc.submemory_desc(part, offset), from,
                                               toDesc.submemory_desc(part, offset), to);
                               });
    return whole ? Status::ok() : cancelled();
}

}  // namespace

Status reorder(const std::string& what, const dnnl::memory::desc& fromDesc, const void* from,
               const dnnl::memory::desc& toDesc, void* to, const CancelToken* cancel) {
    Status status;
    const auto done = guardOnednn(what, [&] {
        status = reorderParts(fromDesc, from, toDesc, to, cancel);
        return true;
    });
    return done ? status : done.status();
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
        return reorder("packing weights " + toString(tensor.dims), stored, tensor.constantData, wanted, destination,
                       context.cancel);
    };
    const std::string key = tensor.constantKey + "|onednn|" + onednnFingerprint(stored) + onednnFingerprint(wanted);
    STROBE_ASSIGN(auto data, context.packedWeights->get(key, wanted.get_size(), pack));
    return OnednnBuffer::packed(std::move(data));
}

}  // namespace strobe
