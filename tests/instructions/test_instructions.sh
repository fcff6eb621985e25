#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_instructions.sh SOURCE_DIR VALGRIND INSTRUCTIONS: a call has no more instructions than bounds.txt says, on either
# side. Prints what was counted.
set -uo pipefail

readonly source_dir=$1 valgrind=$2 program=$3
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly counts=$cases_dir/counts

# within_bound PART BOUND. Half of a bound is not met either: it would say nothing.
within_bound() {
    local part=$1 bound=$2 calls counted
    mkdir "$part"
    cd "$part"
    mkdir -m 700 servers
    calls=$(SHMRPC_DIR=$PWD/servers "$valgrind" --quiet --tool=callgrind --collect-atstart=no \
        --callgrind-out-file=counted "$program" "$part" 2>said) || fail "$(cat said)"
    counted=$(awk -v calls="$calls" '$1 == "totals:" { printf "%d", ($2 + calls - 1) / calls }' counted)
    [ "${counted:-0}" -gt 0 ] || fail "nothing was counted: $(cat said)"
    printf '%-17s %4d instructions, at most %d\n' "$part" "$counted" "$bound" >>"$counts"
    [ "$counted" -le "$bound" ] || fail "$part has $counted instructions, more than $bound"
    [ "$counted" -gt $((bound / 2)) ] || fail "$part has $counted instructions: lower its bound of $bound"
    [ -z "$(ls -A servers)" ] || fail "left behind: $(ls -A servers)"
}

while read -r part bound; do
    case $part in '' | '#'*) continue ;; esac
    run_case within_bound "$part" "$bound"
done <"$source_dir/tests/instructions/bounds.txt"
cat "$counts"
end_cases
