#include "tests/support/reference_test.h"

#include "kernels/reference/element_access.h"

namespace strobe {
namespace {

const KernelRegistry& kernels() {
    static const KernelRegistry registry = [] {
        KernelRegistry r;
        registerReferenceKernels(r);
        return r;
    }();
    return registry;
}

class Allocator final : public OutputAllocator {
public:
    explicit Allocator(std::vector<ConcreteOutput>& outputs, std::vector<WeightsPtr>& tensors)
        : m_outputs(outputs), m_tensors(tensors) {}
    Result<void*> allocate(int index, const Dims& dims) override {
        const auto i = static_cast<size_t>(index);
        m_outputs[i].dims = dims;
        if (m_outputs[i].type == DataType::String) {
            auto strings = std::make_shared<std::vector<std::string>>(static_cast<size_t>(elementCount(dims)));
            auto text = std::make_shared<Weights>();
            text->type = DataType::String;
            text->dims = dims;
            text->data = std::shared_ptr<const void>(strings, strings->data());
            m_tensors[i] = text;
            return static_cast<void*>(strings->data());
        }
        auto [weights, data] = allocateWeights(m_outputs[i].type, dims);
        m_tensors[i] = weights;
        return data;
    }

private:
    std::vector<ConcreteOutput>& m_outputs;
    std::vector<WeightsPtr>& m_tensors;
};

TensorDesc describe(DataType type, const Dims& dims) {
    TensorDesc desc;
    desc.present = type != DataType::Undefined;
    desc.format.type = type;
    desc.dims = dims;
    return desc;
}

}  // namespace

WeightsPtr numbers(DataType type, Dims dims, const std::vector<double>& values) {
    auto [weights, data] = allocateWeights(type, std::move(dims));
    void* destination = data;
    const auto fill = [&](auto zero) {
        for (size_t i = 0; i < values.size(); ++i)
            static_cast<decltype(zero)*>(destination)[i] = static_cast<decltype(zero)>(values[i]);
    };
    if (type == DataType::Bool)
        fill(uint8_t());
    else
        withNumberType(type, fill);
    return weights;
}

ReferenceOutcome runReference(const std::string& op, const std::vector<WeightsPtr>& inputs,
                              const Attributes& attributes, int outputs, const PointwiseProgram* program,
                              const CancelToken* cancel) {
    ReferenceOutcome outcome;
    Problem problem;
    problem.op = OpRegistry::instance().get(op);
    problem.attributes = &attributes;
    problem.program = program;
    std::vector<ConcreteInput> concrete;
    std::vector<TensorView> inputViews, outputViews;
    static const Dims kNoDims;
    for (const WeightsPtr& input : inputs) {
        concrete.push_back(input ? ConcreteInput{true, input->type, input->dims, input->data.get()} : ConcreteInput{});
        problem.inputs.push_back(input ? describe(input->type, input->dims) : TensorDesc{});
        inputViews.push_back({input ? const_cast<void*>(input->data.get()) : nullptr, input ? &input->dims : &kNoDims});
    }
    auto inferred = inferConcrete(*problem.op, attributes, {}, concrete, outputs);
    outcome.status = inferred.status();
    if (!inferred) return outcome;
    outcome.tensors.resize(static_cast<size_t>(outputs));
    Allocator allocator(*inferred, outcome.tensors);
    for (size_t i = 0; i < inferred->size(); ++i) {
        const ConcreteOutput& out = (*inferred)[i];
        problem.outputs.push_back(describe(out.type, out.dims));
        void* data =
            problem.op->dataDependentShape ? nullptr : *allocator.allocate(static_cast<int>(i), Dims(out.dims));
        outputViews.push_back({data, &(*inferred)[i].dims});
    }
    const Tactic* tactic = kernels().findByName("reference." + op);
    if (!tactic) return outcome.status = internalError("no reference kernel"), outcome;
    if (const Support support = tactic->supports(problem); !support.supported)
        return outcome.status = unsupported(support.reason), outcome;
    auto kernel = tactic->prepare(problem, {});
    RunArguments arguments;
    arguments.inputs = inputViews;
    arguments.outputs = outputViews;
    arguments.allocator = &allocator;
    arguments.cancel = cancel;
    outcome.status = (*kernel)->run(arguments);
    for (size_t i = 0; i < inferred->size(); ++i) {
        outcome.dims.push_back((*inferred)[i].dims);
        outcome.values.push_back(outcome.tensors[i] ? toDoubles(*outcome.tensors[i]) : std::vector<double>());
    }
    return outcome;
}

}  // namespace strobe
