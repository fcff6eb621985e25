# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` gives: headers, libshmrpc.so and .a, shmc, the CMake package, shmrpc.pc, the man page; in
# share/shmrpc the JSON Schema of `--emit json` and a generator that reads it.
# All of it may be moved to another prefix as a whole.
include(CMakePackageConfigHelpers)

set(shmrpc_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/shmrpc")

set(shmrpc_installed)
foreach(target IN ITEMS shmrpc_shared shmrpc_static shmc)
    if(TARGET ${target})
        list(APPEND shmrpc_installed ${target})
    endif()
endforeach()
if(NOT shmrpc_installed)
    return()
endif()

if(TARGET shmrpc_shared)
    set_target_properties(shmrpc_shared PROPERTIES EXPORT_NAME shmrpc)
endif()
install(TARGETS ${shmrpc_installed} EXPORT shmrpcTargets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT shmrpcTargets NAMESPACE shmrpc:: DESTINATION "${shmrpc_package_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/shmrpc" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h")
if(EXISTS "${PROJECT_SOURCE_DIR}/docs/man/shmc.1")
    install(FILES "${PROJECT_SOURCE_DIR}/docs/man/shmc.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
endif()

if(TARGET shmc)
    install(FILES "${PROJECT_SOURCE_DIR}/docs/json-model.schema.json" DESTINATION "${CMAKE_INSTALL_DATADIR}/shmrpc")
    install(PROGRAMS "${PROJECT_SOURCE_DIR}/docs/shm_ctypes.py" DESTINATION "${CMAKE_INSTALL_DATADIR}/shmrpc")
endif()

# ---- the CMake package -------------------------------------------------------------------------------------------
configure_package_config_file(cmake/shmrpcConfig.cmake.in "${PROJECT_BINARY_DIR}/shmrpcConfig.cmake"
    INSTALL_DESTINATION "${shmrpc_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/shmrpcConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/shmrpcConfig.cmake"
    "${PROJECT_BINARY_DIR}/shmrpcConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/ShmrpcGenerate.cmake"
    DESTINATION "${shmrpc_package_dir}")

# ---- pkg-config --------------------------------------------------------------------------------------------------
# `value` relative to the prefix, as the .pc file writes it; an absolute folder stays as it is.
function(_shmrpc_pc_dir value ret_text)
    if(IS_ABSOLUTE "${value}")
        set(${ret_text} "${value}" PARENT_SCOPE)
    else()
        set(${ret_text} "\${prefix}/${value}" PARENT_SCOPE)
    endif()
endfunction()

_shmrpc_pc_dir("${CMAKE_INSTALL_BINDIR}" SHMRPC_PC_BINDIR)
_shmrpc_pc_dir("${CMAKE_INSTALL_LIBDIR}" SHMRPC_PC_LIBDIR)
_shmrpc_pc_dir("${CMAKE_INSTALL_INCLUDEDIR}" SHMRPC_PC_INCLUDEDIR)
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(SHMRPC_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH shmrpc_pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" shmrpc_pc_up "${shmrpc_pc_up}")
    set(SHMRPC_PC_PREFIX "\${pcfiledir}/${shmrpc_pc_up}")
endif()
configure_file(cmake/shmrpc.pc.in "${PROJECT_BINARY_DIR}/shmrpc.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/shmrpc.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
