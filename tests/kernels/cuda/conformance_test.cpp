// Every CUDA tactic against the reference kernels, on the device that --device=cuda:N names (cuda:0).
#include <cstdio>
#include <string_view>

#include "tests/kernels/cuda/device_case.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i < argc; ++i) {
        constexpr std::string_view kFlag = "--device=";
        const std::string_view argument = argv[i];
        if (argument.substr(0, kFlag.size()) == kFlag) {
            strobe::chooseDevice(std::string(argument.substr(kFlag.size())));
        } else {
            std::fprintf(stderr, "unknown argument '%s'; --device=cuda:N and GoogleTest's are allowed\n", argv[i]);
            return 2;
        }
    }
    return RUN_ALL_TESTS();
}
