// bench_kernels [filter [threads]]: times every tactic that serves a case, in each of its formats, in one run, so that
// figures compare. Prints microseconds (the fastest tenth's, since a machine shared with others stalls threads at
// random), GB/s of tensors read and written, and GFLOP/s by the op's own count.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>

#include "engine_core/base/float_formats.h"
#include "engine_core/builder/tactic.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/register.h"

namespace strobe {
namespace {

struct BenchCase {
    const char* name;
    const char* op;
    Attributes attributes;
    std::vector<Dims> inputs;
    unsigned constants = 0;  // bit mask: inputs that are weights
    const char* program = nullptr;
};

Attributes conv(int64_t group, int64_t stride, int64_t pad) {
    Attributes a;
    a.set("group", group);
    a.set("strides", std::vector<int64_t>{stride, stride});
    a.set("pads", std::vector<int64_t>{pad, pad, pad, pad});
    return a;
}
Attributes ints(const char* name, std::vector<int64_t> values) {
    Attributes a;
    a.set(name, std::move(values));
    return a;
}
Attributes axis(int64_t value) {
    Attributes a;
    a.set("axis", value);
    return a;
}

Attributes pool(int64_t kernel, int64_t stride, int64_t pad) {
    Attributes a = conv(1, stride, pad);
    a.erase("group");
    a.set("kernel_shape", std::vector<int64_t>{kernel, kernel});
    return a;
}
Attributes group(int64_t value) {
    Attributes a;
    a.set("group", value);
    return a;
}

std::vector<BenchCase> cases() {
    const Dims big{1, 96, 112, 112}, mid{1, 64, 56, 56};
    return {
        {"add+relu 96x112x112", "Pointwise", {}, {big, big}, 0, "v2=Add(v0,v1); v3=Relu(v2); -> v3"},
        {"add+relu 64x56x56 (in L2)", "Pointwise", {}, {mid, mid}, 0, "v2=Add(v0,v1); v3=Relu(v2); -> v3"},
        {"silu 96x112x112", "Pointwise", {}, {big}, 0, "v1=Silu(v0); -> v1"},
        {"hardswish 96x112x112", "Pointwise", {}, {big}, 0, "v1=HardSwish(v0); -> v1"},
        {"gelu 128x1536", "Pointwise", {}, {{1, 128, 1536}}, 0, "v1=Gelu(v0); -> v1"},
        {"mul per channel 96x112x112", "Pointwise", {}, {big, {1, 96, 1, 1}}, 0, "v2=Mul(v0,v1); -> v2"},
        {"depthwise 3x3 96x112x112", "Conv", conv(96, 1, 1), {big, {96, 1, 3, 3}, {96}}, 6, "v1=Relu(v0); -> v1"},
        {"depthwise 3x3 s2 96x112x112", "Conv", conv(96, 2, 1), {big, {96, 1, 3, 3}, {96}}, 6, "v1=Relu(v0); -> v1"},
        {"depthwise 5x5 240x28x28",
         "Conv",
         conv(240, 1, 2),
         {{1, 240, 28, 28}, {240, 1, 5, 5}, {240}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"depthwise 3x3 384x14x14",
         "Conv",
         conv(384, 1, 1),
         {{1, 384, 14, 14}, {384, 1, 3, 3}, {384}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"depthwise 3x3 48x320x320",
         "Conv",
         conv(48, 1, 1),
         {{1, 48, 320, 320}, {48, 1, 3, 3}, {48}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"first conv 3x3 s2 3->32 224x224",
         "Conv",
         conv(1, 2, 1),
         {{1, 3, 224, 224}, {32, 3, 3, 3}, {32}},
         6,
         "v1=Relu(v0); -> v1"},
        {"resnet first 7x7 s2 3->64 224x224", "Conv", conv(1, 2, 3), {{1, 3, 224, 224}, {64, 3, 7, 7}, {64}}, 6},
        {"resnet 3x3 64 56x56", "Conv", conv(1, 1, 1), {mid, {64, 64, 3, 3}, {64}}, 6},
        {"resnet 1x1 64->256 56x56", "Conv", conv(1, 1, 0), {mid, {256, 64, 1, 1}, {256}}, 6},
        {"resnet 1x1 64->256 56x56 residual",
         "Conv",
         conv(1, 1, 0),
         {mid, {256, 64, 1, 1}, {256}, {1, 256, 56, 56}},
         6,
         "v2=Add(v0,v1); v3=Relu(v2); -> v3"},
        {"resnet 3x3 256 14x14", "Conv", conv(1, 1, 1), {{1, 256, 14, 14}, {256, 256, 3, 3}, {256}}, 6},
        {"resnet 1x1 1024->256 14x14", "Conv", conv(1, 1, 0), {{1, 1024, 14, 14}, {256, 1024, 1, 1}, {256}}, 6},
        {"resnet 3x3 512 7x7", "Conv", conv(1, 1, 1), {{1, 512, 7, 7}, {512, 512, 3, 3}, {512}}, 6},
        {"ocr_det first 3x3 s2 3->16 640x640", "Conv", conv(1, 2, 1), {{1, 3, 640, 640}, {16, 3, 3, 3}, {16}}, 6},
        {"ocr_det 1x1 16->32 320x320", "Conv", conv(1, 1, 0), {{1, 16, 320, 320}, {32, 16, 1, 1}, {32}}, 6},
        {"ocr_det 1x1 96->24 160x160", "Conv", conv(1, 1, 0), {{1, 96, 160, 160}, {24, 96, 1, 1}, {24}}, 6},
        {"ocr_det 3x3 96->24 160x160", "Conv", conv(1, 1, 1), {{1, 96, 160, 160}, {24, 96, 3, 3}, {24}}, 6},
        {"grouped 1x1 g4 136x28x28", "Conv", conv(4, 1, 0), {{1, 136, 28, 28}, {136, 34, 1, 1}, {136}}, 6},
        {"grouped 1x1 g4 272x14x14 residual",
         "Conv",
         conv(4, 1, 0),
         {{1, 272, 14, 14}, {272, 68, 1, 1}, {272}, {1, 272, 14, 14}},
         6,
         "v2=Add(v0,v1); v3=Relu(v2); -> v3"},
        {"grouped 1x1 g4 544x7x7", "Conv", conv(4, 1, 0), {{1, 544, 7, 7}, {544, 136, 1, 1}, {544}}, 6},
        {"depthwise 3x3 272x14x14", "Conv", conv(272, 1, 1), {{1, 272, 14, 14}, {272, 1, 3, 3}, {272}}, 6},
        {"depthwise 5x5 200x2x96",
         "Conv",
         conv(200, 1, 2),
         {{1, 200, 2, 96}, {200, 1, 5, 5}, {200}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"depthwise 5x5 200x7x112",
         "Conv",
         conv(200, 1, 2),
         {{1, 200, 7, 112}, {200, 1, 5, 5}, {200}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"ocr_cls 1x1 32->200 2x96",
         "Conv",
         conv(1, 1, 0),
         {{1, 32, 2, 96}, {200, 32, 1, 1}, {200}},
         6,
         "v1=HardSwish(v0); -> v1"},
        {"ocr_cls 1x1 200->32 2x96",
         "Conv",
         conv(1, 1, 0),
         {{1, 200, 2, 96}, {32, 200, 1, 1}, {32}, {1, 32, 2, 96}},
         6,
         "v2=Add(v0,v1); -> v2"},
        {"mul per channel 200x2x96", "Pointwise", {}, {{1, 200, 2, 96}, {1, 200, 1, 1}}, 0, "v2=Mul(v0,v1); -> v2"},
        {"softmax 12x128x128", "Softmax", axis(-1), {{1, 12, 128, 128}}},
        {"softmax 1x6625 rows 40", "Softmax", axis(-1), {{40, 6625}}},
        {"layernorm 128x384", "LayerNormalization", axis(-1), {{1, 128, 384}, {384}, {384}}, 6},
        {"transpose 0213 128x12x32", "Transpose", ints("perm", {0, 2, 1, 3}), {{8, 128, 12, 32}}},
        {"transpose 0231 64x56x56", "Transpose", ints("perm", {0, 2, 3, 1}), {mid}},
        {"transpose 1024x1024", "Transpose", ints("perm", {1, 0}), {{1024, 1024}}},
        {"concat 2x 64x56x56", "Concat", axis(1), {mid, mid}},
        {"matmul 1x4096x4096", "MatMul", {}, {{1, 4096}, {4096, 4096}}, 2},
        {"matmul 1x384x1536", "MatMul", {}, {{1, 384}, {384, 1536}}, 2},
        {"matmul 128x384x384", "MatMul", {}, {{1, 128, 384}, {384, 384}}, 2},
        {"matmul 128x384x1536", "MatMul", {}, {{1, 128, 384}, {384, 1536}}, 2},
        {"matmul 28x1024x8210", "MatMul", {}, {{28, 1024}, {1024, 8210}}, 2},
        {"matmul 32x384x1536", "MatMul", {}, {{1, 32, 384}, {384, 1536}}, 2},
        {"matmul 1x2048x1000", "MatMul", {}, {{1, 2048}, {2048, 1000}}, 2},
        {"matmul 1024x1024x1024", "MatMul", {}, {{1024, 1024}, {1024, 1024}}, 2},
        {"matmul heads 12x128x32x128", "MatMul", {}, {{1, 12, 128, 32}, {1, 12, 32, 128}}},
        {"max pool 3x3 s2 64x111x111", "MaxPool", pool(3, 2, 0), {{1, 64, 111, 111}}},
        {"max pool 3x3 64x32x32", "MaxPool", pool(3, 1, 1), {{1, 64, 32, 32}}},
        {"max pool 13x13 192x13x13", "MaxPool", pool(13, 1, 6), {{1, 192, 13, 13}}},
        {"average pool 3x3 s2 136x28x28", "AveragePool", pool(3, 2, 1), {{1, 136, 28, 28}}},
        {"channel shuffle 136x28x28", "ChannelShuffle", group(4), {{1, 136, 28, 28}}},
        {"concat channels 64+64x55x55", "Concat", axis(1), {{1, 64, 55, 55}, {1, 64, 55, 55}}},
        {"batch norm, relu 256x56x56",
         "Pointwise",
         {},
         {{1, 256, 56, 56}, {256, 1, 1}, {256, 1, 1}},
         6,
         "v3=Mul(v0,v1); v4=Add(v3,v2); v5=Relu(v4); -> v5"},
        {"squeeze-excite, residual 96x160x160",
         "Pointwise",
         {},
         {{1, 96, 160, 160}, {1, 96, 1, 1}, {1, 96, 160, 160}},
         0,
         "v3=Mul(v0,v1); v4=Add(v0,v3); v5=Add(v4,v2); -> v5"},
        {"global average pool 96x112x112", "GlobalAveragePool", {}, {big}},
        {"global average pool 512x7x7", "GlobalAveragePool", {}, {{1, 512, 7, 7}}},
    };
}

struct Buffer {
    explicit Buffer(size_t bytes) : data(::operator new(bytes + 64, std::align_val_t(64))) {
        std::memset(data, 0, bytes + 64);
    }
    Buffer(const Buffer&) = delete;
    ~Buffer() { ::operator delete(data, std::align_val_t(64)); }
    void* data;
};

void fill(void* data, const Format& format, const Dims& dims) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> values(-1.0f, 1.0f);
    const int64_t count = storedElementCount(dims, format.layout);
    for (int64_t i = 0; i < count; ++i) {
        if (format.type == DataType::Float32) static_cast<float*>(data)[i] = values(generator);
        if (format.type == DataType::BFloat16) static_cast<uint16_t*>(data)[i] = floatToBFloat16(values(generator));
    }
}

double quietMicroseconds(const Kernel& kernel, const RunArguments& arguments) {
    std::vector<double> times;
    double total = 0.0;
    for (int i = 0; i < 5 || (total < 100000.0 && i < 2000); ++i) {
        const auto start = std::chrono::steady_clock::now();
        if (const Status status = kernel.run(arguments); !status.isOk()) {
            std::printf("    failed: %s\n", status.message().c_str());
            return 0.0;
        }
        times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
        total += times.back();
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 10), times.end());
    return times[times.size() / 10];
}

void timeTactic(const Problem& problem, const Tactic& tactic) {
    PackedWeightsCache cache;
    auto kernel = tactic.prepare(problem, {&cache, nullptr});
    if (!kernel)
        return static_cast<void>(
            std::printf("    %s: %s\n", std::string(tactic.name()).c_str(), kernel.status().message().c_str()));
    std::vector<std::unique_ptr<Buffer>> buffers;
    std::vector<TensorView> inputs, outputs;
    double bytes = 0.0;
    for (auto* side : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *side) {
            TensorView view{nullptr, &desc.dims};
            if (desc.present) {
                const size_t size = storedBytes(desc.dims, desc.format);
                buffers.push_back(std::make_unique<Buffer>(size));
                view.data = buffers.back()->data;
                if (desc.constantData)
                    std::memcpy(view.data, desc.constantData, size);
                else if (side == &problem.inputs)
                    fill(view.data, desc.format, desc.dims);
                bytes += static_cast<double>(size);
            }
            (side == &problem.inputs ? inputs : outputs).push_back(view);
        }
    const Buffer workspace((*kernel)->workspaceBytes());
    RunArguments arguments;
    arguments.inputs = inputs;
    arguments.outputs = outputs;
    arguments.workspace = workspace.data;
    const double us = quietMicroseconds(**kernel, arguments);
    std::vector<Dims> in, out;
    for (const TensorDesc& desc : problem.inputs) in.push_back(desc.dims);
    for (const TensorDesc& desc : problem.outputs) out.push_back(desc.dims);
    const double flops = problem.op->flops ? problem.op->flops({*problem.attributes, in, out})
                                           : static_cast<double>(elementCount(out[0]));
    std::printf("    %-22s %-15s -> %-15s %9.1f us %7.1f GB/s %7.1f GFLOP/s  %s\n", std::string(tactic.name()).c_str(),
                problem.inputs[0].format.toString().c_str(), problem.outputs[0].format.toString().c_str(), us,
                bytes / us / 1e3, flops / us / 1e3, (*kernel)->description().c_str());
}

void runCase(const KernelRegistry& registry, const BenchCase& bench, DataType type, int threads) {
    const OpDefinition* op = OpRegistry::instance().find(bench.op);
    if (!op) return static_cast<void>(std::printf("%s: no op\n", bench.name));
    std::printf("%s, %s\n", bench.name, std::string(dataTypeName(type)).c_str());
    std::optional<PointwiseProgram> program;
    const auto given = static_cast<int>(bench.inputs.size());
    const bool isChain = bench.op == std::string("Pointwise");
    if (bench.program)
        program = PointwiseProgram::parse(bench.program, isChain ? given : std::max(given - op->maxInputs, 0) + 1);
    Problem problem;
    problem.op = op;
    problem.attributes = &bench.attributes;
    problem.program = program ? &*program : nullptr;
    problem.threads = threads;
    std::vector<std::unique_ptr<Buffer>> constants;
    std::vector<ConcreteInput> concrete;
    for (size_t i = 0; i < bench.inputs.size(); ++i) {
        TensorDesc desc{true, {type}, bench.inputs[i], nullptr, {}};
        if (bench.constants >> i & 1u) {
            constants.push_back(std::make_unique<Buffer>(storedBytes(desc.dims, desc.format)));
            fill(constants.back()->data, desc.format, desc.dims);
            desc.constantData = constants.back()->data;
            desc.constantKey = "w" + std::to_string(i);
        }
        concrete.push_back({true, type, desc.dims, desc.constantData});
        problem.inputs.push_back(std::move(desc));
    }
    auto outputs = inferConcrete(*op, bench.attributes, {}, concrete, 1);
    if (!outputs) return static_cast<void>(std::printf("    %s\n", outputs.status().message().c_str()));
    for (const ConcreteOutput& output : *outputs)
        problem.outputs.push_back({true, {output.type}, output.dims, nullptr, {}});
    for (const Tactic* tactic : registry.tactics(DeviceKind::Cpu, bench.op)) {
        if (tactic->isReference()) continue;
        for (const Tactic::Formats& formats : tactic->candidateFormats(problem)) {
            Problem formatted = problem;
            for (size_t i = 0; i < formatted.inputs.size(); ++i) formatted.inputs[i].format = formats.inputs[i];
            for (size_t i = 0; i < formatted.outputs.size(); ++i) formatted.outputs[i].format = formats.outputs[i];
            if (tactic->supports(formatted).supported) timeTactic(formatted, *tactic);
        }
    }
}

}  // namespace
}  // namespace strobe

int main(int argc, char** argv) {
    strobe::restartWithShortSpin(argv);
    strobe::KernelRegistry registry;
    strobe::registerCpuKernels(registry);
    const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
    for (const strobe::BenchCase& bench : strobe::cases()) {
        if (argc > 1 && !std::strstr(bench.name, argv[1])) continue;
        for (strobe::DataType type : {strobe::DataType::Float32, strobe::DataType::BFloat16})
            strobe::runCase(registry, bench, type, threads);
    }
    return 0;
}
