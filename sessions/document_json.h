#pragma once
#include <nlohmann/json.hpp>

#include "sessions/session.h"

namespace strobe {

/// JSON forms of what a document stores in text columns. Reading tolerates missing keys (older files) and throws nlohmann's exception on a
/// wrong type; the document turns that into a Status.
using Json = nlohmann::ordered_json;

Json toJson(const Statistics& statistics);
Statistics statisticsFrom(const Json& json);
/// Settings without the builder's config, which is stored in its own form.
Json toJson(const Settings& settings);
void settingsFrom(const Json& json, Settings& settings);
Json toJson(const std::vector<BuildNote>& notes);
std::vector<BuildNote> notesFrom(const Json& json);
Json toJson(const BuildReport& report);
BuildReport reportFrom(const Json& json);
/// What a document keeps of a layer's times beside its columns.
Json layerTimesJson(const LayerProfile& layer);
void layerTimesFrom(const Json& json, LayerProfile& layer);
/// A profile without its layers, which have a table.
Json toJson(const Profile& profile);
Profile profileFrom(const Json& json);
Json toJson(const AccuracyReport& report);
Json toJson(const SpeedInTurn& speed);
SpeedInTurn speedFrom(const Json& json);
/// `coarsest` is Undefined where an older version did not write it.
AccuracyReport accuracyFrom(const Json& json);

}  // namespace strobe
