#include "engine_core/base/status.h"

namespace strobe {

const char* errorCodeName(ErrorCode code) {
    switch (code) {
        case ErrorCode::Ok: return "ok";
        case ErrorCode::InvalidArgument: return "invalid argument";
        case ErrorCode::InvalidModel: return "invalid model";
        case ErrorCode::Unsupported: return "unsupported";
        case ErrorCode::NotFound: return "not found";
        case ErrorCode::IoError: return "input/output error";
        case ErrorCode::OutOfRange: return "out of range";
        case ErrorCode::OutOfMemory: return "out of memory";
        case ErrorCode::Cancelled: return "cancelled";
        case ErrorCode::Internal: return "internal error";
    }
    return "unknown";
}

Status invalidArgument(std::string message) { return {ErrorCode::InvalidArgument, std::move(message)}; }
Status invalidModel(std::string message) { return {ErrorCode::InvalidModel, std::move(message)}; }
Status unsupported(std::string message) { return {ErrorCode::Unsupported, std::move(message)}; }
Status notFound(std::string message) { return {ErrorCode::NotFound, std::move(message)}; }
Status ioError(std::string message) { return {ErrorCode::IoError, std::move(message)}; }
Status outOfRange(std::string message) { return {ErrorCode::OutOfRange, std::move(message)}; }
Status cancelled() { return {ErrorCode::Cancelled, "cancelled"}; }
Status internalError(std::string message) { return {ErrorCode::Internal, std::move(message)}; }

}  // namespace strobe
