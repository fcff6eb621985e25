#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_coverage.sh SOURCE_DIR: tools/coverage.awk adds up, and does not round up to what is asked for.
set -uo pipefail

readonly source_dir=$1
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# measured FILE,LINES,REACHED…: what gcovr writes of these files.
measured() {
    printf 'filename,line_total,line_covered,line_percent,branch_total\n'
    printf '%s,0.5,7\n' "$@"
}

# figures STATUS AT_LEAST TEXT: what is made of standard input.
figures() {
    local status=0 found
    found=$(awk -v at_least="$2" -f "$source_dir/tools/coverage.awk") || status=$?
    [ "$status" -eq "$1" ] || fail "status $status, not $1"
    [ "$found" = "$3" ] || fail "$found"
}

adds_folders_up() {
    measured compiler/a.c,100,90 compiler/backends/c/b.c,100,100 runtime/platform/c.c,3,1 |
        figures 0 '' $'compiler/: 95.0 % of 200 lines\nruntime/: 33.3 % of 3 lines'
}

holds_a_folder_against_a_bound() {
    measured compiler/a.c,1000,950 runtime/b.c,10,1 |
        figures 0 'compiler 95 ' $'compiler/: 95.0 % of 1000 lines, which is at least 95 %\nruntime/: 10.0 % of 10 lines'
    measured compiler/a.c,10000,9499 | figures 1 'compiler 95 ' 'compiler/: 94.9 % of 10000 lines, NOT at least 95 %'
    measured compiler/a.c,10,10 runtime/b.c,10,1 | figures 1 'compiler 95 runtime 11' \
        $'compiler/: 100.0 % of 10 lines, which is at least 95 %\nruntime/: 10.0 % of 10 lines, NOT at least 11 %'
}

takes_nothing_measured_for_a_failure() {
    measured runtime/b.c,10,1 |
        figures 1 'compiler 95' $'runtime/: 10.0 % of 10 lines\ncompiler/: nothing was measured, NOT at least 95 %'
    measured compiler/empty.c,0,0 | figures 1 'compiler 0' 'compiler/: nothing was measured, NOT at least 0 %'
}

run_case adds_folders_up
run_case holds_a_folder_against_a_bound
run_case takes_nothing_measured_for_a_failure
end_cases
