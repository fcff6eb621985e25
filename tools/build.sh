# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Configures and builds presets, runs tests and counts them. Sourced by tools/dev, which sets the folders.
# shellcheck disable=SC2154

# build PRESET [TARGET]: configures (where needed) and builds into $build_root/PRESET.
build() {
    local preset=$1 dir=$build_root/$1 target=${2:-all}
    say "building $preset in $dir"
    # A folder that was configured for another place is of no use.
    if [ -f "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$source_dir" "$dir/CMakeCache.txt"; then
        rm -rf "$dir"
    fi
    quietly "$preset-configure.log" cmake -S "$source_dir" --preset "$preset" -B "$dir"
    quietly "$preset-build.log" cmake --build "$dir" --target "$target" --parallel "$(job_count)"
}

# Reports end the process that they are about, so that the test fails. Tests fork children that start threads.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:die_after_fork=0}

# without_aslr COMMAND…: ThreadSanitizer's map of memory does not suit every layout that the kernel picks.
without_aslr() {
    local machine
    machine=$(uname -m)
    if setarch "$machine" -R true 2>/dev/null; then
        setarch "$machine" -R "$@"
    else
        "$@"
    fi
}

# target_of CTEST…: what has to be built for these tests. Those of the compiler, and fewer, need a small part of the tree.
target_of() {
    if [ "${1:-} ${2:-}" = "-L compiler" ]; then
        echo tests_compiler
    else
        echo all
    fi
}

# run_tests PRESET [CTEST…]: builds, tests, prints a line per suite and, last, `N passed, N failed`.
run_tests() {
    local preset=$1 dir=$build_root/$1 runner=() status=0
    shift
    build "$preset" "$(target_of "$@")"
    [ "$preset" != tsan ] || runner=(without_aslr)
    rm -f "$dir/Testing/Temporary/LastTest.log"
    "${runner[@]}" ctest --test-dir "$dir" --no-tests=error --output-on-failure --parallel "$(job_count)" "$@" \
        </dev/null || status=$?
    if [ ! -f "$dir/Testing/Temporary/LastTest.log" ]; then
        say "no test ran"
        printf '0 passed, 1 failed\n'
        return 1
    fi
    awk -f "$tools_dir/count.awk" "$dir/Testing/Temporary/LastTest.log" || status=1
    return "$status"
}
