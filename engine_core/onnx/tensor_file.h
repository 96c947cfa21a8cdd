#pragma once
#include <string>
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/ir/weights.h"

namespace strobe {

/// Reads a file that holds one TensorProto (input_0.pb of ONNX test data). The weights alias the mapped file where they
/// can. Sequences, optionals and maps are refused. `name` receives the tensor's name when not null.
Result<WeightsPtr> readTensorFile(const std::string& path, std::string* name = nullptr);
/// Writes the same, raw data (string_data for strings); an existing file stays whole on failure.
Status writeTensorFile(const std::string& path, const std::string& name, const Weights& weights);

}  // namespace strobe
