#include "views/models/unit_choice.h"

#include <cmath>

namespace strobe {

UnitChoice timeUnitChoice(double largestSeconds) {
    const TimeUnit unit = timeUnitFor(largestSeconds);
    static constexpr double kSeconds[] = {1e-9, 1e-6, 1e-3, 1};
    return {timeUnitName(unit), kSeconds[static_cast<size_t>(unit)]};
}

UnitChoice byteUnitChoice(double largestBytes) {
    const ByteUnit unit = byteUnitFor(largestBytes);
    return {byteUnitName(unit), std::pow(1024.0, static_cast<int>(unit))};
}

UnitChoice scaledUnitChoice(double largest, const QString& unit) {
    static const QString prefixes = QStringLiteral("kMGTPE");
    UnitChoice choice{unit, 1};
    for (qsizetype p = 0; p < prefixes.size() && largest / choice.factor >= 1000; ++p)
        choice = {prefixes[p] + unit, choice.factor * 1000};
    return choice;
}

QString formatInUnit(double value) {
    return value > 0 && value < 1e-3 ? QStringLiteral("< 0.001") : formatNumber(value);
}

QString formatPercentNumber(double fraction) {
    QString text = formatPercent(fraction);
    if (text.endsWith('%')) text.chop(2);
    return text;
}

}  // namespace strobe
