# SPDX-License-Identifier: Apache-2.0

# ecp_module(NAME fleet
#   SOURCES a.cpp            # beside the caller's CMakeLists.txt
#   HEADERS fleet/a.hpp      # below include/ecp, installed and checked alone
#   DEPENDS rbac link        # ecp modules of the public interface
#   PRIVATE PkgConfig::x     # vendors, never visible to consumers
# )
# Makes the target ecp_<name>, its alias ecp::<name>, and its place in the installed package.
function(ecp_module)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;HEADERS;DEPENDS;PRIVATE" ${ARGN})
  set(target ecp_${arg_NAME})
  set(base ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM arg_HEADERS PREPEND ${base}/ecp/)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:ecp_build_flags> ${arg_PRIVATE})
    # Private sources may include headers of their own folder tree; the SDK's own Asio is renamed,
    # so that a program with another version of it can be linked with ours.
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lib)
    target_compile_definitions(${target} PRIVATE asio=ecp_asio ASIO_STANDALONE ASIO_NO_DEPRECATED)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  if(NOT BUILD_SHARED_LIBS)  # Else EcpShared.cmake says what the name means.
    add_library(ecp::${arg_NAME} ALIAS ${target})
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_NAME}
    ecp_headers "${arg_HEADERS}" ecp_depends "${arg_DEPENDS}" ecp_vendors "${arg_PRIVATE}"
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${base} FILES ${arg_HEADERS})
  target_compile_features(${target} ${scope} cxx_std_20)
  foreach(dependency IN LISTS arg_DEPENDS)
    target_link_libraries(${target} ${scope} ecp_${dependency})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY ecp_install_targets ${target})
endfunction()

# ecp_test(NAME core SOURCES a_test.cpp ... DEPENDS core storage)
# One doctest binary per module, sharing one main; light optimisation, no debug information.
function(ecp_test)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  set(target test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  target_compile_options(${target} PRIVATE -O1)
  target_link_libraries(${target} PRIVATE ecp_test_main ecp_build_flags ${arg_PRIVATE})
  foreach(dependency IN LISTS arg_DEPENDS)
    target_link_libraries(${target} PRIVATE ecp_${dependency})
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME ${arg_NAME} COMMAND ${target})
  set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT 300)
endfunction()
