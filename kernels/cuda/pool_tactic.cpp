#include "kernels/cuda/launch_kernel.h"
#include "kernels/cuda/pool_source.h"

namespace strobe {
namespace {

class PoolTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.pool"; }
    Support supports(const Problem& problem) const override {
        if (problem.inputs[0].constantData) return Support::no("the input is a constant");
        const auto plan = planPool(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        return {deviceFormats(problem, Layout::ChannelsLast), deviceFormats(problem)};
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(PoolPlan plan, planPool(problem));
        return makeLaunchKernel(problem, context,
                                {std::move(plan.source), {0}, std::move(plan.geometry), plan.outputs});
    }
};

class GlobalPoolKernel final : public Kernel {
public:
    GlobalPoolKernel(GlobalPoolPlan plan, std::shared_ptr<const GeneratedKernel> part,
                     std::shared_ptr<const GeneratedKernel> join, std::shared_ptr<const CudaDevice> device)
        : m_plan(std::move(plan)), m_part(std::move(part)), m_join(std::move(join)), m_device(std::move(device)) {}
    size_t workspaceBytes() const override { return m_plan.workspaceBytes(); }
    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        const cudaStream_t stream = cudaStream(arguments).get();
        const auto words = [](const void* from, const void* to, const std::vector<uint64_t>& geometry) {
            std::vector<uint64_t> all = {reinterpret_cast<uint64_t>(from), reinterpret_cast<uint64_t>(to)};
            all.insert(all.end(), geometry.begin(), geometry.end());
            return all;
        };
        STROBE_RETURN_IF_ERROR(
            m_part->launch(m_plan.blocks * 256, 256,
                           words(arguments.inputs[0].data, arguments.workspace, m_plan.partGeometry), stream));
        return m_join->launch(m_plan.outputs, 256,
                              words(arguments.workspace, arguments.outputs[0].data, m_plan.joinGeometry), stream);
    }

private:
    GlobalPoolPlan m_plan;
    std::shared_ptr<const GeneratedKernel> m_part, m_join;
    std::shared_ptr<const CudaDevice> m_device;
};

class GlobalPoolTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.globalpool"; }
    Support supports(const Problem& problem) const override {
        if (problem.inputs[0].constantData) return Support::no("the input is a constant");
        const auto plan = planGlobalPool(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        return {deviceFormats(problem, Layout::ChannelsLast), deviceFormats(problem)};
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(GlobalPoolPlan plan, planGlobalPool(problem));
        CudaDevice& device = cudaDevice(context);
        STROBE_ASSIGN(auto part, device.generated(plan.partSource));
        STROBE_ASSIGN(auto join, device.generated(plan.joinSource));
        return std::unique_ptr<Kernel>(std::make_unique<GlobalPoolKernel>(std::move(plan), std::move(part),
                                                                          std::move(join), device.shared_from_this()));
    }
};

}  // namespace

void registerCudaPools(KernelRegistry& registry) {
    for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<GlobalPoolTactic>());
    for (const char* op : {"MaxPool", "AveragePool"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<PoolTactic>());
}

}  // namespace strobe
