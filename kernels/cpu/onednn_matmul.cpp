#include <limits>

#include "kernels/cpu/epilogue_pass.h"
#include "kernels/cpu/onednn_post_ops.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::memory;

/// A stored tensor seen as (batch…) × rows × columns; strides carry a transpose.
struct MatrixView {
    Dims dims;
    memory::dims strides;
    memory::desc desc(memory::data_type type) const { return memory::desc(dims, type, strides); }
};

struct MatMulShape {
    MatrixView a, b;
    Dims y;                    // as the primitive sees it
    std::optional<Dims> flat;  // {rows, columns} when the batch is merged into the rows
};

MatrixView matrixView(const Dims& stored, bool isLeft, bool transposed, size_t rank) {
    Dims dims = stored;
    if (dims.size() == 1) {
        dims.insert(isLeft ? dims.begin() : dims.end(), 1);
        transposed = false;
    }
    dims.insert(dims.begin(), rank - dims.size(), 1);
    MatrixView view{dims, memory::dims(rank, 1)};
    for (size_t i = rank; i-- > 1;) view.strides[i - 1] = view.strides[i] * dims[i];
    if (transposed) {
        std::swap(view.dims[rank - 1], view.dims[rank - 2]);
        std::swap(view.strides[rank - 1], view.strides[rank - 2]);
    }
    return view;
}

/// A row vector for each output row: the epilogue reads nothing that a merged batch cannot give.
bool extrasAllowMerging(const Problem& problem) {
    const Dims& y = problem.outputs[0].dims;
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i) {
        const Dims& extra = problem.inputs[i].dims;
        const int64_t count = elementCount(extra);
        if (count != elementCount(y) && count != 1 && !(!extra.empty() && count == extra.back() && count == y.back()))
            return false;
    }
    return true;
}

MatMulShape matMulShapeOf(const Problem& problem) {
    const Dims &a = problem.inputs[0].dims, &b = problem.inputs[1].dims;
    const bool transA = problem.attributes->getBool("transA", false),
               transB = problem.attributes->getBool("transB", false);
    const size_t rank = std::max({a.size(), b.size(), size_t{2}});
    MatMulShape shape{matrixView(a, true, transA, rank), matrixView(b, false, transB, rank), {}, {}};
    const bool sharedB = elementCount(Dims(shape.b.dims.begin(), shape.b.dims.end() - 2)) == 1;
    const int64_t rows = elementCount(Dims(a.begin(), a.end() - 1));
    const bool canMerge = rows <= std::numeric_limits<int32_t>::max() && extrasAllowMerging(problem);
    if (rank > 2 && sharedB && a.size() > 2 && !transA && canMerge) {
        shape.a = matrixView({rows, a.back()}, true, false, 2);
        shape.b.dims.erase(shape.b.dims.begin(), shape.b.dims.end() - 2);
        shape.b.strides.erase(shape.b.strides.begin(), shape.b.strides.end() - 2);
        shape.flat = Dims{shape.a.dims[0], shape.b.dims[1]};
        shape.y = *shape.flat;
        return shape;
    }
    for (size_t i = 0; i + 2 < rank; ++i) shape.y.push_back(std::max(shape.a.dims[i], shape.b.dims[i]));
    shape.y.push_back(shape.a.dims[rank - 2]);
    shape.y.push_back(shape.b.dims[rank - 1]);
    return shape;
}

Support checkMatMul(const Problem& problem) {
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return floats;
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list)
            if (desc.present && desc.format.layout != Layout::Plain)
                return Support::no("oneDNN's matmul takes plain tensors, one is " + desc.format.toString());
    if (problem.inputs[0].dims.empty() || problem.inputs[1].dims.empty()) return Support::no("an input has rank 0");
    if (elementCount(problem.outputs[0].dims) > 0 &&
        (elementCount(problem.inputs[0].dims) == 0 || elementCount(problem.inputs[1].dims) == 0))
        return Support::no("the inner extent is 0");
    if (problem.program && std::min(problem.inputs[0].dims.size(), problem.inputs[1].dims.size()) < 2)
        return Support::no("oneDNN applies no epilogue to a product with a vector");
    return Support::yes();
}

/// What comes before the epilogue: alpha, and Gemm's C with its beta where the primitive's own bias cannot do it.
struct MatMulPlan {
    MatMulShape shape;
    memory::desc a, storedB, y, bias;
    bool hasBias = false;  // as the primitive's bias
    float scale = 1.0f;    // of the product, before the post-ops
    PostOps postOps;
    memory::data_type computeType;
};

bool isRow(const Dims& dims, int64_t columns) {
    return !dims.empty() && dims.back() == columns && elementCount(dims) == columns;
}

Status addOwnPostOps(const Problem& problem, MatMulPlan& plan, PostOps& ops) {
    const bool isGemm = problem.op->name == "Gemm";
    const float alpha = problem.attributes->getFloat("alpha", 1.0f),
                beta = isGemm ? problem.attributes->getFloat("beta", 1.0f) : 1.0f;
    const bool hasC = problem.inputs.size() > 2 && problem.inputs[2].present && beta != 0.0f;
    const auto linear = [&](float scale) {
        if (scale != 1.0f) ops.ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_linear, scale, 0.0f);
    };
    if (!hasC) {
        linear(alpha);
        return Status::ok();
    }
    const TensorDesc& c = problem.inputs[2];
    const auto type = *onednnType(c.format.type);
    if (alpha == 1.0f && beta == 1.0f && isRow(c.dims, plan.shape.y.back()) &&
        !(plan.computeType == memory::data_type::f32 && type != memory::data_type::f32)) {
        Dims dims(plan.shape.y.size(), 1);
        dims.back() = c.dims.back();
        plan.bias = onednnPlainDesc(dims, type);
        plan.hasBias = true;
        return Status::ok();
    }
    // alpha·A·B + beta·C = beta·(alpha/beta·A·B + C); two linear post-ops would be confused by oneDNN.
    if (beta == 1.0f)
        linear(alpha);
    else
        plan.scale = alpha / beta;
    Dims dims(plan.shape.y.size() - std::min(plan.shape.y.size(), c.dims.size()), 1);
    dims.insert(dims.end(), c.dims.begin(), c.dims.end());
    const memory::desc desc = onednnPlainDesc(dims, type);
    ops.arguments.push_back(
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.ops.len()) | DNNL_ARG_SRC_1, desc, OnednnBuffer::input(2)});
    ops.ops.append_binary(dnnl::algorithm::binary_add, desc);
    linear(beta);
    return Status::ok();
}

Result<MatMulPlan> planMatMul(const Problem& problem) {
    if (const Support support = checkMatMul(problem); !support.supported) return unsupported(support.reason);
    MatMulPlan plan;
    plan.shape = matMulShapeOf(problem);
    plan.computeType = *onednnType(problem.inputs[0].format.type);
    plan.a = plan.shape.a.desc(plan.computeType);
    plan.storedB = plan.shape.b.desc(*onednnType(problem.inputs[1].format.type));
    plan.y = onednnPlainDesc(plan.shape.y, *onednnType(problem.outputs[0].format.type));
    EpilogueOptions options;
    options.flattened = plan.shape.flat;
    STROBE_RETURN_IF_ERROR(addOwnPostOps(problem, plan, options.before));
    STROBE_ASSIGN(plan.postOps, translateEpilogue(problem, std::move(options)));
    return plan;
}

/// Weights are packed as oneDNN likes when they are constant; else they are read as they lie.
bool packsWeights(const Problem& problem) {
    return problem.inputs[1].constantData && !problem.inputs[1].constantKey.empty();
}

Result<dnnl::matmul::primitive_desc> createMatMul(const Problem& problem, const MatMulPlan& plan) {
    return guardOnednn(summary(problem), [&] {
        dnnl::primitive_attr attributes = onednnAttributes();
        attributes.set_post_ops(plan.postOps.ops);
        if (plan.scale != 1.0f) attributes.set_output_scales(0, {plan.scale});
        const memory::desc b = packsWeights(problem) ? onednnAnyDesc(plan.shape.b.dims, plan.computeType)
                                                     : plan.shape.b.desc(plan.computeType);
        const auto desc =
            plan.hasBias ? dnnl::matmul::desc(plan.a, b, plan.bias, plan.y) : dnnl::matmul::desc(plan.a, b, plan.y);
        return dnnl::matmul::primitive_desc(desc, attributes, onednnEngine());
    });
}

/// The arguments that matmul and inner product share.
std::vector<OnednnArgument> commonArguments(const MatMulPlan& plan) {
    std::vector<OnednnArgument> arguments = plan.postOps.arguments;
    arguments.push_back({DNNL_ARG_SRC, plan.a, OnednnBuffer::input(0)});
    if (plan.hasBias) arguments.push_back({DNNL_ARG_BIAS, plan.bias, OnednnBuffer::input(2)});
    arguments.push_back({DNNL_ARG_DST, plan.y, OnednnBuffer::output(0)});
    return arguments;
}

class OnednnMatMulTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.matmul"; }

    Support check(const Problem& problem) const override {
        const auto plan = planMatMul(problem);
        if (!plan) return Support::no(plan.status().message());
        if (elementCount(problem.outputs[0].dims) == 0) return Support::yes();
        return supportOf(createMatMul(problem, *plan));
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const override {
        auto kernel = std::make_unique<OnednnKernel>(problem);
        if (elementCount(problem.outputs[0].dims) == 0) return std::unique_ptr<Kernel>(std::move(kernel));
        STROBE_ASSIGN(const MatMulPlan plan, planMatMul(problem));
        STROBE_ASSIGN(const auto pd, createMatMul(problem, plan));
        STROBE_ASSIGN(OnednnBuffer weights,
                      placeWeights(problem, 1, plan.storedB, pd.weights_desc(), context, *kernel));
        std::vector<OnednnArgument> arguments = commonArguments(plan);
        arguments.push_back({DNNL_ARG_WEIGHTS, pd.weights_desc(), std::move(weights)});
        auto primitive = dnnl::matmul(pd);
        kernel->addStep(std::move(primitive), std::move(arguments), pd.scratchpad_desc(), pd.impl_info_str());
        return std::unique_ptr<Kernel>(std::move(kernel));
    }
};

/// The same product as a fully connected layer: other kernels inside oneDNN, faster for few rows.
class OnednnInnerProductTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.innerproduct"; }

    Support check(const Problem& problem) const override { return supportOf(planInnerProduct(problem)); }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const Plan plan, planInnerProduct(problem));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        STROBE_ASSIGN(OnednnBuffer weights,
                      placeWeights(problem, 1, plan.storedWeights, plan.pd.weights_desc(), context, *kernel));
        std::vector<OnednnArgument> arguments = commonArguments(plan.product);
        arguments.push_back({DNNL_ARG_WEIGHTS, plan.pd.weights_desc(), std::move(weights)});
        auto primitive = dnnl::inner_product_forward(plan.pd);
        kernel->addStep(std::move(primitive), std::move(arguments), plan.pd.scratchpad_desc(), plan.pd.impl_info_str());
        return std::unique_ptr<Kernel>(std::move(kernel));
    }

private:
    struct Plan {
        MatMulPlan product;
        memory::desc storedWeights;
        dnnl::inner_product_forward::primitive_desc pd;
    };

    static Result<Plan> planInnerProduct(const Problem& problem) {
        if (!packsWeights(problem)) return unsupported("a fully connected layer needs constant weights");
        if (elementCount(problem.outputs[0].dims) == 0) return unsupported("the output has no elements");
        Plan plan;
        STROBE_ASSIGN(plan.product, planMatMul(problem));
        MatMulPlan& product = plan.product;
        if (product.shape.y.size() != 2) return unsupported("a fully connected layer has no batch of weights");
        if (product.scale != 1.0f) return unsupported("a fully connected layer has no factor before its addend");
        if (problem.attributes->getBool("transA", false))
            return unsupported("a fully connected layer does not transpose its input");
        if (product.hasBias)
            product.bias = onednnPlainDesc({product.shape.y[1]}, *onednnType(problem.inputs[2].format.type));
        const MatrixView& b = product.shape.b;
        const Dims weights{b.dims[1], b.dims[0]};  // oneDNN's are output × input
        plan.storedWeights =
            memory::desc(weights, *onednnType(problem.inputs[1].format.type), memory::dims{b.strides[1], b.strides[0]});
        STROBE_ASSIGN(plan.pd, guardOnednn(summary(problem), [&] {
                          dnnl::primitive_attr attributes = onednnAttributes();
                          attributes.set_post_ops(product.postOps.ops);
                          constexpr auto kind = dnnl::prop_kind::forward_inference;
                          const memory::desc any = onednnAnyDesc(weights, product.computeType);
                          const auto desc =
                              product.hasBias
                                  ? dnnl::inner_product_forward::desc(kind, product.a, any, product.bias, product.y)
                                  : dnnl::inner_product_forward::desc(kind, product.a, any, product.y);
                          return dnnl::inner_product_forward::primitive_desc(desc, attributes, onednnEngine());
                      }));
        if (isNaiveImplementation(plan.pd.impl_info_str()))
            return unsupported("oneDNN has only its naive loop for " + summary(problem));
        return plan;
    }
};

}  // namespace

void registerOnednnMatMul(KernelRegistry& registry) {
    for (const char* op : {"MatMul", "Gemm"}) {
        registry.add(DeviceKind::Cpu, op, std::make_unique<OnednnMatMulTactic>());
        registry.add(DeviceKind::Cpu, op, std::make_unique<OnednnInnerProductTactic>());
        registry.add(DeviceKind::Cpu, op, makeEpiloguePassTactic(std::make_unique<OnednnMatMulTactic>()));
    }
}

}  // namespace strobe
