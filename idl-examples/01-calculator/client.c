/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls the calculator: results, a declared error, an error with its payload, a message that is refused, a measured call.
 *
 *   calculator_client [NAME]        calls the server called NAME ("calculator"), and waits up to 5 s for it
 */
#include "calculator.shm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS 50000

/* A call that has failed in a way that this program does not expect. */
static int give_up(const char *what, int rc)
{
    fprintf(stderr, "calculator_client: %s: %s: %s\n", what, shmrpc_status_text(rc), shmrpc_last_error());
    return EXIT_FAILURE;
}

static int show_results(calc_client *client)
{
    calc_describe_reply about;
    calc_result result;
    calc_pair pair = {.a = 5, .b = 3};
    int rc = calc_add(client, &pair, &result, shmrpc_in_ms(100));

    if (rc != 0) {
        return give_up("add", rc);
    }
    printf("%" PRId64 " + %" PRId64 " = %" PRId64 "\n", pair.a, pair.b, result.value);
    pair = (calc_pair){.a = 42, .b = 6};
    rc = calc_divide(client, &pair, &result, shmrpc_default());
    if (rc != 0) {
        return give_up("divide", rc);
    }
    printf("%" PRId64 " / %" PRId64 " = %" PRId64 "\n", pair.a, pair.b, result.value);
    rc = calc_describe(client, &about, shmrpc_default());
    if (rc != 0) {
        return give_up("describe", rc);
    }
    printf("the server is a %s that has answered %" PRIu64 " calls\n", about.name.text, about.calls);
    return EXIT_SUCCESS;
}

static int show_errors(calc_client *client)
{
    calc_result result;
    calc_pair pair = {.a = 1, .b = 0};
    const calc_range *range;
    int rc = calc_divide(client, &pair, &result, shmrpc_default());

    if (rc != CALC_ERROR_DIVIDE_BY_ZERO) {
        return give_up("divide by zero", rc);
    }
    printf("1 / 0: DIVIDE_BY_ZERO (error %d)\n", rc);
    pair = (calc_pair){.a = 900000000000, .b = 900000000000};
    rc = calc_add(client, &pair, &result, shmrpc_default());
    range = calc_error_out_of_range(client);
    if (rc != CALC_ERROR_OUT_OF_RANGE || range == NULL) {
        return give_up("add beyond the range", rc);
    }
    printf("%" PRId64 " + %" PRId64 ": OUT_OF_RANGE (error %d): results go from %" PRId64 " to %" PRId64 "\n", pair.a,
           pair.b, rc, range->lowest, range->highest);
    return EXIT_SUCCESS;
}

static int show_refusals(calc_client *client)
{
    static const char not_utf8[] = "caf\xe9";
    char long_text[200];
    calc_note_request request;
    int rc;

    memset(long_text, 'x', sizeof(long_text));
    calc_note_request_init(&request);
    if (calc_note_request_set_text(&request, long_text, sizeof(long_text))) {
        return give_up("a text of 200 bytes in a string<80>", 0);
    }
    printf("a text of %zu bytes: refused by its setter, nothing is cut off\n", sizeof(long_text));
    if (!calc_note_request_set_text(&request, not_utf8, sizeof(not_utf8) - 1)) {
        return give_up("a text of 4 bytes", 0);
    }
    rc = calc_note(client, &request, shmrpc_default());
    if (rc != SHMRPC_E_INVALID) {
        return give_up("a text that is not UTF-8", rc);
    }
    printf("a bad message: refused before it is sent: %s\n", shmrpc_last_error());
    if (!calc_note_request_set_text(&request, "all is well", strlen("all is well"))) {
        return give_up("a text of 11 bytes", 0);
    }
    rc = calc_note(client, &request, shmrpc_default());
    return rc == 0 ? EXIT_SUCCESS : give_up("note", rc);
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static int show_speed(calc_client *client)
{
    calc_pair pair = {.a = 0, .b = 1};
    double began_us = now_us();
    int64_t i;

    for (i = 0; i < CALLS; i++) {
        calc_result result;
        int rc;

        pair.a = i;
        rc = calc_add(client, &pair, &result, shmrpc_default());
        if (rc != 0 || result.value != i + 1) {
            return give_up("add, many times", rc);
        }
    }
    printf("%d calls, one after the other: %.2f us each\n", CALLS, (now_us() - began_us) / CALLS);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    calc_client *client = NULL;
    int rc = calc_connect(&client, argc > 1 ? argv[1] : "calculator", &options);

    if (rc != 0) {
        return give_up("connect", rc);
    }
    rc = show_results(client);
    if (rc == EXIT_SUCCESS) {
        rc = show_errors(client);
    }
    if (rc == EXIT_SUCCESS) {
        rc = show_refusals(client);
    }
    if (rc == EXIT_SUCCESS) {
        rc = show_speed(client);
    }
    calc_client_free(client);
    return rc;
}
