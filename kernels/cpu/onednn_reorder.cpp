#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

class OnednnReorderTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.reorder"; }

    Support check(const Problem& problem) const override { return supportOf(build(problem)); }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext&) const override {
        return build(problem);
    }

private:
    static Result<std::unique_ptr<Kernel>> build(const Problem& problem) {
        const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
        STROBE_ASSIGN(const auto from, onednnDesc(x.dims, x.format));
        STROBE_ASSIGN(const auto to, onednnDesc(y.dims, y.format));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        STROBE_RETURN_IF_ERROR(kernel->addReorder(from, OnednnBuffer::input(0), to, OnednnBuffer::output(0)));
        if (isNaiveImplementation(kernel->description().c_str()))
            return unsupported("oneDNN has only its naive loop for " + summary(problem));
        return std::unique_ptr<Kernel>(std::move(kernel));
    }
};

}  // namespace

void registerOnednnReorder(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Reformat", std::make_unique<OnednnReorderTactic>());
}

}  // namespace strobe
