/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the program shmc: the command line in, an exit status out.
 *
 * 0: done. 1: the user's files have errors; nothing was written. 2: the command line, a file, a disk or this program
 * is at fault; nothing was written. Diagnostics go to stderr, or to stdout where they are JSON.
 */
#include <limits.h>
#include <shmrpc/base.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "breaking.h"
#include "compare.h"
#include "depfile.h"
#include "diag.h"
#include "format_files.h"
#include "front.h"
#include "layout_show.h"
#include "lock.h"
#include "options.h"
#include "output.h"
#include "report.h"

/* Files are named in what is generated from them: in include lines, comments and strings. */
static int file_names_check(const model *schema)
{
    for (uint32_t i = 0; i < schema->file_count; i++) {
        if (strcmp(schema->files[i]->path, SOURCE_STDIN) == 0)
            return report_trouble("standard input has no name that could be generated under");
        for (const char *at = schema->files[i]->logical; *at; at++) {
            if ((unsigned char)*at < ' ' || *at == '\x7F' || *at == '"' || *at == '\\')
                return report_trouble(
                    "%s: nothing can be generated from a file whose name has a quote, a backslash or a "
                    "control character in it",
                    schema->files[i]->path);
        }
    }
    return EXIT_DONE;
}

/* What a run has read: `locks` are paths of locks. */
static const char *const *inputs_of(const model *schema, const vector *locks, arena *memory, size_t *ret_count)
{
    const char **made = arena_array(memory, schema->input_count + locks->count, sizeof(*made));

    for (uint32_t i = 0; i < schema->input_count; i++)
        made[i] = schema->inputs[i];
    for (uint32_t i = 0; i < locks->count; i++)
        made[schema->input_count + i] = *VECTOR_AT(locks, const char *, i);
    *ret_count = schema->input_count + locks->count;
    return made;
}

static int generate(const options *asked, const model *schema, const vector *locks, arena *memory)
{
    size_t input_count;
    const char *const *inputs = inputs_of(schema, locks, memory, &input_count);
    output *out = output_new();
    output_failure failure = {0};
    output_clash clash = {0};
    int status = file_names_check(schema);
    int error = 0;

    for (uint32_t i = 0; status == EXIT_DONE && i < schema->file_count; i++) {
        if (!schema->files[i]->requested)
            continue;
        for (size_t j = 0; j < asked->emit_count && error == 0; j++)
            error = asked->emits[j]->generate(schema, schema->files[i], out, memory);
    }
    if (error < 0)
        status = report_trouble("cannot generate: %s", strerror(-error));
    if (status == EXIT_DONE && asked->depfile) {
        size_t count;
        const char *const *targets = output_paths(out, asked->out_dir, &count);
        depfile_rule(output_file_at(out, asked->depfile), targets, count, inputs, input_count);
    }
    if (status == EXIT_DONE && output_clashes(out, asked->out_dir, inputs, input_count, &clash))
        status = report_trouble("cannot write %s: it is also %s", clash.path,
                                clash.is_input ? "an input" : "another output");
    if (status == EXIT_DONE && output_commit(out, asked->out_dir, &failure) < 0)
        status = report_trouble("cannot write %s: %s", failure.path, strerror(failure.error));
    output_free(out);
    return status;
}

/* Writes the locks of the files named in the call; what they were is not contradicted. */
static int freeze(const model *schema, arena *memory)
{
    output *out = output_new();
    output_failure failure = {0};
    int status = EXIT_DONE;

    for (uint32_t i = 0; i < schema->file_count; i++)
        if (schema->files[i]->requested)
            lock_write(memory, schema->files[i], output_file_at(out, lock_path(memory, schema->files[i])));
    if (output_commit(out, ".", &failure) < 0)
        status = report_trouble("cannot write %s: %s", failure.path, strerror(failure.error));
    output_free(out);
    return status;
}

/* Every target's own rules: of the backends asked for, or of all. */
static void backends_check(const options *asked, const model *schema, diag *found, arena *memory)
{
    bool generates = asked->verb == VERB_GENERATE;
    const backend *const *each = generates ? asked->emits : backends;

    for (size_t i = 0; generates ? i < asked->emit_count : each[i] != NULL; i++) {
        if (each[i]->check)
            each[i]->check(schema, found, memory);
        if (generates && each[i]->refuse)
            each[i]->refuse(schema, found, memory);
    }
}

static int compile(const options *asked, arena *memory)
{
    front_options front = {asked->include_dirs, asked->include_count, asked->max_message, asked->at_version};
    diag *found = diag_new(memory);
    const model *schema = NULL;
    vector locks = VECTOR_OF(const char *);
    int rc = front_compile(memory, found, &front, asked->files, asked->file_count, &schema);

    if (rc == 0 && asked->verb != VERB_FREEZE)
        backends_check(asked, schema, found, memory);
    if (rc == 0)
        lock_verify(memory, found, schema, asked->at_version, &locks);
    int status = rc < 0 ? EXIT_TROUBLE : diag_errors(found) > 0 ? EXIT_SCHEMA : EXIT_DONE;
    status = report_diagnostics(found, asked->format, status);
    if (status == EXIT_DONE && asked->verb == VERB_GENERATE)
        status = generate(asked, schema, &locks, memory);
    if (status == EXIT_DONE && asked->verb == VERB_FREEZE)
        status = freeze(schema, memory);
    return status;
}

/* One side of a comparison; its mistakes go to stderr in any case. NULL where it has some: then *ret_status is set. */
static const model *side_compile(const front_options *front, const char *path, arena *memory, int *ret_status)
{
    diag *found = diag_new(memory);
    const model *schema = NULL;
    int rc = front_compile(memory, found, front, &path, 1, &schema);

    if (rc == 0)
        return schema;
    int status = rc < 0 ? EXIT_TROUBLE : EXIT_SCHEMA;
    int shown = report_diagnostics(found, DIAG_TEXT, status);
    if (*ret_status != EXIT_TROUBLE)
        *ret_status = shown;
    return NULL;
}

static int breaking(const options *asked, arena *memory)
{
    front_options older = {asked->against_dirs, asked->against_count, asked->max_message, 0};
    front_options newer = {asked->include_dirs, asked->include_count, asked->max_message, 0};
    int status = EXIT_DONE;
    const model *old = side_compile(&older, asked->against, memory, &status);
    const model *new = side_compile(&newer, asked->files[0], memory, &status);

    if (!old || !new)
        return status;
    size_t count;
    const compare_finding *const *findings = compare_models(memory, old, new, &count);
    size_t told = breaking_report(findings, count, &asked->allowed, asked->format, stdout);
    return report_finish(stdout, "standard output", told > 0 ? EXIT_SCHEMA : EXIT_DONE);
}

int main(int argument_count, char **arguments)
{
    arena *memory = arena_new();
    options asked;
    const char *complaint;
    int status;

    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write(), like a disk that is full */
    if (options_parse(memory, argument_count, arguments, &asked, &complaint) < 0)
        status = report_trouble("%s", complaint);
    else if (asked.verb == VERB_HELP)
        status = report_text(options_help(memory));
    else if (asked.verb == VERB_VERSION)
        status = report_text("shmc " SHMRPC_VERSION "\n");
    else if (asked.verb == VERB_BREAKING)
        status = breaking(&asked, memory);
    else if (asked.verb == VERB_FORMAT)
        status = format_files(&asked, memory);
    else if (asked.verb == VERB_LAYOUT)
        status = layout_show(&asked, memory);
    else
        status = compile(&asked, memory);
    arena_free(memory);
    return status;
}
