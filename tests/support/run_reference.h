#pragma once
#include <functional>
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/builder/tactic.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// Called after every layer at depth 0 with its outputs (nullptr where absent).
using ReferenceObserver = std::function<void(const Layer& layer, const std::vector<WeightsPtr>& outputs)>;

/// Interprets a network layer by layer with the reference kernels, each at concrete shapes, outputs on the heap; If,
/// Loop and Scan by recursion. Slow and simple: the oracle of tests. `inputs` in the order of network.inputs(). The
/// error names the layer.
Result<std::vector<WeightsPtr>> runReference(const Network& network, const std::vector<WeightsPtr>& inputs,
                                             const ReferenceObserver& observer = {});

/// The registry that runReference uses.
const KernelRegistry& referenceRegistry();

}  // namespace strobe
