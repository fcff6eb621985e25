#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_compiler.sh SOURCE_DIR BENCH_COMPILER SHMC: what bench_compiler refuses, what it writes, and that it leaves nothing
# behind; and that shmc's work grows with the schema and no faster, counted in instructions where valgrind is there.
set -uo pipefail

readonly source_dir=$1 bench=$2 shmc=$3
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=bench/tests/bench.sh
. "$source_dir/bench/tests/bench.sh"

# A short run, with its private directory below the case's own folder.
small_run() { TMPDIR=$PWD "$bench" --lines 1000 --repeat 1 "$@"; }

measures_each_length() {
    expect_status 0 env TMPDIR="$PWD" "$bench" --lines 10000 --repeat 1
    local pattern
    for pattern in '1[0-9]{3} +1 +101' '1[0-9]{4} +1 +1001' '1[0-9]{4} +10 +1010'; do
        grep -Eq "^ *$pattern +[0-9]+ \| +[0-9.]+ " <<<"$output" || fail "no row $pattern in: $output"
    done
    expect_nothing_left
}

writes_json_with_conditions() {
    expect_json_of "repeat rows lines files types services source_bytes check generate cpu_s memory_bytes"
}

# The schemas that are measured have nothing in them that would be reported, and are the same each time.
writes_schemas_without_a_mistake() {
    local files
    for files in 1 7; do
        mkdir "a$files" "b$files"
        expect_status 0 "$bench" --lines 5000 --files "$files" --write "a$files"
        expect_status 0 "$bench" --lines 5000 --files "$files" --write "b$files"
        diff -r "a$files" "b$files" >/dev/null || fail "two schemas of one seed differ"
        expect_status 0 "$shmc" check "a$files"/*.shm
        [ -z "$output" ] || fail "$output"
    done
}

# Under a sanitizer valgrind does not run, and without it there is nothing to count with.
can_count() {
    valgrind --version >/dev/null 2>&1 && ! nm "$shmc" 2>/dev/null | grep -q '__asan_init\|__ubsan_handle'
}

# instructions PRODUCT FILE: leaves in $count how many shmc takes to make that of it.
instructions() {
    expect_status 0 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$shmc" generate --emit "$1" --out "out-$1" "$2"
    count=$(sed -n 's/.*Collected : \([0-9]*\)$/\1/p' <<<"$output")
    [ -n "$count" ] || fail "no count in: $output"
}

# grows_with PRODUCT SMALL LARGE MOST: LARGE has four times as much in it, and takes at most MOST tenths as many.
grows_with() {
    local small
    instructions "$1" "$2"
    small=$count
    instructions "$1" "$3"
    echo "$1: $2 $small instructions, $3 $count"
    [ $((count * 10)) -le $((small * $4)) ] || fail "$1: $3 takes $count instructions, $2 takes $small"
}

takes_instructions_in_proportion_to_lines() {
    local product lines
    can_count || skip "no valgrind for this build: nothing was counted"
    for lines in 1000 4000; do
        mkdir "s$lines"
        expect_status 0 "$bench" --lines "$lines" --write "s$lines"
    done
    for product in c json proto doc; do
        grows_with "$product" s1000/0.shm s4000/0.shm 44
    done
}

# entries COUNT TEXT: the text so many times, each # in it its number.
entries() {
    local number
    for number in $(seq "$1"); do
        printf '%s\n' "${2//#/$number}"
    done
}

# shapes COUNT: one of each kind with many entries, into COUNT.shm.
shapes() {
    {
        printf 'package shapes;\nmessage A { uint8 x; }\nenum Names { A = 0;\n'
        entries "$1" 'reserved "N#";'
        printf '}\nenum Values {\nA = 0;\n'
        entries "$1" 'V# = #;'
        printf '}\nstruct Places {\n'
        entries "$1" 'reserved uint8 r#; uint8 x#;'
        printf '}\nunion Arms {\n'
        entries "$1" 'uint8 x# = #;'
        printf '}\nerrors Errors {\n'
        entries "$1" 'X# = #;'
        printf '}\nservice First {\n'
        entries "$1" 'rpc f#(A) -> ({ uint8 x; });'
        printf '}\nservice Second { compose First; }\n'
    } >"$1.shm"
}

takes_instructions_in_proportion_to_entries() {
    local product
    can_count || skip "no valgrind for this build: nothing was counted"
    shapes 500
    shapes 2000
    for product in c json proto doc; do
        grows_with "$product" 500.shm 2000.shm 42
    done
}

refuses_no_lines() { refuses "--lines takes a number from 1 to 10000000, not '0'" --lines 0; }
reports_a_compiler_that_fails() {
    expect_status 2 small_run --shmc /bin/false
    expect_text "$output" "'/bin/false check' failed"
    expect_nothing_left
}

reports_a_folder_that_is_not_there() {
    expect_status 2 "$bench" --write none
    expect_text "$output" "cannot write into none: No such file or directory"
}

ends_by_the_signal_and_cleans_up() { expect_end_by_signal --lines 100000 --repeat 1000; }

run_case measures_each_length
run_case writes_json_with_conditions
run_case writes_schemas_without_a_mistake
run_case takes_instructions_in_proportion_to_lines
run_case takes_instructions_in_proportion_to_entries
run_case refuses_unknown_option
run_case refuses_no_lines
run_case refuses_argument
run_case reports_a_compiler_that_fails
run_case reports_a_folder_that_is_not_there
run_case reports_json_that_cannot_be_written
run_case reports_directory_that_cannot_be_made
run_case ends_by_the_signal_and_cleans_up
end_cases
