#pragma once
#include <string>

#include "tests/support/kernel_case.h"

namespace strobe {

/// Runs the tactic named so in every candidate format that it supports (at least one is required) and expects: the
/// reference's values; zeros in the padding of blocked outputs; nothing written outside outputs and workspace; the same
/// from buffers aligned to no more than an element, and in place wherever canRunInPlace allows. Returns the number of
/// format combinations that ran.
int expectMatchesReference(const KernelCase& kernelCase, const std::string& tactic);

/// Expects that the tactic declines the case in every candidate format, with a reason that contains `reason`.
void expectDeclines(const KernelCase& kernelCase, const std::string& tactic, const std::string& reason = {});

/// Whether the tactic takes the case in any candidate format, where that depends on the CPU.
bool supportsAnyFormat(const KernelCase& kernelCase, const std::string& tactic);

/// All CPU tactics, registered once.
const KernelRegistry& cpuKernels();

}  // namespace strobe
