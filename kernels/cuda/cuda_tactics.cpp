#include "kernels/cuda/cuda_tactics.h"

namespace strobe {

Tactic::Formats deviceFormats(const Problem& problem, Layout layout) {
    Tactic::Formats formats;
    const auto moved = [layout](const TensorDesc& desc) {
        Format format = desc.format;
        if (!desc.present || desc.constantData) return format;
        format.memory = MemoryKind::Device;
        if (desc.dims.size() >= 3) format.layout = layout;
        return format;
    };
    for (const TensorDesc& desc : problem.inputs) formats.inputs.push_back(moved(desc));
    for (const TensorDesc& desc : problem.outputs) formats.outputs.push_back(moved(desc));
    return formats;
}

Support checkDeviceTensors(const Problem& problem) {
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list) {
            if (!desc.present) continue;
            const DataType type = desc.format.type;
            if (type != DataType::Float32 && type != DataType::BFloat16 && type != DataType::Float16)
                return Support::no("computes fp32, fp16 and bf16, a tensor is " +
                                   std::string(dataTypeName(desc.format.type)));
            if (!desc.constantData && desc.format.memory != MemoryKind::Device)
                return Support::no("runs on device memory");
            if (desc.format.layout != Layout::Plain && desc.format.layout != Layout::ChannelsLast)
                return Support::no("reads plain and nhwc tensors, one is " + desc.format.toString());
        }
    return Support::yes();
}

Result<std::shared_ptr<const void>> uploadConstant(const TensorDesc& desc, CudaDevice& device) {
    if (!desc.present || !desc.constantData) return std::shared_ptr<const void>();
    return device.constant(desc.constantKey, desc.constantData,
                           dataTypeBytes(desc.format.type, elementCount(desc.dims)));
}

Result<std::vector<std::shared_ptr<const void>>> uploadConstants(const Problem& problem, CudaDevice& device) {
    std::vector<std::shared_ptr<const void>> constants(problem.inputs.size());
    for (size_t i = 0; i < constants.size(); ++i) {
        STROBE_ASSIGN(constants[i], uploadConstant(problem.inputs[i], device));
    }
    return constants;
}

}  // namespace strobe
