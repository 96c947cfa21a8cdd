#pragma once

namespace strobe {

/// Whether the processor converts FP32 vectors to BF16 by itself (AVX512_BF16).
extern const bool kBFloat16Instructions;

}  // namespace strobe
