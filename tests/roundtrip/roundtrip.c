/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roundtrip.c - messages stored and loaded as the library does it.
 */
#include "roundtrip.h"

#include <stdlib.h>
#include <string.h>

#include "test_support.h"

static void *memory_new(size_t size, int garbage)
{
    void *memory = malloc(size);

    ck_assert_ptr_nonnull(memory);
    memset(memory, garbage, size);
    return memory;
}

unsigned char *roundtrip_store(const shmrpc_type_info *info, const void *message, size_t *ret_used)
{
    const unsigned char untouched = 0x5A;
    unsigned char *image = memory_new(info->size, untouched);
    size_t used = info->size;

    if (info->store != NULL)
        used = info->store(image, message);
    else
        memcpy(image, message, info->size);
    ck_assert_uint_ge(used, info->min_size);
    ck_assert_uint_le(used, info->size);
    size_t beyond = used;
    while (beyond < info->size && image[beyond] == untouched)
        beyond++;
    ck_assert_msg(beyond == info->size, "%s: byte %zu beyond the %zu used was written", info->name, beyond, used);
    *ret_used = used;
    return image;
}

void roundtrip_load(const shmrpc_type_info *info, const void *image, size_t used, void *ret_message)
{
    if (info->initial != NULL)
        memcpy(ret_message, info->initial, info->size);
    else
        memset(ret_message, 0, info->size);
    memcpy(ret_message, image, used);
}

void roundtrip_expect_valid(const shmrpc_type_info *info, const void *message)
{
    shmrpc_fault fault = {"?", "?", 0, 0};

    ck_assert_msg(info->validate == NULL || info->validate(message, &fault), "%s: '%s' is %s (%llu, %llu)", info->name,
                  fault.field, fault.reason, (unsigned long long)fault.value, (unsigned long long)fault.limit);
    ck_assert_int_eq(shmrpc_message_check(info, message), 0);
}

void roundtrip_expect_fault(const shmrpc_type_info *info, const void *message, const char *field, const char *reason,
                            uint64_t value, uint64_t limit)
{
    shmrpc_fault fault = {0};

    ck_assert(info->validate != NULL);
    ck_assert_msg(!info->validate(message, &fault), "%s: '%s' is not refused", info->name, field);
    ck_assert_str_eq(fault.field, field);
    ck_assert_str_eq(fault.reason, reason);
    ck_assert_uint_eq(fault.value, value);
    ck_assert_uint_eq(fault.limit, limit);
    ck_assert_int_eq(shmrpc_message_check(info, message), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), field));
}

void roundtrip_expect_equal(const shmrpc_type_info *info, const void *a, const void *b)
{
    size_t used_a, used_b;
    unsigned char *image_a = roundtrip_store(info, a, &used_a);
    unsigned char *image_b = roundtrip_store(info, b, &used_b);

    ck_assert_uint_eq(used_a, used_b);
    ck_assert_mem_eq(image_a, image_b, used_a);
    free(image_a);
    free(image_b);
}

/* What is made ready where it lies keeps what has a meaning; of the rest some is zero then, and nothing is new. */
static void expect_finished(const shmrpc_type_info *info, unsigned char *message, const unsigned char *image,
                            size_t used)
{
    unsigned char *before = memory_new(info->size, 0);
    size_t used_again;

    memcpy(before, message, info->size);

    ck_assert_uint_eq(used, info->used == NULL ? info->size : (info->used(message) + 7) / 8 * 8);
    if (info->tidy != NULL)
        info->tidy(message);
    roundtrip_expect_valid(info, message);
    unsigned char *again = roundtrip_store(info, message, &used_again);
    ck_assert_uint_eq(used_again, used);
    ck_assert_mem_eq(again, image, used);
    for (size_t i = 0; i < info->size; i++)
        ck_assert_msg(message[i] == before[i] || (message[i] == 0 && (i >= used || image[i] == 0)),
                      "%s: byte %zu was %#x and is %#x", info->name, i, before[i], message[i]);
    free(again);
    free(before);
}

void roundtrip_check(const shmrpc_type_info *info, roundtrip_fill *fill, size_t expected_used)
{
    static const int garbage[] = {0x00, 0xFF, 0xA5};
    unsigned char *first = NULL;

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        size_t used, used_again;
        void *message = memory_new(info->size, garbage[i]);
        void *loaded = memory_new(info->size, ~garbage[i]);
        fill(message);
        roundtrip_expect_valid(info, message);
        unsigned char *image = roundtrip_store(info, message, &used);
        ck_assert_uint_eq(used, expected_used);

        roundtrip_load(info, image, used, loaded);
        roundtrip_expect_valid(info, loaded);
        unsigned char *again = roundtrip_store(info, loaded, &used_again);
        ck_assert_uint_eq(used_again, used);
        ck_assert_mem_eq(again, image, used);
        if (first != NULL)
            ck_assert_mem_eq(first, image, used);
        expect_finished(info, message, image, used);
        free(first);
        first = image;
        free(again);
        free(loaded);
        free(message);
    }
    free(first);
}

static void *serve(void *argument)
{
    roundtrip_host *host = argument;

    host->rc = shmrpc_server_run(host->server);
    return NULL;
}

void roundtrip_start(roundtrip_host *host, shmrpc_server *server)
{
    *host = (roundtrip_host){.server = server};
    ck_assert_int_eq(pthread_create(&host->thread, NULL, serve, host), 0);
}

void roundtrip_stop(roundtrip_host *host)
{
    if (host->server == NULL)
        return;
    shmrpc_server_stop(host->server);
    ck_assert_int_eq(pthread_join(host->thread, NULL), 0);
    ck_assert_int_eq(host->rc, 0);
    host->server = NULL;
}
