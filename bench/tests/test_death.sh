#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_death.sh SOURCE_DIR BENCH_DEATH: what bench_death refuses, what it writes, and that it leaves nothing behind.
# No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench_death=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# A short run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench_death" --kills 2 "$@"; }

expect_nothing_left() {
    local left
    left=$(find "$PWD" -mindepth 1 ! -name "${1:-}")
    [ -z "$left" ] || fail "left behind: $left"
}

times_a_sleeping_and_a_spinning_caller() {
    expect_status 0 small_run
    local name
    for name in asleep spinning; do
        grep -Eq "^$name +[0-9]+ +[0-9]+ +[0-9]+ " <<<"$output" || fail "no row $name in: $output"
    done
    expect_nothing_left
}

times_them_without_what_newer_kernels_have() {
    expect_status 0 env SHMRPC_WITHOUT=futex_waitv,membarrier,scm_pidfd TMPDIR="$PWD" "$bench_death" --kills 2
    expect_text "$output" "asleep "
    expect_nothing_left
}

writes_json_with_conditions() {
    expect_status 0 small_run --json result.json
    local key
    for key in benchmark format version conditions kernel machine processor virtual_machine cores_online load kills \
        ways name summary p50_ns p99_ns most_ns; do
        grep -q "\"$key\":" result.json || fail "no key $key in: $(cat result.json)"
    done
    if command -v python3 >/dev/null; then
        python3 -m json.tool result.json >/dev/null || fail "not JSON: $(cat result.json)"
    fi
    expect_nothing_left result.json
}

refuses() {
    local words=$1
    shift
    expect_status 2 small_run "$@"
    expect_text "$output" "$words"
    expect_nothing_left
}

refuses_unknown_option() { refuses "unrecognized option" --fast; }
refuses_no_kills() { refuses "--kills takes a number from 1 to 100000, not '0'" --kills 0; }
refuses_number_with_rest() { refuses "--kills takes a number from 1 to 100000, not '1e6'" --kills 1e6; }
refuses_argument() { refuses "unexpected argument 'now'" now; }

reports_json_that_cannot_be_written() {
    expect_status 2 small_run --json /dev/full
    expect_text "$output" "cannot write /dev/full: No space left on device"
}

ends_by_the_signal_and_cleans_up() {
    local status=0 bench i children=
    TMPDIR=$PWD "$bench_death" --kills 100000 >/dev/null &
    bench=$!
    for ((i = 0; i < 1000; i++)); do
        children=$(cat "/proc/$bench/task/$bench/children" 2>/dev/null || true)
        [ -z "$children" ] || break
        read -rt 0.01 <> <(:) || true
    done
    [ -n "$children" ] || fail "no children after ten seconds"
    kill -TERM "$bench"
    wait "$bench" || status=$?
    [ "$status" -eq 143 ] || fail "status $status, not that of SIGTERM"
    expect_nothing_left
}

run_case times_a_sleeping_and_a_spinning_caller
run_case times_them_without_what_newer_kernels_have
run_case writes_json_with_conditions
run_case refuses_unknown_option
run_case refuses_no_kills
run_case refuses_number_with_rest
run_case refuses_argument
run_case reports_json_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
end_cases
