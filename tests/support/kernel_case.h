#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// One input of a kernel test. Values are uniform in [low, high] (integers: whole numbers) unless `values` gives them
/// all.
struct KernelInput {
    Dims dims;
    DataType type = DataType::Float32;
    bool constant = false;  // weights: the problem carries the elements, in the plain layout
    bool present = true;
    double low = -1.0, high = 1.0;
    std::vector<double> values;
    bool keepType = false;  // stays FP32 when KernelCase::floatType narrows the rest

    static KernelInput weights(Dims dims) { return {std::move(dims), DataType::Float32, true}; }
    static KernelInput absent() { return {{}, DataType::Undefined, false, false}; }
    /// Shape values, axes …: a constant int64 vector.
    static KernelInput integers(const std::vector<int64_t>& values);
};

/// A layer to run twice: by its reference kernel in FP32, and by the tactic under test.
struct KernelCase {
    std::string op;
    Attributes attributes;
    std::vector<KernelInput> inputs;  // own inputs up to op->maxInputs, then the epilogue's
    std::string program;              // PointwiseProgram::toString form; empty: none
    int outputs = 1;
    DataType floatType = DataType::Float32;  // type of every FP32 input
    bool fp32Result = false;                 // outputs are FP32 whatever the inputs
    double tolerance = 0.0;                  // error allowed, relative to |expected| + its root mean square; 0: by type
    int threads = 2;
    uint32_t seed = 1;
    /// Formats to test instead of the tactic's candidateFormats.
    std::vector<Tactic::Formats> formats;
};

/// A case made ready: its problem at its own types in the plain layout, values rounded to those types, and what the
/// reference gives.
struct CaseData {
    const OpDefinition* op = nullptr;
    std::optional<PointwiseProgram> program;
    std::vector<std::vector<double>> inputs;
    std::vector<std::vector<double>> expected;
    Problem problem;
    std::vector<std::vector<std::byte>> constants;
};
/// Draws the inputs and infers the outputs; `data` must stay where it is while its problem is used.
Status prepareCase(const KernelCase& kernelCase, CaseData& data);
/// Fills data.expected by the reference kernel, which computes in FP32 or wider.
Status runReference(const KernelCase& kernelCase, CaseData& data);

/// Makes the case ready and hands `run` the tactic's problem in each candidate format that it supports (there must be
/// one); `run` says whether the kernel could be prepared. Returns how many ran.
using CaseRun = std::function<bool(const Tactic& tactic, const CaseData& data, const Problem& problem)>;
int runInSupportedFormats(const KernelRegistry& kernels, const KernelCase& kernelCase, const std::string& tacticName,
                          const CaseRun& run);

Problem withFormats(Problem problem, const Tactic::Formats& formats);
/// The problem's key, shortened for messages.
std::string describe(const Problem& problem);
/// Error allowed for one element, relative to |expected| + the root mean square.
double toleranceFor(const KernelCase& kernelCase, const Problem& problem);
void expectClose(const std::vector<double>& expected, const std::vector<double>& actual, DataType type,
                 double tolerance, const std::string& what);

/// Elements of a plain tensor moved into `format` and back; blocked padding is zero. Scalar code, independent of every
/// kernel.
std::vector<std::byte> toFormat(const std::vector<double>& plain, const Dims& dims, const Format& format);
std::vector<double> fromFormat(const void* data, const Dims& dims, const Format& format);

/// Calls fn(position in plain order, offset in `layout`) for every element.
template <class Fn>
void forEachElement(const Dims& dims, Layout layout, Fn fn) {
    if (elementCount(dims) == 0) return;
    const int64_t block = layoutBlock(layout), channels = dims.size() > 1 ? dims[1] : 1;
    const int64_t groups = (channels + block - 1) / block;
    int64_t spatial = 1, position = 0;
    for (size_t i = 2; i < dims.size(); ++i) spatial *= dims[i];
    for (int64_t n = 0; n < (dims.empty() ? 1 : dims[0]); ++n)
        for (int64_t c = 0; c < channels; ++c)
            for (int64_t s = 0; s < spatial; ++s, ++position) {
                if (layout == Layout::Plain)
                    fn(position, position);
                else if (layout == Layout::ChannelsLast)
                    fn(position, (n * spatial + s) * channels + c);
                else
                    fn(position, ((n * groups + c / block) * spatial + s) * block + c % block);
            }
}

}  // namespace strobe
