#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_commands.sh SOURCE_DIR BUILD_DIR: runs the commands that the documents show.
#
# All blocks of a document that are marked `run` are run in turn by one shell, in a folder that holds a copy of what an
# outside reader has: idl-examples, and the build installed in $HOME/.local, which is in the PATH. Of a `console` block
# the output is compared with what the document shows; "..." there stands for anything. A block that is marked
# `file=PATH` is written into that file, when its turn comes.
set -uo pipefail

readonly source_dir=$1
readonly build_dir=$2
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"
# shellcheck source=tests/docs/documents.sh
. "$source_dir/tests/docs/documents.sh"

readonly home=$cases_dir/home

installs_the_build() {
    mkdir -p "$home"
    cmake --install "$build_dir" --prefix "$home/.local"
}

# as_pattern TEXT: for [[ == ]]: literal but for "...".
as_pattern() {
    local text=$1 pattern='' part
    while [ "$text" != "${text#*...}" ]; do
        part=${text%%...*}
        pattern+=${part:+$(printf '%q' "$part")}'*'
        text=${text#*...}
    done
    pattern+=${text:+$(printf '%q' "$text")}
    printf '%s\n' "$pattern"
}

# same_lines SHOWN FOUND: two files.
same_lines() {
    local shown found number=0
    while IFS= read -r shown <&3; do
        number=$((number + 1))
        IFS= read -r found <&4 || fail "it shows '$shown' where nothing more came out"
        # shellcheck disable=SC2053
        [[ $found == $(as_pattern "$shown") ]] || fail "it shows '$shown', and '$found' came out"
    done 3<"$1" 4<"$2"
    [ "$(wc -l <"$2")" -eq "$number" ] || fail "more came out than it shows:"$'\n'"$(tail -n +$((number + 1)) "$2")"
}

# The lines of a console block into what follows: for each command, N.command and N.shown.
split_console() {
    awk -v base="$2" '
        /^\$ / { n++; print substr($0, 3) >(base "." n ".command"); printf "" >(base "." n ".shown"); next }
        n == 0 { exit 1 }
        { print >(base "." n ".shown") }' "$1"
}

run_block() {
    local block=$1 language=$2 base=$1.part command status
    if [ "$language" = sh ]; then
        # shellcheck disable=SC1090
        . "$block" </dev/null
        return
    fi
    split_console "$block" "$base" || fail "a console block begins with a command"
    for command in "$base".*.command; do
        status=0
        # shellcheck disable=SC1090
        (. "$command") >"${command%.command}.found" 2>&1 </dev/null || status=$?
        echo "\$ $(cat "$command")     [$status]"
        same_lines "${command%.command}.shown" "${command%.command}.found"
    done
}

runs_what_it_shows() {
    local block document line language attributes file
    cp -R "$source_dir/idl-examples" .
    mkdir -m 700 run
    trap 'jobs -p | xargs -r kill -KILL 2>/dev/null || true' EXIT
    export HOME=$home PATH=$home/.local/bin:$PATH SHMRPC_DIR=$PWD/run
    unset XDG_RUNTIME_DIR
    list_blocks "$1"
    while IFS=$'\t' read -r block document line language attributes <&5; do
        file=$(attribute file "$attributes")
        [ -z "$file" ] || cp "$block" "$file"
        has run "$attributes" || continue
        echo "$document:$line:"
        run_block "$block" "$language"
    done 5<<<"$blocks"
    [ -z "$(jobs -r)" ] || fail "still running: $(jobs -r)"
    [ -z "$(ls -A "$SHMRPC_DIR")" ] || fail "left behind: $(ls -A "$SHMRPC_DIR")"
}

# example NUMBER: the lines of an example of the manual page.
example() {
    awk -v wanted="$1" '
        /^\.nf$/ { n++; inside = 1; next }
        /^\.fi$/ { inside = 0 }
        inside && n == wanted' "$source_dir/docs/man/shmc.1" | sed 's/\\-/-/g'
}

runs_the_examples_of_the_manual_page() {
    local file
    export PATH=$home/.local/bin:$PATH
    mkdir -p command/idl/demo rule
    cp "$source_dir/idl-examples/03-kv/demo/health.shm" command/idl/demo/
    example 1 >command/run
    (cd command && bash -eu run)
    [ -s command/build/demo/health.shm.h ] || fail "the command wrote no build/demo/health.shm.h"

    command -v make >/dev/null || skip "make is not installed"
    cp "$source_dir/idl-examples/01-calculator/calculator.shm" rule/
    example 2 >rule/Makefile
    make -C rule
    for file in calculator.shm.h calculator.shm.c calculator.d; do
        [ -s "rule/out/$file" ] || fail "the rule did not make $file"
    done
    expect_status 0 make -C rule
    expect_text "$output" "up to date"
}

require_case installs_the_build
run_case runs_the_examples_of_the_manual_page
while IFS= read -r document; do
    list_blocks "$document"
    if grep -qE $'\t(sh|console)\trun' <<<"$blocks"; then
        mkdir -p "$cases_dir/runs_what_it_shows"
        run_case runs_what_it_shows "$document"
        rm -rf "$cases_dir/runs_what_it_shows"
    fi
done < <(documents)
end_cases
