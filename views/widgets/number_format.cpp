#include "views/widgets/number_format.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace strobe {
namespace {

const QString kNoValue = QStringLiteral("–");

constexpr std::array<double, 4> kSecondsPerUnit{1e-9, 1e-6, 1e-3, 1.0};

QString withUnit(const QString& number, const QString& unit) {
    return number + QChar(0x00A0) + unit;
}

QString fixed(double magnitude, int decimals) {
    const QString text = QString::number(magnitude, 'f', decimals);
    const auto point = text.indexOf('.');
    if (point < 0) return groupThousands(text);
    return groupThousands(text.left(point)) + text.mid(point);
}

QString magnitudeText(double magnitude, int digits) {
    if (magnitude == 0) return QStringLiteral("0");
    if (magnitude < 1e-4 || magnitude >= 1e15) return QString::number(magnitude, 'e', digits - 1).replace("e-0", "e-");
    int decimals = digits - 1 - static_cast<int>(std::floor(std::log10(magnitude)));
    // 9.996 has one decimal fewer once it is rounded to 10.0.
    const double scale = std::pow(10.0, decimals);
    if (std::floor(std::log10(std::round(magnitude * scale) / scale)) > std::floor(std::log10(magnitude))) --decimals;
    return fixed(magnitude, std::max(0, decimals));
}

}  // namespace

QString groupThousands(const QString& digits) {
    QString out = digits;
    const auto first = out.startsWith('-') || out.startsWith('+') ? 1 : 0;
    for (auto at = out.size() - 3; at > first; at -= 3) out.insert(at, ',');
    return out;
}

QString formatNumber(double value, int digits) {
    if (!std::isfinite(value)) return kNoValue;
    const QString text = magnitudeText(std::abs(value), digits);
    return value < 0 ? QChar(0x2212) + text : text;
}

QString formatSigned(double value, int digits) {
    const QString text = formatNumber(value, digits);
    return value > 0 && std::isfinite(value) ? '+' + text : text;
}

QString formatCount(int64_t value) {
    return groupThousands(QString::number(value));
}

TimeUnit timeUnitFor(double seconds) {
    const double magnitude = std::abs(seconds);
    if (magnitude >= 10.0) return TimeUnit::Seconds;
    if (magnitude >= 1e-3 || magnitude == 0 || !std::isfinite(magnitude)) return TimeUnit::Milliseconds;
    return magnitude >= 1e-6 ? TimeUnit::Microseconds : TimeUnit::Nanoseconds;
}

QString timeUnitName(TimeUnit unit) {
    static const std::array<QString, 4> names{QStringLiteral("ns"), QStringLiteral("µs"), QStringLiteral("ms"),
                                              QStringLiteral("s")};
    return names[static_cast<size_t>(unit)];
}

QString formatTime(double seconds, int digits) {
    if (!std::isfinite(seconds)) return kNoValue;
    const TimeUnit unit = timeUnitFor(seconds);
    return withUnit(formatNumber(seconds / kSecondsPerUnit[static_cast<size_t>(unit)], digits), timeUnitName(unit));
}

QString formatTimeSpread(double medianSeconds, double errorSeconds) {
    const QString plain = formatTime(medianSeconds);
    if (!std::isfinite(errorSeconds) || !std::isfinite(medianSeconds) || medianSeconds <= 0 || errorSeconds < 0) return plain;
    constexpr int kMaxDigits = 5;  // more would only be noise on the screen
    const TimeUnit unit = timeUnitFor(medianSeconds);
    const double scale = kSecondsPerUnit[static_cast<size_t>(unit)];
    const double median = medianSeconds / scale, error = errorSeconds / scale;
    const int most = std::max(0, kMaxDigits - 1 - static_cast<int>(std::floor(std::log10(median))));
    // One digit of the uncertainty says it all; 0.0096 is 0.01 once it is rounded.
    const double power = error > 0 ? std::floor(std::log10(error)) : -most;
    const int wanted = -static_cast<int>(std::round(error / std::pow(10.0, power)) >= 10 ? power + 1 : power);
    const int decimals = std::clamp(wanted, 0, most);
    const double last = std::pow(10.0, -decimals);
    const QString about = error < last / 2 ? QStringLiteral("< ") + fixed(last, decimals) : fixed(error, decimals);
    return withUnit(fixed(median, decimals), timeUnitName(unit)) + QStringLiteral(" ± ") + about;
}

QString formatTimeLeft(double seconds) {
    if (!(seconds >= 0) || !std::isfinite(seconds)) return QStringLiteral("time left unknown");
    if (seconds < 1) return QStringLiteral("less than a second left");
    if (seconds < 10) return QStringLiteral("about %1 s left").arg(std::lround(seconds));
    if (seconds < 90) return QStringLiteral("about %1 s left").arg(std::lround(seconds / 5) * 5);
    if (seconds < 5400) return QStringLiteral("about %1 min left").arg(std::lround(seconds / 60));
    return QStringLiteral("about %1 h left").arg(formatNumber(seconds / 3600, 2));
}

ByteUnit byteUnitFor(double bytes) {
    double magnitude = std::abs(bytes);
    int unit = 0;
    // 1000 and not 1024, so that a column never shows "1,020 KiB" where "0.996 MiB" is as short.
    while (magnitude >= 1000 && unit < static_cast<int>(ByteUnit::TiB)) {
        magnitude /= 1024;
        ++unit;
    }
    return static_cast<ByteUnit>(unit);
}

QString byteUnitName(ByteUnit unit) {
    static const std::array<QString, 5> names{QStringLiteral("B"), QStringLiteral("KiB"), QStringLiteral("MiB"),
                                              QStringLiteral("GiB"), QStringLiteral("TiB")};
    return names[static_cast<size_t>(unit)];
}

QString formatBytesIn(double bytes, ByteUnit unit) {
    return formatNumber(bytes / std::pow(1024.0, static_cast<int>(unit)));
}

QString formatBytes(double bytes) {
    if (!std::isfinite(bytes)) return kNoValue;
    const ByteUnit unit = byteUnitFor(bytes);
    return withUnit(formatBytesIn(bytes, unit), byteUnitName(unit));
}

QString formatScaled(double value, const QString& unit) {
    if (!std::isfinite(value)) return kNoValue;
    static const QString prefixes = QStringLiteral(" kMGTPE");
    double scaled = value;
    int prefix = 0;
    while (std::abs(scaled) >= 1000 && prefix + 1 < prefixes.size()) {
        scaled /= 1000;
        ++prefix;
    }
    return withUnit(formatNumber(scaled), prefix == 0 ? unit : prefixes[prefix] + unit);
}

QString formatPercent(double fraction) {
    if (!std::isfinite(fraction)) return kNoValue;
    const double percent = fraction * 100;
    if (percent == 0) return withUnit(QStringLiteral("0"), QStringLiteral("%"));
    if (std::abs(percent) < 0.1)
        return withUnit(percent < 0 ? QStringLiteral("> −0.1") : QStringLiteral("< 0.1"), QStringLiteral("%"));
    return withUnit(std::abs(percent) < 9.95 ? formatNumber(percent, 2) : formatNumber(percent, 3), QStringLiteral("%"));
}

}  // namespace strobe
