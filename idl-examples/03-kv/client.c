/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores a picture's worth of bytes and an ordinary text, reads them back, and looks at what can go wrong.
 *
 *   kv_client [NAME]                calls the server called NAME ("kv"), and waits up to 5 s for it
 */
#include "kv.shm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int give_up(const char *what, int rc)
{
    fprintf(stderr, "kv_client: %s: %s: %s\n", what, shmrpc_status_text(rc), shmrpc_last_error());
    return EXIT_FAILURE;
}

static int put(kv_client *client, const char *key, const void *value, size_t size, kv_write_mode mode)
{
    kv_put_request request;
    kv_put_reply reply;
    int rc;

    kv_put_request_init(&request);
    if (!kv_put_request_set_key(&request, key, strlen(key)) || !kv_put_request_set_value(&request, value, size)) {
        return SHMRPC_E_TOO_LARGE;
    }
    request.mode = mode;
    rc = kv_put(client, &request, &reply, shmrpc_default());
    if (rc == 0) {
        printf("put '%s': %zu bytes, revision %" PRIu64 "\n", key, size, reply.stamp.revision);
    }
    return rc;
}

static int get(kv_client *client, const char *key, kv_get_reply *ret_reply)
{
    kv_get_request request;

    kv_get_request_init(&request);
    if (!kv_get_request_set_key(&request, key, strlen(key))) {
        return SHMRPC_E_TOO_LARGE;
    }
    return kv_get(client, &request, ret_reply, shmrpc_default());
}

static int show_values(kv_client *client)
{
    static const char text[] = "shared memory, no copies on the way";
    uint8_t picture[KV_VALUE_MAX];
    kv_get_reply reply;
    size_t i;
    int rc;

    for (i = 0; i < sizeof(picture); i++) {
        picture[i] = (uint8_t)(i * 7);
    }
    rc = put(client, "picture", picture, sizeof(picture), KV_WRITE_MODE_UPSERT);
    if (rc == 0) {
        rc = put(client, "text", text, sizeof(text) - 1, KV_WRITE_MODE_INSERT);
    }
    if (rc == 0) {
        rc = get(client, "picture", &reply);
    }
    if (rc != 0) {
        return give_up("put and get", rc);
    }
    if (reply.value.count != sizeof(picture) || memcmp(reply.value.items, picture, sizeof(picture)) != 0) {
        return give_up("the picture came back changed", 0);
    }
    printf("get 'picture': the same %u bytes, for %u s\n", (unsigned)reply.value.count, (unsigned)reply.ttl_s);
    rc = get(client, "text", &reply);
    if (rc != 0) {
        return give_up("get", rc);
    }
    printf("get 'text': %.*s\n", (int)reply.value.count, (const char *)reply.value.items);
    return EXIT_SUCCESS;
}

static int show_errors(kv_client *client)
{
    kv_remove_request request;
    kv_remove_reply removed;
    kv_get_reply reply;
    uint8_t large[KV_VALUE_MAX + 1] = {0};
    int rc = put(client, "text", "again", 5, KV_WRITE_MODE_INSERT);

    if (rc != KV_ERROR_EXISTS) {
        return give_up("insert a key that is there", rc);
    }
    printf("insert 'text' once more: EXISTS (error %d)\n", rc);
    kv_remove_request_init(&request);
    if (!kv_remove_request_set_key(&request, "text", 4)) {
        return give_up("a key of 4 bytes", 0);
    }
    rc = kv_remove(client, &request, &removed, shmrpc_default());
    if (rc != 0) {
        return give_up("remove", rc);
    }
    rc = get(client, "text", &reply);
    if (rc != KV_ERROR_NOT_FOUND) {
        return give_up("get a key that was removed", rc);
    }
    printf("get 'text' after its removal: NOT_FOUND (error %d)\n", rc);
    rc = put(client, "large", large, sizeof(large), KV_WRITE_MODE_UPSERT);
    if (rc != SHMRPC_E_TOO_LARGE) {
        return give_up("a value that is too large", rc);
    }
    printf("put %zu bytes: refused by the setter, the limit is %u\n", sizeof(large), (unsigned)KV_VALUE_MAX);
    return EXIT_SUCCESS;
}

static int show_state(kv_client *client)
{
    demo_health_health_reply health;
    kv_stat_request request;
    kv_stat_reply stat;
    int rc;

    kv_stat_request_init(&request);
    if (!kv_stat_request_set_key(&request, "picture", 7)) {
        return give_up("a key of 7 bytes", 0);
    }
    rc = kv_stat(client, &request, &stat, shmrpc_default());
    if (rc == 0) {
        rc = kv_health(client, &health, shmrpc_default());
    }
    if (rc != 0) {
        return give_up("stat and health", rc);
    }
    printf("stat 'picture': %u bytes; the last change was a %s\n", (unsigned)stat.size_bytes,
           stat.last.tag == KV_CHANGE_REMOVED ? "removal" : "store");
    printf("the server is %s\n", health.state == DEMO_HEALTH_STATE_SERVING ? "serving" : "not serving");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    kv_client *client = NULL;
    int rc = kv_connect(&client, argc > 1 ? argv[1] : "kv", &options);

    if (rc != 0) {
        return give_up("connect", rc);
    }
    rc = show_values(client);
    if (rc == EXIT_SUCCESS) {
        rc = show_errors(client);
    }
    if (rc == EXIT_SUCCESS) {
        rc = show_state(client);
    }
    kv_client_free(client);
    return rc;
}
