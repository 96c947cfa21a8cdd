// How ops and precisions map to what the widgets colour by. Pure; any thread.
#pragma once

#include <QString>

#include "engine_core/base/data_type.h"
#include "engine_core/ops/op_definition.h"
#include "views/widgets/theme.h"

namespace strobe {

NodeFamily nodeFamily(OpFamily family);
NodeFamily nodeFamily(const OpDefinition* op);  // null: Other
/// "FP32", "BF16", "INT64": as Theme::precision() reads it; empty for Undefined.
QString precisionLabel(DataType type);

}  // namespace strobe
