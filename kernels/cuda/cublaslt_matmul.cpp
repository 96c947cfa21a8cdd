#include <cublasLt.h>

#include "kernels/cuda/matmul_plan.h"
#include "kernels/cuda/pointwise_kernel.h"

namespace strobe {
namespace {

Status cublasStatus(cublasStatus_t status, const char* what, ErrorCode code) {
    if (status == CUBLAS_STATUS_SUCCESS) return Status::ok();
    return Status(code, std::string("cuBLASLt, ") + what + ": " + cublasLtGetStatusString(status));
}
/// While a product is being prepared, cuBLASLt may say that it has no way.
Status cublasStatus(cublasStatus_t status, const char* what) {
    const bool hasNoWay = status == CUBLAS_STATUS_NOT_SUPPORTED;
    return cublasStatus(status, what, hasNoWay ? ErrorCode::Unsupported : ErrorCode::Internal);
}

template <class T, cublasStatus_t (*Destroy)(T)>
struct Owned {
    T value = nullptr;
    Owned() = default;
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
        if (value) Destroy(value);
    }
};

cudaDataType_t cudaType(DataType type) {
    return type == DataType::BFloat16 ? CUDA_R_16BF : type == DataType::Float16 ? CUDA_R_16F : CUDA_R_32F;
}

/// cuBLASLt is column-major: it computes Cᵀ = op(B)ᵀ · op(A)ᵀ, so its first factor is our B.
class MatMulKernel final : public Kernel {
public:
    explicit MatMulKernel(const MatMulPlan& plan, std::shared_ptr<CudaDevice> device)
        : m_plan(plan), m_device(std::move(device)) {}

    std::vector<std::shared_ptr<const void>> constants;
    std::optional<PointwiseRunner> pass;
    std::vector<size_t> passSources;
    bool fusedBias = false;

    Status prepare(bool tf32) {
        STROBE_ASSIGN(m_handle, m_device->cublasLt());
        STROBE_RETURN_IF_ERROR(describe(tf32));
        Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
        STROBE_RETURN_IF_ERROR(cublasStatus(cublasLtMatmulPreferenceCreate(&preference.value), "preferences"));
        const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t what, auto value) {
            return cublasStatus(cublasLtMatmulPreferenceSetAttribute(preference.value, what, &value, sizeof value),
                                "preferences");
        };
        STROBE_RETURN_IF_ERROR(prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(kMaxWorkspace)));
        // The arena places tensors at multiples of 64 bytes.
        for (auto what : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            STROBE_RETURN_IF_ERROR(prefer(what, uint32_t{64}));
        int found = 0;
        cublasLtMatmulHeuristicResult_t best{};
        STROBE_RETURN_IF_ERROR(
            cublasStatus(cublasLtMatmulAlgoGetHeuristic(m_handle, m_operation.value, m_b.value, m_a.value, m_c.value,
                                                        m_c.value, preference.value, 1, &best, &found),
                         "choosing"));
        if (found == 0) return unsupported("cuBLASLt has no algorithm for this product");
        m_algorithm = best.algo;
        m_workspace = best.workspaceSize;
        return Status::ok();
    }

    size_t workspaceBytes() const override { return m_workspace > 0 ? m_workspace + kAlignment : 0; }
    std::string description() const override {
        return pass ? "cuBLASLt + pointwise pass (" + m_plan.unfused + ")" : "cuBLASLt";
    }

    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        const cudaStream_t stream = cudaStream(arguments).get();
        void* output = arguments.outputs[0].data;
        const float beta = 0.0f;
        void* workspace = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(arguments.workspace) + kAlignment - 1) /
                                                  kAlignment * kAlignment);
        STROBE_RETURN_IF_ERROR(cublasStatus(
            cublasLtMatmul(m_handle, m_operation.value, &m_plan.alpha, inputAddress(constants, arguments, 1), m_b.value,
                           inputAddress(constants, arguments, 0), m_a.value, &beta, output, m_c.value, output,
                           m_c.value, &m_algorithm, m_workspace > 0 ? workspace : nullptr, m_workspace, stream),
            "running", ErrorCode::Internal));
        if (!pass) return Status::ok();
        std::vector<const void*> inputs = {output};
        for (size_t input : passSources) inputs.push_back(inputAddress(constants, arguments, input));
        return pass->run(inputs, {output}, stream);
    }

private:
    static constexpr size_t kMaxWorkspace = size_t{32} << 20, kAlignment = 256;

    Status describe(bool tf32) {
        const auto compute =
            tf32 && m_plan.type == DataType::Float32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
        STROBE_RETURN_IF_ERROR(
            cublasStatus(cublasLtMatmulDescCreate(&m_operation.value, compute, CUDA_R_32F), "the product"));
        const auto set = [&](cublasLtMatmulDescAttributes_t what, auto value) {
            return cublasStatus(cublasLtMatmulDescSetAttribute(m_operation.value, what, &value, sizeof value),
                                "the product");
        };
        STROBE_RETURN_IF_ERROR(set(CUBLASLT_MATMUL_DESC_TRANSA, m_plan.transB ? CUBLAS_OP_T : CUBLAS_OP_N));
        STROBE_RETURN_IF_ERROR(set(CUBLASLT_MATMUL_DESC_TRANSB, m_plan.transA ? CUBLAS_OP_T : CUBLAS_OP_N));
        STROBE_RETURN_IF_ERROR(set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue()));
        if (fusedBias) STROBE_RETURN_IF_ERROR(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, constants[2].get()));
        const cudaDataType_t type = cudaType(m_plan.type);
        STROBE_RETURN_IF_ERROR(layout(m_b.value, type, m_plan.n, m_plan.k, m_plan.transB, m_plan.strideB));
        STROBE_RETURN_IF_ERROR(layout(m_a.value, type, m_plan.k, m_plan.m, m_plan.transA, m_plan.strideA));
        return layout(m_c.value, type, m_plan.n, m_plan.m, false, m_plan.strideC);
    }

    cublasLtEpilogue_t epilogue() const {
        switch (m_plan.activation) {
            case MatMulPlan::Activation::Relu:
                return fusedBias ? CUBLASLT_EPILOGUE_RELU_BIAS
                       : pass    ? CUBLASLT_EPILOGUE_DEFAULT
                                 : CUBLASLT_EPILOGUE_RELU;
            case MatMulPlan::Activation::GeluTanh:
                return fusedBias ? CUBLASLT_EPILOGUE_GELU_BIAS
                       : pass    ? CUBLASLT_EPILOGUE_DEFAULT
                                 : CUBLASLT_EPILOGUE_GELU;
            case MatMulPlan::Activation::None:
                break;
        }
        return fusedBias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    }

    /// Columns are contiguous; a transposed factor is stored with its dims exchanged.
    Status layout(cublasLtMatrixLayout_t& made, cudaDataType_t type, int64_t rows, int64_t columns, bool transposed,
                  int64_t stride) {
        if (transposed) std::swap(rows, columns);
        STROBE_RETURN_IF_ERROR(cublasStatus(
            cublasLtMatrixLayoutCreate(&made, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows),
            "a matrix"));
        if (m_plan.batch == 1) return Status::ok();
        const auto count = static_cast<int32_t>(m_plan.batch);
        STROBE_RETURN_IF_ERROR(cublasStatus(
            cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
            "a batch"));
        return cublasStatus(
            cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride),
            "a batch");
    }

    MatMulPlan m_plan;
    std::shared_ptr<CudaDevice> m_device;
    cublasLtHandle_t m_handle = nullptr;
    Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> m_operation;
    Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> m_a, m_b, m_c;
    cublasLtMatmulAlgo_t m_algorithm{};
    size_t m_workspace = 0;
};

class CublasLtMatMulTactic final : public Tactic {
public:
    explicit CublasLtMatMulTactic(bool tf32) : m_tf32(tf32) {}
    std::string_view name() const override { return m_tf32 ? "cublaslt.matmul.tf32" : "cublaslt.matmul"; }

    DataType roundsFactorsTo() const override { return m_tf32 ? DataType::Float16 : DataType::Undefined; }

    Support supports(const Problem& problem) const override {
        if (m_tf32 && problem.inputs[0].format.type != DataType::Float32)
            return Support::no("TF32 is a way to multiply fp32");
        const auto plan = planMatMul(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override { return {deviceFormats(problem)}; }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const MatMulPlan plan, planMatMul(problem));
        CudaDevice& device = cudaDevice(context);
        auto kernel = std::make_unique<MatMulKernel>(plan, device.shared_from_this());
        STROBE_ASSIGN(kernel->constants, uploadConstants(problem, device));
        // cuBLASLt takes a bias of the product's type; with a pass to come, that pass adds it.
        kernel->fusedBias =
            plan.hasBias && plan.unfused.empty() && kernel->constants[2] && problem.inputs[2].format.type == plan.type;
        if (!plan.unfused.empty() || (plan.hasBias && !kernel->fusedBias)) {
            EpiloguePass pass = epiloguePass(problem, plan.hasBias ? 2 : -1, problem.outputs[0].dims.size() - 1);
            STROBE_ASSIGN(PointwiseSource source, pointwiseSource(pass.program, pass.inputs, problem.outputs));
            STROBE_ASSIGN(kernel->pass, PointwiseRunner::make(std::move(source), device));
            kernel->passSources = std::move(pass.sources);
        }
        STROBE_RETURN_IF_ERROR(kernel->prepare(m_tf32));
        return std::unique_ptr<Kernel>(std::move(kernel));
    }

private:
    bool m_tf32;
};

}  // namespace

void registerCublasLtMatMul(KernelRegistry& registry, bool allowTf32) {
    registry.add(DeviceKind::Cuda, "MatMul", std::make_unique<CublasLtMatMulTactic>(false));
    if (allowTf32) registry.add(DeviceKind::Cuda, "MatMul", std::make_unique<CublasLtMatMulTactic>(true));
}

}  // namespace strobe
