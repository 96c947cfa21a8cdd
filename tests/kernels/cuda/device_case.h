#pragma once
#include <memory>
#include <string>

#include "tests/support/kernel_case.h"

namespace strobe {

/// The device that --device names, with the tactics of its module; `missing` says why there is none.
struct DeviceUnderTest {
    KernelRegistry kernels;
    DeviceInfo info;
    std::shared_ptr<Device> device;
    std::unique_ptr<Stream> stream;
    std::string missing;
};
void chooseDevice(std::string id);
DeviceUnderTest& deviceUnderTest();

#define SKIP_WITHOUT_DEVICE() \
    if (!::strobe::deviceUnderTest().device) GTEST_SKIP() << ::strobe::deviceUnderTest().missing

/// Runs the tactic in every candidate format that it supports and expects the reference's values, nothing written
/// outside outputs and workspace, and the same in place where canRunInPlace allows. Returns the number of format
/// combinations that ran.
int expectMatchesOnDevice(const KernelCase& kernelCase, const std::string& tactic);
/// The same with floating-point tensors of either 16-bit type.
KernelCase inBf16(KernelCase kernelCase);
KernelCase inFp16(KernelCase kernelCase);
void expectInSixteenBits(const KernelCase& kernelCase, const std::string& tactic);

}  // namespace strobe
