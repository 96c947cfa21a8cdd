#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// The CPU engine that all oneDNN kernels share. Thread-safe.
const dnnl::engine& onednnEngine();
/// A stream of the calling thread.
dnnl::stream& onednnStream();

std::optional<dnnl::memory::data_type> onednnType(DataType type);
/// Describes a host tensor in one of our layouts; a scalar becomes one dim of 1. Errors say what oneDNN cannot
/// describe.
Result<dnnl::memory::desc> onednnDesc(const Dims& dims, const Format& format);
/// Row-major, of `type`.
dnnl::memory::desc onednnPlainDesc(const Dims& dims, dnnl::memory::data_type type);
/// Any memory layout, to ask for oneDNN's preference.
dnnl::memory::desc onednnAnyDesc(const Dims& dims, dnnl::memory::data_type type);
/// The layout of ours that a descriptor has, if any.
std::optional<Layout> layoutOf(const dnnl::memory::desc& desc, const Dims& dims);

/// oneDNN's JIT has native BF16 arithmetic here (AVX-512 BF16 or AMX); without it BF16 would be emulated, slower than
/// FP32.
bool onednnHasBf16();
/// The widest blocked layout that the vector length serves: 16 with AVX-512, else 8.
Layout onednnBlockedLayout();
/// Checks what every oneDNN tactic needs: host memory and FP32 or BF16 tensors, BF16 only with native arithmetic.
Support checkFloatTensors(const Problem& problem);

/// Attributes with a scratchpad of the caller.
dnnl::primitive_attr onednnAttributes();
bool isNaiveImplementation(const char* description);

/// "oneDNN has no kernel for <what>".
Status statusOf(const dnnl::error& error, const std::string& what);
/// Runs `fn`, which calls oneDNN, and turns what it throws into a Status.
template <class Fn>
auto guardOnednn(const std::string& what, Fn&& fn) -> Result<decltype(fn())> {
    try {
        return fn();
    } catch (const dnnl::error& error) {
        return statusOf(error, what);
    }
}

/// yes where a plan could be made, else its error as the reason.
template <class Plan>
Support supportOf(const Result<Plan>& plan) {
    return plan ? Support::yes() : Support::no(plan.status().message());
}

/// "Conv fp32 plain[1,3,8,8] → fp32 nhwc[1,4,8,8]", for reasons.
std::string summary(const Problem& problem);

}  // namespace strobe
