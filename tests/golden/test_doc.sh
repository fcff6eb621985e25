#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_doc.sh SOURCE_DIR SHMC: reference pages say what the schema says, and lead where they point.
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

# read_pages FOLDER: what pages.py says of them.
read_pages() {
    command -v cmark-gfm >/dev/null || skip "cmark-gfm is not installed"
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 "$source_dir/tests/golden/pages.py" "$1"
}

pages_are_read_as_the_schema_was_written() {
    read_pages "$made"
}

# Without a renderer: each target of a link is an anchor of its page.
links_lead_to_anchors() {
    local page link target count=0
    cd "$made"
    while read -r page; do
        while read -r link; do
            target=$page
            [ "${link%%#*}" = "" ] || target=$(realpath -m --relative-to=. "$(dirname "$page")/${link%%#*}")
            [ -f "$target" ] || fail "$page: there is no $target"
            case $link in
            *'#'*) grep -qF "<a id=\"${link#*#}\"></a>" "$target" || fail "$page: nothing in $target is $link" ;;
            esac
            count=$((count + 1))
        done < <(grep -oE '\]\([^)]*\)' "$page" | grep -v '\\\]' | sed 's/^](//; s/)$//' | grep -v '^https:' | sort -u)
    done < <(find . -name '*.md' ! -name markdown.md -printf '%P\n')
    [ "$count" -gt 100 ] || fail "$count links"
}

links_cross_folders_and_odd_names() {
    mkdir -p 'one (1)/a' two schemas
    printf 'package far;\nstruct Deep { uint32 x; }\n' >'one (1)/a/fär & #.shm'
    printf 'package near;\nimport "one (1)/a/fär & #.shm" as f;\nalias Alias = f.Deep;\n' >two/near.shm
    printf '/// Of t.\npackage t;\nimport "two/near.shm";\nmessage M { near.Alias[2] a; }\n' >t.shm
    "$shmc" generate --emit doc,json --out o -I . 'one (1)/a/fär & #.shm' two/near.shm t.shm
    grep -qF '](../one%20%281%29/a/f%C3%A4r%20%26%20%23.md#far.Deep)' o/two/near.md || fail "$(cat o/two/near.md)"
    # shellcheck disable=SC2016
    grep -qF '[`near.Alias`](two/near.md#near.Alias)`[2]`' o/t.md || fail "$(cat o/t.md)"
    grep -qF 'from fär \& \#.shm.' 'o/one (1)/a/fär & #.md' || fail "$(cat 'o/one (1)/a/fär & #.md')"
    read_pages o
}

reserved_places_and_padding_are_in_the_layout() {
    cat >t.shm <<'SHM'
package t;
message M { uint8 a; reserved uint16 old; reserved uint8; uint64? b; @default(7) uint8 c; reserved uint8[3]; }
SHM
    "$shmc" generate --emit doc --out . t.shm 2>/dev/null
    grep '^| [0-9]' t.md >found
    cat >wanted <<'TEXT'
| 0 | 1 | `a` | `uint8` | | | |
| 1 | 1 | *padding* | | | | |
| 2 | 2 | *reserved* `old` | `uint16` | | | |
| 4 | 1 | *reserved* | `uint8` | | | |
| 5 | 1 | `has_b` | `bool` | | | |
| 6 | 2 | *padding* | | | | |
| 8 | 8 | `b` | `uint64?` | | | |
| 16 | 1 | `c` | `uint8` | 7 | | |
| 17 | 3 | *reserved* | `uint8[3]` | | | |
| 20 | 4 | *padding* | | | | |
TEXT
    diff wanted found
}

require_case generates_all
run_case pages_are_read_as_the_schema_was_written
run_case links_lead_to_anchors
run_case links_cross_folders_and_odd_names
run_case reserved_places_and_padding_are_in_the_layout
end_cases
