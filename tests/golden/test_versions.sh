#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_versions.sh SOURCE_DIR SHMC: `--at-version N` gives what the file as it was at version N gave, byte for byte.
#
# evolution/N has the files as they were at version N; imported/ has what they import, which stays as it is.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly evolution=$source_dir/tests/golden/evolution
readonly newest=5

# products FILE: those that can hold it.
products() {
    case $1 in
        store.shm) echo c,json,proto,doc ;;
        feed.shm) echo json,proto,doc ;;
    esac
}

# generate VERSION FILE OUT [OPTION…]: from the file as it was at that version.
generate() {
    local version=$1 file=$2 out=$3
    shift 3
    "$shmc" generate --emit "$(products "$file")" --out "$out" -I "$evolution/$version" -I "$evolution/imported" "$@" \
        "$evolution/$version/$file"
}

gives_what_the_file_of_the_version_gave() {
    local file now old
    for file in store.shm feed.shm; do
        for old in $(seq "$newest"); do
            generate "$old" "$file" "then/$old"
            [ -s "then/$old/$file.json" ] || fail "$file at version $old gives nothing"
            for now in $(seq "$old" "$newest"); do
                generate "$now" "$file" "now/$now/$old" --at-version "$old"
            done
        done
    done
    for old in $(seq "$newest"); do
        for now in $(seq "$old" "$newest"); do
            diff -ru "then/$old" "now/$now/$old" || fail "version $old from the file of version $now"
        done
    done
}

# Each revision in the newest file is the newest one of the file of its version.
revisions_are_what_the_files_were() {
    type -P python3 >/dev/null || skip "python3 is not installed"
    local old file
    for file in store.shm feed.shm; do
        for old in $(seq "$newest"); do
            generate "$old" "$file" "$old"
        done
        python3 - "$newest" "$file" <<'END'
import json, sys

newest, file = int(sys.argv[1]), sys.argv[2]
seen = 0

def looked(found, name, thing, version):
    """The fingerprint of a record or method at a version."""
    if isinstance(thing, dict) and "revisions" in thing:
        rows = [row for row in thing["revisions"] if row["version"] <= version]
        if rows:
            found[name] = (rows[-1]["fingerprint"], rows[-1].get("size"), rows[-1].get("canonical"))
    if isinstance(thing, dict):
        for key, value in thing.items():
            looked(found, name + "." + (thing.get("name") or "") + ":" + key, value, version)
    if isinstance(thing, list) and thing and isinstance(thing[0], dict):
        for value in thing:
            looked(found, name + "/" + str(value.get("name")), value, version)
    return found

now = json.load(open(f"{newest}/{file}.json"))["declarations"]
for version in range(1, newest + 1):
    then = json.load(open(f"{version}/{file}.json"))["declarations"]
    a, b = looked({}, "", then, version), looked({}, "", now, version)
    assert a == b, (version, sorted(set(a.items()) ^ set(b.items())))
    seen += len(a)
assert seen > 20, seen
END
    done
}

each_version_is_another() {
    local old
    for old in $(seq "$newest"); do
        generate "$newest" store.shm "out/$old" --at-version "$old"
        grep -q "\"version\": $old," "out/$old/store.shm.json" || fail "version $old does not say so"
    done
    for old in $(seq 2 "$newest"); do
        if cmp -s "out/$((old - 1))/store.shm.h" "out/$old/store.shm.h"; then
            fail "nothing came with version $old"
        fi
    done
}

leaves_out_an_import_that_nothing_used_yet() {
    generate 5 store.shm two --at-version 2
    generate 5 store.shm three --at-version 3
    if grep 'later.shm.h' two/store.shm.h; then
        fail "an import of version 3"
    fi
    grep -q 'include "later.shm.h"' three/store.shm.h
    grep -q 'include "parts.shm.h"' two/store.shm.h
}

compiles_at_each_version() {
    local old
    type -P cc >/dev/null || skip "there is no C compiler"
    for old in $(seq "$newest"); do
        generate "$newest" store.shm "out/$old" --at-version "$old"
        "$shmc" generate --emit c --out "out/$old" -I "$evolution/imported" "$evolution/imported/parts.shm" \
            "$evolution/imported/later.shm"
        cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -I "$source_dir/include" -I "out/$old" \
            -c "out/$old/store.shm.c" -o out.o
    done
}

# What is missing of an older message is filled from the newest default image: each one begins as all before it were.
default_images_begin_as_those_before() {
    local old
    type -P cc >/dev/null || skip "there is no C compiler"
    cat >images.c <<'END'
#include <stdio.h>

#include "store.shm.h"

#define SHOW(message)                                                                                                  \
    do {                                                                                                               \
        message each;                                                                                                  \
        memset(&each, 0xa5, sizeof each);                                                                              \
        message##_init(&each);                                                                                         \
        printf("%s ", #message);                                                                                       \
        for (size_t i = 0; i < sizeof each; i++)                                                                       \
            printf("%02x", ((const unsigned char *)&each)[i]);                                                         \
        printf("\n");                                                                                                  \
    } while (0)

int main(void)
{
    SHOW(grown_request);
    SHOW(grown_reply);
    SHOW(grown_put_request);
    SHOW(grown_put_reply);
#if VERSION >= 3
    SHOW(grown_batch);
#endif
    return 0;
}
END
    for old in $(seq "$newest" -1 1); do
        generate "$newest" store.shm "out/$old" --at-version "$old"
        "$shmc" generate --emit c --out "out/$old" -I "$evolution/imported" "$evolution/imported/parts.shm" \
            "$evolution/imported/later.shm"
        cc -std=c11 -DVERSION="$old" -ffunction-sections -fdata-sections -Wl,--gc-sections \
            -I "$source_dir/include" -I "out/$old" images.c "out/$old/store.shm.c" -o images
        ./images >"images.$old"
        while read -r name image; do
            grep -q "^$name $image" "images.$newest" || fail "the image of $name at version $old is another one"
        done <"images.$old"
    done
    { [ "$(wc -l <images.5)" -eq 5 ] && [ "$(wc -l <images.1)" -eq 4 ]; } || fail "there are messages missing"
    if cmp -s images.1 images.2; then fail "nothing came with version 2"; fi
    grep -q '01' images.2 || fail "there is no default but zero at version 2"
}

checks_the_file_as_it_is() {
    mkdir schema
    cat >schema/a.shm <<'END'
@version(2)
package a;

message M { uint8 a; @since(2) Unknown b; }
END
    expect_status 1 "$shmc" check --at-version 1 schema/a.shm
    expect_text "$output" "error[E205]: unknown name 'Unknown'"
}

# A constant may have had a value that its users could not have.
says_what_was_wrong_at_the_version() {
    mkdir schema
    cat >schema/a.shm <<'END'
@version(2)
package a;

message M { uint64 a; @since(2) uint64 b; }
const uint8 MORE = sizeof(M) - 16;
END
    expect_status 0 "$shmc" check schema/a.shm
    expect_status 1 "$shmc" check --at-version 1 schema/a.shm
    expect_text "$output" "error[E301]"
}

refuses_a_version_that_is_not_there() {
    expect_status 2 generate 3 store.shm out --at-version 4
    expect_text "$output" "shmc: error[E002]: there is no version 4 of '$evolution/3/store.shm'"
    expect_text "$output" "note: the package has versions 1 to 3"
    [ ! -e out ] || fail "something was written"
    expect_status 2 "$shmc" check --at-version 6 -I "$evolution/imported" "$evolution/5/store.shm"
    expect_text "$output" "versions 1 to 5"
    local each
    for each in 0 -1 x 1x 4294967296 ''; do
        expect_status 2 "$shmc" check "--at-version=$each" "$evolution/5/feed.shm"
        expect_text "$output" "--at-version wants a v"
    done
    expect_status 2 "$shmc" check --at-version 1 --at-version 2 "$evolution/5/feed.shm"
    expect_text "$output" "--at-version is given twice"
}

run_case gives_what_the_file_of_the_version_gave
run_case revisions_are_what_the_files_were
run_case each_version_is_another
run_case leaves_out_an_import_that_nothing_used_yet
run_case compiles_at_each_version
run_case default_images_begin_as_those_before
run_case checks_the_file_as_it_is
run_case says_what_was_wrong_at_the_version
run_case refuses_a_version_that_is_not_there
end_cases
