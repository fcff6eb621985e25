#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_compile.sh SOURCE_DIR SHMC: what is generated compiles without a warning, as C and as C++, under each compiler.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/golden/schemas.sh
. "$source_dir/tests/golden/schemas.sh"

readonly both_warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wvla -Wformat=2 -Wundef
    -Wcast-qual -Wwrite-strings -Werror)
readonly c_warnings=(-Wstrict-prototypes -Wmissing-prototypes)

generate_all() {
    golden_generate "$shmc" "$source_dir" "$cases_dir/out"
}

# Where an include of each header, and of each source, is written for all compilers.
write_units() {
    local file
    cd "$cases_dir/out" || return
    find . -name '*.h' | sort | sed 's|^\./\(.*\)|#include "\1"|' >../headers.c
    # Sources of one unit each have a static function of this name.
    find . -name '*.c' | sort | while read -r file; do
        printf '#define refuse_ refuse_in_%s\n#include "%s"\n#undef refuse_\n' "$(echo "${file#./}" | tr -c 'a-z0-9\n' _)" \
            "${file#./}"
    done >../sources.c
    cp ../headers.c ../layout.c
    layout_table <../headers.c >../layout.c
}

# layout_table: behind includes of headers, a table of what stands in them: the size of each type, and of each member of
# each struct, paddings too, offset and size.
layout_table() {
    local includes
    includes=$(cat)
    echo "$includes"
    echo 'static const uint32_t layout[] __attribute__((section(".layout"), used)) = {'
    echo "$includes" | sed 's/^#include "\(.*\)"$/\1/' | xargs cat | awk '
        /^typedef struct [a-z0-9_]+ \{$/ { members = ""; inside = 1; next }
        /^}/ { inside = 0 }
        inside && /^    [^ ].*;/ {
            sub(/;.*/, "")
            sub(/\[.*/, "")
            sub(/.*[ *]/, "")
            members = members "    offsetof(@, " $0 "), sizeof(((@ *)0)->" $0 "),\n"
        }
        # What travels is asserted, right behind its struct; no other struct is.
        /^SHMRPC_STATIC_ASSERT\(sizeof\(/ {
            split($0, part, /[()]/)
            gsub(/@/, part[3], members)
            printf "    sizeof(%s),\n%s", part[3], array ? "" : members
            members = ""
        }
        /^} / { array = /\[/ }'
    echo '};'
}

# Skips the case where that compiler does not do this here: compiles PROGRAM LANGUAGE STANDARD FLAG…
needs() {
    local program=$1 language=$2 standard=$3
    shift 3
    type -P "$program" >/dev/null || skip "$program is not installed"
    printf '#include <stdint.h>\n#include <string.h>\nint main() { return 0; }\n' >probe.c
    "$program" -x "$language" -std="$standard" "$@" -fsyntax-only probe.c 2>/dev/null ||
        skip "$program does not compile $language as $standard ${*:+with $* }here${*:+ (for -m32: gcc-multilib)}"
}

# compiles PROGRAM LANGUAGE STANDARD FLAG…: all sources in one, without a warning.
compiles() {
    local program=$1 language=$2 standard=$3 warnings=("${both_warnings[@]}")
    shift 3
    [ "$language" = c++ ] || warnings+=("${c_warnings[@]}")
    "$program" -x "$language" -std="$standard" "${warnings[@]}" "$@" -I "$source_dir/include" -I "$cases_dir/out" \
        -c "$cases_dir/sources.c" -o out.o
}

# Each standard, each level of optimisation and each flag meets each compiler, not each combination of them.
compiles_with() {
    local program=$1
    needs "$program" c c11
    compiles "$program" c c11 -O0
    compiles "$program" c c11 -O2 -fshort-enums
    compiles "$program" c c17 -O2
    needs "$program" c c2x
    compiles "$program" c c2x -O3 -fshort-enums
}

compiles_as_cpp_with() {
    local program=$1
    needs "$program" c++ c++17
    compiles "$program" c++ c++17 -O2
    needs "$program" c++ c++20
    compiles "$program" c++ c++20 -O3 -fshort-enums
}

compiles_for_32_bits_with() {
    local program=$1
    needs "$program" c c11 -m32
    compiles "$program" c c11 -m32 -O2
    needs "$program" c c2x -m32
    compiles "$program" c c2x -m32 -O3 -fshort-enums
}

compiles_as_cpp_for_32_bits_with() {
    local program=$1
    needs "$program" c++ c++17 -m32
    compiles "$program" c++ c++17 -m32 -O2
    needs "$program" c++ c++20 -m32
    compiles "$program" c++ c++20 -m32 -fsyntax-only -fshort-enums
}

# lays_out_alike PROGRAM LANGUAGE FLAG…: in each standard, with enums short and not, the table is that of the first.
lays_out_alike() {
    local program=$1 language=$2 standards=(c11 c17 c2x) standard enums
    shift 2
    [ "$language" = c ] || standards=(c++17 c++20)
    for standard in "${standards[@]}"; do
        needs "$program" "$language" "$standard" "$@"
        for enums in -fno-short-enums -fshort-enums; do
            same_layout layout "$program" "$language" "$standard" "$enums" "$@"
        done
    done
}

# One of many types: each type in each position, a part of it.
lays_out_much_alike() {
    local program=$1 language=$2 standard=$3
    needs "$@"
    if [ ! -e "$cases_dir/much.c" ]; then
        cc -std=c11 -o make_matrix "$source_dir"/tests/roundtrip/matrix/{make,types}.c
        ./make_matrix .
        "$shmc" generate --emit c --out "$cases_dir/out" -I . shared.shm part_0.shm 2>/dev/null
        (cd "$cases_dir/out" && echo '#include "part_0.shm.h"' | layout_table) >much.c
        mv much.c "$cases_dir"
    fi
    same_layout much "$@"
}

# same_layout UNIT PROGRAM LANGUAGE STANDARD FLAG…: the table that is compiled is the one that came first.
same_layout() {
    local unit=$1 program=$2 language=$3 standard=$4 found
    shift 4
    "$program" -x "$language" -std="$standard" "$@" -I "$source_dir/include" -I "$cases_dir/out" -c "$cases_dir/$unit.c" \
        -o layout.o
    objcopy -O binary --only-section=.layout --set-section-flags .layout=alloc layout.o table
    found=$(cksum <table)
    [ -e "$cases_dir/$unit.first" ] || echo "$found" >"$cases_dir/$unit.first"
    echo "$found" >>"$cases_dir/tables"
    [ "$found" = "$(cat "$cases_dir/$unit.first")" ] || fail "another layout: $found, $program $standard $*"
}

# A struct that is not as the schema says, whatever the cause, is noticed: here two fields have changed places.
notices_another_layout() {
    local compiler=cc
    type -P gcc >/dev/null && compiler=gcc
    mkdir out
    sed '/^    int64_t a;$/d; s/^    int64_t b;$/    int64_t b;\n    int64_t a;/' "$cases_dir/out/calculator.shm.h" \
        >out/calculator.shm.h
    cp "$cases_dir/out/calculator.shm.c" out
    expect_status 1 "$compiler" -std=c11 -I "$source_dir/include" -I out -c out/calculator.shm.c -o out.o
    expect_text "$output" "offset of calc_pair.a"
    expect_text "$output" "offset of calc_pair.b"
}

# Generated for another version of the runtime's headers.
refuses_headers_of_another_abi() {
    local compiler=cc
    type -P gcc >/dev/null && compiler=gcc
    cp -r "$source_dir/include" include
    chmod -R u+w include
    sed -i 's/^#define SHMRPC_GENERATED_ABI 3$/#define SHMRPC_GENERATED_ABI 4/' include/shmrpc/generated.h
    expect_status 1 "$compiler" -std=c11 -I include -I "$cases_dir/out" -c "$cases_dir/out/calculator.shm.c" -o out.o
    expect_text "$output" "generated for another version of the shmrpc headers"
}

require_case generate_all
require_case write_units
run_case compiles_with gcc
run_case compiles_with clang
run_case compiles_as_cpp_with g++
run_case compiles_as_cpp_with clang++
run_case compiles_for_32_bits_with gcc
run_case compiles_for_32_bits_with clang
run_case compiles_as_cpp_for_32_bits_with g++
run_case compiles_as_cpp_for_32_bits_with clang++
for bits in "" -m32; do
    for program in gcc clang; do
        run_case lays_out_alike "$program" c ${bits:+"$bits"}
        run_case lays_out_much_alike "$program" c c11 ${bits:+"$bits"}
    done
    for program in g++ clang++; do
        run_case lays_out_alike "$program" c++ ${bits:+"$bits"}
    done
    run_case lays_out_much_alike g++ c++ c++17 ${bits:+"$bits"}
done
run_case notices_another_layout
run_case refuses_headers_of_another_abi
[ ! -e "$cases_dir/tables" ] || sort "$cases_dir/tables" | uniq -c | while read -r times hash size; do
    echo "$times tables of $((size / 4)) sizes and offsets have the checksum $hash"
done
end_cases
