#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "kernels/reference/reference_kernel.h"

namespace strobe {

/// Element-wise arithmetic on integers of 8 to 64 bits. Overflow wraps around; a division by zero gives 0, since a run
/// has no place for a warning.
Status runIntegerElementwise(const Problem& problem, const RunArguments& arguments);
bool hasIntegerForm(std::string_view op);

/// Nearest value of T towards zero; NaN gives 0.
template <class T>
T saturateCast(double value) {
    if (std::isnan(value)) return 0;
    // The limits of 64-bit types are not doubles; comparing with ≥ keeps the cast defined.
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
}

}  // namespace strobe
