/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const probe_value victim_value = {7};
const probe_flag victim_flag = {.flag = 1};
const probe_blob victim_blob = {.value = 1, .length = 10};

int victim_listener = -1;

static counts before;

void victim_setup(void)
{
    runtime_dir_make();
    counts_take(&before);
    victim_listener = rogue_listen(VICTIM_SERVER);
}

void victim_teardown(void)
{
    close(victim_listener);
    /* The rogue's own socket, which nobody unlinks. */
    before.runtime_entries = 1;
    counts_expect_same(&before);
    runtime_dir_remove();
}

static int call(victim *self, shmrpc_client *client)
{
    shmrpc_call started = {0};
    int rc;

    if (!self->is_late)
        return shmrpc_client_call(client, self->method, self->request, &self->reply, shmrpc_in_s(20));
    rc = shmrpc_call_start(client, &started, self->method, self->request, shmrpc_in_s(20), NULL);
    child_check(rc == 0, "start a call");
    tally_await(&self->may_look, 1);
    return shmrpc_call_wait(&started, &self->reply);
}

static void *victim_main(void *data)
{
    victim *self = data;
    const shmrpc_client_options options = {
        .spin_ns = self->spin_ns,
        .connect_timeout_ns = self->connect_ns != 0 ? self->connect_ns : INT64_MAX,
        .send_times = self->sends_times,
        .metadata = self->has_metadata ? 100 : 0,
    };
    shmrpc_client *client = NULL;

    self->connect_status = probe_connect(&client, VICTIM_SERVER, &options);
    snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
    if (self->connect_status == 0) {
        memset(&self->reply, 0xee, sizeof(self->reply));
        if (self->has_metadata)
            child_check(shmrpc_client_set_metadata(client, "who", "me") == 0, "set metadata");
        self->call_status = call(self, client);
        snprintf(self->text, sizeof(self->text), "%s", shmrpc_last_error());
        self->has_payload = shmrpc_client_error_payload(client, &probe_errors, self->call_status) != NULL;
        if (self->has_metadata)
            child_check(shmrpc_client_set_metadata(client, "who", NULL) == 0, "remove metadata");
        self->later_status = probe_ping(client, shmrpc_in_s(5));
        self->condition = shmrpc_client_state(client);
    }
    shmrpc_client_free(client);
    return NULL;
}

void victim_start(victim *self)
{
    ck_assert_int_eq(pthread_create(&self->thread, NULL, victim_main, self), 0);
}

void victim_join(victim *self)
{
    ck_assert_int_eq(pthread_join(self->thread, NULL), 0);
}
