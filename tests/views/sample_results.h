// Hand-made results of realistic shape for tests of models: no engine behind them.
#pragma once

#include "sessions/session.h"
#include "views/models/layer_table.h"

namespace strobe::testing {

struct LayerSpec {
    const char* name;
    const char* op;
    const char* precision;
    double ms;
    std::vector<int> nodes;
};
// Four layers, 10 ms together: conv 5, depthwise 3, softmax 1.5, reshape 0.5.
std::vector<LayerSpec> standardLayers();
std::shared_ptr<const Profile> makeProfile(const std::vector<LayerSpec>& layers);
std::vector<LayerFacts> standardFacts();
std::vector<SourceNode> makeNodes(int count);
// One output "scores" (SNR 40 dB) and two layer tensors, the second of which diverges.
std::shared_ptr<const AccuracyReport> makeAccuracy();
// Three rows over six nodes: faster beyond noise, within noise, only in B.
Comparison makeComparison();
Build makeBuild(int id, const char* name, std::shared_ptr<const Profile> profile, size_t bytes);

}  // namespace strobe::testing
