#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_model.sh SOURCE_DIR CC MODEL: Spin tries every way in which MODEL.pml can go, and finds nothing wrong; with each
# step of the protocol left out in turn, it does.
#
# A mutant whose comment begins with "harmless:" leaves out what is not needed for what is checked: it must go well.
set -uo pipefail

readonly source_dir=$1
readonly cc=$2
readonly model=$3
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly model_dir=$source_dir/tests/model

# In what sizes a model is tried: a name, and what it defines. Mutants must be found in the first; the harmless ones
# are tried in the last.
case $model in
litmus) sizes=("shapes") ;;
lane)
    sizes=("both_sleep" "longer -DCALLS=4 -DHISTORY=2" "client_polls -DCLIENT_SLEEPS=2 -DHISTORY=2"
        "server_fences -DSERVER_FENCES=1 -DHISTORY=2" "wishes_for_last -DWISHES_FOR_LAST=1 -DHISTORY=2"
        "shortest -DCALLS=2")
    ;;
inbox) sizes=("one_entry" "two_entries -DINBOX=2 -DCALLS=2" "looser_order -DCALLS=2 -DHISTORY=3") ;;
ending) sizes=("one_slot") ;;
*) sizes=() ;;
esac

# Name, number and comment of each mutant, a line each.
mutants() {
    sed -n '/^\/\* What a run leaves out/,/^$/s/^#define \([A-Z_]*\) \([0-9]*\) *\/\* \(.*\) \*\/$/\1 \2 \3/p' \
        "$model_dir/$model.pml"
}

have_spin() {
    spin -V 2>/dev/null | grep -q '^Spin Version'
}

# prepare SIZE DEFINE…: a verifier of that size, in a folder of that name.
prepare() {
    local folder=$cases_dir/verifier-$1
    shift
    mkdir "$folder"
    cd "$folder"
    # Only errors make Spin say something here.
    expect_status 0 spin -a "$@" "$model_dir/$model.pml"
    [ -z "$output" ] || fail "$output"
    # In this order of search the mutants are found soonest. Two gigabytes at most, and no state is left out.
    expect_status 0 "$cc" -w -O1 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=2000 -DREVERSE -DT_REVERSE -o pan pan.c
}

# verify SIZE MUTANT: what the verifier says is left in $output.
verify() {
    expect_status 0 env MUTANT="$2" "$cases_dir/verifier-$1/pan" -m100000 -w22
    case $output in *"error: max search depth too small"* | *"out of memory"* | *"pan: reached"*) fail "$output" ;; esac
}

holds() {
    prepare "$@"
    verify "$1" 0
    case $output in
    *"errors: 0"*) ;;
    *) fail "$(explain "$1" 0)" ;;
    esac
    case $output in *"Search not completed"*) fail "$output" ;; esac
    echo "$output" | sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' >"$cases_dir/states"
}

# How it comes to what is wrong: the steps that Spin has left in its trail.
explain() {
    grep -E '^pan:|errors:|stored$' <<<"$output"
    MUTANT=$2 "$cases_dir/verifier-$1/pan" -r "$model.pml.trail" 2>&1 | grep -vE 'memory\.pml' | tail -n 100
}

fails_with() {
    verify "$2" "$3"
    case $output in
    *"pan:1: assertion violated"*"errors: 1"* | *"pan:1: invalid end state"*"errors: 1"*) ;;
    *)
        echo "this step is not needed, or the model is too weak to see what for"
        fail "$(grep -E 'errors:|stored$' <<<"$output")"
        ;;
    esac
}

holds_with() {
    verify "$2" "$3"
    case $output in
    *"errors: 0"*) ;;
    *) fail "$(explain "$2" "$3")" ;;
    esac
}

documents_name_every_mutant() {
    local name rest faults=0
    while read -r name rest; do
        grep -qF "\`$name\`" "$source_dir/docs/memory-model.md" || {
            echo "docs/memory-model.md does not name $name ($rest)"
            faults=1
        }
    done < <(mutants)
    [ "$(mutants | wc -l)" -gt 0 ] || fail "no mutant was found"
    return "$faults"
}

# Numbers are the runs' business alone; two mutants with one of them would be one.
mutants_have_numbers_of_their_own() {
    [ "$(mutants | cut -d ' ' -f 2 | sort -n | uniq -d)" = "" ] || fail "$(mutants)"
}

[ ${#sizes[@]} -gt 0 ] || { echo "there is no model '$model'" && exit 2; }
run_case documents_name_every_mutant
run_case mutants_have_numbers_of_their_own
if ! have_spin; then
    no_spin() { skip "spin is not installed: no model was checked"; }
    run_case no_spin
    end_cases
fi
for size in "${sizes[@]}"; do
    read -r -a words <<<"$size"
    require_case holds "${words[@]}"
    echo "   $(cat "$cases_dir/states") states"
done
read -r first _ <<<"${sizes[0]}"
read -r last _ <<<"${sizes[-1]}"
while read -r name number comment; do
    case $comment in
    harmless:*) run_case holds_with "$name" "$last" "$number" ;;
    *) run_case fails_with "$name" "$first" "$number" ;;
    esac
done < <(mutants)
end_cases
