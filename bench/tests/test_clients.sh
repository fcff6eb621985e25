#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_clients.sh SOURCE_DIR BENCH_CLIENTS: what bench_clients counts, refuses and writes, and that it leaves nothing
# behind. No timing is looked at; counts of processes and the size of a lane are.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A short run, with its private directory below the case's own folder.
small_run() {
    TMPDIR=$PWD "$bench" --clients 12 --rounds 1 --calls 100 --callers 3 --ms 20 --seconds 1 "$@"
}

readonly quartiles='[0-9]+\.[0-9]+ \[ *[0-9]+\.[0-9]+, *[0-9]+\.[0-9]+\]'

# expect_row EXPRESSION: one line of the output is this.
expect_row() {
    [ "$(grep -Ec "^$1\$" <<<"$output")" -eq 1 ] || fail "not one row '$1' in: $output"
}

asks_all_four_questions() {
    expect_status 0 small_run
    local size
    for size in 1 10 12; do
        expect_row " +$size +[1-9][0-9]* +[1-9][0-9]* +$quartiles +$quartiles"
    done
    expect_text "$output" "11 clients connected, no call for 1 s"
    # All in one process, with a thread of its own and one that watches servers.
    expect_row "server +1 +[0-9]+ +[0-9]+ +[0-9]+\.[0-9]"
    expect_row "clients +2 +[0-9]+ +[0-9]+ +[0-9]+\.[0-9]"
    expect_text "$output" "3 clients call at once for 20 ms"
    expect_row "apart +1 +[1-9][0-9]* +[1-9][0-9]* +$quartiles +$quartiles   server on one core.*"
    expect_row "free +1 +[1-9][0-9]* +[1-9][0-9]* +$quartiles +$quartiles   all where.*"
    expect_row "free_2 +2 +[1-9][0-9]* +[1-9][0-9]* +$quartiles +$quartiles   the same.*"
    # 64 slots of 64 bytes, as many of the inbox, and a header: three pages of 4 KiB.
    [ "$(getconf PAGESIZE)" -ne 4096 ] || expect_row "further +100 +-?[0-9.]+ +-?[0-9.]+ +12\.0 +[0-9.]+   one of.*"
    expect_nothing_left
}

asks_for_the_sizes_that_there_are() {
    expect_status 0 small_run --clients 5
    expect_row " +1 +[1-9][0-9]* .*"
    expect_row " +5 +[1-9][0-9]* .*"
    ! grep -Eq '^ +10 ' <<<"$output" || fail "10 clients in: $output"
}

writes_json_with_conditions() {
    expect_json_of "server_core client_core rounds calls stamp seconds ms active clients p50_ns p99_ns p50_ratio \
        p99_ratio lower median upper idle server holders threads voluntary involuntary cpu_ns flat_out name title \
        workers calls_per_s alone_per_s rate_ratio fairness memory server_bytes client_bytes lane_bytes bytes goals"
    ! grep -Eq 'inf|nan|"calls_per_s": 0\.0' result.json || fail "nothing was counted: $(cat result.json)"
}

says_what_descriptors_it_lacks() {
    expect_status 2 bash -c 'ulimit -n 100 && exec "$@"' limited "$bench" --clients 1000
    expect_text "$output" "a server of 1000 clients needs 4064 open files, and the hard limit is 100: raise it"
    expect_nothing_left
}

refuses_one_client() { refuses "--clients takes a number from 2 to 60000, not '1'" --clients 1; }
refuses_too_many_callers() { refuses "--callers takes a number from 1 to 64, not '65'" --callers 65; }
refuses_number_with_rest() { refuses "--ms takes a number from 1 to 60000, not '1e1'" --ms 1e1; }
refuses_core_that_is_not_there() { refuses "this process may not run on one of the cores" --server-core 1023; }

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --clients 20 --seconds 3600; }

run_case asks_all_four_questions
run_case asks_for_the_sizes_that_there_are
run_case writes_json_with_conditions
run_case says_what_descriptors_it_lacks
run_case refuses_unknown_option
run_case refuses_one_client
run_case refuses_too_many_callers
run_case refuses_number_with_rest
run_case refuses_argument
run_case refuses_core_that_is_not_there
run_case reports_json_that_cannot_be_written
run_case reports_directory_that_cannot_be_made
run_case ends_by_the_signal_and_cleans_up
end_cases
