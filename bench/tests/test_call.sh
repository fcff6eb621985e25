#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_call.sh SOURCE_DIR BENCH_CALL: what bench_call refuses, what it writes, and that it leaves nothing behind.
# No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# The smallest run there is, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 320 --quiet "$@"; }

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
    expect_json_of "server_core client_core shares_core rounds calls calls_per_block request_bytes reply_bytes \
        stamp stamp_cost_ns contestants name summary p50_ns p99_ns p999_ns block_ns calls_per_s \
        time_ratio lower median upper own limit" --only limit,typed
}

refuses_unknown_contestant() { refuses "--only takes names of contestants, not 'limit,tcp'" --only limit,tcp; }
refuses_no_rounds() { refuses "--rounds takes a number from 1 to 1000, not '0'" --rounds 0; }
refuses_number_with_rest() { refuses "--calls takes a number from 320 to 10000000, not '1e6'" --calls 1e6; }
refuses_core_that_is_not_there() { refuses "this process may not run on one of them" --server-core 1023; }

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --rounds 1000 --quiet; }

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
