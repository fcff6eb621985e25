/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h - what a product of the compiler is.
 *
 * One folder under backends/ per product, one row in the table of backends.c.
 * A backend reads the model and fills buffers; it opens no file and prints
 * nothing. check() runs before any generate(), for `shmc check` too, and is
 * where a schema that is right as such can be refused for this target.
 * refuse() runs before generate() alone: what the language has and this
 * product has not yet is no mistake in a schema.
 */
#ifndef SHMRPC_COMPILER_BACKEND_H
#define SHMRPC_COMPILER_BACKEND_H

#include "diag.h"
#include "model.h"
#include "output.h"

typedef struct backend {
    const char *name;    /* as in --emit */
    const char *summary; /* one line for --help */
    /* Reports what this product cannot express. May be NULL. */
    void (*check)(const model *schema, diag *diagnostics, arena *memory);
    /* Reports what this product is not able to express yet, in the files that are requested. May be NULL. */
    void (*refuse)(const model *schema, diag *diagnostics, arena *memory);
    /* Adds the files of one requested schema file. Returns 0 or -errno (out of memory). */
    int (*generate)(const model *schema, const model_file *file, output *out, arena *memory);
} backend;

extern const backend *const backends[]; /* NULL-terminated */
const backend *backend_find(const char *name);

#endif
