#include <algorithm>
#include <set>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/import_state.h"
#include "engine_core/onnx/lifting.h"
#include "engine_core/ops/op_definition.h"
#include "onnx.pb.h"

namespace strobe {

void ImportState::warn(std::string node, std::string message, std::string fix) {
    constexpr size_t kMaxIssues = 1000;
    if (out.warnings.size() < kMaxIssues)
        out.warnings.push_back({ImportSeverity::Warning, std::move(node), std::move(message), std::move(fix)});
}

std::string normalizedDomain(const std::string& domain) {
    return domain == "ai.onnx" ? std::string() : domain;
}

std::string functionKey(const std::string& domain, const std::string& name, const std::string& overload) {
    return normalizedDomain(domain) + '\0' + name + '\0' + overload;
}

const strobe_onnx::FunctionProto* findFunction(const ImportState& state, const strobe_onnx::NodeProto& node) {
    const auto found = state.functions.find(functionKey(node.domain(), node.op_type(), node.overload()));
    return found == state.functions.end() ? nullptr : found->second;
}

OpsetMap functionOpsets(const ImportState& state, const strobe_onnx::FunctionProto& function) {
    OpsetMap opsets = state.opsets;
    for (const auto& entry : function.opset_import()) opsets[normalizedDomain(entry.domain())] = entry.version();
    return opsets;
}

NodeRoute routeOf(const ImportState& state, const strobe_onnx::NodeProto& node) {
    const std::string domain = normalizedDomain(node.domain());
    if (domain.empty() && node.op_type() == "Constant") return NodeRoute::Constant;
    const bool isFunction = findFunction(state, node) != nullptr;
    const OpDefinition* op = OpRegistry::instance().find(node.op_type());
    if (domain.empty() && op && !op->isInternal) return NodeRoute::Op;
    if (isFunction) return NodeRoute::Function;
    return hasLifter(domain, node.op_type()) ? NodeRoute::Op : NodeRoute::Unsupported;
}

std::string nodeName(const strobe_onnx::NodeProto& node, int index) {
    const std::string op = node.op_type().empty() ? "Node" : displayText(node.op_type(), 60);
    return node.name().empty() ? op + "_" + std::to_string(index) : displayText(node.name());
}

namespace {

std::string helpFor(const strobe_onnx::NodeProto& node, const std::string& domain) {
    // There are no plugins yet; a function of the model says in known ops what such a node does.
    const std::string function = "give the model a function of this name (an ONNX local function)";
    const OpRegistry& registry = OpRegistry::instance();
    if (!domain.empty() && registry.find(node.op_type()))
        return "ONNX itself has an op of this name: export it in the default domain, or " + function;
    if (domain == "com.microsoft")
        return "an onnxruntime op: export the model before onnxruntime optimises it, or " + function;
    if (!domain.empty()) return "export it as ops of ONNX, or " + function;
    const std::string nearest = registry.nearest(node.op_type());
    return (nearest.empty() ? std::string() : "nearest known op: " + nearest + "; ") + "export with opset " +
           std::to_string(kNewestOpset) + " or as ops that are served, or " + function;
}

class SupportCheck {
public:
    explicit SupportCheck(const ImportState& state) : m_state(state) {}

    template <class Nodes>
    Status check(const Nodes& nodes, const OpsetMap& opsets) {
        for (int i = 0; i < nodes.size(); ++i) {
            if (m_state.options.cancel.isCancelled()) return cancelled();
            const strobe_onnx::NodeProto& node = nodes.Get(i);
            const std::string domain = normalizedDomain(node.domain());
            const auto version = opsets.find(domain);
            const NodeRoute route = routeOf(m_state, node);
            if (route == NodeRoute::Function)
                STROBE_RETURN_IF_ERROR(checkFunction(*findFunction(m_state, node), nodeName(node, i)));
            if (route == NodeRoute::Unsupported)
                m_unsupported.push_back({nodeName(node, i), displayText(node.op_type()), displayText(domain),
                                         version == opsets.end() ? 0 : version->second, helpFor(node, domain)});
            else if (version == opsets.end() && route != NodeRoute::Function)
                return invalidModel("node '" + nodeName(node, i) + "' is of domain '" +
                                    displayText(domain.empty() ? "ai.onnx" : domain) +
                                    "', for which the model states no opset_import; export it again");
            for (const auto& attribute : node.attribute()) {
                if (attribute.has_g()) STROBE_RETURN_IF_ERROR(check(attribute.g().node(), opsets));
                for (const auto& graph : attribute.graphs()) STROBE_RETURN_IF_ERROR(check(graph.node(), opsets));
            }
        }
        return Status::ok();
    }
    std::vector<UnsupportedNode> take() { return std::move(m_unsupported); }

private:
    Status checkFunction(const strobe_onnx::FunctionProto& function, const std::string& caller) {
        if (m_open.count(&function) || m_open.size() >= kMaxFunctionDepth)
            return invalidModel("function '" + displayText(function.name()) + "' called by node '" + caller + "' " +
                                (m_open.count(&function)
                                     ? "calls itself, which ONNX does not allow"
                                     : "is nested more than " + std::to_string(kMaxFunctionDepth) + " calls deep"));
        if (!m_checked.insert(&function).second) return Status::ok();
        m_open.insert(&function);
        STROBE_RETURN_IF_ERROR(check(function.node(), functionOpsets(m_state, function)));
        m_open.erase(&function);
        return Status::ok();
    }

    const ImportState& m_state;
    std::vector<UnsupportedNode> m_unsupported;
    std::set<const strobe_onnx::FunctionProto*> m_open, m_checked;
};

}  // namespace

Result<std::vector<UnsupportedNode>> findUnsupported(const ImportState& state) {
    SupportCheck check(state);
    STROBE_RETURN_IF_ERROR(check.check(state.model.graph().node(), state.opsets));
    return check.take();
}

Status unsupportedError(const std::vector<UnsupportedNode>& nodes) {
    constexpr size_t kShown = 100;
    std::string message = std::to_string(nodes.size()) + (nodes.size() == 1 ? " node has" : " nodes have") +
                          " an op that is not available:";
    for (size_t i = 0; i < std::min(nodes.size(), kShown); ++i) {
        const UnsupportedNode& node = nodes[i];
        message += "\n  node '" + node.name + "': op '" + node.opType + "', domain '" +
                   (node.domain.empty() ? "ai.onnx" : node.domain) + "'" +
                   (node.version ? " version " + std::to_string(node.version) : std::string()) + "; " + node.help;
    }
    if (nodes.size() > kShown) message += "\n  and " + std::to_string(nodes.size() - kShown) + " more";
    return unsupported(message);
}

}  // namespace strobe
