#include "kernels/cuda/driver_facts.h"

#include <gtest/gtest.h>

#include "kernels/cuda/cuda_device.h"
#include "kernels/cuda/cuda_module.h"

namespace strobe {
namespace {

TEST(DriverFacts, SayWhatIsWrong) {
    EXPECT_NE(driverProblem({}).find("no NVIDIA driver"), std::string::npos);
    EXPECT_EQ(driverProblem({12000, "525.60.13", 1, ""}),
              "driver 525.60.13 is older than CUDA 13 needs; install version 580 or newer");
    EXPECT_NE(driverProblem({12080, "", 1, ""}).find("driver for CUDA 12"), std::string::npos);
    EXPECT_NE(driverProblem({13000, "580.65.06", 0, ""}).find("no device"), std::string::npos);
    EXPECT_NE(driverProblem({13000, "580.65.06", 0, "unknown error"}).find("unknown error"), std::string::npos);
    EXPECT_EQ(driverProblem({13000, "580.65.06", 2, ""}), "");
}

TEST(DriverFacts, AmpereIsTheOldest) {
    EXPECT_EQ(capabilityProblem(7, 5), "compute capability 7.5; 8.0 or newer is needed");
    EXPECT_EQ(capabilityProblem(8, 0), "");
    EXPECT_EQ(capabilityProblem(12, 0), "");
}

TEST(DriverFacts, VersionIsReadFromBothFormsOfTheFile) {
    EXPECT_EQ(parseDriverVersion("NVRM version: NVIDIA UNIX x86_64 Kernel Module  525.60.13  Wed Nov 30 06:39:21 UTC "
                                 "2022\nGCC version:  gcc 9.4.0\n"),
              "525.60.13");
    EXPECT_EQ(parseDriverVersion("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n"),
              "580.65.06");
    EXPECT_EQ(parseDriverVersion(""), "");
    EXPECT_EQ(parseDriverVersion("Module"), "");
}

TEST(DriverFacts, ArchitecturesAreNamedForNvrtc) {
    EXPECT_EQ(architectureName(8, 6), "sm_86");
    EXPECT_EQ(architectureName(9, 0), "sm_90a");
    EXPECT_EQ(architectureName(12, 0), "sm_120");
}

TEST(CudaProvider, ListsEveryDeviceOrTheReasonForNone) {
    const auto devices = makeCudaProvider()->list();
    ASSERT_FALSE(devices.empty());
    EXPECT_EQ(devices[0].id, "cuda:0");
    EXPECT_EQ(devices[0].unavailableReason.empty(), devices[0].memoryBytes > 0);
}

TEST(CudaModule, RegistersWithoutADriver) {
    KernelRegistry registry;
    registerCudaTactics(registry, false);
    ASSERT_EQ(registry.tactics(DeviceKind::Cuda, "Conv").size(), 1u);
    EXPECT_EQ(registry.tactics(DeviceKind::Cuda, "Conv")[0]->name(), "cudnn.conv");
    EXPECT_TRUE(registry.tactics(DeviceKind::Cpu, "Conv").empty());
    KernelRegistry fast;
    registerCudaTactics(fast, true);
    EXPECT_EQ(fast.tactics(DeviceKind::Cuda, "Conv").size(), 2u);
    EXPECT_NE(fast.findByName("cublaslt.matmul.tf32"), nullptr);
}

}  // namespace
}  // namespace strobe
