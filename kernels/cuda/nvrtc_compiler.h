#pragma once
#include <string>

#include "engine_core/base/data_type.h"
#include "engine_core/base/status.h"

namespace strobe {

/// Every generated kernel has this name.
constexpr const char* kGeneratedKernel = "strobeKernel";

/// Compiles CUDA C++ without any include to machine code for one architecture ("sm_90a"). Needs no driver and no GPU.
/// The error carries the compiler's log.
Result<std::string> compileCubin(const std::string& source, const std::string& architecture);

/// Text that generated sources begin with: element types, their loads and stores, and the scalar functions of
/// PointwiseOp.
const std::string& kernelPrelude();

/// What the prelude's loads and stores of an element type end in: "F32", "F16", "Bf16", "Bool"; empty: it has none.
std::string elementSuffix(DataType type);

/// The type that carries so many bytes, to move elements as bits: "u8" … "u64", "uint4"; null: there is none.
const char* wordType(size_t bytes);

/// The text with every `what` replaced: how templates of kernels are filled in.
std::string replaceAll(std::string text, const std::string& what, const std::string& with);

}  // namespace strobe
