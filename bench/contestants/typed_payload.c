/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed_payload.c - the subject with large messages, through the functions that shmc generates from payload.shm.
 *
 * `typed`: by copy. Each side has messages of its own, as the other could change what both can write; the handler copies
 * from request to reply, since an echo is that.
 *
 * `in_place`: the client copies its bytes into a request that is lent to it, the handler from there to the reply, both in
 * shared memory, and the client from there to its own: as `raw_three` does. For sides that trust each other.
 *
 * `lent`: the client does as in place, and the server, which does not trust it, copies the request. `sealed`: the request is
 * in sealed memory of its own, which such a server need not copy.
 *
 * Both sides poll.
 */
#include "../contestant.h"
#include "payload.h"
#include "payload.shm.h"

#include <shmrpc/status.h>

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#define SERVER_NAME "bench/payload"

typedef struct typed_payload {
    contestant base;
    bool lends;  /* the client */
    bool trusts; /* the server */
    bool is_sealed;
    payload_buffers buffers;
    void *client;
    size_t size;
} typed_payload;

static int report(const char *what, int status)
{
    if (status != 0) {
        fprintf(stderr, "bench: %s: %s (%s)\n", what, shmrpc_status_text(status), shmrpc_last_error());
    }
    return status == 0 ? 0 : -1;
}

static int64_t spin_of(const contestant_setting *setting)
{
    return setting->shares_core ? SHMRPC_SPIN_NONE : SHMRPC_SPIN_FOREVER;
}

/* ---- one for each service ---- */

typedef struct echo {
    size_t most; /* bytes of a payload */
    int (*init)(const shmrpc_server_options *options);
    int (*run)(void);
    void (*stop)(void);
    void (*deinit)(void);
    int (*connect)(typed_payload *self, const shmrpc_client_options *options);
    measure_call *by_copy;
    measure_call *in_place;
    void (*disconnect)(typed_payload *self);
} echo;

#define ECHO(SERVICE, MESSAGE)                                                                                         \
    static SERVICE##_server SERVICE##_served;                                                                          \
                                                                                                                       \
    static int SERVICE##_handle(SERVICE##_server *self, SERVICE##_echo_context *context, const MESSAGE *request,       \
                                MESSAGE *reply)                                                                        \
    {                                                                                                                  \
        (void)self;                                                                                                    \
        (void)context;                                                                                                 \
        return MESSAGE##_set_data(reply, request->data.items, request->data.count) ? 0 : SHMRPC_E_INTERNAL;            \
    }                                                                                                                  \
                                                                                                                       \
    static int SERVICE##_begin(const shmrpc_server_options *options)                                                   \
    {                                                                                                                  \
        static const SERVICE##_ops operations = {.echo = SERVICE##_handle};                                            \
                                                                                                                       \
        return SERVICE##_server_init(&SERVICE##_served, &operations, SERVER_NAME, options);                            \
    }                                                                                                                  \
                                                                                                                       \
    static int SERVICE##_go(void)                                                                                      \
    {                                                                                                                  \
        return SERVICE##_server_run(&SERVICE##_served);                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void SERVICE##_halt(void)                                                                                   \
    {                                                                                                                  \
        SERVICE##_server_stop(&SERVICE##_served);                                                                      \
    }                                                                                                                  \
                                                                                                                       \
    static void SERVICE##_end(void)                                                                                    \
    {                                                                                                                  \
        SERVICE##_server_deinit(&SERVICE##_served);                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static int SERVICE##_meet(typed_payload *self, const shmrpc_client_options *options)                               \
    {                                                                                                                  \
        SERVICE##_client *client = NULL;                                                                               \
        int r = SERVICE##_connect(&client, SERVER_NAME, options);                                                      \
                                                                                                                       \
        self->client = client;                                                                                         \
        return r;                                                                                                      \
    }                                                                                                                  \
                                                                                                                       \
    static void SERVICE##_leave(typed_payload *self)                                                                   \
    {                                                                                                                  \
        SERVICE##_client_free(self->client);                                                                           \
    }                                                                                                                  \
                                                                                                                       \
    static int SERVICE##_copy(contestant *base, uint32_t number)                                                       \
    {                                                                                                                  \
        const typed_payload *self = CONTESTANT_OF(base, typed_payload, base);                                          \
        MESSAGE *sent = (MESSAGE *)(void *)self->buffers.from;                                                         \
        MESSAGE *received = (MESSAGE *)(void *)self->buffers.to;                                                       \
                                                                                                                       \
        sent->data.count = (__typeof__(sent->data.count))self->size;                                                   \
        payload_stamp(sent->data.items, self->size, number);                                                           \
        if (report("typed", SERVICE##_echo(self->client, sent, received, shmrpc_default()))) {                         \
            return -1;                                                                                                 \
        }                                                                                                              \
        return received->data.count == self->size && payload_is_of(received->data.items, self->size, number) ? 0 : -1; \
    }                                                                                                                  \
                                                                                                                       \
    static int SERVICE##_place(contestant *base, uint32_t number)                                                      \
    {                                                                                                                  \
        const typed_payload *self = CONTESTANT_OF(base, typed_payload, base);                                          \
        static SERVICE##_echo_call call;                                                                               \
        const MESSAGE *reply;                                                                                          \
        MESSAGE *request;                                                                                              \
                                                                                                                       \
        payload_stamp(self->buffers.from, self->size, number);                                                         \
        if (report("a loan", SERVICE##_echo_loan(self->client, &call, &request))) {                                    \
            return -1;                                                                                                 \
        }                                                                                                              \
        if (!MESSAGE##_set_data(request, self->buffers.from, self->size) ||                                            \
            report("in_place", SERVICE##_echo_start_loaned(&call, shmrpc_default())) ||                                \
            report("a view", SERVICE##_echo_view(&call, &reply)) || reply->data.count != self->size) {                 \
            return -1;                                                                                                 \
        }                                                                                                              \
        memcpy(self->buffers.to, reply->data.items, self->size);                                                       \
        SERVICE##_echo_release(&call);                                                                                 \
        return payload_is_of(self->buffers.to, self->size, number) ? 0 : -1;                                           \
    }

ECHO(payload_blobs, payload_blob)
ECHO(payload_pictures, payload_picture)
ECHO(payload_films, payload_film)

#define ECHO_ROW(SERVICE, MESSAGE)                                                                           \
    {                                                                                                        \
        sizeof(((MESSAGE *)NULL)->data.items), SERVICE##_begin, SERVICE##_go, SERVICE##_halt, SERVICE##_end, \
            SERVICE##_meet, SERVICE##_copy, SERVICE##_place, SERVICE##_leave                                 \
    }

static const echo echoes[] = {
    ECHO_ROW(payload_blobs, payload_blob),
    ECHO_ROW(payload_pictures, payload_picture),
    ECHO_ROW(payload_films, payload_film),
};

/* The smallest that holds it. */
static const echo *echo_of(const contestant_setting *setting)
{
    const echo *at = echoes;

    while (at->most < setting->payload) {
        at++;
    }
    return at;
}

/* ---- the contestant ---- */

static int typed_open(contestant *self)
{
    return payload_open(&CONTESTANT_OF(self, typed_payload, base)->buffers);
}

static void typed_close(contestant *self)
{
    payload_close(&CONTESTANT_OF(self, typed_payload, base)->buffers);
}

static const echo *served;

static void on_terminate(int number)
{
    (void)number;
    served->stop();
}

static int typed_serve(contestant *self, const contestant_setting *setting, int ready)
{
    const shmrpc_server_options options = {
        .spin_ns = spin_of(setting),
        .in_place = CONTESTANT_OF(self, typed_payload, base)->trusts,
    };
    struct sigaction action = {.sa_handler = on_terminate};
    int r;

    served = echo_of(setting);
    if (report("no server", served->init(&options))) {
        return -1;
    }
    sigaction(SIGTERM, &action, NULL);
    r = contestant_tell_ready(ready) ? -1 : report("the server failed", served->run());
    served->deinit();
    return r;
}

static int typed_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    /* Room for one call: more would only take time to allocate. */
    typed_payload *own = CONTESTANT_OF(self, typed_payload, base);
    const shmrpc_client_options options = {
        .spin_ns = spin_of(setting),
        .arena_size = 1,
        .huge_pages = setting->huge_pages,
        .seal_from = own->is_sealed ? 1 : 0,
    };
    const echo *with = echo_of(setting);
    int r;

    if (report("no connection", with->connect(own, &options))) {
        return -1;
    }
    own->size = setting->payload;
    payload_fill(own->buffers.from, CONTESTANT_PAYLOAD_MAX < own->size + 8 ? own->size : own->size + 8);
    r = measure_run(samples, self, own->lends ? with->in_place : with->by_copy);
    with->disconnect(own);
    return r;
}

#define TYPED_PAYLOAD(NAME, SUMMARY, LENDS, TRUSTS, IS_SEALED)          \
    {                                                                   \
        .base =                                                         \
            {                                                           \
                .name = (NAME),                                         \
                .summary = (SUMMARY),                                   \
                .slowness = 1,                                          \
                .open = typed_open,                                     \
                .serve = typed_serve,                                   \
                .measure = typed_measure,                               \
                .close = typed_close,                                   \
            },                                                          \
        .lends = (LENDS), .trusts = (TRUSTS), .is_sealed = (IS_SEALED), \
    }

contestant *typed_payload_contestant(void)
{
    static typed_payload own = TYPED_PAYLOAD("typed", "shmrpc: generated, by copy", false, false, false);

    return &own.base;
}

contestant *in_place_contestant(void)
{
    static typed_payload own =
        TYPED_PAYLOAD("in_place", "shmrpc: a loan, a server in place, a view", true, true, false);

    return &own.base;
}

contestant *lent_contestant(void)
{
    static typed_payload own =
        TYPED_PAYLOAD("lent", "shmrpc: a loan, a server that copies, a view", true, false, false);

    return &own.base;
}

contestant *sealed_contestant(void)
{
    static typed_payload own = TYPED_PAYLOAD("sealed", "shmrpc: a loan that is sealed, a view", true, false, true);

    return &own.base;
}
