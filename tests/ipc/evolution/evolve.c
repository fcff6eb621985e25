/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evolve.c - both sides of a service whose schema grows step by step. One program is made of it for each step, with the
 * C of step<STEP>/store.shm; test_evolution.sh has each of them talk to each other one.
 *
 *   evolve serve NAME              until standard input ends
 *   evolve call NAME STEP [STEP]   checks all that a server of that step answers, in several ways. Then writes "next",
 *                                  waits for a line, and does the same with a server of the second step: the handle
 *                                  connects again. Says what was wrong, and exits with 1.
 *
 *   step  what it adds
 *   2     fields at the end of both messages, with a default, with a vector, optional
 *   3     a method
 *   4     an error, with a payload that is larger than all answers before
 *   5     a field in a struct with @size, in the middle of a message
 *   6     other names of a method and of a field
 *   7     a string at the end of the reply
 *   8     another type of a field of step 2: with those before it has only step 1 in common, and not the method of step 3
 *   9     another type of a field of step 1: with those before it has nothing in common that has this message
 *   10    the service is strict
 */
#include "store.shm.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if STEP >= 6
#define copies count /* the field, and the method, by their names of before */
#define evolve_store_fetch evolve_store_lookup
#define fetch lookup
#define evolve_store_fetch_context evolve_store_lookup_context
#define evolve_store_fetch_later evolve_store_lookup_later
#define evolve_store_fetch_defer evolve_store_lookup_defer
#define evolve_store_fetch_later_reply evolve_store_lookup_later_reply
#endif

#define MARKS 40u

/* ---- the server ---- */

static uint64_t noted;

/* What was received, as a number from which each field can be told. */
static uint64_t sum_of(const evolve_item *item)
{
    uint64_t sum = (uint64_t)item->at.x + UINT64_C(100) * (uint64_t)item->at.y;

#if STEP >= 5
    sum += UINT64_C(10000) * (uint64_t)item->at.z;
#endif
#if STEP >= 2
    sum += UINT64_C(1000000) * item->ttl;
    for (unsigned i = 0; i < item->marks.count; i++)
        sum += UINT64_C(1000000000) * item->marks.items[i];
#endif
    return sum;
}

static void fill_found(const evolve_item *request, evolve_found *reply)
{
    reply->id = sum_of(request) + request->id;
    reply->copies = request->name.length;
#if STEP >= 2
    evolve_found_set_when(reply, 77);
#endif
#if STEP >= 7
    if (!evolve_found_set_text(reply, request->name.text, request->name.length))
        abort();
#endif
}

static int put(evolve_store_server *server, evolve_store_put_context *context, const evolve_item *request,
               evolve_found *reply)
{
    (void)server;
    if (strcmp(request->name.text, "plain") == 0)
        return EVOLVE_ERROR_PLAIN;
    if (strcmp(request->name.text, "reason") == 0)
        return evolve_store_put_throw_reason(context, &(evolve_reason){.code = 7});
#if STEP >= 4
    if (strcmp(request->name.text, "full") == 0)
        return evolve_store_put_throw_full(context, &(evolve_room){.shelves = {[19] = 9}});
#endif
    fill_found(request, reply);
    return 0;
}

static void note(evolve_store_server *server, evolve_store_note_context *context, const evolve_item *request)
{
    (void)server;
    (void)context;
    noted = sum_of(request) + request->id;
}

/* Answered later. */
static int fetch(evolve_store_server *server, evolve_store_fetch_context *context, const evolve_found *request,
                 evolve_item *reply)
{
    evolve_store_fetch_later later = evolve_store_fetch_defer(context);
    evolve_item item;

    (void)server;
    (void)reply;
    evolve_item_init(&item);
    item.id = noted + request->copies;
    item.at.x = 10;
    item.at.y = 20;
#if STEP >= 5
    item.at.z = 30;
#endif
    if (!evolve_item_set_name(&item, "fetched", 7))
        abort();
#if STEP >= 2
    item.ttl = 5;
    item.marks.count = 3;
    memcpy(item.marks.items, (const uint32_t[]){1, 2, 3}, 3 * sizeof(uint32_t));
    item.id += request->has_when ? request->when : 0;
#endif
#if STEP >= 7
    item.id += strcmp(request->text.text, "none") == 0 ? 1000 : request->text.length;
#endif
    return evolve_store_fetch_later_reply(later, &item) == 0 ? SHMRPC_DEFERRED : SHMRPC_E_INTERNAL;
}

static int ping(evolve_store_server *server, evolve_store_ping_context *context)
{
    (void)server;
    (void)context;
    return 0;
}

#if STEP >= 3
static int twice(evolve_store_server *server, evolve_store_twice_context *context, const evolve_item *request,
                 evolve_found *reply)
{
    (void)server;
    (void)context;
    fill_found(request, reply);
    reply->id *= 2;
    return 0;
}
#endif

static const evolve_store_ops operations = {
    .put = put,
    .note = note,
    .fetch = fetch,
    .ping = ping,
#if STEP >= 3
    .twice = twice,
#endif
};

static void *stop_at_end(void *server)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    evolve_store_server_stop(server);
    return NULL;
}

static int serve(const char *name)
{
    evolve_store_server server;
    pthread_t thread;
    int rc = evolve_store_server_init(&server, &operations, name, NULL);

    if (rc != 0 || pthread_create(&thread, NULL, stop_at_end, &server) != 0) {
        fprintf(stderr, "serve: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        return 1;
    }
    rc = evolve_store_server_run(&server);
    (void)pthread_join(thread, NULL);
    evolve_store_server_deinit(&server);
    return rc == 0 ? 0 : 1;
}

/* ---- the client ---- */

typedef struct caller {
    evolve_store_client *client;
    int theirs; /* the server's step */
    bool has_metadata;
    const char *how;
} caller;

static void check(bool is_so, const caller *self, const char *format, ...) SHMRPC_PRINTF(3, 4);

static void check(bool is_so, const caller *self, const char *format, ...)
{
    char what[512];
    va_list arguments;

    if (is_so)
        return;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    fprintf(stderr, "client of step %d, server of step %d, %s: %s (%s)\n", STEP, self->theirs, self->how, what,
            shmrpc_last_error());
    exit(1);
}

/* The step whose schema both have: that of the older side, and step 1 where only one has the change of step 8. */
static int common_step(int theirs)
{
    int common = theirs < STEP ? theirs : STEP;

    return common < 8 && (theirs >= 8 || STEP >= 8) ? 1 : common;
}

/* Can nothing be called between these two that has an Item? */
static bool is_apart(int theirs)
{
    return (theirs < 9) != (STEP < 9);
}

static evolve_item item_called(const char *name)
{
    evolve_item item;

    evolve_item_init(&item);
    item.id = 5;
    item.at.x = 1;
    item.at.y = 2;
#if STEP >= 5
    item.at.z = 3;
#endif
    if (!evolve_item_set_name(&item, name, strlen(name)))
        abort();
#if STEP >= 2
    item.ttl = 4;
    item.marks.count = MARKS;
    for (unsigned i = 0; i < MARKS; i++)
        item.marks.items[i] = i + 1;
#endif
    return item;
}

/* What a server makes of item_called(). */
static uint64_t expected_sum(int theirs)
{
    int common = common_step(theirs);
    uint64_t sum = 5 + 1 + 100 * 2;

    /* What grows within its @size is there for whoever knows it, in whichever layout of the message. */
    sum += theirs >= 5 && STEP >= 5 ? 10000 * 3 : 0;
    if (theirs >= 2)
        sum += UINT64_C(1000000) * (common >= 2 ? 4 : 60);
    return sum + (common >= 2 ? UINT64_C(1000000000) * MARKS * (MARKS + 1) / 2 : 0);
}

static void check_found(const caller *self, const evolve_found *found, uint64_t factor)
{
    int common = common_step(self->theirs);
    uint64_t expected = factor * expected_sum(self->theirs);

    (void)common;
    check(found->id == expected, self, "it received %llu, not %llu", (unsigned long long)found->id,
          (unsigned long long)expected);
    check(found->copies == 4, self, "copies are %u", found->copies);
#if STEP >= 2
    check(found->has_when == (common >= 2), self, "has_when is %u", found->has_when);
    check(found->when == (common >= 2 ? 77 : 0), self, "when is %llu", (unsigned long long)found->when);
#endif
#if STEP >= 7
    check(strcmp(found->text.text, common >= 7 ? "some" : "none") == 0, self, "text is '%s'", found->text.text);
#endif
}

static void check_errors(const caller *self)
{
    evolve_item item = item_called("plain");
    evolve_found found;
    int rc = evolve_store_put(self->client, &item, &found, shmrpc_default());

    check(rc == EVOLVE_ERROR_PLAIN, self, "'plain' is %d", rc);
    item = item_called("reason");
    rc = evolve_store_put(self->client, &item, &found, shmrpc_default());
    check(rc == EVOLVE_ERROR_REASON, self, "'reason' is %d", rc);
    check(evolve_error_reason(self->client) != NULL && evolve_error_reason(self->client)->code == 7, self,
          "there is no reason");
    item = item_called("full");
    evolve_found_init(&found);
    rc = evolve_store_put(self->client, &item, &found, shmrpc_default());
    check(rc == (self->theirs >= 4 ? 3 : 0), self, "'full' is %d", rc);
#if STEP >= 4
    if (common_step(self->theirs) >= 4)
        check(evolve_error_full(self->client) != NULL && evolve_error_full(self->client)->shelves[19] == 9, self,
              "there is no room");
    else
        check(evolve_error_full(self->client) == NULL, self, "there is a room");
#endif
}

static void check_fetch(const caller *self)
{
    int common = common_step(self->theirs);
    evolve_item item = item_called("some");
    evolve_found wanted;
    uint64_t expected = expected_sum(self->theirs) + 9;
    int rc = evolve_store_note(self->client, &item, shmrpc_default());

    check(rc == 0, self, "note is %d", rc);
    evolve_found_init(&wanted);
    wanted.copies = 9;
#if STEP >= 2
    evolve_found_set_when(&wanted, 200);
    expected += common >= 2 ? 200 : 0;
#endif
#if STEP >= 7
    if (!evolve_found_set_text(&wanted, "four", 4))
        abort();
#endif
    expected += self->theirs < 7 ? 0 : common >= 7 ? 4 : 1000;
    memset(&item, 0xee, sizeof(item));
    rc = evolve_store_fetch(self->client, &wanted, &item, shmrpc_default());
    check(rc == 0, self, "fetch is %d", rc);
    check(item.id == expected, self, "id is %llu, not %llu", (unsigned long long)item.id, (unsigned long long)expected);
    check(item.at.x == 10 && item.at.y == 20 && strcmp(item.name.text, "fetched") == 0, self, "it is at %d, %d: %s",
          item.at.x, item.at.y, item.name.text);
#if STEP >= 5
    check(item.at.z == (self->theirs >= 5 ? 30 : 0), self, "z is %d", item.at.z);
#endif
#if STEP >= 2
    check(item.ttl == (common >= 2 ? 5 : 60), self, "ttl is %llu", (unsigned long long)item.ttl);
    check(item.marks.count == (common >= 2 ? 3 : 0), self, "%u marks", item.marks.count);
    check(item.marks.items[2] == (common >= 2 ? 3 : 0), self, "the last is %u", item.marks.items[2]);
#endif
}

static void check_flights(const caller *self)
{
    enum { FLIGHTS = 6 };
    evolve_store_put_call calls[FLIGHTS] = {0};
    evolve_item item = item_called("some");
    evolve_found found;

    for (unsigned i = 0; i < FLIGHTS; i++) {
        int rc = evolve_store_put_start(self->client, &calls[i], &item, shmrpc_default());
        check(rc == 0, self, "start is %d", rc);
    }
    for (unsigned i = FLIGHTS; i > 0; i--) {
        int rc = evolve_store_put_wait(&calls[i - 1], &found);
        check(rc == 0, self, "wait is %d", rc);
        check_found(self, &found, 1);
    }
}

/* Is this what the last call said of a field of Item? */
static bool says(const caller *self, const char *field, const char *here, const char *there)
{
    char expected[200];

    snprintf(expected, sizeof(expected), "test.evolve.Item: %s is %s here (version %d), %s in the server (version %d)",
             field, here, STEP, there, self->theirs);
    return strcmp(shmrpc_last_error(), expected) == 0;
}

static bool says_name(const caller *self)
{
    static const char *const types[] = {"string<20> at 40", "string<24> at 40"};

    return says(self, "'name'", types[STEP >= 9], types[self->theirs >= 9]);
}

static void check_twice(const caller *self)
{
#if STEP >= 3
    static const char *const types[] = {"uint32 at 64", "uint64 at 64"};
    evolve_item item = item_called("some");
    evolve_found found;
    int rc = evolve_store_twice(self->client, &item, &found, shmrpc_default());

    if (common_step(self->theirs) >= 3) {
        check(rc == 0, self, "twice is %d", rc);
        check_found(self, &found, 2);
    } else {
        check(rc == (self->theirs >= 3 ? SHMRPC_E_MISMATCH : SHMRPC_E_UNIMPLEMENTED), self, "twice is %d", rc);
        check(rc != SHMRPC_E_MISMATCH || says(self, "'ttl'", types[STEP >= 8], types[self->theirs >= 8]), self,
              "it does not name 'ttl'");
    }
#else
    (void)self;
#endif
}

static void check_apart(const caller *self)
{
    evolve_item item = item_called("some");
    evolve_found found;
    int rc = evolve_store_ping(self->client, shmrpc_default());

    check(rc == 0, self, "ping is %d", rc);
    rc = evolve_store_put(self->client, &item, &found, shmrpc_default());
    check(rc == SHMRPC_E_MISMATCH && says_name(self), self, "put is %d", rc);
    rc = evolve_store_note(self->client, &item, shmrpc_default());
    check(rc == SHMRPC_E_MISMATCH && says_name(self), self, "note is %d", rc);
    evolve_found_init(&found);
    rc = evolve_store_fetch(self->client, &found, &item, shmrpc_default());
    check(rc == SHMRPC_E_MISMATCH && says_name(self), self, "fetch is %d", rc);
    rc = evolve_store_ping(self->client, shmrpc_default());
    check(rc == 0, self, "ping is %d", rc);
}

static void *check_all(void *data)
{
    const caller *self = data;
    evolve_item item = item_called("some");
    evolve_found found;
    int rc;

    if (self->has_metadata) {
        rc = shmrpc_client_set_metadata(evolve_store_client_base(self->client), "key", "value");
        check(rc == 0, self, "metadata is %d", rc);
    }
    if (is_apart(self->theirs)) {
        check_apart(self);
        return NULL;
    }
    memset(&found, 0xee, sizeof(found));
    rc = evolve_store_put(self->client, &item, &found, shmrpc_default());
    check(rc == 0, self, "put is %d", rc);
    check_found(self, &found, 1);
    check_errors(self);
    check_fetch(self);
    check_flights(self);
    check_twice(self);
    return NULL;
}

/* In this thread, and in one that has a lane of its own. */
static void check_with(caller *self)
{
    pthread_t thread;

    (void)check_all(self);
    check(pthread_create(&thread, NULL, check_all, self) == 0, self, "no thread");
    (void)pthread_join(thread, NULL);
}

static int call(const char *name, int theirs, int next)
{
    const shmrpc_client_options plain = {.wait_for_server = true, .reconnect = next != 0};
    const shmrpc_client_options enveloped = {.wait_for_server = true,
                                             .reconnect = next != 0,
                                             .send_times = true,
                                             .metadata = 64};
    caller callers[2] = {{.theirs = theirs, .how = "plain"},
                         {.theirs = theirs, .how = "in envelopes", .has_metadata = true}};
    int rc;

    if (is_apart(theirs) && (STEP >= 10 || theirs >= 10)) {
        rc = evolve_store_connect(&callers[0].client, name, &plain);
        check(rc == SHMRPC_E_MISMATCH && says_name(&callers[0]), &callers[0], "connect is %d", rc);
        return 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        rc = evolve_store_connect(&callers[i].client, name, i == 0 ? &plain : &enveloped);
        check(rc == 0, &callers[i], "connect is %d", rc);
        check_with(&callers[i]);
    }
    if (next != 0) {
        char line[8];

        puts("next");
        (void)fflush(stdout);
        check(fgets(line, sizeof(line), stdin) != NULL, &callers[0], "nobody said to go on");
        for (unsigned i = 0; i < 2; i++) {
            callers[i].theirs = next;
            /* Where a call finds out that its server has ended, it may have begun it. */
            check(shmrpc_client_state(evolve_store_client_base(callers[i].client)) == SHMRPC_CLIENT_RECONNECTING,
                  &callers[i], "the first server lives");
            check_with(&callers[i]);
        }
    }
    for (unsigned i = 0; i < 2; i++)
        evolve_store_client_free(callers[i].client);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "serve") == 0)
        return serve(arguments[2]);
    if (count >= 4 && strcmp(arguments[1], "call") == 0)
        return call(arguments[2], (int)strtol(arguments[3], NULL, 10),
                    count == 5 ? (int)strtol(arguments[4], NULL, 10) : 0);
    fprintf(stderr, "usage: %s serve NAME | call NAME STEP [STEP]\n", arguments[0]);
    return 2;
}
