/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - another way to call, as a file of bench/peers gives it; for C and C++.
 *
 * All do the same work: add() of two int32 to an int64, and echo() of some bytes. Each does it as its own documentation
 * shows it, with messages that are copied into and out of the library as a program's own would be, and with a server
 * that answers one call after another. peer.c makes contestants of them.
 *
 * serve() runs in the server's process, connect() and what follows it in the client's; begin() and end() in the parent
 * of both. Each is one run at a time, so state is static.
 */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_PATH_MAX 108 /* of a Unix socket, with its end */

typedef struct peer_place {
    char directory[PEER_PATH_MAX]; /* private, and removed with all files in it */
    char socket[PEER_PATH_MAX];    /* the path of a file in it that is not there yet */
    bool shares_core;              /* of client and server: whoever polls gives it up between two looks */
    int ready;                     /* for peer_tell_ready() */
} peer_place;

typedef struct peer {
    const char *name;     /* a key of the JSON report: [a-z_]+ */
    const char *summary;  /* one line for people */
    const char *packages; /* Debian's names; "" for what the kernel has */
    uint32_t slowness;    /* makes 1 / slowness of the calls asked for */
    bool polls;           /* never sleeps */

    /* Before anything is run: could it be? Returns 0, or -1 and has said why not. May be NULL. */
    int (*check)(void);

    /* In the parent, before both and after them. May be NULL. begin() returns 0 or -errno. */
    int (*begin)(const peer_place *place);
    void (*end)(const peer_place *place);

    /* Calls peer_tell_ready(), then serves until SIGTERM ends it. Returns 0, or -1 and has said why. */
    int (*serve)(const peer_place *place);

    /* Each returns 0, or -1 and has said why; peer_say() says it. */
    int (*connect)(const peer_place *place);
    void (*disconnect)(void); /* may end the process; may be NULL */
    int (*add)(int32_t left, int32_t right, int64_t *ret_sum);
    int (*echo)(const void *bytes, size_t length, void *ret_bytes); /* may be NULL */

    /* Of those who can have many calls in flight; NULL for others. finish() waits for the oldest that was started. */
    int (*start)(int32_t left, int32_t right);
    int (*finish)(int64_t *ret_sum);
} peer;

/* What messages are that have no schema. */
typedef struct peer_operands {
    int32_t left;
    int32_t right;
} peer_operands;

/* Bytes of the longest echo. */
#define PEER_ECHO_MAX (1024 * 1024)

/* Tells the harness that clients may come. Returns 0 or -1. */
int peer_tell_ready(const peer_place *place);

/* One line on standard error. Returns -1. */
int peer_say(const char *name, const char *what, const char *why);

/* Those that there are. */
extern const peer peer_eventfd;
extern const peer peer_seqpacket;
extern const peer peer_zeromq;
extern const peer peer_nng;
extern const peer peer_sdbus;
extern const peer peer_capnp;
extern const peer peer_grpc;
extern const peer peer_grpc_stream;
extern const peer peer_iceoryx;
extern const peer peer_iceoryx_waitset;

#ifdef __cplusplus
}
#endif

#endif
