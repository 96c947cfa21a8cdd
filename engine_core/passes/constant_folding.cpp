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

/// Empty when every output fits the budget.
std::string whyTooLarge(const Network& network, const Layer& layer, size_t budget) {
    if (layer.op->dataDependentShape) return {};
    for (TensorId output : layer.outputs) {
        const double bytes = output == kNone ? 0 : tensorBytes(network, output);
        if (bytes > static_cast<double>(budget))
            return "the folded constant '" + network.tensor(output).name + "' would take " +
                   std::to_string(static_cast<int64_t>(bytes)) + " bytes, " + std::to_string(budget) +
                   " are allowed (constant folding budget)";
    }
    return {};
}

Status fold(Network& network, const PassContext& context, LayerId id) {
    const Layer& layer = network.layer(id);
    if (!isCandidate(network, layer)) return Status::ok();
    const size_t budget = context.config.constantFoldingBudget;
    if (std::string reason = whyTooLarge(network, layer, budget); !reason.empty()) {
        context.miss(network, id, std::move(reason));
        return Status::ok();
    }
    auto results = ConstantRun(network, id, budget, context.cancel).run(context.kernels);
    if (context.cancel.isCancelled()) return cancelled();
    if (!results) {
        context.miss(network, id, "all inputs are constant, but " + results.status().message());
        return Status::ok();
    }
    const std::vector<TensorId> outputs = layer.outputs;
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
    context.record(std::move(record));
    return Status::ok();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) { return fold(network, context, id); });
}

}  // namespace

std::unique_ptr<Pass> makeConstantFolding() {
    return makePass("ConstantFolding", "Computes layers whose inputs are all constant, within the memory budget.", run);
}

}  // namespace strobe
