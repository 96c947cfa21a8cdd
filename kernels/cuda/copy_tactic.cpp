#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/reformat_source.h"

namespace strobe {
namespace {

class CopyKernel final : public Kernel {
public:
    CopyKernel(ReformatPlan plan, std::shared_ptr<const GeneratedKernel> convert, std::shared_ptr<CudaDevice> device)
        : m_plan(std::move(plan)), m_convert(std::move(convert)), m_device(std::move(device)) {}
    size_t workspaceBytes() const override { return m_plan.stagingBytes(); }

    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        Stream* stream = arguments.stream;
        const void* from = arguments.inputs[0].data;
        void* to = arguments.outputs[0].data;
        if (m_plan.fromHost) {
            void* target = m_plan.convert ? arguments.workspace : to;
            STROBE_RETURN_IF_ERROR(m_device->copyToDevice(target, from, m_plan.fromBytes, stream));
            from = target;
        }
        if (m_plan.convert) {
            void* target = m_plan.toHost ? arguments.workspace : to;
            STROBE_RETURN_IF_ERROR(convert(from, target, cudaStream(arguments).get()));
            from = target;
        }
        if (from == to) return Status::ok();  // in place
        if (!m_plan.toHost) {
            if (m_plan.fromHost || m_plan.convert) return Status::ok();
            return cudaStatus(
                cudaMemcpyAsync(to, from, m_plan.toBytes, cudaMemcpyDeviceToDevice, cudaStream(arguments).get()),
                "copying on the device");
        }
        STROBE_RETURN_IF_ERROR(m_device->copyToHost(to, from, m_plan.toBytes, stream));
        // The next step may be a CPU kernel, which knows no streams.
        return stream->synchronize();
    }

private:
    Status convert(const void* from, void* to, cudaStream_t stream) const {
        std::vector<uint64_t> words = {reinterpret_cast<uint64_t>(from), reinterpret_cast<uint64_t>(to)};
        words.insert(words.end(), m_plan.geometry.begin(), m_plan.geometry.end());
        constexpr int64_t kMaxThreads = int64_t{1} << 30;  // the kernel strides over the rest
        return m_convert->launch(std::min(m_plan.storedElements, kMaxThreads), 256, words, stream);
    }

    ReformatPlan m_plan;
    std::shared_ptr<const GeneratedKernel> m_convert;
    std::shared_ptr<CudaDevice> m_device;
};

Result<std::unique_ptr<Kernel>> makeCopy(ReformatPlan plan, const PrepareContext& context) {
    CudaDevice& device = cudaDevice(context);
    std::shared_ptr<const GeneratedKernel> convert;
    if (plan.convert) {
        STROBE_ASSIGN(convert, device.generated(plan.source));
    }
    return std::unique_ptr<Kernel>(
        std::make_unique<CopyKernel>(std::move(plan), std::move(convert), device.shared_from_this()));
}

/// Reformat across the bus and on the device.
class CopyTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.copy"; }
    Support supports(const Problem& problem) const override {
        const auto plan = planReformat(problem.inputs[0], problem.outputs[0]);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(ReformatPlan plan, planReformat(problem.inputs[0], problem.outputs[0]));
        return makeCopy(std::move(plan), context);
    }
};

/// Ops whose output holds the input's elements in the same plain order.
class ReshapeTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.reshape"; }
    Support supports(const Problem& problem) const override {
        const TensorDesc &from = problem.inputs[0], &to = problem.outputs[0];
        if (problem.program) return Support::no("copies without an epilogue");
        if (from.constantData || from.format.memory != MemoryKind::Device || to.format.memory != MemoryKind::Device)
            return Support::no("runs on device memory");
        if (from.format.layout != Layout::Plain || to.format.layout != Layout::Plain)
            return Support::no("copies plain tensors");
        if (from.format.type != to.format.type || from.format.type == DataType::String ||
            elementCount(from.dims) != elementCount(to.dims))
            return Support::no("copies elements of one numeric type in their order");
        return Support::yes();
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        Formats formats = deviceFormats(problem);
        for (size_t i = 1; i < formats.inputs.size(); ++i) formats.inputs[i].memory = MemoryKind::Host;  // shape values
        return {formats};
    }
    bool canRunInPlace(const Problem&, int input, int output) const override { return input == 0 && output == 0; }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        TensorDesc from = problem.inputs[0];
        from.dims = problem.outputs[0].dims;
        STROBE_ASSIGN(ReformatPlan plan, planReformat(from, problem.outputs[0]));
        return makeCopy(std::move(plan), context);
    }
};

}  // namespace

void registerCudaCopies(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Reformat", std::make_unique<CopyTactic>());
    for (const char* op : {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<ReshapeTactic>());
}

}  // namespace strobe
