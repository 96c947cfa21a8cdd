#include "engine_core/base/nearest_name.h"

#include <algorithm>
#include <cctype>

namespace strobe {
namespace {

bool sameLetter(char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)); }

/// Levenshtein's.
size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t substituted = diagonal + (sameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearestName(std::string_view unknown, const std::vector<std::string_view>& known, size_t most) {
    std::string_view best;
    size_t bestDistance = std::max(most, unknown.size() / 2);
    for (const std::string_view name : known) {
        const size_t longer = std::max(name.size(), unknown.size()), shorter = std::min(name.size(), unknown.size());
        if (longer - shorter >= bestDistance) continue;  // also spares the work for a name of a megabyte
        if (const size_t distance = editDistance(unknown, name); distance < bestDistance) {
            bestDistance = distance;
            best = name;
        }
    }
    return std::string(best);
}

}  // namespace strobe
