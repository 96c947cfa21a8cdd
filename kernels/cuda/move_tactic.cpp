#include "kernels/cuda/launch_kernel.h"
#include "kernels/cuda/move_source.h"

namespace strobe {
namespace {

constexpr size_t kFillsWithZero = static_cast<size_t>(-1);

/// Copies of boxes from inputs to outputs, one kernel each.
class MoveKernel final : public Kernel {
public:
    struct Part {
        size_t input, output, fromOffset,
            toOffset;  // offsets in bytes; input kFillsWithZero: bytes of 0, `count` of them
        int64_t count;
        std::vector<uint64_t> geometry;
        std::shared_ptr<const GeneratedKernel> kernel;
    };
    std::vector<Part> parts;
    std::vector<std::shared_ptr<const void>> constants;
    std::shared_ptr<const CudaDevice> device;

    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(device->makeCurrent());
        const cudaStream_t stream = cudaStream(arguments).get();
        for (const Part& part : parts) {
            char* to = arguments.outputs[part.output].as<char>() + part.toOffset;
            if (part.input == kFillsWithZero) {
                STROBE_RETURN_IF_ERROR(
                    cudaStatus(cudaMemsetAsync(to, 0, static_cast<size_t>(part.count), stream), "filling"));
                continue;
            }
            const auto* from =
                static_cast<const char*>(inputAddress(constants, arguments, part.input)) + part.fromOffset;
            std::vector<uint64_t> words = {reinterpret_cast<uint64_t>(from), reinterpret_cast<uint64_t>(to)};
            words.insert(words.end(), part.geometry.begin(), part.geometry.end());
            STROBE_RETURN_IF_ERROR(part.kernel->launch(part.count, 256, words, stream));
        }
        return Status::ok();
    }
};

/// The plan's boxes, a fill of the whole output before them.
std::vector<CopyPart> partsOf(const CopyPlan& plan, const Problem& problem) {
    std::vector<CopyPart> parts;
    if (plan.fill && plan.fillInput >= 0) {
        const int64_t count = storedElementCount(problem.outputs[0].dims, problem.outputs[0].format.layout);
        parts.push_back({plan.fillInput, 0, {{count}, {0}, {1}, 0, 0}});
    }
    for (const CopyPart& part : plan.parts)
        if (elementCount(part.box.dims) > 0) parts.push_back(part);
    return parts;
}

Status checkMove(const Problem& problem) {
    if (problem.program) return unsupported("copies apply no epilogue");
    const DataType type = problem.outputs[0].format.type;
    if (dataTypeBits(type) % 8 != 0 || type == DataType::String) return unsupported("elements are not whole bytes");
    const auto check = [&](const TensorDesc& desc, bool isValue) {
        if (!desc.present || isValue) return true;
        return (desc.constantData || desc.format.memory == MemoryKind::Device) &&
               layoutBlock(desc.format.layout) == 1 && desc.format.type == type;
    };
    for (size_t i = 0; i < problem.inputs.size(); ++i)
        if (!check(problem.inputs[i], i < 32 && (problem.op->valueInputs >> i & 1u)))
            return unsupported("takes plain and nhwc tensors of one type on the device");
    for (const TensorDesc& desc : problem.outputs)
        if (!check(desc, false)) return unsupported("takes plain and nhwc tensors of one type on the device");
    return Status::ok();
}

class MoveTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.move"; }
    Support supports(const Problem& problem) const override {
        Status status = checkMove(problem);
        if (status.isOk()) {
            const auto plan = makeCopyPlan(problem);
            status = plan.status();
            const size_t bytes = dataTypeBytes(problem.outputs[0].format.type, 1);
            if (plan)
                for (const CopyPart& part : partsOf(*plan, problem))
                    if (status.isOk()) status = planMove(part.box, bytes).status();
        }
        return status.isOk() ? Support::yes() : Support::no(status.message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        const auto inLayout = [&](Layout layout) {
            Formats formats = deviceFormats(problem, layout);
            for (size_t i = 0; i < formats.inputs.size() && i < 32; ++i)
                if (problem.op->valueInputs >> i & 1u) formats.inputs[i] = problem.inputs[i].format;
            return formats;
        };
        return {inLayout(Layout::Plain), inLayout(Layout::ChannelsLast)};
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const CopyPlan plan, makeCopyPlan(problem));
        CudaDevice& device = cudaDevice(context);
        auto kernel = std::make_unique<MoveKernel>();
        kernel->device = device.shared_from_this();
        STROBE_ASSIGN(kernel->constants, uploadConstants(problem, device));
        const size_t bytes = dataTypeBytes(problem.outputs[0].format.type, 1);
        if (plan.fill && plan.fillInput < 0) {
            const size_t all = storedBytes(problem.outputs[0].dims, problem.outputs[0].format);
            kernel->parts.push_back({kFillsWithZero, 0, 0, 0, static_cast<int64_t>(all), {}, nullptr});
        }
        for (const CopyPart& part : partsOf(plan, problem)) {
            STROBE_ASSIGN(MovePlan move, planMove(part.box, bytes));
            STROBE_ASSIGN(auto generated, device.generated(move.source));
            kernel->parts.push_back({static_cast<size_t>(part.input), static_cast<size_t>(part.output),
                                     static_cast<size_t>(part.box.fromOffset) * bytes,
                                     static_cast<size_t>(part.box.toOffset) * bytes, move.count,
                                     std::move(move.geometry), std::move(generated)});
        }
        return std::unique_ptr<Kernel>(std::move(kernel));
    }
};

class GatherTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.gather"; }
    Support supports(const Problem& problem) const override {
        const auto plan = planGather(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override { return {deviceFormats(problem)}; }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(GatherPlan plan, planGather(problem));
        return makeLaunchKernel(problem, context,
                                {std::move(plan.source), {0, 1}, std::move(plan.geometry), plan.count});
    }
};

}  // namespace

void registerCudaMoves(KernelRegistry& registry) {
    for (const char* op : {"Concat", "Slice", "Split", "Expand", "Tile", "Pad", "DepthToSpace", "SpaceToDepth"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<MoveTactic>());
    registry.add(DeviceKind::Cuda, "Gather", std::make_unique<GatherTactic>());
}

}  // namespace strobe
