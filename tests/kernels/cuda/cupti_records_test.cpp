#include "kernels/cuda/cupti_records.h"

#include <cupti.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/cuda/cupti_recorder.h"
#include "profiler/device_times.h"

namespace strobe {
namespace {

/// Records by hand, one behind the other as CUPTI lays them.
struct Buffer {
    alignas(8) uint8_t bytes[4096] = {};
    size_t used = 0;
    template <class Record>
    void append(const Record& record) {
        std::memcpy(bytes + used, &record, sizeof record);
        used += sizeof record;
    }
};

CUpti_ActivityKernel10 kernel(const char* name, uint64_t start, uint64_t end, uint32_t correlation) {
    CUpti_ActivityKernel10 record{};
    record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
    record.name = name;
    record.start = start;
    record.end = end;
    record.streamId = 13;
    record.correlationId = correlation;
    return record;
}

TEST(ActivityRecords, KernelsAndCopiesBecomePlainRecordsInOrder) {
    Buffer buffer;
    buffer.append(kernel("second", 200, 350, 8));
    CUpti_ActivityMemcpy6 copy{};
    copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
    copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_HTOD;
    copy.start = 100;
    copy.end = 150;
    copy.correlationId = 7;
    buffer.append(copy);
    CUpti_ActivityExternalCorrelation tag{};
    tag.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    tag.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
    tag.externalId = 42;
    tag.correlationId = 8;
    buffer.append(tag);

    ActivityRecords records;
    const Status status = records.add(buffer.bytes, buffer.used);
    ASSERT_TRUE(status.isOk()) << status.message();
    const auto activities = records.take();
    ASSERT_EQ(activities.size(), 2u);
    EXPECT_EQ(activities[0].name, "copy to device");
    EXPECT_EQ(activities[0].tag, 0u);
    EXPECT_EQ(activities[1].name, "second");
    EXPECT_EQ(activities[1].start, 200u);
    EXPECT_EQ(activities[1].end, 350u);
    EXPECT_EQ(activities[1].stream, 13u);
    EXPECT_EQ(activities[1].correlation, 8u);
    EXPECT_EQ(activities[1].tag, 42u);
    EXPECT_TRUE(records.take().empty());
}

TEST(ActivityRecords, TagsMayComeInALaterBuffer) {
    Buffer first, second;
    first.append(kernel("k", 1, 2, 5));
    CUpti_ActivityExternalCorrelation tag{};
    tag.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    tag.externalId = 9;
    tag.correlationId = 5;
    second.append(tag);
    ActivityRecords records;
    ASSERT_TRUE(records.add(first.bytes, first.used).isOk());
    ASSERT_TRUE(records.add(second.bytes, second.used).isOk());
    EXPECT_EQ(records.take().at(0).tag, 9u);
}

CUpti_ActivityExternalCorrelation scope(uint64_t tag, uint32_t correlation) {
    CUpti_ActivityExternalCorrelation record{};
    record.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    record.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
    record.externalId = tag;
    record.correlationId = correlation;
    return record;
}

/// What the profiler does with CUPTI's buffers: two runs of two layers, a layer of two kernels, one kernel of nobody.
TEST(ActivityRecords, BuffersBecomeTimesOfLayers) {
    DeviceTimes times(2);
    Buffer first, second;
    first.append(scope(times.tag(0, 0), 1));
    first.append(kernel("conv", 1000, 41000, 1));
    first.append(scope(times.tag(0, 0), 2));
    first.append(kernel("bias", 41000, 46000, 2));
    first.append(kernel("other program", 46000, 90000, 3));
    second.append(scope(times.tag(0, 1), 4));
    second.append(kernel("softmax", 50000, 57000, 4));
    second.append(kernel("conv", 100000, 142000, 5));
    second.append(scope(times.tag(1, 0), 5));
    ActivityRecords records;
    ASSERT_TRUE(records.add(first.bytes, first.used).isOk());
    ASSERT_TRUE(records.add(second.bytes, second.used).isOk());
    times.add(records.take());
    ASSERT_EQ(times.milliseconds(0).size(), 2u);
    EXPECT_DOUBLE_EQ(times.milliseconds(0)[0], 0.045);
    EXPECT_DOUBLE_EQ(times.milliseconds(0)[1], 0.042);
    ASSERT_EQ(times.milliseconds(1).size(), 1u);
    EXPECT_DOUBLE_EQ(times.milliseconds(1)[0], 0.007);
    ASSERT_EQ(times.kernels(1).size(), 1u);
    EXPECT_EQ(times.kernels(1)[0].name, "softmax");
}

TEST(ActivityRecords, AnEmptyBufferHoldsNothing) {
    ActivityRecords records;
    uint8_t byte = 0;
    EXPECT_TRUE(records.add(&byte, 0).isOk());
    EXPECT_TRUE(records.take().empty());
}

TEST(CuptiRecorder, StopNeedsStart) {
    const auto recorder = makeCuptiRecorder();
    ASSERT_TRUE(recorder.hasValue());
    EXPECT_FALSE((*recorder)->stop().hasValue());
}

}  // namespace
}  // namespace strobe
