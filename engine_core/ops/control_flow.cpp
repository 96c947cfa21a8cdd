#include "engine_core/ops/control_flow.h"

#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {

ControlFlowCounts controlFlowCounts(std::string_view op, const Attributes& attributes, int inputCount) {
    ControlFlowCounts counts;
    counts.captures = static_cast<int>(attributes.getInt("captures", 0));
    counts.own = inputCount - counts.captures;
    if (op == "Loop") counts.states = counts.own - 2;
    if (op == "Scan") {
        counts.scanned = static_cast<int>(attributes.getInt("num_scan_inputs", 0));
        counts.states = counts.own - counts.scanned;
    }
    return counts;
}

Status requireMovable(const std::string& what, DataType type, bool sliced) {
    if (type == DataType::Undefined) return Status::ok();
    if (type == DataType::String)
        return unsupported(what + " is string; If, Loop and Scan take and return numbers and bool only");
    if (sliced && dataTypeBits(type) < 8)
        return unsupported(what + " is " + std::string(dataTypeName(type)) +
                           ", whose elements share bytes; Loop and Scan slice types of whole bytes only: cast it to "
                           "int8 or uint8");
    return Status::ok();
}

namespace {

const Tensor& bodyOutput(const Network& body, int index) {
    return body.tensor(body.outputs()[static_cast<size_t>(index)]);
}

std::string countText(size_t count, const char* what) {
    return std::to_string(count) + " " + what;
}

Status requireBodies(const InferenceContext& context, size_t count) {
    if (context.subgraphs().size() == count) return Status::ok();
    return internalError("layer has " + countText(context.subgraphs().size(), "bodies") + ", " + std::to_string(count) +
                         " are needed");
}

Status requireBodyArity(const Network& body, int inputs, int outputs) {
    if (static_cast<int>(body.inputs().size()) != inputs)
        return invalidModel("body '" + body.name() + "' has " + countText(body.inputs().size(), "inputs") + ", " +
                            std::to_string(inputs) + " are needed");
    if (static_cast<int>(body.outputs().size()) < outputs)
        return invalidModel("body '" + body.name() + "' has " + countText(body.outputs().size(), "outputs") + ", " +
                            std::to_string(outputs) + " are needed");
    return Status::ok();
}

Status requireCounts(const InferenceContext& context, const ControlFlowCounts& counts) {
    if (counts.captures < 0 || counts.own < 0 || counts.states < 0 || counts.scanned < 0)
        return invalidModel("the node has " + std::to_string(context.inputCount()) +
                            " inputs, too few for what its attributes say");
    return Status::ok();
}

/// A body's symbols mean something only inside it, unless the outer shapes that it captured use them too.
std::set<std::string> outerSymbols(const InferenceContext& context) {
    std::set<std::string> symbols;
    for (int i = 0; i < context.inputCount(); ++i)
        for (const Dim& dim : context.inputShape(i)) dim.collectSymbols(symbols);
    return symbols;
}

/// The extent as seen outside: itself, or a fresh symbol when it speaks of the body's own symbols.
Dim visibleOutside(InferenceContext& context, const Dim& dim, const std::set<std::string>& outer) {
    std::set<std::string> used;
    dim.collectSymbols(used);
    for (const std::string& symbol : used)
        if (outer.find(symbol) == outer.end()) return context.freshSymbol();
    return dim;
}

Status inferIf(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireBodies(context, 2));
    const Network &then = *context.subgraphs()[0], &otherwise = *context.subgraphs()[1];
    const ControlFlowCounts counts = controlFlowCounts("If", context.attributes(), context.inputCount());
    STROBE_RETURN_IF_ERROR(requireCounts(context, counts));
    if (counts.own != 1)
        return invalidModel("If has " + std::to_string(counts.own) + " own inputs, one (the condition) is needed");
    STROBE_RETURN_IF_ERROR(requireType(context, 0, kBoolType));
    for (const Network* body : {&then, &otherwise})
        STROBE_RETURN_IF_ERROR(requireBodyArity(*body, counts.captures, context.outputCount()));
    const std::set<std::string> outer = outerSymbols(context);
    for (int i = 0; i < context.outputCount(); ++i) {
        const Tensor &a = bodyOutput(then, i), &b = bodyOutput(otherwise, i);
        if (a.type != b.type)
            return invalidModel("output " + std::to_string(i) + " is " + std::string(dataTypeName(a.type)) +
                                " in one branch and " + std::string(dataTypeName(b.type)) + " in the other");
        STROBE_RETURN_IF_ERROR(requireMovable("output " + std::to_string(i), a.type, false));
        if (!a.rankKnown || !b.rankKnown || a.shape.size() != b.shape.size()) {
            context.setOutputUnknownRank(i, a.type);
            continue;
        }
        Shape y;
        for (size_t d = 0; d < a.shape.size(); ++d)
            y.push_back(a.shape[d] == b.shape[d] ? visibleOutside(context, a.shape[d], outer) : context.freshSymbol());
        context.setOutput(i, a.type, std::move(y));
    }
    return Status::ok();
}

/// A value that is carried from one iteration to the next keeps its type; extents that the body may change become fresh
/// symbols.
Status inferCarried(InferenceContext& context, int input, int output, const Tensor& next) {
    const DataType type = context.inputType(input);
    if (type != next.type && type != DataType::Undefined && next.type != DataType::Undefined)
        return invalidModel("carried value " + std::to_string(output) + " enters as " +
                            std::string(dataTypeName(type)) + ", the body returns " +
                            std::string(dataTypeName(next.type)));
    for (DataType moved : {type, next.type})
        STROBE_RETURN_IF_ERROR(requireMovable("carried value " + std::to_string(output), moved, false));
    const Shape& initial = context.inputShape(input);
    if (!next.rankKnown || next.shape.size() != initial.size()) {
        context.setOutputUnknownRank(output, type);
        return Status::ok();
    }
    Shape y;
    for (size_t d = 0; d < initial.size(); ++d)
        y.push_back(next.shape[d] == initial[d] ? initial[d] : context.freshSymbol());
    context.setOutput(output, type, std::move(y));
    return Status::ok();
}

/// One element a turn, stacked at `axis`.
Status inferStacked(InferenceContext& context, int output, const Tensor& slice, const Dim& turns, int64_t axis,
                    const std::set<std::string>& outer) {
    STROBE_RETURN_IF_ERROR(requireMovable("scan output " + std::to_string(output), slice.type, true));
    if (!slice.rankKnown) {
        context.setOutputUnknownRank(output, slice.type);
        return Status::ok();
    }
    STROBE_ASSIGN(const int64_t place, normalizeAxis(axis, static_cast<int64_t>(slice.shape.size()) + 1));
    Shape y;
    for (const Dim& dim : slice.shape) y.push_back(visibleOutside(context, dim, outer));
    y.insert(y.begin() + place, turns);
    context.setOutput(output, slice.type, std::move(y));
    return Status::ok();
}

Status inferLoop(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireBodies(context, 1));
    const Network& body = *context.subgraphs()[0];
    const ControlFlowCounts counts = controlFlowCounts("Loop", context.attributes(), context.inputCount());
    STROBE_RETURN_IF_ERROR(requireCounts(context, counts));
    STROBE_RETURN_IF_ERROR(requireBodyArity(body, 2 + counts.states + counts.captures, 1 + context.outputCount()));
    if (context.hasInput(0) && context.inputType(0) != DataType::Int64)
        return invalidModel("input 0 (the trip count) is " + std::string(dataTypeName(context.inputType(0))) +
                            ", int64 is needed");
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kBoolType));
    if (bodyOutput(body, 0).type != DataType::Bool)
        return invalidModel("output 0 of body '" + body.name() + "' (the condition) is " +
                            std::string(dataTypeName(bodyOutput(body, 0).type)) + ", bool is needed");
    if (context.outputCount() < counts.states)
        return invalidModel("the node has " + std::to_string(context.outputCount()) + " outputs for " +
                            std::to_string(counts.states) + " carried values");
    for (int i = 0; i < counts.states; ++i)
        STROBE_RETURN_IF_ERROR(inferCarried(context, 2 + i, i, bodyOutput(body, 1 + i)));
    const std::set<std::string> outer = outerSymbols(context);
    if (context.outputCount() == counts.states) return Status::ok();
    const Dim turns = context.freshSymbol();
    for (int i = counts.states; i < context.outputCount(); ++i)
        STROBE_RETURN_IF_ERROR(inferStacked(context, i, bodyOutput(body, 1 + i), turns, 0, outer));
    return Status::ok();
}

/// Value `index` of an attribute with one int a scanned tensor.
int64_t axisAt(const Attributes& attributes, const char* name, int index) {
    const std::vector<int64_t> axes = attributes.getInts(name);
    return index < static_cast<int>(axes.size()) ? axes[static_cast<size_t>(index)] : 0;
}

/// Number of turns: the common extent of the scanned inputs.
Result<Dim> scanTurns(InferenceContext& context, const ControlFlowCounts& counts) {
    std::optional<Dim> turns;
    for (int i = 0; i < counts.scanned; ++i) {
        STROBE_RETURN_IF_ERROR(
            requireMovable("scan input " + std::to_string(i), context.inputType(counts.states + i), true));
        const Shape& x = context.inputShape(counts.states + i);
        STROBE_ASSIGN(const int64_t axis, normalizeAxis(axisAt(context.attributes(), "scan_input_axes", i),
                                                        static_cast<int64_t>(x.size())));
        const Dim& extent = x[static_cast<size_t>(axis)];
        if (turns && turns->isConstant() && extent.isConstant() && *turns != extent)
            return invalidModel("scanned inputs have " + turns->toString() + " and " + extent.toString() +
                                " elements along their scan axes");
        if (!turns || extent.isConstant()) turns = extent;
    }
    if (!turns) return invalidModel("attribute 'num_scan_inputs' is 0, 1 or more is needed");
    return *turns;
}

Status inferScan(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireBodies(context, 1));
    const Network& body = *context.subgraphs()[0];
    const ControlFlowCounts counts = controlFlowCounts("Scan", context.attributes(), context.inputCount());
    STROBE_RETURN_IF_ERROR(requireCounts(context, counts));
    STROBE_RETURN_IF_ERROR(requireBodyArity(body, counts.own + counts.captures, context.outputCount()));
    if (context.outputCount() < counts.states)
        return invalidModel("the node has " + std::to_string(context.outputCount()) + " outputs for " +
                            std::to_string(counts.states) + " states");
    STROBE_ASSIGN(const Dim turns, scanTurns(context, counts));
    for (int i = 0; i < counts.states; ++i) STROBE_RETURN_IF_ERROR(inferCarried(context, i, i, bodyOutput(body, i)));
    const std::set<std::string> outer = outerSymbols(context);
    for (int i = counts.states; i < context.outputCount(); ++i)
        STROBE_RETURN_IF_ERROR(inferStacked(context, i, bodyOutput(body, i), turns,
                                            axisAt(context.attributes(), "scan_output_axes", i - counts.states),
                                            outer));
    return Status::ok();
}

OpDefinition controlOp(const char* name, int minInputs, Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::ControlFlow;
    op.minInputs = minInputs;
    op.maxInputs = OpDefinition::kVariadic;
    op.maxOutputs = OpDefinition::kVariadic;
    op.attributes = {{"captures", AttributeKind::Int}};
    op.dataDependentShape = true;
    op.infer = infer;
    return op;
}

}  // namespace

STROBE_OPS(control_flow) {
    OpDefinition branch = controlOp("If", 1, inferIf);
    branch.attributes.insert(branch.attributes.end(), {{"else_branch", AttributeKind::Graph, true},
                                                       {"then_branch", AttributeKind::Graph, true}});
    OpDefinition loop = controlOp("Loop", 0, inferLoop);  // trip count and condition have their slots but may be absent
    loop.minOutputs = 0;
    loop.attributes.push_back({"body", AttributeKind::Graph, true});
    OpDefinition scan = controlOp("Scan", 1, inferScan);
    scan.attributes.push_back({"body", AttributeKind::Graph, true});
    scan.attributes.push_back({"num_scan_inputs", AttributeKind::Int, true});
    for (const char* name : {"scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"})
        scan.attributes.push_back({name, AttributeKind::Ints});
    registry.add(std::move(branch));
    registry.add(std::move(loop));
    registry.add(std::move(scan));
}

}  // namespace strobe
