#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_dev.sh SOURCE_DIR: how tools/dev meets a bare system and a wrong call. Nothing is built or installed here.
set -uo pipefail

readonly source_dir=$1
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly dev=$source_dir/tools/dev

# A folder with these programs alone, the PATH of a system without the rest.
bare_path() {
    mkdir bin
    local program
    for program in bash cat chmod cp dirname env grep id ls mkdir nproc sed tail tr uname; do
        ln -s "$(type -P "$program")" "bin/$program"
    done
}

helps_with_every_verb() {
    local verb
    expect_status 0 "$dev" help
    for verb in demo test asan ubsan tsan fmt lint bench coverage install ci; do
        expect_text "$output" "$verb"
    done
}

refuses_unknown_verb() {
    expect_status 2 "$dev" frobnicate
    expect_text "$output" "there is no verb 'frobnicate'"
}

refuses_bounds_that_are_none() {
    expect_status 2 "$dev" coverage --at-least compiler
    expect_text "$output" "--at-least takes compiler or runtime, and a percentage"
    expect_status 2 "$dev" coverage --at-least tests 95
    expect_status 2 "$dev" coverage --at-least compiler 95 --at-least runtime most
}

refuses_peers_of_a_benchmark_that_has_none() {
    expect_status 2 "$dev" bench rhythm --peers
    expect_text "$output" "--peers is for all of it, or for the benchmarks call, flight, payload, not 'rhythm'"
}

works_without_home_and_locale() {
    expect_status 0 env -i PATH="$PATH" "$dev" help
    expect_text "$output" "/.cache/shmrpc/build$source_dir"
}

builds_where_it_is_told_to() {
    expect_status 0 env SHMRPC_BUILD_ROOT=/somewhere/else "$dev" help
    expect_text "$output" "Builds are kept under /somewhere/else"
}

lists_missing_packages_without_apt() {
    bare_path
    expect_status 2 env PATH="$PWD/bin" "$dev" test
    expect_text "$output" "install these first (Debian's names): gcc"
    expect_text "$output" "cmake make ninja-build pkg-config flex bison libprotobuf-c-dev protobuf-c-compiler check"
}

lists_missing_packages_without_root_and_sudo() {
    bare_path
    printf '#!/bin/sh\necho 1000\n' >bin/fake-id
    printf '#!/bin/sh\nexit 99\n' >bin/apt-get
    chmod +x bin/fake-id bin/apt-get
    rm bin/id
    mv bin/fake-id bin/id
    expect_status 2 env PATH="$PWD/bin" "$dev" test
    expect_text "$output" "install these as root first: apt-get install gcc"
}

updates_lists_and_tries_again_where_installing_fails() {
    bare_path
    # An apt that has no lists until it has updated them, and then installs nothing.
    printf '#!/bin/sh\necho "$*" >>%q\ncase $* in *update*) : >%q ;; esac\n[ -e %q ]\n' \
        "$PWD/calls" "$PWD/lists" "$PWD/lists" >bin/apt-get
    printf '#!/bin/sh\necho 0\n' >bin/fake-id
    chmod +x bin/fake-id bin/apt-get
    rm bin/id
    mv bin/fake-id bin/id
    expect_status 2 env PATH="$PWD/bin" SHMRPC_BUILD_ROOT="$PWD/build" "$dev" test
    expect_text "$output" "was installed and still is not found"
    [ "$(grep -c ' install ' calls)" -eq 2 ] || fail "$(cat calls)"
    [ "$(grep -c 'update$' calls)" -eq 1 ] || fail "$(cat calls)"
}

# wants PATH: want_packages of one that is not there, with the programs of that PATH alone.
wants() {
    # shellcheck disable=SC2016
    expect_status 0 env PATH="$1" SHMRPC_BUILD_ROOT="$PWD/build" source_dir="$source_dir" bash -euc \
        '. "$source_dir/tools/common.sh"; . "$source_dir/tools/packages.sh"; want_packages spin; echo and went on'
    expect_text "$output" "going on without spin, which is not installed"
    expect_text "$output" "and went on"
}

goes_on_without_what_is_only_wanted() {
    bare_path
    wants "$PWD/bin"
    # The same where apt cannot install it.
    printf '#!/bin/sh\nexit 100\n' >bin/apt-get
    printf '#!/bin/sh\necho 0\n' >bin/fake-id
    chmod +x bin/fake-id bin/apt-get
    rm bin/id
    mv bin/fake-id bin/id
    wants "$PWD/bin"
    expect_text "$output" "installing spin"
}

run_case helps_with_every_verb
run_case refuses_unknown_verb
run_case refuses_bounds_that_are_none
run_case refuses_peers_of_a_benchmark_that_has_none
run_case works_without_home_and_locale
run_case builds_where_it_is_told_to
run_case lists_missing_packages_without_apt
run_case lists_missing_packages_without_root_and_sudo
run_case updates_lists_and_tries_again_where_installing_fails
run_case goes_on_without_what_is_only_wanted
end_cases
