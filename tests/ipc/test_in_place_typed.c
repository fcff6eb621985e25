/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_in_place_typed.c - calls in place through the functions that shmc generates, with messages in slots, in blocks and
 * in the arena, to a server that handles them in place. `sum` of an answer says which messages the handler had in shared
 * memory: 1, the request; 2, the reply.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "large.shm.h"
#include "probe_server.h"

#define BOTH 3
#define KEPT_MAX 4u

/* ---- the server ---- */

typedef struct kept {
    large_put_off_later later;
    uint32_t count;
    uint8_t last;
} kept;

static large_server server;
static kept kept_calls[KEPT_MAX];
static uint32_t kept_count;
static uint64_t notes, note_bytes;

static uint64_t places_of(const void *request, const void *reply)
{
    return (probe_is_shared(request) ? 1u : 0u) + (probe_is_shared(reply) ? 2u : 0u);
}

#define INVERT(request, reply)                                                          \
    do {                                                                                \
        (reply)->sum = places_of(request, reply);                                       \
        (reply)->data.count = (request)->data.count;                                    \
        for (uint32_t invert_i = 0; invert_i < (request)->data.count; invert_i++)       \
            (reply)->data.items[invert_i] = (uint8_t) ~(request)->data.items[invert_i]; \
    } while (0)

static int turn(large_server *self, large_turn_context *context, const large_frame *request, large_frame *reply)
{
    static const large_remains remains = {{1, 2, 3}};

    (void)self;
    if (reply->sum != 0 || reply->data.count != 0)
        return SHMRPC_E_INTERNAL; /* not the default image, but what another call has left there */
    INVERT(request, reply);
    return request->sum == 99 ? large_turn_throw_spoilt(context, &remains) : 0;
}

static int turn_page(large_server *self, large_turn_page_context *context, const large_page *request, large_page *reply)
{
    (void)self;
    (void)context;
    INVERT(request, reply);
    return 0;
}

static int add(large_server *self, large_add_context *context, const large_frame *request, large_add_reply *reply)
{
    (void)self;
    (void)context;
    reply->sum = places_of(request, reply) * 1000000000 + request->data.count;
    return 0;
}

static void note(large_server *self, large_note_context *context, const large_frame *request)
{
    (void)self;
    (void)context;
    notes += probe_is_shared(request) ? 1u : 0u;
    note_bytes += request->data.count;
}

static int noted(large_server *self, large_noted_context *context, large_noted_reply *reply)
{
    (void)self;
    (void)context;
    reply->count = notes;
    reply->sum = note_bytes;
    return 0;
}

/* What it needs of its request it takes first: the request is the client's again when the call is put off. */
static int do_put_off(large_server *self, large_put_off_context *context, const large_frame *request,
                      large_frame *reply)
{
    kept *one = &kept_calls[kept_count];

    (void)self;
    (void)reply;
    if (kept_count == KEPT_MAX)
        return SHMRPC_E_LIMIT;
    one->count = request->data.count;
    one->last = request->data.items[one->count - 1];
    one->later = large_put_off_defer(context);
    if (one->later.base.id == 0)
        return SHMRPC_E_INTERNAL;
    kept_count++;
    return SHMRPC_DEFERRED;
}

static int release(large_server *self, large_release_context *context, const large_release_request *request,
                   large_release_reply *reply)
{
    static large_frame answer;

    (void)self;
    (void)context;
    for (; kept_count > 0 && reply->count < request->count; reply->count++) {
        const kept *one = &kept_calls[--kept_count];

        answer.data.count = one->count;
        memset(answer.data.items, one->last, one->count);
        (void)large_put_off_later_reply(one->later, &answer);
    }
    return 0;
}

static int ping(large_server *self, large_ping_context *context, const large_ping_request *request,
                large_ping_reply *reply)
{
    (void)self;
    (void)context;
    reply->value = request->value + 1;
    return 0;
}

static const large_ops ops = {
    .turn = turn,
    .turn_page = turn_page,
    .add = add,
    .note = note,
    .noted = noted,
    .put_off = do_put_off,
    .release = release,
    .ping = ping,
};

static void on_terminate(int signal_number)
{
    (void)signal_number;
    large_server_stop(&server);
}

static int server_main(child_link *link, void *data)
{
    const shmrpc_server_options options = {.in_place = true};
    struct sigaction action = {.sa_handler = on_terminate};

    (void)data;
    child_check(large_server_init(&server, &ops, "large", &options) == 0, shmrpc_last_error());
    sigaction(SIGTERM, &action, NULL);
    link_signal(link, 's');
    int rc = large_server_run(&server);
    large_server_deinit(&server);
    return rc == 0 ? 0 : 1;
}

/* ---- the client ---- */

static child process;
static large_client *client;

static void setup(void)
{
    const shmrpc_client_options options = {.depth = 8, .blocks = 2};

    probe_case_begin();
    child_spawn(&process, server_main, NULL);
    link_await(&process.link, 's');
    assert_status(large_connect(&client, "large", &options), 0);
}

/* How many frames can be lent at once? */
static unsigned room(void)
{
    large_turn_call calls[16];
    large_frame *request;
    unsigned count = 0;

    memset(calls, 0, sizeof(calls));
    while (count < 16 && large_turn_loan(client, &calls[count], &request) == 0)
        count++;
    for (unsigned i = 0; i < count; i++)
        large_turn_abandon(&calls[i]);
    return count;
}

static void teardown(void)
{
    large_client_free(client);
    kill(process.pid, SIGTERM);
    child_expect_exit(&process, 0);
    probe_case_end();
}

static void fill(large_frame *frame, uint32_t count, uint8_t seed)
{
    frame->data.count = count;
    for (uint32_t i = 0; i < count; i++)
        frame->data.items[i] = (uint8_t)(i * 5 + seed);
}

static void expect_inverted(const uint8_t *items, uint32_t found, uint32_t count, uint8_t seed)
{
    uint32_t wrong = 0;

    ck_assert_uint_eq(found, count);
    for (uint32_t i = 0; i < count; i++)
        wrong += items[i] != (uint8_t) ~(uint8_t)(i * 5 + seed);
    ck_assert_uint_eq(wrong, 0);
}

static void expect_all(const uint8_t *items, uint32_t found, uint32_t count, uint8_t value)
{
    uint32_t wrong = 0;

    ck_assert_uint_eq(found, count);
    for (uint32_t i = 0; i < count; i++)
        wrong += items[i] != value;
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(a_megabyte_goes_there_and_back_without_a_copy)
{
    static const uint32_t sizes[] = {0, 1, 48, 4096, 65536, 700001, LARGE_FRAME_MAX};
    unsigned before = room();

    ck_assert_uint_ge(before, 2);
    for (unsigned round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            large_turn_call call = {0};
            large_frame *request = NULL;
            const large_frame *reply = NULL;

            assert_status(large_turn_loan(client, &call, &request), 0);
            ck_assert(probe_is_shared(request));
            ck_assert(request->sum == 0 && request->data.count == 0);
            fill(request, sizes[i], (uint8_t)round);
            assert_status(large_turn_start_loaned(&call, shmrpc_default()), 0);
            assert_status(large_turn_view(&call, &reply), 0);
            ck_assert(probe_is_shared(reply));
            ck_assert_uint_eq(reply->sum, BOTH);
            expect_inverted(reply->data.items, reply->data.count, sizes[i], (uint8_t)round);
            large_turn_release(&call);
        }
    }
    ck_assert_uint_eq(room(), before);
}
END_TEST

START_TEST(extents_blocks_and_slots_are_lent_beside_each_other)
{
    large_turn_call frames[2];
    large_turn_page_call page = {0};
    large_ping_call small = {0};
    large_frame *frame[2];
    large_page *request;
    large_ping_request *value;
    const large_page *reply;
    const large_ping_reply *answer;
    unsigned before = room();

    memset(frames, 0, sizeof(frames));
    for (unsigned i = 0; i < 2; i++) {
        assert_status(large_turn_loan(client, &frames[i], &frame[i]), 0);
        fill(frame[i], 100000, (uint8_t)i);
    }
    assert_status(large_turn_page_loan(client, &page, &request), 0);
    assert_status(large_ping_loan(client, &small, &value), 0);
    value->value = 41;
    request->data.count = 60000;
    memset(request->data.items, 7, 60000);
    assert_status(large_turn_page_start_loaned(&page, shmrpc_default()), 0);
    assert_status(large_ping_start_loaned(&small, shmrpc_default()), 0);
    assert_status(large_turn_page_view(&page, &reply), 0);
    ck_assert_uint_eq(reply->sum, BOTH);
    expect_all(reply->data.items, reply->data.count, 60000, 0xf8);
    assert_status(large_ping_view(&small, &answer), 0);
    ck_assert_uint_eq(answer->value, 42);
    for (unsigned i = 2; i-- > 0;) {
        const large_frame *turned;

        assert_status(large_turn_start_loaned(&frames[i], shmrpc_default()), 0);
        assert_status(large_turn_view(&frames[i], &turned), 0);
        ck_assert_uint_eq(turned->sum, BOTH);
        expect_inverted(turned->data.items, turned->data.count, 100000, (uint8_t)i);
        large_turn_release(&frames[i]);
    }
    large_turn_page_release(&page);
    large_ping_release(&small);
    ck_assert_uint_eq(room(), before);
}
END_TEST

START_TEST(calls_that_copy_are_handled_in_place_as_well)
{
    static large_frame request, reply;
    large_noted_reply count;
    large_add_reply sum;
    unsigned before = room();

    for (uint32_t i = 0; i < 6; i++) {
        fill(&request, 150000 * i, 3);
        memset(&reply, 0xee, sizeof(reply));
        assert_status(large_turn(client, &request, &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply.sum, BOTH);
        expect_inverted(reply.data.items, reply.data.count, 150000 * i, 3);
        assert_status(large_add(client, &request, &sum, shmrpc_default()), 0);
        ck_assert_uint_eq(sum.sum, 1000000000 + 150000 * i); /* its answer is in the slot */
        assert_status(large_note(client, &request, shmrpc_default()), 0);
    }
    assert_status(large_noted(client, &count, shmrpc_default()), 0);
    ck_assert(count.count == 6 && count.sum == 150000 * 15);
    request.sum = 99;
    assert_status(large_turn(client, &request, &reply, shmrpc_default()), LARGE_ERROR_SPOILT);
    ck_assert_uint_eq(large_error_spoilt(client)->parts[2], 3);
    ck_assert_uint_eq(room(), before);
}
END_TEST

START_TEST(calls_in_place_are_put_off)
{
    large_put_off_call calls[2];
    large_release_reply released;
    const large_frame *reply;
    unsigned before = room();

    memset(calls, 0, sizeof(calls));
    for (unsigned i = 0; i < 2; i++) {
        large_frame *request;

        assert_status(large_put_off_loan(client, &calls[i], &request), 0);
        fill(request, 200000, (uint8_t)(i + 1));
        assert_status(large_put_off_start_loaned(&calls[i], shmrpc_default()), 0);
    }
    assert_status(large_release(client, &(large_release_request){.count = 2}, &released, shmrpc_default()), 0);
    ck_assert_uint_eq(released.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_status(large_put_off_view(&calls[i], &reply), 0);
        ck_assert(probe_is_shared(reply));
        expect_all(reply->data.items, reply->data.count, 200000, (uint8_t)(199999 * 5 + i + 1));
    }
    for (unsigned i = 0; i < 2; i++)
        large_put_off_release(&calls[i]);
    ck_assert_uint_eq(room(), before);
}
END_TEST

static void never_told(large_turn_call *call, int rc, const large_frame *reply)
{
    (void)call;
    (void)reply;
    ck_abort_msg("told of %d", rc);
}

START_TEST(what_is_missing_is_a_misuse)
{
    static large_turn_call call = {.done = never_told}; /* in flight in the end */
    large_frame *request;
    const large_frame *reply;

    assert_status(large_turn_loan(client, NULL, &request), SHMRPC_E_MISUSE);
    assert_status(large_turn_loan(client, &call, NULL), SHMRPC_E_MISUSE);
    assert_status(large_turn_loan(NULL, &call, &request), SHMRPC_E_MISUSE);
    assert_status(large_turn_start_loaned(NULL, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(large_turn_view(NULL, &reply), SHMRPC_E_MISUSE);
    large_turn_abandon(NULL);
    large_turn_release(NULL);
    assert_status(large_turn_loan(client, &call, &request), 0);
    assert_status(large_turn_start_loaned(&call, shmrpc_default()), 0);
    assert_status(large_turn_view(&call, &reply), SHMRPC_E_MISUSE); /* it has a `done` */
}
END_TEST

static Suite *in_place_typed_suite(void)
{
    Suite *suite = suite_create("ipc_in_place_typed");
    TCase *tests = tcase_create("in_place_typed");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_megabyte_goes_there_and_back_without_a_copy);
    tcase_add_test(tests, extents_blocks_and_slots_are_lent_beside_each_other);
    tcase_add_test(tests, calls_that_copy_are_handled_in_place_as_well);
    tcase_add_test(tests, calls_in_place_are_put_off);
    tcase_add_test(tests, what_is_missing_is_a_misuse);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(in_place_typed_suite)
