# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh, after tests/support/cases.sh: what the cases of all benches share. Whoever includes it has the program's path
# in $bench, and defines small_run, which runs it for a short while with its private directory below the case's folder.

expect_nothing_left() {
    local left
    left=$(find "$PWD" -mindepth 1 ! -name "${1:-}")
    [ -z "$left" ] || fail "left behind: $left"
}

# refuses WORDS ARGUMENT…: status 2, and these words.
refuses() {
    local words=$1
    shift
    expect_status 2 small_run "$@"
    expect_text "$output" "$words"
    expect_nothing_left
}

refuses_unknown_option() { refuses "unrecognized option" --fast; }
refuses_argument() { refuses "unexpected argument 'now'" now; }

# expect_json_of KEYS [ARGUMENT…]: a run with these writes valid JSON in which these keys and those of all benches occur.
expect_json_of() {
    local key keys=$1
    shift
    expect_status 0 small_run "$@" --json result.json
    for key in benchmark format version conditions kernel machine processor virtual_machine cores_online load $keys; do
        grep -q "\"$key\":" result.json || fail "no key $key in: $(cat result.json)"
    done
    if command -v python3 >/dev/null; then
        python3 -m json.tool result.json >/dev/null || fail "not JSON: $(cat result.json)"
    fi
    expect_nothing_left result.json
}

reports_json_that_cannot_be_written() {
    expect_status 2 small_run --json /dev/full
    expect_text "$output" "cannot write /dev/full: No space left on device"
    expect_status 2 small_run --json none/result.json
    expect_text "$output" "cannot write none/result.json: No such file or directory"
}

reports_directory_that_cannot_be_made() {
    expect_status 2 env TMPDIR="$PWD/none" "$bench"
    expect_text "$output" "cannot make a directory for the servers: No such file or directory"
}

# Waits until the process has children, at most ten seconds; leaves them in $children.
await_children() {
    local i
    for ((i = 0; i < 1000; i++)); do
        children=$(cat "/proc/$1/task/$1/children" 2>/dev/null || true)
        [ -z "$children" ] || return 0
        read -rt 0.01 <> <(:) || true
    done
    fail "no children after ten seconds"
}

# expect_end_by_signal ARGUMENT…, which make for a long run.
expect_end_by_signal() {
    local status=0 children child pid
    TMPDIR=$PWD "$bench" "$@" >/dev/null &
    pid=$!
    await_children "$pid"
    kill -TERM "$pid"
    wait "$pid" || status=$?
    [ "$status" -eq 143 ] || fail "status $status, not that of SIGTERM"
    for child in $children; do
        [ ! -e "/proc/$child" ] || fail "process $child is still there"
    done
    expect_nothing_left
}
