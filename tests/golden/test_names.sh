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

# What the C library of this machine exports and a schema could come to: PREFIX_REST, a letter behind the '_'.
exported() {
    ldd "$shmc" | sed -n 's/.*=> \(.*\/lib[cm]\.so[^ ]*\) .*/\1/p' | while read -r library; do
        nm -D --defined-only "$library"
    done | sed -n 's/^[^ ]* [TWViBDR] \([A-Za-z][A-Za-z0-9]*_[A-Za-z][A-Za-z0-9_]*\)\(@.*\)\{0,1\}$/\1/p' |
        grep -v '__\|_$' | LC_ALL=C sort -u
}

refuses_all_that_the_library_exports() {
    local name prefix last='' count=0
    command -v nm >/dev/null || skip "nm is not installed"
    exported >library
    [ "$(wc -l <library)" -gt 300 ] || skip "no C library was found"
    while read -r name; do
        prefix=${name%%_*}
        [ "$prefix" = "$last" ] || printf '@c_prefix("%s")\npackage names.%s;\n' "$prefix" "$prefix" >"$prefix.shm"
        last=$prefix
        count=$((count + 1))
        printf '@c_name("%s") struct Type%d { uint8 x; }\n' "${name#*_}" "$count" >>"$prefix.shm"
    done <library
    for name in *.shm; do
        "$shmc" check "$name" 2>>said && fail "$name is accepted"
    done
    sed -n "s/.*error\\[E203\\]: .* would be '\\(.*\\)' in C, which is a name that the C library exports/\\1/p" said |
        LC_ALL=C sort -u >refused
    diff library refused || fail "add them to compiler/backends/c/library.c"
}

lists_each_name_once_and_in_order() {
    sed -n 's/^    "\([a-z].*\)",$/\1/p' "$source_dir/compiler/backends/c/library.c" | tr ' ' '\n' >listed
    [ "$(wc -l <listed)" -gt 1000 ] || fail "$(wc -l <listed) names"
    LC_ALL=C sort -u listed | diff listed -
    ! grep -vE '^[A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]*[A-Za-z0-9]$' listed || fail "no such name comes of a schema"
}

run_case refuses_all_that_the_library_exports
run_case lists_each_name_once_and_in_order
for schema in "$names"/*.shm; do
    run_case reports "$(basename "$schema" .shm)"
done
end_cases
