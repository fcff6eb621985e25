# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Which packages a verb needs, by Debian's names, and how a missing one is installed.
# shellcheck disable=SC2034

# Enough to build, to run the demo and to pass the tests. libc6-dev and make are what gcc and cmake recommend.
base_packages=(gcc libc6-dev cmake make ninja-build pkg-config flex bison libprotobuf-c-dev protobuf-c-compiler check
    python3)
# The models of the protocol are checked by this where it is there.
model_packages=(spin)
# The instructions of a call are counted by this where it is there.
instruction_packages=(valgrind)
# An example runs in a loop of this library's too where it is there.
example_packages=(libuv1-dev)
# What is generated for others is read by these where they are there.
product_packages=(cmark-gfm protobuf-compiler python3-jsonschema)
# The generated code is compiled for 32 bits too, and looked at in a debugger, where these are there.
abi_packages=(gcc-multilib g++-multilib gdb)
# The generated code is compiled by these too where they are there.
lint_packages=(git g++ clang clang-format clang-tidy shellcheck)
# What shmrpc is measured beside by `tools/dev bench --peers`, and what draws plots.
peer_packages=(g++ libzmq3-dev libnng-dev libsystemd-dev libcapnp-dev capnproto libgrpc++-dev libprotobuf-dev
    protobuf-compiler protobuf-compiler-grpc libiceoryx-binding-c-dev iceoryx)
plot_packages=(gnuplot-nox)
format_packages=(git clang-format)
coverage_packages=(gcovr)

# A package counts as there where what it is wanted for is there, however it came.
package_is_there() {
    case $1 in
    ninja-build) command -v ninja ;;
    protobuf-compiler) command -v protoc ;;
    python3-jsonschema) /usr/bin/python3 -c 'import jsonschema' ;;
    protobuf-c-compiler) command -v protoc-c ;;
    libc6-dev) [ -e /usr/include/stdio.h ] && [ -e /usr/include/linux/futex.h ] ;;
    libprotobuf-c-dev) command -v pkg-config && pkg-config --exists libprotobuf-c ;;
    check) command -v pkg-config && pkg-config --exists check ;;
    libuv1-dev) command -v pkg-config && pkg-config --exists libuv ;;
    gcc-multilib) echo '#include <stdint.h>' | gcc -m32 -fsyntax-only -x c - ;;
    g++-multilib) echo '#include <cstdint>' | g++ -m32 -fsyntax-only -x c++ - ;;
    libzmq3-dev) command -v pkg-config && pkg-config --exists libzmq ;;
    libnng-dev) [ -e /usr/include/nng/nng.h ] ;;
    libsystemd-dev) command -v pkg-config && pkg-config --exists libsystemd ;;
    libcapnp-dev) command -v pkg-config && pkg-config --exists capnp-rpc ;;
    capnproto) command -v capnp ;;
    libgrpc++-dev) command -v pkg-config && pkg-config --exists grpc++ ;;
    libprotobuf-dev) command -v pkg-config && pkg-config --exists protobuf ;;
    protobuf-compiler-grpc) command -v grpc_cpp_plugin ;;
    libiceoryx-binding-c-dev) compgen -G '/usr/include/iceoryx/v*/iceoryx_binding_c/client.h' ;;
    iceoryx) command -v iox-roudi ;;
    gnuplot-nox) command -v gnuplot ;;
    spin) spin -V | grep '^Spin Version' ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "not root, and there is no sudo, for: $*"
        return 1
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@"
}

apt_update_and_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update && apt_install "$@"
}

# want_packages NAME…: installs those that are missing where that can be done, and goes on in any case: what needs them
# is skipped, and says so.
want_packages() {
    local missing=() package
    for package in "$@"; do
        package_is_there "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1; }; then
        say "installing ${missing[*]}"
        quietly apt.log apt_install "${missing[@]}" 2>/dev/null ||
            quietly apt.log apt_update_and_install "${missing[@]}" 2>/dev/null || true
    fi
    for package in "${missing[@]}"; do
        package_is_there "$package" || say "going on without $package, which is not installed"
    done
}

# need_packages NAME…: installs those that are missing, or says which they are and exits with 2.
need_packages() {
    local missing=() package
    for package in "$@"; do
        package_is_there "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null 2>&1; then
        fail "install these first (Debian's names): ${missing[*]}"
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        fail "install these as root first: apt-get install ${missing[*]}"
    fi
    say "installing ${missing[*]}"
    # The lists of a fresh image may be absent, and those of an old one stale.
    if ! quietly apt.log apt_install "${missing[@]}" 2>/dev/null; then
        quietly apt.log apt_update_and_install "${missing[@]}" || fail "could not install: ${missing[*]}"
    fi
    for package in "${missing[@]}"; do
        package_is_there "$package" || fail "$package was installed and still is not found"
    done
}
