#include "kernels/cuda_loader.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace strobe {
namespace {

DeviceInfo onlyDevice(const KernelRegistry& registry) {
    EXPECT_EQ(registry.devices().size(), 1u);
    const auto list = registry.devices().front()->list();
    EXPECT_EQ(list.size(), 1u);
    return list.front();
}

TEST(CudaLoader, MissingModuleIsListedWithTheReason) {
    KernelRegistry registry;
    registerCudaModule(registry, {"/nowhere/libstrobe_cuda.so", "/elsewhere/libstrobe_cuda.so"});
    const DeviceInfo device = onlyDevice(registry);
    EXPECT_EQ(device.id, "cuda:0");
    EXPECT_EQ(device.kind, DeviceKind::Cuda);
    EXPECT_NE(device.unavailableReason.find("not beside the program"), std::string::npos) << device.unavailableReason;
    EXPECT_NE(device.unavailableReason.find("/nowhere/libstrobe_cuda.so and /elsewhere"), std::string::npos)
        << device.unavailableReason;
    const auto opened = registry.devices().front()->open(0);
    ASSERT_FALSE(opened.hasValue());
    EXPECT_EQ(opened.status().message(), device.unavailableReason);
    EXPECT_TRUE(registry.tactics(DeviceKind::Cuda, "Conv").empty());
}

TEST(CudaLoader, AFileThatIsNoModuleIsNotTakenForOne) {
    KernelRegistry registry;
    registerCudaModule(registry, {"/proc/self/exe"});
    const std::string reason = onlyDevice(registry).unavailableReason;
    EXPECT_TRUE(reason.find("no NVIDIA driver") != std::string::npos ||
                reason.find("cannot be loaded") != std::string::npos)
        << reason;
    EXPECT_TRUE(registry.tactics(DeviceKind::Cuda, "Conv").empty());
}

TEST(CudaLoader, TheEnvironmentNamesTheModule) {
    setenv("STROBE_CUDA_MODULE", "/given/module.so", 1);
    EXPECT_EQ(cudaModulePaths(), std::vector<std::string>{"/given/module.so"});
    unsetenv("STROBE_CUDA_MODULE");
    const auto paths = cudaModulePaths();
    ASSERT_EQ(paths.size(), 2u);
    EXPECT_NE(paths[0].find("/libstrobe_cuda.so"), std::string::npos);
    EXPECT_NE(paths[1].find("/lib/libstrobe_cuda.so"), std::string::npos);
}

}  // namespace
}  // namespace strobe
