#include "engine_core/onnx/tensor_file.h"

#include <cstring>
#include <filesystem>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/mapped_file.h"
#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/model_reader.h"
#include "engine_core/onnx/tensor_reader.h"
#include "onnx.pb.h"

namespace strobe {

Result<WeightsPtr> readTensorFile(const std::string& path, std::string* name) {
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, MappedFile::read(path));
    const std::string shown = displayText(path, 400);
    const auto tensor = parseTensor(file->bytes());
    if (!tensor) return tensor.status().withContext(shown);
    TensorReader reader(file, file->bytes(), std::filesystem::path(path).parent_path().string());
    Result<WeightsPtr> weights = reader.read(**tensor);
    if (!weights) return weights.status().withContext(shown);
    if (name) *name = (*tensor)->name();
    if ((*weights)->type == DataType::String) return weights;
    // Bytes in the file promise no alignment, kernels expect that of the elements.
    auto [aligned, elements] = allocateWeights((*weights)->type, (*weights)->dims);
    if (aligned->bytes > 0) std::memcpy(elements, (*weights)->data.get(), aligned->bytes);
    return WeightsPtr(aligned);
}

Status writeTensorFile(const std::string& path, const std::string& name, const Weights& weights) {
    strobe_onnx::TensorProto tensor;
    tensor.set_name(name);
    tensor.set_data_type(static_cast<int>(onnxTypeNumber(weights.type)));
    for (int64_t dim : weights.dims) tensor.add_dims(dim);
    if (weights.type == DataType::String) {
        const auto* strings = static_cast<const std::string*>(weights.data.get());
        for (int64_t i = 0; i < weights.count(); ++i) tensor.add_string_data(strings[i]);
    } else {
        tensor.set_raw_data(weights.data.get(), weights.bytes);
    }
    const std::string bytes = tensor.SerializeAsString();
    return writeFileAtomically(path, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace strobe
