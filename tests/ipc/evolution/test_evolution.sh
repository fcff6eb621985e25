#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_evolution.sh SUPPORT FOLDER: clients and servers of each step of a schema, as two processes, each with each.
# FOLDER holds the programs evolve_1 to evolve_10 (evolve.c).
set -uo pipefail

# shellcheck source=tests/support/cases.sh
. "$1/cases.sh"
readonly programs=$2
readonly steps=10

# A folder for each case. What it starts ends with it: a server sees the end of its input.
begin() {
    cd "$(mktemp -d "$PWD/case-XXXXXX")"
    export SHMRPC_DIR=$PWD/names
    mkdir -m 700 "$SHMRPC_DIR"
    servers=()
}

# start_server STEP: its input is the descriptor $input.
start_server() {
    rm -f input
    mkfifo input
    "$programs/evolve_$1" serve store <input &
    servers+=($!)
    exec {input}>input
}

stop_server() {
    exec {input}>&-
    wait "${servers[-1]}"
}

a_client_of_step_meets_a_server_of_step() {
    begin
    start_server "$2"
    local status=0
    timeout 60 "$programs/evolve_$1" call store "$2" || status=$?
    stop_server || status=$?
    [ -z "$(ls -A names)" ] || fail "left behind: $(ls -A names)"
    return "$status"
}

# a_client_goes_on_with_the_next_server CLIENT FIRST NEXT: the second server comes in the place of the first one, while the handle is there.
a_client_goes_on_with_the_next_server() {
    begin
    start_server "$2"
    local line status=0
    mkfifo answers questions
    timeout 60 "$programs/evolve_$1" call store "$2" "$3" <questions >answers &
    local client=$!
    exec {ask}>questions {answer}<answers
    read -r line <&"$answer" || fail "the client has ended"
    [ "$line" = next ] || fail "$line"
    kill -KILL "${servers[-1]}"
    wait "${servers[-1]}" || true
    exec {input}>&-
    start_server "$3"
    echo go >&"$ask"
    wait "$client" || status=$?
    stop_server || status=$?
    return "$status"
}

for client in $(seq "$steps"); do
    for server in $(seq "$steps"); do
        run_case a_client_of_step_meets_a_server_of_step "$client" "$server"
    done
done
run_case a_client_goes_on_with_the_next_server 1 1 8
run_case a_client_goes_on_with_the_next_server 7 1 7
run_case a_client_goes_on_with_the_next_server 7 7 1
run_case a_client_goes_on_with_the_next_server 7 3 9
run_case a_client_goes_on_with_the_next_server 9 7 9
run_case a_client_goes_on_with_the_next_server 4 9 2
end_cases
