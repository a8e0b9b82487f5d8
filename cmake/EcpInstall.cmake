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

# The adapter that a consumer compiles with the Asio that he has.
install(FILES ${PROJECT_SOURCE_DIR}/include/ecp/asio_executor.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ecp COMPONENT sdk)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ecpConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/ecpConfig.cmake
  INSTALL_DESTINATION ${ecp_package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/ecpConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/ecpConfig.cmake
  ${PROJECT_BINARY_DIR}/package/ecpConfigVersion.cmake
  DESTINATION ${ecp_package_folder} COMPONENT sdk)

# Beside the programs, which install themselves: what ecpd looks for below /usr by default.
install(TARGETS ecp_mosquitto_plugin LIBRARY DESTINATION lib/ecp COMPONENT ecpd)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/apps/console/dist/
  DESTINATION share/ecp/page COMPONENT ecpd OPTIONAL)
