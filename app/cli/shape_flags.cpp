#include "app/cli/shape_flags.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "engine_core/base/nearest_name.h"
#include "sessions/samples.h"

namespace strobe::cli {
namespace {

using Shapes = std::map<std::string, Dims>;

bool isDigits(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Status notAShape(const std::string& flag, const std::string& part, const std::string& text) {
    const std::string subject = flag + ": '" + part + "' is not a shape";
    if (isDigits(part) || part.find('[') != std::string::npos || part.find(']') != std::string::npos ||
        text.find('[') != std::string::npos)
        return invalidArgument(subject + "; extents are joined by x: write name:1x3x224x224");
    return invalidArgument(subject + "; write name:1x3x224x224, extents of 1 or more");
}

Result<Dims> parseExtents(const std::string& extents, const std::string& flag, const std::string& part,
                          const std::string& text) {
    Dims dims;
    const char* at = extents.data();
    const char* last = at + extents.size();
    while (at < last) {
        int64_t extent = 0;
        const auto [next, error] = std::from_chars(at, last, extent);
        if (error != std::errc() || extent < 0 || (next < last && *next != 'x') || next + 1 == last)
            return notAShape(flag, part, text);
        dims.push_back(extent);
        at = next < last ? next + 1 : next;
    }
    return dims;
}

Result<Shapes> shapesOf(const Network& network, const std::string& text, const std::string& flag) {
    STROBE_ASSIGN(Shapes shapes, parseShapes(text, flag));
    std::vector<std::string> names;
    std::string list;
    for (const TensorId id : network.inputs()) {
        names.push_back(network.tensor(id).name);
        list += (list.empty() ? "" : ", ") + names.back();
    }
    if (const auto unnamed = shapes.find(""); unnamed != shapes.end()) {
        if (names.size() != 1)
            return invalidArgument(flag + ": the model has " + std::to_string(names.size()) + " inputs (" + list +
                                   "); give each its shape, as in " + flag + "=" +
                                   shapesText({{names.front(), unnamed->second}}) + ",…");
        shapes[names.front()] = unnamed->second;
        shapes.erase("");
    }
    for (const auto& entry : shapes) {
        if (std::find(names.begin(), names.end(), entry.first) != names.end()) continue;
        const std::string nearest = nearestName(entry.first, {names.begin(), names.end()}, 4);
        return invalidArgument(flag + ": the model has no input '" + entry.first + "'" +
                               (nearest.empty() ? "" : "; did you mean '" + nearest + "'?") +
                               "; its inputs are: " + list);
    }
    return shapes;
}

/// One profile's flags, by input; inputs that a flag leaves out are missing there.
struct ProfileFlags {
    std::string name;  // "--profile=1"; empty: the only one
    Shapes min, opt, max;
};
struct ShapeFlags {
    std::vector<ProfileFlags> profiles;
    Shapes run;
};

Result<int> parseProfileNumber(const std::string& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
    return invalidArgument("--profile: '" + text + "' is no number of a profile; write 0, 1, …");
}

using CornerTexts = std::map<std::string, std::string>;  // by flag

/// As in trtexec: what stands behind --profile=N is of that profile. Without, all is of the only one.
Result<std::map<int, CornerTexts>> groupProfiles(const std::vector<GivenFlag>& given) {
    const auto isProfile = [](const GivenFlag& flag) { return flag.flag == "--profile"; };
    const bool isNumbered = std::any_of(given.begin(), given.end(), isProfile);
    std::map<int, CornerTexts> profiles;
    int at = isNumbered ? -1 : 0;
    for (const GivenFlag& flag : given) {
        if (isProfile(flag)) {
            STROBE_ASSIGN(at, parseProfileNumber(flag.value));
            if (!profiles.try_emplace(at).second)
                return invalidArgument("--profile=" + flag.value + " is given twice; number the profiles 0, 1, …");
        } else if (at < 0) {
            return invalidArgument(flag.flag + "=" + flag.value +
                                   " stands before the first --profile; write it behind the one that it is of");
        } else if (!profiles[at].emplace(flag.flag, flag.value).second) {
            return invalidArgument(flag.flag + " is given twice" +
                                   (isNumbered ? " for --profile=" + std::to_string(at)
                                               : "; write --profile=0, --profile=1 … before the shapes of each") +
                                   ": " + profiles[at][flag.flag] + " and " + flag.value);
        }
    }
    int expected = 0;
    for (const auto& [number, corners] : profiles) {
        const std::string name = "--profile=" + std::to_string(number);
        if (number != expected++)
            return invalidArgument(name + " is given, but no --profile=" + std::to_string(expected - 1) +
                                   "; number the profiles 0, 1, … without a gap");
        if (corners.empty())
            return invalidArgument(name + " has no shapes; write --minShapes, --optShapes and --maxShapes behind it");
    }
    return profiles;
}

Result<ShapeFlags> readFlags(const Options& o, const Network& network) {
    ShapeFlags flags;
    STROBE_ASSIGN(auto profiles, groupProfiles(o.profileFlags));
    const bool isNumbered = !o.profileFlags.empty() && o.profileFlags.front().flag == "--profile";
    for (auto& [number, corners] : profiles) {
        ProfileFlags profile;
        if (isNumbered) profile.name = "--profile=" + std::to_string(number);
        const std::string before = profile.name + (isNumbered ? " " : "");
        STROBE_ASSIGN(profile.min, shapesOf(network, corners["--minShapes"], before + "--minShapes"));
        STROBE_ASSIGN(profile.opt, shapesOf(network, corners["--optShapes"], before + "--optShapes"));
        STROBE_ASSIGN(profile.max, shapesOf(network, corners["--maxShapes"], before + "--maxShapes"));
        flags.profiles.push_back(std::move(profile));
    }
    STROBE_ASSIGN(flags.run, shapesOf(network, o.shapes, "--shapes"));
    return flags;
}

/// One corner of one input: as its flag says, or by extents that it shares with inputs of which the flag says
/// something.
std::optional<Dims> cornerOf(const Network& network, const std::string& name, const Shapes& corner) {
    if (const auto given = corner.find(name); given != corner.end()) return given->second;
    const auto symbols = corner.empty() ? Result<SymbolValues>(SymbolValues()) : bindSymbols(network, corner);
    const Tensor& tensor = network.tensor(network.findTensor(name));
    return symbols && tensor.rankKnown ? evaluate(tensor.shape, *symbols) : std::nullopt;
}

/// The range of three corners of which one at least is given; `filled` says what was taken from where ("min and max as
/// --optShapes").
ShapeRange completeRange(std::optional<Dims> min, std::optional<Dims> opt, std::optional<Dims> max,
                         std::string& filled) {
    const char* source = opt ? "opt" : max ? "max" : "min";
    for (const auto& [corner, dims] :
         {std::make_pair("min", &min), std::make_pair("opt", &opt), std::make_pair("max", &max)})
        if (!*dims) filled += (filled.empty() ? "" : " and ") + std::string(corner);
    if (!filled.empty()) filled += " as --" + std::string(source) + "Shapes";
    if (!opt) opt = max ? max : min;
    return {min.value_or(*opt), *opt, max.value_or(*opt)};
}

/// The profile that the flags give, telling what was filled in.
OptimizationProfile profileFrom(const ProfileFlags& flags, const Network& network, SaidLines& said) {
    OptimizationProfile profile;
    Shapes named = flags.min;
    named.insert(flags.opt.begin(), flags.opt.end());
    named.insert(flags.max.begin(), flags.max.end());
    for (const auto& entry : named) {
        const std::string& name = entry.first;
        std::string filled;
        const ShapeRange& range = profile.inputs[name] =
            completeRange(cornerOf(network, name, flags.min), cornerOf(network, name, flags.opt),
                          cornerOf(network, name, flags.max), filled);
        if (filled.empty()) continue;
        said.say((flags.name.empty() ? "" : flags.name + ": ") + "Shapes of " + name + ": min " + toString(range.min) +
                 ", opt " + toString(range.opt) + ", max " + toString(range.max) + " (" + filled +
                 ", as trtexec fills in what is not given)");
    }
    return profile;
}

OptimizationProfile fixedProfile(const Shapes& shapes) {
    OptimizationProfile profile;
    for (const auto& [name, dims] : shapes) profile.inputs[name] = {dims, dims, dims};
    return profile;
}

Shapes shapesOf(const NamedTensors& given) {
    Shapes shapes;
    for (const auto& [name, tensor] : given) shapes[name] = tensor->dims;
    return shapes;
}

/// The flag that a refused corner came from.
std::string flagOf(const std::string& corner, const ShapeFlags& flags) {
    if (!corner.empty() && corner != "run") return "--" + corner + "Shapes";
    return corner == "run" || flags.profiles.empty() ? "--shapes" : "--optShapes";
}

Status refuse(const RefusedShape& refused, const ShapeFlags& flags) {
    std::string remedy;
    if (!refused.accepted.empty())
        remedy = "; write " + flagOf(refused.corner, flags) + "=" + shapesText(refused.accepted);
    else
        remedy = "; give shapes that it takes with --shapes";
    const bool isNumbered = refused.corner != "run" && flags.profiles.size() > 1;
    return invalidArgument((isNumbered ? flags.profiles[refused.profile].name + ": " : "") + refused.message + remedy);
}

/// Whether --shapes lies inside.
Status checkInside(const Shapes& run, const OptimizationProfile& profile) {
    for (const auto& [name, dims] : run) {
        const auto found = profile.inputs.find(name);
        if (found == profile.inputs.end()) continue;
        const ShapeRange& range = found->second;
        if (dims.size() != range.opt.size())
            return invalidArgument("input '" + name + "' has rank " + std::to_string(dims.size()) +
                                   ", the model's is " + std::to_string(range.opt.size()));
        for (size_t d = 0; d < dims.size(); ++d)
            if (dims[d] < range.min[d] || dims[d] > range.max[d])
                return invalidArgument("input '" + name + "', dim " + std::to_string(d) + " is " +
                                       std::to_string(dims[d]) + ", the profile allows " +
                                       std::to_string(range.min[d]) + " to " + std::to_string(range.max[d]));
    }
    return Status::ok();
}

/// The profile that --shapes run in: the one of --useProfile, or the first that they fit.
Result<size_t> profileToRun(const Options& o, const Shapes& run, const std::vector<OptimizationProfile>& profiles) {
    constexpr const char* kRemedy = "; widen --minShapes or --maxShapes";
    const auto used = static_cast<size_t>(o.useProfile);
    if (o.useProfile >= 0) {
        const std::string flag = "--useProfile=" + std::to_string(used);
        if (used >= profiles.size())
            return invalidArgument(flag + ": the engine gets " + std::to_string(profiles.size()) +
                                   (profiles.size() == 1 ? " profile" : " profiles") + ", counted from 0");
        const Status inside = checkInside(run, profiles[used]);
        return inside.isOk() ? Result<size_t>(used) : invalidArgument(flag + ": " + inside.message() + kRemedy);
    }
    std::string reasons;
    for (size_t p = 0; p < profiles.size(); ++p) {
        const Status inside = checkInside(run, profiles[p]);
        if (inside.isOk()) return p;
        reasons += (p ? "; " : "") + (profiles.size() > 1 ? "profile " + std::to_string(p) + ": " : std::string()) +
                   inside.message();
    }
    return invalidArgument("--shapes: " + reasons + kRemedy);
}

/// Where --shapes differ from what the profile was tried at.
Status checkRunShapes(const Model& model, const OptimizationProfile& profile, const ShapeFlags& flags) {
    Shapes run = optShapes(profile);
    const Shapes opt = run;
    for (const auto& [name, dims] : flags.run) run[name] = dims;
    if (run == opt) return Status::ok();
    if (const auto refused = findRefusedRunShape(*model.parsed, run)) return refuse(*refused, flags);
    STROBE_ASSIGN(const SymbolValues symbols, bindSymbols(*model.parsed, run));
    return checkFits(*model.parsed, symbols, cpuDeviceInfo().memoryBytes).withContext("--shapes");
}

bool isBound(const Shape& shape, const SymbolValues& symbols) {
    return std::all_of(shape.begin(), shape.end(), [&](const Dim& dim) { return dim.evaluate(symbols).has_value(); });
}

/// What neither flags nor data said, nor another input that shares the extents.
Status printAssumed(const Model& model, const OptimizationProfile& asked, const OptimizationProfile& complete,
                    SaidLines& said) {
    Shapes assumed;
    STROBE_ASSIGN(const SymbolValues bound, bindSymbols(*model.parsed, optShapes(asked)));
    std::string open;
    for (const TensorId id : model.parsed->inputs()) {
        const Tensor& tensor = model.parsed->tensor(id);
        if (asked.inputs.count(tensor.name) || !tensor.rankKnown || isBound(tensor.shape, bound)) continue;
        assumed[tensor.name] = complete.inputs.at(tensor.name).opt;
        open += (open.empty() ? "" : ", ") + tensor.name + toString(tensor.shape);
    }
    const std::string text = shapesText(assumed);
    if (!assumed.empty())
        said.say("Shapes: " + text + " assumed, as the model leaves them open (" + open +
                 "); give others with --shapes=" + text);
    return Status::ok();
}

}  // namespace

Result<std::map<std::string, Dims>> parseShapes(const std::string& text, const std::string& flag) {
    Shapes shapes;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.rfind(':');
        const std::string name = colon == std::string::npos ? "" : part.substr(0, colon);
        STROBE_ASSIGN(Dims dims,
                      parseExtents(colon == std::string::npos ? part : part.substr(colon + 1), flag, part, text));
        if (name.empty() && !shapes.empty()) return notAShape(flag, part, text);
        if (!shapes.emplace(name, std::move(dims)).second)
            return invalidArgument(flag + ": '" + name + "' is given twice");
    }
    return shapes;
}

std::map<std::string, Dims> optShapes(const OptimizationProfile& profile) {
    Shapes shapes;
    for (const auto& [name, range] : profile.inputs) shapes[name] = range.opt;
    return shapes;
}

void SaidLines::say(const std::string& line) {
    if (m_lines.insert(line).second) std::printf("%s\n", line.c_str());
}

Status takeShapes(const Options& o, const Model& model, const NamedTensors& given, Settings& settings,
                  SaidLines& said) {
    STROBE_ASSIGN(const ShapeFlags flags, readFlags(o, *model.parsed));
    settings.shapes = flags.run;
    const bool isFromData = flags.profiles.empty() && flags.run.empty() && !given.empty();
    std::vector<OptimizationProfile> asked;
    for (const ProfileFlags& profile : flags.profiles) asked.push_back(profileFrom(profile, *model.parsed, said));
    if (asked.empty())
        asked = {fixedProfile(isFromData ? shapesOfData(model, shapesOf(given), isArchive(o.loadInputs)) : flags.run)};
    if (asked.size() > 1 || !asked.front().inputs.empty()) settings.builder.profiles = asked;
    std::vector<OptimizationProfile> complete;
    for (size_t p = 0; p < asked.size(); ++p) {
        const std::string name = flags.profiles.size() > 1 ? flags.profiles[p].name : "";
        const auto one = completeProfiles(*model.parsed, {asked[p]}, model.assumed.values);
        if (!one) return name.empty() ? one.status() : one.status().withContext(name);
        complete.push_back(one->front());
    }
    const bool isSaid = isFromData && !asked.front().inputs.empty();
    if (isSaid) said.say("Shapes: " + shapesText(optShapes(asked.front())) + ", as the data of --loadInputs");
    for (size_t p = 0; p < asked.size(); ++p) STROBE_RETURN_IF_ERROR(printAssumed(model, asked[p], complete[p], said));
    if (const auto refused = findRefusedShape(*model.parsed, complete))
        return isSaid ? invalidArgument("--loadInputs: " + refused->message) : refuse(*refused, flags);
    STROBE_ASSIGN(const size_t used, profileToRun(o, flags.run, complete));
    if (o.useProfile >= 0 && flags.run.empty() && (given.empty() || isArchive(o.loadInputs)))
        settings.shapes = optShapes(complete[used]);
    return checkRunShapes(model, complete[used], flags);
}

}  // namespace strobe::cli
