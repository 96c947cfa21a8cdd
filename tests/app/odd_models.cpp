#include "tests/app/odd_models.h"

#include <fstream>

#include "tests/support/onnx_builder.h"

namespace strobe::testing {
namespace {

bool write(const OnnxBuilder& model, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    file << model.bytes();
    return file.good();
}

std::string longName(const std::string& end) {
    std::string name = "model/backbone";
    while (name.size() < 200) name += "/very_long_scope_of_stage_" + std::to_string(name.size());
    return name + "/" + end;
}

}  // namespace

bool writeProblemModel(const std::string& path) {
    OnnxBuilder b;
    b.input("image_tensor_of_the_first_camera", {1, 8, 32, 32});
    b.node("Relu", {"image_tensor_of_the_first_camera"}, {"a"}, longName("first_relu"));
    b.node("DeformableAttention", {"a"}, {"b"}, longName("attention")).set_domain("com.example");
    b.node("Relux", {"b"}, {"c"}, "block2/typo");
    b.node("Sigmoid", {"c"}, {longName("output_of_the_gate")}, longName("gate"));
    b.node("Add", {longName("output_of_the_gate"), "a"}, {"y"}, "sum");
    b.output("y");
    return write(b, path);
}

bool writeLargeModel(const std::string& path, int nodes) {
    OnnxBuilder b;
    b.input("x", {1, 16, 8, 8});
    std::string last = "x";
    for (int block = 0; block * 5 < nodes; ++block) {
        const std::string scope = "stage" + std::to_string(block / 40) + "/block" + std::to_string(block) + "/";
        b.node("Relu", {last}, {scope + "r"}, scope + "relu");
        b.node("Sigmoid", {scope + "r"}, {scope + "s"}, scope + "gate");
        b.node("Tanh", {scope + "r"}, {scope + "t"}, scope + "tanh");
        b.node("Mul", {scope + "s", scope + "t"}, {scope + "m"}, scope + "scale");
        b.node("Add", {scope + "m", last}, {scope + "y"}, scope + "residual");
        last = scope + "y";
    }
    b.output(last);
    return write(b, path);
}

}  // namespace strobe::testing
