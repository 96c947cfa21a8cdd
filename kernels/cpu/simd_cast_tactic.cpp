#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "engine_core/base/element_types.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 16384;

/// The number itself: an integer, float or double.
template <class From>
auto numberOf(From value) {
    if constexpr (std::is_same_v<From, BoolByte>)
        return static_cast<int64_t>(value.value != 0);
    else if constexpr (std::is_arithmetic_v<From>)
        return value;
    else
        return static_cast<float>(value);
}

/// Towards zero; what lies outside is held at the ends, NaN is 0.
template <class To, class Real>
To saturated(Real value) {
    constexpr auto kLow = static_cast<Real>(std::numeric_limits<To>::min()),
                   kHigh = static_cast<Real>(std::numeric_limits<To>::max());
    if (!(value > kLow)) return value <= kLow ? std::numeric_limits<To>::min() : To(0);
    return value >= kHigh ? std::numeric_limits<To>::max() : static_cast<To>(value);
}

template <class To, class Number>
To converted(Number value) {
    if constexpr (std::is_same_v<To, BoolByte>) {
        return BoolByte(value != 0);
    } else if constexpr (std::is_floating_point_v<Number> && std::is_integral_v<To>) {
        // Narrow integers wrap through int64, as the casts of compilers and numpy do.
        if constexpr (std::is_same_v<To, uint64_t>)
            return value < 0 ? static_cast<uint64_t>(saturated<int64_t>(value)) : saturated<uint64_t>(value);
        else
            return static_cast<To>(saturated<int64_t>(value));
    } else if constexpr (std::is_arithmetic_v<To>) {
        return static_cast<To>(value);
    } else {
        return To(static_cast<float>(value));
    }
}

using CastFunction = void (*)(const void* from, void* to, int64_t begin, int64_t end);

template <class From, class To>
void castRange(const void* from, void* to, int64_t begin, int64_t end) {
    const From* source = static_cast<const From*>(from);
    To* target = static_cast<To*>(to);
    for (int64_t i = begin; i < end; ++i) target[i] = converted<To>(numberOf(source[i]));
}

CastFunction castFunction(DataType from, DataType to) {
    CastFunction function = nullptr;
    withElementType(from, [&](auto source) {
        withElementType(to, [&](auto target) { function = castRange<decltype(source), decltype(target)>; });
    });
    return function;
}

/// Between FP32 and BF16 in vectors, a tile at a time.
bool isTilePair(DataType from, DataType to) {
    return (from == DataType::Float32 && to == DataType::BFloat16) ||
           (from == DataType::BFloat16 && to == DataType::Float32);
}

class CastKernel final : public Kernel {
public:
    explicit CastKernel(const Problem& problem)
        : m_from(problem.inputs[0].format.type),
          m_to(problem.outputs[0].format.type),
          m_count(storedElementCount(problem.outputs[0].dims, problem.outputs[0].format.layout)),
          m_function(castFunction(m_from, m_to)),
          m_threads(problem.threads) {}

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const void* from = arguments.inputs[0].data;
        void* to = arguments.outputs[0].data;
        if (m_from == m_to) {
            if (from != to) std::memcpy(to, from, dataTypeBytes(m_to, m_count));
            return Status::ok();
        }
        parallelFor(0, m_count, kElementsPerThread, [&](int64_t first, int64_t last) {
            const auto n = static_cast<size_t>(last - first);
            if (!isTilePair(m_from, m_to))
                m_function(from, to, first, last);
            else if (m_to == DataType::Float32)
                loadTile(m_from, from, first, 1, static_cast<float*>(to) + first, n);
            else
                storeTile(m_to, static_cast<const float*>(from) + first, to, first, n);
        });
        return Status::ok();
    }

private:
    DataType m_from, m_to;
    int64_t m_count;
    CastFunction m_function;
    int m_threads;
};

class CastTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.cast"; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &from = problem.inputs[0], &to = problem.outputs[0];
        if (problem.program) return Support::no("applies no epilogue");
        if (from.format.layout != to.format.layout) return Support::no("input and output differ in layout");
        for (const TensorDesc* desc : {&from, &to}) {
            if (desc->format.memory != MemoryKind::Host) return Support::no("runs on host memory");
            if (!withElementType(desc->format.type, [](auto) {}))
                return Support::no("no fast cast of " + std::string(dataTypeName(desc->format.type)));
        }
        return Support::yes();
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> plain = Tactic::candidateFormats(problem);
        if (problem.inputs[0].constantData) return plain;
        return withLayouts(std::move(plain), problem, {Layout::ChannelsLast, Layout::Blocked16, Layout::Blocked8});
    }

    bool canRunInPlace(const Problem& problem, int input, int output) const override {
        return input == 0 && output == 0 && problem.inputs[0].format.type == problem.outputs[0].format.type;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<CastKernel>(problem));
    }
};

}  // namespace

void registerSimdCast(KernelRegistry& registry) {
    for (const char* op : {"Cast", "CastLike"}) registry.add(DeviceKind::Cpu, op, std::make_unique<CastTactic>());
}

}  // namespace strobe
