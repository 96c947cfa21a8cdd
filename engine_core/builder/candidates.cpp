#include "engine_core/builder/candidates.h"

#include <algorithm>
#include <cstdio>

namespace strobe {
namespace {

std::string formatsText(const std::vector<Format>& inputs, const std::vector<Format>& outputs, const Problem& problem) {
    std::string text;
    for (size_t i = 0; i < inputs.size(); ++i)
        if (problem.inputs[i].present && !problem.inputs[i].constantData) text += (text.empty() ? "" : ", ") + inputs[i].toString();
    text += " → ";
    for (size_t o = 0; o < outputs.size(); ++o)
        if (problem.outputs[o].present) text += (o ? ", " : "") + outputs[o].toString();
    return text;
}

bool sameFormats(const Candidate& candidate, const Problem& problem) {
    for (size_t i = 0; i < problem.inputs.size(); ++i)
        if (!(candidate.inputs[i] == problem.inputs[i].format)) return false;
    for (size_t o = 0; o < problem.outputs.size(); ++o)
        if (!(candidate.outputs[o] == problem.outputs[o].format)) return false;
    return true;
}

/// A guess in the unit of milliseconds that keeps the registry's order, for level 0 and layers whose shapes nobody knows yet.
double guessedMilliseconds(size_t order) { return 1e-3 * static_cast<double>(order + 1); }

/// A branch that is not taken at these shapes may hold layers that they contradict: such a layer must not be run to time it.
bool knownShapes(const Problem& problem) {
    const auto known = [](const TensorDesc& d) { return !d.present || std::all_of(d.dims.begin(), d.dims.end(), [](int64_t x) { return x >= 0; }); };
    return std::all_of(problem.inputs.begin(), problem.inputs.end(), known) && std::all_of(problem.outputs.begin(), problem.outputs.end(), known) && checkShapes(problem).isOk();
}

std::string bytesText(size_t bytes) {
    if (bytes < size_t{1} << 20) return std::to_string(bytes) + " bytes";
    char text[32];
    std::snprintf(text, sizeof text, "%.4g MiB", static_cast<double>(bytes) / (1 << 20));
    return text;
}

}  // namespace

Support checkWorkspaceLimit(const BuilderConfig& config, const LayerTimer& timer, const Tactic& tactic, const Problem& problem) {
    if (config.workspaceLimit == 0) return Support::yes();
    const size_t needed = timer.workspaceBytes(tactic, problem);
    if (needed <= config.workspaceLimit) return Support::yes();
    std::string dims;
    for (const TensorDesc& output : problem.outputs)
        if (output.present && dims.empty()) dims = toString(output.dims);
    return Support::no("needs " + bytesText(needed) + " of workspace for an output " + dims + ", the limit is " + bytesText(config.workspaceLimit));
}

/// At the opt shapes (`problem`) and at the largest that the profiles allow, where the tactic serves those.
Support CandidateFinder::checkWorkspace(const Layer& layer, const Tactic& tactic, const Problem& problem) const {
    if (Support fits = checkWorkspaceLimit(*m_setup.config, *m_setup.timer, tactic, problem); !fits.supported) return fits;
    std::vector<Format> inputs, outputs;
    for (const TensorDesc& d : problem.inputs) inputs.push_back(d.format);
    for (const TensorDesc& d : problem.outputs) outputs.push_back(d.format);
    for (const ProblemInputs& shapes : m_setup.largest) {
        const Problem largest = withFormats(makeProblem(*m_setup.network, layer, shapes), layer, inputs, outputs);
        if (!knownShapes(largest) || !tactic.supports(largest).supported) continue;
        if (Support fits = checkWorkspaceLimit(*m_setup.config, *m_setup.timer, tactic, largest); !fits.supported) return fits;
    }
    return Support::yes();
}

/// Formats set; constants carry elements of the type that the format says.
Problem CandidateFinder::withFormats(const Problem& problem, const Layer& layer, const std::vector<Format>& inputs, const std::vector<Format>& outputs) const {
    Problem changed = problem;
    for (size_t i = 0; i < changed.inputs.size() && i < inputs.size(); ++i) {
        TensorDesc& desc = changed.inputs[i];
        if (!desc.present) continue;
        desc.format = inputs[i];
        const WeightsPtr& constant = m_setup.network->tensor(layer.inputs[i]).constant;
        if (!constant || constant->type == desc.format.type) continue;
        const WeightsPtr converted = m_setup.constants->stored(constant, desc.format.type);
        desc.constantData = converted->data.get();
        desc.constantKey = constantKeyOf(*converted);
    }
    for (size_t o = 0; o < changed.outputs.size() && o < outputs.size(); ++o)
        if (changed.outputs[o].present) changed.outputs[o].format = outputs[o];
    return changed;
}

/// Activations become `precision.lower`, constants too as far as `rounded` says: those of rank 2 and more are the matrices, biases and scales the rest.
Problem CandidateFinder::inLower(const Problem& problem, const Layer& layer, const LayerPrecision& precision, Rounded rounded, bool fp32Result) const {
    std::vector<Format> inputs, outputs;
    for (const TensorDesc& desc : problem.inputs) {
        inputs.push_back(desc.format);
        const bool lowers = !desc.constantData || rounded == Rounded::AllConstants || (rounded == Rounded::Matrices && desc.dims.size() >= 2);
        if (desc.format.type == DataType::Float32 && lowers) inputs.back().type = precision.lower;
    }
    for (const TensorDesc& desc : problem.outputs) {
        outputs.push_back(desc.format);
        if (desc.format.type == DataType::Float32 && !fp32Result) outputs.back().type = precision.lower;
    }
    return withFormats(problem, layer, inputs, outputs);
}

/// In order of preference, FP32 last.
std::vector<CandidateFinder::Variant> CandidateFinder::variantsOf(const Layer& layer, const LayerPrecision& precision, const Problem& base) const {
    std::vector<Variant> variants;
    const auto addLower = [&](bool fp32Result) {
        const Problem exact = inLower(base, layer, precision, Rounded::Activations, fp32Result);
        for (const Rounded rounded : {Rounded::Matrices, Rounded::AllConstants}) variants.push_back({inLower(base, layer, precision, rounded, fp32Result), exact, false});
    };
    if (precision.lower != DataType::Undefined) {
        if (precision.fp32Result) addLower(true);
        addLower(false);
    }
    variants.push_back({base, base, true});
    return variants;
}

void CandidateFinder::consider(const Layer& layer, const Tactic& tactic, DeviceKind device, const Problem& base, LayerCandidates& found) const {
    const auto decline = [&](const std::string& formats, const std::string& reason) {
        found.records.push_back({std::string(tactic.name()), formats, -1, reason, false});
    };
    if (m_setup.config->bannedTactics.count(std::string(tactic.name()))) return decline("", "banned in the settings");
    std::vector<Tactic::Formats> combinations = tactic.candidateFormats(base);
    if (m_setup.config->optimizationLevel <= 1 && combinations.size() > 2) combinations.resize(2);
    for (const Tactic::Formats& formats : combinations) {
        const Problem problem = withFormats(base, layer, formats.inputs, formats.outputs);
        Candidate candidate{&tactic, device, {}, {}, guessedMilliseconds(found.usable.size()), static_cast<int>(found.records.size())};
        for (const TensorDesc& d : problem.inputs) candidate.inputs.push_back(d.format);
        for (const TensorDesc& d : problem.outputs) candidate.outputs.push_back(d.format);
        if (std::any_of(found.usable.begin(), found.usable.end(), [&](const Candidate& c) { return c.tactic == &tactic && sameFormats(c, problem); })) continue;
        const std::string text = formatsText(candidate.inputs, candidate.outputs, problem);
        Support support = tactic.supports(problem);
        if (support.supported) support = checkWorkspace(layer, tactic, problem);
        if (!support.supported) {
            decline(text, support.reason);
            continue;
        }
        found.records.push_back({std::string(tactic.name()), text, -1, "", false});
        found.usable.push_back(std::move(candidate));
    }
}

/// Extents that only the run tells: any tactic may turn out to serve them, which the runtime finds out; plain formats fit all.
void CandidateFinder::deferToRun(const Layer& layer, const Problem& base, LayerCandidates& found) const {
    Candidate candidate;
    for (const TensorDesc& d : base.inputs) candidate.inputs.push_back(d.format);
    for (const TensorDesc& d : base.outputs) candidate.outputs.push_back(d.format);
    const auto tactics = m_setup.kernels->tactics(DeviceKind::Cpu, layer.op->name);
    if (tactics.empty()) return;
    candidate.tactic = tactics.front();
    found.records.push_back({std::string(candidate.tactic->name()), "chosen while running, when the shapes are known", -1, "", false});
    found.usable.push_back(std::move(candidate));
}

void CandidateFinder::enumerate(const Layer& layer, const LayerPrecision& precision, const Problem& base, LayerCandidates& found) const {
    if (!knownShapes(base)) return deferToRun(layer, base, found);
    bool lower = false, lowerOnDevice = false;  // a candidate in the lower precision was found, and where it is wanted
    for (const Variant& variant : variantsOf(layer, precision, base)) {
        if (variant.isFp32 ? lower && !precision.fp32 : lowerOnDevice) continue;
        const size_t before = found.usable.size();
        const auto look = [&](const Tactic& tactic, DeviceKind device) {
            consider(layer, tactic, device, tactic.wantsExactConstants() ? variant.exact : variant.problem, found);
        };
        // A preview's values are rounded on the host after each layer, so its layers stay there.
        if (m_setup.device != DeviceKind::Cpu && precision.preview == DataType::Undefined)
            for (const Tactic* tactic : m_setup.kernels->tactics(m_setup.device, layer.op->name)) look(*tactic, m_setup.device);
        for (const Tactic* tactic : m_setup.kernels->tactics(DeviceKind::Cpu, layer.op->name)) {
            // The CPU has no arithmetic in FP16.
            if (!variant.isFp32 && precision.lower == DataType::Float16) break;
            // The oracle is a last resort: never for a lower precision, never beside a real kernel.
            if (tactic->isReference() && (!variant.isFp32 || found.usable.size() > before)) continue;
            look(*tactic, DeviceKind::Cpu);
        }
        if (variant.isFp32) break;
        lower = !found.usable.empty();
        lowerOnDevice = std::any_of(found.usable.begin(), found.usable.end(), [&](const Candidate& c) { return c.device == m_setup.device; });
    }
    if (precision.requested && precision.lower != DataType::Undefined && !lower) {
        const auto declined = std::find_if(found.records.begin(), found.records.end(), [](const CandidateRecord& r) { return !r.declined.empty(); });
        found.precisionNote = "stays fp32: no " + std::string(dataTypeName(precision.lower)) + " kernel" + (declined == found.records.end() ? std::string() : " (" + declined->tactic + ": " + declined->declined + ")");
    }
}

Status CandidateFinder::timeAll(const Layer& layer, const Problem& base, LayerCandidates& found) const {
    std::vector<Candidate> timed;
    double best = kNoTime;
    for (Candidate& candidate : found.usable) {
        if (m_setup.cancel.isCancelled()) return cancelled();
        const Problem problem = withFormats(base, layer, candidate.inputs, candidate.outputs);
        const auto milliseconds = m_setup.timer->time(*candidate.tactic, problem, best);
        CandidateRecord& record = found.records[static_cast<size_t>(candidate.record)];
        if (!milliseconds) {
            const ErrorCode code = milliseconds.status().code();
            if (code == ErrorCode::Cancelled || code == ErrorCode::NotFound) return milliseconds.status();
            record.declined = milliseconds.status().message();
            continue;
        }
        candidate.milliseconds = record.milliseconds = *milliseconds;
        best = std::min(best, *milliseconds);
        timed.push_back(std::move(candidate));
    }
    if (timed.empty()) return internalError("layer '" + layer.name + "': every candidate failed: " + found.records.back().declined);
    found.usable = std::move(timed);
    return Status::ok();
}

Result<LayerCandidates> CandidateFinder::find(const Layer& layer, const LayerPrecision& precision) {
    LayerCandidates found;
    found.precisionNote = precision.note;
    const Problem base = makeProblem(*m_setup.network, layer, m_setup.problems);
    enumerate(layer, precision, base, found);
    if (found.usable.empty()) {
        std::string reasons;
        for (const CandidateRecord& r : found.records) reasons += "; " + r.tactic + ": " + r.declined;
        return unsupported("layer '" + layer.name + "' (" + layer.op->name + ") has no kernel" + (reasons.empty() ? std::string("; no tactic is registered for this op") : reasons));
    }
    if (const auto pinned = m_setup.config->pinnedTactics.find(layer.name); pinned != m_setup.config->pinnedTactics.end()) {
        std::vector<Candidate> kept;
        std::copy_if(found.usable.begin(), found.usable.end(), std::back_inserter(kept), [&](const Candidate& c) { return c.tactic->name() == pinned->second; });
        if (!kept.empty()) found.usable = std::move(kept);
    }
    const bool onlyOracle = found.usable.size() == 1 && found.usable[0].tactic->isReference();
    if (knownShapes(base) && m_setup.config->optimizationLevel > 0 && !onlyOracle && !layer.op->dataDependentShape)
        STROBE_RETURN_IF_ERROR(timeAll(layer, base, found));
    return found;
}

}  // namespace strobe
