#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_idle.sh SOURCE_DIR BENCH_IDLE: what bench_idle counts and refuses, what it writes, and that it leaves nothing
# behind. That there is nothing to count is ipc_idle's to show.
set -uo pipefail

readonly source_dir=$1 bench_idle=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# A short run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench_idle" --seconds 1 --clients 3 "$@"; }

expect_nothing_left() {
    local left
    left=$(find "$PWD" -mindepth 1 ! -name "${1:-}")
    [ -z "$left" ] || fail "left behind: $left"
}

# expect_row WHO CLIENTS THREADS: with three counts behind.
expect_row() {
    grep -Eq "^$1 +$2 +$3 +[0-9]+ +[0-9]+ +[0-9]+\.[0-9]$" <<<"$output" || fail "no row '$1 $2 $3' in: $output"
}

counts_a_server_and_its_clients() {
    expect_status 0 small_run
    expect_row server 1 1
    expect_row server 3 1
    # A client has a thread of its own and one that watches servers.
    expect_row clients 1 2
    expect_row clients 3 6
    expect_nothing_left
}

counts_every_worker() {
    expect_status 0 small_run --workers 3
    expect_row server 1 3
    expect_row server 3 3
    expect_nothing_left
}

writes_json_with_conditions() {
    expect_status 0 small_run --json result.json
    local key
    for key in benchmark format version conditions kernel machine processor virtual_machine cores_online load seconds \
        workers rows who clients threads voluntary involuntary cpu_ns; do
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
refuses_no_clients() { refuses "--clients takes a number from 1 to 1000, not '0'" --clients 0; }
refuses_too_many_workers() { refuses "--workers takes a number from 1 to 64, not '65'" --workers 65; }
refuses_number_with_rest() { refuses "--seconds takes a number from 1 to 3600, not '1e1'" --seconds 1e1; }
refuses_argument() { refuses "unexpected argument 'now'" now; }

reports_json_that_cannot_be_written() {
    expect_status 2 small_run --json /dev/full
    expect_text "$output" "cannot write /dev/full: No space left on device"
}

ends_by_the_signal_and_cleans_up() {
    local status=0 bench i children=
    TMPDIR=$PWD "$bench_idle" --seconds 3600 >/dev/null &
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

run_case counts_a_server_and_its_clients
run_case counts_every_worker
run_case writes_json_with_conditions
run_case refuses_unknown_option
run_case refuses_no_clients
run_case refuses_too_many_workers
run_case refuses_number_with_rest
run_case refuses_argument
run_case reports_json_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
end_cases
