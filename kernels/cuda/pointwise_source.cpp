#include "kernels/cuda/pointwise_source.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "kernels/cuda/nvrtc_compiler.h"
#include "kernels/cuda/pointwise_text.h"

namespace strobe {
namespace {

constexpr size_t kMaxRank = 8;

enum class Access { Flat, Scalar, Strided };

std::string number(size_t value) {
    return std::to_string(value);
}

/// Drops extents of 1 and joins neighbours that every operand walks through in one stride.
void mergeDims(std::vector<int64_t>& extents, std::vector<std::vector<int64_t>>& strides) {
    std::vector<int64_t> merged;
    std::vector<std::vector<int64_t>> mergedStrides(strides.size());
    for (size_t d = 0; d < extents.size(); ++d) {
        if (extents[d] == 1) continue;
        const bool joins =
            !merged.empty() && std::all_of(strides.begin(), strides.end(), [&](const std::vector<int64_t>& s) {
                return mergedStrides[static_cast<size_t>(&s - strides.data())].back() == s[d] * extents[d];
            });
        if (joins)
            merged.back() *= extents[d];
        else
            merged.push_back(extents[d]);
        for (size_t i = 0; i < strides.size(); ++i) {
            if (joins)
                mergedStrides[i].back() = strides[i][d];
            else
                mergedStrides[i].push_back(strides[i][d]);
        }
    }
    extents = std::move(merged);
    strides = std::move(mergedStrides);
}

Access accessOf(const std::vector<int64_t>& strides, const std::vector<int64_t>& extents) {
    if (std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 0; })) return Access::Scalar;
    int64_t dense = 1;
    for (size_t d = extents.size(); d-- > 0; dense *= extents[d])
        if (strides[d] != dense) return Access::Strided;
    return Access::Flat;
}

class Writer {
public:
    Writer(const PointwiseProgram& program, const std::vector<StridedOperand>& inputs,
           const std::vector<DataType>& outputs, std::vector<Access> access, size_t rank)
        : m_program(program), m_inputs(inputs), m_outputs(outputs), m_access(std::move(access)), m_rank(rank) {
        m_strided = static_cast<size_t>(std::count(m_access.begin(), m_access.end(), Access::Strided));
    }

    std::string text(bool vectorised) const {
        const size_t words = 2 + m_rank * (1 + m_strided) + m_inputs.size() + m_outputs.size();
        std::string out =
            kernelPrelude() + programText(m_program) + "struct Params { u64 v[" + number(words) + "]; };\n";
        out += "extern \"C\" __global__ void __launch_bounds__(256) " + std::string(kGeneratedKernel) +
               "(const Params p) {\n";
        out += "const i64 t = (i64)blockIdx.x * 256 + threadIdx.x, count = (i64)p.v[0];\n";
        return out + (vectorised ? vectorBody() : scalarBody()) + "}\n";
    }

private:
    std::string inputAddress(size_t i) const {
        return "(const void*)p.v[" + number(2 + m_rank * (1 + m_strided) + i) + "]";
    }
    std::string outputAddress(size_t o) const {
        return "(void*)p.v[" + number(2 + m_rank * (1 + m_strided) + m_inputs.size() + o) + "]";
    }
    std::string load(size_t i) const { return "load" + elementSuffix(m_inputs[i].type); }

    std::string call(const std::string& index) const {
        std::string out = "program(";
        for (size_t i = 0; i < m_inputs.size(); ++i) out += "a" + number(i) + index + ", ";
        for (size_t o = 0; o < m_outputs.size(); ++o) out += (o ? ", r" : "r") + number(o) + index;
        return out + ");\n";
    }

    std::string vectorBody() const {
        std::string out =
            "const i64 i = t * 4;\nif (i >= count) return;\nconst bool whole = i + 4 <= count && p.v[1];\n";
        for (size_t i = 0; i < m_inputs.size(); ++i) {
            const std::string name = "a" + number(i), address = inputAddress(i);
            out += "float " + name + "[4] = {0.0f, 0.0f, 0.0f, 0.0f};\n";
            if (m_access[i] == Access::Scalar)
                out += "{ const float s = " + load(i) + "(" + address + ", 0); for (int k = 0; k < 4; ++k) " + name +
                       "[k] = s; }\n";
            else
                out += "if (whole) load4" + elementSuffix(m_inputs[i].type) + "(" + address + ", i, " + name +
                       ");\nelse for (int k = 0; k < 4; ++k) if (i + k < count) " + name + "[k] = " + load(i) + "(" +
                       address + ", i + k);\n";
        }
        for (size_t o = 0; o < m_outputs.size(); ++o) out += "float r" + number(o) + "[4];\n";
        out += "for (int k = 0; k < 4; ++k) " + call("[k]");
        for (size_t o = 0; o < m_outputs.size(); ++o) {
            const std::string suffix = elementSuffix(m_outputs[o]), name = "r" + number(o), address = outputAddress(o);
            out += "if (whole) store4" + suffix + "(" + address + ", i, " + name +
                   ");\nelse for (int k = 0; k < 4; ++k) if (i + k < count) store" + suffix + "(" + address +
                   ", i + k, " + name + "[k]);\n";
        }
        return out;
    }

    std::string scalarBody() const {
        std::string out = "if (t >= count) return;\n";
        std::vector<size_t> slot(m_inputs.size());
        size_t next = 0;
        for (size_t i = 0; i < m_inputs.size(); ++i)
            if (m_access[i] == Access::Strided) {
                slot[i] = next++;
                out += "i64 x" + number(i) + " = 0;\n";
            }
        if (m_strided > 0) out += "u32 rest = (u32)t, c;\n";
        for (size_t d = m_rank; d-- > 0 && m_strided > 0;) {
            out += d > 0 ? "c = rest % (u32)p.v[" + number(2 + d) + "]; rest /= (u32)p.v[" + number(2 + d) + "];\n"
                         : std::string("c = rest;\n");
            for (size_t i = 0; i < m_inputs.size(); ++i)
                if (m_access[i] == Access::Strided)
                    out +=
                        "x" + number(i) + " += (i64)c * (i64)p.v[" + number(2 + m_rank + slot[i] * m_rank + d) + "];\n";
        }
        for (size_t i = 0; i < m_inputs.size(); ++i) {
            const std::string at = m_access[i] == Access::Strided  ? "x" + number(i)
                                   : m_access[i] == Access::Scalar ? std::string("0")
                                                                   : std::string("t");
            out += "const float a" + number(i) + " = " + load(i) + "(" + inputAddress(i) + ", " + at + ");\n";
        }
        for (size_t o = 0; o < m_outputs.size(); ++o) out += "float r" + number(o) + ";\n";
        out += call("");
        for (size_t o = 0; o < m_outputs.size(); ++o)
            out += "store" + elementSuffix(m_outputs[o]) + "(" + outputAddress(o) + ", t, r" + number(o) + ");\n";
        return out;
    }

    const PointwiseProgram& m_program;
    const std::vector<StridedOperand>& m_inputs;
    const std::vector<DataType>& m_outputs;
    std::vector<Access> m_access;
    size_t m_rank, m_strided = 0;
};

/// Logical dims from outermost to innermost in memory.
std::vector<size_t> memoryOrder(size_t rank, Layout layout) {
    std::vector<size_t> order(rank);
    for (size_t d = 0; d < rank; ++d) order[d] = d;
    if (layout == Layout::ChannelsLast) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
    return order;
}

}  // namespace

std::vector<int64_t> elementStrides(const Dims& dims, Layout layout) {
    std::vector<int64_t> strides(dims.size());
    int64_t next = 1;
    const std::vector<size_t> order = memoryOrder(dims.size(), layout);
    for (size_t d = order.size(); d-- > 0; next *= dims[order[d]]) strides[order[d]] = next;
    return strides;
}

std::vector<uint64_t> PointwiseSource::parameters(const std::vector<const void*>& inputs,
                                                  const std::vector<void*>& outputs) const {
    bool aligned = true;
    const auto check = [&](const void* p) { aligned = aligned && reinterpret_cast<uintptr_t>(p) % 16 == 0; };
    std::for_each(inputs.begin(), inputs.end(), check);
    std::for_each(outputs.begin(), outputs.end(), check);
    std::vector<uint64_t> words = {static_cast<uint64_t>(count), aligned ? 1u : 0u};
    words.insert(words.end(), extents.begin(), extents.end());
    for (const auto& list : strides) words.insert(words.end(), list.begin(), list.end());
    for (const void* p : inputs) words.push_back(reinterpret_cast<uint64_t>(p));
    for (void* p : outputs) words.push_back(reinterpret_cast<uint64_t>(p));
    return words;
}

Result<PointwiseSource> stridedSource(const PointwiseProgram& program, std::vector<int64_t> extents,
                                      const std::vector<StridedOperand>& inputs, const std::vector<DataType>& outputs) {
    PointwiseSource source;
    source.count = 1;
    for (int64_t extent : extents) source.count *= extent;
    if (source.count > INT32_MAX)
        return unsupported("generated kernels serve up to 2147483647 elements, there are " +
                           std::to_string(source.count));
    std::vector<std::vector<int64_t>> strides;
    for (const StridedOperand& input : inputs) {
        if (elementSuffix(input.type).empty())
            return unsupported("generated kernels read fp32, fp16, bf16 and bool, an input is " +
                               std::string(dataTypeName(input.type)));
        strides.push_back(input.strides);
    }
    for (DataType type : outputs)
        if (elementSuffix(type).empty())
            return unsupported("generated kernels write fp32, fp16, bf16 and bool, an output is " +
                               std::string(dataTypeName(type)));
    mergeDims(extents, strides);
    if (extents.size() > kMaxRank)
        return unsupported("generated kernels walk " + std::to_string(kMaxRank) + " dims, there are " +
                           std::to_string(extents.size()));
    std::vector<Access> access;
    for (const auto& list : strides) access.push_back(accessOf(list, extents));
    source.vectorised = std::find(access.begin(), access.end(), Access::Strided) == access.end();
    if (source.vectorised) extents.clear();
    source.text = Writer(program, inputs, outputs, access, extents.size()).text(source.vectorised);
    source.extents = std::move(extents);
    for (size_t i = 0; i < strides.size(); ++i)
        if (access[i] == Access::Strided) source.strides.push_back(strides[i]);
    return source;
}

Result<PointwiseSource> pointwiseSource(const PointwiseProgram& program, const std::vector<TensorDesc>& inputs,
                                        const std::vector<TensorDesc>& outputs) {
    const Dims& dims = outputs[0].dims;
    const Layout layout = outputs[0].format.layout;
    std::vector<DataType> outputTypes;
    for (const TensorDesc& desc : outputs) {
        if (desc.format.layout != layout || layoutBlock(layout) != 1)
            return unsupported("outputs must share a plain or nhwc layout, one is " + desc.format.toString());
        outputTypes.push_back(desc.format.type);
    }
    const std::vector<size_t> order = memoryOrder(dims.size(), layout);
    std::vector<int64_t> extents;
    for (size_t d : order) extents.push_back(dims[d]);
    std::vector<StridedOperand> operands;
    for (const TensorDesc& desc : inputs) {
        const Layout own = desc.constantData ? Layout::Plain : desc.format.layout;
        if (layoutBlock(own) != 1) return unsupported("inputs must be plain or nhwc, one is " + desc.format.toString());
        if (desc.dims.size() > dims.size()) return unsupported("an input has a higher rank than the output");
        const std::vector<int64_t> dense = elementStrides(desc.dims, own);
        std::vector<int64_t> broadcast(dims.size(), 0);
        for (size_t d = 0; d < desc.dims.size(); ++d)
            if (desc.dims[d] != 1) broadcast[dims.size() - desc.dims.size() + d] = dense[d];
        operands.push_back({desc.format.type, {}});
        for (size_t d : order) operands.back().strides.push_back(broadcast[d]);
    }
    return stridedSource(program, std::move(extents), operands, outputTypes);
}

}  // namespace strobe
