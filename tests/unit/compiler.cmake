# SPDX-License-Identifier: Apache-2.0
#
# The front end of the compiler: compiler_<noun>.c tests compiler/<noun>.c, or support/ as a whole.
if(NOT TARGET shmc_front)
    return()
endif()

foreach(noun IN ITEMS support source token value)
    shmrpc_add_check_test(NAME compiler_${noun} SOURCES compiler_${noun}.c LIBS shmc_front LABELS unit compiler)
endforeach()

# Reads every .shm file of the source tree.
shmrpc_add_check_test(NAME compiler_format SOURCES compiler_format.c LIBS shmc_front
    DEFINITIONS "SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"" TIMEOUT 120 LABELS unit compiler)

# These compile schemas.
foreach(noun IN ITEMS constant diag fingerprint front layout service syntax versions)
    shmrpc_add_check_test(NAME compiler_${noun} SOURCES compiler_${noun}.c compiler_schema.c LIBS shmc_front
        LABELS unit compiler)
endforeach()
