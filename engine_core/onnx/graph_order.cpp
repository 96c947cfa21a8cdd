#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_set>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/import_state.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

template <class Nodes>
class Order {
public:
    explicit Order(const Nodes& nodes) : m_nodes(nodes) {}

    Result<std::vector<int>> run() {
        STROBE_RETURN_IF_ERROR(findProducers());
        const auto count = static_cast<size_t>(m_nodes.size());
        m_readers.resize(count);
        std::vector<int> waiting(count, 0);
        for (int i = 0; i < m_nodes.size(); ++i)
            for (int producer : producersOf(i)) {
                m_readers[static_cast<size_t>(producer)].push_back(i);
                ++waiting[static_cast<size_t>(i)];
            }
        std::priority_queue<int, std::vector<int>, std::greater<>> ready;
        for (size_t i = 0; i < count; ++i)
            if (waiting[i] == 0) ready.push(static_cast<int>(i));
        std::vector<int> order;
        while (!ready.empty()) {
            const int node = ready.top();
            ready.pop();
            order.push_back(node);
            for (int reader : m_readers[static_cast<size_t>(node)])
                if (--waiting[static_cast<size_t>(reader)] == 0) ready.push(reader);
        }
        if (order.size() == count) return order;
        return cycleError(waiting);
    }

private:
    Status findProducers() {
        for (int i = 0; i < m_nodes.size(); ++i)
            for (const std::string& output : m_nodes.Get(i).output()) {
                if (output.empty()) continue;
                const auto [place, fresh] = m_producer.emplace(output, i);
                if (!fresh)
                    return invalidModel("tensor '" + displayText(output) + "' is an output of both node '" +
                                        nodeName(m_nodes.Get(place->second), place->second) + "' and node '" +
                                        nodeName(m_nodes.Get(i), i) + "'; every tensor is defined once");
            }
        return Status::ok();
    }

    std::vector<int> producersOf(int index) const {
        std::vector<int> producers;
        const auto add = [&](const std::string& name) {
            if (const auto found = m_producer.find(name); found != m_producer.end()) producers.push_back(found->second);
        };
        const strobe_onnx::NodeProto& node = m_nodes.Get(index);
        for (const std::string& input : node.input()) add(input);
        for (const auto& attribute : node.attribute()) {
            if (attribute.has_g())
                for (const std::string& name : freeNames(attribute.g())) add(name);
            for (const auto& graph : attribute.graphs())
                for (const std::string& name : freeNames(graph)) add(name);
        }
        std::sort(producers.begin(), producers.end());
        producers.erase(std::unique(producers.begin(), producers.end()), producers.end());
        return producers;
    }

    /// Walking back along producers that wait themselves must come round.
    Status cycleError(const std::vector<int>& waiting) const {
        std::vector<int> path;
        std::vector<bool> seen(waiting.size(), false);
        int at = static_cast<int>(std::find_if(waiting.begin(), waiting.end(), [](int w) { return w > 0; }) -
                                  waiting.begin());
        while (!seen[static_cast<size_t>(at)]) {
            seen[static_cast<size_t>(at)] = true;
            path.push_back(at);
            for (int producer : producersOf(at))
                if (waiting[static_cast<size_t>(producer)] > 0) {
                    at = producer;
                    break;
                }
        }
        path.erase(path.begin(), std::find(path.begin(), path.end(), at));
        std::string names;
        for (size_t i = path.size(); i-- > 0;) {
            if (path.size() > 12 && i == path.size() - 10) {
                names += "… → ";
                i = 2;
            }
            names += "'" + nodeName(m_nodes.Get(path[i]), path[i]) + "' → ";
        }
        return invalidModel("the graph has a cycle: " + names + "'" + nodeName(m_nodes.Get(path.back()), path.back()) +
                            "'; a node must not depend on its own output");
    }

    const Nodes& m_nodes;
    std::unordered_map<std::string, int> m_producer;
    std::vector<std::vector<int>> m_readers;
};

void collectFree(const strobe_onnx::GraphProto& graph, std::vector<std::string>& names,
                 std::unordered_set<std::string>& seen) {
    std::unordered_set<std::string> own;
    for (const auto& input : graph.input()) own.insert(input.name());
    for (const auto& tensor : graph.initializer()) own.insert(tensor.name());
    for (const auto& tensor : graph.sparse_initializer()) own.insert(tensor.values().name());
    for (const auto& node : graph.node()) own.insert(node.output().begin(), node.output().end());
    const auto read = [&](const std::string& name) {
        if (!name.empty() && !own.count(name) && seen.insert(name).second) names.push_back(name);
    };
    for (const auto& node : graph.node()) {
        for (const std::string& input : node.input()) read(input);
        for (const auto& attribute : node.attribute()) {
            if (attribute.has_g())
                for (const std::string& name : freeNames(attribute.g())) read(name);
            for (const auto& inner : attribute.graphs())
                for (const std::string& name : freeNames(inner)) read(name);
        }
    }
    for (const auto& output : graph.output()) read(output.name());
}

}  // namespace

Result<std::vector<int>> orderNodes(const strobe_onnx::GraphProto& graph) {
    return Order(graph.node()).run();
}
Result<std::vector<int>> orderNodes(const strobe_onnx::FunctionProto& function) {
    return Order(function.node()).run();
}

std::vector<std::string> freeNames(const strobe_onnx::GraphProto& graph) {
    std::vector<std::string> names;
    std::unordered_set<std::string> seen;
    collectFree(graph, names, seen);
    return names;
}

}  // namespace strobe
