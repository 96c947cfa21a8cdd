#pragma once
#include <string>
#include <utility>
#include <vector>

#include "profiler/profile.h"

namespace strobe {

struct ReportSection {
    std::string heading;
    std::vector<std::pair<std::string, std::string>> rows;  // name, value; UTF-8, lines divided by \n
};

/// One HTML page for people: the facts given, time by op, and every layer, slowest first. It needs no other file, no script and no network.
std::string htmlReport(const std::string& title, const std::vector<ReportSection>& facts, const Profile& profile);

}  // namespace strobe
