#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/builder/builder_config.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// How shape inference takes concrete input shapes.
struct ShapeTrial {
    int layersPassed = 0;     // before the first that refuses
    Status status;            // names that layer, and the shapes there
    double largestBytes = 0;  // that a layer's inputs and outputs take together, constants aside, and its name
    std::string largestLayer;
};
/// Infers a copy of the network with its symbols bound. An output that becomes empty by them is refused too: nothing
/// would come out. Bodies of control flow are left out: a branch that these shapes never take need not fit them.
ShapeTrial tryShapes(const Network& network, const SymbolValues& symbols);

/// Whether every layer alone fits into `memoryBytes` at these shapes, for a network that takes them. OutOfRange names
/// the layer.
Status checkFits(const Network& network, const SymbolValues& symbols, size_t memoryBytes);

/// Extents for the dims that a model leaves open.
struct AssumedExtents {
    SymbolValues values;  // one for every symbol of the inputs
    Status refused;       // not OK: no extents were found that shape inference takes; `values` came farthest
};
/// First by the dim's name and place (batch 1, images 224, sequences 128); where shape inference refuses those, what
/// models usually take (48, 32, 64 …). Takes 0.5 s at most. Cancelled: what was found so far.
AssumedExtents assumeExtents(const Network& network, const CancelToken& cancel = {});

/// A shape of a profile that the network cannot take.
struct RefusedShape {
    size_t profile = 0;
    std::string corner;                    // "min", "opt", "max" or "run"; empty: the profile has one shape only
    std::map<std::string, Dims> accepted;  // input shapes nearby that it takes; empty: none found
    std::string message;                   // input, dim, extent, the layer that refuses, what would be accepted
};
/// The first one of `profiles` (complete ones). Takes less than 1 s for the search nearby.
std::optional<RefusedShape> findRefusedShape(const Network& network, const std::vector<OptimizationProfile>& profiles,
                                             const CancelToken& cancel = {});
/// The same for shapes to run at, given for every input that has open dims; `corner` is "run".
std::optional<RefusedShape> findRefusedRunShape(const Network& network, const std::map<std::string, Dims>& shapes,
                                                const CancelToken& cancel = {});

/// "x:1x3x48x320,y:1", as flags and messages write input shapes.
std::string shapesText(const std::map<std::string, Dims>& shapes);

}  // namespace strobe
