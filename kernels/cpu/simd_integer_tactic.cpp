#include <array>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

constexpr int64_t kElementsPerThread = 64 << 10;

/// One row of elements: operand k advances by step[k], 0 or 1, a turn. The loops are plain C++ that compilers
/// vectorise.
struct Row {
    std::array<const void*, 3> from{};
    std::array<int64_t, 3> step{};
    void* to = nullptr;
    int64_t count = 0;
};
using RowFunction = void (*)(const Row& row);

template <class T>
using Wrapping = std::make_unsigned_t<T>;  // overflow wraps around

// clang-format off
struct Add { template <class T> T operator()(T a, T b) const { return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b)); } };
struct Sub { template <class T> T operator()(T a, T b) const { return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b)); } };
struct Mul { template <class T> T operator()(T a, T b) const { return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b)); } };
struct Min { template <class T> T operator()(T a, T b) const { return b < a ? b : a; } };
struct Max { template <class T> T operator()(T a, T b) const { return a < b ? b : a; } };
struct Equal { template <class T> uint8_t operator()(T a, T b) const { return a == b; } };
struct Less { template <class T> uint8_t operator()(T a, T b) const { return a < b; } };
struct Greater { template <class T> uint8_t operator()(T a, T b) const { return a > b; } };
struct LessOrEqual { template <class T> uint8_t operator()(T a, T b) const { return a <= b; } };
struct GreaterOrEqual { template <class T> uint8_t operator()(T a, T b) const { return a >= b; } };
struct And { uint8_t operator()(uint8_t a, uint8_t b) const { return a && b; } };
struct Or { uint8_t operator()(uint8_t a, uint8_t b) const { return a || b; } };
struct Xor { uint8_t operator()(uint8_t a, uint8_t b) const { return !a != !b; } };
// clang-format on

template <class T, class Function>
void binaryRow(const Row& row) {
    using Result = decltype(Function()(T(), T()));
    const T *a = static_cast<const T*>(row.from[0]), *b = static_cast<const T*>(row.from[1]);
    auto* y = static_cast<Result*>(row.to);
    const Function function;
    if (row.step[0] && row.step[1])
        for (int64_t i = 0; i < row.count; ++i) y[i] = function(a[i], b[i]);
    else if (row.step[0])
        for (int64_t i = 0; i < row.count; ++i) y[i] = function(a[i], *b);
    else
        for (int64_t i = 0; i < row.count; ++i) y[i] = function(*a, b[i * row.step[1]]);
}

void notRow(const Row& row) {
    const auto* x = static_cast<const uint8_t*>(row.from[0]);
    auto* y = static_cast<uint8_t*>(row.to);
    for (int64_t i = 0; i < row.count; ++i) y[i] = !x[i];
}

/// Inputs 1 and 2 are single elements.
template <class T>
void clipRow(const Row& row) {
    const auto *x = static_cast<const T*>(row.from[0]), *low = static_cast<const T*>(row.from[1]),
               *high = static_cast<const T*>(row.from[2]);
    const T least = low ? *low : std::numeric_limits<T>::lowest(), most = high ? *high : std::numeric_limits<T>::max();
    auto* y = static_cast<T*>(row.to);
    for (int64_t i = 0; i < row.count; ++i) y[i] = Min()(Max()(x[i], least), most);
}

template <class T>
void whereRow(const Row& row) {
    const auto* condition = static_cast<const uint8_t*>(row.from[0]);
    const T *a = static_cast<const T*>(row.from[1]), *b = static_cast<const T*>(row.from[2]);
    auto* y = static_cast<T*>(row.to);
    for (int64_t i = 0; i < row.count; ++i) y[i] = condition[i * row.step[0]] ? a[i * row.step[1]] : b[i * row.step[2]];
}

template <class T>
RowFunction numberFunction(std::string_view op) {
    static constexpr std::pair<std::string_view, RowFunction> kFunctions[] = {
        {"Add", binaryRow<T, Add>},
        {"Sub", binaryRow<T, Sub>},
        {"Mul", binaryRow<T, Mul>},
        {"Min", binaryRow<T, Min>},
        {"Max", binaryRow<T, Max>},
        {"Equal", binaryRow<T, Equal>},
        {"Less", binaryRow<T, Less>},
        {"LessOrEqual", binaryRow<T, LessOrEqual>},
        {"Greater", binaryRow<T, Greater>},
        {"GreaterOrEqual", binaryRow<T, GreaterOrEqual>},
        {"Clip", clipRow<T>}};
    for (const auto& [name, function] : kFunctions)
        if (name == op) return function;
    return nullptr;
}

RowFunction boolFunction(std::string_view op) {
    static constexpr std::pair<std::string_view, RowFunction> kFunctions[] = {{"And", binaryRow<uint8_t, And>},
                                                                              {"Or", binaryRow<uint8_t, Or>},
                                                                              {"Xor", binaryRow<uint8_t, Xor>},
                                                                              {"Not", notRow},
                                                                              {"Equal", binaryRow<uint8_t, Equal>}};
    for (const auto& [name, function] : kFunctions)
        if (name == op) return function;
    return nullptr;
}

/// Copies elements as they are, whatever they mean.
RowFunction whereFunction(DataType type) {
    if (dataTypeBits(type) % 8 != 0 || type == DataType::String) return nullptr;
    switch (dataTypeBytes(type, 1)) {
        case 1:
            return whereRow<uint8_t>;
        case 2:
            return whereRow<uint16_t>;
        case 4:
            return whereRow<uint32_t>;
        case 8:
            return whereRow<uint64_t>;
        default:
            return nullptr;
    }
}

RowFunction functionOf(const Problem& problem) {
    const std::string& op = problem.op->name;
    if (op == "Where") return whereFunction(problem.outputs[0].format.type);
    switch (problem.inputs[0].format.type) {
        case DataType::Int64:
            return numberFunction<int64_t>(op);
        case DataType::Int32:
            return numberFunction<int32_t>(op);
        case DataType::UInt8:
            return numberFunction<uint8_t>(op);
        case DataType::Bool:
            return boolFunction(op);
        default:
            return nullptr;
    }
}

/// Walks the result row by row; a row is the whole tensor where no operand is broadcast along a part of it.
class IntegerKernel final : public Kernel {
public:
    explicit IntegerKernel(const Problem& problem) : m_function(functionOf(problem)), m_threads(problem.threads) {
        m_dims = problem.outputs[0].dims;
        bool whole = true;
        for (const TensorDesc& in : problem.inputs) {
            m_bytes.push_back(static_cast<int64_t>(dataTypeBytes(in.format.type, 1)));
            whole = whole && (in.dims == m_dims || elementCount(in.dims) == 1);
        }
        if (whole) m_dims = {elementCount(m_dims)};
        if (m_dims.empty()) m_dims = {1};
        for (const TensorDesc& in : problem.inputs) m_strides.push_back(stridesOf(in.dims));
        m_resultBytes = static_cast<int64_t>(dataTypeBytes(problem.outputs[0].format.type, 1));
    }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const int64_t inner = m_dims.back();
        const int64_t rows = inner == 0 ? 0 : elementCount(m_dims) / inner;
        if (rows == 1)
            parallelFor(0, inner, kElementsPerThread,
                        [&](int64_t first, int64_t last) { runRow(arguments, 0, first, last - first); });
        else
            parallelFor(0, rows, kElementsPerThread / (inner + 1) + 1, [&](int64_t first, int64_t last) {
                for (int64_t row = first; row < last; ++row) runRow(arguments, row, 0, inner);
            });
        return Status::ok();
    }

private:
    /// Elements between neighbours along each dim of the result; 0 where the operand is broadcast.
    Dims stridesOf(const Dims& own) const {
        Dims strides(m_dims.size(), 0);
        if (m_dims.size() == 1) {
            strides[0] = elementCount(own) == 1 ? 0 : 1;
            return strides;
        }
        int64_t step = 1;
        for (size_t d = own.size(); d-- > 0; step *= own[d])
            if (own[d] != 1) strides[m_dims.size() - own.size() + d] = step;
        return strides;
    }

    void runRow(const RunArguments& arguments, int64_t row, int64_t start, int64_t count) const {
        Row work;
        work.count = count;
        work.to = arguments.outputs[0].as<char>() + (row * m_dims.back() + start) * m_resultBytes;
        for (size_t k = 0; k < m_strides.size(); ++k) {
            if (!arguments.inputs[k].data) continue;
            int64_t offset = start * m_strides[k].back(), rest = row;
            for (size_t d = m_dims.size() - 1; d-- > 0; rest /= m_dims[d]) offset += rest % m_dims[d] * m_strides[k][d];
            work.from[k] = arguments.inputs[k].as<const char>() + offset * m_bytes[k];
            work.step[k] = m_strides[k].back();
        }
        m_function(work);
    }

    RowFunction m_function;
    int m_threads;
    Dims m_dims;
    std::vector<int64_t> m_bytes;
    std::vector<Dims> m_strides;
    int64_t m_resultBytes = 1;
};

class IntegerTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.integer"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("applies no epilogue");
        if (problem.inputs.size() > 3) return Support::no("takes up to three inputs");
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list)
                if (desc.present && (desc.format.layout != Layout::Plain || desc.format.memory != MemoryKind::Host))
                    return Support::no("takes plain host tensors");
        if ((problem.op->name == "Min" || problem.op->name == "Max") && problem.inputs.size() != 2)
            return Support::no("takes two inputs");
        if (!functionOf(problem))
            return Support::no("elements are " + std::string(dataTypeName(problem.inputs[0].format.type)));
        return Support::yes();
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<IntegerKernel>(problem));
    }
};

}  // namespace

void registerSimdIntegers(KernelRegistry& registry) {
    for (const char* op : {"Add", "Sub", "Mul", "Min", "Max", "Equal", "Less", "LessOrEqual", "Greater",
                           "GreaterOrEqual", "And", "Or", "Xor", "Not", "Clip", "Where"})
        registry.add(DeviceKind::Cpu, op, std::make_unique<IntegerTactic>());
}

}  // namespace strobe
