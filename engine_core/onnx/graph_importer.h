#pragma once
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine_core/onnx/import_state.h"
#include "engine_core/onnx/lifting.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {

/// A network being filled, with its layer names.
struct NetworkTarget {
    Network network;
    std::unordered_map<std::string, int> layerNames;
    /// Unique without a search for the next free suffix: a file may give a million nodes one name.
    std::string uniqueLayerName(const std::string& wanted);
};

/// Names as one graph or function body sees them. A body sees its outer scope too; a function body does not.
struct NameScope {
    NetworkTarget* target = nullptr;
    NameScope* outer =
        nullptr;  // its target is another network: constants found there are copied, other values were captured
    std::unordered_map<std::string, TensorId> names;
    OpsetMap opsets;
    AttributeScope attributes;                                 // of the function call
    std::string prefix;                                        // of layer and tensor names within a function call
    std::unordered_map<std::string, std::string> outputNames;  // of a function: what the caller calls them
    int source = kNone;                                        // the node of the file that the function call stands for
    int depth = 0;                                             // function calls
};

/// Imports nodes into a network, one at a time in dependency order, each lifted and with its shapes inferred at once,
/// so that a lifter can look at ranks.
class GraphImporter {
public:
    explicit GraphImporter(ImportState& state) : m_state(state) {}

    Status importMain();

private:
    // One graph.
    Status addInitializers(const strobe_onnx::GraphProto& graph, NameScope& scope);
    Status addMainInputs(const strobe_onnx::GraphProto& graph, NameScope& scope);
    Status importNodes(const strobe_onnx::GraphProto& graph, NameScope& scope);
    Status markOutputs(const strobe_onnx::GraphProto& graph, NameScope& scope);
    Status checkDeclared(const strobe_onnx::ValueInfoProto& info, const Tensor& tensor, bool isOutput);

    // One node.
    Status importNode(const strobe_onnx::NodeProto& node, int index, NameScope& scope);
    Status importConstant(const strobe_onnx::NodeProto& node, NameScope& scope);
    Status importFunctionCall(const strobe_onnx::NodeProto& node, const std::string& name, int source,
                              NameScope& scope);
    Status importOp(const strobe_onnx::NodeProto& node, const std::string& name, int source, NameScope& scope);
    Status importPlaceholder(const strobe_onnx::NodeProto& node, const std::string& name, int source, NameScope& scope);
    Status addLayer(NodeLift& lift, const OpDefinition& op, const strobe_onnx::NodeProto& node,
                    std::vector<std::shared_ptr<const Network>> bodies, NameScope& scope);
    int sourceOf(const strobe_onnx::NodeProto& node, const std::string& name);

    // Control flow.
    struct Capture {
        std::string name;
        TensorId tensor = kNone;
    };
    struct Body {
        std::shared_ptr<const Network> network;
        std::vector<ValueShape> outputs;
    };
    Result<std::vector<Capture>> findCaptures(const std::vector<const strobe_onnx::GraphProto*>& graphs,
                                              NameScope& scope, const std::string& name);
    Result<Body> importBody(const strobe_onnx::GraphProto& graph, const std::vector<ValueShape>& own,
                            const std::vector<Capture>& captures, NameScope& outer);
    Result<Body> importLoopBody(const strobe_onnx::GraphProto& graph, std::vector<ValueShape> own, size_t firstCarried,
                                size_t carried, size_t firstOutput, const std::vector<Capture>& captures,
                                NameScope& outer);
    Result<std::vector<std::shared_ptr<const Network>>> importBodies(NodeLift& lift, const NodeAttributes& attributes,
                                                                     NameScope& scope);
    Result<std::vector<ValueShape>> ownBodyInputs(const NodeLift& lift, const strobe_onnx::GraphProto& body,
                                                  size_t& carried);

    /// kNone when no scope knows the name.
    static std::string tensorName(const std::string& name, const NameScope& scope);
    TensorId lookUp(const std::string& name, NameScope& scope);
    Result<std::vector<TensorId>> resolveInputs(const strobe_onnx::NodeProto& node, const std::string& name,
                                                NameScope& scope);

    ImportState& m_state;
};

/// Stands for a node without an op when ImportOptions::allowUnsupported; attribute "op_type" names what the file asked
/// for.
const OpDefinition* unsupportedOp();

}  // namespace strobe
