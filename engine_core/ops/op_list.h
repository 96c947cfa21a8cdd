#pragma once

namespace strobe {

class OpRegistry;
/// Generated from STROBE_OP_FILES in engine_core/CMakeLists.txt.
void registerAllOps(OpRegistry& registry);

}  // namespace strobe
