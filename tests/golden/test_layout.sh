#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_layout.sh SOURCE_DIR SHMC: `shmc layout`: what it shows, against layout/all.txt and all.json, and what it says
# where there is nothing to show. That lanes take what it says is shown by ipc_lane_memory.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly all=$source_dir/tests/golden/layout/all

shows_what_is_expected() {
    "$shmc" layout "$all.shm" >out 2>err
    diff "$all.txt" out
    "$shmc" layout --format=json "$all.shm" >out 2>>err
    diff "$all.json" out
    [ ! -s err ] || fail "$(cat err)"
}

shows_one_of_many() {
    expect_status 0 "$shmc" layout "$all.shm" Pair
    [ "$(head -n 1 <<<"$output")" = "struct golden.layout.Pair" ] || fail "$output"
    [ "$(grep -c golden <<<"$output")" -eq 1 ] || fail "$output"
    expect_status 0 "$shmc" layout "$all.shm" golden.layout.Mixed.watch_item
    [ "$(head -n 1 <<<"$output")" = "body golden.layout.Mixed.watch_item" ] || fail "$output"
    expect_status 0 "$shmc" layout "$all.shm" jobs_item
    expect_text "$output" "uint64 id"
    expect_status 0 "$shmc" layout --format json "$all.shm" Slots
    [ "$(grep -c '"kind": "service"' <<<"$output")" -eq 1 ] || fail "$output"
}

looks_into_imports_by_qualified_names() {
    mkdir other
    printf 'package t.part;\nstruct P { uint32 x; }\n' >other/part.shm
    printf 'package t;\nimport "part.shm";\nmessage M { part.P p; }\n' >t.shm
    expect_status 0 "$shmc" layout -I other t.shm
    [ "$(grep -c '^[a-z]' <<<"$output")" -eq 1 ] || fail "$output"
    expect_status 0 "$shmc" layout -I other t.shm t.part.P
    expect_text "$output" "struct t.part.P 4 bytes"
    expect_status 2 "$shmc" layout -I other t.shm P
    expect_text "$output" "t.shm has no 'P'"
}

goes_back_to_a_version() {
    expect_status 0 "$shmc" layout --at-version 2 "$all.shm" Versions
    expect_text "$output" "40 bytes, alignment 8, 1 cache line; travels in a slot"
    [[ $output != *fifth* ]] || fail "$output"
    expect_status 2 "$shmc" layout --at-version 4 "$all.shm"
    expect_text "$output" "4"
}

says_what_may_have_been_meant() {
    expect_status 2 "$shmc" layout "$all.shm" Piar
    expect_text "$output" "all.shm has no 'Piar', did you mean 'Pair'?"
    expect_status 2 "$shmc" layout "$all.shm" Mixed.watch_itme
    expect_text "$output" "did you mean 'Mixed.watch_item'?"
    expect_status 2 "$shmc" layout "$all.shm" Something
    expect_text "$output" "all.shm has no 'Something' that has a layout"
    expect_status 2 "$shmc" layout "$all.shm" NO_LAYOUT
    expect_status 2 "$shmc" layout
    expect_text "$output" "'shmc layout' wants at least one file"
    expect_status 2 "$shmc" layout "$all.shm" Pair Name
    expect_text "$output" "'shmc layout' wants one file, and at most one type of it"
    expect_status 2 "$shmc" layout --format=github "$all.shm"
    expect_text "$output" "--format of 'shmc layout' is 'text' or 'json'"
}

tells_mistakes_on_standard_error_alone() {
    printf 'package t;\nmessage M { uint99 x; }\n' >t.shm
    "$shmc" layout --format=json t.shm >out 2>err && fail "status 0"
    [ $? -eq 1 ] || fail "not 1"
    [ ! -s out ] || fail "$(cat out)"
    expect_text "$(cat err)" "t.shm:2:13: error[E205]"
    expect_status 2 "$shmc" layout missing.shm
    expect_text "$output" "cannot read 'missing.shm'"
    [ -c /dev/full ] || skip "there is no /dev/full"
    expect_status 2 bash -c '"$@" >/dev/full' redirected "$shmc" layout "$all.shm"
    expect_text "$output" "cannot write to standard output"
}

tells_of_the_arena() {
    printf 'package t;\nmessage M { uint8[70000] x; }\nservice S { rpc f(M) -> (); }\n' >t.shm
    expect_status 0 "$shmc" layout --max-message 100000 t.shm S
    expect_text "$output" " 70000 arena 0 slot f"
    expect_text "$output" " and an arena, for two requests and two answers of the largest: 1048576 bytes"
    expect_status 0 "$shmc" layout --max-message 100000 --format=json t.shm S
    expect_text "$output" '"arena": 1048576'
    expect_text "$output" '"travels_in": "arena"'
}

accounts_for_every_byte() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    local file count=0
    while IFS= read -r file; do
        count=$((count + 1))
        "$shmc" layout --format=json --max-message 4000000 -I "$source_dir/idl-examples/03-kv" \
            -I "$source_dir/tests/golden/schemas" "$file" >"$count.json" 2>/dev/null || fail "$file"
    done < <(find "$source_dir/idl-examples" "$source_dir/tests/golden/schemas" "$all.shm" "$source_dir/tests/ipc" \
        -name '*.shm')
    [ "$count" -ge 10 ] || fail "only $count files"
    python3 - ./*.json <<'PYTHON'
import json, sys
for name in sys.argv[1:]:
    for entry in json.load(open(name))["entries"]:
        if "rows" not in entry:
            continue
        end = padding = places = 0
        for row in entry["rows"]:
            if row["kind"] == "arm":
                assert row["offset"] + row["size"] <= entry["size"], entry["name"]
                continue
            if entry["kind"] != "union":
                assert row["offset"] == end, (entry["name"], row)
            end = row["offset"] + row["size"]
            if row["kind"] == "padding":
                padding, places = padding + row["size"], places + 1
        assert entry["kind"] == "union" or end == entry["size"], entry["name"]
        assert padding == entry["padding_bytes"] and places == entry["padding_places"], entry["name"]
        assert entry["versions"][-1]["size"] == entry["size"], entry["name"]
PYTHON
}

run_case shows_what_is_expected
run_case shows_one_of_many
run_case looks_into_imports_by_qualified_names
run_case goes_back_to_a_version
run_case says_what_may_have_been_meant
run_case tells_mistakes_on_standard_error_alone
run_case tells_of_the_arena
run_case accounts_for_every_byte
end_cases
