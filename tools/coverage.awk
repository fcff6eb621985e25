# SPDX-License-Identifier: Apache-2.0
#
# Reads gcovr's CSV (filename,line_total,line_covered,…) and prints a line per folder at the top of the tree:
# `compiler/: 97.9 % of 11450 lines`, the share rounded down. -v at_least='compiler 95 runtime 90' asks for shares:
# exit status 1 where one is not reached, or where nothing of such a folder was measured.
BEGIN {
    FS = ","
    count = split(at_least, words, " ")
    for (i = 1; i < count; i += 2)
        wanted[words[i]] = words[i + 1]
}

FNR > 1 && $2 > 0 {
    folder = $1
    sub(/\/.*/, "", folder)
    if (!(folder in total))
        order[++folders] = folder
    total[folder] += $2
    reached[folder] += $3
}

END {
    for (i = 1; i <= folders; i++) {
        folder = order[i]
        tenths = int(reached[folder] * 1000 / total[folder])
        printf "%s/: %d.%d %% of %d lines", folder, int(tenths / 10), tenths % 10, total[folder]
        if (folder in wanted) {
            enough = reached[folder] * 100 >= wanted[folder] * total[folder]
            printf ", %s at least %s %%", enough ? "which is" : "NOT", wanted[folder]
            status = status || !enough
            delete wanted[folder]
        }
        printf "\n"
    }
    for (folder in wanted) {
        printf "%s/: nothing was measured, NOT at least %s %%\n", folder, wanted[folder]
        status = 1
    }
    exit status
}
