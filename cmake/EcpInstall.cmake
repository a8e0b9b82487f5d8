# SPDX-License-Identifier: Apache-2.0
# The installed package: libraries and headers as component "sdk", found by find_package(ecp).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(ecp_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/ecp)
get_property(ecp_targets GLOBAL PROPERTY ecp_install_targets)

install(TARGETS ${ecp_targets}
  EXPORT ecpTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
install(EXPORT ecpTargets NAMESPACE ecp:: DESTINATION ${ecp_package_folder} COMPONENT sdk)

# The shared kind is a component of its own, complete by itself; both can lie side by side.
get_property(ecp_shared_targets GLOBAL PROPERTY ecp_shared_targets)
if(ecp_shared_targets)
  install(TARGETS ${ecp_shared_targets}
    EXPORT ecpSharedTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk-shared ${ecp_unless_shared}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk-shared
      ${ecp_unless_shared})
  install(EXPORT ecpSharedTargets NAMESPACE ecp:: DESTINATION ${ecp_package_folder}
    COMPONENT sdk-shared ${ecp_unless_shared})
endif()

# The adapter that a consumer compiles with the Asio that he has.
install(FILES ${PROJECT_SOURCE_DIR}/include/ecp/asio_executor.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ecp COMPONENT sdk)
install(FILES ${PROJECT_SOURCE_DIR}/include/ecp/asio_executor.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ecp COMPONENT sdk-shared ${ecp_unless_shared})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ecpConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/ecpConfig.cmake
  INSTALL_DESTINATION ${ecp_package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/ecpConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
set(ecp_package_files ${PROJECT_BINARY_DIR}/package/ecpConfig.cmake
  ${PROJECT_BINARY_DIR}/package/ecpConfigVersion.cmake)
install(FILES ${ecp_package_files} DESTINATION ${ecp_package_folder} COMPONENT sdk)
install(FILES ${ecp_package_files} DESTINATION ${ecp_package_folder} COMPONENT sdk-shared
  ${ecp_unless_shared})

# Beside the programs, which install themselves: what ecpd looks for below /usr by default.
install(TARGETS ecp_mosquitto_plugin LIBRARY DESTINATION lib/ecp COMPONENT ecpd)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/apps/console/dist/
  DESTINATION share/ecp/page COMPONENT ecpd OPTIONAL)
