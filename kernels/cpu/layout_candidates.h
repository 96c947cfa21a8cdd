#pragma once
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// For candidateFormats of layers whose output lies as input 0 does: after the first candidate come copies of it with
/// both in each of `layouts`, where the input has a channel dim to lay out (rank 3 or more).
std::vector<Tactic::Formats> withLayouts(std::vector<Tactic::Formats> candidates, const Problem& problem,
                                         const std::vector<Layout>& layouts);

/// Channels-last and the blocked layouts whose blocks fill a vector of this CPU.
std::vector<Layout> simdLayouts();

}  // namespace strobe
