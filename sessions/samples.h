#pragma once
#include <map>
#include <string>
#include <vector>

#include "profiler/profile.h"

namespace strobe {

struct Model;

/// Runs that a comparison takes of a file at most, in the window and on the command line alike.
constexpr int kMaxRunsCompared = 512;

/// No limit on the runs that are taken of a file.
inline constexpr int kAllRuns = 1 << 20;

/// Real inputs for an engine, one entry a run.
struct Samples {
    std::vector<NamedTensors> runs;
    int64_t rowsPerRun = 0;       // that each run takes along the data's first dim; 0: the data is one run as it is
    std::vector<int64_t> labels;  // row by row; empty when the file has none
    std::vector<std::string> notes;  // "array 'x' is fp64, converted to fp32": what was done to the data
};

/// The usual slip behind data of another rank or with other fixed extents than the model's; empty: none.
std::string usualSlip(const Dims& dims, const Shape& shape);
/// Whether an input of this shape can take an array of these dims; the first dim may hold several runs.
Status checkLayout(const std::string& name, const Dims& dims, const Shape& shape);

/// The array in the type that the input takes: floating-point types and integers become FP32 (uint8 images scaled to 0 … 1), int32 and
/// int64 one another where every value fits. `notes` gets a line when something was done.
Result<WeightsPtr> convertForInput(const WeightsPtr& array, const BindingInfo& binding, std::vector<std::string>& notes);

/// Where inputs are read from: an .npz (`input` is empty, the arrays have names of their own) or one array as .npy.
struct InputFile {
    std::string input, path;
};
/// Whether `files` is one .npz, and not "name:file.npy,…".
bool isArchive(const std::string& files);
/// What Settings::inputFile and --loadInputs say; none for an empty text.
Result<std::vector<InputFile>> parseInputFiles(const std::string& files);
/// The arrays as they lie in the files.
Result<NamedTensors> readInputFiles(const std::string& files);

/// Shapes by input.
using InputShapes = std::map<std::string, Dims>;
/// The extents of those arrays that can be inputs of the model. Refused where the files cannot be read, no array is named
/// as an input, or one that is has another layout. Keeps none of the arrays.
Result<InputShapes> checkInputFiles(const Network& model, const std::string& files);
/// At which shapes to run such arrays, as far as the model leaves extents open. `isCut`: along the batch, to as many as
/// the model is assumed to take.
InputShapes shapesOfData(const Model& model, const InputShapes& arrays, bool isCut);

/// Inputs from `files`, completed by random ones. An .npz has one array an input and, if there, an int64 "label" per
/// row; where the first extent of its arrays is a multiple of the batch in `shapes` (or the engine's opt) they are cut
/// into runs along it. Arrays given as .npy are one run as they are. uint8 images for a float input are scaled to
/// 0 … 1. Empty: one random run by `seed`, at `shapes`.
Result<Samples> loadSamples(const Engine& engine, const std::string& files, const std::map<std::string, Dims>& shapes,
                            unsigned seed, int maxRuns = kAllRuns);

}  // namespace strobe
