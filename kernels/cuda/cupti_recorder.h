#pragma once
#include "engine_core/builder/device.h"

namespace strobe {

/// CUPTI's activity records of this process. Tags travel as external correlation ids.
Result<std::unique_ptr<DeviceTraceRecorder>> makeCuptiRecorder();

}  // namespace strobe
