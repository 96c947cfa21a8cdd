#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine_core/base/data_type.h"
#include "engine_core/builder/device.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// What the user asks of the whole network. Fp16 (and later FP8) is a preview on devices without the arithmetic: values are rounded to
/// the format wherever the real engine would store them, sums are FP32.
enum class PrecisionMode : uint8_t { Fp32, Bf16, Fp16, Best };
std::string_view precisionModeName(PrecisionMode mode);  // "FP32" …

/// A layer's precision by name, wildcard ("conv*", "block?/…") or "op:Conv". The last rule that matches wins.
struct PrecisionRule {
    std::string pattern;
    DataType type = DataType::Float32;
    /// For the Inspector, of a rule that a search found: then `pattern` is the very name of a fused layer. Empty: the user's own.
    std::string reason = {};
    bool operator==(const PrecisionRule&) const = default;
};

/// Range of one input's dims; concrete extents for every dim.
struct ShapeRange {
    Dims min, opt, max;
    bool operator==(const ShapeRange&) const = default;
};
/// One range per network input with symbolic dims, by tensor name.
struct OptimizationProfile {
    std::map<std::string, ShapeRange> inputs;
    bool operator==(const OptimizationProfile&) const = default;
};

/// Everything that decides what the builder makes. A value; equal configs with the same timing cache give the same engine bytes.
struct BuilderConfig {
    std::string device = "cpu";  // DeviceInfo::id
    PrecisionMode precision = PrecisionMode::Fp32;
    std::vector<PrecisionRule> precisionRules;
    std::vector<OptimizationProfile> profiles;  // empty: one is made from the model's shapes, see completeProfiles()
    /// 0: no timing, first candidate that supports the problem; 1: time plain layouts only, few repeats; 2: … 3 (default): all candidates
    /// and layouts; 4: more repeats; 5: exhaustive with cold caches.
    int optimizationLevel = 3;
    int threads = 0;  // 0: all cores
    int averageTimings = 0;  // repeats per candidate; 0: by level
    /// Bytes of scratch memory that one layer may use at the opt and max shapes; 0: no limit. Tactics that need more are declined.
    size_t workspaceLimit = 0;
    std::set<std::string> disabledPasses;
    std::set<std::string> bannedTactics;                // tactic names, for all layers
    std::map<std::string, std::string> pinnedTactics;   // layer name → tactic name
    /// Bytes of one folded constant, and of all together beyond the model's own.
    size_t constantFoldingBudget = size_t{1} << 30;
    std::string timingCachePath;  // empty: every build measures anew
    bool errorOnTimingCacheMiss = false;
    bool operator==(const BuilderConfig&) const = default;
};

}  // namespace strobe
