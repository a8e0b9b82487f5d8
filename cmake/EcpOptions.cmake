# SPDX-License-Identifier: Apache-2.0
option(ECP_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ECP_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(ECP_BUILD_APPS "Build ecpd and ecp-edge" ${PROJECT_IS_TOP_LEVEL})
option(ECP_BUILD_PYTHON "Build the Python package" ${PROJECT_IS_TOP_LEVEL})
option(ECP_BUILD_BENCH "Build the benchmarks" OFF)
option(BUILD_SHARED_LIBS "Let ecp::<module> mean the shared libraries" OFF)
option(ECP_WITH_POSTGRES "Build the PostgreSQL driver" ON)
option(ECP_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(ECP_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
set(ECP_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # A shared library links what its modules found.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_program(ECP_CCACHE ccache)
if(ECP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths are hashed relative to the tree, so that a second clone finds what the first compiled.
  set(ecp_launcher env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ECP_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ecp_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ecp_launcher})
endif()

# Warnings and sanitizers are ours alone: linked privately, never exported to consumers.
add_library(ecp_build_flags INTERFACE)
target_compile_options(ecp_build_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
                            -Wsuggest-override -Wnon-virtual-dtor>
  # g++ 12 takes the members of a moved std::variant for uninitialised, and optimised
  # concatenation of strings for an overlapping copy (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict>
  $<$<BOOL:${ECP_WERROR}>:-Werror>)
if(ECP_SANITIZE)
  target_compile_options(ecp_build_flags INTERFACE -fsanitize=${ECP_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ecp_build_flags INTERFACE -fsanitize=${ECP_SANITIZE})
  if(ECP_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Asio has fences, which GCC's sanitizer does not model and warns of.
    target_compile_options(ecp_build_flags INTERFACE -Wno-tsan)
  endif()
endif()
