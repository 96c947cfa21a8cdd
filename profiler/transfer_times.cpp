#include "profiler/transfer_times.h"

#include "engine_core/runtime/engine_shared.h"

namespace strobe {

Result<std::unique_ptr<TransferTimes>> TransferTimes::create(const Engine& engine) {
    Device* device = engine.shared().device.get();
    if (!device) return std::unique_ptr<TransferTimes>();
    std::unique_ptr<TransferTimes> times(new TransferTimes);
    const Network& network = engine.graph().network;
    for (const EngineLayer& chosen : engine.graph().layers) {
        times->m_copies.emplace_back();
        if (!isReformat(engine.graph(), chosen)) continue;
        const Layer& layer = network.layer(chosen.layer);
        const MemoryKind from = chosen.inputs[0].memory, to = chosen.outputs[0].memory;
        const bool toDevice =
            from == MemoryKind::Host && to == MemoryKind::Device && network.tensor(layer.inputs[0]).isInput;
        const bool toHost =
            from == MemoryKind::Device && to == MemoryKind::Host && network.tensor(layer.outputs[0]).isOutput;
        if (!toDevice && !toHost) continue;
        auto copy = std::make_unique<Copy>();
        copy->toDevice = toDevice;
        STROBE_ASSIGN(copy->start, device->createEvent());
        STROBE_ASSIGN(copy->end, device->createEvent());
        times->m_copies.back() = std::move(copy);
    }
    return times;
}

TransferTimes::Copy* TransferTimes::copyOf(const StepView& step) {
    return step.depth == 0 && step.stream ? m_copies[static_cast<size_t>(step.index)].get() : nullptr;
}

void TransferTimes::stepStarted(const StepView& step) {
    if (Copy* copy = copyOf(step))
        if (const Status status = copy->start->record(*step.stream); !status.isOk()) m_status = status;
}

void TransferTimes::stepFinished(const StepView& step) {
    Copy* copy = copyOf(step);
    if (!copy) return;
    copy->ran = true;
    if (const Status status = copy->end->record(*step.stream); !status.isOk()) m_status = status;
}

Result<TransferTimes::Milliseconds> TransferTimes::take() {
    Milliseconds sum;
    for (const auto& copy : m_copies) {
        if (!copy || !copy->ran) continue;
        copy->ran = false;
        STROBE_RETURN_IF_ERROR(m_status);
        STROBE_RETURN_IF_ERROR(copy->end->synchronize());
        STROBE_ASSIGN(const double milliseconds, copy->end->millisecondsSince(*copy->start));
        (copy->toDevice ? sum.toDevice : sum.toHost) += milliseconds;
    }
    return sum;
}

}  // namespace strobe
