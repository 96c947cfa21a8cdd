#pragma once
#include <functional>
#include <map>
#include <string>

#include "engine_core/ir/weights.h"

namespace strobe {

/// Asked about each array before memory is taken for it: false leaves it out, an error ends the reading. In an .npy the
/// array has no name.
using ArrayFilter = std::function<Result<bool>(const std::string& name, const Dims& dims)>;
/// NumPy's .npy format, version 1–3 (little endian, C order); null where the array is not wanted. Errors name file and
/// what was found.
Result<WeightsPtr> readNpy(const std::string& path, const ArrayFilter& wanted = {});
/// The arrays of an .npz (stored or deflated) by name without ".npy", all or those that are wanted. OutOfMemory names
/// the array that there is no room for.
Result<std::map<std::string, WeightsPtr>> readNpz(const std::string& path, const ArrayFilter& wanted = {});
Status writeNpz(const std::string& path, const std::map<std::string, WeightsPtr>& arrays);
/// Parses the bytes of one .npy; `name` stands in messages.
Result<WeightsPtr> parseNpy(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace strobe
