#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// A naive kernel: plain layout, host memory, one thread, written to be obviously right. `run` computes the op's own outputs;
/// what every kernel shares is done around it: FP16, BF16 and FP8 tensors arrive and leave as FP32 (constants too), and an
/// epilogue is applied to output 0 afterwards.
/// `run` finds shape values in problem.inputs[i].constantData or, at run time, in arguments.inputs[i].data.
struct ReferenceKernel {
    std::string op;
    Status (*run)(const Problem& problem, const RunArguments& arguments) = nullptr;
    /// Element types and attributes that `run` serves, after the FP32 widening; nullptr: all.
    Support (*supports)(const Problem& problem) = nullptr;
    /// Narrow floats are handed over as they are (Cast, Quantize…, pure copies).
    bool keepsNarrowTypes = false;
};

/// Registers "reference.<op>".
void addReference(KernelRegistry& registry, ReferenceKernel kernel);

/// Body of a file in kernels/reference: STROBE_REFERENCE(conv) { addReference(registry, {"Conv", runConv}); } — listed in CMake.
#define STROBE_REFERENCE(file) void registerReference_##file(::strobe::KernelRegistry& registry)

/// All reference kernels, for the CPU.
void registerReferenceKernels(KernelRegistry& registry);

/// Row-major strides in elements.
std::vector<int64_t> rowMajorStrides(const Dims& dims);
/// Strides that read a tensor of `dims` as if broadcast to `target` (0 along broadcast dims).
std::vector<int64_t> broadcastStrides(const Dims& dims, const Dims& target);
/// The next index in row-major order; false after the last. Inside a kernel's run it looks, now and then, whether the run is cancelled,
/// and then leaves it by an exception that ends in ReferenceKernel's caller.
bool advance(Dims& index, const Dims& dims);
/// That look alone, for loops that count otherwise; to be called for every element, which costs about `operations` additions.
void pollCancel(int64_t operations);
/// All elements as numbers, with such looks.
std::vector<float> readFloats(const Weights& weights);
std::vector<double> readDoubles(const Weights& weights);
/// Integer elements of input `i` (int32 or int64), constant or at run time.
std::vector<int64_t> readIntegers(const Problem& problem, const RunArguments& arguments, int input);

/// Applies a program at every element of `dims`, in FP32. inputs[i] has dims inputDims[i] (broadcast); several outputs allowed.
void runPointwiseReference(const PointwiseProgram& program, std::span<const float* const> inputs, std::span<const Dims> inputDims,
                           std::span<float* const> outputs, const Dims& dims);

}  // namespace strobe
