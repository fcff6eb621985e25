#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_death.sh SOURCE_DIR BENCH_DEATH: what bench_death refuses, what it writes, and that it leaves nothing behind.
# No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A short run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --kills 2 "$@"; }

times_a_sleeping_and_a_spinning_caller() {
    expect_status 0 small_run
    local name
    for name in asleep spinning; do
        grep -Eq "^$name +[0-9]+ +[0-9]+ +[0-9]+ " <<<"$output" || fail "no row $name in: $output"
    done
    expect_nothing_left
}

times_them_without_what_newer_kernels_have() {
    expect_status 0 env SHMRPC_WITHOUT=futex_waitv,membarrier,scm_pidfd TMPDIR="$PWD" "$bench" --kills 2
    expect_text "$output" "asleep "
    expect_nothing_left
}

writes_json_with_conditions() {
    expect_json_of "kills ways name summary p50_ns p99_ns most_ns"
}

refuses_no_kills() { refuses "--kills takes a number from 1 to 100000, not '0'" --kills 0; }
refuses_number_with_rest() { refuses "--kills takes a number from 1 to 100000, not '1e6'" --kills 1e6; }

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --kills 100000; }

run_case times_a_sleeping_and_a_spinning_caller
run_case times_them_without_what_newer_kernels_have
run_case writes_json_with_conditions
run_case refuses_unknown_option
run_case refuses_no_kills
run_case refuses_number_with_rest
run_case refuses_argument
run_case reports_json_that_cannot_be_written
run_case reports_directory_that_cannot_be_made
run_case ends_by_the_signal_and_cleans_up
end_cases
