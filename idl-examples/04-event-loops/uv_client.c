/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets alarms and hears of them in a loop of libuv's, one after the other: each call starts the next one.
 *
 *   uv_client [NAME]                calls the server called NAME ("alarm"), and waits up to 5 s for it
 *
 * The descriptor can be read when there is something to dispatch: that is all the loop has to know.
 */
#include "alarm.shm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct program {
    alarm_client *client;
    alarm_ring_call call;
    size_t next;
    uv_poll_t calls;
    int status;
};

static struct program program = {.status = EXIT_FAILURE};

static const struct {
    uint32_t ms;
    const char *label;
} steps[] = {{50, "ready"}, {50, "steady"}, {50, "go"}};

static void give_up(const char *what, int rc)
{
    fprintf(stderr, "uv_client: %s: %s: %s\n", what, shmrpc_status_text(rc), shmrpc_last_error());
    uv_stop(uv_default_loop());
}

static void on_ring(alarm_ring_call *call, int rc, const alarm_bell *reply);

static void step(void)
{
    alarm_wish wish;
    int rc = SHMRPC_E_INVALID;

    alarm_wish_init(&wish);
    wish.ms = steps[program.next].ms;
    if (alarm_wish_set_label(&wish, steps[program.next].label, strlen(steps[program.next].label))) {
        program.call.done = on_ring;
        rc = alarm_ring_start(program.client, &program.call, &wish, shmrpc_default());
    }
    program.next++;
    if (rc != 0) {
        give_up("ring", rc);
    }
}

static void on_ring(alarm_ring_call *call, int rc, const alarm_bell *reply)
{
    (void)call;
    if (rc != 0) {
        give_up("ring", rc);
        return;
    }
    printf("%s\n", reply->label.text);
    if (program.next < sizeof(steps) / sizeof(steps[0])) {
        step();
    } else {
        program.status = EXIT_SUCCESS;
        uv_stop(uv_default_loop());
    }
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    int more;

    (void)handle;
    (void)status;
    (void)events;
    do {
        more = alarm_client_dispatch(program.client, 16);
    } while (more == 1);
    if (more < 0) {
        give_up("dispatch", more);
    }
}

static void on_each(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

int main(int argc, char **argv)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    uv_loop_t *loop = uv_default_loop();
    int rc = alarm_connect(&program.client, argc > 1 ? argv[1] : "alarm", &options);

    if (rc != 0) {
        give_up("connect", rc);
        return EXIT_FAILURE;
    }
    if (uv_poll_init(loop, &program.calls, alarm_client_fd(program.client)) != 0 ||
        uv_poll_start(&program.calls, UV_READABLE, on_readable) != 0) {
        fprintf(stderr, "uv_client: the loop cannot be made\n");
    } else {
        step();
        (void)uv_run(loop, UV_RUN_DEFAULT);
    }
    uv_walk(loop, on_each, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop);
    alarm_client_free(program.client);
    return program.status;
}
