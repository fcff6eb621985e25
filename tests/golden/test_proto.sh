#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_proto.sh SOURCE_DIR SHMC: what is generated for Protocol Buffers means to protoc what the schema says.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/golden/schemas.sh
. "$source_dir/tests/golden/schemas.sh"

readonly made=$cases_dir/made

generates_all() {
    golden_generate "$shmc" "$source_dir" "$made"
}

needs_protoc() {
    command -v protoc >/dev/null || skip "protoc is not installed"
}

# proto FILE.shm…: generates them here.
proto() {
    local said
    said=$("$shmc" generate --emit proto --out . "$@" 2>&1) || fail "$said"
}

# accepts FOLDER FILE.proto: without a word.
accepts() {
    expect_status 0 protoc -I "$1" --descriptor_set_out=descriptor "$2"
    [ -z "$output" ] || fail "$2: $output"
}

# bytes MESSAGE FILE.proto TEXT: how protoc writes the message with this text, in hexadecimal.
bytes() {
    printf '%s' "$3" | protoc -I . --encode="$1" "$2" | od -An -v -tx1 | tr -d ' \n'
}

# text MESSAGE FILE.proto HEXADECIMAL: the reverse, on one line.
text() {
    # shellcheck disable=SC2059
    printf "$(printf '%s' "$3" | sed 's/../\\x&/g')" | protoc -I . --decode="$1" "$2" | tr -s '\n ' '  ' | sed 's/ $//'
}

same() {
    [ "$1" = "$2" ] || fail "expected: $2"$'\n'"found:    $1"
}

protoc_accepts_every_file_without_a_word() {
    needs_protoc
    local file
    (cd "$made" && find . -name '*.proto' -printf '%P\n') >files
    [ "$(wc -l <files)" -eq $((${#golden_schemas[@]} + ${#golden_schemas_to_come[@]})) ] || fail "$(cat files)"
    while read -r file; do
        accepts "$made" "$file"
    done <files
}

other_generators_accept_the_names() {
    needs_protoc
    mkdir code
    (cd "$made" && find . -name '*.proto' -printf '%P\n') | while read -r file; do
        expect_status 0 protoc -I "$made" --cpp_out=code --java_out=code --python_out=code --csharp_out=code "$file"
        [ -z "$output" ] || fail "$file: $output"
    done
    command -v python3 >/dev/null || return 0
    find code -name '*.py' -exec python3 -m py_compile {} +
}

numbers_are_positions_tags_and_codes() {
    needs_protoc
    cd "$made"
    # PutRequest: key = 1, mode = 2, ttl_s = 3, score = 4, value = 5.
    same "$(bytes demo.kv.PutRequest kv.proto 'key: "k" mode: WRITE_MODE_REPLACE ttl_s: 5 score: 0.5 value: "v"')" \
        0a016b1002180521000000000000e03f2a0176
    # An optional that is there with the value 0 is written; what is not optional is not.
    same "$(bytes demo.kv.PutRequest kv.proto 'ttl_s: 0 score: 0')" 210000000000000000
    same "$(bytes demo.kv.Change kv.proto 'removed { revision: 1 }')" 12020801
    same "$(bytes demo.kv.Change kv.proto 'shards_moved { items: 7 items: 8 }')" 1a040a020708
    same "$(bytes demo.kv.Error kv.proto 'code: ERROR_CODE_TOO_LARGE too_large { max: 1 got: 2 }')" 0803220408011002
    same "$(bytes demo.kv.Error kv.proto 'code: ERROR_CODE_NONE')" ""
    # Negative members, and integers beyond proto's enums.
    same "$(text golden.positions.Scalars positions.proto "$(bytes golden.positions.Scalars positions.proto \
        'i8: -1 u64: 18446744073709551615 level: LEVEL_LOWEST mask: 9223372036854775809 wide: -9223372036854775808')")" \
        'i8: -1 u64: 18446744073709551615 level: LEVEL_LOWEST mask: 9223372036854775809 wide: -9223372036854775808'
    # Tags that are protobuf's own, or no numbers of fields at all.
    same "$(text golden.words.Arms words/words.proto "$(bytes golden.words.Arms words/words.proto 'own: 1')")" 'own: 1'
    same "$(bytes golden.words.Error words/words.proto 'above { }')" 82e20900
}

reserves_what_the_schema_reserves() {
    needs_protoc
    cp -r "$made/streams" streams
    local line name
    # As a field of today: protoc knows each of these numbers and names to be taken.
    while read -r name line; do
        sed "s/^\(message\|enum\) $name {/&\n    $line/" "$made/streams/streams.proto" >streams/streams.proto
        expect_status 1 protoc -I . --descriptor_set_out=descriptor streams/streams.proto
        expect_text "$output" "reserved"
    done <<'LINES'
Frame bool colours = 50;
Frame bool depth = 50;
Frame bool x = 2;
Frame bool x = 4;
Frame bool x = 6;
Change bool x = 9;
Change bool moved = 50;
Mode MODE_X = 8;
Mode MODE_OLD = 50;
RightsBit RIGHTS_X = 6;
ErrorCode ERROR_X = 18500;
Error bool x = 20500;
LINES
}

# What was written by yesterday's file is read by today's, and the reverse.
numbers_stay_where_a_message_grows() {
    needs_protoc
    mkdir old new
    printf 'package t;\nmessage M { uint32 a; string<4> b; uint64? c; }\n' >old/t.shm
    printf 'package t;\nmessage M { uint32 a; string<4> b; uint64? c; bool d; vector<int32, 3> e; }\n' >new/t.shm
    (cd old && proto t.shm)
    (cd new && proto t.shm)
    local written
    written=$(cd old && bytes t.M t.proto 'a: 1 b: "two" c: 3')
    same "$(cd new && text t.M t.proto "$written")" 'a: 1 b: "two" c: 3'
    written=$(cd new && bytes t.M t.proto 'a: 1 b: "two" c: 3 d: true e: -4')
    same "$(cd old && text t.M t.proto "$written")" 'a: 1 b: "two" c: 3 4: 1 5: "\374\377\377\377\377\377\377\377\377\001"'
    grep -v '^//' old/t.proto | sed '/^}/d' >old.lines
    grep -v '^//' new/t.proto | sed '/^}/d' >new.lines
    ! diff old.lines new.lines | grep '^<' || fail "lines have changed"
    # A field in the place that was kept for it.
    printf 'package t;\nstruct S { uint32 a; reserved uint32; uint64 c; }\n' >old/t.shm
    printf 'package t;\nstruct S { uint32 a; uint32 b; uint64 c; }\n' >new/t.shm
    (cd old && proto t.shm)
    (cd new && proto t.shm)
    written=$(cd old && bytes t.S t.proto 'a: 1 c: 3')
    same "$(cd new && text t.S t.proto "$written")" 'a: 1 c: 3'
}

# Every numbered line of an earlier version stands in today's file, in the same message.
numbers_stay_from_version_to_version() {
    local each folder file version count=0
    for each in "${golden_schemas[@]}" "${golden_schemas_to_come[@]}"; do
        read -r folder file <<<"$each"
        folder=$source_dir/$folder
        version=$(sed -n 's/.*@version(\([0-9]*\)).*/\1/p' "$folder/$file")
        while [ "${version:-1}" -gt 1 ]; do
            version=$((version - 1))
            "$shmc" generate --emit proto --out before --max-message 1000000 --at-version "$version" -I "$folder" \
                "$folder/$file" >said 2>&1 || fail "$(cat said)"
            numbered "before/${file%.shm}.proto" >before.lines
            numbered "$made/${file%.shm}.proto" >now.lines
            grep -vxFf now.lines before.lines && fail "$file at version $version"
            count=$((count + $(wc -l <before.lines)))
        done
    done
    echo "$count lines"
    [ "$count" -gt 100 ] || fail "too few"
}

# numbered FILE.proto: its fields and members as "Message.Message: line".
numbered() {
    awk '/^ *(message|enum|oneof) [^ ]+ \{/ { where = where "." $2 } / = -?[0-9]+[ ;]/ { sub(/^ */, ""); print where ": " $0 }
        /^ *}$/ { sub(/\.[^.]*$/, "", where) }' "$1"
}

messages_of_many_fields_leave_out_the_numbers_of_protobuf() {
    needs_protoc
    { echo 'package t;' && echo 'message M {' && seq -f 'uint8 f%.0f;' 1 19010 && echo '}'; } >t.shm
    proto t.shm
    accepts . t.proto
    same "$(grep -E 'f(18999|19000) = ' t.proto | tr -s ' \n' ' ')" ' uint32 f18999 = 18999; uint32 f19000 = 20000; '
}

imports_what_is_used_and_nothing_else() {
    needs_protoc
    mkdir sub
    printf 'package far;\nstruct Deep { uint32 x; }\nconst uint32 FOUR = 4;\n' >sub/far.shm
    printf 'package near;\nimport "far.shm";\nalias Alias = far.Deep;\nstruct Own { uint32 x; }\n' >sub/near.shm
    # far is used through an alias alone, and of near only the alias is.
    printf 'package t;\nimport "sub/near.shm";\nmessage M { near.Alias a; near.Alias[2] b; }\n' >t.shm
    printf 'package u;\nimport "sub/far.shm";\nmessage M { uint8[far.FOUR] x; }\n' >u.shm
    proto t.shm u.shm sub/near.shm sub/far.shm
    same "$(grep import t.proto)" 'import "sub/far.proto";'
    same "$(grep -c import u.proto)" 0
    accepts . t.proto
    accepts . u.proto
    accepts . sub/near.proto
}

fields_may_be_named_as_types_and_packages() {
    needs_protoc
    printf 'package one;\nstruct Pair { uint32 x; }\n' >one.shm
    printf 'package one.two;\nimport "one.shm" as first;\nstruct Pair { first.Pair one; }\nmessage M { Pair Pair; first.Pair two; Pair second; uint8[2][2] M; }\n' >two.shm
    proto one.shm two.shm
    accepts . two.proto
    same "$(bytes one.two.M two.proto 'Pair { one { x: 1 } } two { x: 2 }')" 0a040a02080112020802
}

output_is_named_after_the_schema() {
    mkdir -p sub
    printf 'package t;\nstruct S { uint32 x; }\n' >sub/a.shm
    cp sub/a.shm sub/.shm
    printf 'package u;\nstruct S { uint32 x; }\n' >sub/b.idl
    proto sub/a.shm
    proto sub/.shm
    proto sub/b.idl
    same "$(find sub -name '*proto' | sort | tr '\n' ' ')" 'sub/.shm.proto sub/a.proto sub/b.idl.proto '
    cp sub/a.shm sub/b.idl.shm
    expect_status 2 "$shmc" generate --emit proto --out . sub/b.idl sub/b.idl.shm
    expect_text "$output" "it is also another output"
}

require_case generates_all
run_case protoc_accepts_every_file_without_a_word
run_case other_generators_accept_the_names
run_case numbers_are_positions_tags_and_codes
run_case reserves_what_the_schema_reserves
run_case numbers_stay_where_a_message_grows
run_case numbers_stay_from_version_to_version
run_case messages_of_many_fields_leave_out_the_numbers_of_protobuf
run_case imports_what_is_used_and_nothing_else
run_case fields_may_be_named_as_types_and_packages
run_case output_is_named_after_the_schema
end_cases
