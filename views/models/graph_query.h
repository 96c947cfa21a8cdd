// What is typed into the graph's search: terms that must all hold.
//   conv3            in title or name              op:Conv     op, "*" allowed
//   /block\d+$/      regular expression on names   bf16, precision:bf16
//   time>1ms         layer time (ns, µs, ms, s)    kernel_shape=[3,3]  an attribute
#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "views/models/graph_scene_builder.h"

namespace strobe {

class GraphQuery {
public:
    /// An empty text matches nothing.
    static GraphQuery parse(const QString& text);
    bool isEmpty() const { return m_terms.empty(); }
    /// What is wrong with the text; empty when it can be used.
    const QString& error() const { return m_error; }
    bool matches(const GraphNode& node, const GraphNodeFacts& facts) const;
    /// Scene ids of what matches, in scene order.
    std::vector<int64_t> find(const GraphSceneData& data) const;

private:
    using Term = std::function<bool(const GraphNode&, const GraphNodeFacts&)>;
    Term parseTerm(const QString& text);
    Term parseTime(const QString& text);

    std::vector<Term> m_terms;
    QString m_error;
};

}  // namespace strobe
