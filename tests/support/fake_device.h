#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine_core/builder/builder.h"
#include "engine_core/builder/tactic.h"

namespace strobe::test {

/// A device of kind Cuda made of host memory, with a clock of its own: what its kernels take is said by the test.
struct FakeDeviceScript {
    uint64_t nanoseconds = 250000;       // of every kernel, copies included
    std::optional<Status> startFailure;  // of its recorder
    bool recordsNothing = false;         // its recorder starts, and has no records in the end
    bool hasNoEvents = false;
    std::optional<Status> waitFailure;   // of its streams
    bool hasBf16 = false, hasFp16 = false;  // arithmetic that it says it has
    std::optional<Status> runFailure;    // of its kernels
    int kernelsRun = 0;
};

/// Adds the device and its tactics: `fake.copy` for Reformat and, for `op`, `fake.op`, which runs the reference kernel
/// on the problems that `serves` accepts. `script` must outlive the registry.
void registerFakeDevice(KernelRegistry& kernels, const std::string& op, std::function<Support(const Problem&)> serves,
                        FakeDeviceScript& script);

/// The network built quickly for one thread; on the fake device its layer "soft" runs on `fake.op`.
Result<std::shared_ptr<const Engine>> buildWithFakeDevice(const KernelRegistry& kernels, Network network,
                                                          std::vector<OptimizationProfile> profiles = {},
                                                          const std::string& device = "cuda:0");

}  // namespace strobe::test
