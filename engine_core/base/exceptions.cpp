#include "engine_core/base/exceptions.h"

#include <exception>
#include <new>

namespace strobe {

Status statusOfException() {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return Status(ErrorCode::OutOfMemory,
                      "out of memory; use smaller shapes or less data, or let other programs end");
    } catch (const std::exception& error) {
        return internalError(std::string("an unexpected error: ") + error.what());
    } catch (...) {
        return internalError("an unexpected error of an unknown kind");
    }
}

}  // namespace strobe
