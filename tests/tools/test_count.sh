#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_count.sh SOURCE_DIR: tools/count.awk must not let a failure pass.
set -uo pipefail

readonly source_dir=$1
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# program NAME VERDICT LINE…: what ctest logs of one.
program() {
    local name=$1 verdict=$2
    shift 2
    printf '1/9 Testing: %s\n1/9 Test: %s\nCommand: "x"\nDirectory: /\n"%s" start time: then\nOutput:\n' "$name" "$name" "$name"
    printf -- '----------------------------------------------------------\n'
    [ $# -eq 0 ] || printf '%s\n' "$@"
    printf '<end of output>\nTest time =   0.01 sec\n'
    printf -- '----------------------------------------------------------\n%s\n"%s" end time: now\n\n' "$verdict" "$name"
}

# counts STATUS TOTAL <LOG: the last line is TOTAL.
counts() {
    local wanted=$1 total=$2 status=0
    awk -f "$source_dir/tools/count.awk" >counted || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted"
    [ "$(tail -n 1 counted)" = "$total" ] || fail "$(cat counted)"
}

adds_programs_up() {
    {
        program a "Test Passed." "3 passed, 0 failed"
        program b "Test Passed." "4 passed, 0 failed, 2 skipped"
    } | counts 0 "7 passed, 0 failed, 2 skipped"
    grep -qx '  a: 3 passed, 0 failed' counted
    grep -qx '  b: 4 passed, 0 failed, 2 skipped' counted
}

reads_the_summary_of_check() {
    program a "Test Passed." "100%: Checks: 12, Failures: 0, Errors: 0" | counts 0 "12 passed, 0 failed"
    program a "Test Failed." "66%: Checks: 12, Failures: 3, Errors: 1" | counts 1 "8 passed, 4 failed"
}

prefers_the_own_line_to_the_summary_of_check() {
    program a "Test Passed." "100%: Checks: 12, Failures: 0, Errors: 0" "11 passed, 0 failed, 1 skipped" |
        counts 0 "11 passed, 0 failed, 1 skipped"
}

takes_the_last_line_of_a_program() {
    program a "Test Passed." "1 passed, 0 failed" "5 passed, 0 failed" | counts 0 "5 passed, 0 failed"
}

fails_where_a_case_failed() {
    { program a "Test Failed." "3 passed, 1 failed"; program b "Test Passed." "2 passed, 0 failed"; } |
        counts 1 "5 passed, 1 failed"
}

fails_where_a_program_printed_no_count() {
    { program a "Test Passed."; program b "Test Passed." "2 passed, 0 failed"; } | counts 1 "2 passed, 1 failed"
    grep -qx '  a: 0 passed, 1 failed (printed no count)' counted
}

fails_where_a_program_crashed_after_its_count() {
    program a "Test Failed." "2 passed, 0 failed" | counts 1 "2 passed, 1 failed"
}

fails_where_no_program_ran() {
    printf 'Start testing\nEnd testing\n' | counts 1 "0 passed, 0 failed"
    program a "Test Passed." "0 passed, 0 failed" | counts 1 "0 passed, 0 failed"
}

run_case adds_programs_up
run_case reads_the_summary_of_check
run_case prefers_the_own_line_to_the_summary_of_check
run_case takes_the_last_line_of_a_program
run_case fails_where_a_case_failed
run_case fails_where_a_program_printed_no_count
run_case fails_where_a_program_crashed_after_its_count
run_case fails_where_no_program_ran
end_cases
