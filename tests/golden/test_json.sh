#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_json.sh SOURCE_DIR SHMC CC: the model as JSON is as its schema and its page say, and enough to make a generator of.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc cc=$3
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/golden/schemas.sh
. "$source_dir/tests/golden/schemas.sh"

readonly made=$cases_dir/made
readonly schema=$source_dir/docs/json-model.schema.json

generates_all() {
    golden_generate "$shmc" "$source_dir" "$made"
}

# The Python that has a validator: Debian's, where another one comes first in the PATH and has none.
python_of_validator() {
    local each
    for each in python3 /usr/bin/python3; do
        if "$each" -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
            printf '%s\n' "$each"
            return
        fi
    done
    skip "python3-jsonschema is not installed"
}

every_file_is_as_the_schema_says() {
    local python files
    python=$(python_of_validator) || { echo "$python" && exit "$skip_status"; }
    mapfile -t files < <(cd "$made" && find . -name '*.json' | sort)
    [ "${#files[@]}" -eq $((${#golden_schemas[@]} + ${#golden_schemas_to_come[@]})) ] || fail "${files[*]}"
    cd "$made"
    "$python" -W ignore "$source_dir/tests/golden/validate.py" "$schema" "${files[@]}"
}

schema_refuses_a_key_more_and_a_key_less() {
    local python
    python=$(python_of_validator) || { echo "$python" && exit "$skip_status"; }
    # A little of everything.
    cat >t.shm <<'SHM'
package t;
const uint32 ONE = 1;
alias Word = string<4>;
enum E { A = 0; reserved 2, "B"; }
errors R { LATE = 1; }
struct S { E e; reserved uint32; }
union U { S s = 1; }
message M { U[2] u; vector<Word, 2>? words; }
service V { rpc f({ S s; }) -> (stream M) throws R; reserved "g"; }
topic n(M);
queue q({ S s; });
SHM
    "$shmc" generate --emit json --out . t.shm
    "$python" -W ignore "$source_dir/tests/golden/validate.py" --apart "$schema" t.shm.json
}

page_names_every_key() {
    local key faults=0
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 - "$schema" >keys <<'PYTHON'
import json, sys
def keys(value):
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield from value["properties"]
        for child in value.values():
            yield from keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from keys(child)
print("\n".join(sorted(set(keys(json.load(open(sys.argv[1])))))))
PYTHON
    [ "$(wc -l <keys)" -gt 50 ] || fail "$(cat keys)"
    while read -r key; do
        grep -qF "\`$key\`" "$source_dir/docs/json-model.md" || {
            echo "docs/json-model.md does not say what $key is"
            faults=1
        }
    done <keys
    return "$faults"
}

# classes_of FILE.shm.json: what docs/shm_ctypes.py makes of it, as classes.py.
classes_of() {
    python3 "$source_dir/docs/shm_ctypes.py" "$made" "$1" >classes.py
}

classes_for_python_lie_as_the_structs_of_c() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    local each file count=0
    for each in "${golden_schemas[@]}"; do
        read -r _ file <<<"$each"
        classes_of "$file.json"
        python3 "$source_dir/tests/golden/ctypes_offsets.py" "$made/$file.json" classes.py >offsets.c
        "$cc" -std=c11 -I "$source_dir/include" -I "$made" -fsyntax-only offsets.c || fail "$file"
        count=$((count + $(grep -c _Static_assert offsets.c || true)))
    done
    echo "$count sizes and offsets"
    [ "$count" -gt 200 ] || fail "too few"
}

classes_for_python_read_what_c_wrote() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    cat >writer.c <<'C'
#include <stdio.h>
#include <string.h>
#include "kv.shm.h"
int main(void)
{
    static kv_get_reply reply = {0};
    static kv_stat_reply stat = {0};
    reply.stamp.revision = UINT64_C(0x1122334455667788);
    reply.has_score = 1;
    reply.score = -0.5;
    reply.ttl_s = 60;
    reply.value.count = 3;
    memcpy(reply.value.items, "abc", 3);
    stat.access = KV_ACCESS_WRITE;
    stat.last.tag = KV_CHANGE_SHARDS_MOVED;
    stat.last.body.shards_moved.count = 2;
    stat.last.body.shards_moved.items[1] = 77;
    return fwrite(&reply, sizeof reply, 1, stdout) == 1 && fwrite(&stat, sizeof stat, 1, stdout) == 1 ? 0 : 1;
}
C
    "$cc" -std=c11 -I "$source_dir/include" -I "$made" writer.c -o writer
    ./writer >bytes
    classes_of kv.shm.json
    python3 - >found <<'PYTHON'
import ctypes
from classes import Access, GetReply, StatReply
data = open("bytes", "rb").read()
reply = GetReply.from_buffer_copy(data)
stat = StatReply.from_buffer_copy(data, ctypes.sizeof(GetReply))
print(hex(reply.stamp.revision), reply.has_score, reply.score, reply.ttl_s, bytes(reply.value.items[:reply.value.count]))
print(stat.access == Access.WRITE, stat.last.tag, list(stat.last.body.shards_moved.items)[:stat.last.body.shards_moved.count])
print(len(data) - ctypes.sizeof(GetReply) - ctypes.sizeof(StatReply))
PYTHON
    cat >wanted <<'TEXT'
0x1122334455667788 1 -0.5 60 b'abc'
True 3 [0, 77]
0
TEXT
    diff wanted found
}

generator_refuses_another_version_of_the_model() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    sed 's/"schema_version": 1/"schema_version": 2/' "$made/calculator.shm.json" >other.json
    expect_status 1 python3 "$source_dir/docs/shm_ctypes.py" . other.json
    expect_text "$output" "other.json: another version of the model: 2"
}

require_case generates_all
run_case every_file_is_as_the_schema_says
run_case schema_refuses_a_key_more_and_a_key_less
run_case page_names_every_key
run_case classes_for_python_lie_as_the_structs_of_c
run_case classes_for_python_read_what_c_wrote
run_case generator_refuses_another_version_of_the_model
end_cases
