/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key/value store for other processes; values are larger than a slot, so they travel in blocks.
 *
 *   kv_server [NAME]                serves under NAME ("kv") until SIGTERM or SIGINT
 */
#include "store.h"

#include <shmrpc/log.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct keeper {
    kv_server server;
    store table;
    kv_change last; /* what happened last to any key */
    struct timespec began;
};

static struct keeper *keeper_of(kv_server *server)
{
    return (struct keeper *)server; /* its first member */
}

static int64_t now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

static int get(kv_server *server, kv_get_context *context, const kv_get_request *request, kv_get_reply *reply)
{
    const store_entry *entry = store_find(&keeper_of(server)->table, &request->key, now_s());

    (void)context;
    if (entry == NULL) {
        return KV_ERROR_NOT_FOUND;
    }
    *reply = entry->held;
    return 0;
}

static kv_stamp next_stamp(struct keeper *keeper, shmrpc_session *session)
{
    return (kv_stamp){.revision = ++keeper->table.revision, .writer = shmrpc_session_id(session)};
}

static int put(kv_server *server, kv_put_context *context, const kv_put_request *request, kv_put_reply *reply)
{
    struct keeper *keeper = keeper_of(server);
    store_entry *entry = store_find(&keeper->table, &request->key, now_s());

    if (entry != NULL && request->mode == KV_WRITE_MODE_INSERT) {
        return KV_ERROR_EXISTS;
    }
    if (entry == NULL && request->mode == KV_WRITE_MODE_REPLACE) {
        return KV_ERROR_NOT_FOUND;
    }
    entry = store_insert(&keeper->table, &request->key, now_s());
    if (entry == NULL) {
        const kv_limit limit = {.max = STORE_CAPACITY / 4 * 3, .got = keeper->table.used + 1};

        return kv_put_throw_too_large(context, &limit);
    }
    entry->held.stamp = next_stamp(keeper, context->base.session);
    entry->held.has_score = request->has_score;
    entry->held.score = request->score;
    entry->held.ttl_s = request->ttl_s;
    entry->held.value = request->value;
    entry->ends_s = now_s() + request->ttl_s;
    keeper->last.tag = KV_CHANGE_STORED;
    keeper->last.body.stored = entry->held.stamp;
    reply->stamp = entry->held.stamp;
    return 0;
}

static int remove_key(kv_server *server, kv_remove_context *context, const kv_remove_request *request,
                      kv_remove_reply *reply)
{
    struct keeper *keeper = keeper_of(server);
    store_entry *entry = store_find(&keeper->table, &request->key, now_s());

    if (entry == NULL) {
        return KV_ERROR_NOT_FOUND;
    }
    store_remove(&keeper->table, entry);
    reply->stamp = next_stamp(keeper, context->base.session);
    keeper->last.tag = KV_CHANGE_REMOVED;
    keeper->last.body.removed = reply->stamp;
    return 0;
}

static int stat_key(kv_server *server, kv_stat_context *context, const kv_stat_request *request, kv_stat_reply *reply)
{
    struct keeper *keeper = keeper_of(server);
    const store_entry *entry = store_find(&keeper->table, &request->key, now_s());

    (void)context;
    if (entry == NULL) {
        return KV_ERROR_NOT_FOUND;
    }
    reply->access = KV_ACCESS_READ | KV_ACCESS_WRITE;
    reply->size_bytes = entry->held.value.count;
    reply->last = keeper->last;
    return 0;
}

static void touch(kv_server *server, kv_touch_context *context, const kv_touch_request *request)
{
    store_entry *entry = store_find(&keeper_of(server)->table, &request->key, now_s());

    (void)context;
    if (entry != NULL) {
        entry->ends_s = now_s() + entry->held.ttl_s;
    }
}

static int health(kv_server *server, kv_health_context *context, demo_health_health_reply *reply)
{
    const struct timespec *began = &keeper_of(server)->began;
    struct timespec now;

    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    reply->state = DEMO_HEALTH_STATE_SERVING;
    reply->up_ns = (uint64_t)((int64_t)(now.tv_sec - began->tv_sec) * 1000000000 + (now.tv_nsec - began->tv_nsec));
    return 0;
}

static const kv_ops operations = {
    .get = get, .put = put, .remove = remove_key, .stat = stat_key, .touch = touch, .health = health};

static struct keeper keeper;

static void on_signal(int number)
{
    (void)number;
    kv_server_stop(&keeper.server);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    int rc;

    shmrpc_log_set(shmrpc_log_to_stderr, SHMRPC_LOG_WARNING);
    (void)clock_gettime(CLOCK_MONOTONIC, &keeper.began);
    if (!store_init(&keeper.table)) {
        fprintf(stderr, "kv_server: out of memory\n");
        return EXIT_FAILURE;
    }
    rc = kv_server_init(&keeper.server, &operations, argc > 1 ? argv[1] : "kv", NULL);
    if (rc != 0) {
        fprintf(stderr, "kv_server: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        store_deinit(&keeper.table);
        return EXIT_FAILURE;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    rc = kv_server_run(&keeper.server);
    kv_server_deinit(&keeper.server);
    store_deinit(&keeper.table);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
