#include "engine_core/onnx/tensor_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/element_type.h"
#include "engine_core/onnx/external_data.h"
#include "engine_core/onnx/wire_format.h"
#include "engine_core/ops/value_inference.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 40;

template <class Repeated>
Result<Dims> checkedDims(const Repeated& stated) {
    if (stated.size() > kMaxRank)
        return invalidModel("has rank " + std::to_string(stated.size()) + ", at most " + std::to_string(kMaxRank) +
                            " is allowed");
    Dims dims(stated.begin(), stated.end());
    int64_t count = 1;
    for (int64_t dim : dims) {
        if (dim < 0) return invalidModel("has dims " + toString(dims) + "; a negative extent is not allowed");
        if (dim > 0 && count > kMaxElements / dim)
            return invalidModel("has dims " + toString(dims) + ", more than 2^40 elements");
        count *= std::max<int64_t>(dim, 1);
    }
    return dims;
}

Status wrongCount(const char* field, int64_t found, const Dims& dims, int64_t needed) {
    return invalidModel(std::string(field) + " holds " + std::to_string(found) + " values, dims " + toString(dims) +
                        " need " + std::to_string(needed));
}

WeightsPtr aliasWeights(DataType type, Dims dims, std::shared_ptr<const void> owner, const uint8_t* data,
                        size_t bytes) {
    auto weights = std::make_shared<Weights>();
    weights->type = type;
    weights->dims = std::move(dims);
    weights->data = std::shared_ptr<const void>(std::move(owner), data);
    weights->bytes = bytes;
    return weights;
}

/// Narrow types travel one element a value; a value outside the element type is a damaged file.
template <class Stored, class Repeated>
Result<WeightsPtr> unpack(DataType type, const Dims& dims, const Repeated& values, const char* field) {
    const int64_t perValue = dataTypeBits(type) < 8 ? 8 / dataTypeBits(type) : 1;
    const int64_t needed = (elementCount(dims) + perValue - 1) / perValue;
    if (values.size() != needed) return wrongCount(field, values.size(), dims, needed);
    auto [weights, storage] = allocateWeights(type, dims);
    auto* stored = static_cast<Stored*>(storage);
    for (int i = 0; i < values.size(); ++i) {
        const auto value = values.Get(i);
        if constexpr (std::is_integral_v<Stored>) {
            // Bits of unsigned types may arrive as negative numbers.
            using Signed = std::make_signed_t<Stored>;
            const auto wide = static_cast<int64_t>(value);
            const bool fits = sizeof(Stored) == 8 ||
                              (wide >= std::numeric_limits<Signed>::min() &&
                               wide <= static_cast<int64_t>(std::numeric_limits<std::make_unsigned_t<Stored>>::max()));
            if (!fits)
                return invalidModel(std::string(field) + " holds " + std::to_string(wide) + ", outside " +
                                    std::string(dataTypeName(type)));
        }
        stored[i] = static_cast<Stored>(value);
    }
    return weights;
}

Result<WeightsPtr> unpackInt32(DataType type, const Dims& dims, const strobe_onnx::TensorProto& tensor) {
    const auto& values = tensor.int32_data();
    switch (dataTypeBits(type)) {
        case 32:
            return unpack<int32_t>(type, dims, values, "int32_data");
        case 16:
            return unpack<uint16_t>(type, dims, values, "int32_data");
        default:
            return unpack<uint8_t>(type, dims, values, "int32_data");
    }
}

Result<WeightsPtr> unpackStrings(const Dims& dims, const strobe_onnx::TensorProto& tensor) {
    const int64_t needed = elementCount(dims);
    if (tensor.string_data_size() != needed) return wrongCount("string_data", tensor.string_data_size(), dims, needed);
    const std::vector<std::string> strings(tensor.string_data().begin(), tensor.string_data().end());
    return makeWeights<std::string>(DataType::String, dims, strings);
}

Result<WeightsPtr> unpackTyped(DataType type, const Dims& dims, const strobe_onnx::TensorProto& tensor) {
    switch (type) {
        case DataType::Float32:
            return unpack<float>(type, dims, tensor.float_data(), "float_data");
        case DataType::Float64:
            return unpack<double>(type, dims, tensor.double_data(), "double_data");
        case DataType::Int64:
            return unpack<int64_t>(type, dims, tensor.int64_data(), "int64_data");
        case DataType::UInt64:
            return unpack<uint64_t>(type, dims, tensor.uint64_data(), "uint64_data");
        case DataType::UInt32:
            return unpack<uint32_t>(type, dims, tensor.uint64_data(), "uint64_data");
        case DataType::String:
            return unpackStrings(dims, tensor);
        default:
            return unpackInt32(type, dims, tensor);
    }
}

std::string shownTensor(const strobe_onnx::TensorProto& tensor) {
    return "tensor '" + displayText(tensor.name()) + "'";
}

}  // namespace

Result<WeightsPtr> TensorReader::read(const strobe_onnx::TensorProto& tensor) {
    const auto readAll = [&]() -> Result<WeightsPtr> {
        STROBE_ASSIGN(const DataType type, elementTypeFromOnnx(tensor.data_type()));
        STROBE_ASSIGN(Dims dims, checkedDims(tensor.dims()));
        if (tensor.has_segment())
            return unsupported("is stored in segments, which no ONNX tool writes; store it whole");
        if (tensor.data_location() == 1) return readExternal(tensor, type, std::move(dims));
        if (tensor.data_location() != 0)
            return invalidModel("has data_location " + std::to_string(tensor.data_location()) + ", 0 or 1 is allowed");
        if (!tensor.has_raw_data()) return unpackTyped(type, dims, tensor);
        if (type == DataType::String) return invalidModel("has strings in raw_data; string_data is needed");
        const RawRange range = decodeRawRange(tensor.raw_data());
        const size_t needed = dataTypeBytes(type, elementCount(dims));
        if (range.length != needed)
            return invalidModel("has " + std::to_string(range.length) + " bytes of raw_data, " +
                                std::string(dataTypeName(type)) + toString(dims) + " needs " + std::to_string(needed));
        if (range.offset > m_bytes.size() || range.length > m_bytes.size() - range.offset)
            return internalError("raw data outside the file");
        return aliasWeights(type, std::move(dims), m_owner, m_bytes.data() + range.offset, needed);
    };
    Result<WeightsPtr> result = readAll();
    if (!result) return result.status().withContext(shownTensor(tensor));
    return result;
}

Result<WeightsPtr> TensorReader::readExternal(const strobe_onnx::TensorProto& tensor, DataType type, Dims dims) {
    if (type == DataType::String) return invalidModel("has strings in external data, which ONNX does not allow");
    const size_t needed = dataTypeBytes(type, elementCount(dims));
    std::string location;
    uint64_t offset = 0, length = needed;
    for (const auto& entry : tensor.external_data()) {
        if (entry.key() == "location") location = entry.value();
        if (entry.key() == "offset") {
            STROBE_ASSIGN(offset, parseByteCount(entry.value(), "offset"));
        }
        if (entry.key() == "length") {
            STROBE_ASSIGN(length, parseByteCount(entry.value(), "length"));
        }
    }
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, openExternal(location));
    const std::string where = "external data '" + displayText(location) + "'";
    if (length != needed)
        return invalidModel(where + " states length " + std::to_string(length) + ", " +
                            std::string(dataTypeName(type)) + toString(dims) + " needs " + std::to_string(needed));
    const size_t size = file->bytes().size();
    if (offset > size || length > size - offset)
        return invalidModel(where + ": offset " + std::to_string(offset) + " + length " + std::to_string(length) +
                            " is past the end of the file (" + std::to_string(size) +
                            " bytes); the file is truncated or belongs to another model");
    return aliasWeights(type, std::move(dims), file, file->bytes().data() + offset, needed);
}

std::vector<std::shared_ptr<const MappedFile>> TensorReader::externalFiles() const {
    std::vector<std::shared_ptr<const MappedFile>> files;
    for (const auto& [location, file] : m_external) files.push_back(file);
    return files;
}

Result<std::shared_ptr<const MappedFile>> TensorReader::openExternal(const std::string& location) {
    if (const auto known = m_external.find(location); known != m_external.end()) return known->second;
    if (m_baseDirectory.empty())
        return unsupported("external data '" + displayText(location) +
                           "' cannot be found without the model's folder; open the model from its file");
    STROBE_ASSIGN(auto file, openExternalData(m_baseDirectory, location, m_cancel));
    m_external[location] = file;
    return file;
}

namespace {

/// Linear element positions of a sparse tensor's values.
Result<std::vector<int64_t>> sparsePositions(const Weights& indices, const Dims& dims, int64_t count) {
    const auto rank = static_cast<int64_t>(dims.size());
    const bool linear = indices.dims == Dims{count}, coordinates = indices.dims == Dims{count, rank};
    if (indices.type != DataType::Int64 || !(linear || coordinates))
        return invalidModel("has indices " + std::string(dataTypeName(indices.type)) + toString(indices.dims) +
                            ", int64[" + std::to_string(count) + "] or int64[" + std::to_string(count) + "," +
                            std::to_string(rank) + "] is needed");
    const std::vector<int64_t> values = indices.copyAs<int64_t>();
    const int64_t elements = elementCount(dims);
    std::vector<int64_t> positions;
    for (int64_t i = 0; i < count; ++i) {
        int64_t position = linear ? values[static_cast<size_t>(i)] : 0;
        bool inside = position >= 0 && position < elements;
        for (int64_t d = 0; !linear && d < rank; ++d) {
            const int64_t index = values[static_cast<size_t>(i * rank + d)], extent = dims[static_cast<size_t>(d)];
            inside = inside && index >= 0 && index < extent;
            if (inside) position = position * extent + index;
        }
        if (!inside) return invalidModel("has index entry " + std::to_string(i) + " outside dims " + toString(dims));
        positions.push_back(position);
    }
    return positions;
}

}  // namespace

Result<WeightsPtr> TensorReader::read(const strobe_onnx::SparseTensorProto& tensor) {
    const auto readAll = [&]() -> Result<WeightsPtr> {
        STROBE_ASSIGN(const WeightsPtr values, read(tensor.values()));
        STROBE_ASSIGN(const WeightsPtr indices, read(tensor.indices()));
        STROBE_ASSIGN(const Dims dims, checkedDims(tensor.dims()));
        if (values->dims.size() != 1)
            return invalidModel("has values of dims " + toString(values->dims) + ", rank 1 is needed");
        if (values->type == DataType::String || dataTypeBits(values->type) < 8)
            return unsupported("has sparse values of type " + std::string(dataTypeName(values->type)) +
                               "; store the tensor dense");
        const size_t bytes = dataTypeBytes(values->type, elementCount(dims));
        if (bytes > kMaxDenseBytes)
            return unsupported("takes " + std::to_string(bytes) + " bytes when dense, at most " +
                               std::to_string(kMaxDenseBytes) + " are allowed");
        STROBE_ASSIGN(const std::vector<int64_t> positions, sparsePositions(*indices, dims, values->dims[0]));
        auto [dense, storage] = allocateWeights(values->type, dims);
        const size_t element = dataTypeBytes(values->type, 1);
        for (size_t i = 0; i < positions.size(); ++i)
            std::memcpy(static_cast<char*>(storage) + static_cast<size_t>(positions[i]) * element,
                        static_cast<const char*>(values->data.get()) + i * element, element);
        return dense;
    };
    Result<WeightsPtr> result = readAll();
    if (!result) return result.status().withContext("sparse tensor '" + displayText(tensor.values().name()) + "'");
    return result;
}

}  // namespace strobe
