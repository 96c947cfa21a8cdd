#pragma once
#include <type_traits>
#include <utility>

#include "engine_core/base/status.h"

namespace strobe {

/// What the exception under way says: OutOfMemory for std::bad_alloc, else Internal. Requires to be called in a catch
/// block.
Status statusOfException();

/// The result of `work`, a Status or Result, or the exception that left it. Every thread and every program starts its
/// work through this (or statusOfException), since an exception that leaves a thread ends the program with all that it
/// holds.
template <class Work>
std::invoke_result_t<Work> withoutExceptions(Work&& work) {
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        return statusOfException();
    }
}

}  // namespace strobe
