#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_generate.sh SOURCE_DIR: what shmrpc_generate() refuses, with which words, and how it names files.
set -uo pipefail

readonly source_dir=$1
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# configure NAME [OPTION…]: all cases share a build folder, so that the C compiler is looked for once.
configure() {
    local name=$1
    shift
    cmake -S "$source_dir/tests/package/generate" -B "$cases_dir/build" -USHMRPC_SHMC -UCMAKE_CROSSCOMPILING \
        -DSHMRPC_GENERATE="$source_dir/cmake/ShmrpcGenerate.cmake" -DCASE="$name" "$@"
}

refuses() {
    expect_status 1 configure "$1" -DSHMRPC_SHMC="$(type -P true)"
    expect_text "$output" "shmrpc_generate: $2"
}

refuses_call_without_target() { refuses target_missing "TARGET is missing"; }
refuses_unknown_target() { refuses target_unknown "there is no target nobody"; }
refuses_target_that_compiles_nothing() { refuses target_compiles_nothing "the target headers compiles nothing"; }
refuses_target_of_another_folder() { refuses target_elsewhere "the target elsewhere was made in"; }
refuses_call_without_files() { refuses files_missing "FILES names no .shm file"; }
refuses_file_that_is_not_there() { refuses file_unknown "there is no file $source_dir/tests/package/generate/schemas/none.shm"; }
refuses_file_of_another_kind() { refuses file_of_another_kind "not a .shm file"; }
refuses_include_folder_that_is_not_there() { refuses include_dir_unknown "there is no include folder"; }
refuses_unknown_arguments() { refuses argument_unknown "unknown arguments: fast"; }
refuses_package_without_library() { refuses library_missing "the library shmrpc::shmrpc is not there"; }

refuses_build_without_shmc() {
    expect_status 1 configure plain
    expect_text "$output" "shmrpc_generate: there is no shmc"
    expect_text "$output" "set SHMRPC_SHMC to the path of one"
}

refuses_host_shmc_that_is_not_there() {
    expect_status 1 configure plain -DSHMRPC_SHMC=/nonexistent/shmc
    expect_text "$output" "shmrpc_generate: SHMRPC_SHMC is not a program: /nonexistent/shmc"
}

refuses_cross_compiling_without_host_shmc() {
    expect_status 1 configure plain -B cross -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER="$(command -v gcc)"
    expect_text "$output" "cross-compiling needs a shmc that runs on this machine: set SHMRPC_SHMC to its path"
}

names_files_below_their_include_folder() {
    expect_status 0 configure naming -DSHMRPC_SHMC="$(type -P true)"
    local build=$cases_dir/build
    expect_text "$output" "default: $build/shmrpc/program/schemas/one.shm.h;$build/shmrpc/program/schemas/one.shm.c"
    expect_text "$output" "included: $build/out/one.shm.h;$build/out/one.shm.c"
    expect_text "$output" "outside: $build/shmrpc/third/one.shm.h;$build/shmrpc/third/one.shm.c"
}

run_case refuses_call_without_target
run_case refuses_unknown_target
run_case refuses_target_that_compiles_nothing
run_case refuses_target_of_another_folder
run_case refuses_call_without_files
run_case refuses_file_that_is_not_there
run_case refuses_file_of_another_kind
run_case refuses_include_folder_that_is_not_there
run_case refuses_unknown_arguments
run_case refuses_package_without_library
run_case refuses_build_without_shmc
run_case refuses_host_shmc_that_is_not_there
run_case refuses_cross_compiling_without_host_shmc
run_case names_files_below_their_include_folder
end_cases
