#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine_core/passes/rewrite.h"

namespace strobe {

/// y[channel] = scale·x[channel] + shift, both constant: what inference leaves of a batch normalisation.
struct ChannelAffine {
    std::vector<float> scale, shift;
    bool scales() const;
    /// `next` applied after this.
    ChannelAffine then(const ChannelAffine& next) const;
};

/// A BatchNormalization in inference mode with constant parameters; `why` says what is missing.
std::optional<ChannelAffine> affineOfBatchNorm(const Network& network, const Layer& layer, std::string& why);
/// Add, Sub, Mul or Div of `x` and a constant that has one element, or one per extent of `axis`.
std::optional<ChannelAffine> affineOfArithmetic(const Network& network, const Layer& layer, TensorId x, size_t axis);

}  // namespace strobe
