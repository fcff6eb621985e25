# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Test cases in shell, counted as test_support counts those in C.
#
#   . cases.sh
#   rejects_this() { …; expect …; }
#   run_case rejects_this
#   end_cases            prints `N passed, N failed`, exits
#
# A case is a function that runs in a subshell with `set -e`, in an empty folder of its own. Each case that must
# succeed before another one is run with require_case, which ends the whole where it fails.

cases_passed=0
cases_failed=0
cases_skipped=0
readonly skip_status=77

cases_dir=$(mktemp -d "${TMPDIR:-/tmp}/shmrpc-cases-XXXXXX") || exit 2
trap 'rm -rf "$cases_dir"' EXIT
export LC_ALL=C

# In a case: why it cannot run here.
skip() {
    echo "skipped: $*"
    exit "$skip_status"
}

# In a case: ends it as failed.
fail() {
    echo "$*"
    exit 1
}

# expect_text TEXT WANTED: WANTED occurs in TEXT; runs of white space, as CMake wraps its messages, count as one space.
expect_text() {
    local flat
    flat=$(printf '%s' "$1" | tr -s '[:space:]' ' ')
    case $flat in
    *"$2"*) ;;
    *) fail "expected: $2"$'\n'"found: $1" ;;
    esac
}

# expect_status WANTED COMMAND…: runs it; its output, both streams, is left in $output.
expect_status() {
    local wanted=$1 status=0
    shift
    output=$("$@" 2>&1 </dev/null) || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted: $*"$'\n'"$output"
}

run_case() {
    local status=0 folder=$cases_dir/$1
    mkdir -p "$folder"
    (
        set -e
        cd "$folder"
        "$@"
    ) >"$cases_dir/output" 2>&1 </dev/null
    status=$?
    case $status in
    0) cases_passed=$((cases_passed + 1)) && echo "ok $*" ;;
    "$skip_status")
        cases_skipped=$((cases_skipped + 1))
        echo "skipped $*"
        cat "$cases_dir/output"
        ;;
    *)
        cases_failed=$((cases_failed + 1))
        echo "FAILED $* (status $status)"
        cat "$cases_dir/output"
        ;;
    esac
    return 0
}

require_case() {
    local failed_before=$cases_failed
    run_case "$@"
    [ "$cases_failed" -eq "$failed_before" ] || end_cases
}

end_cases() {
    if [ "$cases_skipped" -gt 0 ]; then
        echo "$cases_passed passed, $cases_failed failed, $cases_skipped skipped"
    else
        echo "$cases_passed passed, $cases_failed failed"
    fi
    [ "$cases_failed" -eq 0 ] && [ $((cases_passed + cases_skipped)) -gt 0 ]
    exit
}
