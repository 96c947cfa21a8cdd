#include "kernels/cuda/cupti_recorder.h"

#include <cupti.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "kernels/cuda/cupti_records.h"

namespace strobe {
namespace {

constexpr CUpti_ActivityKind kKinds[] = {
    CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET,
    // Correlation ids are handed out by records of calls.
    CUPTI_ACTIVITY_KIND_RUNTIME, CUPTI_ACTIVITY_KIND_DRIVER, CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION};
constexpr size_t kBufferBytes = size_t{1} << 20, kBufferAlignment = 8;

Status cuptiStatus(CUptiResult result, const char* what) {
    if (result == CUPTI_SUCCESS) return Status::ok();
    const char* text = nullptr;
    cuptiGetResultString(result, &text);
    return internalError(std::string("CUPTI, ") + what + ": " + (text ? text : "unknown error"));
}

/// CUPTI calls back without a context of ours, from threads of its own: what it delivers is collected here.
struct Collected {
    std::mutex mutex;
    bool recording = false;
    ActivityRecords records;
    Status failure;
};
Collected& collected() {
    static Collected all;
    return all;
}

void CUPTIAPI giveBuffer(uint8_t** buffer, size_t* bytes, size_t* maxRecords) {
    *buffer = static_cast<uint8_t*>(std::aligned_alloc(kBufferAlignment, kBufferBytes));
    *bytes = *buffer ? kBufferBytes : 0;
    *maxRecords = 0;
}

void CUPTIAPI takeBuffer(CUcontext, uint32_t, uint8_t* buffer, size_t, size_t validBytes) {
    Collected& all = collected();
    {
        std::lock_guard lock(all.mutex);
        if (all.recording && validBytes > 0)
            if (Status status = all.records.add(buffer, validBytes); !status.isOk()) all.failure = std::move(status);
    }
    std::free(buffer);
}

class CuptiRecorder final : public DeviceTraceRecorder {
public:
    ~CuptiRecorder() override {
        if (m_started) (void)finish();
    }

    Status start() override {
        {
            std::lock_guard lock(collected().mutex);
            if (collected().recording) return invalidArgument("a recording of the device is under way; stop it first");
            collected().recording = true;
            collected().records = {};
            collected().failure = {};
        }
        m_started = true;
        STROBE_RETURN_IF_ERROR(cuptiStatus(cuptiActivityRegisterCallbacks(giveBuffer, takeBuffer), "registering"));
        for (CUpti_ActivityKind kind : kKinds)
            STROBE_RETURN_IF_ERROR(cuptiStatus(cuptiActivityEnable(kind), "starting"));
        return Status::ok();
    }

    Status enter(uint64_t tag) override {
        return cuptiStatus(cuptiActivityPushExternalCorrelationId(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, tag),
                           "entering a scope");
    }
    Status leave() override {
        uint64_t last = 0;
        return cuptiStatus(cuptiActivityPopExternalCorrelationId(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last),
                           "leaving a scope");
    }

    Result<std::vector<DeviceActivity>> stop() override {
        if (!m_started) return invalidArgument("the recorder was not started");
        STROBE_RETURN_IF_ERROR(finish());
        std::lock_guard lock(collected().mutex);
        STROBE_RETURN_IF_ERROR(collected().failure);
        return collected().records.take();
    }

private:
    Status finish() {
        m_started = false;
        const Status flushed = cuptiStatus(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "flushing");
        for (CUpti_ActivityKind kind : kKinds) cuptiActivityDisable(kind);
        std::lock_guard lock(collected().mutex);
        collected().recording = false;
        return flushed;
    }

    bool m_started = false;
};

}  // namespace

Result<std::unique_ptr<DeviceTraceRecorder>> makeCuptiRecorder() {
    return std::unique_ptr<DeviceTraceRecorder>(std::make_unique<CuptiRecorder>());
}

}  // namespace strobe
