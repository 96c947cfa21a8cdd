#include "views/models/target_device.h"

#include <QObject>

#include "views/models/display_text.h"

namespace strobe {

DeviceInfo deviceOf(const Session& session, const Settings& settings) {
    for (DeviceInfo& device : session.devices())
        if (device.id == settings.builder.device) return std::move(device);
    DeviceInfo missing = cpuDeviceInfo();
    missing.kind = DeviceKind::Cuda;
    missing.id = settings.builder.device;
    missing.name.clear();
    missing.unavailableReason = "this machine has no device '" + missing.id + "'; choose another target";
    return missing;
}

bool isPreview(PrecisionMode mode, const DeviceInfo& device) {
    return (mode == PrecisionMode::Fp16 && !device.hasFp16) || (mode == PrecisionMode::Bf16 && !device.hasBf16);
}

QString deviceText(const DeviceInfo& device, int threads) {
    const QString id = toQString(device.id).toUpper();
    if (device.name.empty()) return QObject::tr("%1: not on this machine").arg(id);
    if (device.kind != DeviceKind::Cpu) return QStringLiteral("%1: %2").arg(id, toQString(device.name));
    return QObject::tr("%1: %2, %3 threads").arg(id, toQString(device.name)).arg(threads > 0 ? threads : device.cores);
}

}  // namespace strobe
