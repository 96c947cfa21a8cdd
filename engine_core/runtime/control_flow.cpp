#include <algorithm>
#include <cstring>
#include <limits>

#include "engine_core/runtime/graph_executor.h"

namespace strobe {
namespace {

/// A host tensor that a loop carries from one iteration to the next.
struct Carried {
    std::vector<uint8_t> bytes;
    Dims dims;
    void assign(const void* data, const Dims& newDims, DataType type) {
        const size_t size = dataTypeBytes(type, elementCount(newDims));
        bytes.resize(std::max<size_t>(size, 1));
        if (size > 0) std::memcpy(bytes.data(), data, size);
        dims = newDims;
    }
};

/// Slices along an axis, gathered one an iteration.
struct Gathered {
    std::vector<uint8_t> bytes;
    Dims sliceDims;
    int64_t count = 0;
    Status append(const void* data, const Dims& dims, DataType type) {
        if (count > 0 && dims != sliceDims)
            return invalidModel("a scan output changes its shape from " + toString(sliceDims) + " to " + toString(dims) + " between iterations");
        sliceDims = dims;
        ++count;
        const auto* first = static_cast<const uint8_t*>(data);
        bytes.insert(bytes.end(), first, first + dataTypeBytes(type, elementCount(dims)));
        return Status::ok();
    }
};

/// Moves axis 0 of a gathered [count, slice…] block to `axis`, reversing the order of slices when asked.
std::vector<uint8_t> arrange(const Gathered& gathered, int64_t axis, bool reverse, size_t elementBytes) {
    const Dims& slice = gathered.sliceDims;
    int64_t outer = 1, inner = 1;
    for (size_t d = 0; d < slice.size(); ++d) (static_cast<int64_t>(d) < axis ? outer : inner) *= slice[d];
    std::vector<uint8_t> result(gathered.bytes.size());
    const size_t run = static_cast<size_t>(inner) * elementBytes;
    for (int64_t k = 0; k < gathered.count; ++k)
        for (int64_t o = 0; o < outer; ++o) {
            const int64_t source = reverse ? gathered.count - 1 - k : k;
            std::memcpy(result.data() + static_cast<size_t>(o * gathered.count + k) * run,
                        gathered.bytes.data() + static_cast<size_t>(source * outer + o) * run, run);
        }
    return result;
}

Dims insertAxis(const Dims& slice, int64_t axis, int64_t extent) {
    Dims dims = slice;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), extent);
    return dims;
}

}  // namespace

GraphExecutor& GraphExecutor::body(int layer, size_t index) {
    auto& executor = m_bodies[{layer, index}];
    if (!executor) executor = std::make_unique<GraphExecutor>(*m_graph.layers[static_cast<size_t>(layer)].bodies[index], m_environment);
    executor->setOuterSymbols(m_symbols);
    return *executor;
}

Status GraphExecutor::bindBodyInput(GraphExecutor& executor, int index, TensorId outer) {
    STROBE_RETURN_IF_ERROR(resolveLateInput(outer));
    executor.setInput(index, pointerOf(outer), dimsOf(outer));
    return Status::ok();
}

Status GraphExecutor::storeTensor(TensorId id, const void* data, const Dims& dims) {
    if (id == kNone) return Status::ok();
    const size_t bytes = dataTypeBytes(m_graph.network.tensor(id).type, elementCount(dims));
    STROBE_ASSIGN(void* target, lateMemory(id, dims, bytes));
    if (bytes > 0 && target != data) std::memcpy(target, data, bytes);
    return Status::ok();
}

Status GraphExecutor::runControlFlow(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    RunScope inner = scope;
    ++inner.depth;
    if (layer.op->name == "If")
        STROBE_RETURN_IF_ERROR(runIf(step, inner));
    else if (layer.op->name == "Loop")
        STROBE_RETURN_IF_ERROR(runLoop(step, inner));
    else
        STROBE_RETURN_IF_ERROR(runScan(step, inner));
    const auto s = static_cast<size_t>(&step - m_plan->steps.data());
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        if (layer.outputs[o] != kNone) m_stepOutputs[s][o] = {pointerOf(layer.outputs[o]), &dimsOf(layer.outputs[o])};
    learnSymbols(layer);
    return Status::ok();
}

Status GraphExecutor::runIf(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    STROBE_RETURN_IF_ERROR(resolveLateInput(layer.inputs[0]));
    if (elementCount(dimsOf(layer.inputs[0])) != 1) return invalidArgument("the condition has " + toString(dimsOf(layer.inputs[0])) + " elements, one is needed");
    const bool condition = *static_cast<const uint8_t*>(pointerOf(layer.inputs[0])) != 0;
    GraphExecutor& branch = body(step.layer, condition ? 0 : 1);
    for (size_t i = 1; i < layer.inputs.size(); ++i) STROBE_RETURN_IF_ERROR(bindBodyInput(branch, static_cast<int>(i) - 1, layer.inputs[i]));
    STROBE_RETURN_IF_ERROR(branch.prepare());
    // Known extents: the branch writes where the result is wanted.
    for (size_t o = 0; o < layer.outputs.size(); ++o) {
        const TensorId id = layer.outputs[o];
        const Dims* dims = branch.outputDims(static_cast<int>(o));
        const bool direct = id != kNone && dims && m_plan->tensors[static_cast<size_t>(id)].kind != TensorPlace::Kind::Late && *dims == dimsOf(id);
        if (direct)
            branch.setOutput(static_cast<int>(o), pointerOf(id), dataTypeBytes(m_graph.network.tensor(id).type, elementCount(*dims)));
        else
            branch.setOutput(static_cast<int>(o), nullptr, 0);
    }
    STROBE_RETURN_IF_ERROR(branch.run(scope));
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[o], branch.outputData(static_cast<int>(o)), *branch.outputDims(static_cast<int>(o))));
    return Status::ok();
}

/// ONNX Loop: inputs M?, cond?, v…, captures…; body: iteration, cond, v…, captures… → cond, v…, scan….
Status GraphExecutor::runLoop(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    GraphExecutor& executor = body(step.layer, 0);
    const Network& bodyNetwork = executor.m_graph.network;
    const auto captures = static_cast<size_t>(layer.attributes.getInt("captures", 0));
    const size_t carriedCount = layer.inputs.size() - 2 - captures;
    for (TensorId id : layer.inputs) STROBE_RETURN_IF_ERROR(resolveLateInput(id));
    const int64_t trips = layer.inputs[0] == kNone ? std::numeric_limits<int64_t>::max() : *static_cast<const int64_t*>(pointerOf(layer.inputs[0]));
    uint8_t condition = layer.inputs[1] == kNone ? 1 : *static_cast<const uint8_t*>(pointerOf(layer.inputs[1]));
    std::vector<Carried> carried(carriedCount);
    for (size_t c = 0; c < carriedCount; ++c)
        carried[c].assign(pointerOf(layer.inputs[2 + c]), dimsOf(layer.inputs[2 + c]), m_graph.network.tensor(layer.inputs[2 + c]).type);
    std::vector<Gathered> gathered(layer.outputs.size() - carriedCount);
    int64_t iteration = 0;
    for (; iteration < trips && condition; ++iteration) {
        if (scope.cancel.isCancelled()) return cancelled();
        executor.setInput(0, &iteration, bodyNetwork.tensor(bodyNetwork.inputs()[0]).shape.empty() ? Dims{} : Dims{1});
        executor.setInput(1, &condition, bodyNetwork.tensor(bodyNetwork.inputs()[1]).shape.empty() ? Dims{} : Dims{1});
        for (size_t c = 0; c < carriedCount; ++c) executor.setInput(static_cast<int>(2 + c), carried[c].bytes.data(), carried[c].dims);
        for (size_t k = 0; k < captures; ++k)
            STROBE_RETURN_IF_ERROR(bindBodyInput(executor, static_cast<int>(2 + carriedCount + k), layer.inputs[2 + carriedCount + k]));
        STROBE_RETURN_IF_ERROR(executor.run(scope));
        const auto outputType = [&](size_t index) { return bodyNetwork.tensor(bodyNetwork.outputs()[index]).type; };
        condition = *static_cast<const uint8_t*>(executor.outputData(0));
        for (size_t c = 0; c < carriedCount; ++c)
            carried[c].assign(executor.outputData(static_cast<int>(1 + c)), *executor.outputDims(static_cast<int>(1 + c)), outputType(1 + c));
        for (size_t g = 0; g < gathered.size(); ++g) {
            const auto index = 1 + carriedCount + g;
            STROBE_RETURN_IF_ERROR(gathered[g].append(executor.outputData(static_cast<int>(index)), *executor.outputDims(static_cast<int>(index)), outputType(index)));
        }
    }
    for (size_t c = 0; c < carriedCount; ++c) STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[c], carried[c].bytes.data(), carried[c].dims));
    for (size_t g = 0; g < gathered.size(); ++g) {
        const Tensor& slice = bodyNetwork.tensor(bodyNetwork.outputs()[1 + carriedCount + g]);
        if (gathered[g].count == 0) gathered[g].sliceDims = evaluate(slice.shape, m_symbols).value_or(Dims(slice.shape.size(), 0));
        gathered[g].bytes.reserve(1);
        STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[carriedCount + g], gathered[g].bytes.data(), insertAxis(gathered[g].sliceDims, 0, gathered[g].count)));
    }
    return Status::ok();
}

/// ONNX Scan (opset 9): inputs states…, scanned…, captures…; body: states…, slices…, captures… → states…, slices….
Status GraphExecutor::runScan(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    GraphExecutor& executor = body(step.layer, 0);
    const Network& bodyNetwork = executor.m_graph.network;
    const auto captures = static_cast<size_t>(layer.attributes.getInt("captures", 0));
    const auto scanned = static_cast<size_t>(layer.attributes.getInt("num_scan_inputs", 0));
    const size_t states = layer.inputs.size() - scanned - captures;
    const size_t results = layer.outputs.size() - states;
    for (TensorId id : layer.inputs) STROBE_RETURN_IF_ERROR(resolveLateInput(id));
    const auto inputAxes = layer.attributes.getInts("scan_input_axes", std::vector<int64_t>(scanned, 0));
    const auto inputDirections = layer.attributes.getInts("scan_input_directions", std::vector<int64_t>(scanned, 0));
    const auto outputAxes = layer.attributes.getInts("scan_output_axes", std::vector<int64_t>(results, 0));
    const auto outputDirections = layer.attributes.getInts("scan_output_directions", std::vector<int64_t>(results, 0));

    // Slices of each scanned input, outermost first.
    std::vector<Gathered> slices(scanned);
    int64_t length = 0;
    for (size_t k = 0; k < scanned; ++k) {
        const TensorId id = layer.inputs[states + k];
        const Dims& dims = dimsOf(id);
        const size_t elementBytes = dataTypeBytes(m_graph.network.tensor(id).type, 1);
        const int64_t axis = inputAxes[k] < 0 ? inputAxes[k] + static_cast<int64_t>(dims.size()) : inputAxes[k];
        if (axis < 0 || axis >= static_cast<int64_t>(dims.size())) return invalidModel("attribute 'scan_input_axes' holds " + std::to_string(inputAxes[k]));
        const int64_t extent = dims[static_cast<size_t>(axis)];
        if (k > 0 && extent != length) return invalidArgument("scanned inputs have " + std::to_string(length) + " and " + std::to_string(extent) + " slices");
        length = extent;
        slices[k].count = extent;
        slices[k].sliceDims = dims;
        slices[k].sliceDims.erase(slices[k].sliceDims.begin() + static_cast<std::ptrdiff_t>(axis));
        int64_t outer = 1;
        for (int64_t d = 0; d < axis; ++d) outer *= dims[static_cast<size_t>(d)];
        const size_t run = static_cast<size_t>(outer * extent > 0 ? elementCount(dims) / (outer * extent) : 0) * elementBytes;
        slices[k].bytes.resize(std::max<size_t>(1, static_cast<size_t>(elementCount(dims)) * elementBytes));
        const auto* source = static_cast<const uint8_t*>(pointerOf(id));
        for (int64_t o = 0; o < outer; ++o)
            for (int64_t e = 0; e < extent; ++e)
                std::memcpy(slices[k].bytes.data() + static_cast<size_t>(e * outer + o) * run, source + static_cast<size_t>(o * extent + e) * run, run);
    }
    std::vector<Carried> carried(states);
    for (size_t c = 0; c < states; ++c) carried[c].assign(pointerOf(layer.inputs[c]), dimsOf(layer.inputs[c]), m_graph.network.tensor(layer.inputs[c]).type);
    std::vector<Gathered> gathered(results);
    const auto outputType = [&](size_t index) { return bodyNetwork.tensor(bodyNetwork.outputs()[index]).type; };
    for (int64_t i = 0; i < length; ++i) {
        if (scope.cancel.isCancelled()) return cancelled();
        for (size_t c = 0; c < states; ++c) executor.setInput(static_cast<int>(c), carried[c].bytes.data(), carried[c].dims);
        for (size_t k = 0; k < scanned; ++k) {
            const int64_t at = inputDirections[k] ? length - 1 - i : i;
            const size_t sliceBytes = slices[k].bytes.size() / static_cast<size_t>(length);
            executor.setInput(static_cast<int>(states + k), slices[k].bytes.data() + static_cast<size_t>(at) * sliceBytes, slices[k].sliceDims);
        }
        for (size_t k = 0; k < captures; ++k)
            STROBE_RETURN_IF_ERROR(bindBodyInput(executor, static_cast<int>(states + scanned + k), layer.inputs[states + scanned + k]));
        STROBE_RETURN_IF_ERROR(executor.run(scope));
        for (size_t c = 0; c < states; ++c) carried[c].assign(executor.outputData(static_cast<int>(c)), *executor.outputDims(static_cast<int>(c)), outputType(c));
        for (size_t g = 0; g < results; ++g)
            STROBE_RETURN_IF_ERROR(gathered[g].append(executor.outputData(static_cast<int>(states + g)), *executor.outputDims(static_cast<int>(states + g)), outputType(states + g)));
    }
    for (size_t c = 0; c < states; ++c) STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[c], carried[c].bytes.data(), carried[c].dims));
    for (size_t g = 0; g < results; ++g) {
        const Shape& sliceShape = bodyNetwork.tensor(bodyNetwork.outputs()[states + g]).shape;
        if (length == 0) gathered[g].sliceDims = evaluate(sliceShape, m_symbols).value_or(Dims(sliceShape.size(), 0));
        const auto rank = static_cast<int64_t>(gathered[g].sliceDims.size()) + 1;
        const int64_t axis = outputAxes[g] < 0 ? outputAxes[g] + rank : outputAxes[g];
        const auto arranged = arrange(gathered[g], axis, outputDirections[g] != 0, dataTypeBytes(outputType(states + g), 1));
        STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[states + g], arranged.data(), insertAxis(gathered[g].sliceDims, axis, length)));
    }
    return Status::ok();
}

}  // namespace strobe
