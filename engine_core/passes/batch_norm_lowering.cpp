#include "engine_core/passes/channel_affine.h"
#include "engine_core/passes/pass_list.h"

namespace strobe {
namespace {

PointwiseProgram scaleAndShift() {
    PointwiseProgram program;
    program.inputCount = 3;
    program.instructions = {{PointwiseOp::Mul, 0, 1}, {PointwiseOp::Add, 3, 2}};
    program.results = {4};
    return program;
}

/// The normalisation with the per-channel scales and shifts that follow it (Scale layers of older exporters).
Status lower(Network& network, const PassContext& context, LayerId id) {
    const TensorId x = network.layer(id).inputs[0];
    const Tensor& in = network.tensor(x);
    std::string why = whyNoRank(network, x);
    auto affine = why.empty() ? affineOfBatchNorm(network, network.layer(id), why) : std::nullopt;
    if (affine && !isRealType(in.type)) why = "its input '" + in.name + "' is " + std::string(dataTypeName(in.type));
    if (!why.empty()) {
        context.miss(network, id, std::move(why));
        return Status::ok();
    }
    Fusion fusion;
    fusion.layers = {id};
    TensorId last = network.layer(id).outputs[0];
    while (const Layer* next = onlyReader(network, last)) {
        const auto more = affineOfArithmetic(network, *next, last, 1);
        if (!more || network.tensor(next->outputs[0]).shape != in.shape) break;
        affine = affine->then(*more);
        fusion.layers.push_back(next->id);
        last = next->outputs[0];
    }
    Dims dims(in.shape.size() - 1, 1);
    dims[0] = static_cast<int64_t>(affine->scale.size());
    const std::string name = network.layer(id).name;
    const DataType type = in.type;
    const TensorId scale = network.addConstant(name + ".scale", weightsFromFloats(type, dims, affine->scale));
    const TensorId shift = network.addConstant(name + ".shift", weightsFromFloats(type, dims, affine->shift));
    fusion.namesake = id;
    fusion.op = OpRegistry::instance().get("Pointwise");
    fusion.inputs = {x, scale, shift};
    fusion.outputs = {last};
    fusion.program = scaleAndShift();
    fusion.description = "BatchNormalization: one scale and one shift per channel";
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        return isPlain(network.layer(id), "BatchNormalization") ? lower(network, context, id) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeBatchNormLowering() {
    return makePass("BatchNormLowering",
                    "Writes a batch normalisation that no weights can take as a scale and a shift.", run);
}

}  // namespace strobe
