/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed.c - the subject: calls through the functions that shmc generates from bench.shm, as a program would make them.
 *
 * Nothing is left out for the occasion: the request is validated, copied into a slot, dispatched by the server's
 * table, the reply validated and copied out, and a deadline runs.
 *
 * Two of them poll, so that the doorbell is not part of the question; on a shared core they sleep at once. The messages
 * of `typed` have no invalid values, as those of the other contestants; those of `checked` have, so that four validators
 * run for each call and the reply is stored field by field.
 *
 * The three others are `typed` with each way to wait, for those who call now and then.
 */
#include "typed.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#define SERVER_NAME "bench/typed"

/* Nobody polls for ever on the core that the other side needs. */
static int64_t spin_of(contestant *self, const contestant_setting *setting)
{
    const int64_t spin_ns = CONTESTANT_OF(self, typed, base)->spin_ns;

    return spin_ns == SHMRPC_SPIN_FOREVER && setting->shares_core ? SHMRPC_SPIN_NONE : spin_ns;
}

/* ---- the server process ---- */

static bench_server server;

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
    reply->value = request->left + (request->is_subtracted ? -request->right : request->right);
    reply->value = request->is_negated ? -reply->value : reply->value;
    reply->is_negative = reply->value < 0;
    return 0;
}

static int64_t heard;

static void handle_tell(bench_server *self, bench_tell_context *context, const bench_note *note)
{
    (void)self;
    (void)context;
    for (size_t i = 0; i < sizeof(note->words) / sizeof(note->words[0]); i++) {
        heard += note->words[i];
    }
}

static int handle_heard(bench_server *self, bench_heard_context *context, bench_sum *reply)
{
    (void)self;
    (void)context;
    reply->value = heard;
    return 0;
}

static const bench_ops operations = {
    .add = handle_add,
    .add_checked = handle_add_checked,
    .tell = handle_tell,
    .heard = handle_heard,
};

static void on_terminate(int number)
{
    (void)number;
    bench_server_stop(&server);
}

int typed_serve(contestant *self, const contestant_setting *setting, int ready)
{
    const shmrpc_server_options options = {.spin_ns = spin_of(self, setting)};
    struct sigaction action = {.sa_handler = on_terminate};
    int r;

    r = bench_server_init(&server, &operations, SERVER_NAME, &options);
    if (r != 0) {
        fprintf(stderr, "bench: typed: no server: %s (%s)\n", shmrpc_status_text(r), shmrpc_last_error());
        return -1;
    }
    sigaction(SIGTERM, &action, NULL);
    if (contestant_tell_ready(ready)) {
        bench_server_deinit(&server);
        return -1;
    }
    r = bench_server_run(&server);
    bench_server_deinit(&server);
    if (r != 0) {
        fprintf(stderr, "bench: typed: the server failed: %s (%s)\n", shmrpc_status_text(r), shmrpc_last_error());
        return -1;
    }
    return 0;
}

/* ---- the client process ---- */

void typed_report(uint32_t number, int status)
{
    fprintf(stderr, "bench: typed: call %u: %s (%s)\n", number, shmrpc_status_text(status), shmrpc_last_error());
}

int typed_connect(contestant *self, const contestant_setting *setting)
{
    const shmrpc_client_options options = {.spin_ns = spin_of(self, setting), .depth = setting->slots};
    const int r = bench_connect(&CONTESTANT_OF(self, typed, base)->client, SERVER_NAME, &options);

    if (r != 0) {
        fprintf(stderr, "bench: typed: no connection: %s (%s)\n", shmrpc_status_text(r), shmrpc_last_error());
    }
    return r == 0 ? 0 : -1;
}

static int typed_call(contestant *self, uint32_t number)
{
    bench_client *client = CONTESTANT_OF(self, typed, base)->client;
    const bench_operands request = {.left = measure_left(number), .right = MEASURE_RIGHT};
    bench_sum reply;
    int r;

    r = bench_add(client, &request, &reply, shmrpc_in_ms(TYPED_LIMIT_MS));
    if (r != 0) {
        typed_report(number, r);
        return -1;
    }
    return reply.value == measure_answer(number) ? 0 : -1;
}

static int checked_call(contestant *self, uint32_t number)
{
    bench_client *client = CONTESTANT_OF(self, typed, base)->client;
    const bench_checked_operands request = {.left = measure_left(number), .right = MEASURE_RIGHT};
    bench_checked_sum reply;
    int r;

    r = bench_add_checked(client, &request, &reply, shmrpc_in_ms(TYPED_LIMIT_MS));
    if (r != 0) {
        typed_report(number, r);
        return -1;
    }
    return reply.value == measure_answer(number) && !reply.is_negative ? 0 : -1;
}

/* Connects, makes the calls, disconnects. `call` is a constant where this is inlined, and the call inlined with it. */
static inline __attribute__((always_inline)) int measure_with(contestant *self, const contestant_setting *setting,
                                                              measure_samples *samples, measure_call *call)
{
    int r;

    if (typed_connect(self, setting)) {
        return -1;
    }
    r = measure_run(samples, self, call);
    bench_client_free(CONTESTANT_OF(self, typed, base)->client);
    return r;
}

static int typed_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    return measure_with(self, setting, samples, typed_call);
}

static int checked_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    return measure_with(self, setting, samples, checked_call);
}

contestant *typed_contestant(void)
{
    static typed subject = TYPED("typed", "shmrpc: generated, with a deadline", SHMRPC_SPIN_FOREVER, typed_measure);

    return &subject.base;
}

contestant *checked_contestant(void)
{
    static typed subject =
        TYPED("checked", "the same with fields to validate on both sides", SHMRPC_SPIN_FOREVER, checked_measure);

    return &subject.base;
}

contestant *typed_poll_contestant(void)
{
    static typed subject = TYPED("typed_poll", "shmrpc, both sides poll", SHMRPC_SPIN_FOREVER, typed_measure);

    return &subject.base;
}

contestant *typed_default_contestant(void)
{
    static typed subject = TYPED("typed_default", "shmrpc as it is by default", SHMRPC_SPIN_DEFAULT, typed_measure);

    return &subject.base;
}

contestant *typed_sleep_contestant(void)
{
    static typed subject = TYPED("typed_sleep", "shmrpc, both sides sleep at once", SHMRPC_SPIN_NONE, typed_measure);

    return &subject.base;
}
