// How layers, shapes and types are written for the user. Pure; any thread.
#pragma once

#include <QString>
#include <string>
#include <string_view>

#include "engine_core/ir/network.h"
#include "profiler/statistics.h"

namespace strobe {

inline QString toQString(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}
/// "N×24×160×160"; "scalar" for rank 0; dims that `symbols` knows are concrete.
QString shapeText(const Shape& shape, const SymbolValues* symbols = nullptr);
QString shapeText(const Dims& dims);
/// The shape of a tensor, or "known at run time".
QString tensorShapeText(const Tensor& tensor, const SymbolValues* symbols = nullptr);
/// A node of the file that Strobe has no op for; it stands in the parsed network so that it can be seen.
bool isUnsupported(const Layer& layer);
/// The op's name; of one that is not supported what the file calls it.
QString opText(const Layer& layer);
/// Op and what was fused behind it: "Conv + HardSwish"; a pointwise chain names its steps: "Mul · Add · Relu".
QString layerTitle(const Layer& layer);
/// The steps of a pointwise program in order, constants left out: "Mul", "Add", "Relu".
QStringList programSteps(const PointwiseProgram& program);
/// The name scope of a layer or node: "block3/depthwise" of "/block3/depthwise/conv"; empty without one.
QString scopeOf(const QString& name);

/// A label that begins with a capital as it stands inside a sentence: "Threads" → "threads"; "FP32" stays.
QString insideSentence(QString label);
/// A message of the engine as it stands alone: "op 'X' is …" → "Op 'X' is …".
QString asSentence(QString message);
/// Of milliseconds: "12.31 ms ± 0.08 (spread 0.6 %)"; without the spread where it is unknown, as in sessions of older versions.
QString latencyText(const Statistics& latency);
/// "45.2 dB"; "equal"; "−∞ dB" where there is no signal, or NaN in one build only. Without unit for a column that names
/// it.
QString snrText(double decibels, bool withUnit);

}  // namespace strobe
