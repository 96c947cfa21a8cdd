#include "kernels/cpu/layout_candidates.h"

#include "kernels/cpu/simd_depthwise.h"

namespace strobe {

std::vector<Tactic::Formats> withLayouts(std::vector<Tactic::Formats> candidates, const Problem& problem,
                                         const std::vector<Layout>& layouts) {
    if (problem.inputs[0].dims.size() < 3) return candidates;
    for (const Layout layout : layouts) {
        Tactic::Formats formats = candidates.front();
        formats.inputs[0].layout = formats.outputs[0].layout = layout;
        candidates.push_back(std::move(formats));
    }
    return candidates;
}

std::vector<Layout> simdLayouts() {
    std::vector<Layout> layouts = {Layout::ChannelsLast};
    for (const Layout blocked : {Layout::Blocked16, Layout::Blocked8})
        if (layoutBlock(blocked) >= simdLanes()) layouts.push_back(blocked);
    return layouts;
}

}  // namespace strobe
