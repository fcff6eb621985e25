# SPDX-License-Identifier: Apache-2.0
#
# shmrpc_warnings: the warnings that all our C is clean under, with gcc and clang.
#
# Link it as `$<BUILD_INTERFACE:shmrpc_warnings>` from a target that is installed, so that it stays out of
# the exported package, and as `shmrpc_warnings` from all others. They are errors where SHMRPC_WERROR is on.
add_library(shmrpc_warnings INTERFACE)
set(SHMRPC_WARNING_FLAGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings)
target_compile_options(shmrpc_warnings INTERFACE
    ${SHMRPC_WARNING_FLAGS}
    $<$<BOOL:${SHMRPC_WERROR}>:-Werror>)
