#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_bad_input.sh SOURCE_DIR SHMC: files that nobody means well with, and files that are odd and right. Each ends with
# a clear error and status 1 or 2, within bounded time, memory and output, and with nothing written.
set -uo pipefail

readonly source_dir=$1 shmc=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly million=1000000

# times COUNT TEXT
times() { awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) printf "%s", text }'; }

# bytes COUNT CHARACTER
bytes() { head -c "$1" /dev/zero | tr '\0' "$2"; }

schema() {
    printf 'package test.bad;\n'
    cat
}

# Where the lines that are reached are counted, all takes longer.
time_limit=120
if [ "$(nm "$shmc" 2>/dev/null | grep -c ' __gcov_')" -gt 0 ]; then
    time_limit=480
fi
readonly time_limit

# A sanitizer's shadow takes more address space than there is memory.
has_shadow=$(nm "$shmc" 2>/dev/null | grep -cE ' __(asan|tsan)_init' || true)

# bounded STATUS ARGUMENT…: runs shmc with limits; its output is in the file `said`, and is not much.
bounded() {
    local wanted=$1 status=0
    shift
    (
        [ "$has_shadow" -gt 0 ] || ulimit -v 2000000
        exec timeout "$time_limit" "$shmc" "$@"
    ) >said 2>&1 </dev/null || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted: $(head -c 2000 said)"
    [ "$(wc -c <said)" -le 500000 ] || fail "$(wc -c <said) bytes of output"
}

# refuses WORDS FILE: check and generate, with status 1; nothing is written.
refuses() {
    bounded 1 check "$2"
    expect_text "$(head -c 3000 said)" "$1"
    bounded 1 generate --emit c,json --out out "$2"
    [ ! -e out ] || fail "out was made"
}

# nests WORDS OPENING MIDDLE CLOSING
nests() {
    {
        printf 'package test.bad;\n%s' "$2"
        times "$million" "$3"
        printf '%s' "$4"
        [ $# -lt 5 ] || times "$million" "$5"
        printf '%s\n' "${6:-}"
    } >deep.shm
    refuses "$1" deep.shm
    [ "$(wc -l <said)" -le 12 ] || fail "$(wc -l <said) lines for one mistake: $(head -c 2000 said)"
}

adds_a_million_numbers() {
    {
        printf 'package test.flat;\nconst uint32 A = 0'
        times "$million" ' + 1'
        printf ';\n'
    } >flat.shm
    bounded 0 generate --emit json --out out flat.shm
    expect_text "$(cat out/flat.shm.json)" '"value": 1000000'
}

refuses_nesting_a_million_deep() {
    local deep="error[E114]: types and expressions nest too deeply here"
    nests "$deep" 'const uint32 A = ' '(' 1 ')' ';'
    nests "$deep" 'const int32 A = ' '- ' '1;'
    nests "$deep" 'const uint32 A = ' '1 + (' 1 ')' ';'
    nests "$deep" 'struct S { uint8' '[1]' ' x; }'
    nests "$deep" 'struct S { uint8' '?' ' x; }'
    nests "$deep" 'struct S { ' 'vector<' 'uint8' ', 1>' ' x; }'
    nests "error[E110]: unexpected '{'" 'struct S ' '{' '' '}' ''
    nests "error[E110]: unexpected '{'" 'service S { rpc a(' '{ ' '' '}' ''
    nests "error[E205]: unknown name 'a'" 'const uint32 A = a' '.a' ';'
    nests "error[E604]: '@deprecated' takes at most one argument" '@deprecated(' '1, ' '1) const uint32 A = 1;'
}

refuses_types_that_double() {
    {
        echo 'struct S0 { bool a; }'
        awk 'BEGIN { for (i = 1; i < 40; i++) printf "struct S%d { S%d a; S%d b; }\n", i, i - 1, i - 1 }'
    } | schema >double.shm
    refuses "error[E321]: 12284 fields are in the fields of this" double.shm
    [ "$(grep -c 'error\[' said)" -eq 1 ] || fail "more than one error: $(cat said)"
}

# What is just not too much is compiled in bounded time and memory, for each that has it.
compiles_types_that_are_nearly_too_much() {
    {
        echo 'struct S0 { bool a; }'
        awk 'BEGIN { for (i = 1; i < 12; i++) printf "struct S%d { S%d a; S%d b; }\n", i, i - 1, i - 1
                     for (i = 0; i < 20; i++) printf "struct T%d { S11 a; }\n", i }'
    } | schema >near.shm
    bounded 0 generate --emit c --out out near.shm
    [ -s out/near.shm.c ] || fail "nothing was written"
}

refuses_a_chain_of_constants_that_is_too_long() {
    awk 'BEGIN { for (i = 0; i < 100000; i++) printf "const uint32 C%d = C%d;\n", i, i + 1
                 print "const uint32 C100000 = 1;" }' | schema >chain.shm
    refuses "error[E114]: declarations depend on each other too deeply here" chain.shm
}

tells_of_a_thousand_mistakes_and_counts_the_rest() {
    awk 'BEGIN { for (i = 0; i < 100000; i++) printf "alias A%d = Unknown%d;\nstruct Unknwn%d { uint8 a; }\n", i, i, i }' |
        schema >unknown.shm
    refuses "error[E205]: unknown name 'Unknown0'" unknown.shm
    expect_text "$(tail -n 1 said)" "99000 more diagnostics are not shown"
}

refuses_text_that_is_none() {
    printf 'package test.bad;\n\0\0\0' >nul.shm
    refuses "nul.shm:2:1: error[E111]: unexpected NUL character" nul.shm
    {
        printf 'package test.bad;\n'
        times 10000 $'\377\376\001'
    } >binary.shm
    refuses "binary.shm:2:1: error[E109]: the byte 0xFF is not UTF-8 here" binary.shm
    times "$million" "@" | schema >at.shm
    refuses "at.shm:2:2: error[E110]" at.shm
    times "$million" '$ ' | schema >dollars.shm
    refuses "dollars.shm:2:1: error[E111]: unexpected character '\$'" dollars.shm
    expect_text "$(tail -n 1 said)" "more diagnostics are not shown"
    times 200000 $'struct S {\n' | schema >open.shm
    refuses "error[E108]: this '{' is not closed" open.shm
}

joins_comments_in_linear_time() {
    {
        awk 'BEGIN { for (i = 0; i < 20000; i++) print "/// line " i " of many, of a length that is not short at all\n@c_name(\"a\")" }'
        echo 'const uint32 A = 1;'
    } | schema >docs.shm
    refuses "error[E603]: '@c_name' is given twice" docs.shm
}

# A line of 100 MB: of a comment, of a name, of a string, of declarations.
takes_a_line_of_100_megabytes() {
    local size=100000000
    {
        printf 'package test.bad; /* '
        bytes "$size" x
        printf ' */ const uint32 A = b;'
    } >line.shm
    refuses "line.shm:1:$((size + 43)): error[E205]: unknown name 'b'" line.shm
    [ "$(wc -c <said)" -lt 1000 ] || fail "$(wc -c <said) bytes for one mistake"
    {
        printf 'package test.bad;\nconst uint32 A = '
        bytes "$size" x
        printf ';\n'
    } >line.shm
    refuses "line.shm:2:18: error[E205]: unknown name 'xxxxxxxx" line.shm
    [ "$(wc -c <said)" -lt 20000 ] || fail "$(wc -c <said) bytes for one mistake"
    {
        printf 'package test.bad;\nconst string<4> A = "'
        bytes "$size" x
        printf '";\n'
    } >line.shm
    refuses "line.shm:2:21: error[E301]" line.shm
    [ "$(wc -c <said)" -lt 20000 ] || fail "$(wc -c <said) bytes for one mistake"
    rm line.shm
}

tells_columns_of_a_long_line_quickly() {
    {
        printf '/* '
        bytes 20000000 x
        printf ' */ '
        awk 'BEGIN { for (i = 0; i < 2000; i++) printf "const uint8 A%04d = 256; ", i }'
    } | schema >line.shm
    refuses "line.shm:2:20000028: error[E301]: 256 does not fit into uint8" line.shm
    expect_text "$(grep -c 'error\[E301' said)" 1000
    expect_text "$(cat said)" "line.shm:2:$((20000028 + 999 * 25)): error[E301]"
}

# Each level imports both of the next: as many ways as there are paths of 2^30.
reads_a_file_once_on_however_many_ways() {
    local i
    for ((i = 0; i < 30; i++)); do
        printf 'package test.l%d;\nimport "a%d.shm";\nimport "b%d.shm";\nstruct S { u%d.S a; v%d.S b; uint8 c; }\n' \
            "$i" $((i + 1)) $((i + 1)) $((i + 1)) $((i + 1)) >"a$i.shm"
        sed "s/test\.l$i/test.v$i/" "a$i.shm" >"b$i.shm"
        sed -i "s/test\.l$i/test.u$i/; s/S a; v[0-9]*\.S b;/S a;/; s/^import \"b.*//" "a$i.shm"
        sed -i "s/u[0-9]*\.S a; //; s/^import \"a.*//" "b$i.shm"
        printf 'import "%s%d.shm" as other;\nalias Other = other.S;\n' b $((i + 1)) >>"a$i.shm"
        printf 'import "%s%d.shm" as other;\nalias Other = other.S;\n' a $((i + 1)) >>"b$i.shm"
    done
    printf 'package test.u30;\nstruct S { uint8 c; }\n' >a30.shm
    printf 'package test.v30;\nstruct S { uint8 c; }\n' >b30.shm
    bounded 0 check a0.shm
    [ ! -s said ] || fail "$(head -c 2000 said)"
}

# chain COUNT: files each of which imports the next.
chain() {
    awk -v n="$1" 'BEGIN {
        for (i = 0; i < n; i++) {
            file = "c" i ".shm"
            printf "package test.c%d;\n", i >file
            if (i + 1 < n)
                printf "import \"c%d.shm\";\nalias T = c%d.T;\n", i + 1, i + 1 >file
            else
                print "alias T = uint8;" >file
            close(file)
        }
    }'
}

follows_a_chain_of_imports_up_to_a_limit() {
    chain 900
    bounded 0 check c0.shm
    [ ! -s said ] || fail "$(head -c 2000 said)"
    chain 3000
    refuses "error[E114]" c0.shm
    printf 'package test.c2999;\nimport "c0.shm";\nalias T = c0.T;\n' >c800.shm
    refuses "error[E207]: this import of 'c0.shm' closes a cycle" c0.shm
}

refuses_what_is_no_file() {
    echo 'alias A = uint8;' | schema >good.shm
    mkfifo pipe.shm
    bounded 2 check pipe.shm
    expect_text "$(cat said)" "error[E001]: cannot read 'pipe.shm': it is not a file"
    bounded 2 generate --emit c --out out good.shm pipe.shm
    bounded 2 check .
    expect_text "$(cat said)" "cannot read '.': Is a directory"
    bounded 2 check /dev/zero
    expect_text "$(cat said)" "cannot read '/dev/zero': it is not a file"
    bounded 2 check none.shm
    expect_text "$(cat said)" "cannot read 'none.shm': No such file or directory"
    ln -s loop.shm loop.shm
    bounded 2 check loop.shm
    expect_text "$(cat said)" "cannot read 'loop.shm': Too many levels of symbolic links"
    mkdir folder.shm
    ln -s nowhere.shm dangling.shm
    local each
    for each in pipe:"cannot be read: it is not a file" folder:"cannot be read: Is a directory" \
        dangling:"is not found" loop:"is not found"; do
        printf 'import "%s.shm";\n' "${each%%:*}" | schema >imports.shm
        refuses "'${each%%:*}.shm' ${each#*:}" imports.shm
    done
    [ ! -e out ] || fail "out was made"
}

reads_standard_input_and_pipes_that_it_is_handed() {
    local output
    output=$(echo 'package test.bad; alias A = b;' | "$shmc" check - 2>&1) && fail "status 0"
    expect_text "$output" "<stdin>:1:29: error[E205]: unknown name 'b'"
    echo 'package test.bad; alias A = uint8;' | "$shmc" check - || fail "status $?"
    echo 'package test.bad; alias A = uint8;' | "$shmc" check /dev/stdin || fail "status $?"
    "$shmc" check <(echo 'package test.bad; alias A = uint8;') || fail "status $?"
    output=$(echo 'package test.bad; alias A = uint8;' | "$shmc" generate --emit c --out out - 2>&1) && fail "status 0"
    expect_text "$output" "standard input has no name that could be generated under"
    [ ! -e out ] || fail "out was made"
}

# One file by two paths is one file.
knows_a_file_behind_links() {
    mkdir real
    printf 'package test.shared;\nstruct S { uint8 a; }\n' >real/shared.shm
    ln -s real linked
    ln -s real/shared.shm other.shm
    printf 'package test.one;\nimport "real/shared.shm";\nstruct A { shared.S a; }\n' >one.shm
    printf 'package test.two;\nimport "other.shm" as o;\nimport "linked/../one.shm";\nstruct B { o.S a; one.A b; }\n' >two.shm
    bounded 0 check one.shm two.shm other.shm real/shared.shm linked/shared.shm
    [ ! -s said ] || fail "$(cat said)"
}

# says TEXT FILE: exactly this.
says() {
    local status=0
    "$shmc" check "$2" >said 2>&1 || status=$?
    [ "$status" -eq 1 ] || fail "status $status"
    printf '%s\n' "$1" | diff - said || fail "that is not what it says"
}

shows_places_in_odd_texts() {
    printf '\357\273\277package a.b;\nalias A = b;' >file.shm
    says $'file.shm:2:11: error[E205]: unknown name \'b\'\nalias A = b;\n          ^' file.shm
    printf '\357\273\277alias A = b;' >file.shm
    says $'file.shm:1:1: error[E107]: the file has no package declaration
alias A = b;\n^\nfix: begin it with one: \'package demo.name;\'
file.shm:1:11: error[E205]: unknown name \'b\'\nalias A = b;\n          ^' file.shm
    printf 'package a.b;\r\n\r\nalias A = b;\r\n' >file.shm
    says $'file.shm:3:11: error[E205]: unknown name \'b\'\nalias A = b;\n          ^' file.shm
    printf 'package a.b;\ralias A = b;\r' >file.shm
    says $'file.shm:1:24: error[E205]: unknown name \'b\'\npackage a.b;?alias A = b;\n                       ^' file.shm
    printf 'package a.b;\n\talias\tA =\tbcd;\n' >file.shm
    says $'file.shm:2:12: error[E205]: unknown name \'bcd\'\n\talias\tA =\tbcd;\n\t     \t   \t^~~' file.shm
    printf 'package a.b; /* \303\251\303\251 \360\237\230\200 */ alias A = bcd;\n' >file.shm
    says $'file.shm:1:35: error[E205]: unknown name \'bcd\'\npackage a.b; /* \303\251\303\251 \360\237\230\200 */ alias A = bcd;
                                  ^~~' file.shm
    printf 'package a.b;\nstruct S {\n  uint8 a;' >file.shm
    says $'file.shm:2:10: error[E108]: this \'{\' is not closed\nstruct S {\n         ^
file.shm:3:11: note: the file ends here, before the \'}\'' file.shm
    printf 'package a.b;\n/// at the end' >file.shm
    "$shmc" check file.shm 2>said || fail "status $?"
    expect_text "$(cat said)" "file.shm:2:1: warning[W106]"
    : >file.shm
    says $'file.shm:1:1: error[E107]: the file has no package declaration\n\n^\nfix: begin it with one: \'package demo.name;\'' file.shm
}

run_case adds_a_million_numbers
run_case refuses_nesting_a_million_deep
run_case refuses_types_that_double
run_case compiles_types_that_are_nearly_too_much
run_case refuses_a_chain_of_constants_that_is_too_long
run_case tells_of_a_thousand_mistakes_and_counts_the_rest
run_case refuses_text_that_is_none
run_case joins_comments_in_linear_time
run_case takes_a_line_of_100_megabytes
run_case tells_columns_of_a_long_line_quickly
run_case reads_a_file_once_on_however_many_ways
run_case follows_a_chain_of_imports_up_to_a_limit
run_case refuses_what_is_no_file
run_case reads_standard_input_and_pipes_that_it_is_handed
run_case knows_a_file_behind_links
run_case shows_places_in_odd_texts
end_cases
