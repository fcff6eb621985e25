/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm clock in a loop of its own around epoll.
 *
 *   epoll_server [NAME]             serves under NAME ("alarm") until SIGTERM or SIGINT
 */
#include "clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Signals come through a descriptor, as everything does here. */
static int signals_open(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};

    return descriptor < 0 ? -1 : epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

/* Until it was stopped, and what had been asked has been answered. */
static int run(struct alarm_clock *alarms, int loop, int signals)
{
    for (;;) {
        struct epoll_event event;
        int more = alarm_server_dispatch(&alarms->server, 64);
        int timeout_ms = clock_ring(alarms);

        if (more == SHMRPC_E_UNAVAILABLE) {
            return EXIT_SUCCESS;
        }
        if (more < 0) {
            fprintf(stderr, "epoll_server: %s: %s\n", shmrpc_status_text(more), shmrpc_last_error());
            return EXIT_FAILURE;
        }
        if (epoll_wait(loop, &event, 1, more == 1 ? 0 : timeout_ms) == 1 && event.data.fd == signals) {
            struct signalfd_siginfo signal;

            if (read(signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
                alarm_server_stop(&alarms->server);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static struct alarm_clock alarms;
    int signals = signals_open();
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int rc = EXIT_FAILURE;

    if (clock_init(&alarms, argc > 1 ? argv[1] : "alarm") == 0) {
        if (watch(loop, signals) == 0 && watch(loop, alarm_server_fd(&alarms.server)) == 0) {
            rc = run(&alarms, loop, signals);
        }
        alarm_server_deinit(&alarms.server);
    }
    (void)close(loop);
    (void)close(signals);
    return rc;
}
