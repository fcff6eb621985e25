/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatched.h"

#include <poll.h>
#include <unistd.h>

void dispatched_begin(dispatched *self, const shmrpc_server_options *options)
{
    runtime_dir_make();
    counts_take(&self->before);
    self->state = probe_state_new();
    probe_log_to(self->state);
    assert_status(probe_server_init(&self->server, self->state, -1, &(probe_setup){.options = options}), 0);
    self->fd = shmrpc_server_fd(&self->server.base);
    ck_assert_int_ge(self->fd, 0);
}

void dispatched_end(dispatched *self)
{
    shmrpc_server_deinit(&self->server.base);
    ck_assert_uint_eq(atomic_load(&self->state->lifecycle_errors), 0);
    ck_assert_uint_eq(atomic_load(&self->state->connected), atomic_load(&self->state->disconnected));
    probe_log_to(NULL);
    probe_state_free(self->state);
    counts_expect_same(&self->before);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

int dispatched_round(dispatched *self)
{
    int rc = shmrpc_server_dispatch(&self->server.base, 64);

    ck_assert_msg(rc == 0 || rc == 1, "dispatch: %d: %s", rc, shmrpc_last_error());
    return rc;
}

unsigned dispatched_until_idle(dispatched *self)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    unsigned rounds = 0;

    while (dispatched_round(self) == 1) {
        ck_assert_int_gt(test_remaining_ms(until_ns), 0);
        rounds++;
    }
    return rounds;
}

bool dispatched_is_readable(const dispatched *self)
{
    return poll(&(struct pollfd){.fd = self->fd, .events = POLLIN}, 1, 0) == 1;
}

void dispatched_await_readable(const dispatched *self)
{
    ck_assert_int_eq(poll(&(struct pollfd){.fd = self->fd, .events = POLLIN}, 1, TEST_PATIENCE_MS), 1);
}

typedef struct visitor {
    void (*come)(void *data);
    void *data;
    int gone; /* closed when it has returned */
} visitor;

static void *visit(void *argument)
{
    visitor *self = argument;

    self->come(self->data);
    (void)close(self->gone);
    return NULL;
}

void dispatched_meet(dispatched *self, void (*come)(void *data), void *data)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    int ends[2];
    pthread_t thread;

    ck_assert_int_eq(pipe(ends), 0);
    visitor other = {come, data, ends[1]};
    struct pollfd watched[] = {{.fd = self->fd, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    ck_assert_int_eq(pthread_create(&thread, NULL, visit, &other), 0);
    do {
        ck_assert_int_gt(test_remaining_ms(until_ns), 0);
        ck_assert_int_ge(poll(watched, 2, dispatched_round(self) == 1 ? 0 : TEST_PATIENCE_MS), 0);
    } while (watched[1].revents == 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(close(ends[0]), 0);
    (void)dispatched_until_idle(self);
}

typedef struct connecting {
    shmrpc_client *client;
    const shmrpc_client_options *options;
} connecting;

static void connect_to_probe(void *data)
{
    connecting *self = data;

    assert_status(probe_connect(&self->client, "probe", self->options), 0);
}

shmrpc_client *dispatched_connect(dispatched *self, const shmrpc_client_options *options)
{
    connecting caller = {.options = options};

    dispatched_meet(self, connect_to_probe, &caller);
    return caller.client;
}
