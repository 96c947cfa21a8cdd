#include "kernels/cuda/launch_kernel.h"

namespace strobe {
namespace {

uint64_t wordOf(const void* address) {
    return reinterpret_cast<uint64_t>(address);
}

class LaunchKernel final : public Kernel {
public:
    LaunchKernel(Launch launch, std::shared_ptr<const GeneratedKernel> kernel,
                 std::vector<std::shared_ptr<const void>> constants, std::shared_ptr<const CudaDevice> device)
        : m_launch(std::move(launch)),
          m_kernel(std::move(kernel)),
          m_constants(std::move(constants)),
          m_device(std::move(device)) {}

    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        std::vector<uint64_t> words;
        for (const std::optional<size_t>& input : m_launch.inputs)
            words.push_back(input ? wordOf(inputAddress(m_constants, arguments, *input)) : 0);
        words.push_back(wordOf(arguments.outputs[0].data));
        if (m_launch.table) words.push_back(wordOf(m_launch.table.get()));
        words.insert(words.end(), m_launch.words.begin(), m_launch.words.end());
        return m_kernel->launch(m_launch.threads, m_launch.blockSize, words, cudaStream(arguments).get());
    }

private:
    Launch m_launch;
    std::shared_ptr<const GeneratedKernel> m_kernel;
    std::vector<std::shared_ptr<const void>> m_constants;
    std::shared_ptr<const CudaDevice> m_device;
};

}  // namespace

Result<std::unique_ptr<Kernel>> makeLaunchKernel(const Problem& problem, const PrepareContext& context, Launch launch) {
    CudaDevice& device = cudaDevice(context);
    STROBE_ASSIGN(auto kernel, device.generated(launch.source));
    std::vector<std::shared_ptr<const void>> constants(problem.inputs.size());
    for (const std::optional<size_t>& input : launch.inputs)
        if (input) {
            STROBE_ASSIGN(constants[*input], uploadConstant(problem.inputs[*input], device));
        }
    return std::unique_ptr<Kernel>(std::make_unique<LaunchKernel>(std::move(launch), std::move(kernel),
                                                                  std::move(constants), device.shared_from_this()));
}

}  // namespace strobe
