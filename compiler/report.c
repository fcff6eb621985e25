/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - see report.h.
 */
#include "report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int report_trouble(const char *format, ...)
{
    va_list arguments;

    fputs("shmc: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    return EXIT_TROUBLE;
}

int report_finish(FILE *to, const char *name, int status)
{
    if (fflush(to) != 0 || ferror(to))
        return report_trouble("cannot write to %s: %s", name, strerror(errno));
    return status;
}

int report_bytes(const char *bytes, size_t length)
{
    if (length > 0 && fwrite(bytes, 1, length, stdout) != length)
        return report_trouble("cannot write to standard output: %s", strerror(errno));
    return report_finish(stdout, "standard output", EXIT_DONE);
}

int report_text(const char *text)
{
    return report_bytes(text, strlen(text));
}

static bool color_wanted(void)
{
    const char *terminal = getenv("TERM");
    const char *refused = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) && !(refused && *refused) && terminal && strcmp(terminal, "dumb") != 0;
}

int report_diagnostics(const diag *found, diag_format format, int status)
{
    FILE *to = format == DIAG_TEXT ? stderr : stdout;
    const char *name = format == DIAG_TEXT ? "standard error" : "standard output";
    int error = diag_render(found, format, format == DIAG_TEXT && color_wanted(), to);

    if (error < 0)
        return report_trouble("cannot write to %s: %s", name, strerror(-error));
    return report_finish(to, name, status);
}
