#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_call.sh SOURCE_DIR BENCH_CALL: what bench_call refuses, what it writes, and that it leaves nothing behind.
# No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench_call=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# The smallest run there is, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench_call" --rounds 1 --calls 320 --quiet "$@"; }

expect_nothing_left() {
    local left
    left=$(find "$PWD" -mindepth 1 ! -name "${1:-}")
    [ -z "$left" ] || fail "left behind: $left"
}

times_every_contestant() {
    expect_status 0 small_run
    local name
    for name in limit ring typed checked unix; do
        grep -Eq "^$name +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ " <<<"$output" || fail "no row $name in: $output"
        grep -Eq "^$name +[0-9]+\.[0-9]+ \[" <<<"$output" || fail "no ratios of $name in: $output"
    done
    expect_nothing_left
}

times_chosen_contestants_only() {
    expect_status 0 small_run --only unix,typed
    expect_text "$output" "typed "
    ! grep -q '^ring' <<<"$output" || fail "ring was not asked for: $output"
}

runs_both_sides_on_one_core() {
    local core
    core=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
    expect_status 0 small_run --server-core "$core" --client-core "$core"
    expect_text "$output" "server and client share core $core"
}

writes_json_with_conditions_and_ratios() {
    expect_status 0 small_run --only limit,typed --json result.json
    local key
    for key in benchmark format version conditions kernel machine processor virtual_machine cores_online load \
        server_core client_core shares_core rounds calls calls_per_block request_bytes reply_bytes stamp \
        stamp_cost_ns contestants name summary p50_ns p99_ns p999_ns block_ns calls_per_s time_ratio lower median \
        upper own limit; do
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
refuses_unknown_contestant() { refuses "--only takes names of contestants, not 'limit,tcp'" --only limit,tcp; }
refuses_no_rounds() { refuses "--rounds takes a number from 1 to 1000, not '0'" --rounds 0; }
refuses_number_with_rest() { refuses "--calls takes a number from 320 to 10000000, not '1e6'" --calls 1e6; }
refuses_argument() { refuses "unexpected argument 'now'" now; }
refuses_core_that_is_not_there() { refuses "this process may not run on one of them" --server-core 1023; }

reports_json_that_cannot_be_written() {
    expect_status 2 small_run --only limit --json /dev/full
    expect_text "$output" "cannot write /dev/full: No space left on device"
    expect_status 2 small_run --only limit --json none/result.json
    expect_text "$output" "cannot write none/result.json: No such file or directory"
}

reports_directory_that_cannot_be_made() {
    expect_status 2 env TMPDIR="$PWD/none" "$bench_call" --rounds 1 --calls 320 --quiet
    expect_text "$output" "cannot make a directory for the servers: No such file or directory"
}

# Waits until the bench has children, at most ten seconds.
await_children() {
    local i
    for ((i = 0; i < 1000; i++)); do
        children=$(cat "/proc/$1/task/$1/children" 2>/dev/null || true)
        [ -z "$children" ] || return 0
        read -rt 0.01 <> <(:) || true
    done
    fail "no children after ten seconds"
}

ends_by_the_signal_and_cleans_up() {
    local status=0 children child bench
    TMPDIR=$PWD "$bench_call" --rounds 1000 --quiet >/dev/null &
    bench=$!
    await_children "$bench"
    kill -TERM "$bench"
    wait "$bench" || status=$?
    [ "$status" -eq 143 ] || fail "status $status, not that of SIGTERM"
    for child in $children; do
        [ ! -e "/proc/$child" ] || fail "process $child is still there"
    done
    expect_nothing_left
}

run_case times_every_contestant
run_case times_chosen_contestants_only
run_case runs_both_sides_on_one_core
run_case writes_json_with_conditions_and_ratios
run_case refuses_unknown_option
run_case refuses_unknown_contestant
run_case refuses_no_rounds
run_case refuses_number_with_rest
run_case refuses_argument
run_case refuses_core_that_is_not_there
run_case reports_json_that_cannot_be_written
run_case reports_directory_that_cannot_be_made
run_case ends_by_the_signal_and_cleans_up
end_cases
