/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schemas.h - schemas of any length to measure a compiler with: what people write, at random, the same for the same
 * seed, and without anything in them that would be reported.
 */
#ifndef BENCH_SCHEMAS_H
#define BENCH_SCHEMAS_H

#include <stdint.h>

#define SCHEMAS_LINES_MAX 10000000u

typedef struct schemas_wish {
    uint32_t lines; /* about as many, 1 .. SCHEMAS_LINES_MAX */
    uint32_t files; /* among which they are divided; each imports a few earlier ones */
    uint64_t seed;
} schemas_wish;

typedef struct schemas_made {
    uint64_t bytes;
    uint64_t lines;
    uint32_t types; /* aliases, enums, flags, structs, unions and messages */
    uint32_t services;
} schemas_made;

/* Writes 0.shm, 1.shm, ... into a folder that is there. Returns 0 or -errno. */
int schemas_write(const char *folder, const schemas_wish *wish, schemas_made *ret_made);

#endif
