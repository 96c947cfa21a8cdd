#include "tests/views/generated_graphs.h"

#include <array>
#include <random>

namespace strobe::testing {
namespace {

class Generator {
public:
    explicit Generator(int limit) : m_limit(limit) {}

    GraphScene run() {
        int at = add("Input", NodeFamily::Other, "images", {});
        m_shape = {64, 320};
        for (int block = 0; size() < m_limit - 1; ++block) {
            m_group = QStringLiteral("model.%1/").arg(block / 6) + QStringLiteral("block%1").arg(block % 6);
            if (block % 6 == 5 && m_shape[1] > 8)
                m_shape = {m_shape[0] * 2 > 1024 ? 1024 : m_shape[0] * 2, m_shape[1] / 2};
            at = block % 3 == 2 ? split(at) : residual(at);
            if (block % 24 == 3) m_skip = at;
            if (block % 24 == 21 && m_skip >= 0) at = add("Concat", NodeFamily::ShapeCopy, "skip", {at, m_skip});
        }
        m_group.clear();
        add("Output", NodeFamily::Other, "output0", {at});
        return std::move(m_scene);
    }

private:
    int size() const { return static_cast<int>(m_scene.nodes.size()); }

    int add(const char* op, NodeFamily family, const QString& name, const std::vector<int>& inputs) {
        if (size() >= m_limit) return size() - 1;
        GraphNode node;
        node.id = 1000 + size();
        node.title = QString::fromLatin1(op);
        node.subtitle = m_group.isEmpty() ? name : '/' + m_group + '/' + name;
        node.family = family;
        node.group = m_group;
        m_scene.nodes.push_back(node);
        const QString shape = QStringLiteral("1×%1×%2×%2").arg(m_shape[0]).arg(m_shape[1]);
        for (const int input : inputs) m_scene.edges.push_back({input, size() - 1, shape});
        return size() - 1;
    }

    int convolution(int from, const QString& name) {
        const int conv = add("Conv", NodeFamily::Convolution, name + "/conv/Conv", {from});
        const int sigmoid = add("Sigmoid", NodeFamily::Pointwise, name + "/act/Sigmoid", {conv});
        return add("Mul", NodeFamily::Pointwise, name + "/act/Mul", {conv, sigmoid});
    }

    int residual(int from) {
        const int first = convolution(from, QStringLiteral("cv1"));
        const int second = convolution(first, QStringLiteral("cv2"));
        const int sum = add("Add", NodeFamily::Pointwise, QStringLiteral("Add"), {from, second});
        if (m_random() % 4 != 0) return sum;
        const int constant = add("Constant", NodeFamily::Other, QStringLiteral("Constant"), {});
        return add("Reshape", NodeFamily::ShapeCopy, QStringLiteral("Reshape"), {sum, constant});
    }

    int split(int from) {
        const int head = convolution(from, QStringLiteral("cv1"));
        const int parts = add("Split", NodeFamily::ShapeCopy, QStringLiteral("Split"), {head});
        const int left = convolution(parts, QStringLiteral("m.0"));
        const int right = add("MaxPool", NodeFamily::PoolingReduction, QStringLiteral("pool"), {parts});
        const int joined = add("Concat", NodeFamily::ShapeCopy, QStringLiteral("Concat"), {parts, left, right});
        return convolution(joined, QStringLiteral("cv2"));
    }

    int m_limit;
    int m_skip = -1;
    std::array<int, 2> m_shape{3, 640};
    QString m_group;
    std::mt19937 m_random{7};
    GraphScene m_scene;
};

}  // namespace

GraphScene makeNetworkScene(int nodeCount) {
    return Generator(nodeCount).run();
}

GraphScene makeWideScene(int nodeCount, int towers) {
    const int each = nodeCount / towers;
    GraphScene wide;
    for (int tower = 0; tower < towers; ++tower) {
        GraphScene part = makeNetworkScene(each);
        const int base = static_cast<int>(wide.nodes.size());
        for (GraphNode& node : part.nodes) {
            node.id += base;
            wide.nodes.push_back(std::move(node));
        }
        for (const GraphEdge& edge : part.edges) wide.edges.push_back({edge.from + base, edge.to + base, edge.label});
        if (tower == 0) continue;
        wide.edges.push_back({0, base + 1, QStringLiteral("1×3×640×640")});
        wide.edges.push_back({base - each / 2, base + each / 2 + 1, QStringLiteral("1×64×80×80")});
    }
    return wide;
}

LayoutInput layoutInputOf(const GraphScene& scene) {
    LayoutInput input;
    input.nodes.assign(scene.nodes.size(), {160, 40});
    for (const GraphEdge& edge : scene.edges) input.edges.push_back({edge.from, edge.to});
    return input;
}

}  // namespace strobe::testing
