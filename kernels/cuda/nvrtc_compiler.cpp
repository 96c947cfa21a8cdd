#include "kernels/cuda/nvrtc_compiler.h"

#include <nvrtc.h>

#include <memory>

namespace strobe {
namespace {

std::string logOf(nvrtcProgram program) {
    size_t bytes = 0;
    if (nvrtcGetProgramLogSize(program, &bytes) != NVRTC_SUCCESS || bytes == 0) return {};
    std::string log(bytes, '\0');
    if (nvrtcGetProgramLog(program, log.data()) != NVRTC_SUCCESS) return {};
    log.resize(bytes - 1);
    return log;
}

}  // namespace

Result<std::string> compileCubin(const std::string& source, const std::string& architecture) {
    nvrtcProgram raw = nullptr;
    nvrtcResult result = nvrtcCreateProgram(&raw, source.c_str(), "generated.cu", 0, nullptr, nullptr);
    if (result != NVRTC_SUCCESS) return internalError(std::string("NVRTC: ") + nvrtcGetErrorString(result));
    const std::unique_ptr<nvrtcProgram, void (*)(nvrtcProgram*)> program(
        &raw, [](nvrtcProgram* p) { nvrtcDestroyProgram(p); });
    const std::string target = "--gpu-architecture=" + architecture;
    const char* options[] = {target.c_str(), "--std=c++17"};
    result = nvrtcCompileProgram(raw, 2, options);
    if (result != NVRTC_SUCCESS)
        return internalError(std::string("NVRTC for ") + architecture + ": " + nvrtcGetErrorString(result) + "\n" +
                             logOf(raw));
    size_t bytes = 0;
    if (nvrtcGetCUBINSize(raw, &bytes) != NVRTC_SUCCESS || bytes == 0)
        return internalError("NVRTC gave no machine code for " + architecture);
    std::string cubin(bytes, '\0');
    if (nvrtcGetCUBIN(raw, cubin.data()) != NVRTC_SUCCESS)
        return internalError("NVRTC kept its machine code for " + architecture);
    return cubin;
}

}  // namespace strobe
