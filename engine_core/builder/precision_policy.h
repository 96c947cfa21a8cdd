#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/builder_config.h"
#include "engine_core/builder/builder.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// Which precisions the builder may choose for a layer, and why.
struct LayerPrecision {
    bool fp32 = true;
    DataType lower = DataType::Undefined;    // BF16 or FP16, where the device computes in it
    DataType preview = DataType::Undefined;  // values rounded to this format, computed in FP32
    std::string note;                        // "set by rule 'conv*'", "must stay fp32: …", "integers"
    bool requested = false;                  // a lower precision was asked for; staying in FP32 needs a reason
    bool fp32Result = false;                 // in the lower precision it writes its sums as they are
};

/// Policy of every layer (by LayerId) from mode, rules and op definitions. Rules that match no layer, or ask for what cannot be, become notes.
/// The mode leaves what follows the last products in FP32, and these products' results: no later sum averages the rounding there (a logit of
/// 20 is rounded by 6 % of its probability), and there is little to win. A rule may lower them all the same.
std::vector<LayerPrecision> decidePrecision(const Network& network, const BuilderConfig& config, const DeviceInfo& device, std::vector<BuildNote>& notes);

/// The rule speaks of the layer: its pattern is the layer's name, for a rule with a reason.
bool appliesTo(const PrecisionRule& rule, const Layer& layer, const Network& network);
/// "conv*", "block?/x", "op:Conv" against a layer's name, its op, or the names of the ONNX nodes that it holds.
bool matchesRule(const std::string& pattern, const Layer& layer, const Network& network);

}  // namespace strobe
