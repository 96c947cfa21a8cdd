#pragma once
#include <memory>
#include <span>
#include <string>

#include "engine_core/base/cancel.h"
#include "engine_core/onnx/wire_format.h"

namespace strobe_onnx {
class ModelProto;
class TensorProto;
}  // namespace strobe_onnx

namespace strobe {

/// The model's protobuf message, raw tensor data replaced by markers into `file`. Errors say what the file looks like
/// when it is no ONNX model (empty, text, zip, HTML, …) and where it is damaged.
Result<std::shared_ptr<const strobe_onnx::ModelProto>> parseModel(std::span<const uint8_t> file,
                                                                  const CancelToken& cancel);
Result<std::shared_ptr<const strobe_onnx::TensorProto>> parseTensor(std::span<const uint8_t> file);

}  // namespace strobe
