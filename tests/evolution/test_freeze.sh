#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_freeze.sh SOURCE_DIR SHMC: `shmc freeze`, and locks beside files. What is said of each kind of contradiction is in
# tests/diagnostics (E407 to E411, E413).
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

schema() {
    mkdir -p lib
    printf 'package part;\nstruct P { uint32 x; }\n' >lib/part.shm
    printf 'package t;\nimport "part.shm";\nmessage M { part.P p; string<8> s; }\nservice S { rpc f(M) -> (M); }\n' >t.shm
}

writes_facts_that_are_sorted() {
    schema
    expect_status 0 "$shmc" freeze -I lib t.shm
    [ -z "$output" ] || fail "$output"
    [ -e t.shm.lock ] || fail "no t.shm.lock"
    [ ! -e lib/part.shm.lock ] || fail "the lock of an import was written"
    grep -v '^#' t.shm.lock | sed -n '2,$p' >facts
    sort -c facts || fail "not sorted"
    grep -qx 'package t version 1' facts || fail "no package: $(cat facts)"
    grep -qx 'field M.s since 1 at 4 string<8>' facts || fail "no field: $(cat facts)"
    grep -qE '^version M 1 size 16 fingerprint [0-9a-f]{16}$' facts || fail "no version: $(cat facts)"
    grep -qx 'method S.f since 1 rpc (t.M) -> (t.M)' facts || fail "no method: $(cat facts)"
    [ "$(find . -type f | sort | tr '\n' ' ')" = "./facts ./lib/part.shm ./t.shm ./t.shm.lock " ] ||
        fail "something else was written: $(find . -type f)"
}

is_the_same_from_everywhere() {
    schema
    "$shmc" freeze -I lib t.shm
    mkdir -p deep/er
    cp -R lib t.shm deep/er
    (cd deep && LC_ALL=C.UTF-8 "$shmc" freeze -I er/lib ./er/t.shm)
    cmp t.shm.lock deep/er/t.shm.lock
}

leaves_a_lock_as_it_is() {
    schema
    "$shmc" freeze -I lib t.shm
    touch -d 2001-01-01 t.shm.lock
    "$shmc" freeze -I lib t.shm
    [ "$(stat -c %Y t.shm.lock)" -lt 1000000000 ] || fail "it was written anew"
    expect_status 0 "$shmc" check -I lib t.shm
    [ -z "$output" ] || fail "$output"
}

# A method has a revision for each version of an imported payload, which are all of one version of its own package.
locks_what_payloads_of_another_package_were() {
    mkdir -p lib
    printf '@version(2)\npackage part;\nmessage M { uint32 x; @since(2) uint32 y; }\n' >lib/part.shm
    printf 'package t;\nimport "part.shm";\nservice S { rpc f(part.M) -> (); }\n' >t.shm
    expect_status 0 "$shmc" freeze -I lib t.shm
    [ "$(grep -c '^revision S.f 1 fingerprint ' t.shm.lock)" -eq 2 ] || fail "$(cat t.shm.lock)"
    expect_status 0 "$shmc" check -I lib t.shm
    expect_status 0 "$shmc" check --at-version 1 -I lib t.shm
    printf '@version(3)\npackage part;\nmessage M { uint32 x; @since(2) uint32 y; @since(3) uint32 z; }\n' >lib/part.shm
    expect_status 0 "$shmc" check -I lib t.shm
    printf '@version(3)\npackage part;\nmessage M { uint32 x; @since(2) uint16 y; @since(3) uint32 z; }\n' >lib/part.shm
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "error[E410]: version 1 of 'f' is locked"
}

# What is refused is a promise, too: it is beside the fingerprint, which is the same.
locks_what_strict_types_take() {
    mkdir -p lib
    local values='A = 0; B = 3;'
    part() {
        printf '@version(2)\npackage part;\nstrict enum E { %s }\n@size(16) strict union U { E e = 1;%s }\n' "$1" "$2" >lib/part.shm
        printf 'struct P { U u; } message Q { P[2] p; }\n' >>lib/part.shm
    }
    part "$values" ''
    printf '@version(2)\npackage t;\nimport "part.shm";\nmessage M { uint8 x; @since(2) part.E e; }\n' >t.shm
    printf 'errors R { A(part.P) = 1; }\nservice S { rpc f(part.Q) -> () throws R; rpc g(M) -> (); }\ntopic q(part.Q);\n' >>t.shm
    expect_status 0 "$shmc" freeze -I lib t.shm
    grep -qE '^version M 1 size 8 fingerprint [0-9a-f]{16}$' t.shm.lock || fail "M 1: $(cat t.shm.lock)"
    grep -qE '^version M 2 size 16 fingerprint [0-9a-f]{16} strict [0-9a-f]{16}$' t.shm.lock || fail "M 2"
    grep -qE '^revision S.f 1 fingerprint [0-9a-f]{16} strict [0-9a-f]{16}$' t.shm.lock || fail "S.f"
    grep -qE '^revision S.g 1 fingerprint [0-9a-f]{16}$' t.shm.lock || fail "S.g 1"
    grep -qE '^item q fingerprint [0-9a-f]{16} strict [0-9a-f]{16} part.Q$' t.shm.lock || fail "q"
    expect_status 0 "$shmc" check -I lib t.shm
    expect_status 0 "$shmc" check --at-version 1 -I lib t.shm
    # The order of values is nothing.
    part 'B = 3; A = 0;' ''
    expect_status 0 "$shmc" check -I lib t.shm
    local changed
    for changed in 'A = 0;' 'A = 0; B = 3; C = 1;' 'A = 0; B = 4;' 'A = 0; B = 3; @since(2) C = 1;'; do
        part "$changed" ''
        expect_status 1 "$shmc" check -I lib t.shm
        expect_text "$output" "t.shm:4:9: error[E407]: what is strict in version 2 of 'M' takes other values than in the lock"
        expect_text "$output" "t.shm:6:17: error[E410]: what is strict in version 1 of 'f' takes other values than in the lock"
        expect_text "$output" "t.shm:7:7: error[E407]: what is strict in the item of 'q' takes other values than in the lock"
        [ "$(grep -c 'error\[' <<<"$output")" -eq 3 ] || fail "told twice: $output"
    done
    part "$values" '@since(2) uint8 n = 7;'
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "E410]: what is strict in version 1 of 'f'"
    [ "$(grep -c 'error\[' <<<"$output")" -eq 2 ] || fail "not two: $output"
    # Where the import has a lock of its own, it is told there, once.
    part "$values" ''
    "$shmc" freeze lib/part.shm
    part "$values C = 5;" ''
    expect_status 1 "$shmc" check -I lib t.shm
    [ "$(grep -c 'error\[' <<<"$output")" -eq 1 ] || fail "told twice: $output"
    expect_text "$output" "E411]: 'C' is new in 'E'"
    # A value that came with version 2 is locked, and not there at version 1.
    printf '@version(2)\npackage u;\nstrict enum E { A = 0; @since(2) B = 1; }\nmessage M { E e; }\n' >u.shm
    printf 'service S { rpc f(M) -> (); }\n' >>u.shm
    expect_status 0 "$shmc" freeze u.shm
    expect_status 0 "$shmc" check --at-version 1 u.shm
    expect_status 0 "$shmc" check --at-version 2 u.shm
}

# The message is of the same package, and its own file has no lock.
says_that_a_revision_is_gone() {
    mkdir -p lib
    printf '@version(2)\npackage t;\nmessage M { uint32 x; @since(2) uint32 y; }\n' >lib/m.shm
    printf '@version(2) @c_prefix("tt")\npackage t;\nimport "m.shm";\nservice S { rpc f(t.M) -> (); }\n' >t.shm
    expect_status 0 "$shmc" freeze -I lib t.shm
    printf '@version(2)\npackage t;\nmessage M { uint32 x; }\n' >lib/m.shm
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "error[E410]: version 2 of 'f' is locked with the fingerprint"
    expect_text "$output" "; it is not there now"
}

takes_additions() {
    schema
    "$shmc" freeze -I lib t.shm lib/part.shm
    cp t.shm.lock before
    printf '@version(2)\npackage t;\nimport "part.shm";\nmessage M { part.P p; string<8> s; @since(2) uint8 n; }\n' >t.shm
    printf 'service S { rpc f(M) -> (M); @since(2) oneway g(); }\n' >>t.shm
    expect_status 0 "$shmc" check -I lib t.shm
    expect_status 0 "$shmc" freeze -I lib t.shm
    # What was there is there still, but for the version of the package.
    [ "$(grep -v '^package' before | grep -vxFf t.shm.lock)" = "" ] || fail "facts are lost"
    grep -qx 'package t version 2' t.shm.lock || fail "no version 2"
    grep -q '^version M 2 ' t.shm.lock || fail "no version 2 of M"
    # From now on version 2 is locked, too.
    sed -i 's/uint8 n/uint16 n/' t.shm
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "error[E407]: 'n' is uint16, and uint8 in version 2, which is locked"
}

refuses_contradictions_and_writes_nothing() {
    schema
    "$shmc" freeze -I lib t.shm lib/part.shm
    cp t.shm.lock before
    sed -i 's/string<8>/string<9>/' t.shm
    expect_status 1 "$shmc" freeze -I lib t.shm
    expect_text "$output" "t.shm:3:33: error[E409]: 's' is string<9>, and string<8> in version 1, which is locked"
    expect_text "$output" "t.shm.lock:5:1: note: the lock has 'field M.s since 1 at 4 string<8>'"
    cmp before t.shm.lock
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "E409"
    expect_status 1 "$shmc" generate --emit json --out out -I lib t.shm
    expect_text "$output" "E409"
    [ ! -e out ] || fail "something was generated"
    "$shmc" check --format=json -I lib t.shm >found && fail "status 0"
    expect_text "$(cat found)" '"file": "t.shm.lock", "line": 5'
    rm t.shm.lock
    expect_status 0 "$shmc" freeze -I lib t.shm
}

looks_at_the_locks_of_imports() {
    schema
    "$shmc" freeze -I lib t.shm lib/part.shm
    sed -i 's/uint32 x/float32 x/' lib/part.shm
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "lib/part.shm:2:20: error[E407]: 'x' is float32, and uint32"
    # M has changed because P has: that is one mistake.
    case $output in *error*error*) fail "told twice: $output" ;; esac
    # Where the import is not locked, M is what changed.
    rm lib/part.shm.lock
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "t.shm:3:9: error[E407]: version 1 of 'M' is locked with 16 bytes and the fingerprint"
    case $output in *error*error*) fail "told twice: $output" ;; esac
}

# A composed method that its own service has lost, in a file that is locked itself.
tells_of_what_an_import_lost_there() {
    mkdir -p lib
    printf 'package part;\nservice B { rpc b() -> (); rpc c() -> (); }\n' >lib/part.shm
    printf 'package t;\nimport "part.shm";\nservice S { compose part.B; }\nservice T { compose S; }\n' >t.shm
    "$shmc" freeze -I lib t.shm lib/part.shm
    sed -i 's/rpc c() -> (); //' lib/part.shm
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "error[E408]: the method 'B.c' is locked, and gone"
    case $output in *error*error*) fail "told twice: $output" ;; esac
    rm lib/part.shm.lock
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "error[E408]: the method 'S.c' is locked, and gone"
    case $output in *error*error*) fail "told twice: $output" ;; esac
}

locks_are_inputs() {
    schema
    "$shmc" freeze -I lib lib/part.shm
    "$shmc" generate --emit json --out out --depfile d -I lib t.shm
    expect_text "$(cat d)" "lib/part.shm.lock"
    expect_status 2 "$shmc" generate --emit json --out out --depfile lib/part.shm.lock -I lib t.shm
    expect_text "$output" "cannot write lib/part.shm.lock: it is also an input"
}

compares_an_earlier_version_with_what_it_was() {
    printf '@version(3)\npackage t;\n@since(2) struct P { uint8 x; }\nmessage M { uint8 a; @since(2) P p; @since(3) uint8 b; }\n' >t.shm
    printf 'errors E { A = 1; @since(3) B = 2; }\nservice S { rpc f(M) -> () throws E; @since(3) oneway g(M); }\ntopic q(M);\n' >>t.shm
    "$shmc" freeze t.shm
    local version
    for version in 1 2 3; do
        expect_status 0 "$shmc" check --at-version "$version" t.shm
        [ -z "$output" ] || fail "$output"
    done
    sed -i 's/uint8 b/uint16 b/' t.shm
    expect_status 0 "$shmc" check --at-version 2 t.shm
    expect_status 1 "$shmc" check --at-version 3 t.shm
    sed -i 's/uint8 a/int8 a/' t.shm
    expect_status 1 "$shmc" check --at-version 1 t.shm
    expect_text "$output" "'a' is int8, and uint8 in version 1"
}

broken() {
    printf '%s' "$1" >t.shm.lock
    cp t.shm.lock before
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "$2"
    expect_status 1 "$shmc" freeze -I lib t.shm
    expect_text "$output" "error[E413]"
    cmp before t.shm.lock
}

tells_what_is_wrong_with_a_lock() {
    local head=$'# words\nshmc-lock 1\n' line
    schema
    broken "" "t.shm.lock:1:1: error[E413]: 't.shm.lock' is no lock: 'shmc-lock 1' is missing"
    broken $'shmc-lock 2\n' "t.shm.lock:1:1: error[E413]: 't.shm.lock' is a lock of another shmc"
    broken $'shmc-lock 12\n' "is a lock of another shmc"
    broken "$head" "does not say of which package it is"
    broken "$head"$'package t version 1\npackage t version 1\n' "t.shm.lock:4:1: error[E413]: 't.shm.lock' says this twice"
    for line in 'package t version 0' 'package t version 01' 'package t version 4294967296' 'package t version' \
        'package t version 1 ' 'package t  version 1' 'package t version x' 'package  version 1' 'packages t version 1' \
        'package t! version 1' 'type T since 1 ' 'field x since 1 at 0 uint8' 'member E.x since 1 value -' \
        'member E.x since 1 value 18446744073709551616' 'version M 1 size 8 fingerprint 0123' \
        'version M 1 size 8 fingerprint 012345678901234G' \
        'version M 1 size 8 fingerprint 0123456789012345 strict' 'item q fingerprint 0123456789012345 strict 012 t.M' \
        'version M 1 size 8 fingerprint 0123456789012345 strict 012345678901234G' \
        'version M 1 size 8 fingerprint 0123456789012345 stric 0123456789012345' ' ' 'reserved T' '>>>>>>> other'; do
        broken "$head$line"$'\npackage t version 1\n' "t.shm.lock:3:1: error[E413]: 't.shm.lock' has a line that is no fact"
    done
    rm t.shm.lock
    mkdir t.shm.lock
    expect_status 1 "$shmc" check -I lib t.shm
    expect_text "$output" "shmc: error[E413]: 't.shm.lock' cannot be read: Is a directory"
}

# Without a line that says what a thing is, nothing would be looked at that is said of it.
misses_a_line_that_was_lost() {
    cat >t.shm <<'END'
@version(2)
package t;
struct P { uint8 x; }
message M { P p; @since(2) E e; }
union U { uint8 a = 1; }
@since(2) enum E { A = 0; }
flags F { A = 1; }
errors R { A(P) = 1; }
service B { rpc f(M) -> ({ U u; }) throws R; }
@since(2) service S { compose B; oneway g({ F f; reserved "h"; }); }
queue q({ uint8 x; });
topic s(M);
END
    expect_status 0 "$shmc" freeze t.shm
    cp t.shm.lock whole
    cp whole lines
    local line lost=0
    while IFS= read -r line; do
        grep -vxF "$line" whole >t.shm.lock
        case $line in
        "#"* | field* | arm* | reserved* | "version M 2"* | "revision B.f 2"*) continue ;; # said of what is there still
        esac
        expect_status 1 "$shmc" check t.shm
        expect_text "$output" "error[E413]: 't.shm.lock' "
        case $line in
        type* | method* | version* | revision* | item* | member* | error*)
            # Of members any would do.
            expect_text "$output" "has this line, and no '$(cut -d' ' -f1,2 <<<"$line" | sed '/^[me][er][mr]/s/\..*//')"
            ;;
        esac
        lost=$((lost + 1))
    done <lines
    [ "$lost" -ge 28 ] || fail "only $lost lines were tried"
    cp whole t.shm.lock
    expect_status 0 "$shmc" check t.shm
}

bears_other_line_ends() {
    schema
    "$shmc" freeze -I lib t.shm
    sed -i 's/$/\r/' t.shm.lock
    printf '\n# a word more' >>t.shm.lock
    expect_status 0 "$shmc" check -I lib t.shm
    [ -z "$output" ] || fail "$output"
}

fails_where_it_cannot_write() {
    schema
    # shellcheck disable=SC2016
    expect_status 2 bash -c 'ulimit -f 0; exec "$1" freeze -I lib t.shm' bash "$shmc"
    expect_text "$output" "cannot write t.shm.lock: File too large"
    [ "$(find . -name '*.lock*' -o -name '.shmc*')" = "" ] || fail "something is left"
    expect_status 2 "$shmc" freeze
    expect_text "$output" "'shmc freeze' wants at least one file"
    expect_status 2 "$shmc" freeze --out o t.shm
    expect_text "$output" "'--out' is not an option of 'shmc freeze'"
}

has_each_kind_of_fact() {
    local kind file
    cp "$source_dir"/tests/diagnostics/good/E4*.shm .
    printf 'package t;\nqueue q({ uint8 x; });\nunion U { uint8 a = 1; }\nenum E : int8 { A = 0; B = -3; reserved 4, "C"; }\n' >t.shm
    for file in ./*.shm; do
        "$shmc" freeze "$file"
    done
    for kind in package type version field arm member error method revision item reserved; do
        grep -q "^$kind " ./*.lock || fail "no $kind"
    done
    for file in ./*.shm; do
        expect_status 0 "$shmc" check "$file"
    done
}

run_case writes_facts_that_are_sorted
run_case is_the_same_from_everywhere
run_case leaves_a_lock_as_it_is
run_case locks_what_payloads_of_another_package_were
run_case locks_what_strict_types_take
run_case says_that_a_revision_is_gone
run_case takes_additions
run_case refuses_contradictions_and_writes_nothing
run_case looks_at_the_locks_of_imports
run_case tells_of_what_an_import_lost_there
run_case locks_are_inputs
run_case compares_an_earlier_version_with_what_it_was
run_case tells_what_is_wrong_with_a_lock
run_case misses_a_line_that_was_lost
run_case bears_other_line_ends
run_case fails_where_it_cannot_write
run_case has_each_kind_of_fact
end_cases
