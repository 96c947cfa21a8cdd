#pragma once
#include <memory>
#include <string>

#include "engine_core/base/mapped_file.h"
#include "engine_core/base/status.h"

namespace strobe {

/// Opens a file that a model names as external data. `location` must be a relative path that stays in `baseDirectory`,
/// also after symbolic links are followed, and lead to a regular file. Errors name the location and what to do.
Result<std::shared_ptr<const MappedFile>> openExternalData(const std::string& baseDirectory,
                                                           const std::string& location,
                                                           const CancelToken& cancel);

/// A byte count or offset in decimal; error for signs, other characters and what does not fit 63 bits.
Result<uint64_t> parseByteCount(const std::string& text, const char* what);

}  // namespace strobe
