#include <algorithm>
#include <cmath>
#include <map>

#include "sessions/session.h"

namespace strobe {
namespace {

/// Union–find over ONNX nodes: nodes that share a layer in either build belong to one row. Any number is a node, as
/// documents may say what they like.
class NodeSets {
public:
    int find(int node) {
        for (;;) {
            int& parent = parentOf(node);
            if (parent == node) return node;
            node = parent = parentOf(parent);
        }
    }
    void join(int a, int b) { parentOf(find(a)) = find(b); }

private:
    int& parentOf(int node) { return m_parents.try_emplace(node, node).first->second; }

    std::map<int, int> m_parents;
};

const std::vector<int>& provenanceOf(const Build& build, size_t layer) {
    const CompiledGraph& graph = build.engine->graph();
    return graph.network.layer(graph.layers[layer].layer).provenance;
}

struct RowTimes {
    double milliseconds = 0, errorSquares = 0;
};
RowTimes sumTimes(const Build& build, const std::vector<int>& layers) {
    RowTimes sum;
    if (!build.profile) return sum;
    for (int layer : layers) {
        const Statistics& s = build.profile->layers[static_cast<size_t>(layer)].milliseconds;
        sum.milliseconds += s.median;
        sum.errorSquares += s.medianError * s.medianError;
    }
    return sum;
}

/// Nodes in order, and the times of its layers.
void finishRow(Comparison::Row& row, const Build& a, const Build& b) {
    std::sort(row.provenance.begin(), row.provenance.end());
    row.provenance.erase(std::unique(row.provenance.begin(), row.provenance.end()), row.provenance.end());
    const RowTimes timesA = sumTimes(a, row.layersA), timesB = sumTimes(b, row.layersB);
    row.msA = timesA.milliseconds;
    row.msB = timesB.milliseconds;
    row.errorMs = std::sqrt(timesA.errorSquares + timesB.errorSquares);
}

}  // namespace

std::vector<Comparison::Row> alignBuilds(const Build& a, const Build& b, const AccuracyReport* accuracy) {
    NodeSets sets;
    for (const Build* build : {&a, &b})
        for (size_t i = 0; i < build->engine->graph().layers.size(); ++i) {
            // A Reformat carries its producer's nodes and joins nothing new.
            const std::vector<int>& provenance = provenanceOf(*build, i);
            for (size_t p = 1; p < provenance.size(); ++p) sets.join(provenance[0], provenance[p]);
        }
    // A set of nodes has a row for the layers that do its work and one for the reformats behind them.
    using Key = std::pair<int, bool>;
    const auto keyOf = [&](const std::vector<int>& provenance, bool reformats) {
        return Key(provenance.empty() ? -1 : sets.find(provenance[0]), reformats);
    };
    std::vector<Comparison::Row> rows;
    std::map<Key, size_t> rowOfKey;
    const auto addLayers = [&](const Build& build, std::vector<int> Comparison::Row::*layers) {
        const CompiledGraph& graph = build.engine->graph();
        for (size_t i = 0; i < graph.layers.size(); ++i) {
            const std::vector<int>& provenance = provenanceOf(build, i);
            const Key key = keyOf(provenance, isReformat(graph, graph.layers[i]));
            const auto [place, fresh] = rowOfKey.try_emplace(key, rows.size());
            if (fresh) rows.emplace_back().isReformat = key.second;
            Comparison::Row& row = rows[place->second];
            row.provenance.insert(row.provenance.end(), provenance.begin(), provenance.end());
            (row.*layers).push_back(static_cast<int>(i));
        }
    };
    addLayers(a, &Comparison::Row::layersA);
    addLayers(b, &Comparison::Row::layersB);
    for (Comparison::Row& row : rows) finishRow(row, a, b);
    // The last tensor of a row that was compared stands for the row.
    for (size_t l = 0; accuracy && l < accuracy->layers.size(); ++l) {
        const auto found = rowOfKey.find(keyOf(accuracy->layers[l].provenance, false));
        if (found != rowOfKey.end()) rows[found->second].accuracyLayer = static_cast<int>(l);
    }
    return rows;
}

}  // namespace strobe
