#include "tests/support/onnx_builder.h"


namespace strobe {

OnnxBuilder::OnnxBuilder(int64_t opset) {
    model.set_ir_version(8);
    model.set_producer_name("test");
    auto& entry = *model.add_opset_import();
    entry.set_domain("");
    entry.set_version(opset);
    graph().set_name("graph");
}

void addValue(google::protobuf::RepeatedPtrField<strobe_onnx::ValueInfoProto>& list, const std::string& name,
              DataType type, const std::vector<int64_t>& dims, bool withShape) {
    auto& value = *list.Add();
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(static_cast<int>(onnxTypeNumber(type)));
    if (!withShape) return;
    tensor.mutable_shape();
    for (int64_t dim : dims) {
        auto& proto = *tensor.mutable_shape()->add_dim();
        if (dim != -1) proto.set_dim_value(dim);
    }
}

void OnnxBuilder::input(const std::string& name, const std::vector<int64_t>& dims, DataType type) {
    addValue(*graph().mutable_input(), name, type, dims);
}

void OnnxBuilder::output(const std::string& name, const std::vector<int64_t>& dims, bool withShape) {
    if (withShape)
        addValue(*graph().mutable_output(), name, DataType::Float32, dims);
    else
        graph().add_output()->set_name(name);
}

strobe_onnx::NodeProto& addNode(strobe_onnx::GraphProto& graph, const std::string& op,
                                const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    auto& node = *graph.add_node();
    node.set_op_type(op);
    for (const std::string& input : inputs) node.add_input(input);
    for (const std::string& output : outputs) node.add_output(output);
    return node;
}

strobe_onnx::NodeProto& OnnxBuilder::node(const std::string& op, const std::vector<std::string>& inputs,
                                          const std::vector<std::string>& outputs, const std::string& name) {
    auto& added = addNode(graph(), op, inputs, outputs);
    added.set_name(name);
    return added;
}

strobe_onnx::TensorProto& OnnxBuilder::floats(const std::string& name, const std::vector<int64_t>& dims,
                                              const std::vector<float>& values) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(1);
    for (int64_t dim : dims) tensor.add_dims(dim);
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    return tensor;
}

strobe_onnx::TensorProto& OnnxBuilder::ints(const std::string& name, const std::vector<int64_t>& dims,
                                            const std::vector<int64_t>& values) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(7);
    for (int64_t dim : dims) tensor.add_dims(dim);
    for (int64_t value : values) tensor.add_int64_data(value);
    return tensor;
}

Result<ImportedModel> OnnxBuilder::importText(const std::string& bytes, const ImportOptions& options,
                                              const std::string& baseDirectory) {
    return importOnnxBytes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, nullptr, "test.onnx",
                           baseDirectory, options);
}

namespace {

strobe_onnx::AttributeProto& addAttribute(strobe_onnx::NodeProto& node, const std::string& name, int type) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
}

}  // namespace

void setFloat(strobe_onnx::NodeProto& node, const std::string& name, float value) {
    addAttribute(node, name, 1).set_f(value);
}
void setInt(strobe_onnx::NodeProto& node, const std::string& name, int64_t value) {
    addAttribute(node, name, 2).set_i(value);
}
void setString(strobe_onnx::NodeProto& node, const std::string& name, const std::string& value) {
    addAttribute(node, name, 3).set_s(value);
}
strobe_onnx::GraphProto& setGraph(strobe_onnx::NodeProto& node, const std::string& name) {
    return *addAttribute(node, name, 5).mutable_g();
}
void setInts(strobe_onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
    auto& attribute = addAttribute(node, name, 7);
    for (int64_t value : values) attribute.add_ints(value);
}

}  // namespace strobe
