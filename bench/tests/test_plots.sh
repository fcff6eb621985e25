#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_plots.sh SOURCE_DIR: what bench/plots draws of fixed reports, and what it refuses.
set -uo pipefail

readonly source_dir=$1
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

readonly plots=$source_dir/bench/plots reports=$source_dir/bench/tests/reports

need_gnuplot() { command -v gnuplot >/dev/null || skip "gnuplot is not here"; }

# expect_in FILE WORDS…: each is a text of the picture.
expect_in() {
    local file=$1 words
    shift
    for words in "$@"; do
        grep -qF -- "$words<" "$file" || fail "no '$words' in $file"
    done
}

draws_what_is_in_the_reports() {
    need_gnuplot
    expect_status 0 "$plots" --json "$reports"/*.json --out drawn
    [ "$(cd drawn && echo ./*)" = "./calls_in_flight.svg ./clients.svg ./latency_percentiles.svg ./payload.svg" ] ||
        fail "drawn: $(ls drawn)"
    local file
    for file in drawn/*.svg; do
        expect_in "$file" "Linux 6.18.1, Some Processor, 2 cores (virtual), shmrpc 0.1.0" \
            "server and client on a core each; medians of 15 rounds"
        if command -v python3 >/dev/null; then
            python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$file"
        fi
    done
    expect_in drawn/latency_percentiles.svg shmrpc "shmrpc, asleep at once" "one cache line (limit)" ZeroMQ 99.9
    expect_in drawn/calls_in_flight.svg "shmrpc, batches" ZeroMQ "calls in flight" "calls per second"
    expect_in drawn/payload.svg shmrpc "Unix stream" newcomer "64 KiB" "bytes each way"
    expect_in drawn/clients.svg "shmrpc, p50" "shmrpc, p99" "connected clients" 1000
}

draws_the_same_each_time() {
    need_gnuplot
    expect_status 0 "$plots" --json "$reports"/*.json --out one
    expect_status 0 "$plots" --json "$reports"/*.json --out two
    diff -r one two || fail "they differ"
}

draws_png() {
    need_gnuplot
    expect_status 0 "$plots" --json "$reports/clients.json" --out drawn --format png
    [ "$output" = drawn/clients.png ] || fail "it said: $output"
    [ "$(head -c 4 drawn/clients.png | tail -c 3)" = PNG ] || fail "no PNG"
}

# What the file is later, and so what is drawn of it, is said by the one that comes last.
takes_parts_of_one_benchmark_together() {
    need_gnuplot
    sed 's/"name": "zeromq"/"name": "nng"/' "$reports/peers.json" >other.json
    expect_status 0 "$plots" --json "$reports/peers.json" other.json --out drawn
    expect_in drawn/latency_percentiles.svg ZeroMQ nng shmrpc
}

refuses_what_is_not_there() {
    expect_status 2 "$plots" --json none.json --out drawn
    expect_text "$output" "plots: cannot read none.json: No such file or directory"
    [ ! -e drawn ] || fail "a folder for nothing"
}

refuses_what_is_no_report() {
    local text
    for text in '' '[]' '{"format": 1}' '{"format": 1, "benchmark": "call", "conditions": {}}'; do
        printf '%s' "$text" >odd.json
        expect_status 2 "$plots" --json odd.json --out drawn
        expect_text "$output" "plots: odd.json is not a report of a benchmark"
    done
    echo '{"format": 2}' >odd.json
    expect_status 2 "$plots" --json odd.json --out drawn
    expect_text "$output" "plots: odd.json: its format is 2, not 1"
}

refuses_reports_without_anything_to_draw() {
    sed 's/"benchmark": "clients"/"benchmark": "death"/' "$reports/clients.json" >death.json
    expect_status 2 "$plots" --json death.json --out drawn
    expect_text "$output" "nothing in these files is drawn"
}

says_that_gnuplot_is_missing() {
    mkdir bin
    ln -s "$(python3 -c 'import sys; print(sys.executable)')" bin/python3
    expect_status 2 env PATH="$PWD/bin" "$plots" --json "$reports/clients.json" --out drawn
    expect_text "$output" "plots: gnuplot is not here (Debian: gnuplot-nox)"
}

run_case draws_what_is_in_the_reports
run_case draws_the_same_each_time
run_case draws_png
run_case takes_parts_of_one_benchmark_together
run_case refuses_what_is_not_there
run_case refuses_what_is_no_report
run_case refuses_reports_without_anything_to_draw
run_case says_that_gnuplot_is_missing
end_cases
