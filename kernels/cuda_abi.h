#pragma once

namespace strobe {

class KernelRegistry;

/// Raised whenever a type that crosses the module's border changes (Tactic, Problem, Kernel, Device, KernelRegistry …).
constexpr int kCudaModuleAbi = 2;
constexpr const char* kCudaModuleName = "libstrobe_cuda.so";

/// What libstrobe_cuda.so exports, both with C linkage.
using CudaAbiFunction = int (*)();  // "strobeCudaAbi": its kCudaModuleAbi
using RegisterCudaFunction =
    void (*)(KernelRegistry*);  // "strobeRegisterCuda": adds its tactics and its DeviceProvider

}  // namespace strobe
