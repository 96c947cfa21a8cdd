// One unit for a whole column, by its largest value.
#pragma once

#include <QString>

#include "views/widgets/number_format.h"

namespace strobe {

struct UnitChoice {
    QString name;       // "ms", "MFLOP", "MiB"
    double factor = 1;  // what one unit is in seconds, operations, bytes
};
UnitChoice timeUnitChoice(double largestSeconds);
UnitChoice byteUnitChoice(double largestBytes);
// Decimal prefix before `unit`.
UnitChoice scaledUnitChoice(double largest, const QString& unit);
// Three significant digits, but nothing smaller than a thousandth of the column's unit: "< 0.001".
QString formatInUnit(double value);
// A share as a number of percent, for a column whose header says "%".
QString formatPercentNumber(double fraction);

}  // namespace strobe
