#include "kernels/shared/copy_plan.h"

#include <algorithm>
#include <map>
#include <string>

#include "engine_core/ops/slice.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

/// Elements start + i·step of an input laid to outStart + i, for i < count, along each logical dim.
struct LogicalBox {
    Dims inStart, outStart, count, step;
    explicit LogicalBox(const Dims& extents)
        : inStart(extents.size(), 0), outStart(extents.size(), 0), count(extents), step(extents.size(), 1) {}
};

/// A blocked tensor seen as N, block, spatial…, lane.
Dims blockedDims(const Dims& dims, int64_t block) {
    Dims stored = dims;
    stored[1] = (dims[1] + block - 1) / block;
    stored.push_back(block);
    return stored;
}

/// Strides along the dims of a box.
Dims storedStridesOf(const Dims& dims, Layout layout) {
    if (layoutBlock(layout) > 1) return logicalStrides(blockedDims(dims, layoutBlock(layout)), Layout::Plain);
    return logicalStrides(dims, layout);
}

/// The box in whole channel blocks; nullopt when it cuts through one.
std::optional<LogicalBox> inBlocks(const LogicalBox& box, const Dims& in, const Dims& out, int64_t block) {
    const bool reachesEnds = box.inStart[1] + box.count[1] == in[1] && box.outStart[1] + box.count[1] == out[1];
    if (box.inStart[1] % block != 0 || box.outStart[1] % block != 0 || box.step[1] != 1) return std::nullopt;
    if (box.count[1] % block != 0 && !reachesEnds) return std::nullopt;
    LogicalBox blocks = box;
    blocks.inStart[1] /= block;
    blocks.outStart[1] /= block;
    blocks.count[1] = (box.count[1] + block - 1) / block;
    blocks.inStart.push_back(0);
    blocks.outStart.push_back(0);
    blocks.count.push_back(block);
    blocks.step.push_back(1);
    return blocks;
}

Status addBox(const Problem& problem, size_t input, size_t output, LogicalBox box, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[input], &out = problem.outputs[output];
    const int64_t block = layoutBlock(out.format.layout);
    if (block != layoutBlock(in.format.layout)) return unsupported("blocked and other layouts mixed");
    if (block > 1) {
        const auto blocks = inBlocks(box, in.dims, out.dims, block);
        if (!blocks) return unsupported("cuts through blocks of " + std::to_string(block) + " channels");
        box = *blocks;
    }
    CopyPart part;
    part.input = static_cast<int>(input);
    part.output = static_cast<int>(output);
    part.box.dims = box.count;
    part.box.to = storedStridesOf(out.dims, out.format.layout);
    const Dims from = storedStridesOf(in.dims, in.format.layout);
    for (size_t d = 0; d < from.size(); ++d) {
        part.box.from.push_back(from[d] * box.step[d]);
        part.box.fromOffset += from[d] * box.inStart[d];
        part.box.toOffset += part.box.to[d] * box.outStart[d];
    }
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planRename(const Problem& problem, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[0], &out = problem.outputs[0];
    if (in.format.layout != out.format.layout || (in.format.layout != Layout::Plain && in.dims != out.dims))
        return unsupported("dims change in a layout that depends on them");
    CopyPart part;
    part.box.dims = {storedElementCount(in.dims, in.format.layout)};
    part.box.from = part.box.to = {1};
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planTranspose(const Problem& problem, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[0], &out = problem.outputs[0];
    if (layoutBlock(in.format.layout) > 1 || layoutBlock(out.format.layout) > 1)
        return unsupported("transposes do not read or write blocked layouts");
    std::vector<int64_t> perm = problem.attributes->getInts("perm");
    for (size_t i = 0; perm.size() < in.dims.size(); ++i) perm.push_back(static_cast<int64_t>(in.dims.size() - 1 - i));
    CopyPart part;
    const Dims from = logicalStrides(in.dims, in.format.layout);
    part.box.dims = out.dims;
    part.box.to = logicalStrides(out.dims, out.format.layout);
    for (int64_t axis : perm) part.box.from.push_back(from[static_cast<size_t>(axis)]);
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planChannelShuffle(const Problem& problem, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[0], &out = problem.outputs[0];
    if (in.format.layout != out.format.layout) return unsupported("input and output differ in layout");
    if (layoutBlock(in.format.layout) > 1) return unsupported("does not read or write blocked layouts");
    const int64_t group = problem.attributes->getInt("group", 1), each = in.dims[1] / group;
    CopyPart part;
    part.box.dims = in.dims;
    part.box.from = part.box.to = logicalStrides(in.dims, in.format.layout);
    // The channel dim becomes two.
    const int64_t channel = part.box.to[1];
    part.box.dims[1] = each;
    part.box.to[1] = channel * group;
    const auto split = [](Dims& dims, int64_t value) { dims.insert(dims.begin() + 2, value); };
    split(part.box.dims, group);
    split(part.box.from, channel * each);
    split(part.box.to, channel);
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planExpand(const Problem& problem, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[0], &out = problem.outputs[0];
    if (in.format.layout != Layout::Plain || out.format.layout != Layout::Plain)
        return unsupported("only in plain layout");
    CopyPart part;
    part.box.dims = out.dims;
    part.box.from.assign(out.dims.size() - in.dims.size(), 0);
    const Dims own = logicalStrides(in.dims, Layout::Plain);
    part.box.from.insert(part.box.from.end(), own.begin(), own.end());
    part.box.to = logicalStrides(out.dims, Layout::Plain);
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planTile(const Problem& problem, CopyPlan& plan) {
    const TensorDesc &in = problem.inputs[0], &out = problem.outputs[0];
    if (in.format.layout != Layout::Plain || out.format.layout != Layout::Plain)
        return unsupported("only in plain layout");
    CopyPart part;
    const Dims from = logicalStrides(in.dims, Layout::Plain), to = logicalStrides(out.dims, Layout::Plain);
    for (size_t d = 0; d < in.dims.size(); ++d) {
        const int64_t repeats = in.dims[d] == 0 ? 0 : out.dims[d] / in.dims[d];
        part.box.dims.insert(part.box.dims.end(), {repeats, in.dims[d]});
        part.box.from.insert(part.box.from.end(), {0, from[d]});
        part.box.to.insert(part.box.to.end(), {to[d] * in.dims[d], to[d]});
    }
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

Status planConcat(const Problem& problem, CopyPlan& plan) {
    const size_t axis = normalAxis(problem.attributes->getInt("axis", 0), problem.outputs[0].dims.size());
    int64_t start = 0;
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        LogicalBox box(problem.inputs[i].dims);
        box.outStart[axis] = start;
        start += problem.inputs[i].dims[axis];
        STROBE_RETURN_IF_ERROR(addBox(problem, i, 0, std::move(box), plan));
    }
    return Status::ok();
}

Status planSplit(const Problem& problem, CopyPlan& plan) {
    const size_t axis = normalAxis(problem.attributes->getInt("axis", 0), problem.inputs[0].dims.size());
    int64_t start = 0;
    for (size_t o = 0; o < problem.outputs.size(); ++o) {
        if (!problem.outputs[o].present) return unsupported("an output is absent");
        LogicalBox box(problem.outputs[o].dims);
        box.inStart[axis] = start;
        start += problem.outputs[o].dims[axis];
        STROBE_RETURN_IF_ERROR(addBox(problem, 0, o, std::move(box), plan));
    }
    return Status::ok();
}

Status planSlice(const Problem& problem, CopyPlan& plan) {
    const auto starts = knownIntegers(problem, 1), ends = knownIntegers(problem, 2), axes = knownIntegers(problem, 3),
               steps = knownIntegers(problem, 4);
    if (!starts || !ends || !axes || !steps) return unsupported("starts, ends, axes or steps are not known");
    const Dims& x = problem.inputs[0].dims;
    LogicalBox box(problem.outputs[0].dims);
    for (size_t i = 0; i < starts->size(); ++i) {
        const size_t axis = isGiven(problem, 3) ? normalAxis((*axes)[i], x.size()) : i;
        const int64_t step = isGiven(problem, 4) ? (*steps)[i] : 1;
        const SliceRange range = resolveSlice(x[axis], (*starts)[i], (*ends)[i], step);
        box.inStart[axis] = range.start.constant();
        // A single element takes no step; a huge one must not overflow the stride.
        box.step[axis] = range.count.constant() > 1 ? step : 1;
    }
    return addBox(problem, 0, 0, std::move(box), plan);
}

/// A run of the result along one axis, and where it comes from.
struct PadRun {
    int64_t in = 0, out = 0, count = 0, step = 1;
};

/// The axis cut into the border before, what is kept, and the border after; nullopt where a border is longer than one turn of the pattern.
std::optional<std::vector<PadRun>> padRuns(const std::string& mode, int64_t extent, int64_t result, int64_t before) {
    const int64_t cut = std::max<int64_t>(0, -before), lead = std::max<int64_t>(0, before);
    const int64_t kept = std::max<int64_t>(0, std::min(extent - cut, result - lead)), after = result - lead - kept;
    std::vector<PadRun> runs = {{cut, lead, kept, 1}};
    if (mode == "constant") return runs;
    const int64_t most = mode == "edge" ? result : mode == "reflect" ? extent - 1 : extent;
    if (extent == 0 || lead > most || after > most || (kept == 0 && result > 0)) return std::nullopt;
    if (mode == "edge") {
        runs.push_back({0, 0, lead, 0});
        runs.push_back({extent - 1, lead + kept, after, 0});
    } else if (mode == "reflect") {
        runs.push_back({lead, 0, lead, -1});
        runs.push_back({extent - 2, lead + kept, after, -1});
    } else {
        runs.push_back({extent - lead, 0, lead, 1});
        runs.push_back({0, lead + kept, after, 1});
    }
    return runs;
}

/// One box for each combination of the axes' runs.
Status addPadBoxes(const Problem& problem, const std::vector<std::vector<PadRun>>& runs, LogicalBox& box, size_t axis, CopyPlan& plan) {
    if (axis == runs.size()) return addBox(problem, 0, 0, box, plan);
    for (const PadRun& run : runs[axis]) {
        if (run.count == 0) continue;
        box.inStart[axis] = run.in;
        box.outStart[axis] = run.out;
        box.count[axis] = run.count;
        box.step[axis] = run.step;
        STROBE_RETURN_IF_ERROR(addPadBoxes(problem, runs, box, axis + 1, plan));
    }
    return Status::ok();
}

Status planPad(const Problem& problem, CopyPlan& plan) {
    const std::string mode = problem.attributes->getString("mode", "constant");
    const auto pads = knownIntegers(problem, 1), axes = knownIntegers(problem, 3);
    if (!pads || !axes) return unsupported("pads or axes are not known");
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    if (layoutBlock(problem.outputs[0].format.layout) > 1 && isGiven(problem, 2))
        return unsupported("blocked layouts are padded with zero only");
    Dims before(x.size(), 0);
    for (size_t i = 0; i < pads->size() / 2; ++i)
        before[isGiven(problem, 3) ? normalAxis((*axes)[i], x.size()) : i] = (*pads)[i];
    std::vector<std::vector<PadRun>> runs;
    bool whole = true;  // every element of the result is copied from somewhere
    for (size_t d = 0; d < x.size(); ++d) {
        auto axis = padRuns(mode, x[d], y[d], before[d]);
        if (!axis) return unsupported("a " + mode + " border is longer than what it repeats");
        whole = whole && (mode != "constant" || axis->front().count == y[d]);
        runs.push_back(std::move(*axis));
    }
    plan.fill = !whole;
    plan.fillInput = isGiven(problem, 2) ? 2 : -1;
    LogicalBox box(x);
    return addPadBoxes(problem, runs, box, 0, plan);
}

/// Both directions are a transpose of a six-dimensional view: batch, channel, row and column inside the block, y, x.
Status planBlocks(const Problem& problem, CopyPlan& plan) {
    const bool toSpace = problem.op->name == "DepthToSpace";
    const TensorDesc &deep = toSpace ? problem.inputs[0] : problem.outputs[0],
                     &wide = toSpace ? problem.outputs[0] : problem.inputs[0];
    if (layoutBlock(deep.format.layout) > 1 || layoutBlock(wide.format.layout) > 1)
        return unsupported("does not read or write blocked layouts");
    const int64_t block = problem.attributes->getInt("blocksize", 1), channels = wide.dims[1];
    const bool depthFirst = problem.attributes->getString("mode", "DCR") == "DCR";
    const Dims d = logicalStrides(deep.dims, deep.format.layout), w = logicalStrides(wide.dims, wide.format.layout);
    const int64_t channel = depthFirst ? 1 : block * block, inBlock = depthFirst ? channels : 1;
    const Dims deepSteps = {d[0], d[1] * channel, d[1] * inBlock * block, d[1] * inBlock, d[2], d[3]};
    const Dims wideSteps = {w[0], w[1], w[2], w[3], w[2] * block, w[3] * block};
    CopyPart part;
    part.box.dims = {wide.dims[0], channels, block, block, deep.dims[2], deep.dims[3]};
    part.box.from = toSpace ? deepSteps : wideSteps;
    part.box.to = toSpace ? wideSteps : deepSteps;
    plan.parts.push_back(std::move(part));
    return Status::ok();
}

}  // namespace

Dims logicalStrides(const Dims& dims, Layout layout) {
    Dims strides(dims.size(), 0);
    int64_t step = 1;
    if (layout == Layout::ChannelsLast) {
        strides[1] = dims[1] == 1 ? 0 : 1;
        step = dims[1];
    }
    for (size_t i = dims.size(); i-- > 0;) {
        if (layout == Layout::ChannelsLast && i == 1) continue;
        strides[i] = dims[i] == 1 ? 0 : step;
        step *= dims[i];
    }
    return strides;
}

Result<CopyPlan> makeCopyPlan(const Problem& problem) {
    static const std::map<std::string, Status (*)(const Problem&, CopyPlan&)> kPlans = {
        {"Transpose", planTranspose}, {"Slice", planSlice}, {"Concat", planConcat}, {"Split", planSplit},
        {"Expand", planExpand},       {"Tile", planTile},   {"Pad", planPad},       {"DepthToSpace", planBlocks},
        {"SpaceToDepth", planBlocks}, {"ChannelShuffle", planChannelShuffle}};
    CopyPlan plan;
    const auto found = kPlans.find(problem.op->name);
    STROBE_RETURN_IF_ERROR((found == kPlans.end() ? planRename : found->second)(problem, plan));
    return plan;
}

}  // namespace strobe
