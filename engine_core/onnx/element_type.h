#pragma once
#include <string>

#include "engine_core/base/data_type.h"
#include "engine_core/base/status.h"

namespace strobe {

/// ONNX's number of an element type (TensorProto.DataType) as ours. Unsupported names the type where ONNX defines it,
/// InvalidModel gives the number where not.
Result<DataType> elementTypeFromOnnx(int64_t code);
/// By ONNX's name ("FLOAT"), as Cast did before opset 6.
Result<DataType> elementTypeFromOnnxName(const std::string& name);

}  // namespace strobe
