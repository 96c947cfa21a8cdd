// How the window writes numbers: three significant digits, units chosen once per column, never a bare "0.00".
// QtCore only; every function is pure and may be called from any thread. Non-finite values print as "–".
#pragma once

#include <QString>
#include <cstdint>

namespace strobe {

// `digits` significant digits; digits before the decimal point are never dropped ("12,346"), thousands are grouped
// with commas, zero is "0", and magnitudes below 1e-4 switch to "1.23e-5".
QString formatNumber(double value, int digits = 3);
// As formatNumber, with an explicit sign ("+1.23", "−0.4"); zero is "0".
QString formatSigned(double value, int digits = 3);
// Grouped integer: "10,000".
QString formatCount(int64_t value);
// Inserts "," every three digits into a plain decimal integer, which may carry a sign.
QString groupThousands(const QString& digits);

enum class TimeUnit : uint8_t { Nanoseconds, Microseconds, Milliseconds, Seconds };
// The unit in which a column whose largest value is `seconds` reads best.
TimeUnit timeUnitFor(double seconds);
QString timeUnitName(TimeUnit unit);                 // "ms"
QString formatTime(double seconds, int digits = 3);  // "12.3 ms"
// Median and its uncertainty in one unit and to the same decimal, which the uncertainty decides: "12.31 ms ± 0.08".
QString formatTimeSpread(double medianSeconds, double errorSeconds);
// Honest and coarse: "about 20 s left", "about 3 min left", "less than a second left"; negative is "time left unknown".
QString formatTimeLeft(double seconds);

enum class ByteUnit : uint8_t { Bytes, KiB, MiB, GiB, TiB };
ByteUnit byteUnitFor(double bytes);
QString byteUnitName(ByteUnit unit);
QString formatBytesIn(double bytes, ByteUnit unit);
QString formatBytes(double bytes);  // "4.48 MiB"

// Decimal SI prefix: formatScaled(2.3e11, "FLOP/s") is "230 GFLOP/s".
QString formatScaled(double value, const QString& unit);
// 0.123 is "12.3 %"; a share that is not zero but would print as such is "< 0.1 %".
QString formatPercent(double fraction);

}  // namespace strobe
