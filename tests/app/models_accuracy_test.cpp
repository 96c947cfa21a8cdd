// Real models against onnxruntime's outputs, which tests/support/oracle.py stores. Each model is built once per precision, with one profile
// over all its shapes, and run at every shape. Prints the errors of every output as a share of the output's range (over all its shapes).
// FP32 is judged by the largest error. BF16 by the root mean square: where a network decides at a threshold (ocr_det's sigmoid map, softmax
// over 6,625 characters) a rounded input flips single elements in every BF16 runtime; OpenVINO's largest errors there are 0.3 to 0.6.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/cli/run_outputs.h"
#include "kernels/cpu/register.h"
#include "sessions/npz.h"
#include "tests/support/model_cache.h"

namespace strobe {
namespace {

constexpr double kFp32Limit = 1e-4, kBf16Limit = 3e-2;

struct OracleCase {
    std::string name, file;
};
struct OracleModel {
    std::string name, path;
    std::vector<OracleCase> cases;
};

constexpr const char* kOracleIndex = "oracle/index.json";

std::vector<OracleModel> oracleModels() {
    std::vector<OracleModel> models;
    std::ifstream file(modelCache() / kOracleIndex);
    if (!file) return models;
    const nlohmann::json index = nlohmann::json::parse(file);
    for (const auto& entry : index.at("cases")) {
        const std::string name = entry["model"];
        auto found = std::find_if(models.begin(), models.end(), [&](const OracleModel& m) { return m.name == name; });
        if (found == models.end()) found = models.insert(models.end(), {name, entry["path"], {}});
        found->cases.push_back({entry["case"], (modelCache() / "oracle" / std::string(entry["file"])).string()});
    }
    return models;
}

struct Tensors {
    NamedTensors inputs, outputs;
};

Result<Tensors> readCase(const std::string& file) {
    STROBE_ASSIGN(const auto arrays, readNpz(file));
    Tensors tensors;
    for (const auto& [name, array] : arrays) (name.rfind("in:", 0) == 0 ? tensors.inputs[name.substr(3)] : tensors.outputs[name.substr(4)]) = array;
    return tensors;
}

/// Smallest and largest extents over all cases; opt is the first case's.
OptimizationProfile profileOver(const std::vector<Tensors>& cases) {
    OptimizationProfile profile;
    for (const Tensors& c : cases)
        for (const auto& [name, tensor] : c.inputs) {
            const auto [place, fresh] = profile.inputs.try_emplace(name, ShapeRange{tensor->dims, tensor->dims, tensor->dims});
            for (size_t d = 0; !fresh && d < tensor->dims.size(); ++d) {
                place->second.min[d] = std::min(place->second.min[d], tensor->dims[d]);
                place->second.max[d] = std::max(place->second.max[d], tensor->dims[d]);
            }
        }
    return profile;
}

struct Error {
    double largest = 0, rms = 0;
};

/// Errors as a share of `scale`; another shape, or NaN in one only, counts as infinite.
Error errorOf(const Weights& expected, const Weights& got, double scale) {
    if (expected.dims != got.dims) return {INFINITY, INFINITY};
    const std::vector<double> e = toDoubles(expected), g = toDoubles(got);
    Error error;
    for (size_t i = 0; i < e.size(); ++i) {
        if (std::isnan(e[i]) != std::isnan(g[i])) return {INFINITY, INFINITY};
        if (std::isnan(e[i]) || e[i] == g[i]) continue;
        const double difference = std::fabs(e[i] - g[i]) / scale;
        error.largest = std::max(error.largest, difference);
        error.rms += difference * difference;
    }
    error.rms = std::sqrt(error.rms / static_cast<double>(std::max<size_t>(1, e.size())));
    return error;
}

/// Range of an output over all cases; the magnitude where it is constant.
double rangeOf(const std::vector<Tensors>& cases, const std::string& name) {
    double low = INFINITY, high = -INFINITY;
    for (const Tensors& c : cases)
        if (const auto found = c.outputs.find(name); found != c.outputs.end())
            for (double value : toDoubles(*found->second)) low = std::min(low, value), high = std::max(high, value);
    const double magnitude = std::max(std::fabs(low), std::fabs(high));
    return std::max(high - low > 1e-6 * magnitude ? high - low : magnitude, 1e-30);
}

class ModelAccuracy : public testing::TestWithParam<OracleModel> {
protected:
    void check(PrecisionMode mode, double limit) {
        const OracleModel& model = GetParam();
        std::vector<Tensors> cases;
        for (const OracleCase& c : model.cases) {
            auto tensors = readCase(c.file);
            ASSERT_TRUE(tensors) << tensors.status().message();
            cases.push_back(std::move(*tensors));
        }
        static KernelRegistry* kernels = [] {
            auto* registry = new KernelRegistry;
            registerCpuKernels(*registry);
            return registry;
        }();
        Session session(*kernels);
        const Status opened = session.openModelNow(model.path);
        ASSERT_TRUE(opened.isOk()) << opened.message();
        Settings settings = session.settings();
        settings.builder.precision = mode;
        settings.builder.profiles = {profileOver(cases)};
        session.setSettings(settings, "test");
        const auto build = session.buildNow(false, {});
        ASSERT_TRUE(build) << build.status().message();
        for (size_t c = 0; c < cases.size(); ++c) {
            const auto outputs = cli::runOnce(*(*build)->engine, cases[c].inputs, 0);
            ASSERT_TRUE(outputs) << outputs.status().message();
            for (const auto& [name, expected] : cases[c].outputs) {
                ASSERT_EQ(outputs->count(name), 1u) << name;
                const Error error = errorOf(*expected, *outputs->at(name), rangeOf(cases, name));
                std::printf("ACCURACY %-18s %-14s %s output %-30s largest error %.2e, RMS %.2e of the range\n", model.name.c_str(), model.cases[c].name.c_str(),
                            std::string(precisionModeName(mode)).c_str(), name.c_str(), error.largest, error.rms);
                EXPECT_LE(mode == PrecisionMode::Fp32 ? error.largest : error.rms, limit)
                    << model.name << " " << model.cases[c].name << " " << name << " " << toString(expected->dims) << " got " << toString(outputs->at(name)->dims);
            }
        }
    }
};

TEST_P(ModelAccuracy, Fp32AgreesWithOnnxruntime) { check(PrecisionMode::Fp32, kFp32Limit); }
TEST_P(ModelAccuracy, Bf16StaysClose) { check(PrecisionMode::Bf16, kBf16Limit); }

INSTANTIATE_TEST_SUITE_P(Models, ModelAccuracy, testing::ValuesIn(oracleModels()), [](const auto& test) { return test.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ModelAccuracy);

TEST(ModelOracle, IsThere) {
    STROBE_NEEDS_CACHED(kOracleIndex);  // without it, every model's accuracy check is left out
    EXPECT_FALSE(oracleModels().empty());
}

}  // namespace
}  // namespace strobe
