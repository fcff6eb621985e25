# SPDX-License-Identifier: Apache-2.0
#
# awk -v folder=DIR -f blocks.awk FILE.md…: each fenced block of the documents into a file of its own.
#
# Writes DIR/N.block, and to standard output a line per block: its file, document, line, language and attributes,
# separated by tabs; what is not given is "-". The attributes are the words after the language:
#
#     ```sh run                          a test runs it
#     ```console run                     a test runs what stands after "$ " and compares what comes out ("..." is anything)
#     ```sh test=tools_dev               the CTest of that name does what it says
#     ```text demo                       lines that `tools/dev demo` prints
#     ```c from=PATH                     it stands in that file, line by line
#     ```c file=PATH                     a test writes it into that file before it runs what follows
#     ```shm complete                    it compiles as it stands

function stop(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
    failed = 1
    exit 1
}

FNR == 1 && inside { stop("the document before ended inside a block") }

/^ *```/ {
    if (!inside) {
        inside = 1
        indent = index($0, "`") - 1
        line = FNR
        block = folder "/" ++count ".block"
        info = substr($0, indent + 1)
        gsub(/^`+ */, "", info)
        language = info
        sub(/ .*/, "", language)
        attributes = info
        sub(/^[^ ]* */, "", attributes)
        printf "" >block
        next
    }
    inside = 0
    close(block)
    printf "%s\t%s\t%d\t%s\t%s\n", block, FILENAME, line, language == "" ? "-" : language,
        attributes == "" ? "-" : attributes
    next
}

inside {
    text = $0
    if (substr(text, 1, indent) ~ /^ *$/)
        text = substr(text, indent + 1)
    print text >block
}

END {
    if (!failed && inside)
        stop("the document ends inside a block")
}
