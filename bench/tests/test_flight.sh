#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_flight.sh SOURCE_DIR BENCH_FLIGHT: what bench_flight counts and writes, and that it leaves nothing behind. What
# the options of all such benches refuse is test_call.sh's. No rate is looked at.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A small run, with its private directory below the case's own folder; the calls are more than any ring has slots, and no
# multiple of what is in flight.
small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 3232 --quiet "$@"; }

# expect_rows COUNT NAME: so many rows of a contestant, each with a rate and its share.
expect_rows() {
    [ "$(grep -Ec "^$2 +[1-9][0-9]* +[0-9]+\.[0-9]+ \[ *[0-9]+\.[0-9]+, *[0-9]+\.[0-9]+\]   [A-Za-z]" <<<"$output")" \
        -eq "$1" ] || fail "not $1 rows of $2 in: $output"
}

counts_calls_in_flight_and_messages_one_way() {
    expect_status 0 small_run
    local in_flight
    for in_flight in "1 call" "4 calls" "16 calls" "64 calls" "256 calls"; do
        grep -q "^$in_flight in flight; rates as shares of that of raw," <<<"$output" ||
            fail "no $in_flight in flight in: $output"
    done
    expect_text "$output" "with 64 slots as the lane; goal of batches: at least 0.85"
    expect_text "$output" "one way, 48 bytes, batches of 16; rates as shares of that of raw_oneway,"
    expect_text "$output" "goal of batches: at least 0.80"
    expect_rows 5 raw
    expect_rows 5 typed_batch
    expect_rows 5 typed_window
    expect_rows 5 unix
    expect_rows 1 raw_oneway
    expect_rows 1 typed_oneway
    expect_nothing_left
}

runs_both_sides_on_one_core() {
    local core
    core=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
    expect_status 0 small_run --calls 320 --server-core "$core" --client-core "$core"
    expect_text "$output" "server and client share core $core"
    expect_rows 5 typed_window
    expect_rows 1 typed_oneway
}

leaves_out_parts_without_a_chosen_contestant() {
    expect_status 0 small_run --only typed_oneway
    ! grep -q 'in flight' <<<"$output" || fail "calls in flight in: $output"
    expect_rows 1 typed_oneway
}

writes_json_with_rates() {
    expect_json_of "server_core client_core shares_core rounds calls request_bytes reply_bytes oneway_bytes stamp \
        stamp_cost_ns parts title reference in_flight goal contestants name summary calls_per_s rate_ratio lower \
        median upper own" --only typed_batch,typed_oneway
    local name
    for name in in_flight_1 in_flight_4 in_flight_16 in_flight_64 in_flight_256 oneway_16; do
        grep -q "\"name\": \"$name\"" result.json || fail "no part $name in: $(cat result.json)"
    done
    ! grep -Eq '"calls_per_s": 0\.0|inf|nan' result.json || fail "nothing was counted: $(cat result.json)"
}

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --rounds 1000 --quiet; }

run_case counts_calls_in_flight_and_messages_one_way
run_case runs_both_sides_on_one_core
run_case leaves_out_parts_without_a_chosen_contestant
run_case writes_json_with_rates
run_case reports_json_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
end_cases
