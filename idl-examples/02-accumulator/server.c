/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running total for each client.
 *
 *   accumulator_server [NAME]       serves under NAME ("accumulator") until SIGTERM or SIGINT
 *
 * The total lives in the session: the library makes its memory when a client connects and frees it when it has gone.
 * Handlers of one session never run at the same time, so that it needs no lock.
 */
#include "accumulator.shm.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    int64_t total;
    uint64_t additions;
};

SHMRPC_SESSION_STATE(account_of, struct account);

static void fill(const struct account *account, acc_balance *reply)
{
    reply->total = account->total;
    reply->additions = account->additions;
}

static int add(acc_server *server, acc_add_context *context, const acc_amount *request, acc_balance *reply)
{
    struct account *account = account_of(context->base.session);
    int64_t sum;

    (void)server;
    if (__builtin_add_overflow(account->total, request->value, &sum)) {
        const acc_bounds bounds = {.total = account->total, .added = request->value};

        return acc_add_throw_overflow(context, &bounds);
    }
    account->total = sum;
    account->additions++;
    fill(account, reply);
    return 0;
}

static int total(acc_server *server, acc_total_context *context, acc_balance *reply)
{
    (void)server;
    fill(account_of(context->base.session), reply);
    return 0;
}

static void reset(acc_server *server, acc_reset_context *context)
{
    (void)server;
    *account_of(context->base.session) = (struct account){0, 0};
}

static void connected(acc_server *server, shmrpc_session *session)
{
    (void)server;
    printf("session %" PRIu64 ": process %ld\n", shmrpc_session_id(session), (long)shmrpc_session_peer(session).pid);
}

static void disconnected(acc_server *server, shmrpc_session *session, int why)
{
    (void)server;
    printf("session %" PRIu64 " %s at %" PRId64 "\n", shmrpc_session_id(session),
           why == SHMRPC_WHY_CLOSED ? "closed" : "ended", account_of(session)->total);
}

static const acc_ops operations = {
    .add = add, .total = total, .reset = reset, .connected = connected, .disconnected = disconnected};

static acc_server server;

static void on_signal(int number)
{
    (void)number;
    acc_server_stop(&server);
}

int main(int argc, char **argv)
{
    const shmrpc_server_options options = {.session_state_size = sizeof(struct account)};
    struct sigaction action = {.sa_handler = on_signal};
    int rc = acc_server_init(&server, &operations, argc > 1 ? argv[1] : "accumulator", &options);

    if (rc != 0) {
        fprintf(stderr, "accumulator_server: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        return EXIT_FAILURE;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    rc = acc_server_run(&server);
    acc_server_deinit(&server);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
