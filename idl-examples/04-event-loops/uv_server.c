/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm clock in a loop of libuv's.
 *
 *   uv_server [NAME]                serves under NAME ("alarm") until SIGTERM or SIGINT
 *
 * It dispatches in a prepare handle, which runs before each wait, and lets an idle handle keep the loop from waiting while
 * there is more to do. So others in the loop have their turn however busy the server is, and the descriptor has only to
 * wake the loop.
 */
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct program {
    struct alarm_clock alarms;
    uv_prepare_t before_wait;
    uv_idle_t no_wait;
    uv_poll_t calls;
    uv_timer_t next_alarm;
    uv_signal_t term;
    uv_signal_t interrupt;
    int status;
};

static struct program program;

static void on_idle(uv_idle_t *handle)
{
    (void)handle;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
}

static void on_alarm(uv_timer_t *handle)
{
    (void)handle;
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    alarm_server_stop(&program.alarms.server);
}

static void on_prepare(uv_prepare_t *handle)
{
    int more = alarm_server_dispatch(&program.alarms.server, 64);
    int timeout_ms = clock_ring(&program.alarms);

    if (more == SHMRPC_E_UNAVAILABLE) { /* it was stopped, and what had been asked has been answered */
        uv_stop(handle->loop);
    } else if (more < 0) {
        fprintf(stderr, "uv_server: %s: %s\n", shmrpc_status_text(more), shmrpc_last_error());
        program.status = EXIT_FAILURE;
        uv_stop(handle->loop);
    } else if (more == 1) {
        (void)uv_idle_start(&program.no_wait, on_idle);
    } else {
        (void)uv_idle_stop(&program.no_wait);
    }
    if (timeout_ms >= 0) {
        (void)uv_timer_start(&program.next_alarm, on_alarm, (uint64_t)timeout_ms, 0);
    }
}

static void on_each(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();

    if (clock_init(&program.alarms, argc > 1 ? argv[1] : "alarm") != 0) {
        return EXIT_FAILURE;
    }
    (void)uv_prepare_init(loop, &program.before_wait);
    (void)uv_idle_init(loop, &program.no_wait);
    (void)uv_timer_init(loop, &program.next_alarm);
    (void)uv_signal_init(loop, &program.term);
    (void)uv_signal_init(loop, &program.interrupt);
    (void)uv_prepare_start(&program.before_wait, on_prepare);
    if (uv_poll_init(loop, &program.calls, alarm_server_fd(&program.alarms.server)) != 0 ||
        uv_poll_start(&program.calls, UV_READABLE, on_readable) != 0 ||
        uv_signal_start(&program.term, on_signal, SIGTERM) != 0 ||
        uv_signal_start(&program.interrupt, on_signal, SIGINT) != 0) {
        fprintf(stderr, "uv_server: the loop cannot be made\n");
        program.status = EXIT_FAILURE;
    } else {
        (void)uv_run(loop, UV_RUN_DEFAULT);
    }
    uv_walk(loop, on_each, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop);
    alarm_server_deinit(&program.alarms.server);
    return program.status;
}
