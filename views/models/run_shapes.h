// At which shapes is the model built and profiled? Pure; any thread.
#pragma once

#include <map>
#include <string>

#include "sessions/session.h"

namespace strobe {

/// Concrete extents of every input: what the settings say; of an input that they leave out, the extents that it shares
/// with those, else the opt shape of the profile (or the one that the builder assumes).
std::map<std::string, Dims> effectiveShapes(const Model& model, const Settings& settings);

/// The settings with these shapes to profile at; inputs may be left out. Where no profile allows them, the first is
/// widened, so that a build can be profiled. Refused with why where the model cannot take them.
Result<Settings> withShapes(const Model& model, Settings settings, const std::map<std::string, Dims>& shapes);
/// What that changed, for undo and "Changed: …": the shapes, and maybe the profile that was widened for them.
std::string shapesLabel(const Settings& before, const Settings& after);

/// Why withShapes refuses shapes that the model does not take, with the nearest that it does: "… it takes 48 there, as
/// in x:1x3x48x320". The search takes up to 1 s, so off the GUI thread. Empty where it is not the model that refuses.
std::string shapesRefusal(const Model& model, const Settings& settings, const std::map<std::string, Dims>& shapes);

}  // namespace strobe
