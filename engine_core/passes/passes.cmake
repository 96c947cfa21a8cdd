# Adding a pass: a file here, its name below, its maker in pass_list.h and its place in pass_order.cpp.
set(STROBE_PASS_FILES
    constant_folding
    dead_layer_elimination
    duplicate_elimination
    identity_elimination
    symbolic_constant_folding
)
list(TRANSFORM STROBE_PASS_FILES REPLACE "(.+)" "passes/\\1.cpp" OUTPUT_VARIABLE pass_sources)
list(APPEND pass_sources passes/pass_manager.cpp passes/pass_order.cpp passes/rewrite.cpp)
