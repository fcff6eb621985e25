/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_statuses.c - writes docs/errors.md from the list of statuses and from what the library knows about them.
 *
 *   list_statuses FILE         0: written; 1: not; 2: called wrongly
 */
#include <shmrpc/status.h>
#include <shmrpc/wire.h>

#include "runtime/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char head[] =
    "# Errors and statuses\n"
    "\n"
    "<!-- Written by tools/list_statuses.c from include/shmrpc/status.h: change that, then run\n"
    "     `cmake --build BUILD --target docs`. -->\n"
    "\n"
    "Every call returns one `int`.\n"
    "\n"
    "| value | what |\n"
    "|---|---|\n"
    "| 0 | It worked. Only now has anything been written to `*ret`. |\n"
    "| %d to %d | An error that the service declares, returned by the handler. The header that `shmc` generates has a "
    "macro for each, and an accessor for the payload of those that carry one. |\n"
    "| below 0 | A status of the transport: one of those below. |\n"
    "\n"
    "`shmrpc_status_text()` gives the text, `shmrpc_status_name()` the name, and `shmrpc_last_error()` one line about "
    "this\n"
    "thread's last failure, with the field, the file or the limit that it is about. Values cross processes: one that "
    "was given\n"
    "is never changed or used again.\n"
    "\n"
    "The last column says whether a handler may return the status. Where it may not, the caller gets `INTERNAL`; why, "
    "is in\n"
    "[decision 5](decisions/0005-statuses-that-travel.md). What to do about the common ones is in\n"
    "[troubleshooting](troubleshooting.md).\n"
    "\n"
    "| value | `SHMRPC_E_…` | text | what it means for the caller | from a handler |\n"
    "|---|---|---|---|---|\n";

static void write_row(FILE *to, const char *name, int value, const char *text, const char *meaning)
{
    fprintf(to, "| %d | `%s` | %s | %s | %s |\n", value, name, text, meaning, status_may_travel(value) ? "yes" : "no");
}

static void write_table(FILE *to)
{
    fprintf(to, head, SHMRPC_ERROR_MIN, SHMRPC_ERROR_MAX);
#define WRITE_ROW(name, value, text, meaning) write_row(to, #name, (value), (text), (meaning));
    SHMRPC_STATUS_LIST(WRITE_ROW)
#undef WRITE_ROW
}

int main(int argc, char **argv)
{
    FILE *to;
    int failed;

    if (argc != 2) {
        fputs("usage: list_statuses FILE\n", stderr);
        return 2;
    }
    to = fopen(argv[1], "w");
    if (to == NULL) {
        fprintf(stderr, "list_statuses: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    write_table(to);
    failed = ferror(to);
    if (fclose(to) != 0 || failed != 0) {
        fprintf(stderr, "list_statuses: cannot write %s\n", argv[1]);
        return 1;
    }
    return 0;
}
