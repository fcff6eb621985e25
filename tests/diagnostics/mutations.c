/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mistake, one error: every good file with one token removed, doubled, exchanged with the next or replaced by another
 * of the file, as `mutations FOLDER [SHOWN]`. Comments and white space are no tokens.
 *
 * Some of these mistakes are two (an exchange, for one), and some are none. Counted are the errors of each file that has
 * any; their mean is printed and bounded. SHOWN: how many of the worst files are printed, with what is said of them.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "front.h"

#define MEAN_MOST 1.07
#define TOKENS_MOST 4096
#define FILE_MOST 4096 /* bytes */
#define COUNTED_MOST 8

typedef struct token {
    const char *text;
    size_t length;
} token;

typedef enum change { REMOVE, DOUBLE, EXCHANGE, REPLACE, CHANGES } change;

typedef struct run {
    char *path;         /* of the file that is written again and again */
    const char *lib[2]; /* where imports are looked for */
    int shown;
    uint64_t state;
    unsigned long files[CHANGES];
    unsigned long faulty[CHANGES];
    unsigned long errors[CHANGES];
    unsigned long counts[COUNTED_MOST + 1]; /* files with so many errors, and with more */
} run;

static const char *const change_names[CHANGES] = {"removed", "doubled", "exchanged", "replaced"};

static void require(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(2);
}

/* xorshift64* (Vigna) */
static size_t draw(run *r, size_t below)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return (size_t)((r->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Where the next token begins, behind white space and comments. */
static const char *skip(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (strncmp(at, "//", 2) == 0) {
            at += strcspn(at, "\n");
        } else if (strncmp(at, "/*", 2) == 0) {
            const char *end = strstr(at, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

static size_t token_length(const char *at)
{
    size_t length = 0;

    if (*at == '"') {
        for (length = 1; at[length] && at[length] != '"' && at[length] != '\n'; length++)
            length += at[length] == '\\' && at[length + 1] ? 1 : 0;
        return at[length] == '"' ? length + 1 : length;
    }
    while (is_word(at[length]))
        length++;
    if (length > 0)
        return length;
    return strncmp(at, "->", 2) == 0 || strncmp(at, "..", 2) == 0 || strncmp(at, "<<", 2) == 0 ? 2 : 1;
}

static size_t tokens_of(const char *text, token *tokens)
{
    size_t count = 0;

    for (const char *at = skip(text); *at && count < TOKENS_MOST; at = skip(at)) {
        tokens[count] = (token){at, token_length(at)};
        at += tokens[count++].length;
    }
    return count;
}

static void put(FILE *to, token one)
{
    fwrite(one.text, 1, one.length, to);
}

/* The same in the place of another, apart from the word or number that stands before that. */
static void put_apart(FILE *to, const char *text, const char *place, token one)
{
    if (place > text && is_word(place[-1]) && is_word(*one.text))
        fputc(' ', to);
    put(to, one);
}

/* Writes the text with tokens `at` and, for an exchange, the next one changed. */
static void file_write(run *r, const char *text, const token *tokens, size_t at, change how, token other)
{
    FILE *to = fopen(r->path, "we");
    const char *rest = tokens[at].text + tokens[at].length;

    require(to != NULL, r->path);
    fwrite(text, 1, (size_t)(tokens[at].text - text), to);
    if (how == DOUBLE) {
        put(to, tokens[at]);
        fputc(' ', to);
        put(to, tokens[at]);
    } else if (how == REPLACE) {
        put_apart(to, text, tokens[at].text, other);
    } else if (how == EXCHANGE) {
        put_apart(to, text, tokens[at].text, tokens[at + 1]);
        fputc(' ', to);
        fwrite(rest, 1, (size_t)(tokens[at + 1].text - rest), to);
        put(to, tokens[at]);
        rest = tokens[at + 1].text + tokens[at + 1].length;
    }
    fputs(rest, to);
    require(fclose(to) == 0, r->path);
}

static size_t errors_count(const diag *found)
{
    size_t count;
    size_t errors = 0;
    const diag_entry *const *entries = diag_sorted(found, &count);

    for (size_t i = 0; i < count; i++)
        errors += diag_code_severity(entries[i]->code) == DIAG_ERROR;
    return errors;
}

static void file_check(run *r, const char *name, change how)
{
    arena *memory = arena_new();
    diag *found = diag_new(memory);
    const model *schema = NULL;
    front_options options = {.include_dirs = r->lib, .include_count = 2};

    front_compile(memory, found, &options, (const char *const[]){r->path}, 1, &schema);
    size_t errors = errors_count(found);
    r->files[how]++;
    r->faulty[how] += errors > 0;
    r->errors[how] += errors;
    r->counts[errors <= COUNTED_MOST ? errors : COUNTED_MOST]++;
    if (errors > 2 && r->shown > 0) {
        r->shown--;
        printf("---- %s, a token %s: %zu errors\n", name, change_names[how], errors);
        diag_render(found, DIAG_TEXT, false, stdout);
    }
    arena_free(memory);
}

/* NULL where it is one of the few that are long for the sake of it. */
static char *file_read(const char *path)
{
    FILE *from = fopen(path, "re");
    char *text = calloc(1, FILE_MOST + 1);

    require(from != NULL && text != NULL, path);
    size_t length = fread(text, 1, FILE_MOST, from);
    require(fclose(from) == 0, path);
    if (length < FILE_MOST)
        return text;
    free(text);
    return NULL;
}

static void file_mutate(run *r, const char *path)
{
    static token tokens[TOKENS_MOST];
    char *text = file_read(path);
    size_t count = text ? tokens_of(text, tokens) : 0;

    for (size_t i = 0; i < count; i++) {
        for (change how = 0; how < CHANGES; how++) {
            token other = tokens[draw(r, count)];
            if ((how == EXCHANGE && i + 1 == count) || (how == REPLACE && other.length == tokens[i].length &&
                                                        memcmp(other.text, tokens[i].text, other.length) == 0))
                continue;
            file_write(r, text, tokens, i, how, other);
            file_check(r, path, how);
        }
    }
    free(text);
}

int main(int argc, char **argv)
{
    run r = {.state = UINT64_C(0x9e3779b97f4a7c15), .shown = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0};
    unsigned long errors = 0;
    unsigned long faulty = 0;
    char folder[] = "/tmp/shmc-mutations-XXXXXX";
    char *pattern;
    char *lib;
    glob_t files;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [SHOWN]\n", argv[0]);
        return 2;
    }
    require(mkdtemp(folder) != NULL, folder);
    require(asprintf(&pattern, "%s/*.shm", argv[1]) > 0, "memory");
    require(asprintf(&lib, "%s/lib", argv[1]) > 0, "memory");
    require(asprintf(&r.path, "%s/mutated.shm", folder) > 0, "memory");
    r.lib[0] = lib;
    r.lib[1] = argv[1];
    require(glob(pattern, 0, NULL, &files) == 0, pattern);
    for (size_t i = 0; i < files.gl_pathc; i++)
        file_mutate(&r, files.gl_pathv[i]);
    require(unlink(r.path) == 0 && rmdir(folder) == 0, folder);

    for (change how = 0; how < CHANGES; how++) {
        printf("%-10s %6lu files, %6lu with errors, mean %.3f\n", change_names[how], r.files[how], r.faulty[how],
               r.faulty[how] ? (double)r.errors[how] / (double)r.faulty[how] : 0.0);
        errors += r.errors[how];
        faulty += r.faulty[how];
    }
    for (size_t i = 0; i <= COUNTED_MOST; i++)
        printf("%s%zu error%s: %lu\n", i == COUNTED_MOST ? "at least " : "", i, i == 1 ? "" : "s", r.counts[i]);
    double mean = faulty ? (double)errors / (double)faulty : 0;
    bool fine = faulty > 1000 && mean < MEAN_MOST;
    printf("%zu good files, %lu with a mistake, mean %.3f errors (at most %.2f)\n", files.gl_pathc, faulty, mean,
           MEAN_MOST);
    printf("%d passed, %d failed\n", fine, !fine);
    globfree(&files);
    free(pattern);
    free(lib);
    free(r.path);
    return fine ? 0 : 1;
}
