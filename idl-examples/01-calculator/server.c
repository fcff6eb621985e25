/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calculator that other processes call.
 *
 *   calculator_server [NAME]        serves under NAME ("calculator") until SIGTERM or SIGINT
 */
#include "calculator.shm.h"

#include <shmrpc/log.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Results that this calculator shows. */
static const calc_range limits = {.lowest = -1000000000000, .highest = 1000000000000};

/* The server is embedded, so that a handler finds its own data around it. */
struct calculator {
    calc_server server;
    uint64_t calls;
};

static struct calculator *calculator_of(calc_server *server)
{
    return (struct calculator *)server; /* its first member */
}

static bool is_in_range(int64_t value)
{
    return value >= limits.lowest && value <= limits.highest;
}

static int add(calc_server *server, calc_add_context *context, const calc_pair *request, calc_result *reply)
{
    int64_t sum;

    calculator_of(server)->calls++;
    if (__builtin_add_overflow(request->a, request->b, &sum) || !is_in_range(sum)) {
        return calc_add_throw_out_of_range(context, &limits);
    }
    reply->value = sum;
    return 0;
}

static int divide(calc_server *server, calc_divide_context *context, const calc_pair *request, calc_result *reply)
{
    calculator_of(server)->calls++;
    if (request->b == 0) {
        return CALC_ERROR_DIVIDE_BY_ZERO;
    }
    if (!is_in_range(request->a)) {
        return calc_divide_throw_out_of_range(context, &limits);
    }
    reply->value = request->a / request->b;
    return 0;
}

static int describe(calc_server *server, calc_describe_context *context, calc_describe_reply *reply)
{
    static const char name[] = "pocket calculator";

    (void)context;
    reply->calls = calculator_of(server)->calls;
    return calc_describe_reply_set_name(reply, name, sizeof(name) - 1) ? 0 : SHMRPC_E_INTERNAL;
}

static void note(calc_server *server, calc_note_context *context, const calc_note_request *request)
{
    shmrpc_peer peer = shmrpc_session_peer(context->base.session);

    (void)server;
    printf("process %ld notes: %s\n", (long)peer.pid, request->text.text);
}

static const calc_ops operations = {.add = add, .divide = divide, .describe = describe, .note = note};

static struct calculator calculator;

static void on_signal(int number)
{
    (void)number;
    calc_server_stop(&calculator.server);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "calculator";
    struct sigaction action = {.sa_handler = on_signal};
    int rc;

    shmrpc_log_set(shmrpc_log_to_stderr, SHMRPC_LOG_WARNING);
    rc = calc_server_init(&calculator.server, &operations, name, NULL);
    if (rc != 0) {
        fprintf(stderr, "calculator_server: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        return EXIT_FAILURE;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    rc = calc_server_run(&calculator.server);
    calc_server_deinit(&calculator.server);
    printf("answered %" PRIu64 " additions and divisions\n", calculator.calls);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
