#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_words.sh SOURCE_DIR SHMC: every keyword of C11 to C23 and of C++20, every word of the language and a few
# macros, as a name of each kind of thing. Where it stands bare in C it is refused (E203) and @c_name mends it; where it is
# behind a prefix it is taken as it is. What is accepted compiles as C11, C2x, C++17 and C++20.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
cc=$(command -v gcc || command -v clang)
cxx=$(command -v g++ || command -v clang++)
readonly source_dir shmc cc cxx
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly c_words="auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
alignas alignof bool constexpr false nullptr static_assert thread_local true typeof typeof_unqual"
readonly cpp_words="and and_eq asm bitand bitor catch char8_t char16_t char32_t class co_await co_return co_yield compl
concept const_cast consteval constinit decltype delete dynamic_cast explicit export friend mutable namespace new noexcept
not not_eq operator or or_eq private protected public reinterpret_cast requires static_cast template this throw try typeid
typename using virtual wchar_t xor xor_eq"
readonly macros="assert errno stdin stdout stderr EOF NULL offsetof major minor linux unix"
# Words that are no more than names where generated code has them.
readonly fine_words="import module final override package as alias flags message errors service rpc oneway event stream
compose throws topic queue strict string bytes vector start end identifier"

# Which of them the language itself keeps: E113 says so.
is_hard() {
    case $1 in
    const | enum | struct | union | sizeof | true | false | bool) return 0 ;;
    *) return 1 ;;
    esac
}

compiles() {
    "$shmc" generate --emit c --out out "$1"
    local standard
    for standard in c11 c2x; do
        "$cc" -std="$standard" -Wall -Wextra -Werror -I "$source_dir/include" -I out -fsyntax-only "out/$1.c"
    done
    [ -n "$cxx" ] || return 0
    for standard in c++17 c++20; do
        printf '#include "%s.h"\n' "$1" >unit.cc
        "$cxx" -std="$standard" -Wall -Wextra -Werror -I "$source_dir/include" -I out -fsyntax-only unit.cc
    done
}

# bare WORD…: as fields, arms and methods.
bare() {
    local note=$1 word i=0
    shift
    printf 'package test.words;\nstruct F {\n'
    for word in "$@"; do
        i=$((i + 1))
        printf '    %s uint32 %s;\n' "${note//%/x_$i}" "$word"
    done
    i=0
    printf '}\nunion U {\n'
    for word in "$@"; do
        i=$((i + 1))
        printf '    %s uint32 %s = %d;\n' "${note//%/x_$i}" "$word" "$i"
    done
    i=0
    printf '}\nservice S {\n'
    for word in "$@"; do
        i=$((i + 1))
        printf '    %s oneway %s();\n' "${note//%/x_$i}" "$word"
    done
    printf '}\n'
}

# Every word that the language lets by.
soft_words() {
    local word
    for word in $c_words $cpp_words $macros; do
        is_hard "$word" || echo "$word"
    done
}

refuses_each_where_it_stands_bare() {
    local words word
    mapfile -t words < <(soft_words)
    bare '' "${words[@]}" >bare.shm
    expect_status 1 "$shmc" generate --emit c --out out bare.shm
    for word in "${words[@]}"; do
        [ "$(grep -c "E203\].*would be '${word,,}' in C\|E203\].*would be '$word' in C" <<<"$output")" -ge 2 ] ||
            case $word in
            EOF | NULL) ;; # eof and null, which are free
            *) fail "$word is not refused as a field and an arm" ;;
            esac
    done
    [ ! -e out ] || fail "out was made"
}

mends_each_by_c_name() {
    local words
    mapfile -t words < <(soft_words)
    bare '@c_name("%")' "${words[@]}" >mended.shm
    compiles mended.shm
}

takes_words_that_are_only_names() {
    # shellcheck disable=SC2086
    bare '' $fine_words >fine.shm
    compiles fine.shm
}

takes_each_behind_a_prefix() {
    local words word i=0
    # shellcheck disable=SC2086
    mapfile -t words < <(soft_words; printf '%s\n' $fine_words)
    printf 'package test.words;\nenum E {\n' >members.shm
    for word in "${words[@]}"; do
        printf '    %s = %d;\n' "$word" "$i" >>members.shm
        i=$((i + 1))
    done
    printf '}\nflags G { a = 1; }\nerrors X {\n' >>members.shm
    for word in "${words[@]}"; do
        printf '    %s = %d;\n' "$word" "$((i - ${#words[@]} + 1))" >>members.shm
        i=$((i + 1))
    done
    printf '}\n' >>members.shm
    compiles members.shm
    printf 'package test.words;\n' >types.shm
    for word in $(soft_words) start end identifier import; do
        case $word in
        import) ;; # a word of the language names no declaration
        *) printf 'struct %s { uint32 a; }\n' "$word" ;;
        esac
    done >>types.shm
    compiles types.shm
}

run_case refuses_each_where_it_stands_bare
run_case mends_each_by_c_name
run_case takes_words_that_are_only_names
run_case takes_each_behind_a_prefix
end_cases
