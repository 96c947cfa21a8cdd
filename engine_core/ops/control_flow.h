#pragma once
#include "engine_core/ir/network.h"

namespace strobe {

/// If, Loop and Scan hold their bodies in Layer::subgraphs. A body is a Network that sees nothing from outside: tensors
/// that it captures have been made explicit. The layer's inputs are [the op's own inputs…, captures…]; attribute
/// "captures" (int) says how many captures follow. Each body's inputs are [its own inputs…, captures…] with the same
/// captures in the same order (also those that only another branch reads).
///
///   If    subgraphs {then, else}; own inputs: cond. Body inputs: captures only. Body outputs: the layer's outputs.
///   Loop  subgraphs {body}; own inputs: M, cond (either may be kNone), v_initial…
///         Body inputs: iteration (int64 scalar), cond (bool scalar), v…, captures…
///         Body outputs: cond, v…, scan outputs… Layer outputs: final v…, scan outputs… stacked along a new first axis.
///   Scan  subgraphs {body}; attribute num_scan_inputs = m; own inputs: n initial states…, m scan inputs…
///         Body inputs: n states…, m slices…, captures… Body outputs: n states…, k slices…
///         Layer outputs: n final states…, k stacked slices….
/// They are executed by the runtime, not by a kernel.
struct ControlFlowCounts {
    int own = 0;      // own inputs of the layer
    int states = 0;   // Loop: carried values; Scan: states
    int scanned = 0;  // Scan: sliced inputs
    int captures = 0;
};
/// Error when values of this type cannot pass between a body and its layer, since the runtime moves bytes: strings, and
/// packed elements where Loop and Scan cut or join tensors (`sliced`). `what` names the value.
Status requireMovable(const std::string& what, DataType type, bool sliced);
/// How the inputs of an If, Loop or Scan divide. Requires such a layer with attribute values that inference accepted.
ControlFlowCounts controlFlowCounts(std::string_view op, const Attributes& attributes, int inputCount);

}  // namespace strobe
