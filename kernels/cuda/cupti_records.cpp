#include "kernels/cuda/cupti_records.h"

#include <cupti.h>

#include <algorithm>
#include <string>

namespace strobe {
namespace {

const char* copyName(uint8_t kind) {
    switch (kind) {
        case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD:
            return "copy to device";
        case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH:
            return "copy to host";
        case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD:
            return "copy on device";
        default:
            return "copy";
    }
}

template <class Record>
DeviceActivity activityOf(const Record& record, std::string name) {
    return {std::move(name), record.start, record.end, record.streamId, record.correlationId, 0};
}

}  // namespace

Status ActivityRecords::add(const uint8_t* buffer, size_t validBytes) {
    CUpti_Activity* record = nullptr;
    CUptiResult result = CUPTI_SUCCESS;
    while ((result = cuptiActivityGetNextRecord(const_cast<uint8_t*>(buffer), validBytes, &record)) == CUPTI_SUCCESS) {
        switch (record->kind) {
            case CUPTI_ACTIVITY_KIND_KERNEL:
            case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
                const auto& kernel = *reinterpret_cast<const CUpti_ActivityKernel10*>(record);
                m_activities.push_back(activityOf(kernel, kernel.name ? kernel.name : "kernel"));
                break;
            }
            case CUPTI_ACTIVITY_KIND_MEMCPY: {
                const auto& copy = *reinterpret_cast<const CUpti_ActivityMemcpy6*>(record);
                m_activities.push_back(activityOf(copy, copyName(copy.copyKind)));
                break;
            }
            case CUPTI_ACTIVITY_KIND_MEMSET:
                m_activities.push_back(activityOf(*reinterpret_cast<const CUpti_ActivityMemset4*>(record), "fill"));
                break;
            case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
                const auto& tag = *reinterpret_cast<const CUpti_ActivityExternalCorrelation*>(record);
                m_tags[tag.correlationId] = tag.externalId;
                break;
            }
            default:
                break;
        }
    }
    if (result == CUPTI_ERROR_MAX_LIMIT_REACHED) return Status::ok();
    const char* text = nullptr;
    cuptiGetResultString(result, &text);
    return internalError(std::string("CUPTI, reading activities: ") + (text ? text : "unknown error"));
}

std::vector<DeviceActivity> ActivityRecords::take() {
    for (DeviceActivity& activity : m_activities)
        if (const auto tag = m_tags.find(activity.correlation); tag != m_tags.end()) activity.tag = tag->second;
    std::stable_sort(m_activities.begin(), m_activities.end(),
                     [](const DeviceActivity& a, const DeviceActivity& b) { return a.start < b.start; });
    m_tags.clear();
    return std::move(m_activities);
}

}  // namespace strobe
