#include "kernels/cpu/bfloat16_instructions.h"

namespace strobe {

#if defined(__x86_64__)
const bool kBFloat16Instructions = __builtin_cpu_supports("avx512bf16");
#else
const bool kBFloat16Instructions = false;
#endif

}  // namespace strobe
