# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of documents share. Sourced after tests/support/cases.sh, with $source_dir set.
# shellcheck disable=SC2034,SC2154

# The documents, relative to the source tree.
documents() {
    (cd "$source_dir" && find README.md CHANGELOG.md CONTRIBUTING.md docs -name '*.md' -type f | sort)
}

# list_blocks DOCUMENT…: extracts their blocks; their list (blocks.awk) is left in $blocks.
list_blocks() {
    local folder
    folder=$(mktemp -d "$cases_dir/blocks-XXXXXX")
    blocks=$(cd "$source_dir" && awk -v folder="$folder" -f tests/docs/blocks.awk "$@")
}

# attribute NAME ATTRIBUTES: the value of NAME=VALUE; nothing where it is not there.
attribute() {
    local word
    for word in $2; do
        case $word in "$1"=*) printf '%s\n' "${word#*=}" ;; esac
    done
}

# has WORD ATTRIBUTES
has() {
    case " $2 " in *" $1 "*) return 0 ;; esac
    return 1
}
