#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine_core/onnx/importer.h"
#include "onnx.pb.h"

namespace strobe {

/// Small models for tests, written with the generated protobuf classes. -1 in dims is an unnamed unknown extent.
class OnnxBuilder {
public:
    explicit OnnxBuilder(int64_t opset = kNewestOpset);

    strobe_onnx::ModelProto model;
    strobe_onnx::GraphProto& graph() { return *model.mutable_graph(); }

    void input(const std::string& name, const std::vector<int64_t>& dims, DataType type = DataType::Float32);
    void output(const std::string& name, const std::vector<int64_t>& dims = {}, bool withShape = false);
    strobe_onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs, const std::string& name = {});
    strobe_onnx::TensorProto& floats(const std::string& name, const std::vector<int64_t>& dims,
                                     const std::vector<float>& values);
    strobe_onnx::TensorProto& ints(const std::string& name, const std::vector<int64_t>& dims,
                                   const std::vector<int64_t>& values);

    std::string bytes() const { return model.SerializeAsString(); }
    Result<ImportedModel> import(const ImportOptions& options = {}) const { return importText(bytes(), options); }
    static Result<ImportedModel> importText(const std::string& bytes, const ImportOptions& options = {},
                                            const std::string& baseDirectory = {});
};

void setInt(strobe_onnx::NodeProto& node, const std::string& name, int64_t value);
void setInts(strobe_onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);
void setFloat(strobe_onnx::NodeProto& node, const std::string& name, float value);
void setString(strobe_onnx::NodeProto& node, const std::string& name, const std::string& value);
strobe_onnx::GraphProto& setGraph(strobe_onnx::NodeProto& node, const std::string& name);
strobe_onnx::NodeProto& addNode(strobe_onnx::GraphProto& graph, const std::string& op,
                                const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);
void addValue(google::protobuf::RepeatedPtrField<strobe_onnx::ValueInfoProto>& list, const std::string& name,
              DataType type, const std::vector<int64_t>& dims, bool withShape = true);

}  // namespace strobe
