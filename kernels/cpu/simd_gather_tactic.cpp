#include <atomic>
#include <cstring>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kBytesPerThread = 64 << 10;

/// Runs of elements picked along one axis: embeddings, rows, columns.
class GatherKernel final : public Kernel {
public:
    explicit GatherKernel(const Problem& problem)
        : m_bytes(static_cast<int64_t>(dataTypeBytes(problem.inputs[0].format.type, 1))),
          m_wide(problem.inputs[1].format.type == DataType::Int64),
          m_threads(problem.threads) {
        const Dims& x = problem.inputs[0].dims;
        const size_t axis = normalAxis(problem.attributes->getInt("axis", 0), x.size());
        for (size_t i = 0; i < x.size(); ++i) (i < axis ? m_outer : i == axis ? m_extent : m_inner) *= x[i];
        m_count = elementCount(problem.inputs[1].dims);
    }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const int64_t run = m_inner * m_bytes;
        const char* from = arguments.inputs[0].as<const char>();
        char* to = arguments.outputs[0].as<char>();
        std::atomic<int64_t> wrong{0};
        std::atomic<bool> failed{false};
        parallelFor(0, m_outer * m_count, kBytesPerThread / (run + 1) + 1, [&](int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) {
                int64_t index = indexAt(arguments.inputs[1].data, i % m_count);
                if (index < -m_extent || index >= m_extent) {
                    wrong = index;
                    failed = true;
                    return;
                }
                if (index < 0) index += m_extent;
                copyRun(to + i * run, from + (i / m_count * m_extent + index) * run, static_cast<size_t>(run));
            }
        });
        if (failed)
            return outOfRange("index " + std::to_string(wrong) + " is outside an axis of extent " +
                              std::to_string(m_extent));
        return Status::ok();
    }

private:
    int64_t indexAt(const void* indices, int64_t i) const {
        return m_wide ? static_cast<const int64_t*>(indices)[i] : static_cast<const int32_t*>(indices)[i];
    }
    static void copyRun(char* to, const char* from, size_t bytes) {
        if (bytes == 4)
            std::memcpy(to, from, 4);
        else if (bytes == 8)
            std::memcpy(to, from, 8);
        else
            std::memcpy(to, from, bytes);
    }

    int64_t m_bytes, m_outer = 1, m_extent = 1, m_inner = 1, m_count = 0;
    bool m_wide;
    int m_threads;
};

class GatherTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.gather"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("applies no epilogue");
        const DataType type = problem.inputs[0].format.type, index = problem.inputs[1].format.type;
        if (dataTypeBits(type) % 8 != 0 || type == DataType::String) return Support::no("elements are not whole bytes");
        if (index != DataType::Int64 && index != DataType::Int32)
            return Support::no("indices are " + std::string(dataTypeName(index)));
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list)
                if (desc.format.layout != Layout::Plain || desc.format.memory != MemoryKind::Host)
                    return Support::no("takes plain host tensors");
        return Support::yes();
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<GatherKernel>(problem));
    }
};

}  // namespace

void registerSimdGather(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Gather", std::make_unique<GatherTactic>());
}

}  // namespace strobe
