#pragma once
#include "engine_core/runtime/plan.h"

namespace strobe {

/// What all contexts of one engine share; thread-safe by its parts.
struct Engine::Shared {
    PlanCache plans;
    PackedWeightsCache packedWeights;
    std::shared_ptr<Device> device;  // null on the CPU
};

}  // namespace strobe
