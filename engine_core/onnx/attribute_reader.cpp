#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/import_state.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

/// AttributeProto.type
enum OnnxKind : int {
    kUnset,
    kFloat,
    kInt,
    kString,
    kTensor,
    kGraph,
    kFloats,
    kInts,
    kStrings,
    kTensors,
    kGraphs,
    kSparse,
    kSparses,
    kType,
    kTypes
};
const char* const kKindNames[] = {"unset",          "float", "int",     "string",  "tensor", "graph",
                                  "floats",         "ints",  "strings", "tensors", "graphs", "sparse tensor",
                                  "sparse tensors", "type",  "types"};

/// The field that is set; files before IR 2 stated no type.
int kindBySetField(const strobe_onnx::AttributeProto& a) {
    if (a.has_f()) return kFloat;
    if (a.has_i()) return kInt;
    if (a.has_s()) return kString;
    if (a.has_t()) return kTensor;
    if (a.has_g()) return kGraph;
    if (a.has_sparse_tensor()) return kSparse;
    if (a.has_tp()) return kType;
    if (a.floats_size()) return kFloats;
    if (a.ints_size()) return kInts;
    if (a.strings_size()) return kStrings;
    if (a.tensors_size()) return kTensors;
    if (a.graphs_size()) return kGraphs;
    return kUnset;
}

Status addValue(ImportState& state, const strobe_onnx::AttributeProto& a, const std::string& name,
                NodeAttributes& into) {
    const int stated = a.type(), found = kindBySetField(a);
    if (stated < 0 || stated > kTypes)
        return invalidModel("has type " + std::to_string(stated) + ", 1 to 14 are allowed");
    // An empty list, or a zero that a writer left out, has no field set.
    if (stated != kUnset && found != kUnset && found != stated)
        return invalidModel(std::string("is stated as ") + kKindNames[stated] + " but holds " + kKindNames[found]);
    switch (stated == kUnset ? found : stated) {
        case kFloat:
            into.values.set(name, a.f());
            break;
        case kInt:
            into.values.set(name, static_cast<int64_t>(a.i()));
            break;
        case kString:
            into.values.set(name, a.s());
            break;
        case kFloats:
            into.values.set(name, std::vector<float>(a.floats().begin(), a.floats().end()));
            break;
        case kInts:
            into.values.set(name, std::vector<int64_t>(a.ints().begin(), a.ints().end()));
            break;
        case kStrings:
            into.values.set(name, std::vector<std::string>(a.strings().begin(), a.strings().end()));
            break;
        case kTensor: {
            STROBE_ASSIGN(const WeightsPtr weights, state.reader.read(a.t()));
            into.values.set(name, weights);
            break;
        }
        case kSparse: {
            STROBE_ASSIGN(const WeightsPtr weights, state.reader.read(a.sparse_tensor()));
            into.values.set(name, weights);
            break;
        }
        case kGraph:
            if (!a.has_g()) return invalidModel("is stated as graph but holds none");
            into.graphs[name] = &a.g();
            break;
        case kUnset:
            return invalidModel("has no value");
        default:
            return unsupported(std::string("is of kind ") + kKindNames[stated == kUnset ? found : stated] +
                               ", which no op that is served takes");
    }
    return Status::ok();
}

}  // namespace

Result<NodeAttributes> readAttributes(ImportState& state, const strobe_onnx::NodeProto& node,
                                      const AttributeScope& scope) {
    NodeAttributes attributes;
    for (const auto& attribute : node.attribute()) {
        const std::string context = "attribute '" + displayText(attribute.name()) + "'";
        if (attribute.name().empty()) return invalidModel("an attribute has no name");
        if (attributes.values.has(attribute.name()) || attributes.graphs.count(attribute.name()))
            return invalidModel(context + " is given twice");
        const strobe_onnx::AttributeProto* value = &attribute;
        if (!attribute.ref_attr_name().empty()) {
            const auto given = scope.find(attribute.ref_attr_name());
            if (given == scope.end()) continue;  // the caller left it out: the op's default holds
            value = given->second;
        }
        STROBE_RETURN_IF_ERROR(addValue(state, *value, attribute.name(), attributes).withContext(context));
    }
    return attributes;
}

}  // namespace strobe
