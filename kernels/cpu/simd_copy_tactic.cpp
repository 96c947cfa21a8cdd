#include <algorithm>
#include <optional>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_strided_copy.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/shared/copy_plan.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

constexpr const char* kRenames[] = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};
constexpr const char* kMoves[] = {"Transpose", "Slice", "Concat",       "Split",       "Expand",
                                  "Tile",      "Pad",   "DepthToSpace", "SpaceToDepth",
                                  "ChannelShuffle"};

bool isRename(const OpDefinition& op) {
    return std::any_of(std::begin(kRenames), std::end(kRenames), [&](const char* name) { return op.name == name; });
}

/// The outermost axis with more than one element in storage order is the only one whose pieces are whole.
bool isOutermost(const TensorDesc& desc, size_t axis) {
    if (desc.format.layout == Layout::ChannelsLast && axis == 1)
        return elementCount(desc.dims) == desc.dims[1];
    return std::all_of(desc.dims.begin(), desc.dims.begin() + static_cast<std::ptrdiff_t>(axis),
                       [](int64_t d) { return d == 1; });
}

/// Byte offset of a Concat's input in its output, if its bytes stay together there and start on a cache line.
std::optional<size_t> concatPlace(const Problem& problem, int input) {
    constexpr size_t kLine = 64;
    if (problem.op->name != "Concat") return std::nullopt;
    const TensorDesc& output = problem.outputs[0];
    const size_t axis = normalAxis(problem.attributes->getInt("axis", 0), output.dims.size());
    if (axis >= output.dims.size() || !isOutermost(output, axis)) return std::nullopt;
    // Spatial axes lie inside the blocks of channels.
    const Layout layout = output.format.layout;
    if (axis > 1 && layout != Layout::Plain) return std::nullopt;
    const int64_t block = layout == Layout::Blocked16 ? 16 : layout == Layout::Blocked8 ? 8 : 1;
    size_t offset = 0;
    for (int i = 0; i < input; ++i) {
        const TensorDesc& before = problem.inputs[static_cast<size_t>(i)];
        if (axis == 1 && before.dims[1] % block != 0) return std::nullopt;
        offset += storedBytes(before.dims, before.format);
    }
    const Format& format = problem.inputs[static_cast<size_t>(input)].format;
    return format == output.format && offset % kLine == 0 ? std::optional(offset) : std::nullopt;
}

class CopyKernel final : public Kernel {
public:
    CopyKernel(const Problem& problem, const CopyPlan& plan)
        : m_fill(plan.fill),
          m_fillInput(plan.fillInput),
          m_bytes(dataTypeBytes(problem.outputs[0].format.type, 1)),
          m_outputBytes(storedBytes(problem.outputs[0].dims, problem.outputs[0].format)),
          m_threads(problem.threads) {
        for (const CopyPart& part : plan.parts)
            m_copies.push_back({part.input, part.output, concatPlace(problem, part.input).value_or(0),
                                StridedCopy(part.box, m_bytes)});
    }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        if (m_fill) fillOutput(arguments);
        for (const Copy& copy : m_copies) {
            const void* from = arguments.inputs[static_cast<size_t>(copy.input)].data;
            void* to = arguments.outputs[static_cast<size_t>(copy.output)].data;
            if (from != static_cast<const char*>(to) + copy.place) copy.copy.run(from, to);
        }
        return Status::ok();
    }

private:
    struct Copy {
        int input, output;
        size_t place;  // an input that starts there in the output needs no copy
        StridedCopy copy;
    };

    void fillOutput(const RunArguments& arguments) const {
        static constexpr char kZero[16] = {};
        const char* value =
            m_fillInput < 0 ? kZero : arguments.inputs[static_cast<size_t>(m_fillInput)].as<const char>();
        fillWith(arguments.outputs[0].data, m_outputBytes, value, m_bytes);
    }

    std::vector<Copy> m_copies;
    bool m_fill;
    int m_fillInput;
    size_t m_bytes, m_outputBytes;
    int m_threads;
};

class CopyTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.copy"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("copies apply no epilogue");
        const DataType type = problem.outputs[0].format.type;
        if (dataTypeBits(type) % 8 != 0 || type == DataType::String) return Support::no("elements are not whole bytes");
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list)
                if (desc.present && desc.format.memory != MemoryKind::Host) return Support::no("runs on host memory");
        const auto plan = makeCopyPlan(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }

    /// Every layout that all image tensors can share; transposes may also change it.
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        const Formats plain = Tactic::candidateFormats(problem).front();
        std::vector<Formats> candidates = {plain};
        const std::string& op = problem.op->name;
        const auto add = [&](Layout in, Layout out) {
            Formats formats = plain;
            for (size_t i = 0; i < (op == "Concat" ? problem.inputs.size() : 1); ++i) {
                if (problem.inputs[i].constantData && in != Layout::Plain) return;
                formats.inputs[i].layout = in;
            }
            for (Format& format : formats.outputs) format.layout = out;
            candidates.push_back(std::move(formats));
        };
        if (problem.inputs[0].dims.size() < 3 || problem.outputs[0].dims.size() < 3) return candidates;
        if (op == "Expand" || op == "Tile") return candidates;
        add(Layout::ChannelsLast, Layout::ChannelsLast);
        if (op == "Transpose" || op == "DepthToSpace" || op == "SpaceToDepth") {
            add(Layout::ChannelsLast, Layout::Plain);
            add(Layout::Plain, Layout::ChannelsLast);
        } else {
            add(Layout::Blocked16, Layout::Blocked16);
            add(Layout::Blocked8, Layout::Blocked8);
        }
        return candidates;
    }

    bool canRunInPlace(const Problem& problem, int input, int output) const override {
        return isRename(*problem.op) && input == 0 && output == 0;
    }
    std::optional<size_t> placeInOutput(const Problem& problem, int input) const override {
        return concatPlace(problem, input);
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        STROBE_ASSIGN(const CopyPlan plan, makeCopyPlan(problem));
        return std::unique_ptr<Kernel>(std::make_unique<CopyKernel>(problem, plan));
    }
};

}  // namespace

void registerSimdCopies(KernelRegistry& registry) {
    for (const char* op : kRenames) registry.add(DeviceKind::Cpu, op, std::make_unique<CopyTactic>());
    for (const char* op : kMoves) registry.add(DeviceKind::Cpu, op, std::make_unique<CopyTactic>());
}

}  // namespace strobe
