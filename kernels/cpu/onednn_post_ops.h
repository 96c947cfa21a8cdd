#pragma once
#include <vector>

#include "kernels/cpu/onednn_kernel.h"

namespace strobe {

/// A layer's epilogue as oneDNN post-ops.
struct PostOps {
    dnnl::post_ops ops;
    std::vector<OnednnArgument> arguments;  // the extra inputs of binary post-ops
    int sumInput = -1;  // extra input that must lie in the output's memory before the primitive runs
};

enum class Residual { Binary, Sum };

struct EpilogueOptions {
    Residual residual = Residual::Binary;
    /// The output as the primitive sees it, when its dims are merged: {rows, columns}. Extra inputs must then be
    /// full-size, a row or a scalar.
    std::optional<Dims> flattened;
    /// Post-ops of the layer itself that come before the epilogue.
    PostOps before;
};

/// Translates problem.program (none: no post-ops). Each instruction must work on the previous one's result; the status
/// says which one oneDNN cannot express. With Residual::Sum the first full-size addend is accumulated in the output's
/// memory.
Result<PostOps> translateEpilogue(const Problem& problem, EpilogueOptions options = {});

/// For candidateFormats: formats of the epilogue's inputs when output 0 lies in `layout`: full-size ones follow it, the
/// rest stays plain.
void appendEpilogueFormats(const Problem& problem, Layout layout, std::vector<Format>& inputs);
/// For candidateFormats of convolutions: input 0 and output 0 in each pair of layouts, weights and bias as they are,
/// the epilogue's inputs as appendEpilogueFormats says.
std::vector<Tactic::Formats> formatsForLayouts(const Problem& problem,
                                               const std::vector<std::pair<Layout, Layout>>& layouts);

/// Extra input `index` may be overwritten by the output: it is the residual of a Sum post-op.
bool isSumResidual(const Problem& problem, size_t index);

}  // namespace strobe
