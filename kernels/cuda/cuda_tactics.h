#pragma once
#include "kernels/cuda/cuda_device.h"

namespace strobe {

void registerCudaCopies(KernelRegistry& registry);  // cuda.copy: Reformat; cuda.reshape: ops that keep the plain order
void registerCudaPointwise(KernelRegistry& registry);  // cuda.pointwise, cuda.transpose
void registerCudnnConv(KernelRegistry& registry, bool allowTf32);  // cudnn.conv, cudnn.deconv
void registerCublasLtMatMul(KernelRegistry& registry, bool allowTf32);
void registerCudaRows(KernelRegistry& registry);   // softmax, layer normalisation, means over trailing axes
void registerCudaPools(KernelRegistry& registry);  // window and global pooling
void registerCudaMoves(KernelRegistry& registry);  // cuda.move: Concat, Slice, Pad …; cuda.gather
void registerCudaResize(KernelRegistry& registry);
void registerCudaAttention(KernelRegistry& registry);

/// The problem's formats with every tensor that is not constant on the device, in `layout` where its rank allows.
Tactic::Formats deviceFormats(const Problem& problem, Layout layout = Layout::Plain);
/// No, unless what is present and not constant lies on the device as FP32, FP16 or BF16, plain or channels-last.
Support checkDeviceTensors(const Problem& problem);

/// A constant input on the device; null for one that comes at run time.
Result<std::shared_ptr<const void>> uploadConstant(const TensorDesc& desc, CudaDevice& device);
/// That of every input.
Result<std::vector<std::shared_ptr<const void>>> uploadConstants(const Problem& problem, CudaDevice& device);
/// The address of an input: its uploaded constant or what the run brings.
inline const void* inputAddress(const std::vector<std::shared_ptr<const void>>& constants,
                                const RunArguments& arguments, size_t input) {
    return constants[input] ? constants[input].get() : arguments.inputs[input].data;
}

}  // namespace strobe
