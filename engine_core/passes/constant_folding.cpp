#include <algorithm>
#include <map>
#include <tuple>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// Keeps what a kernel with data-dependent shapes allocates.
class FoldingAllocator final : public OutputAllocator {
public:
    FoldingAllocator(const std::vector<DataType>& types, size_t budget) : m_types(types), m_budget(budget) {}
    Result<void*> allocate(int index, const Dims& dims) override {
        const DataType type = m_types[static_cast<size_t>(index)];
        const size_t bytes = dataTypeBytes(type, elementCount(dims));
        if (bytes > m_budget) return outOfRange("its output would take " + std::to_string(bytes) + " bytes");
        auto [weights, data] = allocateWeights(type, dims);
        m_results[index] = weights;
        return data;
    }
    WeightsPtr result(int index) const {
        const auto found = m_results.find(index);
        return found == m_results.end() ? nullptr : found->second;
    }

private:
    const std::vector<DataType>& m_types;
    size_t m_budget;
    std::map<int, WeightsPtr> m_results;
};

/// One run of a layer's reference kernel on constants. Owns all that the kernel's views point to.
class ConstantRun {
public:
    ConstantRun(const Network& network, LayerId id, size_t budget, const CancelToken& cancel)
        : m_layer(network.layer(id)), m_cancel(cancel), m_allocator(m_types, budget) {
        m_problem.op = m_layer.op;
        m_problem.attributes = &m_layer.attributes;
        if (m_layer.program) m_problem.program = &*m_layer.program;
        m_dims.reserve(m_layer.inputs.size() + m_layer.outputs.size());
        for (TensorId input : m_layer.inputs) addInput(input == kNone ? nullptr : network.tensor(input).constant);
        for (TensorId output : m_layer.outputs) addOutput(output == kNone ? nullptr : &network.tensor(output));
    }

    /// One entry per output slot, null for absent ones.
    Result<std::vector<WeightsPtr>> run(const KernelRegistry& kernels) {
        const Tactic* tactic = kernels.findByName("reference." + m_layer.op->name);
        if (!tactic) return unsupported("there is no reference kernel for " + m_layer.op->name);
        if (const Support support = tactic->supports(m_problem); !support.supported) return unsupported(support.reason);
        STROBE_ASSIGN(const std::unique_ptr<Kernel> kernel, tactic->prepare(m_problem, {}));
        std::vector<uint64_t> workspace(kernel->workspaceBytes() / sizeof(uint64_t) + 8);
        auto address = reinterpret_cast<uintptr_t>(workspace.data());
        RunArguments arguments;
        arguments.inputs = m_inputViews;
        arguments.outputs = m_outputViews;
        arguments.workspace = reinterpret_cast<void*>((address + 63) / 64 * 64);
        arguments.allocator = &m_allocator;
        arguments.cancel = &m_cancel;
        STROBE_RETURN_IF_ERROR(kernel->run(arguments));
        for (size_t i = 0; i < m_results.size(); ++i)
            if (!m_results[i]) m_results[i] = m_allocator.result(static_cast<int>(i));
        return m_results;
    }

private:
    void addInput(const WeightsPtr& weights) {
        TensorDesc desc;
        TensorView view;
        if (weights) {
            const WeightsPtr aligned = alignedWeights(weights, &m_cancel);
            m_aligned.push_back(aligned);
            m_dims.push_back(weights->dims);
            desc.present = true;
            desc.format.type = weights->type;
            desc.dims = weights->dims;
            desc.constantData = aligned->data.get();
            view = {const_cast<void*>(aligned->data.get()), &m_dims.back()};
        }
        m_problem.inputs.push_back(std::move(desc));
        m_inputViews.push_back(view);
    }
    void addOutput(const Tensor* tensor) {
        TensorDesc desc;
        TensorView view;
        WeightsPtr result;
        m_types.push_back(tensor ? tensor->type : DataType::Undefined);
        if (tensor) {
            desc.present = true;
            desc.format.type = tensor->type;
            if (tensor->rankKnown && isConstant(tensor->shape)) {
                desc.dims = toDims(tensor->shape);
                m_dims.push_back(desc.dims);
                view.dims = &m_dims.back();
                if (!m_layer.op->dataDependentShape)
                    std::tie(result, view.data) = allocateWeights(tensor->type, desc.dims);
            }
        }
        m_problem.outputs.push_back(std::move(desc));
        m_outputViews.push_back(view);
        m_results.push_back(std::move(result));
    }

    const Layer& m_layer;
    const CancelToken& m_cancel;
    Problem m_problem;
    std::vector<Dims> m_dims;
    std::vector<WeightsPtr> m_aligned, m_results;
    std::vector<TensorView> m_inputViews, m_outputViews;
    std::vector<DataType> m_types;
    FoldingAllocator m_allocator;
};

std::string wholeText(double number) {
    return std::to_string(static_cast<int64_t>(number));
}

bool isCandidate(const Network& network, const Layer& layer) {
    const OpDefinition& op = *layer.op;
    // Quantised weights stay quantised: kernels want them as they are.
    if (op.nondeterministic || !layer.subgraphs.empty() || op.name == "DequantizeLinear") return false;
    const auto usable = [&](TensorId id) {
        return id == kNone || (network.tensor(id).constant && network.tensor(id).type != DataType::String);
    };
    if (layer.inputs.empty() || !std::all_of(layer.inputs.begin(), layer.inputs.end(), usable)) return false;
    return std::all_of(layer.outputs.begin(), layer.outputs.end(), [&](TensorId id) {
        return id == kNone ||
               (network.tensor(id).type != DataType::String &&
                (op.dataDependentShape || (network.tensor(id).rankKnown && isConstant(network.tensor(id).shape))));
    });
}

/// Folding is to cost seconds: what takes longer by the naive kernels is left to the fast ones. Counted in FLOP or moved
/// elements, whichever are more.
constexpr double kMostFlops = 2e10;

double outputBytes(const Network& network, const Layer& layer) {
    double bytes = 0;
    for (TensorId output : layer.outputs)
        if (output != kNone) bytes += std::max(0.0, tensorBytes(network, output));
    return bytes;
}

/// Empty when every output fits the budget, and all folded constants together what is allowed beyond the model's own.
std::string whyTooLarge(const Network& network, const Layer& layer, const PassContext& context) {
    const auto budget = static_cast<double>(context.config.constantFoldingBudget);
    for (TensorId output : layer.outputs) {
        const double bytes = output == kNone ? 0 : tensorBytes(network, output);
        if (bytes > budget)
            return "the folded constant '" + network.tensor(output).name + "' would take " + wholeText(bytes) +
                   " bytes, " + wholeText(budget) + " are allowed (constant folding budget)";
    }
    const double together = context.foldedBytes + outputBytes(network, layer);
    if (together <= budget + context.modelBytes) return {};
    return "all folded constants together would take " + wholeText(together) + " bytes, " +
           wholeText(budget + context.modelBytes) +
           " are allowed (constant folding budget and as much as the model's own constants)";
}

/// FLOP by the op's own account, and at least one for each element read or written: copies compute nothing and take time
/// all the same. Outputs that only the kernel can tell count as nothing.
double flopsOf(const Network& network, const Layer& layer) {
    std::vector<Dims> inputs, outputs;
    double moved = 0;
    for (TensorId id : layer.inputs) inputs.push_back(id == kNone ? Dims{0} : network.tensor(id).constant->dims);
    for (TensorId id : layer.outputs) {
        const bool known = id != kNone && network.tensor(id).rankKnown && isConstant(network.tensor(id).shape);
        outputs.push_back(known ? toDims(network.tensor(id).shape) : Dims{0});
    }
    for (const auto* list : {&inputs, &outputs})
        for (const Dims& dims : *list) moved += static_cast<double>(elementCount(dims));
    for (size_t i = 0; i < inputs.size(); ++i)
        if (layer.inputs[i] == kNone) inputs[i].clear();  // as flops() expects absent ones
    return std::max(moved, layer.op->flops ? layer.op->flops({layer.attributes, inputs, outputs}) : 0.0);
}

std::string whyTooSlow(double flops, const PassContext& context) {
    if (context.foldedFlops + flops <= kMostFlops) return {};
    return "computing it ahead would take " + wholeText(flops / 1e6) + " million operations, " +
           wholeText((kMostFlops - context.foldedFlops) / 1e6) + " are left for constant folding";
}

/// Counts what was made, and drops what nothing reads any more: a chain of constants need not fit the memory as a
/// whole.
void account(Network& network, PassContext& context, const std::vector<TensorId>& outputs,
             const std::vector<TensorId>& inputs, std::map<TensorId, double>& made) {
    for (TensorId output : outputs)
        if (output != kNone)
            context.foldedBytes += made[output] = static_cast<double>(network.tensor(output).constant->bytes);
    for (TensorId input : inputs) {
        const auto own = made.find(input);
        if (own == made.end() || !network.removeIfUnusedConstant(input)) continue;
        context.foldedBytes -= own->second;
        made.erase(own);
    }
}

/// `made`: bytes of the constants that this run of the pass has made.
Status fold(Network& network, PassContext& context, LayerId id, std::map<TensorId, double>& made) {
    const Layer& layer = network.layer(id);
    if (!isCandidate(network, layer)) return Status::ok();
    const double flops = flopsOf(network, layer);
    std::string reason = whyTooLarge(network, layer, context);
    if (reason.empty()) reason = whyTooSlow(flops, context);
    if (!reason.empty()) {
        context.miss(network, id, std::move(reason));
        return Status::ok();
    }
    auto results = ConstantRun(network, id, context.config.constantFoldingBudget, context.cancel).run(context.kernels);
    context.foldedFlops += flops;
    if (context.cancel.isCancelled()) return cancelled();
    if (!results) {
        context.miss(network, id, "all inputs are constant, but " + results.status().message());
        return Status::ok();
    }
    const std::vector<TensorId> outputs = layer.outputs, inputs = layer.inputs;
    for (size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i] != kNone && !(*results)[i])
            return internalError("reference." + layer.op->name + " left output " + std::to_string(i) + " empty");
    RewriteRecord record;
    record.replaced = {layer.name};
    record.provenance = layer.provenance;
    record.description = layer.op->name + ": all inputs are constant";
    for (size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i] == kNone) continue;
        if (record.result.empty()) record.result = network.tensor(outputs[i]).name;
        network.makeConstant(outputs[i], (*results)[i]);
    }
    network.removeLayer(id);
    account(network, context, outputs, inputs, made);
    context.record(std::move(record));
    return Status::ok();
}

Status run(Network& network, PassContext& context) {
    std::map<TensorId, double> made;
    return forEachLayer(network, context, [&](LayerId id) { return fold(network, context, id, made); });
}

}  // namespace

std::unique_ptr<Pass> makeConstantFolding() {
    return makePass("ConstantFolding", "Computes layers whose inputs are all constant, within the memory budget.", run);
}

}  // namespace strobe
