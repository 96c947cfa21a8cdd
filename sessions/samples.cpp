#include "sessions/samples.h"

#include <algorithm>
#include <filesystem>

#include "sessions/npz.h"
#include "sessions/session.h"

namespace strobe {
namespace {

constexpr const char* kLabels = "label";

/// Rows [first, first + count) along axis 0, sharing the memory.
WeightsPtr rows(const WeightsPtr& array, int64_t first, int64_t count) {
    auto part = std::make_shared<Weights>(*array);
    part->dims[0] = count;
    const size_t rowBytes = array->bytes / static_cast<size_t>(std::max<int64_t>(1, array->dims[0]));
    part->bytes = rowBytes * static_cast<size_t>(count);
    part->data = std::shared_ptr<const void>(array->data, static_cast<const uint8_t*>(array->data.get()) + rowBytes * static_cast<size_t>(first));
    return part;
}

/// How many rows of the array one run takes: the shape asked for, else the opt shape's batch, else all.
int64_t rowsPerRun(const BindingInfo& binding, const WeightsPtr& array, const std::map<std::string, Dims>& shapes, const SymbolValues& opt) {
    if (array->dims.empty() || binding.shape.size() != array->dims.size()) return -1;
    const auto asked = shapes.find(binding.name);
    const auto dims = asked != shapes.end() ? std::optional<Dims>(asked->second) : evaluate(binding.shape, opt);
    if (!dims || dims->empty() || (*dims)[0] <= 0) return array->dims[0];
    return std::min((*dims)[0], array->dims[0]);
}

Result<std::vector<int32_t>> narrowed(const std::vector<int64_t>& values, const std::string& name) {
    const auto tooLarge = std::find_if(values.begin(), values.end(), [](int64_t v) { return v != static_cast<int32_t>(v); });
    if (tooLarge != values.end()) return outOfRange("array '" + name + "' holds " + std::to_string(*tooLarge) + ", the model takes int32");
    return std::vector<int32_t>(values.begin(), values.end());
}

/// Wants the inputs of an engine, where their layout fits, and the labels; `names` gets all there are.
ArrayFilter inputsOf(const Engine& engine, std::string& names) {
    return [inputs = engine.inputs(), &names](const std::string& name, const Dims& dims) -> Result<bool> {
        names += (names.empty() ? "" : ", ") + name;
        for (const BindingInfo& input : inputs) {
            if (input.name != name) continue;
            if (input.rankKnown) STROBE_RETURN_IF_ERROR(checkLayout(name, dims, input.shape));
            return true;
        }
        return name == kLabels;
    };
}

Status noInputAmong(const std::string& names, const Network& model) {
    std::string inputs;
    for (const TensorId id : model.inputs()) inputs += (inputs.empty() ? "" : ", ") + model.tensor(id).name;
    return invalidArgument("holds arrays " + names + ", none of which is an input of the model (" + inputs +
                           "); name them so");
}

/// The arrays of an .npz, cut into runs; none where no array is an input.
Status cutArchive(const Engine& engine, const NamedTensors& arrays, const std::map<std::string, Dims>& shapes,
                  unsigned seed, int maxRuns, Samples& samples) {
    NamedTensors given;
    int64_t perRun = -1, total = -1;
    for (const BindingInfo& binding : engine.inputs()) {
        const auto found = arrays.find(binding.name);
        if (found == arrays.end()) continue;
        STROBE_ASSIGN(const WeightsPtr array, convertForInput(found->second, binding, samples.notes));
        given[binding.name] = array;
        if (total < 0 && !array->dims.empty()) {
            perRun = rowsPerRun(binding, array, shapes, engine.parts().optSymbols);
            total = array->dims[0];
        }
    }
    if (given.empty()) return Status::ok();
    const auto hasAllRows = [&](const auto& g) { return !g.second->dims.empty() && g.second->dims[0] == total; };
    const bool cut = perRun > 0 && total > perRun && std::all_of(given.begin(), given.end(), hasAllRows);
    samples.rowsPerRun = cut ? perRun : 0;
    const int64_t runs = cut ? std::min<int64_t>(total / perRun, maxRuns) : 1;
    if (const int64_t left = total % std::max<int64_t>(perRun, 1); cut && left > 0 && maxRuns > runs)
        samples.notes.push_back("the last " + std::to_string(left) + " of " + std::to_string(total) +
                                " samples are left out: a run takes " + std::to_string(perRun));
    for (int64_t r = 0; r < runs; ++r) {
        NamedTensors run;
        for (const auto& [name, array] : given) run[name] = cut ? rows(array, r * perRun, perRun) : array;
        STROBE_ASSIGN(run, completeInputs(engine, {}, run, seed));
        samples.runs.push_back(std::move(run));
    }
    return Status::ok();
}

}  // namespace

std::string usualSlip(const Dims& dims, const Shape& shape) {
    if (dims.size() + 1 == shape.size()) return "; the batch is missing: add a first dim of 1 (array[None])";
    const bool isImage = dims.size() == 4 && shape.size() == 4;
    if (!isImage || !shape[1].isConstant(dims[3]) || dims[1] == dims[3]) return {};
    return "; its channels come last: transpose it to batch, channels, height, width (array.transpose(0, 3, 1, 2))";
}

Status checkLayout(const std::string& name, const Dims& dims, const Shape& shape) {
    bool fits = dims.size() == shape.size();
    for (size_t d = 1; fits && d < dims.size(); ++d) fits = !shape[d].isConstant() || shape[d].constant() == dims[d];
    if (fits) return Status::ok();
    const std::string slip = usualSlip(dims, shape);
    return invalidArgument("array '" + name + "' is " + toString(dims) + ", the model takes " + toString(shape) +
                           (slip.empty() ? "; give data that fits" : slip));
}

Result<InputShapes> checkInputFiles(const Network& model, const std::string& files) {
    std::string names;
    InputShapes found;
    const ArrayFilter check = [&](const std::string& name, const Dims& dims) -> Result<bool> {
        names += (names.empty() ? "" : ", ") + name;
        const TensorId id = model.findTensor(name);
        if (id == kNone || !model.tensor(id).isInput) return false;
        found[name] = dims;
        if (model.tensor(id).rankKnown) STROBE_RETURN_IF_ERROR(checkLayout(name, dims, model.tensor(id).shape));
        return false;
    };
    STROBE_ASSIGN(const std::vector<InputFile> parsed, parseInputFiles(files));
    for (const InputFile& file : parsed) {
        if (file.input.empty()) {
            STROBE_RETURN_IF_ERROR(readNpz(file.path, check).status());
        } else {
            const auto checkOne = [&](const std::string&, const Dims& dims) { return check(file.input, dims); };
            STROBE_RETURN_IF_ERROR(readNpy(file.path, checkOne).status());
        }
    }
    if (found.empty() && !parsed.empty()) return noInputAmong(names, model).withContext(files);
    return found;
}

InputShapes shapesOfData(const Model& model, const InputShapes& arrays, bool isCut) {
    InputShapes shapes;
    for (const auto& [name, extents] : arrays) {
        const TensorId id = model.parsed->findTensor(name);
        if (id == kNone || !model.parsed->tensor(id).isInput) continue;
        const Shape& shape = model.parsed->tensor(id).shape;
        if (!model.parsed->tensor(id).rankKnown || shape.size() != extents.size() || isConstant(shape)) continue;
        Dims& dims = shapes[name] = extents;
        if (const auto batch = isCut && !dims.empty() ? shape[0].evaluate(model.assumed.values) : std::nullopt)
            dims[0] = std::min(dims[0], *batch);
    }
    return shapes;
}

Result<WeightsPtr> convertForInput(const WeightsPtr& array, const BindingInfo& binding, std::vector<std::string>& notes) {
    if (array->type == binding.type) return array;
    const std::string is = "array '" + binding.name + "' is " + std::string(dataTypeName(array->type));
    if (binding.type == DataType::Float32 && array->type != DataType::Bool && array->type != DataType::String) {
        std::vector<float> values = toFloats(*array);
        const bool isImage = array->type == DataType::UInt8;
        for (float& value : values) value /= isImage ? 255.0f : 1.0f;
        notes.push_back(is + ", converted to fp32" + (isImage ? " and divided by 255" : ""));
        return makeFloatWeights(array->dims, values);
    }
    const auto integers = toInt64s(*array);
    if (integers && (binding.type == DataType::Int64 || binding.type == DataType::Int32)) {
        notes.push_back(is + ", converted to " + std::string(dataTypeName(binding.type)));
        if (binding.type == DataType::Int64) return makeInt64Weights(array->dims, *integers);
        STROBE_ASSIGN(const std::vector<int32_t> narrow, narrowed(*integers, binding.name));
        return makeWeights<int32_t>(DataType::Int32, array->dims, narrow);
    }
    return invalidArgument(is + ", the model takes " + std::string(dataTypeName(binding.type)) + "; convert the data");
}

bool isArchive(const std::string& files) {
    if (!files.ends_with(".npz")) return false;
    std::error_code error;
    return files.find(':') == std::string::npos || std::filesystem::is_regular_file(files, error);
}

Result<std::vector<InputFile>> parseInputFiles(const std::string& files) {
    if (isArchive(files)) return std::vector<InputFile>{{"", files}};
    std::vector<InputFile> parsed;
    for (size_t begin = 0; begin < files.size();) {
        const size_t end = std::min(files.find(',', begin), files.size());
        const std::string part = files.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.find(':');
        if (colon == std::string::npos)
            return invalidArgument("'" + part + "' is no input; write name:file.npy or give one .npz");
        if (part.ends_with(".npz"))
            return invalidArgument("'" + part + "' names an .npz, which holds names of its own; give it alone, as " +
                                   part.substr(colon + 1));
        parsed.push_back({part.substr(0, colon), part.substr(colon + 1)});
    }
    return parsed;
}

Result<NamedTensors> readInputFiles(const std::string& files) {
    STROBE_ASSIGN(const std::vector<InputFile> parsed, parseInputFiles(files));
    NamedTensors tensors;
    for (const InputFile& file : parsed) {
        if (file.input.empty()) {
            STROBE_ASSIGN(auto arrays, readNpz(file.path));
            tensors.insert(arrays.begin(), arrays.end());
        } else {
            STROBE_ASSIGN(tensors[file.input], readNpy(file.path));
        }
    }
    return tensors;
}

Result<Samples> loadSamples(const Engine& engine, const std::string& files, const std::map<std::string, Dims>& shapes,
                            unsigned seed, int maxRuns) {
    Samples samples;
    if (!isArchive(files)) {
        STROBE_ASSIGN(NamedTensors given, readInputFiles(files));
        for (const BindingInfo& binding : engine.inputs()) {
            const auto found = given.find(binding.name);
            if (found == given.end()) continue;
            if (binding.rankKnown)
                STROBE_RETURN_IF_ERROR(checkLayout(binding.name, found->second->dims, binding.shape));
            STROBE_ASSIGN(found->second, convertForInput(found->second, binding, samples.notes));
        }
        STROBE_ASSIGN(given, completeInputs(engine, shapes, given, seed));
        samples.runs.push_back(std::move(given));
        return samples;
    }
    std::string names;
    STROBE_ASSIGN(const auto read, readNpz(files, inputsOf(engine, names)));
    const NamedTensors arrays(read.begin(), read.end());
    STROBE_RETURN_IF_ERROR(cutArchive(engine, arrays, shapes, seed, maxRuns, samples).withContext(files));
    if (samples.runs.empty()) return noInputAmong(names, engine.graph().network).withContext(files);
    if (const auto label = arrays.find(kLabels); label != arrays.end())
        if (auto labels = toInt64s(*label->second)) samples.labels = std::move(*labels);
    return samples;
}

}  // namespace strobe
