// What a model says to TableView and the delegates, besides Qt's own roles.
#pragma once

#include <Qt>

namespace strobe {

enum TableRole : int {
    kSortRole = Qt::UserRole + 0x100,  // raw value: sorting, totals, copies
    kShareRole,                        // double 0..1: length of the bar of a ShareDelegate
    kDeltaRole,     // double −1..1: colour strength of a DeltaDelegate; invalid means "not significant"
    kColourRole,    // QColor: chip, stripe or bar colour
    kHatchedRole,   // bool: the chip is a preview
    kSummableRole,  // header data, bool: the footer adds this column up
};

}  // namespace strobe
