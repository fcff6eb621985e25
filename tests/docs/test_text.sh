#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_text.sh SOURCE_DIR CC [SHMC]: what the documents say about the tree, against the tree.
set -uo pipefail

readonly source_dir=$1
readonly cc=$2
readonly shmc=${3:-}
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/docs/documents.sh
. "$source_dir/tests/docs/documents.sh"

every_block_says_what_it_is() {
    local block document line language attributes faults=0
    mapfile -t all < <(documents)
    list_blocks "${all[@]}"
    while IFS=$'\t' read -r block document line language attributes; do
        case $language in
        sh | console)
            if ! has run "$attributes" && [ -z "$(attribute test "$attributes")" ]; then
                echo "$document:$line: commands that no test runs"
                faults=1
            fi
            ;;
        c | shm | cmake | make | text | json | ebnf | proto | python | -) ;;
        *)
            echo "$document:$line: a block of the language '$language'"
            faults=1
            ;;
        esac
    done <<<"$blocks"
    return "$faults"
}

tests_that_are_named_exist() {
    local block document line language attributes name faults=0
    mapfile -t all < <(documents)
    list_blocks "${all[@]}"
    while IFS=$'\t' read -r block document line language attributes; do
        for name in $(attribute test "$attributes" | tr ',' ' '); do
            # Not every configuration registers every test.
            if ! grep -rqE "NAME $name( |\$)" --include=CMakeLists.txt "$source_dir/tests"; then
                echo "$document:$line: there is no test $name"
                faults=1
            fi
        done
    done <<<"$blocks"
    return "$faults"
}

# An excerpt is some lines of its file, one after the other, with the indentation that they have there.
excerpts_stand_in_their_files() {
    local block document line language attributes from text faults=0
    mapfile -t all < <(documents)
    list_blocks "${all[@]}"
    while IFS=$'\t' read -r block document line language attributes; do
        from=$(attribute from "$attributes")
        [ -n "$from" ] || continue
        text=$(cat "$source_dir/$from")
        case $'\n'$text$'\n' in
        *$'\n'"$(cat "$block")"$'\n'*) ;;
        *)
            echo "$document:$line: this is not in $from"
            faults=1
            ;;
        esac
    done <<<"$blocks"
    return "$faults"
}

complete_blocks_compile() {
    [ -n "$shmc" ] || skip "this build has no shmc"
    local block document line language attributes faults=0 name=0
    mkdir generated
    "$shmc" generate --emit c --out generated -I "$source_dir/idl-examples/01-calculator" \
        "$source_dir/idl-examples/01-calculator/calculator.shm"
    mapfile -t all < <(documents)
    list_blocks "${all[@]}"
    while IFS=$'\t' read -r block document line language attributes; do
        has complete "$attributes" || continue
        name=$((name + 1))
        case $language in
        shm)
            cp "$block" "$name.shm"
            "$shmc" check "$name.shm" || {
                echo "$document:$line: does not pass shmc"
                faults=1
            }
            "$shmc" format --check "$name.shm" || {
                echo "$document:$line: is not formatted"
                faults=1
            }
            ;;
        c)
            cp "$block" "$name.c"
            "$cc" -std=c11 -Wall -Wextra -Werror -I "$source_dir/include" -I generated -fsyntax-only "$name.c" || {
                echo "$document:$line: does not compile"
                faults=1
            }
            ;;
        *)
            echo "$document:$line: complete $language is not something that can be compiled here"
            faults=1
            ;;
        esac
    done <<<"$blocks"
    return "$faults"
}

# anchors FILE: what its headings are called in links, as forges make them.
anchors() {
    awk '/^ *```/ { inside = !inside } !inside && /^#+ /' "$1" | sed 's/^#* //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'
}

links_lead_somewhere() {
    local document target file anchor faults=0
    cd "$source_dir"
    while IFS= read -r document; do
        while IFS= read -r target; do
            case $target in *://* | mailto:*) continue ;; esac
            file=${target%%#*}
            anchor=
            case $target in *'#'*) anchor=${target#*#} ;; esac
            if [ -n "$file" ]; then
                file=$(dirname "$document")/$file
            else
                file=$document
            fi
            if [ ! -e "$file" ]; then
                echo "$document: there is no $target"
                faults=1
            elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "$anchor"; then
                echo "$document: there is no heading for $target"
                faults=1
            fi
        done < <(grep -oE '\]\([^) ]+\)' -- "$document" | sed 's/^](//; s/)$//')
    done < <(documents)
    return "$faults"
}

# The table of pairs in runtime/shared.h, the tags at its functions, and the chapters of docs/memory-model.md.
memory_model_has_every_ordered_access() {
    local in_code in_table in_document
    in_code=$(grep -hoE 'ORDER [A-Z][0-9][^:]*' "$source_dir"/runtime/*.[ch] | grep -oE '\b[A-Z][0-9]\b' | sort -u)
    in_table=$(sed -n '/^ \* The pairs of ordered/,/^ \*\//p' "$source_dir/runtime/shared.h" | grep -oE '\b[A-Z][0-9]\b' |
        sort -u)
    in_document=$(grep -E '^### ' "$source_dir/docs/memory-model.md" | grep -oE '\b[A-Z][0-9]\b' | sort -u)
    [ -n "$in_code" ] || fail "no tag was found"
    [ "$in_code" = "$in_table" ] || fail "tags:"$'\n'"$in_code"$'\n'"table of shared.h:"$'\n'"$in_table"
    [ "$in_code" = "$in_document" ] || fail "tags:"$'\n'"$in_code"$'\n'"docs/memory-model.md:"$'\n'"$in_document"
}

# What is in bold after a status is a line of shmrpc_last_error(): its parts between what varies stand in the sources.
messages_in_troubleshooting_are_the_library_s() {
    local part faults=0 seen=0
    cd "$source_dir"
    # shellcheck disable=SC2016
    while IFS= read -r part; do
        seen=$((seen + 1))
        grep -rqF --include='*.c' -- "$part" runtime || {
            echo "docs/troubleshooting.md: the library does not say '$part'"
            faults=1
        }
    done < <(tr '\n' ' ' <docs/troubleshooting.md | grep -oE '\*\*[^*]*\*\*' |
        grep -E '`: |^\*\*(the|others) ' | sed -E 's/^\*\*(`[A-Z_]+`([a-z ]*): )?//; s/\*\*$//' |
        sed -E "s/…|\"[A-Z]+\"|\b[A-Z]+(\.request|\.METHOD)?\b|'[A-Z]+'|\\.?\\*?$/\n/g" |
        sed -E 's/^[ :,.]*//; s/[ :,.]*$//' | grep -E '.{8}')
    [ "$seen" -ge 10 ] || fail "only $seen messages were found"
    return "$faults"
}

# docs/outcomes.md speaks of each status, and of none that there is not.
outcomes_have_every_status_and_no_other() {
    local in_code in_document
    cd "$source_dir"
    in_code=$(sed -nE 's/^ *X\(([A-Z_]+), -[0-9]+,.*/\1/p' include/shmrpc/status.h | sort -u)
    # shellcheck disable=SC2016
    in_document=$(grep -oE '`[A-Z]+(_[A-Z]+)*`' docs/outcomes.md | tr -d '`' | grep -vxE 'SIGSTOP|NULL' | sort -u)
    [ -n "$in_code" ] || fail "no status was found"
    [ "$in_code" = "$in_document" ] || fail "$(diff <(echo "$in_code") <(echo "$in_document"))"
}

decisions_are_numbered_without_a_gap_and_listed() {
    local path name part number=0
    cd "$source_dir/docs/decisions"
    for path in [0-9]*.md; do
        number=$((number + 1))
        name=$(printf '%04d' "$number")
        case $path in "$name"-*) ;; *) fail "$path is not the decision $name" ;; esac
        head -n 1 "$path" | grep -qE "^# $name " || fail "$path: its title does not begin with its number"
        for part in Context Options Decision Consequences; do
            grep -qx "## $part" "$path" || fail "$path has no chapter $part"
        done
        grep -qF "($path)" README.md || fail "README.md does not list $path"
    done
}

names_nothing_of_one_machine() {
    cd "$source_dir"
    local found
    found=$(documents | xargs -d '\n' grep -nE '/work/|/home/[a-z]|/root\b' || true)
    [ -z "$found" ] || fail "$found"
}

run_case every_block_says_what_it_is
run_case tests_that_are_named_exist
run_case excerpts_stand_in_their_files
run_case complete_blocks_compile
run_case links_lead_somewhere
run_case memory_model_has_every_ordered_access
run_case messages_in_troubleshooting_are_the_library_s
run_case outcomes_have_every_status_and_no_other
run_case decisions_are_numbered_without_a_gap_and_listed
run_case names_nothing_of_one_machine
end_cases
