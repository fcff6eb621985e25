#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_faults.sh SOURCE_DIR SHMC: memory that runs out and system calls that fail, each at every place there is.
#
# SHMC is linked with faults.c. A scenario is a folder to start from and a command. The command is run for the first,
# second, third… call of a kind to fail until there is no such call any more, and each time this holds: either it ends as
# it does without a fault, or with status 2 (1 where an import cannot be read), a message, and the folder as it was.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly calls_most=3000

# run FOLDER ARGUMENT…: in FOLDER; the status is left in $status, the output in `out` and `err`.
run() {
    local folder=$1
    shift
    status=0
    (cd "$folder" && exec "$shmc" "$@") >out 2>err </dev/null || status=$?
}

# The same, in a fresh copy of `start`, named `work`.
run_afresh() {
    rm -rf work mark
    cp -a start work
    run work "$@"
}

# What is there: modes, names, links and contents, hidden files too.
is_as() {
    diff -r --no-dereference "$1" work >difference || return 1
    diff <(cd "$1" && find . -printf '%p %M\n' | sort) <(cd work && find . -printf '%p %M\n' | sort) >difference
}

# without_fault ARGUMENT…: what it is held against, in the folder `right`, in right.out and in $right_status.
without_fault() {
    run_afresh "$@"
    rm -rf right
    mv work right
    mv out right.out
    right_status=$status
}

# each CALL ERROR ARGUMENT…: CALL fails with ERROR at each of its calls. $failed is how often that was told of.
each() {
    local call=$1 error=$2 at
    shift 2
    failed=0
    for ((at = 1; at <= calls_most; at++)); do
        SHMC_FAULT_CALL=$call SHMC_FAULT_ERROR=$error SHMC_FAULT_AT=$at SHMC_FAULT_MARK=$PWD/mark run_afresh "$@"
        [ -e mark ] || break
        judge "$call $at, error $error: shmc $*"
    done
    [ "$at" -gt 1 ] || fail "there is no $call in shmc $*"
    [ "$at" -le "$calls_most" ] || fail "$call: no end"
    { [ "$status" -eq "$right_status" ] && is_as right; } || fail "shmc $*: not even without a fault"
    case $error in
    EINTR | SHORT) [ "$failed" -eq 0 ] || fail "$call, error $error: is no fault: $(cat out err)" ;;
    esac
    echo "$call, error $error: $((at - 1)) times, told of $failed times: shmc $*"
}

judge() {
    if [ "$status" -eq "$right_status" ] && is_as right && cmp -s out right.out; then
        return
    fi
    failed=$((failed + 1))
    case $status in
    1) grep -qE 'error\[E' out err || fail "$1: status 1 without an error: $(cat out err)" ;;
    2) grep -qE '^shmc: |error\[E|"code": "E' out err || fail "$1: status 2 without a message: $(cat out err)" ;;
    *) fail "$1: status $status: $(cat out err)" ;;
    esac
    is_as start || fail "$1: $(cat err difference)"
}

# every FAILING… -- ARGUMENT…: memory, and the calls that are named, as CALL=ERROR.
every() {
    local faults=() fault
    while [ "$1" != -- ]; do
        faults+=("$1")
        shift
    done
    shift
    without_fault "$@"
    each memory ENOMEM "$@"
    [ "$failed" -gt 10 ] || fail "memory ran out $failed times"
    for fault in ${faults[@]+"${faults[@]}"}; do
        each "${fault%=*}" "${fault#*=}" "$@"
    done
}

readonly reading=(open=EMFILE open=EACCES fstat=EIO fcntl=EINVAL read=EIO read=EINTR read=SHORT
    realpath=ENOMEM close=EIO)

schema() {
    mkdir start
    cp -r "$source_dir/idl-examples/03-kv/." start
    chmod -R u+w start
}

generates_anew() {
    schema
    every "${reading[@]}" mkdir=ENOSPC write=ENOSPC write=EINTR write=SHORT rename=EXDEV \
        -- generate --emit c,json,proto,doc --out made/deep --depfile made/d kv.shm demo/health.shm
}

# Paths that are so long that memory is needed in the middle of writing, too.
generates_far_away() {
    local far
    far=made$(for _ in {1..9}; do
        printf /
        printf '%0200d' 0
    done)
    schema
    every mkdir=ENOSPC write=ENOSPC -- generate --emit c,json,proto,doc --out "$far" kv.shm demo/health.shm
    (cd start && "$shmc" generate --emit c,json --out "$far" kv.shm demo/health.shm)
    for each in start/"$far"/*.shm.*; do
        echo old >>"$each"
    done
    every renameat2=ENOSPC -- generate --emit c,json,proto,doc --out "$far" kv.shm demo/health.shm
}

generates_over_what_is_there() {
    schema
    (cd start && "$shmc" generate --emit c,json --out made kv.shm demo/health.shm)
    for each in start/made/*.shm.*; do
        echo old >>"$each"
    done
    every "${reading[@]}" stat=EIO write=ENOSPC renameat2=ENOSPC renameat2=EINVAL \
        -- generate --emit c,json --out made kv.shm demo/health.shm
}

freezes_over_a_lock() {
    schema
    (cd start && "$shmc" freeze kv.shm && echo '# a remark' >>kv.shm.lock)
    every "${reading[@]}" write=ENOSPC renameat2=ENOSPC -- freeze kv.shm
}

checks_against_a_lock() {
    schema
    (cd start && "$shmc" freeze kv.shm demo/health.shm)
    every "${reading[@]}" -- check kv.shm demo/health.shm
}

tells_of_mistakes() {
    mkdir start
    cp "$source_dir/tests/diagnostics/bad/E205.shm" start/t.shm
    every "${reading[@]}" -- check --format json t.shm
    [ "$right_status" -eq 1 ] || fail "there is no mistake"
}

formats() {
    mkdir start
    sed 's/^ *//' "$source_dir/idl-examples/03-kv/kv.shm" >start/t.shm
    chmod 640 start/t.shm
    every open=EMFILE open=EACCES fstat=EIO fchmod=EIO read=EIO write=ENOSPC renameat2=ENOSPC -- format t.shm
}

compares_and_shows() {
    schema
    sed 's/uint64 bytes/uint32 bytes/' start/kv.shm >start/old.shm
    every "${reading[@]}" -- breaking --against old.shm --format json kv.shm
    every "${reading[@]}" -- layout --format json kv.shm
}

run_case generates_anew
run_case generates_far_away
run_case generates_over_what_is_there
run_case freezes_over_a_lock
run_case checks_against_a_lock
run_case tells_of_mistakes
run_case formats
run_case compares_and_shows
end_cases
