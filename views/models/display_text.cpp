#include "views/models/display_text.h"

#include <QObject>
#include <QStringList>
#include <cmath>

#include "engine_core/ops/op_definition.h"
#include "profiler/accuracy.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

constexpr qsizetype kStepsInTitle = 3;

QString joinSteps(const QStringList& steps, const QString& separator) {
    if (steps.size() <= kStepsInTitle) return steps.join(separator);
    return steps.mid(0, kStepsInTitle - 1).join(separator) + separator +
           QStringLiteral("%1 more").arg(steps.size() - kStepsInTitle + 1);
}

}  // namespace

QString shapeText(const Shape& shape, const SymbolValues* symbols) {
    if (shape.empty()) return QStringLiteral("scalar");
    QStringList dims;
    for (const Dim& dim : shape) {
        const auto value = symbols ? dim.evaluate(*symbols) : std::nullopt;
        dims += value ? QString::number(*value) : toQString(dim.toString());
    }
    return dims.join(QStringLiteral("×"));
}
QString shapeText(const Dims& dims) {
    return shapeText(toShape(dims));
}

QString tensorShapeText(const Tensor& tensor, const SymbolValues* symbols) {
    return tensor.rankKnown ? shapeText(tensor.shape, symbols) : QStringLiteral("known at run time");
}

QStringList programSteps(const PointwiseProgram& program) {
    QStringList steps;
    for (const PointwiseInstruction& instruction : program.instructions)
        if (instruction.op != PointwiseOp::Constant) steps += toQString(pointwiseOpName(instruction.op));
    return steps;
}

bool isUnsupported(const Layer& layer) {
    return !layer.op || layer.op->name == "Unsupported";
}

QString opText(const Layer& layer) {
    if (!layer.op) return QStringLiteral("?");
    return isUnsupported(layer) ? toQString(layer.attributes.getString("op_type", "Unsupported")) : toQString(layer.op->name);
}

QString layerTitle(const Layer& layer) {
    const QString op = opText(layer);
    if (!layer.program) return op;
    const QStringList steps = programSteps(*layer.program);
    if (steps.isEmpty()) return op;
    if (op == QLatin1String("Pointwise")) return joinSteps(steps, QStringLiteral(" · "));
    return op + QStringLiteral(" + ") + joinSteps(steps, QStringLiteral(" + "));
}

QString scopeOf(const QString& name) {
    const qsizetype end = name.lastIndexOf('/');
    if (end <= 0) return {};
    const qsizetype begin = name.startsWith('/') ? 1 : 0;
    return name.mid(begin, end - begin);
}

QString insideSentence(QString label) {
    if (label.size() > 1 && label[0].isUpper() && !label[1].isUpper()) label[0] = label[0].toLower();
    return label;
}

QString asSentence(QString message) {
    // A name in front stays as it is written.
    const auto wordEnd = std::find_if(message.begin(), message.end(), [](QChar c) { return !c.isLower(); });
    const bool isWord = wordEnd != message.begin() && (wordEnd == message.end() || *wordEnd == ' ' || *wordEnd == ',');
    if (isWord) message[0] = message[0].toUpper();
    return message;
}

QString latencyText(const Statistics& latency) {
    const QString time = formatTimeSpread(latency.median / 1e3, latency.medianError / 1e3);
    return std::isfinite(latency.spread()) ? QObject::tr("%1 (spread %2)").arg(time, formatPercent(latency.spread())) : time;
}

QString snrText(double decibels, bool withUnit) {
    if (decibels >= kEqualDb) return QObject::tr("equal");
    const QString number = decibels <= kNonFiniteDb ? QStringLiteral("−∞") : formatNumber(decibels);
    return withUnit ? number + QStringLiteral("\u00a0dB") : number;
}

}  // namespace strobe
