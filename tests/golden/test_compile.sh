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

# compile_all PROGRAM LANGUAGE STANDARD FLAG…
compile_all() {
    local program=$1 language=$2 standard=$3 file warnings=("${both_warnings[@]}")
    shift 3
    type -P "$program" >/dev/null || skip "$program is not installed"
    [ "$language" = c++ ] || warnings+=("${c_warnings[@]}")
    echo 'int main() { return 0; }' >probe.c
    "$program" -x "$language" -std="$standard" -fsyntax-only probe.c 2>/dev/null ||
        skip "$program does not compile $language as $standard here"
    find "$cases_dir/out" -name '*.c' | sort >files
    while read -r file; do
        "$program" -x "$language" -std="$standard" "${warnings[@]}" "$@" -I "$source_dir/include" -I "$cases_dir/out" \
            -c "$file" -o out.o
    done <files
}

compiles_as_c11_with_gcc() { compile_all gcc c c11 -O2; }
compiles_as_c17_with_gcc() { compile_all gcc c c17 -fsyntax-only; }
compiles_as_c11_with_gcc_and_short_enums() { compile_all gcc c c11 -O2 -fshort-enums; }
compiles_as_cpp17_with_gcc() { compile_all g++ c++ c++17 -O2; }
compiles_as_cpp20_with_gcc() { compile_all g++ c++ c++20 -fsyntax-only; }
compiles_as_c11_with_clang() { compile_all clang c c11 -O2; }
compiles_as_c17_with_clang() { compile_all clang c c17 -fsyntax-only -fshort-enums; }
compiles_as_cpp17_with_clang() { compile_all clang++ c++ c++17 -O2; }
compiles_as_cpp20_with_clang() { compile_all clang++ c++ c++20 -fsyntax-only; }

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
    sed -i 's/^#define SHMRPC_GENERATED_ABI 2$/#define SHMRPC_GENERATED_ABI 3/' include/shmrpc/generated.h
    expect_status 1 "$compiler" -std=c11 -I include -I "$cases_dir/out" -c "$cases_dir/out/calculator.shm.c" -o out.o
    expect_text "$output" "generated for another version of the shmrpc headers"
}

require_case generate_all
run_case compiles_as_c11_with_gcc
run_case compiles_as_c17_with_gcc
run_case compiles_as_c11_with_gcc_and_short_enums
run_case compiles_as_cpp17_with_gcc
run_case compiles_as_cpp20_with_gcc
run_case compiles_as_c11_with_clang
run_case compiles_as_c17_with_clang
run_case compiles_as_cpp17_with_clang
run_case compiles_as_cpp20_with_clang
run_case notices_another_layout
run_case refuses_headers_of_another_abi
end_cases
