#pragma once
#include <string>
#include <vector>

#include "profiler/profile.h"

namespace strobe {

/// Copies of inputs to a device and of outputs back: none on the CPU; in the latency; left out of it; not told apart from the rest.
enum class Transfers : uint8_t { None, Counted, LeftOut, Unknown };

/// One inference, milliseconds since the start of the measurement. Without copies (or with them left out) both take no time.
struct QueryTimes {
    double startEnqueue = 0, endEnqueue = 0;
    double startH2d = 0, endH2d = 0, startCompute = 0, endCompute = 0, startD2h = 0, endD2h = 0;
    double latency() const { return (endH2d - startH2d) + (endCompute - startCompute) + (endD2h - startD2h); }
};

/// The block that trtexec prints after a run ("=== Performance summary ==="), with its warnings.
std::string performanceSummary(const std::vector<QueryTimes>& queries, double wallSeconds, const std::vector<double>& percentiles, Transfers transfers);
/// That a time ("latency") is unsteady by trtexec's coefficient of variation, which few held-up runs raise, and by the
/// spread whether its median is too; empty when it is steady.
std::string variationWarning(const std::string& what, const Statistics& time);
/// The table of --dumpProfile.
std::string profileTable(const Profile& profile);
/// --exportTimes: a list with one object a query.
std::string timesJson(const std::vector<QueryTimes>& queries);
/// --exportProfile: {"count": N}, then a layer each.
std::string profileJson(const Profile& profile);
/// --exportLayerInfo: {"Layers": […], "Bindings": […]} as TensorRT's engine inspector writes it.
std::string layerInfoJson(const Engine& engine);
/// Layer table as CSV, one row a layer.
std::string profileCsv(const Profile& profile);

}  // namespace strobe
