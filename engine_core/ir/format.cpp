#include "engine_core/ir/format.h"

namespace strobe {

std::string_view layoutName(Layout layout) {
    switch (layout) {
        case Layout::Plain: return "plain";
        case Layout::ChannelsLast: return "nhwc";
        case Layout::Blocked8: return "nChw8c";
        case Layout::Blocked16: return "nChw16c";
    }
    return "unknown";
}

std::string Format::toString() const {
    return std::string(dataTypeName(type)) + " " + std::string(layoutName(layout)) + (memory == MemoryKind::Device ? " @device" : "");
}

int64_t layoutBlock(Layout layout) { return layout == Layout::Blocked8 ? 8 : layout == Layout::Blocked16 ? 16 : 1; }

int64_t storedElementCount(const Dims& dims, Layout layout) {
    const int64_t block = layoutBlock(layout);
    if (block == 1 || dims.size() < 2) return elementCount(dims);
    Dims padded = dims;
    padded[1] = padded[1] / block * block + (padded[1] % block == 0 ? 0 : block);
    return elementCount(padded);
}

size_t storedBytes(const Dims& dims, const Format& format) {
    return dataTypeBytes(format.type, storedElementCount(dims, format.layout));
}

}  // namespace strobe
