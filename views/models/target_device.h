// Where the engine runs, as the settings say. Pure; any thread.
#pragma once

#include <QString>

#include "sessions/session.h"

namespace strobe {

/// The device that the settings build for. One that this machine does not list has no name and says so in
/// `unavailableReason`; of its arithmetic the CPU's is taken.
DeviceInfo deviceOf(const Session& session, const Settings& settings);
/// Whether the device has no arithmetic for this precision, so that a build shows its accuracy and not its speed.
bool isPreview(PrecisionMode mode, const DeviceInfo& device);
/// "CPU: AMD EPYC 9554, 2 threads", "CUDA:0: NVIDIA H200"; `threads` as in the settings, 0 for all cores.
QString deviceText(const DeviceInfo& device, int threads);

}  // namespace strobe
