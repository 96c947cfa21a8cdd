#pragma once
#include <cuda_runtime_api.h>

#include <string>

#include "engine_core/base/status.h"

namespace strobe {

/// Ok, or "what: cudaErrorX, its text".
inline Status cudaStatus(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return Status::ok();
    cudaGetLastError();  // a failed call leaves its error for the next one to find
    const auto code = error == cudaErrorMemoryAllocation ? ErrorCode::OutOfMemory : ErrorCode::Internal;
    return Status(code, std::string(what) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error));
}

}  // namespace strobe
