/* SPDX-License-Identifier: Apache-2.0 */
#include "joiners.h"

#include <pthread.h>
#include <stdio.h>

#include "probe_server.h"

enum { JOINERS = 3 };

typedef struct joiner {
    pthread_t thread;
    const _Atomic(bool) *end;
    enum joiners_fate fate;
    uint64_t connects;
    int wrong_status;
} joiner;

static bool may_be(enum joiners_fate fate, int called)
{
    switch (called) {
    case 0:
    case SHMRPC_E_NOT_SENT:
    case SHMRPC_E_NOT_EXECUTED: return true;
    case SHMRPC_E_UNKNOWN: return fate == JOINERS_SEE_DEATHS;
    default: return false;
    }
}

static void *join_without_end(void *data)
{
    joiner *self = data;

    while (!atomic_load(self->end) && self->wrong_status == 0) {
        shmrpc_client *client = NULL;
        int rc = probe_connect(&client, "probe", NULL);
        if (rc == 0) {
            self->connects++;
            int called = probe_ping(client, shmrpc_in_s(10));
            if (!may_be(self->fate, called))
                self->wrong_status = called;
            shmrpc_client_free(client);
        } else if (rc != SHMRPC_E_UNAVAILABLE && rc != SHMRPC_E_REFUSED) {
            fprintf(stderr, "connect: %s (%s)\n", shmrpc_status_text(rc), shmrpc_last_error());
            self->wrong_status = rc;
        }
    }
    return NULL;
}

static int joiners_main(child_link *link, void *data)
{
    const enum joiners_fate *fate = data;
    joiner joiners[JOINERS];
    _Atomic(bool) end = false;
    counts before, after;

    counts_take(&before);
    for (int i = 0; i < JOINERS; i++) {
        joiners[i] = (joiner){.end = &end, .fate = *fate};
        child_check(pthread_create(&joiners[i].thread, NULL, join_without_end, &joiners[i]) == 0, "pthread_create");
    }
    link_await(link, 'e');
    atomic_store(&end, true);
    for (int i = 0; i < JOINERS; i++) {
        child_check(pthread_join(joiners[i].thread, NULL) == 0, "pthread_join");
        child_check(joiners[i].wrong_status == 0, shmrpc_status_text(joiners[i].wrong_status));
        child_check(joiners[i].connects > 0, "a joiner that never connected");
    }
    counts_take(&after);
    child_check(after.fds == before.fds && after.mappings == before.mappings, "clients that left something behind");
    return 0;
}

void joiners_start(child *ret_process, enum joiners_fate fate)
{
    child_spawn(ret_process, joiners_main, &fate);
}

void joiners_end(child *process)
{
    link_signal(&process->link, 'e');
    child_expect_exit(process, 0);
}
