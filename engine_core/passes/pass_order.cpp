#include <array>

#include "engine_core/passes/pass_list.h"

namespace strobe {

std::vector<std::unique_ptr<Pass>> makeStandardPasses() {
    using Maker = std::unique_ptr<Pass> (*)();
    static constexpr Maker kMakers[] = {
        makeSymbolicConstantFolding, makeConstantFolding, makeIdentityElimination, makeDuplicateElimination, makeDeadLayerElimination,
    };
    std::vector<std::unique_ptr<Pass>> passes;
    for (Maker maker : kMakers) passes.push_back(maker());
    return passes;
}

std::span<const std::string_view> passSchedule() {
    static constexpr std::array<std::string_view, 5> kSchedule = {
        // Shape arithmetic first: it holds most small layers of an exported model, and its results decide no-op Reshapes and Slices.
        "SymbolicConstantFolding",
        // Before every pattern: patterns ask for constants.
        "ConstantFolding",
        // Identities stand between the layers of a pattern.
        "IdentityElimination",
        // Exporters write Sub(x, mean) twice; patterns look for one.
        "DuplicateElimination",
        // Dead readers would count as "also read by".
        "DeadLayerElimination",
    };
    return kSchedule;
}

}  // namespace strobe
