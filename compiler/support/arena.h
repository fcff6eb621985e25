/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that is freed all at once.
 *
 * A compile allocates much and frees nothing until it ends. Allocation never
 * returns NULL: a process without memory cannot go on compiling, so it says so
 * and exits with status 2.
 */
#ifndef SHMRPC_COMPILER_ARENA_H
#define SHMRPC_COMPILER_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct arena arena;

arena *arena_new(void);
arena *arena_free(arena *memory); /* takes NULL; returns NULL */

/* Takes back all that was handed out, for what is needed for a short while again and again. */
void arena_clear(arena *memory);

/* Zeroed, aligned for any type, valid until arena_free(). `size` 0 gives a unique pointer. */
void *arena_alloc(arena *memory, size_t size);
void *arena_array(arena *memory, size_t count, size_t size);      /* overflow checked */
char *arena_copy(arena *memory, const char *text, size_t length); /* NUL added */
char *arena_printf(arena *memory, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(arena *memory, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

#endif
