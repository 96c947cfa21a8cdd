#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "engine_core/builder/builder.h"
#include "kernels/cpu/register.h"

namespace strobe::test {

/// All CPU kernels, the reference ones included.
inline const KernelRegistry& cpuKernels() {
    static const auto registry = [] {
        auto r = std::make_unique<KernelRegistry>();
        registerCpuKernels(*r);
        return r;
    }();
    return *registry;
}

/// Null, and a failed test, when it cannot be built.
inline std::shared_ptr<const Engine> buildEngine(Network network, BuilderConfig config, TimingCache* cache = nullptr) {
    Builder::Request request;
    request.modelName = network.name() + ".onnx";
    request.parsed = std::make_shared<const Network>(std::move(network));
    request.config = std::move(config);
    request.timingCache = cache;
    auto built = Builder(cpuKernels()).build(request);
    EXPECT_TRUE(built.hasValue()) << built.status().message();
    return built ? built->engine : nullptr;
}

/// Timed once at most, on two threads.
inline BuilderConfig quickConfig() {
    BuilderConfig config;
    config.optimizationLevel = 1;
    config.threads = 2;
    return config;
}

}  // namespace strobe::test
