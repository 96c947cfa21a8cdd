#pragma once
#include <map>
#include <set>
#include <string>

#include "app/cli/command_line.h"
#include "profiler/profile.h"

namespace strobe::cli {

/// "x:1x3x640x640,y:1" → dims by input. Errors quote the part that is wrong. A lone shape without a name belongs to the
/// only input ("").
Result<std::map<std::string, Dims>> parseShapes(const std::string& text, const std::string& flag);

std::map<std::string, Dims> optShapes(const OptimizationProfile& profile);

/// What a command has said: both sides of a comparison tell of their shapes, and the same only once.
class SaidLines {
public:
    void say(const std::string& line);

private:
    std::set<std::string> m_lines;
};

/// Puts profiles and shapes into `settings`. As trtexec: --profile=N begins a profile; of min, opt and max, what is
/// missing is taken from what is given; a lone --shapes fixes all three. Without any, `given` (data to run on) says
/// what the engine must take, and the rest is assumed. Says what was taken, and refuses what the model cannot take
/// with the flag to change.
Status takeShapes(const Options& options, const Model& model, const NamedTensors& given, Settings& settings,
                  SaidLines& said);

}  // namespace strobe::cli
