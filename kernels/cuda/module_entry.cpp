#include <cstdlib>
#include <cstring>

#include "kernels/cuda/cuda_device.h"
#include "kernels/cuda/cuda_module.h"
#include "kernels/cuda_abi.h"

extern "C" __attribute__((visibility("default"))) int strobeCudaAbi() {
    return strobe::kCudaModuleAbi;
}

/// $STROBE_TF32 "1" lets FP32 products round their factors to TF32.
extern "C" __attribute__((visibility("default"))) void strobeRegisterCuda(strobe::KernelRegistry* registry) {
    const char* tf32 = std::getenv("STROBE_TF32");
    strobe::registerCudaTactics(*registry, tf32 && !std::strcmp(tf32, "1"));
    registry->addDevice(strobe::makeCudaProvider());
}
