#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_payload.sh SOURCE_DIR BENCH_PAYLOAD: what bench_payload times and writes, and that it leaves nothing behind. What
# the options of all such benches refuse is test_call.sh's. No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# The smallest run there is, with its private directory below the case's own folder; of one contestant, unless more are
# asked for.
small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 320 --quiet --only typed "$@"; }

readonly quartiles='[0-9]+\.[0-9]+ \[ *[0-9]+\.[0-9]+, *[0-9]+\.[0-9]+\]'

# expect_rows COUNT NAME: so many rows of a contestant, each with three figures and three ratios, or two without unix.
expect_rows() {
    local rows
    rows=$(grep -Ec "^$2 +[0-9]+\.[0-9]+ +[0-9]+\.[0-9]+ +[0-9]+\.[0-9]+( +$quartiles){2} +($quartiles|-)   [A-Za-z]" <<<"$output")
    [ "$rows" -eq "$1" ] || fail "not $1 rows of $2 in: $output"
}

times_each_size_in_each_way() {
    expect_status 0 small_run --only raw,raw_three,typed,in_place,unix
    local size
    for size in "1 KiB" "4 KiB" "16 KiB" "64 KiB" "1 MiB"; do
        grep -q "^$size by copy, [0-9]* calls; times as multiples of raw " <<<"$output" || fail "no $size in: $output"
    done
    for size in "64 KiB" "1 MiB" "64 MiB"; do
        grep -q "^$size in place, [0-9]* calls; times as multiples of raw_three " <<<"$output" ||
            fail "no $size in place in: $output"
    done
    expect_text "$output" "goal of typed: at most 1.10, and below 1 of unix"
    expect_text "$output" "goal of in_place: at most 1.10, and below 1 of unix"
    expect_rows 5 raw
    expect_rows 8 raw_three
    expect_rows 5 typed
    expect_rows 3 in_place
    expect_rows 8 unix
    expect_nothing_left
}

runs_both_sides_on_one_core() {
    local core
    core=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
    expect_status 0 small_run --server-core "$core" --client-core "$core" --only in_place
    expect_text "$output" "server and client share core $core"
    expect_rows 3 in_place
}

writes_json_with_two_ratios() {
    expect_json_of "server_core client_core shares_core rounds calls stamp stamp_cost_ns huge_pages parts title reference \
        in_flight payload_bytes goal contestants name summary p50_ns p99_ns server_ns time_ratio unix_ratio lower \
        median upper own" --only in_place,unix
    local name
    for name in copy_1k copy_4k copy_16k copy_64k copy_1m in_place_64k in_place_1m in_place_64m; do
        grep -q "\"name\": \"$name\"" result.json || fail "no part $name in: $(cat result.json)"
    done
    ! grep -Eq '_bytes": 8,|inf|nan' result.json || fail "sizes or ratios are wrong: $(cat result.json)"
}

takes_no_ratio_to_what_was_not_asked_for() {
    expect_status 0 small_run --json result.json
    ! grep -q unix_ratio result.json || fail "a ratio to unix: $(cat result.json)"
}

puts_arenas_in_huge_pages_when_asked() {
    expect_status 0 small_run --huge-pages --only in_place --parts in_place_1m --json result.json
    expect_text "$output" "arenas in huge pages, where there are some"
    expect_rows 1 in_place
    grep -q '"huge_pages": true' result.json || fail "not said in: $(cat result.json)"
    rm result.json
    expect_nothing_left
}

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --rounds 1000 --quiet; }

run_case times_each_size_in_each_way
run_case runs_both_sides_on_one_core
run_case writes_json_with_two_ratios
run_case takes_no_ratio_to_what_was_not_asked_for
run_case puts_arenas_in_huge_pages_when_asked
run_case reports_json_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
end_cases
