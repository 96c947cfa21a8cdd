#pragma once
#include <memory>
#include <vector>

#include "engine_core/runtime/execution_context.h"

namespace strobe {

/// How long a run's copies of inputs to the device and of outputs back take, by events in the stream: nothing waits for
/// them while the run goes on. Copies between layers count as the layers do.
class TransferTimes final : public StepObserver {
public:
    /// Null on the CPU, which has no such copies; Unsupported on a device without events.
    static Result<std::unique_ptr<TransferTimes>> create(const Engine& engine);

    void stepStarted(const StepView& step) override;
    void stepFinished(const StepView& step) override;
    struct Milliseconds {
        double toDevice = 0, toHost = 0;
    };
    /// Of the run that ended; call after each.
    Result<Milliseconds> take();

private:
    struct Copy {
        bool toDevice = false;
        std::unique_ptr<Event> start, end;
        bool ran = false;
    };
    TransferTimes() = default;
    Copy* copyOf(const StepView& step);
    std::vector<std::unique_ptr<Copy>> m_copies;  // by layer; null for other layers
    Status m_status;
};

}  // namespace strobe
