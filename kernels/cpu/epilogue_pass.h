#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// For epilogues that a library cannot fuse: runs `inner` without the epilogue, then one pass of our own pointwise
/// kernel over its output. Named "<inner>+epilogue"; declines what `inner` does by itself.
std::unique_ptr<Tactic> makeEpiloguePassTactic(std::unique_ptr<Tactic> inner);

}  // namespace strobe
