/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler_schema.h - schemas that a test writes, compiled.
 *
 * Files live in a folder of the running case's own, which is the only -I folder and, as such, what logical names are
 * relative to. As fixtures: schema_open, schema_close.
 */
#ifndef SHMRPC_TEST_COMPILER_SCHEMA_H
#define SHMRPC_TEST_COMPILER_SCHEMA_H

#include "diag.h"
#include "model.h"

void schema_open(void);
void schema_close(void);

/* Writes a file in the case's folder, folders on the way included; returns its path, valid until schema_close(). */
const char *schema_write(const char *name, const char *text);
const char *schema_write_bytes(const char *name, const char *bytes, size_t size);
const char *schema_path(const char *name);

/* Compiles files that schema_write() made. What came out is in `model` and `diagnostics`, until schema_close(). */
typedef struct schema_result {
    int rc;
    const model *model; /* NULL unless rc is 0 */
    diag *diagnostics;
    size_t errors;
    size_t warnings;
} schema_result;

schema_result schema_compile(const char *const *names, size_t count);

/* Compiles one file, which is "package test;" and `text`. */
schema_result schema_try(const char *text);

/* Likewise, and fails the case unless there was no diagnostic at all. */
const model *schema_good(const char *text);

/* Likewise, and fails the case unless the one diagnostic has that code. */
void schema_bad(const char *text, diag_code code);

/* A declaration of the last file, or NULL. */
const model_decl *schema_decl(const model *compiled, const char *name);
const model_record *schema_record(const model *compiled, const char *name);
const model_field *schema_field(const model *compiled, const char *record, const char *field);

/* The diagnostics as they are shown; free() it. */
char *schema_shown(const diag *diagnostics, diag_format format);

#endif
