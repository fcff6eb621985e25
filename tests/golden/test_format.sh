#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_format.sh SOURCE_DIR SHMC: `shmc format`: what it makes of the files in format/ (NAME.in.shm becomes
# NAME.out.shm), what happens to files, and that the files of the source tree are formatted.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

ugly() {
    printf 'package  t ;\nmessage M{uint32 x;}\n' >"$1"
}

pretty() {
    printf 'package t;\nmessage M { uint32 x; }\n' >"$1"
}

makes_what_is_expected() {
    local given name
    for given in "$source_dir"/tests/golden/format/*.in.shm; do
        name=${given%.in.shm}
        "$shmc" format <"$given" >out
        diff "$name.out.shm" out || fail "$given"
        "$shmc" format --check "$name.out.shm" || fail "$name.out.shm"
    done
}

# Two folders have files with faults, and forms that are what is tested; so has golden/format.
all_files_of_the_tree_are_formatted() {
    cd "$source_dir"
    find bench idl-examples tests -name '*.shm' -type f |
        grep -vE '^tests/(diagnostics|fuzz|golden/(names|format))/' | sort >"$cases_dir/list"
    [ "$(wc -l <"$cases_dir/list")" -ge 15 ] || fail "$(cat "$cases_dir/list")"
    xargs -d '\n' "$shmc" format --check <"$cases_dir/list" || fail "'tools/dev fmt' or 'shmc format FILE' mends these"
}

formats_standard_input_where_no_file_is_given() {
    ugly u.shm
    pretty p.shm
    "$shmc" format <u.shm | diff p.shm -
    "$shmc" format - <u.shm | diff p.shm -
    printf 'package t;\nmessage M { uint32 x }\n' >bad.shm
    "$shmc" format <bad.shm >out 2>err && fail "status 0"
    [ ! -s out ] || fail "$(cat out)"
    expect_text "$(cat err)" "<stdin>:2:21: error[E102]: missing ';'"
    "$shmc" format --check <u.shm >out && fail "status 0"
    [ "$(cat out)" = "<stdin>" ] || fail "$(cat out)"
    "$shmc" format --check <p.shm
}

replaces_files_only_where_they_change() {
    ugly u.shm
    pretty p.shm
    cp p.shm wanted
    touch -d '2 hours ago' p.shm
    local before
    before=$(stat -c '%i %Y' p.shm)
    expect_status 0 "$shmc" format u.shm p.shm
    [ -z "$output" ] || fail "$output"
    diff wanted u.shm
    [ "$(stat -c '%i %Y' p.shm)" = "$before" ] || fail "p.shm was written"
    [ "$(find . -name '.shmc-*' | wc -l)" -eq 0 ] || fail "$(find .)"
}

checks_without_writing() {
    ugly u.shm
    ugly v.shm
    pretty p.shm
    cp u.shm before
    "$shmc" format --check u.shm p.shm v.shm >out 2>err && fail "status 0"
    [ "$(cat out)" = $'u.shm\nv.shm' ] || fail "$(cat out)"
    [ ! -s err ] || fail "$(cat err)"
    cmp u.shm before
    expect_status 0 "$shmc" format --check p.shm
}

keeps_mode_and_link() {
    mkdir real
    ugly real/u.shm
    chmod 4604 real/u.shm
    pretty wanted
    ln -s real/u.shm link.shm
    umask 077
    expect_status 0 "$shmc" format link.shm
    [ -L link.shm ] || fail "the link is gone"
    diff wanted real/u.shm
    [ "$(stat -c %a real/u.shm)" = 604 ] || fail "$(stat -c %a real/u.shm)"
    chmod 444 real/u.shm
    ugly v.shm
    chmod 444 v.shm
    expect_status 0 "$shmc" format v.shm
    [ "$(stat -c %a v.shm)" = 444 ] || fail "$(stat -c %a v.shm)"
}

keeps_a_file_with_several_names_one_file() {
    local inode status=0
    pretty wanted
    ugly u.shm
    chmod 640 u.shm
    ln u.shm other.shm
    ln -s other.shm link.shm
    inode=$(stat -c %i u.shm)
    expect_status 0 "$shmc" format link.shm
    [ "$(stat -c '%i %h %a' u.shm)" = "$inode 2 640" ] || fail "$(stat -c '%i %h %a' u.shm)"
    [ u.shm -ef other.shm ] || fail "the names are of two files"
    [ -L link.shm ] || fail "the link is gone"
    diff wanted u.shm
    # What grows beyond what may be written keeps what it held.
    for _ in $(seq 3000); do
        printf 'const uint32 A=1;'
    done | sed '1s/^/package t;/' >u.shm
    cp u.shm before
    (
        trap '' XFSZ
        ulimit -f "$(($(wc -c <u.shm) / 1024 + 1))"
        "$shmc" format u.shm
    ) >said 2>&1 || status=$?
    [ "$status" -eq 2 ] || fail "status $status: $(cat said)"
    expect_text "$(cat said)" "cannot write u.shm: File too large"
    cmp before other.shm
    [ -z "$(find . -name '.shmc-*')" ] || fail "a temporary is left"
}

leaves_files_with_mistakes_alone_and_formats_the_others() {
    printf 'package t;\nmessage M{uint32 x}\n' >bad.shm
    cp bad.shm before
    ugly u.shm
    pretty p.shm
    expect_status 1 "$shmc" format bad.shm u.shm
    expect_text "$output" "bad.shm:2:19: error[E102]: missing ';'"
    cmp bad.shm before
    diff p.shm u.shm
    expect_status 2 "$shmc" format missing.shm bad.shm
    expect_text "$output" "cannot read 'missing.shm'"
    expect_text "$output" "error[E102]"
    # Only syntax counts: what the names mean, and whether the language knows it yet, does not.
    printf 'package  t;\nmessage M { Nobody x; }\ntopic ticks(M);\n' >later.shm
    expect_status 0 "$shmc" format later.shm
    [ "$(head -n 1 later.shm)" = "package t;" ] || fail "$(cat later.shm)"
    # Nor do warnings.
    printf 'package  t; /// nothing\n' >warned.shm
    expect_status 0 "$shmc" format warned.shm
    [ -z "$output" ] || fail "$output"
}

mends_line_ends_and_byte_order_marks() {
    printf '\xef\xbb\xbfpackage t; // one\r\n\r\n\r\n/* two\r\n   three */\r\nconst uint32 X = 1;' >t.shm
    "$shmc" format t.shm
    printf 'package t; // one\n\n/* two\n   three */\nconst uint32 X = 1;\n' >wanted
    cmp wanted t.shm
}

writes_whole_or_not_at_all() {
    ugly u.shm
    cp u.shm before
    [ "$(id -u)" -eq 0 ] || {
        mkdir closed
        ugly closed/u.shm
        chmod 555 closed
        expect_status 2 "$shmc" format closed/u.shm
        expect_text "$output" "cannot write closed/u.shm: Permission denied"
        chmod 755 closed
    }
    for _ in $(seq 200); do printf 'message M%d{uint32 x;}\n' "$((n = ${n:-0} + 1))"; done >>u.shm
    cp u.shm before
    expect_status 2 bash -c 'ulimit -f 1; "$@"' limited "$shmc" format u.shm
    expect_text "$output" "cannot write u.shm: File too large"
    cmp u.shm before
    [ "$(find . -name '.shmc-*' | wc -l)" -eq 0 ] || fail "$(find .)"
    [ -c /dev/full ] || skip "there is no /dev/full"
    expect_status 2 bash -c '"$@" <u.shm >/dev/full' redirected "$shmc" format
    expect_text "$output" "cannot write to standard output"
    mkdir folder.shm
    expect_status 2 "$shmc" format folder.shm
    expect_text "$output" "cannot read 'folder.shm': Is a directory"
    mkfifo pipe.shm
    expect_status 2 "$shmc" format pipe.shm
    expect_text "$output" "cannot read 'pipe.shm': it is not a file"
    expect_status 2 "$shmc" format <(cat before)
    expect_text "$output" "it is no regular file; '-' formats standard input"
}

run_case makes_what_is_expected
run_case all_files_of_the_tree_are_formatted
run_case formats_standard_input_where_no_file_is_given
run_case replaces_files_only_where_they_change
run_case checks_without_writing
run_case keeps_mode_and_link
run_case keeps_a_file_with_several_names_one_file
run_case leaves_files_with_mistakes_alone_and_formats_the_others
run_case mends_line_ends_and_byte_order_marks
run_case writes_whole_or_not_at_all
end_cases
