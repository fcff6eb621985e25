#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_demo.sh SOURCE_DIR BUILD_DIR: `tools/dev demo` after its build, with this one.
set -uo pipefail

readonly source_dir=$1
readonly build_dir=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly output_file=$cases_dir/demo.out

demo_ends_well() {
    "$source_dir/tools/demo" "$build_dir" >"$output_file" 2>&1 </dev/null || {
        cat "$output_file"
        fail "the demo failed"
    }
}

# What README.md shows of it, but for the figures.
demo_says_what_is_promised() {
    local wanted
    for wanted in "5 + 3 = 8" DIVIDE_BY_ZERO OUT_OF_RANGE "from -1000000000000 to 1000000000000" \
        "refused before it is sent" "it ended with status 0 and left nothing"; do
        grep -qF -- "$wanted" "$output_file" || fail "it did not say: $wanted"
    done
}

require_case demo_ends_well
run_case demo_says_what_is_promised
end_cases
