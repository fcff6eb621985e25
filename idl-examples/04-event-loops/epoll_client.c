/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets alarms and hears of them in a loop around epoll, which does something else as well: it counts ticks.
 *
 *   epoll_client [NAME]             calls the server called NAME ("alarm"), and waits up to 5 s for it
 */
#include "alarm.shm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define ALARMS 3

/* The call comes first in what it is about. */
struct reminder {
    alarm_ring_call call;
    struct state *state;
};

struct state {
    struct reminder reminders[ALARMS];
    int waiting;
    int status;
    unsigned long ticks;
};

static void on_ring(alarm_ring_call *call, int rc, const alarm_bell *reply)
{
    struct state *state = ((struct reminder *)call)->state;

    if (rc == 0) {
        printf("%s\n", reply->label.text);
    } else {
        fprintf(stderr, "epoll_client: ring: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        state->status = EXIT_FAILURE;
    }
    state->waiting--;
}

static int set_alarm(alarm_client *client, struct state *state, struct reminder *reminder, uint32_t ms,
                     const char *label)
{
    alarm_wish wish;
    int rc;

    alarm_wish_init(&wish);
    wish.ms = ms;
    if (!alarm_wish_set_label(&wish, label, strlen(label))) {
        return SHMRPC_E_INVALID;
    }
    reminder->call.done = on_ring;
    reminder->state = state;
    rc = alarm_ring_start(client, &reminder->call, &wish, shmrpc_default());
    if (rc == 0) {
        state->waiting++;
    }
    return rc;
}

static int watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};

    return descriptor < 0 ? -1 : epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

static int run(alarm_client *client, struct state *state, int loop, int ticker)
{
    while (state->waiting > 0) {
        struct epoll_event event;
        int more = alarm_client_dispatch(client, 16);

        if (more < 0) {
            fprintf(stderr, "epoll_client: %s: %s\n", shmrpc_status_text(more), shmrpc_last_error());
            return EXIT_FAILURE;
        }
        if (state->waiting > 0 && epoll_wait(loop, &event, 1, more == 1 ? 0 : -1) == 1 && event.data.fd == ticker) {
            uint64_t passed = 0;

            if (read(ticker, &passed, sizeof(passed)) == (ssize_t)sizeof(passed)) {
                state->ticks += passed;
            }
        }
    }
    return state->status;
}

int main(int argc, char **argv)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    const struct itimerspec every_10_ms = {.it_interval = {0, 10000000}, .it_value = {0, 10000000}};
    static struct state state;
    alarm_client *client = NULL;
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int ticker = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int rc = alarm_connect(&client, argc > 1 ? argv[1] : "alarm", &options);
    int status = EXIT_FAILURE;

    if (rc == 0) {
        rc = set_alarm(client, &state, &state.reminders[0], 300, "the bread is done");
    }
    if (rc == 0) {
        rc = set_alarm(client, &state, &state.reminders[1], 100, "the tea is ready");
    }
    if (rc == 0) {
        rc = set_alarm(client, &state, &state.reminders[2], 200, "the eggs are soft");
    }
    if (rc != 0) {
        fprintf(stderr, "epoll_client: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
    } else if (timerfd_settime(ticker, 0, &every_10_ms, NULL) == 0 && watch(loop, ticker) == 0 &&
               watch(loop, alarm_client_fd(client)) == 0) {
        status = run(client, &state, loop, ticker);
        printf("meanwhile the loop has ticked %s\n", state.ticks >= 3 ? "many times" : "hardly at all");
    }
    alarm_client_free(client);
    (void)close(ticker);
    (void)close(loop);
    return status;
}
