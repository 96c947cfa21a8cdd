#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// Where the module may lie: $STROBE_CUDA_MODULE alone when it is set, else beside the running program and in ../lib of
/// it.
std::vector<std::string> cudaModulePaths();

/// Loads the CUDA module and lets it register its tactics and devices. Always adds a DeviceProvider for CUDA: the
/// module's, or one that lists "cuda:0" with the reason why it cannot be used. A loaded module stays loaded until the
/// program ends.
void registerCudaModule(KernelRegistry& registry, const std::vector<std::string>& paths = cudaModulePaths());

/// A provider of no usable device: lists "cuda:0" with `reason`, and open() fails with it.
std::unique_ptr<DeviceProvider> makeUnavailableCuda(std::string reason);

}  // namespace strobe
