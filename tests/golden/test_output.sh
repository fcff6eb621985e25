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

run_case writes_what_is_expected
run_case writes_the_same_twice_and_leaves_it_alone
run_case writes_the_same_in_another_folder
run_case writes_the_same_in_another_locale
run_case writes_json_that_parses
run_case has_no_path_and_no_date_in_it
end_cases
