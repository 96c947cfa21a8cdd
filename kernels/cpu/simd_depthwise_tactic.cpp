#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_depthwise.h"
#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kMaxKernel = 63;
constexpr int64_t kTileFloats = 8192;      // of a plane between epilogues
constexpr int64_t kMacsPerThread = 40000;  // below, another thread costs more than it saves

/// The activation when the whole epilogue is one that registers can hold and that keeps zero at zero.
std::optional<DepthwiseActivation> registerActivation(const PointwiseProgram* program) {
    using Kind = DepthwiseActivation::Kind;
    DepthwiseActivation activation;
    if (!program) return activation;
    if (program->inputCount != 1 || program->instructions.size() != 1 || program->results != std::vector<int>{1})
        return std::nullopt;
    activation.instruction = program->instructions[0];
    switch (activation.instruction.op) {
        case PointwiseOp::Relu:
            activation.kind = Kind::Relu;
            break;
        case PointwiseOp::HardSwish:
            activation.kind = Kind::HardSwish;
            break;
        case PointwiseOp::LeakyRelu:
            activation.kind = Kind::LeakyRelu;
            break;
        case PointwiseOp::Silu:
            activation.kind = Kind::Silu;
            break;
        case PointwiseOp::Clip:
            if (activation.instruction.alpha > 0.0f || activation.instruction.beta < 0.0f) return std::nullopt;
            activation.kind = Kind::Clip;
            break;
        default:
            return std::nullopt;
    }
    return activation;
}

bool isStored(DataType type) {
    return type == DataType::Float32 || type == DataType::BFloat16;
}

Result<DepthwiseShape> depthwiseShape(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(x), Dims(w.begin() + 2, w.end())));
    DepthwiseShape s;
    const size_t last = x.size() - 3;  // index of the width among spatial dims
    const Layout layout = problem.outputs[0].format.layout;
    s.lanes = layout == Layout::Plain ? 1 : layout == Layout::ChannelsLast ? x[1] : layoutBlock(layout);
    s.inWidth = x.back();
    s.outWidth = y.back();
    s.kernelWidth = w.back();
    s.strideWidth = window.strides[last];
    s.dilationWidth = window.dilations[last];
    s.padLeft = window.padsBegin[last].constant();
    s.inHeight = s.outHeight = s.kernelHeight = 1;
    if (last == 0) return s;
    s.inHeight = x[2];
    s.outHeight = y[2];
    s.kernelHeight = w[2];
    s.strideHeight = window.strides[0];
    s.dilationHeight = window.dilations[0];
    s.padTop = window.padsBegin[0].constant();
    return s;
}

class DepthwiseKernel final : public Kernel {
public:
    DepthwiseKernel(const Problem& problem, const DepthwiseShape& shape, std::shared_ptr<const void> weights)
        : m_shape(shape),
          m_weights(std::move(weights)),
          m_layout(problem.outputs[0].format.layout),
          m_inType(problem.inputs[0].format.type),
          m_outType(problem.outputs[0].format.type),
          m_threads(problem.threads) {
        const Dims& x = problem.inputs[0].dims;
        m_channels = x[1];
        m_images = x[0] * (m_layout == Layout::Plain ? x[1] : (x[1] + shape.lanes - 1) / shape.lanes);
        const auto activation = registerActivation(problem.program);
        if (activation)
            m_activation = *activation;
        else
            m_epilogue.emplace(problem);
        m_rowsPerTile =
            std::max<int64_t>(1, std::min(m_shape.outHeight, kTileFloats / std::max<int64_t>(1, m_shape.outWidth)));
        if (m_layout == Layout::Plain) m_ringFloats = depthwiseRingFloats(shape);
    }

    size_t workspaceBytes() const override { return threadBytes() * static_cast<size_t>(m_threads); }

    Status run(const RunArguments& arguments) const override {
        if (m_images == 0 || m_shape.outWidth == 0 || m_shape.outHeight == 0) return Status::ok();
        const ThreadScope scope(m_threads);
        const bool isPlain = m_layout == Layout::Plain;
        const int64_t perRow = m_shape.outWidth * m_shape.lanes * m_shape.kernelWidth * m_shape.kernelHeight;
        const int64_t jobs = isPlain ? m_images : m_images * m_shape.outHeight;
        const int64_t perJob = std::max<int64_t>(1, isPlain ? perRow * m_shape.outHeight : perRow);
        parallelFor(0, jobs, (kMacsPerThread + perJob - 1) / perJob, [&](int64_t first, int64_t last) {
            char* own =
                static_cast<char*>(arguments.workspace) + static_cast<size_t>(parallelThreadIndex()) * threadBytes();
            for (int64_t job = first; job < last; ++job)
                isPlain ? runPlane(arguments, job, own) : runRow(arguments, job, own);
        });
        return Status::ok();
    }

private:
    bool needsTile() const { return m_epilogue || (m_layout == Layout::Plain && m_outType != DataType::Float32); }
    int64_t tileFloats() const {
        return !needsTile()                ? 0
               : m_layout == Layout::Plain ? m_rowsPerTile * m_shape.outWidth
                                           : m_shape.outWidth * m_shape.lanes;
    }
    size_t tileBytes() const { return (static_cast<size_t>(tileFloats()) * sizeof(float) + 63) / 64 * 64; }
    size_t ringBytes() const { return (static_cast<size_t>(m_ringFloats) * sizeof(float) + 63) / 64 * 64; }
    size_t threadBytes() const { return tileBytes() + ringBytes() + (m_epilogue ? m_epilogue->scratchBytes() : 0); }

    const float* weightsOf(int64_t image) const {
        const int64_t taps = m_shape.kernelHeight * m_shape.kernelWidth;
        const int64_t groups =
            m_layout == Layout::Plain ? m_channels : (m_channels + m_shape.lanes - 1) / m_shape.lanes;
        return static_cast<const float*>(m_weights.get()) + image % groups * (taps + 1) * m_shape.lanes;
    }

    void runRow(const RunArguments& arguments, int64_t job, char* scratch) const {
        const int64_t image = job / m_shape.outHeight;
        const int64_t rowElements = m_shape.outWidth * m_shape.lanes, begin = job * rowElements;
        const size_t imageBytes = dataTypeBytes(m_inType, m_shape.inHeight * m_shape.inWidth * m_shape.lanes);
        DepthwiseRow row;
        row.in = arguments.inputs[0].as<const char>() + static_cast<size_t>(image) * imageBytes;
        row.inType = m_inType;
        row.out = m_epilogue ? scratch : arguments.outputs[0].as<char>() + dataTypeBytes(m_outType, begin);
        row.outType = m_epilogue ? DataType::Float32 : m_outType;
        row.bias = weightsOf(image);
        row.weights = row.bias + m_shape.lanes;
        row.activation = m_activation;
        row.y = job % m_shape.outHeight;
        depthwiseRow(m_shape, row);
        if (m_epilogue)
            m_epilogue->apply(arguments, reinterpret_cast<const float*>(scratch), begin, begin + rowElements,
                              scratch + tileBytes());
    }

    void runPlane(const RunArguments& arguments, int64_t image, char* scratch) const {
        DepthwisePlane plane;
        plane.in = arguments.inputs[0].as<const char>() +
                   static_cast<size_t>(image) * dataTypeBytes(m_inType, m_shape.inHeight * m_shape.inWidth);
        plane.inType = m_inType;
        plane.bias = weightsOf(image)[0];
        plane.weights = weightsOf(image) + 1;
        plane.activation = m_activation;
        plane.ring = reinterpret_cast<float*>(scratch + tileBytes());
        const int64_t start = image * m_shape.outHeight * m_shape.outWidth,
                      rows = needsTile() ? m_rowsPerTile : m_shape.outHeight;
        for (plane.firstRow = 0; plane.firstRow < m_shape.outHeight; plane.firstRow += rows) {
            plane.lastRow = std::min(m_shape.outHeight, plane.firstRow + rows);
            const int64_t begin = start + plane.firstRow * m_shape.outWidth,
                          end = start + plane.lastRow * m_shape.outWidth;
            plane.out = needsTile() ? reinterpret_cast<float*>(scratch) : arguments.outputs[0].as<float>() + begin;
            depthwisePlane(m_shape, plane);
            if (m_epilogue)
                m_epilogue->apply(arguments, plane.out, begin, end, scratch + tileBytes() + ringBytes());
            else if (needsTile())
                storeTile(m_outType, plane.out, arguments.outputs[0].data, begin, static_cast<size_t>(end - begin));
        }
    }

    DepthwiseShape m_shape;
    std::shared_ptr<const void> m_weights;  // per group of lanes: bias, then a row of lanes per kernel position
    Layout m_layout;
    DataType m_inType, m_outType;
    int m_threads;
    int64_t m_channels = 0, m_images = 0, m_rowsPerTile = 1, m_ringFloats = 0;
    DepthwiseActivation m_activation;
    std::optional<TileEpilogue> m_epilogue;
};

class DepthwiseTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.depthwise"; }
    bool wantsExactConstants() const override { return true; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1], &y = problem.outputs[0];
        if (x.dims.size() < 3 || x.dims.size() > 4)
            return Support::no("depthwise kernels are for one or two spatial dims");
        const int64_t group = problem.attributes->getInt("group", 1);
        if (group != x.dims[1] || group != w.dims[0] || w.dims[1] != 1)
            return Support::no("not depthwise: group " + std::to_string(group) + ", " + std::to_string(x.dims[1]) +
                               " input and " + std::to_string(w.dims[0]) + " output channels");
        if (!w.constantData || (isGiven(problem, 2) && !problem.inputs[2].constantData))
            return Support::no("weights or bias are not constant");
        for (const TensorDesc* desc : {&x, &w, &y})
            if (!isStored(desc->format.type) || desc->format.memory != MemoryKind::Host)
                return Support::no("depthwise kernels take FP32 and BF16 host tensors");
        if (x.format.type != y.format.type) return Support::no("input and output differ in type");
        if (x.format.layout != y.format.layout) return Support::no("input and output differ in layout");
        if (layoutBlock(x.format.layout) > 1 && layoutBlock(x.format.layout) < simdLanes())
            return Support::no("channel blocks are shorter than this machine's vectors");
        if (w.dims[2] > kMaxKernel || w.dims.back() > kMaxKernel)
            return Support::no("a kernel longer than " + std::to_string(kMaxKernel));
        if (registerActivation(problem.program)) return Support::yes();
        return supportsEpilogue(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates;
        for (Layout layout : {Layout::ChannelsLast, Layout::Blocked16, Layout::Blocked8, Layout::Plain}) {
            Formats formats = Tactic::candidateFormats(problem).front();
            formats.inputs[0].layout = formats.outputs[0].layout = layout;
            for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
                if (problem.inputs[i].dims == problem.outputs[0].dims) formats.inputs[i].layout = layout;
            candidates.push_back(std::move(formats));
        }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const DepthwiseShape shape, depthwiseShape(problem));
        const int64_t channels = problem.inputs[0].dims[1], taps = shape.kernelHeight * shape.kernelWidth;
        const int64_t groups = (channels + shape.lanes - 1) / shape.lanes;
        const auto bytes = static_cast<size_t>(groups * shape.lanes * (taps + 1)) * sizeof(float);
        const auto fill = [&](void* to) {
            return packWeights(problem, shape, groups, taps, static_cast<float*>(to), context.cancel);
        };
        PackedWeightsCache own;
        const TensorDesc& w = problem.inputs[1];
        const bool hasBias = isGiven(problem, 2);
        const std::string biasKey = hasBias ? problem.inputs[2].constantKey : std::string();
        const bool shared = context.packedWeights && !w.constantKey.empty() && (!hasBias || !biasKey.empty());
        const std::string key = "simd.depthwise " + w.constantKey + " " + biasKey + " " + std::to_string(shape.lanes);
        STROBE_ASSIGN(auto weights, (shared ? context.packedWeights : &own)->get(key, bytes, fill));
        return std::unique_ptr<Kernel>(std::make_unique<DepthwiseKernel>(problem, shape, std::move(weights)));
    }

private:
    static Status packWeights(const Problem& problem, const DepthwiseShape& shape, int64_t groups, int64_t taps,
                              float* to, const CancelToken* cancel) {
        const int64_t channels = problem.inputs[0].dims[1];
        std::vector<float> weights(static_cast<size_t>(channels * taps)), bias(static_cast<size_t>(channels), 0.0f);
        loadTile(problem.inputs[1].format.type, problem.inputs[1].constantData, 0, 1, weights.data(), weights.size());
        if (isGiven(problem, 2))
            loadTile(problem.inputs[2].format.type, problem.inputs[2].constantData, 0, 1, bias.data(), bias.size());
        for (int64_t g = 0; g < groups; ++g) {
            if (isCancelled(cancel)) return cancelled();
            for (int64_t row = 0; row <= taps; ++row)
                for (int64_t lane = 0; lane < shape.lanes; ++lane) {
                    const int64_t c = g * shape.lanes + lane;
                    const bool isBias = row == 0;
                    *to++ = c >= channels ? 0.0f
                            : isBias      ? bias[static_cast<size_t>(c)]
                                          : weights[static_cast<size_t>(c * taps + row - 1)];
                }
        }
        return Status::ok();
    }
};

}  // namespace

void registerSimdDepthwise(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Conv", std::make_unique<DepthwiseTactic>());
}

}  // namespace strobe
