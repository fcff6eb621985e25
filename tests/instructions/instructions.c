/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions.c - how many instructions a call has, on either side, as Callgrind counts them.
 *
 * Client and server are one thread. The server sleeps whenever a call is made, so the client rings for it, and what
 * stands in the place of its bell serves the request there and then: the reply is there when the client looks for the
 * first time, as in a call whose server is awake, and nobody spins. One call that rings is one call of a function more
 * than one that does not.
 *
 * Counted is one part at a time, the one that is named on the command line, over CALLS calls; run under Callgrind with
 * collection off. The counts do not depend on the machine, nor on what else it does.
 */
#include "bench.shm.h"

#include "runtime/platform/event.h"
#include "runtime/server_state.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#define CALLS 1024 /* a multiple of BATCH */
#define WARM_UP 128
#define BATCH 16

typedef enum part { PART_CLIENT, PART_SERVER, PART_START, PART_WAIT } part;

static bench_server server;
static bench_client *client;
static part wanted;
static bool counts;

static void fail(const char *what, int rc)
{
    (void)fprintf(stderr, "instructions: %s: %s (%s)\n", what, shmrpc_status_text(rc), shmrpc_last_error());
    exit(EXIT_FAILURE);
}

/* Counts from here on, or does not, where it is this part that is asked for. */
static inline void toggle(part which)
{
    if (counts && wanted == which) {
        CALLGRIND_TOGGLE_COLLECT;
    }
}

/* ---- in the place of what the linker is told to wrap ---- */

bool __real_server_visit(server_worker *self, shmrpc_session *session);
bool __wrap_server_visit(server_worker *self, shmrpc_session *session);
int __real_event_ring(int event);
int __wrap_event_ring(int event);

bool __wrap_server_visit(server_worker *self, shmrpc_session *session)
{
    bool served;

    toggle(PART_SERVER);
    served = __real_server_visit(self, session);
    toggle(PART_SERVER);
    return served;
}

static void serve(void)
{
    int rc;

    do {
        rc = shmrpc_server_dispatch(&server.base, 64);
    } while (rc == 1);
    if (rc != 0) {
        fail("dispatch", rc);
    }
}

/* Only the client rings: the server's own bell is for other threads. */
int __wrap_event_ring(int event)
{
    int rc;

    toggle(PART_CLIENT);
    rc = __real_event_ring(event);
    if (client != NULL) {
        serve();
    }
    toggle(PART_CLIENT);
    return rc;
}

/* ---- the service ---- */

static int handle_add(bench_server *self, bench_add_context *context, const bench_operands *request, bench_sum *reply)
{
    (void)self;
    (void)context;
    reply->value = (int64_t)request->left + request->right;
    return 0;
}

static int handle_add_checked(bench_server *self, bench_add_checked_context *context,
                              const bench_checked_operands *request, bench_checked_sum *reply)
{
    (void)self;
    (void)context;
    reply->value = request->left + request->right;
    reply->is_negative = false;
    return 0;
}

static int64_t told;

static void handle_tell(bench_server *self, bench_tell_context *context, const bench_note *note)
{
    (void)self;
    (void)context;
    told += note->words[0];
}

static bench_heard_later put_off;

static int handle_heard(bench_server *self, bench_heard_context *context, bench_sum *reply)
{
    (void)self;
    (void)reply;
    put_off = bench_heard_defer(context);
    return SHMRPC_DEFERRED;
}

static const bench_ops operations = {.add = handle_add,
                                     .add_checked = handle_add_checked,
                                     .tell = handle_tell,
                                     .heard = handle_heard};

/* ---- calls ---- */

static void call(int32_t number)
{
    const bench_operands request = {.left = number, .right = 7};
    bench_sum reply = {0};
    int rc;

    toggle(PART_CLIENT);
    rc = bench_add(client, &request, &reply, shmrpc_in_s(60));
    toggle(PART_CLIENT);
    if (rc != 0 || reply.value != (int64_t)number + 7) {
        fail("add", rc);
    }
}

static void call_checked(int32_t number)
{
    const bench_checked_operands request = {.left = number, .right = 7};
    bench_checked_sum reply = {0};
    int rc;

    toggle(PART_CLIENT);
    rc = bench_add_checked(client, &request, &reply, shmrpc_in_s(60));
    toggle(PART_CLIENT);
    if (rc != 0 || reply.value != number + 7) {
        fail("add_checked", rc);
    }
}

/* One that takes the way of all calls (client.c), as a call does that is made within a batch. */
static void call_otherwise(int32_t number)
{
    const bench_operands request = {.left = number, .right = 7};
    bench_sum reply = {0};
    int rc;

    bench_batch_begin(client);
    toggle(PART_CLIENT);
    rc = bench_add(client, &request, &reply, shmrpc_in_s(60));
    toggle(PART_CLIENT);
    if (rc != 0 || bench_batch_end(client) != 0 || reply.value != (int64_t)number + 7) {
        fail("add in a batch", rc);
    }
}

/* After a call that its handler has put off, and has answered. */
static void call_after_later(int32_t number)
{
    static bool was_put_off;

    if (!was_put_off) {
        const bench_sum answer = {.value = told};
        bench_heard_call later = {0};
        bench_sum reply = {.value = -1};
        int rc = bench_heard_start(client, &later, shmrpc_in_s(60));

        rc = rc == 0 ? bench_heard_later_reply(put_off, &answer) : rc;
        rc = rc == 0 ? bench_heard_wait(&later, &reply) : rc;
        if (rc != 0 || reply.value != told) {
            fail("heard", rc);
        }
        was_put_off = true;
    }
    call(number);
}

/* Sends one batch of messages that nobody answers. */
static void send_batch(int32_t number)
{
    const int64_t before = told;
    int rc = 0;

    bench_batch_begin(client);
    for (int32_t i = 0; rc == 0 && i < BATCH; i++) {
        const bench_note note = {.words = {number, 2, 3, 4, 5, 6}};

        toggle(PART_START);
        rc = bench_tell(client, &note, shmrpc_in_s(60));
        toggle(PART_START);
    }
    if (rc != 0 || (rc = bench_batch_end(client)) != 0 || told != before + (int64_t)BATCH * number) {
        fail("tell", rc);
    }
}

/* Makes one batch; a call in it is not published before the end, so the bell rings there. */
static void batch(int32_t number)
{
    static bench_add_call calls[BATCH];
    int rc = 0;

    bench_batch_begin(client);
    for (int32_t i = 0; rc == 0 && i < BATCH; i++) {
        const bench_operands request = {.left = number + i, .right = 7};

        calls[i] = (bench_add_call){0};
        toggle(PART_START);
        rc = bench_add_start(client, &calls[i], &request, shmrpc_in_s(60));
        toggle(PART_START);
    }
    if (rc != 0 || (rc = bench_batch_end(client)) != 0) {
        fail("start", rc);
    }
    for (int32_t i = 0; i < BATCH; i++) {
        bench_sum reply = {0};

        toggle(PART_WAIT);
        rc = bench_add_wait(&calls[i], &reply);
        toggle(PART_WAIT);
        if (rc != 0 || reply.value != (int64_t)number + i + 7) {
            fail("wait", rc);
        }
    }
}

/* `make` makes `each` calls at once. */
static void make_calls(int32_t count, void (*make)(int32_t number), int32_t each)
{
    for (int32_t i = 0; i < count; i += each) {
        make(i);
    }
}

/* ---- both ends in one thread ---- */

static void *connect_to_it(void *unused)
{
    static bench_client *connected;
    const shmrpc_client_options options = {.spin_ns = SHMRPC_SPIN_FOREVER};
    int rc = bench_connect(&connected, "instructions", &options);

    (void)unused;
    if (rc != 0) {
        fail("connect", rc);
    }
    return connected;
}

static void begin(void)
{
    const shmrpc_server_options options = {.spin_ns = SHMRPC_SPIN_NONE};
    pthread_t thread;
    void *connected = NULL;
    int rc = bench_server_init(&server, &operations, "instructions", &options);

    if (rc != 0 || shmrpc_server_fd(&server.base) < 0) {
        fail("server", rc);
    }
    if (pthread_create(&thread, NULL, connect_to_it, NULL) != 0) {
        fail("thread", 0);
    }
    while (shmrpc_server_counters(&server.base).sessions_accepted == 0) {
        if (shmrpc_server_dispatch(&server.base, 64) < 0) {
            fail("dispatch", 0);
        }
    }
    if (pthread_join(thread, &connected) != 0) {
        fail("thread", 0);
    }
    serve();
    client = connected;
}

static void end(void)
{
    bench_client *connected = client;

    client = NULL;
    bench_client_free(connected);
    bench_server_deinit(&server);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        part wanted;
        void (*make)(int32_t number);
        int32_t each;
    } rows[] = {
        {"call", PART_CLIENT, call, 1},
        {"call_checked", PART_CLIENT, call_checked, 1},
        {"call_otherwise", PART_CLIENT, call_otherwise, 1},
        {"serve", PART_SERVER, call, 1},
        {"serve_checked", PART_SERVER, call_checked, 1},
        {"serve_after_later", PART_SERVER, call_after_later, 1},
        {"serve_batch", PART_SERVER, batch, BATCH},
        {"start", PART_START, batch, BATCH},
        {"wait", PART_WAIT, batch, BATCH},
        {"send", PART_START, send_batch, BATCH},
        {"serve_send", PART_SERVER, send_batch, BATCH},
    };

    for (size_t i = 0; argc == 2 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(argv[1], rows[i].name) == 0) {
            wanted = rows[i].wanted;
            begin();
            make_calls(WARM_UP, rows[i].make, rows[i].each);
            counts = true;
            make_calls(CALLS, rows[i].make, rows[i].each);
            counts = false;
            end();
            (void)printf("%d\n", CALLS);
            return EXIT_SUCCESS;
        }
    }
    (void)fprintf(stderr, "instructions: which part?\n");
    return EXIT_FAILURE;
}
