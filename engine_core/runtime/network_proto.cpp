#include "engine_core/runtime/network_proto.h"

#include "engine_core/ops/op_definition.h"
#include "engine_core/runtime/graph_check.h"

namespace strobe {
namespace {

constexpr int kMaxSubgraphDepth = 32;

void writeTensor(const Tensor& tensor, bool alive, const StoreWeights& store, pb::Tensor& out) {
    out.set_id(tensor.id);
    if (!alive) return;
    out.set_name(tensor.name);
    out.set_type(static_cast<uint32_t>(tensor.type));
    for (const Dim& dim : tensor.shape) out.add_shape(dim.toString());
    out.set_rank_unknown(!tensor.rankKnown);
    out.set_is_input(tensor.isInput);
    out.set_is_output(tensor.isOutput);
    if (tensor.constant) store(*tensor.constant, *out.mutable_constant());
    if (!tensor.values) return;
    out.set_has_values(true);
    for (const Dim& value : *tensor.values) out.add_values(value.toString());
}

void writeAttribute(const std::string& name, const AttributeValue& value, const StoreWeights& store, pb::Attribute& out) {
    out.set_name(name);
    if (const auto* i = std::get_if<int64_t>(&value)) out.set_i(*i);
    if (const auto* f = std::get_if<float>(&value)) out.set_f(*f);
    if (const auto* s = std::get_if<std::string>(&value)) out.set_s(*s);
    if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) {
        out.mutable_ints();
        for (int64_t x : *v) out.mutable_ints()->add_v(x);
    }
    if (const auto* v = std::get_if<std::vector<float>>(&value)) {
        out.mutable_floats();
        for (float x : *v) out.mutable_floats()->add_v(x);
    }
    if (const auto* v = std::get_if<std::vector<std::string>>(&value)) {
        out.mutable_strings();
        for (const std::string& x : *v) out.mutable_strings()->add_v(x);
    }
    if (const auto* w = std::get_if<WeightsPtr>(&value); w && *w) store(**w, *out.mutable_tensor());
}

Result<AttributeValue> readAttribute(const pb::Attribute& in, const FetchWeights& fetch) {
    switch (in.value_case()) {
        case pb::Attribute::kI: return AttributeValue(in.i());
        case pb::Attribute::kF: return AttributeValue(in.f());
        case pb::Attribute::kS: return AttributeValue(in.s());
        case pb::Attribute::kInts: return AttributeValue(std::vector<int64_t>(in.ints().v().begin(), in.ints().v().end()));
        case pb::Attribute::kFloats: return AttributeValue(std::vector<float>(in.floats().v().begin(), in.floats().v().end()));
        case pb::Attribute::kStrings: return AttributeValue(std::vector<std::string>(in.strings().v().begin(), in.strings().v().end()));
        case pb::Attribute::kTensor: {
            STROBE_ASSIGN(WeightsPtr weights, fetch(in.tensor()));
            return AttributeValue(std::move(weights));
        }
        case pb::Attribute::VALUE_NOT_SET: break;
    }
    return invalidModel("attribute '" + in.name() + "' has no value");
}

Result<DataType> readType(uint32_t type) {
    if (type > static_cast<uint32_t>(DataType::String)) return invalidModel("element type " + std::to_string(type) + " is unknown");
    return static_cast<DataType>(type);
}

template <class Texts>
Result<std::vector<Dim>> readDims(const Texts& texts) {
    std::vector<Dim> dims;
    for (const std::string& text : texts) {
        STROBE_ASSIGN(Dim dim, Dim::parse(text));
        dims.push_back(std::move(dim));
    }
    return dims;
}

/// Tensors in id order: dead ids become undefined tensors, so that ids stay what they were.
Status readTensors(const pb::Network& in, const FetchWeights& fetch, Network& network) {
    for (int i = 0; i < in.tensors_size(); ++i) {
        const pb::Tensor& t = in.tensors(i);
        if (t.id() != i) return invalidModel("tensor " + std::to_string(i) + " carries id " + std::to_string(t.id()));
        STROBE_ASSIGN(const DataType type, readType(t.type()));
        STROBE_ASSIGN(Shape shape, readDims(t.shape()));
        if (t.is_input()) {
            (void)network.addInput(t.name(), type, std::move(shape));
        } else if (t.has_constant()) {
            STROBE_ASSIGN(WeightsPtr weights, fetch(t.constant()));
            (void)network.addConstant(t.name(), std::move(weights));
        } else {
            (void)network.addTensor(t.name(), type, std::move(shape));
        }
        Tensor& made = network.tensor(i);
        made.rankKnown = !t.rank_unknown();
        if (!t.has_values()) continue;
        STROBE_ASSIGN(made.values, readDims(t.values()));
        if (!elementCount(made.shape).isConstant(static_cast<int64_t>(made.values->size())))
            return invalidModel("tensor '" + t.name() + "' of shape " + toString(made.shape) + " has " +
                                std::to_string(made.values->size()) + " known elements");
    }
    return Status::ok();
}

Result<Network> readNetworkAt(const pb::Network& in, const FetchWeights& fetch, int depth);

Status readLayer(const pb::Layer& in, int index, const FetchWeights& fetch, Network& network, int depth) {
    if (in.op().empty()) {
        // A removed layer: its id must stay taken.
        network.removeLayer(network.addLayer("removed." + std::to_string(index), OpRegistry::instance().get("Identity"), {}, {}, {}));
        return Status::ok();
    }
    const OpDefinition* op = OpRegistry::instance().find(in.op());
    if (!op) return unsupported("op '" + in.op() + "' is unknown to this version");
    Attributes attributes;
    for (const pb::Attribute& a : in.attributes()) {
        STROBE_ASSIGN(AttributeValue value, readAttribute(a, fetch));
        attributes.set(a.name(), std::move(value));
    }
    for (const auto* list : {&in.inputs(), &in.outputs()})
        for (int id : *list)
            if (id < kNone || id >= network.tensorCount()) return invalidModel("layer '" + in.name() + "' names tensor " + std::to_string(id) + ", which does not exist");
    for (int id : in.outputs())
        if (id != kNone && (network.tensor(id).producer != kNone || network.tensor(id).isInput || network.tensor(id).constant))
            return invalidModel("tensor '" + network.tensor(id).name + "' is defined twice");
    const LayerId id = network.addLayer(in.name(), op, std::move(attributes), {in.inputs().begin(), in.inputs().end()}, {in.outputs().begin(), in.outputs().end()});
    Layer& layer = network.layer(id);
    layer.provenance.assign(in.provenance().begin(), in.provenance().end());
    for (const pb::Network& body : in.subgraphs()) {
        STROBE_ASSIGN(Network sub, readNetworkAt(body, fetch, depth + 1));
        network.layer(id).subgraphs.push_back(std::make_shared<const Network>(std::move(sub)));
    }
    if (!in.program().empty()) {
        layer.program = PointwiseProgram::parse(in.program(), in.program_inputs());
        if (!layer.program) return invalidModel("layer '" + in.name() + "' has a malformed program");
    }
    const Status sound = checkLayer(layer);
    return sound.isOk() ? sound : invalidModel(sound.message());
}

Result<Network> readNetworkAt(const pb::Network& in, const FetchWeights& fetch, int depth) {
    if (depth > kMaxSubgraphDepth) return invalidModel("networks nest deeper than " + std::to_string(kMaxSubgraphDepth));
    Network network;
    network.setName(in.name());
    if (!in.symbol_prefix().empty()) network.setSymbolPrefix(in.symbol_prefix());
    STROBE_RETURN_IF_ERROR(readTensors(in, fetch, network));
    for (int i = 0; i < in.layers_size(); ++i) STROBE_RETURN_IF_ERROR(readLayer(in.layers(i), i, fetch, network, depth));
    if (static_cast<int>(network.inputs().size()) != in.inputs_size()) return invalidModel("the list of inputs does not agree with the tensors");
    for (int id : in.outputs()) {
        if (id < 0 || id >= network.tensorCount()) return invalidModel("output tensor " + std::to_string(id) + " does not exist");
        network.markOutput(id);
    }
    auto nodes = std::make_shared<std::vector<SourceNode>>();
    for (const pb::SourceNode& n : in.source_nodes())
        nodes->push_back({n.name(), n.op_type(), n.domain(), {n.inputs().begin(), n.inputs().end()}, {n.outputs().begin(), n.outputs().end()}});
    network.setSourceNodes(std::move(nodes));
    return network;
}

void writeFormat(const Format& format, pb::Format& out) {
    out.set_type(static_cast<uint32_t>(format.type));
    out.set_layout(static_cast<uint32_t>(format.layout));
    out.set_memory(static_cast<uint32_t>(format.memory));
}

Result<Format> readFormat(const pb::Format& in) {
    STROBE_ASSIGN(const DataType type, readType(in.type()));
    if (in.layout() > static_cast<uint32_t>(Layout::Blocked16) || in.memory() > 1) return invalidModel("a format is unknown to this version");
    return Format{type, static_cast<Layout>(in.layout()), static_cast<MemoryKind>(in.memory())};
}

Result<EngineLayer> readEngineLayer(const pb::EngineLayer& in, const Network& network, const FetchWeights& fetch) {
    if (in.layer() < 0 || in.layer() >= network.layerIdCount() || network.layer(in.layer()).removed) return invalidModel("engine layer " + std::to_string(in.layer()) + " does not exist");
    const Layer& layer = network.layer(in.layer());
    EngineLayer out;
    out.layer = in.layer();
    out.device = in.device() == 0 ? DeviceKind::Cpu : DeviceKind::Cuda;
    out.tactic = in.tactic();
    for (const pb::Format& f : in.inputs()) {
        STROBE_ASSIGN(Format format, readFormat(f));
        out.inputs.push_back(format);
    }
    for (const pb::Format& f : in.outputs()) {
        STROBE_ASSIGN(Format format, readFormat(f));
        out.outputs.push_back(format);
    }
    if (out.inputs.size() != layer.inputs.size() || out.outputs.size() != layer.outputs.size()) return invalidModel("layer '" + layer.name + "' has formats for another number of tensors");
    STROBE_ASSIGN(out.roundOutputs, readType(in.round_outputs()));
    out.buildMilliseconds = in.build_milliseconds();
    out.precisionNote = in.precision_note();
    for (const pb::Candidate& c : in.candidates()) out.candidates.push_back({c.tactic(), c.formats(), c.milliseconds(), c.declined(), c.chosen()});
    for (const pb::Graph& body : in.bodies()) {
        STROBE_ASSIGN(std::shared_ptr<const CompiledGraph> graph, readGraph(body, fetch));
        out.bodies.push_back(std::move(graph));
    }
    return out;
}

}  // namespace

void writeNetwork(const Network& network, const StoreWeights& store, pb::Network& out) {
    out.set_name(network.name());
    out.set_symbol_prefix(network.symbolPrefix());
    for (TensorId id = 0; id < network.tensorCount(); ++id) writeTensor(network.tensor(id), network.isAlive(id), store, *out.add_tensors());
    for (LayerId id = 0; id < network.layerIdCount(); ++id) {
        const Layer& layer = network.layer(id);
        pb::Layer& written = *out.add_layers();
        written.set_id(id);
        if (layer.removed) continue;
        written.set_name(layer.name);
        written.set_op(layer.op->name);
        for (const auto& [name, value] : layer.attributes.values()) writeAttribute(name, value, store, *written.add_attributes());
        for (TensorId t : layer.inputs) written.add_inputs(t);
        for (TensorId t : layer.outputs) written.add_outputs(t);
        for (int node : layer.provenance) written.add_provenance(node);
        for (const auto& body : layer.subgraphs) writeNetwork(*body, store, *written.add_subgraphs());
        if (!layer.program) continue;
        written.set_program(layer.program->toString());
        written.set_program_inputs(layer.program->inputCount);
    }
    for (TensorId id : network.inputs()) out.add_inputs(id);
    for (TensorId id : network.outputs()) out.add_outputs(id);
    for (const SourceNode& node : network.sourceNodes()) {
        pb::SourceNode& written = *out.add_source_nodes();
        written.set_name(node.name);
        written.set_op_type(node.opType);
        written.set_domain(node.domain);
        for (const auto& name : node.inputs) written.add_inputs(name);
        for (const auto& name : node.outputs) written.add_outputs(name);
    }
}

Result<Network> readNetwork(const pb::Network& in, const FetchWeights& fetch) { return readNetworkAt(in, fetch, 0); }

void writeGraph(const CompiledGraph& graph, const StoreWeights& store, pb::Graph& out) {
    writeNetwork(graph.network, store, *out.mutable_network());
    for (const EngineLayer& layer : graph.layers) {
        pb::EngineLayer& written = *out.add_layers();
        written.set_layer(layer.layer);
        written.set_device(static_cast<uint32_t>(layer.device));
        written.set_tactic(layer.tactic);
        for (const Format& f : layer.inputs) writeFormat(f, *written.add_inputs());
        for (const Format& f : layer.outputs) writeFormat(f, *written.add_outputs());
        written.set_round_outputs(static_cast<uint32_t>(layer.roundOutputs));
        written.set_build_milliseconds(layer.buildMilliseconds);
        written.set_precision_note(layer.precisionNote);
        for (const CandidateRecord& c : layer.candidates) {
            pb::Candidate& candidate = *written.add_candidates();
            candidate.set_tactic(c.tactic);
            candidate.set_formats(c.formats);
            candidate.set_milliseconds(c.milliseconds);
            candidate.set_declined(c.declined);
            candidate.set_chosen(c.chosen);
        }
        for (const auto& body : layer.bodies) writeGraph(*body, store, *written.add_bodies());
    }
}

Result<std::shared_ptr<const CompiledGraph>> readGraph(const pb::Graph& in, const FetchWeights& fetch) {
    auto graph = std::make_shared<CompiledGraph>();
    STROBE_ASSIGN(graph->network, readNetwork(in.network(), fetch));
    for (const pb::EngineLayer& layer : in.layers()) {
        STROBE_ASSIGN(EngineLayer read, readEngineLayer(layer, graph->network, fetch));
        graph->layers.push_back(std::move(read));
    }
    STROBE_RETURN_IF_ERROR(checkGraph(*graph));
    return std::shared_ptr<const CompiledGraph>(std::move(graph));
}

void writeProfiles(const std::vector<OptimizationProfile>& profiles, google::protobuf::RepeatedPtrField<pb::Profile>& out) {
    for (const OptimizationProfile& profile : profiles) {
        pb::Profile& written = *out.Add();
        for (const auto& [name, range] : profile.inputs) {
            pb::ShapeRange& r = *written.add_inputs();
            r.set_input(name);
            for (int64_t d : range.min) r.add_min(d);
            for (int64_t d : range.opt) r.add_opt(d);
            for (int64_t d : range.max) r.add_max(d);
        }
    }
}

std::vector<OptimizationProfile> readProfiles(const google::protobuf::RepeatedPtrField<pb::Profile>& in) {
    std::vector<OptimizationProfile> profiles;
    for (const pb::Profile& p : in) {
        OptimizationProfile& profile = profiles.emplace_back();
        for (const pb::ShapeRange& r : p.inputs())
            profile.inputs[r.input()] = {{r.min().begin(), r.min().end()}, {r.opt().begin(), r.opt().end()}, {r.max().begin(), r.max().end()}};
    }
    return profiles;
}

void writeConfig(const BuilderConfig& config, pb::Config& out) {
    out.set_device(config.device);
    out.set_precision(static_cast<uint32_t>(config.precision));
    for (const PrecisionRule& rule : config.precisionRules) {
        out.add_rule_patterns(rule.pattern);
        out.add_rule_types(static_cast<uint32_t>(rule.type));
        out.add_rule_reasons(rule.reason);
    }
    out.set_optimization_level(config.optimizationLevel);
    out.set_threads(config.threads);
    out.set_average_timings(config.averageTimings);
    out.set_workspace_limit(config.workspaceLimit);
    for (const auto& pass : config.disabledPasses) out.add_disabled_passes(pass);
    for (const auto& tactic : config.bannedTactics) out.add_banned_tactics(tactic);
    for (const auto& [layer, tactic] : config.pinnedTactics) (*out.mutable_pinned_tactics())[layer] = tactic;
    out.set_constant_folding_budget(config.constantFoldingBudget);
    out.set_error_on_timing_cache_miss(config.errorOnTimingCacheMiss);
    out.set_timing_cache_path(config.timingCachePath);
    writeProfiles(config.profiles, *out.mutable_profiles());
}

Result<BuilderConfig> readConfig(const pb::Config& in) {
    BuilderConfig config;
    config.device = in.device();
    if (in.precision() > static_cast<uint32_t>(PrecisionMode::Best)) return invalidModel("precision mode " + std::to_string(in.precision()) + " is unknown");
    config.precision = static_cast<PrecisionMode>(in.precision());
    const int reasons = in.rule_reasons_size();
    if (in.rule_patterns_size() != in.rule_types_size() || (reasons != 0 && reasons != in.rule_types_size()))
        return invalidModel("precision rules are inconsistent");
    for (int i = 0; i < in.rule_patterns_size(); ++i) {
        STROBE_ASSIGN(const DataType type, readType(in.rule_types(i)));
        config.precisionRules.push_back({in.rule_patterns(i), type, reasons > 0 ? in.rule_reasons(i) : std::string()});
    }
    config.optimizationLevel = in.optimization_level();
    config.threads = in.threads();
    config.averageTimings = in.average_timings();
    config.workspaceLimit = in.workspace_limit();
    config.disabledPasses = {in.disabled_passes().begin(), in.disabled_passes().end()};
    config.bannedTactics = {in.banned_tactics().begin(), in.banned_tactics().end()};
    config.pinnedTactics = {in.pinned_tactics().begin(), in.pinned_tactics().end()};
    config.constantFoldingBudget = in.constant_folding_budget();
    config.errorOnTimingCacheMiss = in.error_on_timing_cache_miss();
    config.timingCachePath = in.timing_cache_path();
    config.profiles = readProfiles(in.profiles());
    return config;
}

}  // namespace strobe
