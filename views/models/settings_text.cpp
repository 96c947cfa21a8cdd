#include "views/models/settings_text.h"

#include <QObject>
#include <QRegularExpression>

#include "engine_core/builder/precision_policy.h"
#include "sessions/samples.h"

namespace strobe {

Result<Dims> parseDims(const QString& text) {
    static const QRegularExpression divider(QStringLiteral("\\s*[×xX*,;\\s]\\s*"));
    Dims dims;
    if (text.trimmed().isEmpty()) return dims;
    for (const QString& part : text.trimmed().split(divider)) {
        bool isNumber = false;
        const qlonglong extent = part.toLongLong(&isNumber);
        if (!isNumber || extent < 0) return invalidArgument("'" + part.toStdString() + "' is no extent; write a shape as 1×3×640×640");
        dims.push_back(extent);
    }
    return dims;
}

QString precisionExplanation(PrecisionMode mode, const DeviceInfo& device) {
    const QString preview = QObject::tr("This device has no %1 arithmetic: values are rounded to it, sums are FP32. Shows accuracy, not speed.");
    switch (mode) {
        case PrecisionMode::Fp32: return QObject::tr("Every layer in FP32: the reference for accuracy.");
        case PrecisionMode::Bf16:
            return device.hasBf16 ? QObject::tr("Layers in BF16 with FP32 sums, except those that need FP32. About three significant digits.") : preview.arg("BF16");
        case PrecisionMode::Fp16:
            return device.hasFp16 ? QObject::tr("Layers in FP16 with FP32 sums, except those that need FP32.") : preview.arg("FP16");
        case PrecisionMode::Best: break;
    }
    return device.hasBf16 ? QObject::tr("FP32 or BF16 for each layer, whichever was measured faster.")
                          : QObject::tr("The fastest that this device has; here that is FP32.");
}

QString inputDataName(const Settings& settings) {
    if (settings.inputFile.empty()) return QObject::tr("random input");
    const auto files = parseInputFiles(settings.inputFile);
    if (!files) return QString::fromStdString(settings.inputFile);
    QStringList names;
    for (const InputFile& file : *files) names << QString::fromStdString(file.path).section('/', -1);
    return names.join(QStringLiteral(", "));
}

QString accuracyLimitExplanation(const Settings& settings) {
    if (settings.builder.precision == PrecisionMode::Fp32) return QObject::tr("Limits what a precision below FP32 costs; FP32 is what it is held against.");
    if (settings.accuracyLimit <= 0) return QObject::tr("Each layer in the precision chosen, whatever that costs.");
    const QString data = inputDataName(settings), advice = settings.inputFile.empty() ? QObject::tr(": choose input data below") : QString();
    return QObject::tr("Layers stay in FP32, the most sensitive first and those that would not be faster, so that no element of an output is off by more. Judged on %1. Takes a build for each layer.").arg(data + advice);
}

QString levelExplanation(int level) {
    switch (level) {
        case 0: return QObject::tr("Builds at once: nothing is timed, the first kernel that fits is taken.");
        case 1: return QObject::tr("Quick: kernels are timed a few times, in the plain memory layout only.");
        case 2: return QObject::tr("Short: all memory layouts, few repeats.");
        case 3: return QObject::tr("Default: every kernel and memory layout is timed.");
        case 4: return QObject::tr("Thorough: as the default, with more repeats against noise.");
        default: return QObject::tr("Exhaustive: many repeats, caches emptied between them. Takes longest.");
    }
}

int countMatches(const QString& pattern, const Network& network) {
    int count = 0;
    const std::string text = pattern.trimmed().toStdString();
    for (const LayerId id : network.topologicalOrder()) count += matchesRule(text, network.layer(id), network) ? 1 : 0;
    return count;
}

}  // namespace strobe
