# What every target of the house shares: language level, warnings, output folders, and the helpers that declare targets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
# Paths relative to the source tree let one cache serve every checkout.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

set(STROBE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns falsely here about inlined std::string and std::optional (gcc bugs 105651, 105562).
  list(APPEND STROBE_WARNINGS -Wno-restrict -Wno-maybe-uninitialized)
endif()
# -O2: kernels ask for more where it pays; the rest builds faster.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# strobe_library(name SOURCES a.cpp … LINK lib …): a static library that includes from the top of the tree.
function(strobe_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${STROBE_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
endfunction()

# strobe_registrations(out FOLDER ops HEADER engine_core/ops/op_list.h CALLS registerOps_ FROM registerAllOps REGISTRY OpRegistry FILES conv …):
# the folder's files, each with a function <CALLS><file>(<REGISTRY>&), and a generated one whose <FROM> calls them all. Static
# libraries would drop objects that register themselves. Sets <out> to the sources.
function(strobe_registrations out)
  cmake_parse_arguments(ARG "" "FOLDER;HEADER;CALLS;FROM;REGISTRY" "FILES" ${ARGN})
  set(declarations "")
  set(calls "")
  set(sources ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FROM}.cpp)
  foreach(file ${ARG_FILES})
    string(APPEND declarations "void ${ARG_CALLS}${file}(${ARG_REGISTRY}& registry);\n")
    string(APPEND calls "    ${ARG_CALLS}${file}(registry);\n")
    list(APPEND sources ${ARG_FOLDER}/${file}.cpp)
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FROM}.cpp CONTENT
"#include \"@ARG_HEADER@\"
namespace strobe {
@declarations@
void @ARG_FROM@(@ARG_REGISTRY@& registry) {
@calls@}
}  // namespace strobe
" @ONLY)
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# strobe_executable(name SOURCES … LINK …)
function(strobe_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${STROBE_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# strobe_test(name SOURCES … LINK … [LABEL cpu|gui|cuda|models …] [TIMEOUT s] [QT]): a GoogleTest program, or with QT a QtTest one with its own main.
function(strobe_test name)
  cmake_parse_arguments(ARG "QT" "TIMEOUT" "SOURCES;LINK;LABEL" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL cpu)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  strobe_executable(${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK})
  if(ARG_QT)
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
    target_link_libraries(${name} PRIVATE Qt6::Test)
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  # GoogleTest programs are told by GTEST_OUTPUT where tests/run reads their cases; QtTest has only the command line for it.
  set(report "")
  if(ARG_QT)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/test-results)
    set(report -o ${CMAKE_BINARY_DIR}/test-results/${name}.xml,junitxml -o -,txt)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${report} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # Short spins of the thread pool (kernels/cpu/cpu_threads.h): tests run beside each other. What they time under that load is no user's business.
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "GOMP_SPINCOUNT=100;XDG_CACHE_HOME=${CMAKE_BINARY_DIR}/test-cache")
  # One display, one pointer, one keyboard focus: windows are tested one after another.
  if("gui" IN_LIST ARG_LABEL)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK display)
  endif()
endfunction()
