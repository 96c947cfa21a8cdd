# Adding a pass: a file here, its name below, its maker in pass_list.h and its place in pass_order.cpp.
set(STROBE_PASS_FILES
    activation_fusion
    attention_fusion
    attention_head_fusion
    batch_norm_lowering
    body_specialization
    channel_shuffle_fusion
    constant_folding
    constant_if_inlining
    conv_batch_norm_fusion
    dead_layer_elimination
    duplicate_elimination
    epilogue_fusion
    gemm_lowering
    horizontal_fusion
    identity_elimination
    normalization_fusion
    one_hot_fusion
    pointwise_fusion
    softmax_fusion
    symbolic_constant_folding
    transpose_motion
)
list(TRANSFORM STROBE_PASS_FILES REPLACE "(.+)" "passes/\\1.cpp" OUTPUT_VARIABLE pass_sources)
list(APPEND pass_sources passes/channel_affine.cpp passes/normalization_match.cpp passes/pass_manager.cpp passes/pass_order.cpp passes/pointwise_form.cpp passes/rewrite.cpp)
