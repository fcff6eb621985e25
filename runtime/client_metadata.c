/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_metadata.c - what the calls of a client carry beside their requests.
 *
 * Metadata is a thread's, for each handle that it has given some: the thread finds it in a list of its own, so that no
 * lock is taken. It goes with its handle, where the thread frees that itself, and else when the thread gives some to
 * another handle, or ends.
 */
#include "client_core.h"

#include "envelope.h"
#include "error.h"
#include "platform/clock.h"
#include "platform/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct thread_metadata thread_metadata;
struct thread_metadata {
    thread_metadata *next;
    uint64_t handle; /* its number */
    metadata entries;
};

static _Thread_local thread_metadata *own_list __attribute__((tls_model("initial-exec")));
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key_of_end;
static int key_error;

static void free_list(void *data)
{
    thread_metadata *list = data;

    while (list != NULL) {
        thread_metadata *next = list->next;

        free(list);
        list = next;
    }
    own_list = NULL;
}

static void make_key(void)
{
    key_error = -pthread_key_create(&key_of_end, free_list);
}

static thread_metadata *find(uint64_t number)
{
    thread_metadata *found = own_list;

    while (found != NULL && found->handle != number) {
        found = found->next;
    }
    return found;
}

/* Takes one out of the list of the calling thread. */
static void drop(thread_metadata **at)
{
    thread_metadata *gone = *at;

    *at = gone->next;
    free(gone);
    (void)pthread_setspecific(key_of_end, own_list);
}

static void drop_the_dead(void)
{
    thread_metadata **at = &own_list;

    while (*at != NULL) {
        if (handle_lives((*at)->handle)) {
            at = &(*at)->next;
        } else {
            drop(at);
        }
    }
}

static int add(uint64_t number, thread_metadata **ret_added)
{
    thread_metadata *added;
    int rc;

    (void)pthread_once(&once, make_key);
    if (key_error != 0) {
        return error_system(key_error, "cannot watch for the ends of threads");
    }
    drop_the_dead();
    added = calloc(1, sizeof(*added));
    if (added == NULL) {
        return error_system(-ENOMEM, "cannot keep metadata");
    }
    rc = -pthread_setspecific(key_of_end, added);
    if (rc != 0) {
        free(added);
        return error_system(rc, "cannot keep metadata");
    }
    added->handle = number;
    added->next = own_list;
    own_list = added;
    *ret_added = added;
    return 0;
}

int shmrpc_client_set_metadata(shmrpc_client *client, const char *key, const char *value)
{
    thread_metadata *own;
    int rc = 0;

    if (client == NULL || key == NULL) {
        return error_set(SHMRPC_E_MISUSE, "the client or the key is NULL");
    }
    if (client->handle.generation != process_generation()) {
        return error_set(SHMRPC_E_FORKED, "the client was connected before fork(): connect again in the child");
    }
    if (client->handle.options.metadata == 0) {
        return error_set(SHMRPC_E_MISUSE, "the client was connected without room for metadata (the option `metadata`)");
    }
    own = find(client->handle.number);
    if (own == NULL) {
        rc = add(client->handle.number, &own);
    }
    return rc != 0 ? rc : metadata_set(&own->entries, client->handle.options.metadata, key, value);
}

void client_forget_metadata(const shmrpc_client *client)
{
    thread_metadata **at = &own_list;

    while (*at != NULL && (*at)->handle != client->handle.number) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        drop(at);
    }
}

/* Does a request fit with only the time before it? A call that is sent without is as good. */
static bool has_room_for_time(const region_geometry *geometry, uint32_t request_size)
{
    uint32_t size = request_size + envelope_size(0);

    return size <= SHMRPC_SLOT_PAYLOAD || size <= geometry->request_block_size;
}

int client_measure_envelope(const shmrpc_client *client, client_call *call, uint32_t request_size, uint32_t *ret_size)
{
    const connection *on = &call->own->connection;
    const thread_metadata *own = find(client->handle.number);

    *ret_size = 0;
    if (own != NULL && own->entries.count != 0) {
        if (!on->takes_envelopes) {
            return error_set(SHMRPC_E_UNIMPLEMENTED, "the server takes no metadata");
        }
        *ret_size = envelope_size(own->entries.length);
    } else if (client->handle.options.send_times && on->takes_envelopes &&
               has_room_for_time(&on->memory.geometry, request_size)) {
        *ret_size = envelope_size(0);
    }
    if (*ret_size != 0) {
        call->method |= ENVELOPE_METHOD;
    }
    return 0;
}

void client_write_envelope(const shmrpc_client *client, void *to)
{
    const thread_metadata *own = find(client->handle.number);

    (void)envelope_write(to, own == NULL ? NULL : &own->entries,
                         client->handle.options.send_times ? clock_now_ns() : 0);
}
