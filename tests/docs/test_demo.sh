#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_demo.sh SOURCE_DIR BUILD_DIR: `tools/dev demo` after its build, with this one.
set -uo pipefail

readonly source_dir=$1
readonly build_dir=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/docs/documents.sh
. "$source_dir/tests/docs/documents.sh"

readonly output_file=$cases_dir/demo.out

demo_ends_well() {
    "$source_dir/tools/demo" "$build_dir" >"$output_file" 2>&1 </dev/null || {
        cat "$output_file"
        fail "the demo failed"
    }
}

demo_says_what_is_promised() {
    local wanted
    for wanted in "5 + 3 = 8" DIVIDE_BY_ZERO OUT_OF_RANGE "from -1000000000000 to 1000000000000" \
        "refused before it is sent" "it ended with status 0 and left nothing"; do
        grep -qF -- "$wanted" "$output_file" || fail "it did not say: $wanted"
    done
}

# A block that is marked `demo` shows lines of it, in their order.
demo_says_what_documents_show() {
    # shellcheck disable=SC2034
    local block document line language attributes text found=
    mapfile -t all < <(documents)
    list_blocks "${all[@]}"
    # shellcheck disable=SC2034
    while IFS=$'\t' read -r block document line language attributes; do
        has demo "$attributes" || continue
        found=yes
        text=$(cat "$output_file")
        case $'\n'$text$'\n' in
        *$'\n'"$(cat "$block")"$'\n'*) ;;
        *) fail "$document:$line: this is not what the demo says:"$'\n'"$text" ;;
        esac
    done <<<"$blocks"
    [ -n "$found" ] || fail "no document shows the demo"
}

require_case demo_ends_well
run_case demo_says_what_is_promised
run_case demo_says_what_documents_show
end_cases
