/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler_schema.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front.h"

static arena *memory;
static char *folder;

void schema_open(void)
{
    const char *base = getenv("TMPDIR");
    memory = arena_new();
    folder = arena_printf(memory, "%s/shmc-test-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void schema_close(void)
{
    ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    memory = arena_free(memory);
    folder = NULL;
}

const char *schema_path(const char *name)
{
    return arena_printf(memory, "%s/%s", folder, name);
}

const char *schema_write_bytes(const char *name, const char *bytes, size_t size)
{
    char *path = arena_printf(memory, "%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

const char *schema_write(const char *name, const char *text)
{
    return schema_write_bytes(name, text, strlen(text));
}

schema_result schema_compile(const char *const *names, size_t count)
{
    const char **paths = arena_array(memory, count, sizeof(*paths));
    const char *include_dirs[] = {folder};
    front_options options = {.include_dirs = include_dirs, .include_count = 1};
    schema_result result = {.diagnostics = diag_new(memory)};
    for (size_t i = 0; i < count; i++)
        paths[i] = schema_path(names[i]);
    result.rc = front_compile(memory, result.diagnostics, &options, paths, count, &result.model);
    result.errors = diag_errors(result.diagnostics);
    result.warnings = diag_warnings(result.diagnostics);
    return result;
}

schema_result schema_try(const char *text)
{
    schema_write("test.shm", arena_printf(memory, "package test;\n%s", text));
    return schema_compile((const char *const[]){"test.shm"}, 1);
}

const model *schema_good(const char *text)
{
    schema_result result = schema_try(text);
    if (result.errors + result.warnings > 0) {
        char *shown = schema_shown(result.diagnostics, DIAG_TEXT);
        ck_abort_msg("unexpected: %s", shown);
    }
    ck_assert_int_eq(result.rc, 0);
    return result.model;
}

void schema_bad(const char *text, diag_code code)
{
    schema_result result = schema_try(text);
    size_t count;
    const diag_entry *const *entries = diag_sorted(result.diagnostics, &count);
    ck_assert_msg(count == 1, "%zu diagnostics for: %s", count, text);
    ck_assert_str_eq(diag_code_name(entries[0]->code), diag_code_name(code));
    ck_assert_int_eq(result.rc, diag_code_severity(code) == DIAG_ERROR);
    ck_assert((result.model != NULL) == (result.rc == 0));
}

const model_decl *schema_decl(const model *compiled, const char *name)
{
    const model_file *file = compiled->files[compiled->file_count - 1];
    for (uint32_t i = 0; i < file->decl_count; i++)
        if (strcmp(file->decls[i]->name, name) == 0)
            return file->decls[i];
    return NULL;
}

const model_record *schema_record(const model *compiled, const char *name)
{
    const model_decl *decl = schema_decl(compiled, name);
    ck_assert_ptr_nonnull(decl);
    ck_assert(decl->kind == MODEL_DECL_STRUCT || decl->kind == MODEL_DECL_MESSAGE || decl->kind == MODEL_DECL_UNION);
    return decl->as.record;
}

const model_field *schema_field(const model *compiled, const char *record, const char *field)
{
    const model_record *in = schema_record(compiled, record);
    for (uint32_t i = 0; i < in->field_count; i++)
        if (strcmp(in->fields[i].name, field) == 0)
            return &in->fields[i];
    ck_abort_msg("'%s' has no field '%s'", record, field);
    return NULL;
}

char *schema_shown(const diag *diagnostics, diag_format format)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(diag_render(diagnostics, format, false, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}
