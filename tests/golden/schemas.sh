# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The schemas that golden tests are about: "FOLDER FILE", where FOLDER is the -I folder, below the source folder.
# shellcheck disable=SC2034
readonly golden_schemas=(
    "idl-examples/01-calculator calculator.shm"
    "idl-examples/02-accumulator accumulator.shm"
    "idl-examples/03-kv kv.shm"
    "idl-examples/03-kv demo/health.shm"
    "tests/golden/schemas documents.shm"
    "tests/golden/schemas markdown.shm"
    "tests/golden/schemas naming.shm"
    "tests/golden/schemas nothing_but_package.shm"
    "tests/golden/schemas only_composed.shm"
    "tests/golden/schemas positions.shm"
    "tests/golden/schemas services.shm"
    "tests/golden/schemas shared/more.shm"
    "tests/golden/schemas shared/parts.shm"
    "tests/golden/schemas composed.shm"
    "tests/golden/schemas strict.shm"
    "tests/golden/schemas values.shm"
    "tests/golden/schemas versions.shm"
    "tests/golden/schemas words/more.shm"
    "tests/golden/schemas words/words.shm"
)

# Those that C has no code for yet (E702).
readonly golden_schemas_to_come=(
    "tests/golden/schemas streams/parts.shm"
    "tests/golden/schemas streams/streams.shm"
)

# golden_products SHMC SOURCE_DIR OUT LIST "FOLDER FILE"...: what shmc says is shown where it fails.
golden_products() {
    local program=$1 source=$2 out=$3 list=$4 each folder file said
    shift 4
    for each in "$@"; do
        read -r folder file <<<"$each"
        folder=$source/$folder
        said=$("$program" generate --emit "$list" --out "$out" --max-message 1000000 -I "$folder" "$folder/$file" 2>&1) || {
            echo "$said"
            return 1
        }
    done
}

# golden_generate SHMC SOURCE_DIR OUT: all of them.
golden_generate() {
    golden_products "$1" "$2" "$3" c,json,proto,doc "${golden_schemas[@]}" &&
        golden_products "$1" "$2" "$3" json,proto,doc "${golden_schemas_to_come[@]}"
}
