/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.c - the passes, in their order.
 *
 * Read and parse all files; enter all names; complete all declarations, file by file; then hand out the model, if no
 * error was found on the way.
 */
#include "front.h"

#include <errno.h>
#include <shmrpc/wire.h>

#include "annotate.h"
#include "compile.h"
#include "declare.h"
#include "earlier.h"
#include "load.h"
#include "repeat.h"
#include "resolve.h"
#include "versions.h"

static void read_package(compile *run, unit *file)
{
    const ast_package *ast = file->ast->package;
    model_file *out = file->out;
    annotate_result notes;
    out->version = 1;
    if (ast) {
        annotate_read(run, ast->notes, ANNOTATE_PACKAGE, &notes);
        out->package = ast->name.text;
        out->at = ast->name.at;
        out->notes = notes.notes;
        out->c_prefix = notes.c_prefix;
        out->version = notes.version;
        resolve_check_package(run, ast);
    }
    if (file->at_version && file->at_version < out->version)
        out->version = file->at_version;
    for (uint32_t i = 0; i < file->ast->imports.count; i++)
        annotate_read(run, (*VECTOR_AT(&file->ast->imports, ast_import *, i))->notes, ANNOTATE_IMPORT, &notes);
}

/* Two files that are generated must not be generated as one. */
static void check_logical_names(compile *run)
{
    map names = {0};
    for (uint32_t i = 0; i < run->units.count; i++) {
        unit *file = *VECTOR_AT(&run->units, unit *, i);
        const unit *first = file->out->requested ? map_add(&names, run->scratch, file->out->logical, file) : NULL;
        if (!first)
            continue;
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E204, (span){0}, "'%s' and '%s' would both be generated as '%s'",
                     first->out->path, file->out->path, file->out->logical);
        diag_fix(entry, "give the folder that holds both with -I");
    }
}

static void finish_file(compile *run, const unit *file, uint32_t id)
{
    arena *memory = run->memory;
    model_file *out = file->out;
    const model_file **imports = arena_array(memory, file->link_list.count, sizeof(*imports));
    const model_decl **decls = arena_array(memory, file->symbol_list.count, sizeof(*decls));
    for (uint32_t i = 0; i < file->link_list.count; i++) {
        const import_link *import = *VECTOR_AT(&file->link_list, import_link *, i);
        bool known = !import->target || (file->at_version && !import->used);
        for (uint32_t j = 0; j < out->import_count && !known; j++)
            known = imports[j] == import->target->out;
        if (!known)
            imports[out->import_count++] = import->target->out;
    }
    for (uint32_t i = 0; i < file->symbol_list.count; i++)
        decls[i] = (*VECTOR_AT(&file->symbol_list, symbol *, i))->out;
    out->id = id;
    out->imports = imports;
    out->decls = decls;
    out->decl_count = file->symbol_list.count;
    out->sorted = file->completed.items;
    out->sorted_count = file->completed.count;
}

static const model *make_model(compile *run)
{
    uint32_t count = run->units.count;
    model *made = arena_alloc(run->memory, sizeof(*made));
    const model_file **files = arena_array(run->memory, count, sizeof(*files));
    const char **inputs = arena_array(run->memory, count, sizeof(*inputs));
    for (uint32_t i = 0; i < count; i++) {
        const unit *file = *VECTOR_AT(&run->units, unit *, i);
        finish_file(run, file, i);
        files[i] = file->out;
        inputs[i] = file->out->path;
    }
    made->files = files;
    made->file_count = count;
    made->max_message = run->max_message;
    made->inputs = inputs;
    made->input_count = count;
    return made;
}

/* Enters the name that each declaration of a file is known by, or only says whether one of them was renamed. */
static bool enter_identities(compile *run, const unit *file, map *identities)
{
    bool renamed = false;
    for (uint32_t i = 0; i < file->symbol_list.count; i++) {
        const model_decl *decl = (*VECTOR_AT(&file->symbol_list, symbol *, i))->out;
        renamed = renamed || decl->notes.original;
        if (identities)
            versions_identity(run, identities, file->out->package, &decl->notes, decl->name, decl->at);
    }
    return renamed;
}

static void check_identities(compile *run)
{
    map identities = {0};
    bool renamed = false;
    for (uint32_t i = 0; i < run->units.count; i++)
        renamed = enter_identities(run, *VECTOR_AT(&run->units, unit *, i), NULL) || renamed;
    for (uint32_t i = 0; renamed && i < run->units.count; i++)
        enter_identities(run, *VECTOR_AT(&run->units, unit *, i), &identities);
}

static void complete_all(compile *run)
{
    for (uint32_t i = 0; i < run->units.count; i++) {
        const unit *file = *VECTOR_AT(&run->units, unit *, i);
        for (uint32_t j = 0; j < file->symbol_list.count; j++) {
            symbol *named = *VECTOR_AT(&file->symbol_list, symbol *, j);
            declare_complete(run, named, named->ast->name.at);
        }
        resolve_finish(run, file);
    }
    check_identities(run);
    repeat_finish(run);
}

/* From trees to declarations. */
static void run_passes(compile *run)
{
    for (uint32_t i = 0; i < run->units.count; i++)
        read_package(run, *VECTOR_AT(&run->units, unit *, i));
    for (uint32_t i = 0; i < run->units.count; i++)
        resolve_declare(run, *VECTOR_AT(&run->units, unit *, i));
    check_logical_names(run);
    complete_all(run);
}

/* Whether all files that were asked for have had a version. */
static bool version_is_there(const compile *run, uint32_t version)
{
    for (uint32_t i = 0; i < run->units.count; i++) {
        const model_file *file = (*VECTOR_AT(&run->units, unit *, i))->out;
        if (!file->requested || version <= file->version)
            continue;
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E002, (span){0}, "there is no version %u of '%s'",
                                     (unsigned)version, file->path);
        diag_note(entry, file->at, "the package has versions 1 to %u", (unsigned)file->version);
        return false;
    }
    return true;
}

/* The same files at an earlier version. What can be said about that is an error or two: a constant that was another. */
static bool run_earlier(const compile *now, uint32_t version, compile *ret)
{
    *ret = earlier_run(now, version, diag_new(now->memory));
    run_passes(ret);
    if (diag_errors(ret->diagnostics) == 0)
        return true;
    *ret = earlier_run(now, version, now->diagnostics);
    run_passes(ret);
    return false;
}

static int compile_all(compile *run, const front_options *options, const char *const *paths, size_t path_count,
                       const model **ret_model)
{
    run->units = VECTOR_OF(unit *);
    run->busy = VECTOR_OF(symbol *);
    run->max_message = options->max_message ? options->max_message : SHMRPC_MESSAGE_MAX;

    int rc = 0;
    for (size_t i = 0; i < path_count; i++) {
        int one = load_file(run, options, paths[i]);
        rc = rc ? rc : one;
    }
    run_passes(run);
    if (rc < 0)
        return rc;
    if (options->at_version && !version_is_there(run, options->at_version))
        return -ERANGE;
    if (diag_errors(run->diagnostics) > 0)
        return 1;
    compile earlier;
    if (options->at_version && !run_earlier(run, options->at_version, &earlier))
        return 1;
    *ret_model = make_model(options->at_version ? &earlier : run);
    return 0;
}

int front_compile(arena *memory, diag *diagnostics, const front_options *options, const char *const *paths,
                  size_t path_count, const model **ret_model)
{
    compile run = {.memory = memory, .scratch = arena_new(), .diagnostics = diagnostics};
    int rc = compile_all(&run, options, paths, path_count, ret_model);

    arena_free(run.scratch);
    return rc;
}
