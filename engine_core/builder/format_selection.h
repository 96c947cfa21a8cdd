#pragma once
#include <functional>
#include <vector>

#include "engine_core/builder/candidates.h"

namespace strobe {

/// What the selection needs to know of a layer.
struct SelectionNode {
    LayerId layer = kNone;
    const LayerCandidates* candidates = nullptr;  // null: control flow, plain host tensors on all sides
};

/// Milliseconds to bring a tensor of these dims from one format to another one.
using ReformatMilliseconds = std::function<double(const Dims& dims, const Format& from, const Format& to)>;

/// Chooses one candidate a layer so that layers plus the Reformats between them take the least time over the whole graph: dynamic
/// programming along the topological order, then rounds of single-layer improvement at exact cost (a Reformat that several readers
/// share counts once). Returns indices into usable, in the order of `nodes` (topological).
std::vector<int> selectCandidates(const Network& network, const std::vector<SelectionNode>& nodes, const std::function<const Dims&(TensorId)>& dims,
                                  const ReformatMilliseconds& reformat);

}  // namespace strobe
