#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// Each registers "onednn.…" tactics for its ops.
void registerOnednnConv(KernelRegistry& registry);
void registerOnednnMatMul(KernelRegistry& registry);
void registerOnednnDeconv(KernelRegistry& registry);
void registerOnednnPool(KernelRegistry& registry);
void registerOnednnSoftmax(KernelRegistry& registry);
void registerOnednnRnn(KernelRegistry& registry);
void registerOnednnReorder(KernelRegistry& registry);
/// "cpu.reformat": our own copy between layouts, for types that oneDNN does not move.
void registerTiledReformat(KernelRegistry& registry);

}  // namespace strobe
