#pragma once
#include <gtest/gtest.h>

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
    double tolerance = 0.0;                  // error allowed, relative to |expected| + its root mean square; 0: by type
    int threads = 2;
    uint32_t seed = 1;
    /// Formats to test instead of the tactic's candidateFormats.
    std::vector<Tactic::Formats> formats;
};

/// Runs the tactic named so in every candidate format that it supports (at least one is required) and expects: the
/// reference's values; zeros in the padding of blocked outputs; nothing written outside outputs and workspace; the same
/// from buffers aligned to no more than an element, and in place wherever canRunInPlace allows. Returns the number of
/// format combinations that ran.
int expectMatchesReference(const KernelCase& kernelCase, const std::string& tactic);

/// Expects that the tactic declines the case in every candidate format, with a reason that contains `reason`.
void expectDeclines(const KernelCase& kernelCase, const std::string& tactic, const std::string& reason = {});

/// All CPU tactics, registered once.
const KernelRegistry& cpuKernels();

/// Elements of a plain tensor moved into `format` and back; blocked padding is zero. Scalar code, independent of every
/// kernel.
std::vector<std::byte> toFormat(const std::vector<double>& plain, const Dims& dims, const Format& format);
std::vector<double> fromFormat(const void* data, const Dims& dims, const Format& format);

}  // namespace strobe
