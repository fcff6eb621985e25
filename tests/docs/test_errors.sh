#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_errors.sh SOURCE_DIR LIST_STATUSES: docs/errors.md is what its program writes.
set -uo pipefail

readonly source_dir=$1
readonly list_statuses=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

table_of_statuses_is_up_to_date() {
    "$list_statuses" errors.md
    diff -u "$source_dir/docs/errors.md" errors.md || fail "cmake --build BUILD --target docs writes it anew"
}

refuses_to_lose_what_it_could_not_write() {
    expect_status 1 "$list_statuses" nowhere/errors.md
    expect_status 2 "$list_statuses"
    [ -c /dev/full ] || skip "there is no /dev/full"
    expect_status 1 "$list_statuses" /dev/full
}

run_case table_of_statuses_is_up_to_date
run_case refuses_to_lose_what_it_could_not_write
end_cases
