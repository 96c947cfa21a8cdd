// FP32 | BF16 | FP16 | Best: one precision for the whole network, with what each means on a device.
#pragma once

#include "engine_core/builder/builder_config.h"
#include "views/widgets/segmented_control.h"

namespace strobe {

class PrecisionControl : public SegmentedControl {
    Q_OBJECT
public:
    explicit PrecisionControl(QWidget* parent = nullptr);
    /// Does not emit. What the device has no arithmetic for is hatched, and its tip says so.
    void showChoice(PrecisionMode mode, const DeviceInfo& device);

signals:
    void chosen(strobe::PrecisionMode mode);  // by the user
};

}  // namespace strobe
