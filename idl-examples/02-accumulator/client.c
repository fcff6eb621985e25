/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients of one server add to their totals in turn; neither sees the other's. Then two threads add to the total of
 * one client.
 *
 *   accumulator_client [NAME]       calls the server called NAME ("accumulator"), and waits up to 5 s for it
 */
#include "accumulator.shm.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ADDITIONS 1000 /* of each thread */

static int give_up(const char *what, int rc)
{
    fprintf(stderr, "accumulator_client: %s: %s: %s\n", what, shmrpc_status_text(rc), shmrpc_last_error());
    return EXIT_FAILURE;
}

static int add(acc_client *client, const char *who, int64_t value)
{
    const acc_amount amount = {.value = value};
    acc_balance balance;
    int rc = acc_add(client, &amount, &balance, shmrpc_default());

    if (rc == 0) {
        printf("%s adds %" PRId64 ": %" PRId64 " after %" PRIu64 " additions\n", who, value, balance.total,
               balance.additions);
    }
    return rc;
}

static int show_totals(acc_client *odd, acc_client *even)
{
    int64_t value;

    for (value = 1; value <= 6; value++) {
        bool is_odd = value % 2 == 1;
        int rc = add(is_odd ? odd : even, is_odd ? "odd" : "even", value);

        if (rc != 0) {
            return give_up("add", rc);
        }
    }
    return EXIT_SUCCESS;
}

static int show_overflow(acc_client *client)
{
    const acc_bounds *bounds;
    int rc = add(client, "even", INT64_MAX);

    bounds = acc_error_overflow(client);
    if (rc != ACC_ERROR_OVERFLOW || bounds == NULL) {
        return give_up("add beyond the range", rc);
    }
    printf("even adds %" PRId64 ": OVERFLOW: the total stays %" PRId64 "\n", bounds->added, bounds->total);
    return EXIT_SUCCESS;
}

static int show_reset(acc_client *client)
{
    acc_balance balance;
    int rc = acc_reset(client, shmrpc_default());

    if (rc == 0) {
        rc = acc_total(client, &balance, shmrpc_default());
    }
    if (rc != 0) {
        return give_up("reset", rc);
    }
    printf("odd starts again: %" PRId64 " after %" PRIu64 " additions\n", balance.total, balance.additions);
    return EXIT_SUCCESS;
}

/* A thread that uses a client, and how that ended. */
struct adder {
    pthread_t thread;
    acc_client *client;
    int64_t value;
    int rc;
};

static void *add_many(void *argument)
{
    struct adder *adder = argument;
    const acc_amount amount = {.value = adder->value};
    acc_balance balance;
    int i;

    for (i = 0; i < ADDITIONS && adder->rc == 0; i++) {
        adder->rc = acc_add(adder->client, &amount, &balance, shmrpc_default());
        if (adder->rc != 0) {
            (void)give_up("add in a thread", adder->rc);
        }
    }
    return NULL;
}

/* A handle is for any thread: to the server they are one client. */
static int show_threads(acc_client *client)
{
    struct adder adders[2] = {{.client = client, .value = 1}, {.client = client, .value = 10}};
    acc_balance balance;
    int rc;

    if (pthread_create(&adders[0].thread, NULL, add_many, &adders[0]) != 0) {
        return give_up("a thread", SHMRPC_E_LIMIT);
    }
    (void)add_many(&adders[1]);
    (void)pthread_join(adders[0].thread, NULL);
    rc = acc_total(client, &balance, shmrpc_default());
    if (adders[0].rc != 0 || adders[1].rc != 0 || rc != 0) {
        return EXIT_FAILURE;
    }
    printf("odd adds %d times 1 in one thread and %d times 10 in another: %" PRId64 " after %" PRIu64 " additions\n",
           ADDITIONS, ADDITIONS, balance.total, balance.additions);
    return balance.total == INT64_C(11) * ADDITIONS ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "accumulator";
    const shmrpc_client_options options = {.wait_for_server = true};
    acc_client *odd = NULL;
    acc_client *even = NULL;
    int rc = acc_connect(&odd, name, &options);

    if (rc == 0) {
        rc = acc_connect(&even, name, &options);
    }
    if (rc != 0) {
        rc = give_up("connect", rc);
    } else {
        rc = show_totals(odd, even);
        rc = rc == EXIT_SUCCESS ? show_overflow(even) : rc;
        rc = rc == EXIT_SUCCESS ? show_reset(odd) : rc;
        rc = rc == EXIT_SUCCESS ? show_threads(odd) : rc;
    }
    acc_client_free(even);
    acc_client_free(odd);
    return rc;
}
