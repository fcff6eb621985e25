#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_names.sh SOURCE_DIR SHMC: names that cannot be told apart, or not be used, in C. Each names/NAME.shm is refused
# with exactly the text in names/NAME.txt, or where that is empty, accepted without a word. What C does not have yet is
# refused where C is asked for, and there alone: names/E702*.shm.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly names=$source_dir/tests/golden/names

reports() {
    local status=0 wanted=1
    [ -s "$names/$1.txt" ] || wanted=0
    cp -r "$names" copy
    if [ "${1#E702}" = "$1" ]; then
        (cd copy && "$shmc" check "$1.shm" 2>../found) || status=$?
    else
        (cd copy && "$shmc" check "$1.shm" && "$shmc" generate --emit json --out ../out "$1.shm")
        (cd copy && "$shmc" generate --emit c,json --out ../none "$1.shm" 2>../found) || status=$?
        [ ! -e none ] || fail "something was written"
    fi
    diff "$names/$1.txt" found
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted"
}

for schema in "$names"/*.shm; do
    run_case reports "$(basename "$schema" .shm)"
done
end_cases
