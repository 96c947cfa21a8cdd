#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// Each registers "onednn.…" tactics for its ops.
void registerOnednnConv(KernelRegistry& registry);
void registerOnednnReorder(KernelRegistry& registry);
/// "cpu.reformat": our own copy between layouts, for types that oneDNN does not move.
void registerTiledReformat(KernelRegistry& registry);

}  // namespace strobe
