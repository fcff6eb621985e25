/* SPDX-License-Identifier: Apache-2.0 */
/* typed.h - what the subjects share that call through the functions of bench.shm: their server, and connecting to it. */
#ifndef BENCH_CONTESTANTS_TYPED_H
#define BENCH_CONTESTANTS_TYPED_H

#include "../contestant.h"
#include "bench.shm.h"

#include <shmrpc/status.h>

#define TYPED_LIMIT_MS 2000 /* of a call */

typedef struct typed {
    contestant base;
    int64_t spin_ns; /* of both sides */
    bench_client *client;
    uint32_t in_flight;
    int64_t told; /* one way, by this client to its server */
} typed;

/* The server process of all of them. */
int typed_serve(contestant *self, const contestant_setting *setting, int ready);

/* Connects self's client. Returns 0, or -1 with the cause on standard error. */
int typed_connect(contestant *self, const contestant_setting *setting);

/* Says how call `number` ended. */
void typed_report(uint32_t number, int status);

/* The members of a `typed` in braces. */
#define TYPED(NAME, SUMMARY, SPIN_NS, MEASURE)                                                                     \
    {                                                                                                              \
        .base = {.name = (NAME), .summary = (SUMMARY), .slowness = 1, .serve = typed_serve, .measure = (MEASURE)}, \
        .spin_ns = (SPIN_NS),                                                                                      \
    }

#endif
