#pragma once
#include <string>
#include <vector>

#include "engine_core/onnx/importer.h"

namespace strobe {

/// One folder of the ONNX backend tests: model.onnx and test_data_set_N/{input,output}_K.pb.
struct BackendCase {
    struct DataSet {
        std::vector<WeightsPtr> inputs;   // in the order of network.inputs()
        std::vector<WeightsPtr> outputs;  // in the order of network.outputs()
    };
    std::string name;
    ImportedModel model;
    std::vector<DataSet> dataSets;
};

/// Unsupported when the model or its data (sequences, optionals) cannot be served.
Result<BackendCase> loadBackendCase(const std::string& folder);

/// ONNX's runner: |found − wanted| ≤ absolute + relative·|wanted| for floats (NaN equals NaN), equality otherwise.
struct Tolerance {
    double relative = 1e-3, absolute = 1e-7;
};
/// Ok, or InvalidArgument that says where and by how much they differ.
Status compareTensors(const Weights& found, const Weights& wanted, const Tolerance& tolerance);

}  // namespace strobe
