#pragma once
#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/pointwise_source.h"

namespace strobe {

/// A generated pointwise program ready on one device.
class PointwiseRunner {
public:
    static Result<PointwiseRunner> make(PointwiseSource source, CudaDevice& device) {
        STROBE_ASSIGN(auto kernel, device.generated(source.text));
        source.text.clear();
        return PointwiseRunner(std::move(source), std::move(kernel));
    }
    Status run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs, cudaStream_t stream) const {
        return m_kernel->launch(m_source.threads(), 256, m_source.parameters(inputs, outputs), stream);
    }

private:
    PointwiseRunner(PointwiseSource source, std::shared_ptr<const GeneratedKernel> kernel)
        : m_source(std::move(source)), m_kernel(std::move(kernel)) {}
    PointwiseSource m_source;
    std::shared_ptr<const GeneratedKernel> m_kernel;
};

/// What a library leaves undone after its own product: bias and epilogue, in place on output 0. `bias` (none: −1) is
/// the input that holds one value for each extent of output dim `biasDim`.
struct EpiloguePass {
    PointwiseProgram program;
    std::vector<TensorDesc> inputs;  // input 0: the product itself
    std::vector<size_t> sources;     // problem inputs of inputs[1…]
};
EpiloguePass epiloguePass(const Problem& problem, int bias, size_t biasDim);

}  // namespace strobe
