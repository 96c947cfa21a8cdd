#pragma once
#include <string>
#include <vector>

#include "engine_core/ops/op_definition.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {

/// Outcome of a reference kernel on small tensors.
struct ReferenceOutcome {
    Status status;
    std::vector<Dims> dims;
    std::vector<std::vector<double>> values;  // empty for strings
    std::vector<WeightsPtr> tensors;
};

/// A tensor of `type` from numbers (bool, integers, FP32, FP64).
WeightsPtr numbers(DataType type, Dims dims, const std::vector<double>& values);

/// Infers output types and dims from the inputs (null: absent), then runs "reference.<op>", which `cancel` may stop.
ReferenceOutcome runReference(const std::string& op, const std::vector<WeightsPtr>& inputs,
                              const Attributes& attributes = {}, int outputs = 1,
                              const PointwiseProgram* program = nullptr, const CancelToken* cancel = nullptr);

}  // namespace strobe
