#pragma once
#include <string>

#include "app/cli/command_line.h"

namespace strobe::cli {

struct CaseOutcome {
    std::string
        status;  // "pass"; "wrong"; "refused": valid, but not supported (the model, or a value that the data brings)
    std::string message;  // what is wrong, and where
};

/// One ONNX backend test folder through import, build and run, on the calling thread.
CaseOutcome verifyCase(const KernelRegistry& kernels, const Options& options, const std::string& folder);

}  // namespace strobe::cli
