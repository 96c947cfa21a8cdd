#pragma once
#include <functional>

#include "engine_core/ir/network.h"
#include "engine_core/runtime/engine.h"
#include "engine_core/runtime/engine.pb.h"

namespace strobe {

/// Where weights go when a network is written, and where they come from when one is read.
using StoreWeights = std::function<void(const Weights&, pb::WeightsRef&)>;
using FetchWeights = std::function<Result<WeightsPtr>(const pb::WeightsRef&)>;

void writeNetwork(const Network& network, const StoreWeights& store, pb::Network& out);
/// Rebuilds the network with the same ids. Errors name what is inconsistent; never trusts an id or a count.
Result<Network> readNetwork(const pb::Network& in, const FetchWeights& fetch);
void writeGraph(const CompiledGraph& graph, const StoreWeights& store, pb::Graph& out);
Result<std::shared_ptr<const CompiledGraph>> readGraph(const pb::Graph& in, const FetchWeights& fetch);
void writeConfig(const BuilderConfig& config, pb::Config& out);
Result<BuilderConfig> readConfig(const pb::Config& in);
void writeProfiles(const std::vector<OptimizationProfile>& profiles, google::protobuf::RepeatedPtrField<pb::Profile>& out);
std::vector<OptimizationProfile> readProfiles(const google::protobuf::RepeatedPtrField<pb::Profile>& in);

}  // namespace strobe
