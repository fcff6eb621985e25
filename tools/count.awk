# SPDX-License-Identifier: Apache-2.0
#
# Reads the log of ctest; prints a line per test program and the sum: `N passed, N failed[, N skipped]`.
#
# The count of a program is its last line `N passed, N failed[, N skipped]`, else Check's own summary. One that
# prints neither, or that fails without a failed case in its count, is one failure more. Exit status 0 where
# something passed and nothing failed.

function finish(    line) {
    if (name == "")
        return
    if (!counted) {
        failed = 1
        note = " (printed no count)"
    } else if (!ended_well && failed == 0) {
        failed = 1
        note = " (ended badly: " verdict ")"
    }
    line = passed " passed, " failed " failed"
    if (skipped > 0)
        line = line ", " skipped " skipped"
    printf "  %s: %s%s\n", name, line, note
    all_passed += passed
    all_failed += failed
    all_skipped += skipped
    name = ""
}

/^[0-9]+\/[0-9]+ Testing: / && !in_output {
    finish()
    name = $0
    sub(/^[0-9]+\/[0-9]+ Testing: /, "", name)
    passed = failed = skipped = counted = ended_well = 0
    note = ""
    verdict = "did not run"
    next
}

/^Output:$/ && !in_output { in_output = 1; next }
/^<end of output>$/ { in_output = 0; next }
/^Test (Passed|Pass Reason|Failed|Fail Reason|Timeout)/ && !in_output {
    verdict = $0
    ended_well = ($0 ~ /^Test Pass/)
    next
}

in_output && /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
    passed = $1 + 0
    failed = $3 + 0
    skipped = NF >= 5 ? $5 + 0 : 0
    counted = 1
    own_count = name
}

in_output && own_count != name && /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
    checks = $3 + 0
    bad = $5 + $7
    passed += checks - bad
    failed += bad
    counted = 1
}

END {
    finish()
    line = all_passed + 0 " passed, " all_failed + 0 " failed"
    if (all_skipped > 0)
        line = line ", " all_skipped " skipped"
    print line
    exit !(all_passed > 0 && all_failed == 0)
}
