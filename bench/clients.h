/* SPDX-License-Identifier: Apache-2.0 */
/* clients.h - what bench_clients was asked, what it has found, and how that is shown. */
#ifndef BENCH_CLIENTS_H
#define BENCH_CLIENTS_H

#include "activity.h"
#include "conditions.h"
#include "stats.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENTS_SIZES 4 /* 1, 10, 100 and as many as were asked for */
#define CLIENTS_FLATS 3 /* where callers run, and with how many workers */
#define CLIENTS_HOMES 2 /* clients in processes of their own, and many in one */

typedef struct clients_options {
    uint32_t clients; /* most that are connected */
    uint32_t calls;   /* that are timed in each run of one that calls */
    uint32_t rounds;
    uint32_t callers; /* that call at once */
    uint32_t ms;      /* for so long */
    uint32_t seconds; /* to be idle */
    int server_core;
    int client_core;
    const char *json_path; /* NULL: none */
} clients_options;

/* One that calls among so many: each round beside it alone. */
typedef struct clients_active {
    uint32_t clients;
    double p50_ns; /* medians of the rounds */
    double p99_ns;
    stats_quartiles p50_ratio;
    stats_quartiles p99_ratio;
} clients_active;

/* All that are connected, for as long as they were left alone. */
typedef struct clients_idle {
    uint32_t clients;
    activity server;
    activity holders;
} clients_idle;

/* Callers at once, each round beside one alone. */
typedef struct clients_flat {
    const char *name; /* a key of the JSON report */
    const char *title;
    bool is_free; /* to be put on any core; else the server on one, callers on the other */
    uint32_t workers;
    uint32_t callers;
    double calls_per_s;
    double alone_per_s;
    stats_quartiles rate_ratio;
    stats_quartiles fairness; /* Jain's index over the callers */
} clients_flat;

/* What one client more takes. */
typedef struct clients_memory {
    const char *name;
    const char *title;
    uint32_t clients; /* it is the mean of so many */
    double server_bytes;
    double client_bytes;
    double lane_bytes;
} clients_memory;

typedef struct clients_found {
    clients_active active[CLIENTS_SIZES];
    uint32_t active_count;
    clients_idle idle;
    clients_flat flat[CLIENTS_FLATS];
    clients_memory memory[CLIENTS_HOMES];
} clients_found;

void clients_print(const clients_found *found, const clients_options *given, const conditions *machine);

/* 0 or -errno. */
int clients_save(const clients_found *found, const clients_options *given, const conditions *machine);

#endif
