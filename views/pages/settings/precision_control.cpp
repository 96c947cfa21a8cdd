#include "views/pages/settings/precision_control.h"

#include "views/models/display_text.h"
#include "views/models/settings_text.h"
#include "views/models/target_device.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr PrecisionMode kModes[] = {PrecisionMode::Fp32, PrecisionMode::Bf16, PrecisionMode::Fp16, PrecisionMode::Best};

}  // namespace

PrecisionControl::PrecisionControl(QWidget* parent) : SegmentedControl(Mode::One, parent) {
    for (const PrecisionMode mode : kModes) {
        const QString name = toQString(precisionModeName(mode));
        addSegment(name, {}, mode == PrecisionMode::Best ? QColor() : Theme::instance().precision(name));
    }
    connect(this, &SegmentedControl::currentChanged, this, [this](int index) { emit chosen(kModes[index]); });
}

void PrecisionControl::showChoice(PrecisionMode mode, const DeviceInfo& device) {
    for (int index = 0; index < count(); ++index) {
        setSegmentHint(index, precisionExplanation(kModes[index], device), isPreview(kModes[index], device));
        if (kModes[index] == mode) setCurrent(index);
    }
}

}  // namespace strobe
