#include "views/models/op_colour.h"

namespace strobe {

NodeFamily nodeFamily(OpFamily family) {
    static_assert(static_cast<int>(NodeFamily::Other) == static_cast<int>(OpFamily::ControlFlow) + 1);
    return static_cast<NodeFamily>(family);
}
NodeFamily nodeFamily(const OpDefinition* op) {
    return op ? nodeFamily(op->family) : NodeFamily::Other;
}

QString precisionLabel(DataType type) {
    if (type == DataType::Undefined) return {};
    const std::string_view name = dataTypeName(type);
    return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())).toUpper();
}

}  // namespace strobe
