#pragma once
// Included before foreach_target.h: kernels are compiled for AVX-512, AVX2 and, for machines that have neither, plain
// scalar code.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
