/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contestant.h - one way to make a call to another process, as the harness runs it.
 *
 * Every contestant does the same work: the client sends two int32, the server answers with their sum as int64: 8
 * bytes each way. A run is: open() in the parent; serve() in one child, measure() in another; close() in the parent
 * when both have ended. What the two children share is made by open() or found by name; each contestant embeds its
 * state behind `contestant`.
 */
#ifndef BENCH_CONTESTANT_H
#define BENCH_CONTESTANT_H

#include "measure.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTESTANT_IN_FLIGHT_MAX 256
#define CONTESTANT_SLOTS_MAX 1024
#define CONTESTANT_PAYLOAD_MAX 67108864

typedef struct contestant contestant;

/* Where and how a run takes place. */
typedef struct contestant_setting {
    int server_core;
    int client_core;
    bool shares_core;   /* both run on one core: whoever waits must let the other run */
    uint32_t in_flight; /* calls that are to be so at once: a power of two, at most CONTESTANT_IN_FLIGHT_MAX */
    uint32_t slots;   /* of a ring, for those who have one: a power of two, at most CONTESTANT_SLOTS_MAX; 0: default */
    uint32_t payload; /* bytes each way, 16 .. CONTESTANT_PAYLOAD_MAX, of those who carry more than two numbers */
    bool huge_pages;  /* shmrpc's arenas lie in huge pages, where there are some */
} contestant_setting;

struct contestant {
    const char *name;    /* a key of the JSON report: [a-z_]+ */
    const char *summary; /* one line for people */
    uint32_t slowness;   /* makes 1 / slowness of the calls asked for, so that slow ones do not take all the time */

    /* Makes what the processes share. Returns 0 or -errno. May be NULL. */
    int (*open)(contestant *self);

    /*
     * The server process: writes one byte to `ready` when a client may begin, then serves until it is killed or told
     * to stop by SIGTERM. Returns 0 after a stop, -1 where it failed and has said why on standard error.
     */
    int (*serve)(contestant *self, const contestant_setting *setting, int ready);

    /* The client process: measure_run() with the contestant's call, or measure_rate(). Returns 0 or -1 likewise. */
    int (*measure)(contestant *self, const contestant_setting *setting, measure_samples *samples);

    /* Undoes open(). May be NULL. */
    void (*close)(contestant *self);
};

/* The contestant that embeds `base` as its first member, `member`. */
#define CONTESTANT_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Tells the harness that the server is ready: one byte. Returns 0 or -1. */
int contestant_tell_ready(int ready);

/* The entrants. Static storage; one run at a time. */
contestant *limit_contestant(void);
contestant *ring_contestant(void);
contestant *futex_contestant(void);
contestant *unix_contestant(void);
contestant *typed_contestant(void);
contestant *checked_contestant(void);
contestant *typed_poll_contestant(void);
contestant *typed_default_contestant(void);
contestant *typed_sleep_contestant(void);

/* With many calls in flight. */
contestant *raw_contestant(void);
contestant *unix_flight_contestant(void);
contestant *typed_batch_contestant(void);
contestant *typed_window_contestant(void);

/* One way. */
contestant *raw_oneway_contestant(void);
contestant *typed_oneway_contestant(void);

/* With large messages. */
contestant *raw_payload_contestant(void);
contestant *raw_three_contestant(void);
contestant *unix_payload_contestant(void);
contestant *typed_payload_contestant(void);
contestant *in_place_contestant(void);
contestant *lent_contestant(void);
contestant *sealed_contestant(void);

#endif
