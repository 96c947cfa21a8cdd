#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "engine_core/base/mapped_file.h"
#include "engine_core/ir/weights.h"

namespace strobe_onnx {
class TensorProto;
class SparseTensorProto;
}  // namespace strobe_onnx

namespace strobe {

/// Turns tensors of one file into Weights. Raw and external data are aliased in their mapped files, typed fields are
/// unpacked.
class TensorReader {
public:
    /// `bytes` is what raw-data markers point into and lives as long as `owner`. `baseDirectory` holds external data;
    /// empty: none allowed. Large files of it are read until `cancel`.
    TensorReader(std::shared_ptr<const void> owner, std::span<const uint8_t> bytes, std::string baseDirectory,
                 CancelToken cancel = {})
        : m_owner(std::move(owner)),
          m_bytes(bytes),
          m_baseDirectory(std::move(baseDirectory)),
          m_cancel(std::move(cancel)) {}

    /// Errors name the tensor, what was found and what is allowed.
    Result<WeightsPtr> read(const strobe_onnx::TensorProto& tensor);
    /// Dense form. Refused when it would take more than kMaxDenseBytes.
    Result<WeightsPtr> read(const strobe_onnx::SparseTensorProto& tensor);

    /// Files of external data that were opened.
    std::vector<std::shared_ptr<const MappedFile>> externalFiles() const;

    static constexpr size_t kMaxDenseBytes = size_t{256} << 20;

private:
    Result<WeightsPtr> readExternal(const strobe_onnx::TensorProto& tensor, DataType type, Dims dims);
    Result<std::shared_ptr<const MappedFile>> openExternal(const std::string& location);

    std::shared_ptr<const void> m_owner;
    std::span<const uint8_t> m_bytes;
    std::string m_baseDirectory;
    CancelToken m_cancel;
    std::map<std::string, std::shared_ptr<const MappedFile>> m_external;
};

}  // namespace strobe
