#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "engine_core/base/data_type.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// How elements of a logical N×C×spatial… tensor lie in memory. Blocked forms hold channels in groups, the last group padded;
/// the padding holds zeros, which every kernel that writes a blocked tensor keeps.
enum class Layout : uint8_t {
    Plain,         // row-major in the logical order
    ChannelsLast,  // N×spatial…×C
    Blocked8,      // N×⌈C/8⌉×spatial…×8
    Blocked16,     // N×⌈C/16⌉×spatial…×16
};
enum class MemoryKind : uint8_t { Host, Device };

/// What two neighbouring layers must agree on, or a Reformat layer stands between them.
struct Format {
    DataType type = DataType::Undefined;
    Layout layout = Layout::Plain;
    MemoryKind memory = MemoryKind::Host;
    bool operator==(const Format&) const = default;
    std::string toString() const;  // "fp32 plain", "bf16 nhwc @device"
};

std::string_view layoutName(Layout layout);
/// Channel group of a blocked layout, 1 otherwise.
int64_t layoutBlock(Layout layout);
/// Elements in memory, padding included. Blocked and channels-last layouts need rank ≥ 3.
int64_t storedElementCount(const Dims& dims, Layout layout);
size_t storedBytes(const Dims& dims, const Format& format);

}  // namespace strobe
