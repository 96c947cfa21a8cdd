#include "tests/views/sample_results.h"

namespace strobe::testing {
namespace {

Statistics statistics(double median, double error) {
    Statistics s;
    s.count = 100;
    s.median = s.mean = median;
    s.min = median * 0.97;
    s.max = median * 1.2;
    s.deviation = median * 0.02;
    s.p25 = median * 0.99;
    s.p75 = median * 1.01;
    s.medianError = error;
    return s;
}

TensorDifference difference(const char* tensor, double maxAbs, double snrDb, double cosine) {
    TensorDifference d;
    d.tensor = tensor;
    d.maxAbs = maxAbs;
    d.maxRel = maxAbs / 10;
    d.rms = maxAbs / 4;
    d.snrDb = snrDb;
    d.cosine = cosine;
    d.count = 5000;
    d.referenceMin = -10;
    d.referenceMax = 10;
    d.histogram = {900, 20, 60, 250, 800, 1500, 1100, 350, 20, 0, 0, 0};
    return d;
}

}  // namespace

std::vector<LayerSpec> standardLayers() {
    return {{"/model.0/conv/Conv", "Conv", "bf16", 5, {0, 1}},
            {"/model.1/dw/Conv", "Conv", "fp32", 3, {2}},
            {"/head/attn/Softmax", "Softmax", "fp32", 1.5, {3}},
            {"flatten", "Reshape", "fp32", 0.5, {4, 5}}};
}

std::shared_ptr<const Profile> makeProfile(const std::vector<LayerSpec>& layers) {
    auto profile = std::make_shared<Profile>();
    for (const LayerSpec& spec : layers) profile->layersSum += spec.ms;
    for (size_t at = 0; at < layers.size(); ++at) {
        const LayerSpec& spec = layers[at];
        LayerProfile layer;
        layer.layer = static_cast<int>(at);
        layer.name = spec.name;
        layer.op = spec.op;
        layer.precision = spec.precision;
        layer.tactic = at == 2 ? "reference.Softmax" : "onednn.conv";
        layer.provenance = spec.nodes;
        layer.milliseconds = statistics(spec.ms, spec.ms * 0.005);
        layer.share = spec.ms / profile->layersSum;
        layer.flops = std::string(spec.op) == "Reshape" ? 0 : spec.ms * 1e8;
        layer.bytes = spec.ms * 1e6;
        layer.outputShape = "1×24×160×160";
        profile->layers.push_back(std::move(layer));
    }
    profile->latency = statistics(profile->layersSum * 1.02, profile->layersSum * 0.004);
    profile->instrumented = statistics(profile->layersSum * 1.04, profile->layersSum * 0.004);
    profile->iterations = 100;
    profile->memory = {4 << 20, 8 << 20, 1 << 20};
    return profile;
}

std::vector<LayerFacts> standardFacts() {
    return {{NodeFamily::Convolution, "convolution", "Conv + Relu", false, false},
            {NodeFamily::Convolution, "depthwise convolution", "Conv", false, false},
            {NodeFamily::Attention, "Softmax layer", "Softmax", true, false},
            {NodeFamily::ShapeCopy, "Reshape layer", "Reshape", false, false}};
}

std::vector<SourceNode> makeNodes(int count) {
    std::vector<SourceNode> nodes;
    for (int at = 0; at < count; ++at) nodes.push_back({"node_" + std::to_string(at), "Conv", "", {}, {}});
    return nodes;
}

std::shared_ptr<const AccuracyReport> makeAccuracy() {
    auto report = std::make_shared<AccuracyReport>();
    report->outputs.push_back(difference("scores", 0.0031, 40, 0.99995));
    report->outputs.back().top1Agreement = 0.995;
    report->outputs.back().top5Agreement = 1;
    report->layers.push_back({{0, 1}, "/model.0/conv/Conv", "/model.0/conv/Conv", difference("t0", 0.001, 52, 0.999999)});
    report->layers.push_back({{3}, "/head/attn/Softmax", "/head/attn/Softmax", difference("t3", 0.8, 12, 0.95)});
    report->coarsest = DataType::BFloat16;
    report->worst = {{17, 0.0031, "scores", 0}, {4, 0.002, "scores", 0}};
    report->samples = 64;
    report->labelAccuracyReference = 0.978;
    report->labelAccuracyCandidate = 0.972;
    return report;
}

Comparison makeComparison() {
    Comparison comparison;
    comparison.id = 1;
    comparison.a = 1;
    comparison.b = 2;
    comparison.accuracy = makeAccuracy();
    comparison.rows = {{{0, 1}, {0}, {0}, 5, 2, 0.05, 0, false},
                       {{2}, {1}, {1}, 3, 3.01, 0.05, -1, false},
                       {{3, 4, 5}, {2, 3}, {2, 3, 4}, 2, 2.6, 0.02, 1, false}};
    return comparison;
}

Build makeBuild(int id, const char* name, std::shared_ptr<const Profile> profile, size_t bytes) {
    Build build;
    build.id = id;
    build.name = name;
    build.profile = std::move(profile);
    build.engineBytes = bytes;
    return build;
}

}  // namespace strobe::testing
