#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_rhythm.sh SOURCE_DIR BENCH_RHYTHM: who takes part in which rhythm, what bench_rhythm writes, and that it leaves
# nothing behind. What the options of all such benches refuse is test_call.sh's. No timing is looked at, but that a
# server which answers has taken some.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# The smallest run there is, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 320 --quiet "$@"; }

# expect_rows COUNT NAME: so many rows of a contestant, each with three figures and two ratios.
expect_rows() {
    local quartiles='[0-9]+\.[0-9]+ \[ *[0-9]+\.[0-9]+, *[0-9]+\.[0-9]+\]'
    [ "$(grep -Ec "^$2 +[0-9]+ +[0-9]+ +[0-9]+\.[0-9]+ +$quartiles +$quartiles   [A-Za-z]" <<<"$output")" -eq "$1" ] ||
        fail "not $1 rows of $2 in: $output"
}

times_each_way_to_wait_in_each_rhythm() {
    expect_status 0 small_run
    expect_text "$output" "two cores, 1 us of work between calls; times as multiples of limit"
    expect_text "$output" "goal of p50: at most 1.05"
    expect_text "$output" "two cores, a call each 200 us; times as multiples of futex"
    expect_text "$output" "goal of p50: at most 1.10"
    expect_text "$output" "one core, a call each 200 us; times as multiples of futex"
    expect_text "$output" "goal of p50: at most 1.20"
    expect_rows 2 limit
    expect_rows 4 futex
    expect_rows 3 typed_poll
    expect_rows 6 typed_default
    expect_rows 6 typed_sleep
    expect_rows 6 unix
    expect_nothing_left
}

leaves_out_what_needs_two_cores_where_there_is_one() {
    local core
    core=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
    expect_status 0 small_run --server-core "$core" --client-core "$core" --only typed_poll,typed_sleep
    expect_text "$output" "server and client share core $core"
    ! grep -q '^two cores' <<<"$output" || fail "two cores in: $output"
    expect_rows 0 typed_poll
    expect_rows 3 typed_sleep
}

writes_json_with_the_time_of_servers() {
    expect_json_of "server_core client_core shares_core rounds calls request_bytes reply_bytes stamp stamp_cost_ns \
        parts title reference goal contestants name summary p50_ns p99_ns server_ns time_ratio lower median upper \
        own" --only typed_sleep
    local name
    for name in next work_1us timer_200us next_one_core work_1us_one_core timer_200us_one_core; do
        grep -q "\"name\": \"$name\"" result.json || fail "no part $name in: $(cat result.json)"
    done
    ! grep -q '"server_ns": 0\.0' result.json || fail "a server without time: $(cat result.json)"
}

refuses_contestant_of_another_question() {
    refuses "--only takes names of contestants, not 'typed_sleep,ring'" --only typed_sleep,ring
}

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --rounds 1000 --quiet; }

run_case times_each_way_to_wait_in_each_rhythm
run_case leaves_out_what_needs_two_cores_where_there_is_one
run_case writes_json_with_the_time_of_servers
run_case refuses_contestant_of_another_question
run_case reports_json_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
end_cases
