/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schemas.c - see schemas.h.
 *
 * A schema is made of units of about a hundred lines: ten types, constants, errors and a service, whose members refer
 * to what is in the unit, in an earlier one of the file, or in an imported file. All that may be referred to is the
 * same in each unit, so that a unit's number is all that a reference needs. Fields stand in descending alignment, and
 * short ones last, so that no lint has anything to say.
 */
#include "schemas.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_LINES 100 /* about */
#define IMPORTS_MOST 4

typedef struct writer {
    FILE *to;
    uint64_t state;
    uint32_t file;
    uint32_t first; /* unit of this file */
    uint32_t unit;
    uint32_t per_file; /* units in each file */
    uint32_t imports[IMPORTS_MOST];
    uint32_t import_count;
    schemas_made made;
} writer;

/* xorshift64* (Vigna): enough to choose with. */
static uint32_t draw(writer *w, uint32_t below)
{
    w->state ^= w->state >> 12;
    w->state ^= w->state << 25;
    w->state ^= w->state >> 27;
    return (uint32_t)((w->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static const char *word(writer *w)
{
    static const char *const words[] = {"account", "address", "amount",  "balance", "battery", "bucket", "cache",
                                        "channel", "cluster", "config",  "counter", "device",  "entry",  "gateway",
                                        "handle",  "history", "journal", "lease",   "ledger",  "marker", "message",
                                        "meter",   "network", "object",  "packet",  "partner", "policy", "reading",
                                        "record",  "region",  "request", "sample",  "sensor",  "ticket", "window"};

    return words[draw(w, sizeof(words) / sizeof(words[0]))];
}

/* A type of this name in this unit, in an earlier one of the file, or in a file that is imported. */
static void refer(writer *w, const char *type)
{
    uint32_t where = draw(w, 4);

    if (where == 0 && w->unit > w->first) {
        fprintf(w->to, "%s%u", type, w->first + draw(w, w->unit - w->first));
    } else if (where == 1 && w->import_count > 0) {
        uint32_t import = w->imports[draw(w, w->import_count)];
        fprintf(w->to, "part%u.%s%u", import, type, import * w->per_file + draw(w, w->per_file));
    } else {
        fprintf(w->to, "%s%u", type, w->unit);
    }
}

static void doc(writer *w)
{
    uint32_t lines = draw(w, 3);

    for (uint32_t i = 0; i < lines; i++)
        fprintf(w->to, "/// The %s of the %s, as the %s has it; see also the %s.\n", word(w), word(w), word(w),
                word(w));
}

static void field_doc(writer *w)
{
    if (draw(w, 4) == 0)
        fprintf(w->to, "    /// A %s per %s.\n", word(w), word(w));
}

static void members(writer *w, const char *prefix, const char *format)
{
    uint32_t count = 3 + draw(w, 4);

    for (uint32_t i = 0; i < count; i++) {
        field_doc(w);
        fprintf(w->to, "    %s_%u = ", prefix, i);
        fprintf(w->to, i == 0 && strcmp(format, "%u") == 0 ? "0" : "%s%u", strcmp(format, "%u") == 0 ? "" : format, i);
        fputs(";\n", w->to);
    }
    fputs("}\n\n", w->to);
}

static void values(writer *w)
{
    uint32_t n = w->unit;

    doc(w);
    fprintf(w->to, "const uint32 LIMIT%u = %u + 4 * %u;\n", n, 8 + draw(w, 8), 1 + draw(w, 4));
    fprintf(w->to, "const string<16> LABEL%u = \"%s\";\n\n", n, word(w));
    doc(w);
    fprintf(w->to, "alias Name%u = string<LIMIT%u>;\n\n", n, n);
    doc(w);
    fprintf(w->to, "enum Kind%u : uint32 {\n", n);
    members(w, "KIND", "%u");
    doc(w);
    fprintf(w->to, "flags Mask%u : uint32 {\n", n);
    members(w, "MASK", "1 << ");
    w->made.types += 3;
}

static void wide_fields(writer *w, uint32_t count)
{
    static const char *const wide[] = {"uint64", "int64", "float64", "uint64[4]", "float64[2][2]", "float64?"};

    for (uint32_t i = 0; i < count; i++) {
        field_doc(w);
        fprintf(w->to, "    %s %s_%u;\n", wide[draw(w, i == 0 ? 3 : 5)], word(w), i);
    }
}

static void narrow_fields(writer *w, uint32_t count, bool defaults)
{
    static const char *const narrow[] = {"uint32", "int32", "float32", "uint32", "int32[4]"};

    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = draw(w, 7);
        field_doc(w);
        if (defaults && draw(w, 4) == 0) {
            fprintf(w->to, "    @default(%u) uint32 %s_of_%u;\n", draw(w, 1000), word(w), i);
            continue;
        }
        fputs("    ", w->to);
        if (kind == 5)
            refer(w, "Kind");
        else if (kind == 6)
            refer(w, "Mask");
        else
            fputs(narrow[kind], w->to);
        fprintf(w->to, " %s_of_%u;\n", word(w), i);
    }
}

static void record(writer *w, const char *word_of_it, const char *name, bool nested)
{
    bool message = strcmp(word_of_it, "message") == 0;

    doc(w);
    fprintf(w->to, "%s %s%u {\n", word_of_it, name, w->unit);
    wide_fields(w, 1 + draw(w, 3));
    if (nested) {
        fputs("    ", w->to);
        refer(w, "Point");
        fprintf(w->to, " %s_here;\n", word(w));
    }
    narrow_fields(w, 1 + draw(w, 4), message);
    if (message) {
        fputs("    ", w->to);
        refer(w, "Name");
        fprintf(w->to, " %s_name;\n    vector<uint16, LIMIT%u> %s_items;\n", word(w), w->unit, word(w));
    }
    fputs("}\n\n", w->to);
    w->made.types++;
}

static void choice(writer *w)
{
    doc(w);
    fprintf(w->to, "union Choice%u {\n    ", w->unit);
    refer(w, "Point");
    fprintf(w->to, " %s_there = 1;\n    uint32 %s_count = 2;\n    vector<uint32, %u> %s_list = 3;\n    ", word(w),
            word(w), 2 + draw(w, 6), word(w));
    refer(w, "Name");
    fprintf(w->to, " %s_text = 4;\n}\n\n", word(w));
    w->made.types++;
}

static void service(writer *w)
{
    uint32_t n = w->unit;

    fprintf(w->to, "errors Fault%u {\n    ABSENT = 1;\n    DENIED = 2;\n    LIMITED(Point%u) = %u;\n}\n\n", n, n,
            3 + draw(w, 1000));
    doc(w);
    fprintf(w->to, "@deadline(%ums)\nservice Service%u {\n", 10 + draw(w, 90), n);
    field_doc(w);
    fprintf(w->to, "    @idempotent rpc get(Get%u) -> (Reply%u) throws Fault%u;\n", n, n, n);
    field_doc(w);
    fprintf(w->to, "    rpc put(Put%u) -> ({ uint64 stored; Kind%u kind; }) throws Fault%u;\n", n, n, n);
    fprintf(w->to, "    oneway touch_%s({ Name%u name; });\n}\n\n", word(w), n);
    w->made.services++;
}

static void unit(writer *w)
{
    values(w);
    record(w, "struct", "Point", false);
    record(w, "struct", "Place", true);
    choice(w);
    record(w, "message", "Get", false);
    record(w, "message", "Reply", true);
    record(w, "message", "Put", false);
    doc(w);
    fprintf(w->to, "message Event%u {\n    uint64 at;\n    ", w->unit);
    refer(w, "Choice");
    fprintf(w->to, " what;\n}\n\n");
    w->made.types++;
    service(w);
}

static void head(writer *w)
{
    static const char *const used[] = {"Kind", "Mask", "Point", "Name"};

    fprintf(w->to, "/// Part %u of a schema that was made to be measured.\n@version(1) @c_prefix(\"p%u\")\n", w->file,
            w->file);
    fprintf(w->to, "package bench.part%u;\n\n", w->file);
    w->import_count = 0;
    while (w->import_count < IMPORTS_MOST && w->import_count < w->file) {
        /* The one before, then others without repetition: one out of each share of those that are left. */
        uint32_t share = (w->file - 1) / IMPORTS_MOST;
        uint32_t import = w->import_count == 0 || share == 0 ? w->file - 1 - w->import_count
                                                             : (w->import_count - 1) * share + draw(w, share);
        w->imports[w->import_count++] = import;
        fprintf(w->to, "import \"%u.shm\";\n", import);
    }
    /* Each import is used, whatever chance says of the rest. */
    fprintf(w->to, "\nstruct Imports%u {\n    uint64 own;\n", w->file);
    for (uint32_t i = 0; i < w->import_count; i++)
        fprintf(w->to, "    part%u.%s%u of_part_%u;\n", w->imports[i], used[2], w->imports[i] * w->per_file,
                w->imports[i]);
    fputs("}\n\n", w->to);
    w->made.types++;
}

/* What was written: its bytes and lines. */
static int count_file(const char *path, schemas_made *made)
{
    char block[65536];
    FILE *from = fopen(path, "re");
    size_t got;

    if (!from)
        return -errno;
    while ((got = fread(block, 1, sizeof(block), from)) > 0) {
        made->bytes += got;
        for (size_t i = 0; i < got; i++)
            made->lines += block[i] == '\n';
    }
    fclose(from);
    return 0;
}

static int file_write(writer *w, const char *folder)
{
    char *path;
    int r;

    if (asprintf(&path, "%s/%u.shm", folder, w->file) < 0)
        return -ENOMEM;
    w->to = fopen(path, "we");
    if (!w->to) {
        r = -errno;
        free(path);
        return r;
    }
    head(w);
    w->first = w->file * w->per_file;
    for (uint32_t i = 0; i < w->per_file; i++) {
        w->unit = w->first + i;
        unit(w);
    }
    r = ferror(w->to) ? -EIO : 0;
    if (fclose(w->to))
        r = -errno;
    if (r == 0)
        r = count_file(path, &w->made);
    free(path);
    return r;
}

int schemas_write(const char *folder, const schemas_wish *wish, schemas_made *ret_made)
{
    uint32_t files = wish->files ? wish->files : 1;
    uint32_t units = wish->lines / UNIT_LINES;
    writer w = {.state = wish->seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    int r = 0;

    w.per_file = units / files ? units / files : 1;
    for (w.file = 0; w.file < files && r == 0; w.file++)
        r = file_write(&w, folder);
    if (r == 0)
        *ret_made = w.made;
    return r;
}
