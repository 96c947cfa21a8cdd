#include "engine_core/ir/network.h"

#include <gtest/gtest.h>

#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

WeightsPtr bytesAt(const std::shared_ptr<const uint8_t>& file, size_t first, size_t count) {
    Weights weights;
    weights.type = DataType::UInt8;
    weights.dims = {static_cast<int64_t>(count)};
    weights.data = std::shared_ptr<const void>(file, file.get() + first);
    weights.bytes = count;
    return std::make_shared<const Weights>(std::move(weights));
}

/// Tensors of one file of weights may begin at the same place, and overlap.
TEST(ConstantBytes, SharedMemoryCountsOnce) {
    const std::shared_ptr<const uint8_t> file(new uint8_t[1000](), std::default_delete<uint8_t[]>());
    auto body = std::make_shared<Network>();
    body->addConstant("inside", bytesAt(file, 100, 50));
    Network network;
    EXPECT_EQ(network.constantBytes(), 0);
    network.addConstant("all", bytesAt(file, 0, 600));
    network.addConstant("empty at its start", bytesAt(file, 0, 0));
    EXPECT_EQ(network.constantBytes(), 600);
    network.addConstant("overlapping", bytesAt(file, 500, 200));
    network.addConstant("again", bytesAt(file, 500, 200));
    network.addConstant("apart", bytesAt(file, 900, 10));
    const LayerId layer = network.addLayer("if", OpRegistry::instance().get("If"), {}, {}, {});
    network.layer(layer).subgraphs = {body};
    EXPECT_EQ(network.constantBytes(), 710);
}

}  // namespace
}  // namespace strobe
