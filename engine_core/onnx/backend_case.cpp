#include "engine_core/onnx/backend_case.h"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "engine_core/onnx/tensor_file.h"

namespace strobe {
namespace fs = std::filesystem;
namespace {

Result<std::vector<WeightsPtr>> readTensors(const fs::path& folder, const std::string& role) {
    std::vector<WeightsPtr> tensors;
    for (int k = 0;; ++k) {
        const fs::path file = folder / (role + "_" + std::to_string(k) + ".pb");
        std::error_code error;
        if (!fs::exists(file, error)) return tensors;
        STROBE_ASSIGN(WeightsPtr tensor, readTensorFile(file.string()));
        tensors.push_back(std::move(tensor));
    }
}

std::string numberText(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

}  // namespace

Result<BackendCase> loadBackendCase(const std::string& folder) {
    BackendCase result;
    result.name = fs::path(folder).filename().string();
    STROBE_ASSIGN(result.model, importOnnx((fs::path(folder) / "model.onnx").string()));
    for (int n = 0;; ++n) {
        const fs::path data = fs::path(folder) / ("test_data_set_" + std::to_string(n));
        std::error_code error;
        if (!fs::is_directory(data, error)) break;
        BackendCase::DataSet set;
        STROBE_ASSIGN(set.inputs, readTensors(data, "input"));
        STROBE_ASSIGN(set.outputs, readTensors(data, "output"));
        const Network& network = result.model.network;
        if (set.inputs.size() != network.inputs().size() || set.outputs.size() > network.outputs().size())
            return invalidModel(data.string() + ": " + std::to_string(set.inputs.size()) + " input and " +
                                std::to_string(set.outputs.size()) + " output files, the model has " +
                                std::to_string(network.inputs().size()) + " and " +
                                std::to_string(network.outputs().size()));
        result.dataSets.push_back(std::move(set));
    }
    if (result.dataSets.empty()) return notFound(folder + ": no test_data_set_0 with inputs and outputs");
    return result;
}

Status compareTensors(const Weights& found, const Weights& wanted, const Tolerance& tolerance) {
    if (found.type != wanted.type)
        return invalidArgument("type " + std::string(dataTypeName(found.type)) + " found, " +
                               std::string(dataTypeName(wanted.type)) + " wanted");
    if (found.dims != wanted.dims)
        return invalidArgument("dims " + toString(found.dims) + " found, " + toString(wanted.dims) + " wanted");
    const auto differ = [&](int64_t at, const std::string& a, const std::string& b) {
        return invalidArgument("element " + std::to_string(at) + " of " + toString(found.dims) + " is " + a + ", " + b +
                               " wanted");
    };
    if (wanted.type == DataType::String) {
        const auto *a = static_cast<const std::string*>(found.data.get()),
                   *b = static_cast<const std::string*>(wanted.data.get());
        for (int64_t i = 0; i < wanted.count(); ++i)
            if (a[i] != b[i]) return differ(i, "'" + a[i] + "'", "'" + b[i] + "'");
        return Status::ok();
    }
    if (!isFloatingPoint(wanted.type) && wanted.type != DataType::UInt64) {
        const auto a = toInt64s(found), b = toInt64s(wanted);
        for (size_t i = 0; a && b && i < a->size(); ++i)
            if ((*a)[i] != (*b)[i])
                return differ(static_cast<int64_t>(i), std::to_string((*a)[i]), std::to_string((*b)[i]));
        return Status::ok();
    }
    const std::vector<double> a = toDoubles(found), b = toDoubles(wanted);
    for (size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        if (!(std::abs(a[i] - b[i]) <= tolerance.absolute + tolerance.relative * std::abs(b[i])) || std::isinf(a[i]))
            return differ(static_cast<int64_t>(i), numberText(a[i]), numberText(b[i]));
    }
    return Status::ok();
}

}  // namespace strobe
