#include <algorithm>
#include <cctype>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/element_type.h"
#include "engine_core/onnx/import_state.h"
#include "engine_core/ops/value_inference.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

/// Shape inference calls what only a run can tell "u<number>…".
bool looksFresh(const std::string& name) {
    return name.size() > 1 && name[0] == 'u' && std::isdigit(static_cast<unsigned char>(name[1]));
}

/// One symbol a dim_param; different parameters stay different after sanitising.
Dim symbolFor(ImportState& state, const std::string& parameter) {
    const auto known = state.symbols.find(parameter);
    if (known != state.symbols.end()) return Dim::symbol(known->second);
    std::string name = identifierText(parameter);
    if (looksFresh(name)) name.insert(0, "_");
    while (!state.symbolNames.insert(name).second) name += "_";
    state.symbols[parameter] = name;
    return Dim::symbol(name);
}

Dim unnamedDim(ImportState& state, const std::string& tensor, int index) {
    return symbolFor(state, displayText(tensor, 48) + "_d" + std::to_string(index));
}

Result<Shape> readShape(ImportState& state, const strobe_onnx::TensorShapeProto& proto, const std::string& tensor) {
    if (proto.dim_size() > kMaxRank)
        return invalidModel("has rank " + std::to_string(proto.dim_size()) + ", at most " + std::to_string(kMaxRank) +
                            " is allowed");
    Shape shape;
    for (int i = 0; i < proto.dim_size(); ++i) {
        const auto& dim = proto.dim(i);
        if (dim.has_dim_value() && dim.dim_value() < -1)
            return invalidModel("has extent " + std::to_string(dim.dim_value()) + " at dim " + std::to_string(i) +
                                "; 0 or more, or -1 for unknown, is allowed");
        const bool named = dim.has_dim_param() && !dim.dim_param().empty() &&
                           std::any_of(dim.dim_param().begin(), dim.dim_param().end(),
                                       [](unsigned char c) { return std::isalpha(c) || c >= 0x80; });
        if (dim.has_dim_value() && dim.dim_value() >= 0)
            shape.push_back(Dim(dim.dim_value()));
        else if (named)
            shape.push_back(symbolFor(state, dim.dim_param()));
        else
            shape.push_back(unnamedDim(state, tensor, i));
    }
    if (const Dim count = elementCount(shape); count.isConstant() && count.constant() > (int64_t{1} << 48))
        return invalidModel("has shape " + toString(shape) + ", more than 2^48 elements");
    return shape;
}

}  // namespace

Result<ValueShape> readValueInfo(ImportState& state, const strobe_onnx::ValueInfoProto& info) {
    const auto read = [&]() -> Result<ValueShape> {
        ValueShape value;
        const strobe_onnx::TypeProto& type = info.type();
        switch (type.value_case()) {
            case strobe_onnx::TypeProto::kTensorType:
                break;
            case strobe_onnx::TypeProto::kSequenceType:
                return unsupported("is a sequence; only tensors are served, export the model without sequences");
            case strobe_onnx::TypeProto::kOptionalType:
                return unsupported("is an optional; only tensors are served, export the model without optionals");
            case strobe_onnx::TypeProto::kMapType:
                return unsupported("is a map; only tensors are served, remove the ZipMap at the end of the model");
            case strobe_onnx::TypeProto::kSparseTensorType:
                return unsupported("is a sparse tensor; only dense ones are served");
            case strobe_onnx::TypeProto::VALUE_NOT_SET:
                return value;
        }
        if (type.tensor_type().elem_type() == 0) return value;
        STROBE_ASSIGN(value.type, elementTypeFromOnnx(type.tensor_type().elem_type()));
        if (type.tensor_type().has_shape()) {
            STROBE_ASSIGN(value.shape, readShape(state, type.tensor_type().shape(), info.name()));
            value.rankKnown = true;
        }
        return value;
    };
    Result<ValueShape> result = read();
    if (!result) return result.status().withContext("tensor '" + displayText(info.name()) + "'");
    return result;
}

}  // namespace strobe
