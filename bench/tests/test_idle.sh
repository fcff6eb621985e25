#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_idle.sh SOURCE_DIR BENCH_IDLE: what bench_idle counts and refuses, what it writes, and that it leaves nothing
# behind. That there is nothing to count is ipc_idle's to show.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A short run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --seconds 1 --clients 3 "$@"; }

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
    expect_json_of "seconds workers rows who clients threads voluntary involuntary cpu_ns"
}

refuses_no_clients() { refuses "--clients takes a number from 1 to 1000, not '0'" --clients 0; }
refuses_too_many_workers() { refuses "--workers takes a number from 1 to 64, not '65'" --workers 65; }
refuses_number_with_rest() { refuses "--seconds takes a number from 1 to 3600, not '1e1'" --seconds 1e1; }

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --seconds 3600; }

run_case counts_a_server_and_its_clients
run_case counts_every_worker
run_case writes_json_with_conditions
run_case refuses_unknown_option
run_case refuses_no_clients
run_case refuses_too_many_workers
run_case refuses_number_with_rest
run_case refuses_argument
run_case reports_json_that_cannot_be_written
run_case reports_directory_that_cannot_be_made
run_case ends_by_the_signal_and_cleans_up
end_cases
