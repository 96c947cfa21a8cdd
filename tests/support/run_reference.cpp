#include "tests/support/run_reference.h"

#include <cstring>
#include <limits>

#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

WeightsPtr aligned(const WeightsPtr& weights) {
    if (weights->type == DataType::String || reinterpret_cast<uintptr_t>(weights->data.get()) % 64 == 0) return weights;
    auto [copy, storage] = allocateWeights(weights->type, weights->dims);
    if (weights->bytes) std::memcpy(storage, weights->data.get(), weights->bytes);
    return copy;
}

/// Memory for `dims`; strings are constructed.
std::pair<WeightsPtr, void*> allocateValue(DataType type, const Dims& dims) {
    if (type != DataType::String) return allocateWeights(type, dims);
    const std::vector<std::string> strings(static_cast<size_t>(elementCount(dims)));
    WeightsPtr weights = makeWeights<std::string>(type, dims, strings);
    return {weights, const_cast<void*>(weights->data.get())};
}

class HeapAllocator final : public OutputAllocator {
public:
    explicit HeapAllocator(const std::vector<ConcreteOutput>& outputs) : m_types(outputs), values(outputs.size()) {}
    Result<void*> allocate(int index, const Dims& dims) override {
        constexpr int64_t kMost = int64_t{1} << 32;
        if (elementCount(dims) > kMost)
            return outOfRange("output " + std::to_string(index) + " would have dims " + toString(dims));
        auto [weights, storage] = allocateValue(m_types[static_cast<size_t>(index)].type, dims);
        values[static_cast<size_t>(index)] = weights;
        return storage;
    }

private:
    const std::vector<ConcreteOutput>& m_types;

public:
    std::vector<WeightsPtr> values;
};

class Interpreter {
public:
    Interpreter(const Network& network, SymbolValues symbols)
        : m_network(network), m_symbols(std::move(symbols)), m_values(static_cast<size_t>(network.tensorCount())) {}

    Result<std::vector<WeightsPtr>> run(const std::vector<WeightsPtr>& inputs, const ReferenceObserver& observer) {
        STROBE_RETURN_IF_ERROR(bindInputs(inputs));
        for (TensorId id = 0; id < m_network.tensorCount(); ++id) {
            const Tensor& tensor = m_network.tensor(id);
            if (tensor.isConstant()) m_values[static_cast<size_t>(id)] = aligned(tensor.constant);
            if (tensor.isSymbolicConstant()) STROBE_RETURN_IF_ERROR(bindSymbolic(tensor));
        }
        for (LayerId id : m_network.topologicalOrder()) {
            const Layer& layer = m_network.layer(id);
            auto outputs = runLayer(layer);
            if (!outputs) return outputs.status().withContext("node '" + layer.name + "' (" + layer.op->name + ")");
            if (observer) observer(layer, *outputs);
            for (size_t i = 0; i < layer.outputs.size(); ++i)
                if (layer.outputs[i] != kNone) m_values[static_cast<size_t>(layer.outputs[i])] = (*outputs)[i];
        }
        std::vector<WeightsPtr> results;
        for (TensorId id : m_network.outputs()) {
            results.push_back(value(id));
            if (!results.back()) return internalError("output '" + m_network.tensor(id).name + "' has no value");
        }
        return results;
    }

private:
    WeightsPtr value(TensorId id) const { return id == kNone ? nullptr : m_values[static_cast<size_t>(id)]; }

    Status bindInputs(const std::vector<WeightsPtr>& inputs) {
        if (inputs.size() != m_network.inputs().size())
            return invalidArgument(std::to_string(inputs.size()) + " inputs given, the network has " +
                                   std::to_string(m_network.inputs().size()));
        for (size_t i = 0; i < inputs.size(); ++i) {
            const Tensor& tensor = m_network.tensor(m_network.inputs()[i]);
            if (inputs[i]->type != tensor.type)
                return invalidArgument("input '" + tensor.name + "' is " + std::string(dataTypeName(inputs[i]->type)) +
                                       ", the network wants " + std::string(dataTypeName(tensor.type)));
            m_values[static_cast<size_t>(tensor.id)] = aligned(inputs[i]);
            if (!tensor.rankKnown) continue;
            if (tensor.shape.size() != inputs[i]->dims.size())
                return invalidArgument("input '" + tensor.name + "' has dims " + toString(inputs[i]->dims) +
                                       ", the network wants " + toString(tensor.shape));
            for (size_t d = 0; d < tensor.shape.size(); ++d)
                if (const auto symbol = tensor.shape[d].symbolName()) m_symbols[*symbol] = inputs[i]->dims[d];
        }
        return Status::ok();
    }

    Status bindSymbolic(const Tensor& tensor) {
        std::vector<int64_t> integers;
        for (const Dim& dim : *tensor.values) {
            const auto known = dim.evaluate(m_symbols);
            if (!known) return internalError("symbolic constant '" + tensor.name + "' has no value: " + dim.toString());
            integers.push_back(*known);
        }
        m_values[static_cast<size_t>(tensor.id)] =
            makeInt64Weights(tensor.shape.empty() ? Dims{} : Dims{static_cast<int64_t>(integers.size())}, integers);
        return Status::ok();
    }

    Result<std::vector<WeightsPtr>> runLayer(const Layer& layer) {
        if (layer.op->name == "If") return runIf(layer);
        if (layer.op->name == "Loop") return runLoop(layer);
        if (layer.op->name == "Scan") return runScan(layer);
        return runKernel(layer);
    }

    Result<std::vector<ConcreteOutput>> inferOutputs(const Layer& layer) const {
        std::vector<ConcreteInput> inputs;
        for (size_t i = 0; i < layer.inputs.size(); ++i) {
            const WeightsPtr in = value(layer.inputs[i]);
            if (!in) {
                inputs.push_back({});
                continue;
            }
            const bool wanted =
                (i < 32 && (layer.op->valueInputs >> i & 1)) || (isInteger(in->type) && in->count() <= 1024);
            inputs.push_back({true, in->type, in->dims, wanted ? in->data.get() : nullptr});
        }
        return inferConcrete(*layer.op, layer.attributes, layer.subgraphs, inputs,
                             static_cast<int>(layer.outputs.size()));
    }

    Result<std::vector<WeightsPtr>> runKernel(const Layer& layer) {
        STROBE_ASSIGN(const std::vector<ConcreteOutput> concrete, inferOutputs(layer));
        Problem problem;
        problem.op = layer.op;
        problem.attributes = &layer.attributes;
        problem.program = layer.program ? &*layer.program : nullptr;
        std::vector<TensorView> inputs, outputs;
        std::vector<WeightsPtr> alive, results(concrete.size());
        for (TensorId id : layer.inputs) {
            const WeightsPtr in = value(id);
            alive.push_back(in);
            TensorDesc desc;
            if (in) desc = {true, {in->type, Layout::Plain, MemoryKind::Host}, in->dims, in->data.get(), {}};
            problem.inputs.push_back(desc);
        }
        for (size_t i = 0; i < alive.size(); ++i)
            inputs.push_back({alive[i] ? const_cast<void*>(alive[i]->data.get()) : nullptr, &problem.inputs[i].dims});
        for (size_t i = 0; i < concrete.size(); ++i) {
            TensorDesc desc;
            desc.present = true;
            desc.format.type = concrete[i].type;
            desc.dims = concrete[i].dims;
            problem.outputs.push_back(desc);
        }
        for (size_t i = 0; i < concrete.size(); ++i) {
            void* storage = nullptr;
            if (!layer.op->dataDependentShape) {
                for (int64_t dim : concrete[i].dims)
                    if (dim < 0)
                        return internalError("output " + std::to_string(i) +
                                             " has no concrete shape: " + toString(concrete[i].dims));
                if (!concrete[i].rankKnown)
                    return internalError("output " + std::to_string(i) + " has no concrete rank");
                std::tie(results[i], storage) = allocateValue(concrete[i].type, concrete[i].dims);
            }
            outputs.push_back({storage, &problem.outputs[i].dims});
        }
        HeapAllocator allocator(concrete);
        RunArguments arguments;
        arguments.inputs = inputs;
        arguments.outputs = outputs;
        arguments.allocator = &allocator;
        STROBE_RETURN_IF_ERROR(runTactic(problem, arguments));
        for (size_t i = 0; i < results.size(); ++i)
            if (!results[i]) results[i] = allocator.values[i];
        return results;
    }

    static Status runTactic(const Problem& problem, RunArguments& arguments) {
        std::string reason = "there is no reference kernel";
        for (const Tactic* tactic : referenceRegistry().tactics(DeviceKind::Cpu, problem.op->name)) {
            const Support support = tactic->supports(problem);
            if (!support.supported) {
                reason = support.reason;
                continue;
            }
            STROBE_ASSIGN(const std::unique_ptr<Kernel> kernel, tactic->prepare(problem, {}));
            std::vector<uint64_t> workspace(kernel->workspaceBytes() / 8 + 8);
            arguments.workspace = workspace.data();
            return kernel->run(arguments);
        }
        return unsupported(reason);
    }

    Result<std::vector<WeightsPtr>> runBody(const Network& body, const std::vector<WeightsPtr>& inputs) {
        return Interpreter(body, m_symbols).run(inputs, {});
    }

    Result<std::vector<WeightsPtr>> runIf(const Layer& layer) {
        const WeightsPtr condition = value(layer.inputs[0]);
        if (!condition || condition->count() != 1) return invalidArgument("the condition must have one element");
        const bool taken = *static_cast<const uint8_t*>(condition->data.get()) != 0;
        std::vector<WeightsPtr> inputs;
        for (size_t i = 1; i < layer.inputs.size(); ++i) inputs.push_back(value(layer.inputs[i]));
        return runBody(*layer.subgraphs[taken ? 0 : 1], inputs);
    }

    /// Slices along a new axis, joined.
    static Result<WeightsPtr> stack(const std::vector<WeightsPtr>& slices, int64_t axis, bool reverse,
                                    const Tensor& declared) {
        Dims slice = slices.empty() ? Dims(declared.shape.size(), 0) : slices[0]->dims;
        if (slices.empty())
            for (size_t d = 0; d < slice.size(); ++d)
                if (declared.shape[d].isConstant()) slice[d] = declared.shape[d].constant();
        Dims dims = slice;
        if (axis < 0) axis += static_cast<int64_t>(dims.size()) + 1;
        dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<int64_t>(slices.size()));
        auto [result, storage] = allocateWeights(declared.type, dims);
        int64_t outer = 1;
        for (int64_t d = 0; d < axis; ++d) outer *= dims[static_cast<size_t>(d)];
        for (size_t k = 0; k < slices.size(); ++k) {
            const Weights& from = *slices[reverse ? slices.size() - 1 - k : k];
            if (from.dims != slice) return invalidModel("a scan output changes its shape between iterations");
            const size_t run = outer ? from.bytes / static_cast<size_t>(outer) : 0;
            for (int64_t o = 0; o < outer; ++o)
                if (run)
                    std::memcpy(static_cast<char*>(storage) + (static_cast<size_t>(o) * slices.size() + k) * run,
                                static_cast<const char*>(from.data.get()) + static_cast<size_t>(o) * run, run);
        }
        return result;
    }

    Result<std::vector<WeightsPtr>> runLoop(const Layer& layer) {
        const Network& body = *layer.subgraphs[0];
        const auto captures = static_cast<size_t>(layer.attributes.getInt("captures", 0));
        const size_t carriedCount = layer.inputs.size() - 2 - captures;
        const WeightsPtr trip = value(layer.inputs[0]), start = value(layer.inputs[1]);
        const int64_t trips = trip ? trip->copyAs<int64_t>().at(0) : std::numeric_limits<int64_t>::max();
        uint8_t condition = start ? *static_cast<const uint8_t*>(start->data.get()) : 1;
        std::vector<WeightsPtr> carried;
        for (size_t i = 0; i < carriedCount; ++i) carried.push_back(value(layer.inputs[2 + i]));
        std::vector<std::vector<WeightsPtr>> scanned(body.outputs().size() - 1 - carriedCount);
        const auto scalarDims = [&](size_t slot) {
            return body.tensor(body.inputs()[slot]).shape.empty() ? Dims{} : Dims{1};
        };
        for (int64_t iteration = 0; iteration < trips && condition; ++iteration) {
            std::vector<WeightsPtr> inputs = {
                makeInt64Weights(scalarDims(0), std::vector<int64_t>{iteration}),
                makeWeights<uint8_t>(DataType::Bool, scalarDims(1), std::vector<uint8_t>{condition})};
            inputs.insert(inputs.end(), carried.begin(), carried.end());
            for (size_t k = 0; k < captures; ++k) inputs.push_back(value(layer.inputs[2 + carriedCount + k]));
            STROBE_ASSIGN(const std::vector<WeightsPtr> outputs, runBody(body, inputs));
            condition = *static_cast<const uint8_t*>(outputs[0]->data.get());
            std::copy_n(outputs.begin() + 1, carriedCount, carried.begin());
            for (size_t k = 0; k < scanned.size(); ++k) scanned[k].push_back(outputs[1 + carriedCount + k]);
        }
        for (size_t k = 0; k < scanned.size(); ++k) {
            STROBE_ASSIGN(WeightsPtr joined,
                          stack(scanned[k], 0, false, body.tensor(body.outputs()[1 + carriedCount + k])));
            carried.push_back(std::move(joined));
        }
        return carried;
    }

    static WeightsPtr sliceAt(const Weights& whole, int64_t axis, int64_t index) {
        Dims dims = whole.dims;
        const int64_t extent = dims[static_cast<size_t>(axis)];
        dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
        auto [slice, storage] = allocateWeights(whole.type, dims);
        int64_t outer = 1;
        for (int64_t d = 0; d < axis; ++d) outer *= whole.dims[static_cast<size_t>(d)];
        const size_t run = outer ? slice->bytes / static_cast<size_t>(outer) : 0;
        for (int64_t o = 0; o < outer; ++o)
            if (run)
                std::memcpy(static_cast<char*>(storage) + static_cast<size_t>(o) * run,
                            static_cast<const char*>(whole.data.get()) + static_cast<size_t>(o * extent + index) * run,
                            run);
        return slice;
    }

    Result<std::vector<WeightsPtr>> runScan(const Layer& layer) {
        const Network& body = *layer.subgraphs[0];
        const auto captures = static_cast<size_t>(layer.attributes.getInt("captures", 0));
        const auto scanCount = static_cast<size_t>(layer.attributes.getInt("num_scan_inputs", 0));
        const size_t states = layer.inputs.size() - scanCount - captures, results = body.outputs().size() - states;
        const auto list = [&](const char* name, size_t count) {
            return layer.attributes.getInts(name, std::vector<int64_t>(count, 0));
        };
        const auto axes = list("scan_input_axes", scanCount), directions = list("scan_input_directions", scanCount);
        const auto outAxes = list("scan_output_axes", results), outDirections = list("scan_output_directions", results);
        std::vector<WeightsPtr> carried;
        for (size_t i = 0; i < states; ++i) carried.push_back(value(layer.inputs[i]));
        std::vector<std::vector<WeightsPtr>> gathered(results);
        const auto axisOf = [&](size_t k) {
            return axes[k] < 0 ? axes[k] + static_cast<int64_t>(value(layer.inputs[states + k])->dims.size()) : axes[k];
        };
        const int64_t length = value(layer.inputs[states])->dims.at(static_cast<size_t>(axisOf(0)));
        for (int64_t step = 0; step < length; ++step) {
            std::vector<WeightsPtr> inputs = carried;
            for (size_t k = 0; k < scanCount; ++k)
                inputs.push_back(
                    sliceAt(*value(layer.inputs[states + k]), axisOf(k), directions[k] ? length - 1 - step : step));
            for (size_t k = 0; k < captures; ++k) inputs.push_back(value(layer.inputs[states + scanCount + k]));
            STROBE_ASSIGN(const std::vector<WeightsPtr> outputs, runBody(body, inputs));
            std::copy_n(outputs.begin(), states, carried.begin());
            for (size_t k = 0; k < results; ++k) gathered[k].push_back(outputs[states + k]);
        }
        for (size_t k = 0; k < results; ++k) {
            STROBE_ASSIGN(WeightsPtr joined, stack(gathered[k], outAxes[k], outDirections[k] != 0,
                                                   body.tensor(body.outputs()[states + k])));
            carried.push_back(std::move(joined));
        }
        return carried;
    }

    const Network& m_network;
    SymbolValues m_symbols;
    std::vector<WeightsPtr> m_values;
};

}  // namespace

const KernelRegistry& referenceRegistry() {
    static const KernelRegistry registry = [] {
        KernelRegistry r;
        registerReferenceKernels(r);
        return r;
    }();
    return registry;
}

Result<std::vector<WeightsPtr>> runReference(const Network& network, const std::vector<WeightsPtr>& inputs,
                                             const ReferenceObserver& observer) {
    return Interpreter(network, {}).run(inputs, observer);
}

}  // namespace strobe
