#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine_core/onnx/importer.h"
#include "engine_core/onnx/tensor_reader.h"

namespace strobe_onnx {
class AttributeProto;
class FunctionProto;
class GraphProto;
class ModelProto;
class NodeProto;
class TypeProto;
class ValueInfoProto;
}  // namespace strobe_onnx

namespace strobe {

using OpsetMap = std::map<std::string, int64_t>;  // domain ("" for ONNX's own) → version

/// What all graphs of one model share while it is imported.
struct ImportState {
    ImportState(const strobe_onnx::ModelProto& proto, TensorReader& tensors, const ImportOptions& importOptions,
                ImportedModel& result)
        : model(proto), reader(tensors), options(importOptions), out(result) {}

    const strobe_onnx::ModelProto& model;
    TensorReader& reader;
    const ImportOptions& options;
    ImportedModel& out;
    OpsetMap opsets;
    std::map<std::string, const strobe_onnx::FunctionProto*> functions;  // by functionKey()
    std::shared_ptr<std::vector<SourceNode>> sourceNodes = std::make_shared<std::vector<SourceNode>>();
    std::unordered_map<const strobe_onnx::NodeProto*, int> sourceIndex;
    std::map<std::string, std::string> symbols;  // dim_param as in the file → symbol
    std::set<std::string> symbolNames;
    int64_t importedNodes = 0;

    void warn(std::string node, std::string message, std::string fix = {});
};

/// Bodies are imported again while the shapes that a loop carries settle, functions at each call: this bounds the sum.
inline constexpr int64_t kMaxImportedNodes = int64_t{4} << 20;
inline constexpr int kMaxFunctionDepth = 32;

/// "" for "ai.onnx" too.
std::string normalizedDomain(const std::string& domain);
std::string functionKey(const std::string& domain, const std::string& name, const std::string& overload);
const strobe_onnx::FunctionProto* findFunction(const ImportState& state, const strobe_onnx::NodeProto& node);
OpsetMap functionOpsets(const ImportState& state, const strobe_onnx::FunctionProto& function);

/// How a node will be imported.
enum class NodeRoute { Constant, Op, Function, Unsupported };
NodeRoute routeOf(const ImportState& state, const strobe_onnx::NodeProto& node);

/// Every node of the model (bodies and called functions too) that has no route; empty when all have one. Errors of
/// another kind (a domain without opset, recursive functions) come as a Status.
Result<std::vector<UnsupportedNode>> findUnsupported(const ImportState& state);
Status unsupportedError(const std::vector<UnsupportedNode>& nodes);

/// Name of a node in messages: its own, or "Op_index".
std::string nodeName(const strobe_onnx::NodeProto& node, int index);

/// Attributes of a function call that its body refers to, already resolved to where they are written.
using AttributeScope = std::map<std::string, const strobe_onnx::AttributeProto*>;

/// A node's attributes with references resolved. Graphs are kept apart, sparse tensors made dense.
struct NodeAttributes {
    Attributes values;
    std::map<std::string, const strobe_onnx::GraphProto*> graphs;
};
Result<NodeAttributes> readAttributes(ImportState& state, const strobe_onnx::NodeProto& node,
                                      const AttributeScope& scope);

/// Node indices with producers first, otherwise in file order. Errors: an output defined twice, a cycle (its nodes are
/// named).
Result<std::vector<int>> orderNodes(const strobe_onnx::GraphProto& graph);
Result<std::vector<int>> orderNodes(const strobe_onnx::FunctionProto& function);
/// Names that a graph reads from outside, in order of first use.
std::vector<std::string> freeNames(const strobe_onnx::GraphProto& graph);

/// What a ValueInfo or an outer tensor says of a value.
struct ValueShape {
    DataType type = DataType::Undefined;
    Shape shape;
    bool rankKnown = false;
};
/// Undefined type when the value info states none.
Result<ValueShape> readValueInfo(ImportState& state, const strobe_onnx::ValueInfoProto& info);

/// Imports the model's main graph into state.out.network.
Status importMainGraph(ImportState& state);

}  // namespace strobe
