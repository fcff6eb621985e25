# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts here share. Sourced with $source_dir set.

# Bare systems have neither a locale nor a home in the environment.
export LC_ALL=C
if [ -z "${HOME:-}" ]; then
    unset HOME
    HOME=~
    export HOME
fi

# One folder per source tree, named by its path, as CMakePresets.json has it too.
# shellcheck disable=SC2154
build_root=${SHMRPC_BUILD_ROOT:-$HOME/.cache/shmrpc/build$source_dir}

say() {
    printf 'dev: %s\n' "$*" >&2
}

fail() {
    say "$*"
    exit 2
}

job_count() {
    nproc 2>/dev/null || echo 2
}

# quietly LOG COMMAND…: the command's output goes to a log of that name, and its end is shown where it fails.
quietly() {
    local log=$build_root/$1 status=0
    shift
    mkdir -p "$build_root" || fail "cannot write to $build_root: set SHMRPC_BUILD_ROOT to another folder"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 80 >&2 || true
        say "failed with status $status: $*"
        say "all of its output: $log"
    fi
    return "$status"
}
