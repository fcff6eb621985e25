/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - see load.h.
 *
 * A file has a path (as it was opened: what diagnostics show), an identity (its canonical path: a file that is reached
 * on two ways is read once) and a logical name (relative to the include folder that holds it: what it is generated as).
 */
#include "load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "support/buffer.h"
#include "support/memory.h"
#include "syntax.h"

typedef struct loader {
    compile *run;
    const front_options *options;
} loader;

/* Canonical path, or NULL with errno set. A pipe that a shell hands over as /dev/fd/N has none but its own. */
static const char *canonical(arena *memory, const char *path)
{
    char *resolved = realpath(path, NULL);
    if (!resolved && errno == ENOMEM)
        memory_exhausted();
    if (!resolved) {
        int error = errno;
        bool is_nameless = source_is_nameless(path);
        errno = error;
        return is_nameless ? path : NULL;
    }
    const char *copy = arena_copy(memory, resolved, strlen(resolved));
    free(resolved);
    return copy;
}

/* What of `path` is below `folder`, both canonical; NULL where it is not below. */
static const char *below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    if (length > 0 && folder[length - 1] == '/')
        length--;
    if (strncmp(folder, path, length) != 0 || path[length] != '/')
        return NULL;
    return path + length + 1;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Relative to the first -I folder that holds it, else to the current folder, else its last part. */
static const char *logical_name(const loader *from, const char *identity)
{
    arena *memory = from->run->memory;
    for (size_t i = 0; i <= from->options->include_count; i++) {
        bool last = i == from->options->include_count;
        const char *folder = canonical(memory, last ? "." : from->options->include_dirs[i]);
        const char *name = folder ? below(folder, identity) : NULL;
        if (name)
            return name;
    }
    return base_name(identity);
}

/*
 * Where a file stands, as opposed to what it is: a link into another tree keeps the name that it has in this one. The
 * folder is canonical, so that it can be compared.
 */
static const char *placed(arena *memory, const char *path, const char *identity)
{
    const char *name = base_name(path);
    const char *folder = canonical(memory, name == path ? "." : arena_copy(memory, path, (size_t)(name - path)));
    if (!folder || *name == '\0')
        return identity;
    return arena_printf(memory, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
}

static const char *join(arena *memory, const char *folder, size_t length, const char *name)
{
    if (length == 0)
        return name;
    return arena_printf(memory, "%.*s%s%s", (int)length, folder, folder[length - 1] == '/' ? "" : "/", name);
}

/* The folder part of a path, up to and with its last '/'. */
static size_t folder_length(const char *path)
{
    return (size_t)(base_name(path) - path);
}

static unit *load(const loader *from, const char *path, const char *identity, int *ret_error);

/* Finds the file of an import: beside the importing one, then in the -I folders. */
static const char *find_import(const loader *from, const unit *importing, const char *name, buffer *looked,
                               const char **ret_identity)
{
    arena *memory = from->run->memory;
    const char *own = importing->ast->text->path;
    for (size_t i = 0; i <= from->options->include_count; i++) {
        const char *path =
            i == 0 ? join(memory, own, folder_length(own), name)
                   : join(memory, from->options->include_dirs[i - 1], strlen(from->options->include_dirs[i - 1]), name);
        *ret_identity = canonical(memory, path);
        if (*ret_identity)
            return path;
        buffer_printf(looked, "%s'%s'", looked->length ? ", " : "", path);
    }
    return NULL;
}

/* `target` is being read: its newest link is the import that led here. */
static void import_cycle(const loader *from, const ast_import *ast, const unit *target)
{
    const import_link *begun = *VECTOR_AT(&target->link_list, import_link *, target->link_list.count - 1);
    diag_entry *entry =
        diag_add(from->run->diagnostics, DIAG_E207, ast->path.at, "this import of '%s' closes a cycle", ast->path.text);
    if (begun->ast != ast)
        diag_note(entry, begun->ast->path.at, "it begins here");
    else
        diag_note(entry, (span){0}, "a file does not import itself");
    if (begun->ast != ast)
        diag_fix(entry, "move what both need into a file of its own");
}

static void load_import(const loader *from, unit *importing, const ast_import *ast)
{
    compile *run = from->run;
    buffer looked = {0};
    int error = 0;
    import_link *import = arena_alloc(run->scratch, sizeof(*import));
    import->ast = ast;
    vector_add_pointer(&importing->link_list, run->memory, import);

    if (ast->path.length == 0 || ast->path.text[0] == '/') {
        diag_add(run->diagnostics, DIAG_E208, ast->path.at,
                 "an import is a relative path, such as \"demo/health.shm\"");
        return;
    }
    const char *identity;
    const char *path = find_import(from, importing, ast->path.text, &looked, &identity);
    if (!path) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E208, ast->path.at, "'%s' is not found", ast->path.text);
        diag_note(entry, (span){0}, "looked for %s", looked.data ? looked.data : "nothing");
        diag_fix(entry, "name the folder that holds it with -I");
        buffer_deinit(&looked);
        return;
    }
    buffer_deinit(&looked);

    unit *target = load(from, path, identity, &error);
    if (!target && error)
        diag_add(run->diagnostics, DIAG_E208, ast->path.at, "'%s' cannot be read: %s", path, source_error(error));
    if (target && target->loading == SYMBOL_BUSY)
        import_cycle(from, ast, target);
    else
        import->target = target;
}

static unit *unit_new(const loader *from, const source *text, const char *identity)
{
    compile *run = from->run;
    unit *file = arena_alloc(run->scratch, sizeof(*file));
    file->ast = syntax_parse(run->memory, run->scratch, run->diagnostics, text);
    file->out = arena_alloc(run->memory, sizeof(*file->out));
    file->out->path = text->path;
    file->out->logical = text->logical;
    file->symbol_list = VECTOR_OF(symbol *);
    file->link_list = VECTOR_OF(import_link *);
    file->completed = VECTOR_OF(const model_decl *);
    map_add(&run->by_identity, run->scratch, identity, file);
    return file;
}

/* Reads a file and its imports, once. NULL where it cannot be read: then *ret_error is an errno, or 0 if reported. */
static unit *load(const loader *from, const char *path, const char *identity, int *ret_error)
{
    compile *run = from->run;
    unit *known = map_find(&run->by_identity, identity);
    if (known)
        return known;

    source *text;
    int rc = source_read(run->memory, path, logical_name(from, placed(run->memory, path, identity)), &text);
    if (rc < 0) {
        *ret_error = -rc;
        return NULL;
    }
    span start = {text, 0, 0};
    if (!compile_enter(run, start))
        return NULL;
    unit *file = unit_new(from, text, identity);
    file->loading = SYMBOL_BUSY;
    for (uint32_t i = 0; i < file->ast->imports.count; i++)
        load_import(from, file, *VECTOR_AT(&file->ast->imports, ast_import *, i));
    file->loading = SYMBOL_DONE;
    compile_leave(run);
    vector_add_pointer(&run->units, run->memory, file);
    return file;
}

int load_file(compile *run, const front_options *options, const char *path)
{
    loader from = {run, options};
    int error = 0;
    const char *identity = canonical(run->memory, path);
    unit *file = NULL;
    if (identity)
        file = load(&from, path, identity, &error);
    else
        error = errno;
    if (file)
        file->out->requested = true;
    if (error)
        diag_add(run->diagnostics, DIAG_E001, (span){0}, "cannot read '%s': %s", path, source_error(error));
    return -error;
}
