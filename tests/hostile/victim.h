/* SPDX-License-Identifier: Apache-2.0 */
/*
 * victim.h - a client of the library, in a thread, for a rogue server to lie to.
 *
 * It connects to VICTIM_SERVER, makes one call and then another without messages, looks at the state, and leaves; the
 * case plays the server meanwhile and looks at what became of the client in the end. victim_teardown() fails the case
 * where anything is left of it.
 */
#ifndef SHMRPC_TEST_VICTIM_H
#define SHMRPC_TEST_VICTIM_H

#include <pthread.h>

#include "rogue.h"

#define VICTIM_SERVER "rogue"

typedef struct victim {
    pthread_t thread;
    uint32_t method;     /* given: the call's method, */
    const void *request; /* and its request, */
    int64_t spin_ns;     /* and the client's options */
    int64_t connect_ns;  /* 0: as long as it takes */
    bool sends_times;    /* likewise an option */
    bool is_late;        /* its first call is started, and waited for when `may_look` counts one */
    _Atomic unsigned may_look;
    bool has_metadata; /* with its first call */
    int connect_status, call_status, later_status;
    char text[256]; /* shmrpc_last_error() after the call, or after connecting where that failed */
    shmrpc_client_condition condition;
    union {
        probe_value value;
        probe_flag flag;
        probe_blob blob;
        probe_total total;
    } reply; /* 0xee in each byte that was not written */
    bool has_payload;
} victim;

/* Requests to give. */
extern const probe_value victim_value;
extern const probe_flag victim_flag;
extern const probe_blob victim_blob;

void victim_start(victim *self);
void victim_join(victim *self);

/* The server's end: listening from victim_setup() to victim_teardown(), which are a checked fixture. */
extern int victim_listener;
void victim_setup(void);
void victim_teardown(void);

#endif
