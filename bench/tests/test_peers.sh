#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_peers.sh SOURCE_DIR BENCH_PEERS: who takes part beside whom, what bench_peers writes, and that it leaves nothing
# behind, also of iceoryx's daemon. Which libraries there are is the build's matter: those that are not are told. What the
# options of all such benches refuse is test_call.sh's. No timing is looked at.
set -uo pipefail

readonly source_dir=$1 bench=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A small run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 320 --quiet "$@"; }

has() { "$bench" --help | sed -n 's/^contestants://p' | grep -qw "$1"; }

# expect_rows COUNT NAME: so many rows of a contestant that say who is faster.
expect_rows() {
    [ "$(grep -Ec "^$2 +[0-9. ]+\[ *[0-9]+\.[0-9]+, *[0-9]+\.[0-9]+\] (times faster|times slower|about as fast) +[A-Za-z]" <<<"$output")" \
        -eq "$1" ] || fail "not $1 rows of $2 in: $output"
}

# What has fixed names: iceoryx's daemon and its clients.
expect_no_daemon() {
    local left
    left=$(find /dev/shm /tmp -maxdepth 1 \( -name iceoryx_mgmt -o -name 'roudi*' -o -name 'iox-unique-roudi*' \
        -o -name 'shmrpc-bench-server*' -o -name 'shmrpc-bench-client*' \) 2>/dev/null)
    [ -z "$left" ] || fail "left behind: $left"
}

sets_the_mechanisms_of_the_kernel_beside_shmrpc() {
    expect_status 0 small_run --only typed_default,typed_sleep,limit,futex,unix,eventfd,seqpacket --parts call
    expect_text "$output" "one call after another, 8 bytes each way; against typed_default"
    expect_text "$output" "how many times as long the others take as shmrpc; below 1, shmrpc is slower"
    expect_rows 1 typed_default
    expect_rows 1 typed_sleep
    expect_rows 1 limit
    local name
    for name in futex unix eventfd seqpacket; do
        expect_rows 2 "$name"
        grep -Eq "^$name +[0-9]+\.[0-9]{2} +[0-9]+\.[0-9]{2}$" <<<"$output" || fail "no $name in the last table: $output"
    done
    expect_nothing_left
}

counts_with_many_in_flight() {
    expect_status 0 small_run --parts in_flight --only typed_batch,typed_window,unix
    expect_rows 5 typed_batch
    expect_rows 5 typed_window
    expect_rows 5 unix
    expect_nothing_left
}

sends_payloads() {
    expect_status 0 small_run --parts payload --only typed,unix,eventfd,seqpacket
    expect_rows 3 eventfd
    expect_rows 3 seqpacket
    expect_rows 3 typed
    expect_nothing_left
}

# runs_library NAME ROWS: in all parts in which it can be.
runs_library() {
    has "$1" || skip "$1 was not found when this was built"
    expect_status 0 small_run --only "$1" --parts call,in_flight_16,payload_1
    expect_rows "$2" "$1"
    [ "$(grep -c '' <<<"$output")" -lt 40 ] || fail "more than a report: $output"
    expect_nothing_left
    expect_no_daemon
}

tells_which_libraries_are_not_there() {
    expect_json_of "parts absent" --only eventfd --parts call
    expect_status 0 small_run --only eventfd --parts call
    local name library
    for library in iceoryx sdbus zeromq capnp nng grpc; do
        if has "$library"; then
            ! grep -q "^$library takes no part" <<<"$output" || fail "$library takes part: $output"
        else
            grep -q "^$library takes no part: not found when this was built (Debian: [a-z]" <<<"$output" ||
                fail "no word of $library in: $output"
            grep -q "{\"name\": \"$library\", \"packages\": \"" result.json || fail "no $library in: $(cat result.json)"
        fi
    done
}

writes_json_with_percentiles() {
    expect_json_of "server_core client_core shares_core rounds calls stamp stamp_cost_ns parts title reference \
        payload_bytes in_flight contestants summary p10_ns p25_ns p50_ns p75_ns p90_ns p95_ns p99_ns p999_ns \
        calls_per_s time_ratio lower median upper own shmrpc absent" --only eventfd --parts call
}

refuses_part_that_there_is_not() {
    refuses "--parts takes the beginnings of names of parts, not 'payload_2k,,'" --parts payload_2k,,
}

refuses_to_run_beside_another_daemon() {
    local status=0
    has iceoryx || skip "iceoryx was not found when this was built"
    # Whoever holds this lock is a daemon as far as others can see.
    [ ! -e /tmp/iox-unique-roudi.lock ] || fail "a daemon runs here"
    : >/tmp/iox-unique-roudi.lock
    exec 9</tmp/iox-unique-roudi.lock
    flock -x 9
    (refuses "iceoryx: an iox-roudi runs that is not ours" --only iceoryx --parts call) || status=1
    # Those who do not need it do not mind.
    (expect_status 0 small_run --only eventfd --parts call) || status=1
    exec 9<&-
    rm /tmp/iox-unique-roudi.lock
    [ "$status" -eq 0 ] || fail "see above"
}

reports_json_of_few_that_cannot_be_written() {
    small_run() { TMPDIR=$PWD "$bench" --rounds 1 --calls 320 --quiet --parts call --only eventfd "$@"; }
    reports_json_that_cannot_be_written
}

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --rounds 1000 --quiet --parts call --only eventfd; }

ends_the_daemon_with_itself() {
    has iceoryx || skip "iceoryx was not found when this was built"
    expect_end_by_signal --rounds 1000 --quiet --parts call --only iceoryx
    expect_no_daemon
}

run_case sets_the_mechanisms_of_the_kernel_beside_shmrpc
run_case counts_with_many_in_flight
run_case sends_payloads
run_case runs_library sdbus 5
run_case runs_library zeromq 5
run_case runs_library nng 5
run_case runs_library capnp 5
run_case runs_library grpc 4
run_case runs_library grpc_stream 3
run_case runs_library iceoryx 3
run_case runs_library iceoryx_waitset 4
run_case tells_which_libraries_are_not_there
run_case writes_json_with_percentiles
run_case refuses_part_that_there_is_not
run_case refuses_to_run_beside_another_daemon
run_case reports_json_of_few_that_cannot_be_written
run_case ends_by_the_signal_and_cleans_up
run_case ends_the_daemon_with_itself
end_cases
