#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_driver.sh SOURCE_DIR SHMC: the command line, exit statuses, and what happens to files.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

good() {
    mkdir -p sub
    printf 'package t.part;\nstruct P { uint32 x; }\n' >sub/part.shm
    printf 'package t;\nimport "sub/part.shm";\nmessage M { part.P p; }\nservice S { rpc f(M) -> (M); }\n' >t.shm
}

helps_and_tells_its_version() {
    expect_status 0 "$shmc" --help
    expect_text "$output" "Usage: shmc generate --emit LIST --out DIR"
    expect_text "$output" "json NAME.shm.json"
    expect_status 0 "$shmc" generate --help
    expect_status 0 "$shmc" --version
    expect_text "$output" "shmc 0.1.0"
}

# Each verb and each of its options, with two letters exchanged or one left out, is what is suggested for it.
suggests_what_is_near_for_all_verbs_and_options() {
    local verb option
    good
    for verb in generate check breaking format freeze layout; do
        expect_status 2 "$shmc" "${verb%?}" t.shm
        expect_text "$output" "unknown verb '${verb%?}', did you mean '$verb'?"
        for option in --emit --out --depfile --at-version --max-message --format --against --against-include --allow \
            --check --help; do
            expect_status 2 "$shmc" "$verb" "${option%?}x" t.shm
            expect_text "$output" "unknown option '${option%?}x', did you mean '$option'"
        done
        expect_status 2 "$shmc" "$verb" -x t.shm
        expect_text "$output" "unknown option '-x'; 'shmc --help' lists what there is"
    done
    expect_status 2 "$shmc" check --emti c t.shm
    expect_text "$output" "unknown option '--emti', did you mean '--emit' of 'shmc generate'?"
    expect_status 2 "$shmc" check -i . t.shm
    expect_text "$output" "unknown option '-i', did you mean '-I'?"
}

refuses_wrong_usage_with_status_2() {
    good
    expect_status 2 "$shmc"
    expect_text "$output" "what is to be done?"
    expect_status 2 "$shmc" generat
    expect_text "$output" "unknown verb 'generat', did you mean 'generate'?"
    expect_status 2 "$shmc" nothing t.shm
    expect_text "$output" "unknown verb 'nothing'; 'shmc --help' lists what there is"
    expect_status 2 "$shmc" check --zzz t.shm
    expect_text "$output" "shmc: unknown option '--zzz'"
    expect_status 2 "$shmc" layuot t.shm
    expect_text "$output" "unknown verb 'layuot', did you mean 'layout'?"
    expect_status 2 "$shmc" t.shm
    expect_text "$output" "unknown verb 't.shm', did you mean 'shmc check t.shm'?"
    expect_status 2 "$shmc" --emit c generate t.shm
    expect_text "$output" "'--emit' stands before the verb"
    expect_status 2 "$shmc" --halp
    expect_text "$output" "unknown verb '--halp', did you mean '--help'?"
    expect_status 2 "$shmc" compile
    expect_text "$output" "unknown verb 'compile'; 'shmc --help' lists what there is"
    expect_status 2 "$shmc" generate --emit c --out o
    expect_text "$output" "'shmc generate' wants at least one file"
    expect_status 2 "$shmc" generate --out o t.shm
    expect_text "$output" "'shmc generate' wants --emit"
    expect_status 2 "$shmc" generate --emit c t.shm
    expect_text "$output" "'shmc generate' wants --out DIR"
    expect_status 2 "$shmc" generate --emit java --out o t.shm
    expect_text "$output" "--emit knows no 'java'"
    expect_status 2 "$shmc" generate --emti c --out o t.shm
    expect_text "$output" "unknown option '--emti', did you mean '--emit'?"
    expect_status 2 "$shmc" check --out o t.shm
    expect_text "$output" "'--out' is not an option of 'shmc check', but of 'shmc generate'"
    expect_status 2 "$shmc" format --at-version 1 t.shm
    expect_text "$output" \
        "'--at-version' is not an option of 'shmc format', but of 'shmc generate' or 'shmc check' or 'shmc layout'"
    expect_status 2 "$shmc" generate --emit c --out o --out p t.shm
    expect_text "$output" "--out is given twice"
    expect_status 2 "$shmc" generate --emit c t.shm --out
    expect_text "$output" "--out wants a value"
    expect_status 2 "$shmc" generate --emit c --out= t.shm
    expect_text "$output" "--out wants a value that is not empty"
    expect_status 2 "$shmc" check --check t.shm
    expect_text "$output" "'--check' is not an option of 'shmc check'"
    expect_status 2 "$shmc" format --check=yes t.shm
    expect_text "$output" "--check takes no value"
    expect_status 2 "$shmc" check --help=yes t.shm
    expect_text "$output" "--help takes no value"
    expect_status 2 "$shmc" format - t.shm -
    expect_text "$output" "'-', standard input, is given twice"
    expect_status 2 "$shmc" check --format xml t.shm
    expect_text "$output" "--format is 'text', 'json' or 'github', not 'xml'"
    expect_status 2 "$shmc" check --format jsn t.shm
    expect_text "$output" "--format is 'text', 'json' or 'github', not 'jsn', did you mean 'json'?"
    expect_status 2 "$shmc" generate --emit c,jsno --out out t.shm
    expect_text "$output" "--emit knows no 'jsno', did you mean 'json'?"
    local bytes
    for bytes in 4k -1 '' 63 99999999999999999999; do
        expect_status 2 "$shmc" check --max-message "$bytes" t.shm
        expect_text "$output" "--max-message"
    done
    [ ! -e o ] || fail "output was made"
}

takes_options_in_both_spellings_and_anywhere() {
    good
    expect_status 0 "$shmc" generate t.shm --emit=c,json,c -I. --out=o -- sub/part.shm
    [ "$(cd o && find . -type f | sort | tr '\n' ' ')" = "./sub/part.shm.c ./sub/part.shm.h ./sub/part.shm.json \
./t.shm.c ./t.shm.h ./t.shm.json " ] || fail "$(find o)"
}

writes_files_named_in_the_call_and_no_others() {
    good
    expect_status 0 "$shmc" generate --emit c --out o t.shm
    [ "$(cd o && find . -type f | sort | tr '\n' ' ')" = "./t.shm.c ./t.shm.h " ] || fail "$(find o)"
    grep -q '#include "sub/part.shm.h"' o/t.shm.h
}

checks_without_writing() {
    good
    expect_status 0 "$shmc" check t.shm sub/part.shm
    [ -z "$output" ] || fail "$output"
    [ "$(find . -type f | wc -l)" -eq 2 ] || fail "$(find .)"
}

reports_as_json_on_stdout() {
    printf 'package t;\nmessage M { uint99 x; }\n' >t.shm
    "$shmc" check --format json t.shm >out 2>err && fail "status 0"
    [ ! -s err ] || fail "$(cat err)"
    grep -q E205 out
    if command -v python3 >/dev/null; then
        python3 -m json.tool out >/dev/null
    fi
}

reports_to_a_workflow_on_stdout() {
    mkdir 'a,b:c%d'
    printf 'package a.b;\nstruct S { uint8 a; uint8 a; }\n@default(1)\nalias T = Sx;\n' >'a,b:c%d/t.shm'
    "$shmc" check --format github 'a,b:c%d/t.shm' >out 2>err && fail "status 0"
    [ ! -s err ] || fail "$(cat err)"
    cat >wanted <<'END'
::error file=a%2Cb%3Ac%25d/t.shm,line=2,col=27,title=E201 defined twice::'a' is defined twice%0Aa,b:c%25d/t.shm:2:18: note: the first one is here
::error file=a%2Cb%3Ac%25d/t.shm,line=3,col=1,title=E602 annotation does not belong here::'@default' does not belong to this declaration%0Anote: it belongs to a field of a message
::error file=a%2Cb%3Ac%25d/t.shm,line=4,col=11,title=E205 unknown name::unknown name 'Sx'%0Aa,b:c%25d/t.shm:2:8: note: 'S' is declared here%0Afix: did you mean 'S'?
END
    diff wanted out || fail "that is not what it says"
    "$shmc" check --format github none.shm >out 2>err && fail "status 0"
    expect_text "$(cat out)" "::error title=E001 file cannot be read::cannot read 'none.shm': No such file or directory"
    "$shmc" generate --emit c --out made --format=json 'a,b:c%d/t.shm' >out 2>err && fail "status 0"
    expect_text "$(cat out)" '"code": "E201"'
    [ ! -e made ] || fail "made was made"
}

fails_with_status_1_and_touches_nothing() {
    good
    "$shmc" generate --emit c,json --out o --depfile d t.shm
    cp -r o before
    printf 'package t;\nmessage M { uint99 x; }\n' >t.shm
    expect_status 1 "$shmc" generate --emit c,json --out o --depfile e t.shm
    expect_text "$output" "t.shm:2:13: error[E205]"
    diff -r before o
    [ ! -e e ] || fail "a dependency file was written"
    expect_status 1 "$shmc" generate --emit c --out fresh t.shm
    [ ! -e fresh ] || fail "a folder was made"
}

fails_with_status_2_where_a_file_cannot_be_read() {
    good
    expect_status 2 "$shmc" check missing.shm
    expect_text "$output" "missing.shm"
    mkdir folder.shm
    expect_status 2 "$shmc" check folder.shm
    expect_text "$output" "folder.shm"
}

names_what_cannot_be_written() {
    good
    echo occupied >o
    expect_status 2 "$shmc" generate --emit c --out o t.shm
    expect_text "$output" "cannot write o/t.shm.h: Not a directory"
    mkdir -p p/t.shm.c
    expect_status 2 "$shmc" generate --emit c --out p t.shm
    expect_text "$output" "cannot write p/t.shm.c: Is a directory"
    [ "$(find p | wc -l)" -eq 2 ] || fail "$(find p)"
    expect_status 2 "$shmc" generate --emit c --out /proc/nowhere t.shm
    expect_text "$output" "cannot write /proc/nowhere"
}

leaves_all_as_it_was_where_a_disk_is_full() {
    good
    "$shmc" generate --emit c,json --out o t.shm
    cp -r o before
    printf 'package t;\nmessage M { uint64 x; uint64 y; }\nservice S { rpc f(M) -> (M); }\n' >t.shm
    # Files may grow to one block here, and no further; the signal that comes with it must not end shmc halfway.
    expect_status 2 bash -c 'ulimit -f 1; "$@"' limited "$shmc" generate --emit c,json --out o t.shm
    expect_text "$output" "cannot write o/t.shm"
    expect_text "$output" "File too large"
    diff -r before o
    [ "$(find o -name '.shmc-*' | wc -l)" -eq 0 ] || fail "$(find o)"
    expect_status 2 bash -c 'trap "" XFSZ; ulimit -f 1; "$@"' limited "$shmc" generate --emit c,json --out new/deep t.shm
    [ ! -e new ] || fail "$(find new)"
}

notices_a_full_device() {
    good
    [ -c /dev/full ] || skip "there is no /dev/full"
    "$shmc" generate --emit c --out o t.shm
    cp -r o before
    printf 'package t;\nmessage M { uint64 x; }\n' >t.shm
    expect_status 2 "$shmc" generate --emit c --out o --depfile /dev/full t.shm
    expect_text "$output" "cannot write /dev/full: No space left on device"
    diff -r before o
    expect_status 2 bash -c '"$@" >/dev/full' redirected "$shmc" --help
    expect_text "$output" "cannot write to standard output"
    expect_status 2 bash -c '"$@" >/dev/full' redirected "$shmc" check --format json t.shm
    expect_text "$output" "cannot write to standard output"
    printf 'package t;\nmessage M { uint99 x; }\n' >t.shm
    "$shmc" check t.shm 2>/dev/full && fail "status 0"
    [ $? -eq 2 ] || fail "not 2"
}

replaces_a_file_behind_a_link_and_keeps_its_mode_usual() {
    good
    mkdir o real
    echo old >real/t.h
    ln -s ../real/t.h o/t.shm.h
    umask 027
    "$shmc" generate --emit c --out o t.shm
    [ -L o/t.shm.h ] || fail "the link is gone"
    grep -q 'Generated by shmc' real/t.h
    [ "$(stat -c %a o/t.shm.c)" = 640 ] || fail "$(stat -c %a o/t.shm.c)"
}

writes_dependencies_for_make() {
    local out="out \$x#"
    mkdir -p 'a b' "$out"
    printf 'package t.part;\nstruct P { uint32 x; }\n' >'a b/part.shm'
    printf 'package t;\nimport "part.shm";\nmessage M { part.P p; }\n' >t.shm
    "$shmc" generate --emit c,json --out "$out" -I . -I 'a b' --depfile deep/t.d t.shm
    cat >wanted <<'MAKE'
out\ $$x\#/t.shm.h out\ $$x\#/t.shm.c out\ $$x\#/t.shm.json: \
  a\ b/part.shm \
  t.shm
MAKE
    diff wanted deep/t.d
    "$shmc" generate --emit c --out o -I . -I 'a b' --depfile t.d t.shm
    if command -v make >/dev/null; then
        printf 'all: o/t.shm.c\no/t.shm.c:\n\t@echo again\ninclude t.d\n' >Makefile
        [ "$(make -s)" = "" ] || fail "rebuilt without need"
        touch -d '2 hours' 'a b/part.shm'
        [ "$(make -s)" = "again" ] || fail "an import that changed was not noticed"
    fi
}

names_output_by_where_a_file_stands() {
    mkdir -p store tree/demo
    printf 'package t;\nstruct P { uint32 x; }\n' >store/0123.shm
    ln -s ../../store/0123.shm tree/demo/part.shm
    printf 'package u;\nimport "demo/part.shm";\nimport "demo/part.shm" as again;\nmessage M { t.P p; again.P q; }\n' \
        >tree/u.shm
    "$shmc" generate --emit c --out o -I tree tree/u.shm tree/demo/part.shm
    { [ -f o/u.shm.h ] && [ -f o/demo/part.shm.h ]; } || fail "$(find o)"
    [ "$(grep -c '#include "demo/part.shm.h"' o/u.shm.h)" -eq 1 ] || fail "$(grep '#include' o/u.shm.h)"
}

names_output_by_folders_of_any_kind() {
    good
    expect_status 0 "$shmc" generate --emit json --out o -I / "$PWD/t.shm"
    [ -f "o$PWD/t.shm.json" ] || fail "$(find o)"
    expect_status 0 "$shmc" generate --emit json --out p -I "$PWD/" "$PWD/t.shm"
    [ -f p/t.shm.json ] || fail "$(find p)"
}

# Two files of a call that do not know each other, and one that both import.
checks_names_of_what_is_imported_on_two_ways() {
    printf 'package base;\nstruct P { uint32 x; }\n' >base.shm
    printf 'package left;\nimport "base.shm";\nstruct L { base.P p; }\n' >left.shm
    printf 'package right;\nimport "base.shm";\nstruct R { base.P p; }\n' >right.shm
    printf 'package top;\nimport "left.shm";\nimport "right.shm";\nmessage M { left.L l; right.R r; }\n' >top.shm
    printf 'package top;\nstruct M { uint8 a; }\n' >other.shm
    expect_status 0 "$shmc" generate --emit c --out o top.shm
    expect_status 0 "$shmc" generate --emit c --out o left.shm other.shm
    printf '@c_prefix("base")\npackage right;\nimport "base.shm";\nstruct P { base.P p; }\n' >right.shm
    expect_status 1 "$shmc" check right.shm
    expect_text "$output" "error[E211]"
}

comments_stay_comments() {
    printf 'package t;\n/// bell \a, end of a line \\\n/// and */ /* of another \\\nstruct P { uint32 x; }\n' >t.shm
    printf 'const string<8> S = "a\\rb\\tc";\n' >>t.shm
    expect_status 0 "$shmc" generate --emit c,json,proto,doc --out o t.shm
    if LC_ALL=C grep -rP '[\x00-\x08\x0b-\x1f\x7f]' o; then
        fail "a control character"
    fi
    expect_text "$(cat o/t.shm.h)" "end of a line \\ ."
    expect_text "$(cat o/t.shm.h)" "and * / / * of another \\ ."
    grep -qF '"a\rb\tc"' o/t.shm.json || fail "$(cat o/t.shm.json)"
}

keeps_its_inputs_and_writes_no_file_twice() {
    good
    cp t.shm before
    expect_status 2 "$shmc" generate --emit c --out o --depfile ./t.shm t.shm
    expect_text "$output" "cannot write ./t.shm: it is also an input"
    cmp t.shm before
    mkdir o
    ln -s ../t.shm o/t.shm.json
    expect_status 2 "$shmc" generate --emit c,json --out o t.shm
    expect_text "$output" "cannot write o/t.shm.json: it is also an input"
    cmp t.shm before
    [ "$(ls o)" = t.shm.json ] || fail "$(ls o)"
    expect_status 2 "$shmc" generate --emit c --out o --depfile "$PWD/o/t.shm.h" t.shm
    expect_text "$output" "cannot write $PWD/o/t.shm.h: it is also another output"
    expect_status 0 "$shmc" generate --emit c --out p --depfile p/t.d t.shm
    expect_status 0 "$shmc" generate --emit c --out p --depfile p/t.d t.shm
}

refuses_outputs_without_a_place_of_their_own() {
    mkdir -p a b
    printf 'package t;\nmessage M { uint32 x; }\n' >a/t.shm
    printf 'package u;\nmessage M { uint32 x; }\n' >b/t.shm
    expect_status 1 "$shmc" generate --emit c --out o -I a -I b a/t.shm b/t.shm
    expect_text "$output" "'a/t.shm' and 'b/t.shm' would both be generated as 't.shm'"
    [ ! -e o ] || fail "output was made"
}

refuses_file_names_that_no_include_can_hold() {
    local name
    for name in 'a"b.shm' 'a\b.shm' $'a\nb.shm'; do
        printf 'package t;\nmessage M { uint32 x; }\n' >"$name"
        expect_status 2 "$shmc" generate --emit c --out o "$name"
        expect_text "$output" "a file whose name has a quote, a backslash or a control character in it"
    done
    [ ! -e o ] || fail "output was made"
    printf 'package t;\nmessage M { uint32 x; }\n' >'a b&c$.shm'
    expect_status 0 "$shmc" generate --emit c --out o 'a b&c$.shm'
    grep -q '#include "a b&c$.shm.h"' 'o/a b&c$.shm.c'
    grep -q '#define T_A_B_C__SHM_H_' 'o/a b&c$.shm.h'
}

run_case helps_and_tells_its_version
run_case suggests_what_is_near_for_all_verbs_and_options
run_case refuses_wrong_usage_with_status_2
run_case takes_options_in_both_spellings_and_anywhere
run_case writes_files_named_in_the_call_and_no_others
run_case checks_without_writing
run_case reports_as_json_on_stdout
run_case reports_to_a_workflow_on_stdout
run_case fails_with_status_1_and_touches_nothing
run_case fails_with_status_2_where_a_file_cannot_be_read
run_case names_what_cannot_be_written
run_case leaves_all_as_it_was_where_a_disk_is_full
run_case notices_a_full_device
run_case replaces_a_file_behind_a_link_and_keeps_its_mode_usual
run_case writes_dependencies_for_make
run_case refuses_file_names_that_no_include_can_hold
run_case names_output_by_where_a_file_stands
run_case names_output_by_folders_of_any_kind
run_case checks_names_of_what_is_imported_on_two_ways
run_case comments_stay_comments
run_case keeps_its_inputs_and_writes_no_file_twice
run_case refuses_outputs_without_a_place_of_their_own
end_cases
