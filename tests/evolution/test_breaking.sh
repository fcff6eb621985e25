#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_breaking.sh SOURCE_DIR SHMC [--update]: `shmc breaking`.
#
# Each folder of breaking/ is a case: old.shm, new.shm, and in expected.txt all that is said of them. A folder's name is
# the rule that it is of, with an ending where there are several; `none-...` are those of which nothing is said. What
# the lock of old.shm says of new.shm is in locked.txt: nothing of the latter, something of whatever breaks the wire.
# --update writes the texts anew: read what `git diff` then shows.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
update=${3:-}
readonly source_dir shmc update
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
readonly pairs=$source_dir/tests/evolution/breaking

# The names of all rules.
rules() {
    sed -n 's/^X([A-Z_]*, [A-Z]*, "\([a-z-]*\)".*/\1/p' "$source_dir/compiler/compare_rules.h"
}

agrees_with_the_lock() {
    local folder=$1 name=$2
    cp "$folder/old.shm" new.shm
    "$shmc" freeze new.shm || fail "freeze: status $?"
    cp "$folder/new.shm" new.shm
    "$shmc" check new.shm >locked 2>&1 || true
    if [ "$update" = --update ]; then
        cp locked "$folder/locked.txt"
    fi
    diff "$folder/locked.txt" locked || fail "the lock says something else"
    if grep -q '^new.shm:[0-9:]* wire\[' found; then
        grep -q 'error\[E4' locked || fail "the lock lets it pass"
    fi
    case $name in none-*) [ ! -s locked ] || fail "the lock says: $(cat locked)" ;; esac
}

tells_what_breaks() {
    local folder=$1 name=${1##*/} wanted=1 status=0
    (cd "$folder" && "$shmc" breaking --against old.shm new.shm) >found 2>&1 || status=$?
    if [ "$update" = --update ]; then
        cp found "$folder/expected.txt"
    fi
    diff "$folder/expected.txt" found || fail "the text differs"
    case $name in
    none-*) wanted=0 ;;
    *)
        grep -qF "[$(rules | grep -xF "${name%%.*}")]" found || fail "its own rule is not among what is said"
        ;;
    esac
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted"
    agrees_with_the_lock "$folder" "$name"
    # A schema breaks nothing of its own.
    (cd "$folder" && expect_status 0 "$shmc" breaking --against new.shm new.shm && [ -z "$output" ]) ||
        fail "it breaks itself: $output"
}

has_a_case_and_a_row_for_each_rule() {
    local rule
    while IFS= read -r rule; do
        compgen -G "$pairs/$rule*" >/dev/null || fail "no case for $rule"
        grep -qF "| \`$rule\` |" "$source_dir/docs/versions.md" || fail "no row for $rule in docs/versions.md"
    done < <(rules)
}

# Of the case none-c-names, that nothing is said is right: what is generated is the same.
writes_the_same_c_for_names_that_are_written_out() {
    local side
    for side in old new; do
        mkdir "$side"
        cp "$pairs/none-c-names/$side.shm" "$side/n.shm"
        (cd "$side" && expect_status 0 "$shmc" generate --emit c --out out n.shm)
    done
    diff -r old/out new/out
}

two_versions() {
    mkdir -p old/lib new/lib
    printf 'package part;\nstruct P { uint32 x; }\n' >old/lib/part.shm
    printf 'package part;\nstruct P { uint64 x; }\n' >new/lib/part.shm
    printf 'package t;\nimport "part.shm";\nmessage M { part.P p; }\nconst uint32 N = 1;\n' >old/t.shm
    printf 'package t;\nimport "part.shm";\nmessage M { part.P p; }\n' >new/t.shm
}

compares_imports_of_each_side() {
    two_versions
    expect_status 1 "$shmc" breaking --against old/t.shm --against-include old/lib -I new/lib new/t.shm
    expect_text "$output" "new/lib/part.shm:2:19: wire[field-type]: part.P.x: 'x' is uint64, where it was uint32"
    expect_text "$output" "old/lib/part.shm:2:19: note: it was uint32 here"
    expect_text "$output" "new/t.shm:1:9: source[declaration-removed]: t.N: 'N', a constant, is gone"
    case $output in *part.P.x*part.P.x*) fail "told twice: $output" ;; esac
    # Without --against-include the folders of -I are those of both.
    expect_status 1 "$shmc" breaking --against old/t.shm -I new/lib new/t.shm
    case $output in *part.P.x*) fail "$output" ;; esac
}

tells_types_of_two_packages_apart() {
    mkdir old new
    printf 'package left;\nstruct S { uint8 a; }\n' >old/left.shm
    printf 'package right;\nstruct S { uint16 a; }\n' >new/right.shm
    printf 'package t;\nimport "left.shm";\nmessage M { vector<left.S, 2>? s; }\n' >old/t.shm
    printf 'package t;\nimport "right.shm";\nmessage M { vector<right.S, 2>? s; }\n' >new/t.shm
    expect_status 1 "$shmc" breaking --against old/t.shm new/t.shm
    expect_text "$output" "t.M.s: 's' is vector<right.S, 2>?, where it was vector<left.S, 2>?"
}

knows_packages_of_several_files() {
    local side
    mkdir -p old new
    for side in old new; do
        printf 'package l;\nstruct P { uint8 x; }\n' >"$side/a.shm"
        printf '@c_prefix("lb") package l;\nstruct Q { uint8 x; }\n' >"$side/b.shm"
        printf 'package t;\nimport "a.shm" as a;\nimport "b.shm" as b;\nmessage M { a.P p; b.Q q; }\n' >"$side/t.shm"
    done
    expect_status 0 "$shmc" breaking --against old/t.shm new/t.shm
    [ -z "$output" ] || fail "$output"
    # A type moves to the other file, and changes there.
    printf 'package l;\nstruct O { uint8 x; }\n' >new/a.shm
    printf 'struct P { uint16 x; }\n' >>new/b.shm
    sed -i 's/a\.P p/b.P p; a.O? o/' new/t.shm
    expect_status 1 "$shmc" breaking --against old/t.shm new/t.shm
    expect_text "$output" "c-name]: l.P: the name of 'P' in C begins with 'lb', where it began with 'l'"
    expect_text "$output" "declaration-removed]: l.P: 'P' is in 'new/b.shm' now, which 'new/a.shm' does not import"
    expect_text "$output" "field-type]: l.P.x: 'x' is uint16, where it was uint8"
    expect_text "$output" "field-added]: t.M.o"
    [ "$(grep -c '^new/.*\]: ' <<<"$output")" -eq 4 ] || fail "something else is said: $output"
    # The other file has it in its header all the same where it imports what it lost.
    printf 'package l;\nimport "b.shm";\nstruct O { l.P p; }\n' >new/a.shm
    expect_status 1 "$shmc" breaking --against old/t.shm new/t.shm
    case $output in *declaration-removed*) fail "$output" ;; esac
}

# Half of the names are others: each of them is looked for, which took minutes where all were gone through for it.
takes_many_members_and_methods() {
    large() {
        awk -v other="$1" 'function name(i) { return (i % 2 ? "m" : other) i }
            BEGIN {
                print "package t;\nenum E {"
                for (i = 0; i < 20000; i++) print toupper(name(i)) " = " i ";"
                print "}\nunion U {"
                for (i = 1; i < 4000; i++) print "uint8 " name(i) " = " i ";"
                print "}\nservice S {"
                for (i = 0; i < 4000; i++) print "rpc " name(i) "() -> ();"
                print "}"
            }'
    }
    large m >old.shm
    large n >new.shm
    local status=0
    timeout 60 "$shmc" breaking --allow source --against old.shm new.shm >found || status=$?
    [ "$status" -eq 1 ] || fail "breaking: status $status"
    [ "$(grep -c '^new.*method-removed' found)" -eq 2000 ] || fail "$(grep -c . found) lines"
    [ "$(grep -c '^new.*field-renamed' found)" -eq 1999 ] || fail "$(grep -c . found) lines"
    "$shmc" freeze old.shm
    mv old.shm.lock new.shm.lock
    status=0
    timeout 60 "$shmc" check new.shm >found 2>&1 || status=$?
    [ "$status" -eq 1 ] || fail "check: status $status"
    [ "$(grep -c 'error\[E408\]' found)" -ge 1000 ] || fail "$(grep -c 'error\[' found) errors"
}

leaves_out_what_is_allowed() {
    two_versions
    set -- --against old/t.shm --against-include old/lib -I new/lib new/t.shm
    expect_status 1 "$shmc" breaking --allow source "$@"
    case $output in *source*) fail "$output" ;; esac
    expect_status 1 "$shmc" breaking --allow=wire,behaviour "$@"
    case $output in *wire*) fail "$output" ;; esac
    expect_status 0 "$shmc" breaking --allow wire --allow declaration-removed "$@"
    [ -z "$output" ] || fail "$output"
    expect_status 2 "$shmc" breaking --allow wires "$@"
    expect_text "$output" "--allow knows no 'wires', did you mean 'wire'?"
    expect_status 2 "$shmc" breaking --allow "" "$@"
    expect_status 2 "$shmc" breaking --allow "nothing of the kind" "$@"
    expect_text "$output" "there are wire, source, behaviour"
}

reports_as_json() {
    two_versions
    "$shmc" breaking --format=json --against old/t.shm --against-include old/lib -I new/lib new/t.shm >found &&
        fail "status 0"
    cat >expected <<'END'
[
  {"rule": "field-type", "class": "wire", "title": "a field or arm has another type", "owner": "part.P", "member": "x", "message": "'x' is uint64, where it was uint32", "file": "new/lib/part.shm", "line": 2, "column": 19, "end_line": 2, "end_column": 20, "note": {"message": "it was uint32 here", "file": "old/lib/part.shm", "line": 2, "column": 19, "end_line": 2, "end_column": 20}},
  {"rule": "declaration-removed", "class": "source", "title": "a constant, alias or type is gone", "owner": "t.N", "member": "", "message": "'N', a constant, is gone", "file": "new/t.shm", "line": 1, "column": 9, "end_line": 1, "end_column": 10, "note": {"message": "it was here", "file": "old/t.shm", "line": 4, "column": 14, "end_line": 4, "end_column": 15}, "fix": "keep it; @deprecated tells those who use it"}
]
END
    diff expected found
    "$shmc" breaking --format=json --against new/t.shm -I new/lib new/t.shm >found
    [ "$(cat found)" = "[]" ] || fail "$(cat found)"
}

reports_to_a_workflow() {
    two_versions
    "$shmc" breaking --format=github --against old/t.shm --against-include old/lib -I new/lib new/t.shm >found 2>said &&
        fail "status 0"
    cat >expected <<'END'
::error file=new/lib/part.shm,line=2,col=19,title=wire[field-type]::part.P.x: 'x' is uint64, where it was uint32%0Aold/lib/part.shm:2:19: note: it was uint32 here
::error file=new/t.shm,line=1,col=9,title=source[declaration-removed]::t.N: 'N', a constant, is gone%0Aold/t.shm:4:14: note: it was here%0Afix: keep it; @deprecated tells those who use it
END
    diff expected found
    [ ! -s said ] || fail "$(cat said)"
}

tells_mistakes_of_either_side() {
    two_versions
    printf 'package t;\nmessage M { uint32 x }\n' >broken.shm
    expect_status 1 "$shmc" breaking --against broken.shm -I new/lib new/t.shm
    expect_text "$output" "broken.shm:2:21: error[E102]"
    expect_status 1 "$shmc" breaking --format=json --against new/t.shm -I new/lib broken.shm
    expect_text "$output" "broken.shm:2:21: error[E102]"
    expect_status 2 "$shmc" breaking --against nowhere.shm broken.shm
    expect_text "$output" "cannot read 'nowhere.shm'"
    expect_text "$output" "error[E102]"
}

refuses_wrong_usage() {
    two_versions
    expect_status 2 "$shmc" breaking new/t.shm
    expect_text "$output" "'shmc breaking' wants --against OLD"
    expect_status 2 "$shmc" breaking --against old/t.shm
    expect_text "$output" "wants at least one file"
    expect_status 2 "$shmc" breaking --against old/t.shm new/t.shm new/lib/part.shm
    expect_text "$output" "compares one file with one"
    expect_status 2 "$shmc" check --against old/t.shm new/t.shm
    expect_text "$output" "'--against' is not an option of 'shmc check'"
    expect_status 2 "$shmc" breaking --against old/t.shm --against new/t.shm new/t.shm
    expect_text "$output" "--against is given twice"
}

fails_where_it_cannot_write() {
    two_versions
    # shellcheck disable=SC2016
    expect_status 2 bash -c '"$1" breaking --against old/t.shm -I new/lib new/t.shm >/dev/full' bash "$shmc"
    expect_text "$output" "cannot write to standard output"
}

for folder in "$pairs"/*; do
    mkdir -p "$cases_dir/tells_what_breaks"
    run_case tells_what_breaks "$folder"
    rm -rf "$cases_dir/tells_what_breaks"
done
run_case has_a_case_and_a_row_for_each_rule
run_case writes_the_same_c_for_names_that_are_written_out
run_case compares_imports_of_each_side
run_case tells_types_of_two_packages_apart
run_case knows_packages_of_several_files
run_case takes_many_members_and_methods
run_case leaves_out_what_is_allowed
run_case reports_as_json
run_case reports_to_a_workflow
run_case tells_mistakes_of_either_side
run_case refuses_wrong_usage
run_case fails_where_it_cannot_write
end_cases
