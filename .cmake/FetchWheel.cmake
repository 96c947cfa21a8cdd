# strobe_fetch_wheel(<pypi name> <version> <sha256> <out var>): header-only dependencies that come as PyPI wheels.
# Sets <out var> to the folder with the unzipped wheel, or to "" with a message when it cannot be had: callers then leave out what needs it.
# The wheel is kept in ~/.cache/strobe/wheels (STROBE_CACHE moves it), so a build without a network works after the first one.
# <sha256> is that of the wheel file; the interpreter and platform tags are fixed, so that every machine gets the same file.
function(strobe_fetch_wheel name version sha256 out_var)
  set(${out_var} "" PARENT_SCOPE)
  set(cache "$ENV{STROBE_CACHE}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache/strobe")
  endif()
  set(folder "${cache}/wheels/${name}-${version}")
  if(EXISTS "${folder}/.sha256")
    file(READ "${folder}/.sha256" present)
    if(present STREQUAL sha256)
      set(${out_var} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endif()

  set(download "${folder}.download")
  file(REMOVE_RECURSE "${download}" "${folder}")
  file(MAKE_DIRECTORY "${download}")
  execute_process(
    COMMAND python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "${download}"
            --implementation cp --python-version 3.11 --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64
            --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 "${name}==${version}"
    RESULT_VARIABLE status ERROR_VARIABLE error OUTPUT_QUIET)
  file(GLOB wheel "${download}/*.whl")
  if(NOT status EQUAL 0 OR NOT wheel)
    message(STATUS "Wheel ${name} ${version} could not be fetched; what needs it is left out: ${error}")
    file(REMOVE_RECURSE "${download}")
    return()
  endif()
  file(SHA256 "${wheel}" actual)
  if(NOT actual STREQUAL sha256)
    message(STATUS "Wheel ${name} ${version} has SHA-256 ${actual}, expected ${sha256}; what needs it is left out")
    file(REMOVE_RECURSE "${download}")
    return()
  endif()
  file(ARCHIVE_EXTRACT INPUT "${wheel}" DESTINATION "${folder}")
  file(WRITE "${folder}/.sha256" "${sha256}")
  file(REMOVE_RECURSE "${download}")
  set(${out_var} "${folder}" PARENT_SCOPE)
endfunction()
