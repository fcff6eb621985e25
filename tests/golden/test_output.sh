#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_output.sh SOURCE_DIR SHMC: shmc's output is what expected/ holds, whatever is around it.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/golden/schemas.sh
. "$source_dir/tests/golden/schemas.sh"

readonly expected=$source_dir/tests/golden/expected

writes_what_is_expected() {
    golden_generate "$shmc" "$source_dir" out
    diff -ru "$expected" out
}

writes_the_same_twice_and_leaves_it_alone() {
    golden_generate "$shmc" "$source_dir" out
    find out -type f -exec touch -d '2001-01-01 00:00:00' {} +
    golden_generate "$shmc" "$source_dir" out
    [ -z "$(find out -type f -newermt '2001-01-02')" ] || fail "a file was written again"
    golden_generate "$shmc" "$source_dir" again
    diff -r out again
}

writes_the_same_in_another_folder() {
    cp -r "$source_dir/idl-examples/03-kv" elsewhere
    chmod -R u+w elsewhere
    (cd elsewhere && "$shmc" generate --emit c,json,proto,doc --out out kv.shm demo/health.shm)
    diff elsewhere/out/kv.shm.h "$expected/kv.shm.h"
    diff elsewhere/out/kv.shm.c "$expected/kv.shm.c"
    diff elsewhere/out/kv.shm.json "$expected/kv.shm.json"
    diff elsewhere/out/kv.md "$expected/kv.md"
    diff elsewhere/out/kv.proto "$expected/kv.proto"
    diff -r elsewhere/out/demo "$expected/demo"
}

writes_the_same_in_another_locale() {
    local name
    name=$(locale -a 2>/dev/null | grep -i -m 1 '^\(de\|fr\|tr\)_' || true)
    [ -n "$name" ] || skip "no German, French or Turkish locale is installed"
    LC_ALL=$name golden_generate "$shmc" "$source_dir" out
    diff -r "$expected" out
}

writes_json_that_parses() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    local file
    find "$expected" -name '*.json' | while read -r file; do
        python3 -m json.tool "$file" >/dev/null || fail "$file"
    done
}

has_no_path_and_no_date_in_it() {
    if grep -rE "$source_dir|/tmp/|$(date +%Y)-" "$expected"; then
        fail "output depends on where or when"
    fi
}

# Everything with an annotation, so that each product says something of it, and texts that end in blanks.
annotated() {
    printf '%s\n' '@version(2)' 'package annotated;' $'/// A tab:\t' $'///\t' '///   ' '/// Blanks.  ' \
        '@since(2) @deprecated("blanks  ") const uint8 LIMIT = 1;' \
        '@since(2) @deprecated alias Row = uint8[2];' \
        '@since(2) @deprecated("") enum Colour { @deprecated("") RED = 0; @since(2) BLUE = 1; }' \
        '@since(2) flags Access { @since(2) READ = 1; @deprecated("lines\n\n") WRITE = 2; reserved 8; }' \
        '@since(2) @align(8) @size(16) struct Point { @renamed_from("y") uint8 x; reserved uint8; }' \
        '@since(2) @align(8) @size(16) union Any { @since(2) uint8 x = 1; reserved 2; }' \
        'errors Error { @since(2) NO(Point) = 1; OTHER = 2; reserved "THIRD"; }' \
        'message Note { /* a */ uint8 a; @since(2) @default(2) uint8 b; @since(2) Point? at; }' \
        '@deadline(none) service Open { @since(2) @deadline(1s) @idempotent rpc f(Note) -> (Note) throws Error; }' \
        'service Fast { @since(2) oneway g({ uint8 a; }); @deprecated rpc h() -> (); compose Open; }' \
        >annotated.shm
    printf '%s\n' '@version(2)' 'package streams;' \
        '@since(2) @depth(4) @overflow(fail) @retain(1) @reliable topic Topic({ uint8 a; });' \
        '@since(2) @attempts(3) queue Queue({ @deprecated("") uint8 a; });' \
        'service Flow { @since(2) event e({ uint8 a; }); @since(2) rpc f(stream { uint8 a; }) -> (stream { uint8 b; }); }' \
        >streams.shm
}

writes_no_blanks_at_ends_and_no_tabs_before_lines() {
    local file count=0
    annotated
    "$shmc" generate --emit c,json,proto,doc --out out/annotated annotated.shm 2>/dev/null
    "$shmc" generate --emit json,proto,doc --out out/streams streams.shm 2>/dev/null
    while read -r file; do
        count=$((count + 1)) # bad ones leave nothing
        "$shmc" generate --emit c,json,proto,doc --out "out/$count" -I "$(dirname "$file")" \
            -I "$(dirname "$file")/lib" "$file" >/dev/null 2>&1 ||
            "$shmc" generate --emit json,proto,doc --out "out/$count" -I "$(dirname "$file")" \
                -I "$(dirname "$file")/lib" "$file" >/dev/null 2>&1 || true
    done < <(find "$source_dir/idl-examples" "$source_dir/tests" "$source_dir/bench" -name '*.shm')
    find out -type f >written
    [ "$(wc -l <written)" -gt 800 ] || fail "only $(wc -l <written) files were written"
    if grep -rnE '[[:space:]]$|^ *'$'\t' out; then
        fail "blanks"
    fi
    while read -r file; do
        [ -z "$(tail -c 1 "$file")" ] || fail "$file: its last line has no end"
        [ -n "$(tail -n 1 "$file")" ] || fail "$file: its last line is empty"
    done <written
}

run_case writes_what_is_expected
run_case writes_the_same_twice_and_leaves_it_alone
run_case writes_the_same_in_another_folder
run_case writes_the_same_in_another_locale
run_case writes_json_that_parses
run_case writes_no_blanks_at_ends_and_no_tabs_before_lines
run_case has_no_path_and_no_date_in_it
end_cases
