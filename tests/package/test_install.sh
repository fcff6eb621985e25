#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_install.sh SOURCE_DIR BUILD_DIR: installs a build into a prefix of its own and uses it from outside, through
# CMake's find_package() and through pkg-config with a Makefile.
set -uo pipefail

readonly source_dir=$1
readonly build_dir=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly prefix=$cases_dir/prefix
readonly expected="3 boxes of 250 g weigh 750 g"
libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build_dir/CMakeCache.txt")
readonly libdir

generator=(-G "Unix Makefiles")
if command -v ninja >/dev/null; then
    generator=(-G Ninja)
fi

installs_all_that_is_promised() {
    cmake --install "$build_dir" --prefix "$prefix"
    local file
    for file in bin/shmc include/shmrpc/shmrpc.h include/shmrpc/wire.h "$libdir/libshmrpc.so" "$libdir/libshmrpc.so.0" \
        "$libdir/libshmrpc.a" "$libdir/pkgconfig/shmrpc.pc" "$libdir/cmake/shmrpc/shmrpcConfig.cmake" \
        "$libdir/cmake/shmrpc/shmrpcConfigVersion.cmake" "$libdir/cmake/shmrpc/shmrpcTargets.cmake" \
        "$libdir/cmake/shmrpc/ShmrpcGenerate.cmake" share/man/man1/shmc.1 \
        share/shmrpc/json-model.schema.json share/shmrpc/shm_ctypes.py; do
        [ -e "$prefix/$file" ] || fail "not installed: $file"
    done
    [ -L "$prefix/$libdir/libshmrpc.so" ] || fail "libshmrpc.so is no link"
    "$prefix/bin/shmc" --version
}

# names_of FOLDER: the files of the installation that name it, as a path that begins there: where the checkout is /shmrpc,
# .../lib/cmake/shmrpc does not.
names_of() {
    local folder
    folder=$(printf '%s' "$1" | sed 's/[][\.*^$+?(){}|]/\\&/g')
    grep -rIlE -e "(^|[^[:alnum:]_./}-]|-[IL])$folder(\$|[^[:alnum:]_.-])" "$prefix"
}

# Nothing but the public names leaves the library, and no path of the build is left in what is installed as text.
installs_no_trace_of_the_build() {
    local folder named
    for folder in "$source_dir" "$build_dir"; do
        printf 'Cflags: -I%s/include\nset(here "%s")\n' "$folder" "$folder" >"$prefix/trace"
        named=$(names_of "$folder") || true
        [ "$named" = "$prefix/trace" ] || fail "$folder is named in, beside a trace that was left to be found: $named"
        rm "$prefix/trace"
    done
}

# What reads the model is installed beside the compiler that writes it.
tools_of_the_json_model_work() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    printf 'package t;\nmessage Note { uint32 id; string<20> text; }\n' >note.shm
    "$prefix/bin/shmc" generate --emit json --out . note.shm
    "$prefix/share/shmrpc/shm_ctypes.py" . note.shm.json >note.py
    [ "$(python3 -c 'import ctypes, note; print(ctypes.sizeof(note.Note), note.Note.text.offset)')" = "32 4" ]
    python3 - "$prefix/share/shmrpc/json-model.schema.json" note.shm.json <<'END'
import json, sys

schema, model = (json.load(open(name)) for name in sys.argv[1:])
assert schema["properties"]["schema_version"] == {"const": model["schema_version"]}
assert set(schema["required"]) <= set(model), set(schema["required"]) - set(model)
END
}

exports_public_names_only() {
    command -v nm >/dev/null || skip "nm is not installed"
    local names
    names=$(nm -D --defined-only "$prefix/$libdir/libshmrpc.so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' |
        grep -v '^shmrpc_' || true)
    [ -z "$names" ] || fail "exported: $names"
    command -v readelf >/dev/null || return 0
    readelf -d "$prefix/$libdir/libshmrpc.so" >dynamic
    grep -q 'soname: \[libshmrpc\.so\.0\]' dynamic || fail "soname"
}

# build_with_cmake SOURCE PREFIX [OPTION…]: into ./build.
build_with_cmake() {
    local project=$1 from=$2
    shift 2
    cmake -S "$project" -B build "${generator[@]}" -DCMAKE_PREFIX_PATH="$from" -DCMAKE_BUILD_TYPE=Debug "$@"
    cmake --build build
}

# says PROGRAM: it runs and prints what it is to print.
says() {
    expect_status 0 "$@"
    [ "$output" = "$expected" ] || fail "said: $output"
}

find_package_builds_shared_and_static() {
    build_with_cmake "$source_dir/tests/package/consumer" "$prefix"
    says build/consumer
    says build/consumer_static
    if command -v ldd >/dev/null; then
        # Into a file: a writer whose reader has seen enough would be a failure.
        ldd build/consumer >needs
        grep -q "$prefix.*libshmrpc\.so\.0" needs || fail "consumer does not use the shared library"
        ldd build/consumer_static >needs
        grep -q libshmrpc needs && fail "consumer_static uses the shared library"
    fi
    return 0
}

refuses_other_version() {
    cp -r "$source_dir/tests/package/consumer" .
    sed -i 's/find_package(shmrpc 0.1 /find_package(shmrpc 0.2 /' consumer/CMakeLists.txt
    expect_status 1 cmake -S consumer -B build "${generator[@]}" -DCMAKE_PREFIX_PATH="$prefix"
    expect_text "$output" 'compatible with requested version "0.2"'
}

pkg_config_builds_shared_and_static() {
    command -v make >/dev/null || skip "make is not installed"
    command -v pkg-config >/dev/null || skip "pkg-config is not installed"
    export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
    [ "$(pkg-config --modversion shmrpc)" = "$(sed -n 's/^project(shmrpc VERSION \([0-9.]*\).*/\1/p' \
        "$source_dir/CMakeLists.txt")" ] || fail "another version: $(pkg-config --modversion shmrpc)"
    make -f "$source_dir/tests/package/consumer/Makefile" consumer
    says ./consumer
    make -f "$source_dir/tests/package/consumer/Makefile" consumer_static
    says ./consumer_static
}

moved_prefix_still_works() {
    cp -r "$prefix" moved
    build_with_cmake "$source_dir/tests/package/consumer" "$PWD/moved"
    says build/consumer
    if command -v pkg-config >/dev/null; then
        local shmc
        shmc=$(PKG_CONFIG_PATH=$PWD/moved/$libdir/pkgconfig pkg-config --variable=shmc shmrpc)
        [ "$(readlink -f "$shmc")" = "$(readlink -f moved/bin/shmc)" ] || fail "pkg-config says $shmc"
    fi
}

# A shmc of the build machine is used in place of the package's where SHMRPC_SHMC names one.
host_shmc_takes_the_place_of_the_package_s() {
    cp -r "$prefix" target
    printf '#!/bin/sh\nexit 126\n' >target/bin/shmc
    printf '#!/bin/sh\necho run >>%q\nexec %q "$@"\n' "$PWD/runs" "$prefix/bin/shmc" >host-shmc
    chmod +x host-shmc
    build_with_cmake "$source_dir/tests/package/consumer" "$PWD/target" -DSHMRPC_SHMC="$PWD/host-shmc"
    says build/consumer
    [ "$(wc -l <runs)" -eq 4 ] || fail "the host's shmc ran $(wc -l <runs) times"
}

# rebuilds_after_imported_file_changes GENERATOR: through the dependency file; nothing runs where nothing changed.
rebuilds_after_imported_file_changes() {
    local kind=$1
    case $kind in
    Ninja) command -v ninja >/dev/null || skip "ninja is not installed" ;;
    *) command -v make >/dev/null || skip "make is not installed" ;;
    esac
    rm -rf consumer build
    cp -r "$source_dir/tests/package/consumer" .
    generator=(-G "$kind")
    build_with_cmake consumer "$prefix"
    expect_status 0 cmake --build build
    case $output in *Generating*) fail "generated again although nothing changed: $output" ;; esac

    touch consumer/shared/units/weight.shm
    cmake --build build
    expect_status 0 cmake --build build
    case $output in *Generating*) fail "generates for ever after a file was touched: $output" ;; esac

    # The importing file is not named by this change; only the dependency file knows.
    sed -i 's/uint64 grams;/uint64 grams; uint64 tare;/' consumer/shared/units/weight.shm
    expect_status 0 cmake --build build
    expect_text "$output" "Generating units/weight.shm.h"
    expect_text "$output" "Generating post/parcel.shm.h"
    says build/consumer
}

bad_schema_fails_the_build_with_its_diagnostic() {
    cp -r "$source_dir/tests/package/consumer" .
    sed -i 's/uint64 count;/uint65 count;/' consumer/schemas/post/parcel.shm
    expect_status 1 build_with_cmake consumer "$prefix"
    expect_text "$output" "parcel.shm:7:"
    expect_text "$output" "error[E205]"
}

# In C++ one derives from what is generated, and includes it as it is.
cpp_program_serves_and_calls() {
    command -v c++ >/dev/null || skip "there is no C++ compiler"
    build_with_cmake "$source_dir/tests/package/cpp" "$prefix"
    mkdir -m 700 run
    export SHMRPC_DIR=$PWD/run
    expect_status 0 timeout 60 build/cpp
    [ "$output" = $'0 100\n0 200\n0 300\n300 left' ] || fail "said: $output"
    [ -z "$(ls -A run)" ] || fail "left behind: $(ls -A run)"
}

# serves_and_calls SERVER CLIENT: of ./build, in a directory of their own; what the client says is in ./client.out, and
# nothing is left behind.
serves_and_calls() {
    local server_pid
    rm -rf run
    mkdir -m 700 run
    export SHMRPC_DIR=$PWD/run
    "build/$1" &
    server_pid=$!
    # shellcheck disable=SC2064
    trap "kill -KILL $server_pid 2>/dev/null || true" EXIT
    timeout 60 "build/$2" | tee client.out
    kill -TERM "$server_pid"
    wait "$server_pid"
    trap - EXIT
    [ -z "$(ls -A run)" ] || fail "left behind: $(ls -A run)"
}

# Each example is a project of its own: it builds as such, and its client comes to its end with its server.
runs_example() {
    local name=${1#*-}
    rm -rf build
    build_with_cmake "$source_dir/idl-examples/$1" "$prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
    case $name in
    accumulator) # two threads of one client have one total
        serves_and_calls "${name}_server" "${name}_client"
        grep -qx "odd adds 1000 times 1 .* 1000 times 10 in another: 11000 after 2000 additions" client.out
        ;;
    event-loops)
        serves_and_calls epoll_server epoll_client
        diff client.out - <<'END'
the tea is ready
the eggs are soft
the bread is done
meanwhile the loop has ticked many times
END
        ;;
    pictures)
        serves_and_calls "${name}_server" "${name}_client"
        diff client.out - <<'END'
640 x 480: from 255 to 0
1024 x 1024: from 255 to 0
END
        ;;
    *) serves_and_calls "${name}_server" "${name}_client" ;;
    esac
}

# The same server in another loop, and a client in this loop with either.
runs_event_loops_of_libuv() {
    local server
    { command -v pkg-config >/dev/null && pkg-config --exists libuv; } || skip "libuv is not installed"
    build_with_cmake "$source_dir/idl-examples/04-event-loops" "$prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
    for server in uv_server epoll_server; do
        serves_and_calls "$server" uv_client
        [ "$(cat client.out)" = $'ready\nsteady\ngo' ] || fail "$server: said: $(cat client.out)"
    done
    serves_and_calls uv_server epoll_client
    grep -qx "the bread is done" client.out
}

require_case installs_all_that_is_promised
run_case installs_no_trace_of_the_build
run_case tools_of_the_json_model_work
run_case exports_public_names_only
run_case find_package_builds_shared_and_static
run_case refuses_other_version
run_case pkg_config_builds_shared_and_static
run_case moved_prefix_still_works
run_case host_shmc_takes_the_place_of_the_package_s
run_case rebuilds_after_imported_file_changes Ninja
run_case rebuilds_after_imported_file_changes "Unix Makefiles"
run_case bad_schema_fails_the_build_with_its_diagnostic
run_case cpp_program_serves_and_calls
for example in "$source_dir"/idl-examples/*/CMakeLists.txt; do
    [ -e "$example" ] || continue
    run_case runs_example "$(basename "$(dirname "$example")")"
done
run_case runs_event_loops_of_libuv
end_cases
