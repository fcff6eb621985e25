/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_files.c - see format_files.h.
 */
#include "format_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "output.h"
#include "report.h"

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int write_file(const char *path, const buffer *text)
{
    struct stat status;
    output *out = output_new();
    output_failure failure = {.path = path};
    int result = EXIT_DONE;

    if (stat(path, &status) < 0)
        result = report_trouble("cannot write %s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        result = report_trouble("cannot write %s: it is no regular file; '-' formats standard input", path);
    if (result == EXIT_DONE) {
        buffer_append(output_replacement(out, path), text->data, text->length);
        if (output_commit(out, ".", &failure) < 0)
            result = report_trouble("cannot write %s: %s", failure.path, strerror(failure.error));
    }
    output_free(out);
    return result;
}

static int hand_over(const options *asked, const char *path, const source *text, const buffer *made)
{
    bool same = made->length == text->size && memcmp(made->data, text->text, made->length) == 0;
    bool standard = is_standard_input(path);

    if (asked->only_check && same)
        return EXIT_DONE;
    if (asked->only_check) {
        int status = report_text(standard ? SOURCE_STDIN : path);
        status = status == EXIT_DONE ? report_text("\n") : status;
        return status == EXIT_DONE ? EXIT_SCHEMA : status;
    }
    if (standard)
        return report_bytes(made->data, made->length);
    return same ? EXIT_DONE : write_file(path, made);
}

static int format_file(const options *asked, const char *path, diag *found, arena *memory)
{
    source *text;
    buffer made = {0};
    uint32_t line;
    int error = source_read(memory, path, path, &text);

    if (error < 0) {
        diag_add(found, DIAG_E001, (span){0}, "cannot read '%s': %s", is_standard_input(path) ? "standard input" : path,
                 source_error(-error));
        return EXIT_TROUBLE;
    }
    int status = EXIT_SCHEMA;
    switch (format_text(memory, found, text, &made, &line)) {
    case FORMAT_DONE: status = hand_over(asked, path, text, &made); break;
    case FORMAT_SYNTAX: break;
    case FORMAT_WRONG:
        status = report_trouble("%s:%u: formatting would change more than the layout here, which is a mistake of "
                                "shmc's; the file is left alone",
                                text->path, line);
        break;
    }
    buffer_deinit(&made);
    return status;
}

/* Standard input can be read once. */
static bool reads_twice(const options *asked)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->file_count; i++)
        count += is_standard_input(asked->files[i]);
    return count > 1;
}

int format_files(const options *asked, arena *memory)
{
    static const char *const standard_input[] = {"-"};
    const char *const *files = asked->file_count ? asked->files : standard_input;
    size_t count = asked->file_count ? asked->file_count : 1;
    diag *found = diag_new(memory);
    int worst = EXIT_DONE;

    if (reads_twice(asked))
        return report_trouble("'-', standard input, is given twice");
    for (size_t i = 0; i < count; i++) {
        int status = format_file(asked, files[i], found, memory);
        worst = status > worst ? status : worst;
    }
    return report_diagnostics(found, DIAG_TEXT, worst);
}
