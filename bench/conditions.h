/* SPDX-License-Identifier: Apache-2.0 */
/* conditions.h - what a figure must be read with: the machine, its kernel, what else it was doing. */
#ifndef BENCH_CONDITIONS_H
#define BENCH_CONDITIONS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct conditions {
    char *kernel;    /* "Linux 6.18.1"; never NULL */
    char *machine;   /* "x86_64"; never NULL */
    char *processor; /* the model as the kernel names it; "unknown" where it does not */
    int cores_online;
    double load; /* average of the last minute, before the first run */
    bool virtual_machine;
} conditions;

/* Returns 0 or -errno; on success the caller's to deinitialise. */
int conditions_init(conditions *ret_conditions);
void conditions_deinit(conditions *found);

/* One line, with the version of shmrpc. */
void conditions_print(const conditions *found, FILE *out);

/* The members of a JSON object, up to the end of the last of them. */
void conditions_save(const conditions *found, FILE *out);

#endif
