/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes, as they are written, and as a stranger writes them. */
#include "test_support.h"

#include "runtime/envelope.h"

#include <shmrpc/status.h>

#include <stdlib.h>
#include <string.h>

#define MESSAGE 24u

static metadata written, got;
static int64_t got_ns;

/* Opens a request of so many bytes that ends where its memory does, so that a sanitizer sees a read beyond. */
static int open_bytes(const void *bytes, uint32_t length, lane_request *ret_request)
{
    unsigned char *exact = malloc(length == 0 ? 1 : length);
    int rc;

    memcpy(exact, bytes, length);
    *ret_request = (lane_request){.method = ENVELOPE_METHOD | 5, .payload = exact, .length = length};
    rc = envelope_open(ret_request, &got, &got_ns);
    ret_request->payload = (const void *)((uintptr_t)ret_request->payload - (uintptr_t)exact);
    free(exact);
    return rc;
}

START_TEST(what_is_written_is_read)
{
    static const char *const values[] = {"", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678"};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        unsigned char bytes[ENVELOPE_MAX + MESSAGE];
        lane_request request;
        unsigned char *to;

        memset(bytes, 0xa5, sizeof(bytes));
        ck_assert_int_eq(metadata_set(&written, METADATA_MAX, "key", values[i]), 0);
        to = envelope_write(bytes, &written, 77 + (int64_t)i);
        ck_assert_uint_eq((size_t)(to - bytes), envelope_size(written.length));
        ck_assert_uint_eq((size_t)(to - bytes) % 16, 0);
        for (unsigned char *pad = bytes + sizeof(envelope_head) + written.length; pad < to; pad++)
            ck_assert_uint_eq(*pad, 0);
        ck_assert_int_eq(open_bytes(bytes, (uint32_t)(to - bytes) + MESSAGE, &request), 0);
        ck_assert_uint_eq(request.method, 5);
        ck_assert_uint_eq(request.length, MESSAGE);
        ck_assert_uint_eq((uintptr_t)request.payload, (size_t)(to - bytes));
        ck_assert_int_eq(got_ns, 77 + (int64_t)i);
        ck_assert_str_eq(metadata_find(&got, "key"), values[i]);
        ck_assert_ptr_null(metadata_find(&got, "ke"));
        ck_assert_ptr_null(metadata_find(&got, "keys"));
    }
}
END_TEST

START_TEST(an_envelope_may_hold_only_a_time)
{
    unsigned char bytes[sizeof(envelope_head)];
    lane_request request;

    ck_assert_ptr_eq(envelope_write(bytes, NULL, 9), bytes + sizeof(bytes));
    ck_assert_int_eq(open_bytes(bytes, sizeof(bytes), &request), 0);
    ck_assert_uint_eq(request.length, 0);
    ck_assert_int_eq(got_ns, 9);
    ck_assert_ptr_null(metadata_find(&got, "key"));
}
END_TEST

typedef struct lie {
    const char *what;
    envelope_head head;
    const char *bytes; /* 8; NULL: 17 entries of 4 */
    uint32_t length;   /* of the request */
} lie;

/* Metadata of 8 bytes follows: one entry. */
#define ENTRY "ab\0cdef"

static const lie lies[] = {
    {"shorter than a head", {0, 0, 0, 0}, ENTRY, 15},
    {"of no length", {0, 0, 0, 0}, ENTRY, 0},
    {"metadata beyond the request", {17, 1, 0, 0}, ENTRY, 32},
    {"padding beyond the request", {1, 0, 0, 0}, ENTRY, 31},
    {"more metadata than may be", {1025, 1, 0, 0}, ENTRY, 1100},
    {"as much as can be said", {UINT16_MAX, 1, 0, 0}, ENTRY, 1100},
    {"what has to be 0", {8, 1, 1, 0}, ENTRY, 32},
    {"a time that is none", {8, 1, 0, UINT64_C(1) << 63}, ENTRY, 32},
    {"fewer entries than it says", {8, 2, 0, 0}, ENTRY, 32},
    {"more entries than it says", {8, 0, 0, 0}, ENTRY, 32},
    {"a value without an end", {7, 1, 0, 0}, ENTRY, 32},
    {"a key without an end", {2, 1, 0, 0}, ENTRY, 32},
    {"a key without a value", {3, 1, 0, 0}, ENTRY, 32},
    {"no key", {8, 1, 0, 0}, "\0abcdef", 32},
    {"a key that is none", {8, 1, 0, 0}, "a=\0cdef", 32},
    {"a value that is no text",
     {8, 1, 0, 0},
     "ab\0cd\xff"
     "f",
     32},
    {"zeros", {8, 4, 0, 0}, "\0\0\0\0\0\0\0", 32},
    {"seventeen entries", {68, 17, 0, 0}, NULL, 100},
};

START_TEST(an_envelope_that_lies_is_not_opened)
{
    const lie *row = &lies[_i];
    unsigned char bytes[1100] = {0};
    lane_request request;

    memcpy(bytes, &row->head, sizeof(row->head));
    if (row->bytes != NULL) {
        memcpy(bytes + sizeof(row->head), row->bytes, 8);
    } else {
        for (unsigned i = 0; i < 17; i++)
            memcpy(bytes + sizeof(row->head) + (size_t)i * 4, "a\0b", 4);
    }
    ck_assert_msg(open_bytes(bytes, row->length, &request) == SHMRPC_E_PROTOCOL, "%s", row->what);
    ck_assert_uint_eq(request.length, row->length);
}
END_TEST

START_TEST(the_one_beside_the_lies_is_opened)
{
    const envelope_head head = {8, 1, 0, 0};
    unsigned char bytes[32] = {0};
    lane_request request;

    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), ENTRY, 8);
    ck_assert_int_eq(open_bytes(bytes, 32, &request), 0);
    ck_assert_str_eq(metadata_find(&got, "ab"), "cdef");
}
END_TEST

/* Whatever opens is what could have been written. */
START_TEST(no_bytes_make_it_read_beyond)
{
    uint32_t random = 12345;

    for (unsigned round = 0; round < 200000; round++) {
        unsigned char bytes[96];
        lane_request request;
        uint32_t length;

        for (unsigned i = 0; i < sizeof(bytes); i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (random >> 28) < 5 ? 0 : (unsigned char)('a' + (random >> 24) % 4);
        }
        bytes[0] = (unsigned char)(random % 90);
        bytes[1] = 0;
        bytes[2] = (unsigned char)((random >> 8) % 12);
        memset(bytes + 3, 0, 5);
        bytes[15] = 0;
        length = (random >> 16) % (sizeof(bytes) + 1);
        if (open_bytes(bytes, length, &request) == 0) {
            ck_assert_uint_le(request.length, length - sizeof(envelope_head));
            ck_assert_uint_eq((uintptr_t)request.payload + request.length, length);
            ck_assert_uint_le(got.count, METADATA_ENTRIES_MAX);
            (void)metadata_find(&got, "abc");
        }
    }
}
END_TEST

static Suite *envelope_suite(void)
{
    Suite *suite = suite_create("runtime_envelope");
    TCase *tests = tcase_create("envelope");

    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, an_envelope_may_hold_only_a_time);
    tcase_add_loop_test(tests, an_envelope_that_lies_is_not_opened, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(tests, the_one_beside_the_lies_is_opened);
    tcase_add_test(tests, no_bytes_make_it_read_beyond);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(envelope_suite)
