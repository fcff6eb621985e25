/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_metadata.c - what calls carry beside their requests: texts by key, for each thread and handle, and the time when
 * they were sent; and requests that are known to have waited longer than their callers do.
 */
#include <pthread.h>
#include <string.h>

#include <shmrpc/lane.h>

#include "probe_server.h"

#define ROOM 1024u

static probe_process server;
static shmrpc_client *client;

static const shmrpc_client_options carrying = {.metadata = ROOM};
static const shmrpc_client_options timing = {.send_times = true};

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
    assert_status(probe_connect(&client, "probe", &carrying), 0);
}

static void teardown(void)
{
    shmrpc_client_free(client);
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_case_end();
}

static probe_blob blob_of(const char *key)
{
    probe_blob blob = {.length = (uint32_t)strlen(key)};

    memcpy(blob.bytes, key, blob.length);
    return blob;
}

/* Did a call arrive with this value under this key? NULL: with none. */
static bool blob_says(const probe_blob *blob, const char *value)
{
    return value == NULL ? blob->length == 0
                         : blob->length == strlen(value) + 1 && memcmp(blob->bytes, value, blob->length) == 0;
}

static bool arrives(shmrpc_client *by, const char *key, const char *value)
{
    const probe_blob request = blob_of(key);
    probe_blob reply;

    return shmrpc_client_call(by, PROBE_CARRIED, &request, &reply, shmrpc_default()) == 0 && blob_says(&reply, value);
}

static void set(const char *key, const char *value)
{
    assert_status(shmrpc_client_set_metadata(client, key, value), 0);
}

/* ---- what is set arrives ---- */

START_TEST(calls_carry_what_their_thread_has_set)
{
    ck_assert(arrives(client, "trace", NULL));
    set("trace", "4bf92f35");
    set("tenant", "");
    set("a-b.c_d9", "gr\xc3\xbc\xc3\x9f dich");
    for (int i = 0; i < 20; i++) {
        ck_assert(arrives(client, "trace", "4bf92f35"));
        ck_assert(arrives(client, "tenant", ""));
        ck_assert(arrives(client, "a-b.c_d9", "gr\xc3\xbc\xc3\x9f dich"));
        ck_assert(arrives(client, "tenan", NULL));
        ck_assert(arrives(client, "4bf92f35", NULL));
    }
    set("trace", "another, longer than the first");
    ck_assert(arrives(client, "trace", "another, longer than the first"));
    ck_assert(arrives(client, "tenant", ""));
    set("tenant", NULL);
    set("never", NULL);
    ck_assert(arrives(client, "tenant", NULL));
    ck_assert(arrives(client, "trace", "another, longer than the first"));
    set("trace", NULL);
    set("a-b.c_d9", NULL);
    ck_assert(arrives(client, "trace", NULL));
    ck_assert(probe_answers_rightly(client, 1, 50));
}
END_TEST

START_TEST(calls_of_all_kinds_go_with_metadata_as_without)
{
    char value[ROOM - 6];
    probe_blob request, reply;
    uint64_t answer;
    probe_total total;

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    set("long", value);
    ck_assert(arrives(client, "long", value));
    ck_assert(probe_answers_rightly(client, 1, 200));
    assert_status(probe_fail(client, PROBE_ERROR_PLAIN, &answer, shmrpc_default()), PROBE_ERROR_PLAIN);
    assert_status(probe_fail(client, PROBE_ERROR_BLOB, &answer, shmrpc_default()), PROBE_ERROR_BLOB);
    ck_assert_ptr_nonnull(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB));
    assert_status(shmrpc_client_call(client, PROBE_ABSENT, NULL, NULL, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    for (uint64_t i = 1; i <= 10; i++)
        assert_status(probe_note(client, i, shmrpc_default()), 0);
    assert_status(probe_get_total(client, &total), 0);
    ck_assert_uint_eq(total.sum, 55);
    /* The largest request behind the largest envelope. */
    probe_blob_fill(&request, 8, PROBE_BLOB_MAX);
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_default()), 0);
    ck_assert(probe_blob_answers(&reply, 8, PROBE_BLOB_MAX));
}
END_TEST

START_TEST(calls_in_flight_carry_what_was_set_when_they_were_started)
{
    static const char *const values[] = {"first", NULL, "third", "fourth"};
    const probe_blob request = blob_of("step");
    shmrpc_call calls[4] = {0};
    probe_blob reply;

    shmrpc_client_batch_begin(client);
    for (unsigned i = 0; i < 4; i++) {
        set("step", values[i]);
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_CARRIED, &request, shmrpc_default(), NULL), 0);
    }
    assert_status(shmrpc_client_batch_end(client), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_status(shmrpc_call_wait(&calls[3 - i], &reply), 0);
        ck_assert(blob_says(&reply, values[3 - i]));
    }
}
END_TEST

/* ---- whose it is ---- */

static void *other_main(void *data)
{
    bool *ret_right = data;

    *ret_right = arrives(client, "who", NULL) && shmrpc_client_set_metadata(client, "who", "the other") == 0 &&
                 arrives(client, "who", "the other");
    return NULL;
}

START_TEST(threads_have_their_own)
{
    pthread_t other;

    set("who", "the first");
    /* The second one has the lane that the first one has left. */
    for (int i = 0; i < 3; i++) {
        bool right = false;

        ck_assert_int_eq(pthread_create(&other, NULL, other_main, &right), 0);
        ck_assert_int_eq(pthread_join(other, NULL), 0);
        ck_assert(right);
        ck_assert(arrives(client, "who", "the first"));
    }
}
END_TEST

START_TEST(handles_have_their_own)
{
    shmrpc_client *second = NULL;

    assert_status(probe_connect(&second, "probe", &carrying), 0);
    set("who", "the first");
    ck_assert(arrives(second, "who", NULL));
    assert_status(shmrpc_client_set_metadata(second, "who", "the second"), 0);
    ck_assert(arrives(client, "who", "the first"));
    ck_assert(arrives(second, "who", "the second"));
    shmrpc_client_free(second);
    ck_assert(arrives(client, "who", "the first"));
    assert_status(probe_connect(&second, "probe", &carrying), 0);
    ck_assert(arrives(second, "who", NULL));
    shmrpc_client_free(second);
}
END_TEST

/* In place of the C library's (the linker's --wrap): what the thread has allocated and not freed. */
static _Thread_local int allocated;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

void *__wrap_calloc(size_t count, size_t size)
{
    allocated++;
    return __real_calloc(count, size);
}

void __wrap_free(void *memory)
{
    allocated -= memory != NULL;
    __real_free(memory);
}

enum { HANDLES = 20 };

static shmrpc_client *_Atomic passing;

/* Gives metadata to handles that another thread connects and frees. */
static void *give_to_many(void *data)
{
    pthread_barrier_t *meeting = data;
    bool right = shmrpc_client_set_metadata(client, "stays", "here") == 0;
    int before = allocated;

    for (int i = 0; i < HANDLES; i++) {
        (void)pthread_barrier_wait(meeting);
        right = right && shmrpc_client_set_metadata(passing, "who", "this") == 0;
        right = right && allocated == before + 1;
        (void)pthread_barrier_wait(meeting);
    }
    return right && arrives(client, "stays", "here") ? data : NULL;
}

START_TEST(what_freed_handles_had_does_not_gather)
{
    pthread_barrier_t meeting;
    pthread_t thread;
    void *result;

    ck_assert_int_eq(pthread_barrier_init(&meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, give_to_many, &meeting), 0);
    for (int i = 0; i < HANDLES; i++) {
        shmrpc_client *next = NULL;

        assert_status(probe_connect(&next, "probe", &carrying), 0);
        passing = next;
        (void)pthread_barrier_wait(&meeting);
        (void)pthread_barrier_wait(&meeting);
        shmrpc_client_free(next);
    }
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, &meeting);
    ck_assert_int_eq(pthread_barrier_destroy(&meeting), 0);
}
END_TEST

START_TEST(it_stays_when_the_client_connects_again)
{
    const shmrpc_client_options options = {.metadata = 64, .reconnect = true};
    shmrpc_client *again = NULL;
    probe_process next;

    probe_process_start(&next, &(probe_setup){.name = "next"});
    assert_status(probe_connect(&again, "next", &options), 0);
    assert_status(shmrpc_client_set_metadata(again, "who", "me"), 0);
    ck_assert(arrives(again, "who", "me"));
    probe_process_stop(&next);
    probe_process_start(&next, &(probe_setup){.name = "next"});
    /* Where nobody watches, the first call hears of the end. */
    await_true(arrives(again, "who", "me"));
    shmrpc_client_free(again);
    probe_process_stop(&next);
}
END_TEST

/* ---- what cannot be set ---- */

typedef struct refusal {
    const char *key, *value;
    int status;
} refusal;

static char long_text[2000];

static const refusal refusals[] = {
    {"", "v", SHMRPC_E_INVALID},          {"9a", "v", SHMRPC_E_INVALID},
    {"-a", "v", SHMRPC_E_INVALID},        {".a", "v", SHMRPC_E_INVALID},
    {"a b", "v", SHMRPC_E_INVALID},       {"a=b", "v", SHMRPC_E_INVALID},
    {"\xc3\xa4", "v", SHMRPC_E_INVALID},  {"a", "\xff", SHMRPC_E_INVALID},
    {"a", "\xc3", SHMRPC_E_INVALID},      {"", NULL, SHMRPC_E_INVALID},
    {NULL, "v", SHMRPC_E_MISUSE},         {"a", long_text, SHMRPC_E_TOO_LARGE},
    {long_text, "v", SHMRPC_E_TOO_LARGE}, {"keep", long_text, SHMRPC_E_TOO_LARGE},
};

START_TEST(refuses_what_cannot_travel_and_changes_nothing)
{
    memset(long_text, 'x', sizeof(long_text) - 1);
    set("keep", "kept");
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        assert_status(shmrpc_client_set_metadata(client, refusals[i].key, refusals[i].value), refusals[i].status);
    ck_assert(arrives(client, "keep", "kept"));
    ck_assert(arrives(client, "a", NULL));
    assert_status(shmrpc_client_set_metadata(NULL, "a", "v"), SHMRPC_E_MISUSE);
}
END_TEST

START_TEST(there_are_bounds_on_all_together)
{
    char key[] = "a";
    char value[ROOM];

    for (int i = 0; i < 16; i++) {
        key[0] = (char)('a' + i);
        set(key, "v");
    }
    assert_status(shmrpc_client_set_metadata(client, "z", "v"), SHMRPC_E_TOO_LARGE);
    set("p", "w");
    set("c", NULL);
    set("z", "v");
    ck_assert(arrives(client, "p", "w"));
    ck_assert(arrives(client, "z", "v"));
    for (int i = 0; i < 26; i++) {
        key[0] = (char)('a' + i);
        set(key, NULL);
    }
    /* To the byte: two keys and their ends take six. */
    memset(value, 'v', sizeof(value));
    value[ROOM - 5] = '\0';
    set("a", "");
    assert_status(shmrpc_client_set_metadata(client, "b", value), SHMRPC_E_TOO_LARGE);
    value[ROOM - 6] = '\0';
    set("b", value);
    ck_assert(arrives(client, "b", value));
    assert_status(shmrpc_client_set_metadata(client, "a", "1"), SHMRPC_E_TOO_LARGE);
    ck_assert(arrives(client, "a", ""));
    value[ROOM - 7] = '\0';
    set("b", value);
    set("a", "1");
    ck_assert(arrives(client, "a", "1"));
    ck_assert(arrives(client, "b", value));
}
END_TEST

START_TEST(needs_the_option)
{
    shmrpc_client *without = NULL;
    shmrpc_lane *lane = NULL;

    assert_status(probe_connect(&without, "probe", &timing), 0);
    assert_status(shmrpc_client_set_metadata(without, "a", "v"), SHMRPC_E_MISUSE);
    ck_assert(arrives(without, "a", NULL));
    shmrpc_client_free(without);
    assert_status(shmrpc_lane_connect(&lane, "probe", NULL, &carrying), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_connect(&lane, "probe", NULL, &timing), SHMRPC_E_MISUSE);
}
END_TEST

/* ---- when it was sent ---- */

static uint64_t sent_ns(shmrpc_client *by)
{
    probe_blob reply = {0}, request = blob_of("a");

    assert_status(shmrpc_client_call(by, PROBE_CARRIED, &request, &reply, shmrpc_default()), 0);
    return reply.value;
}

START_TEST(tells_when_a_call_was_sent)
{
    shmrpc_client *timed = NULL;
    const shmrpc_client_options both = {.send_times = true, .metadata = 64};
    uint64_t before_ns;

    ck_assert_uint_eq(sent_ns(client), 0);
    set("a", "v");
    ck_assert_uint_eq(sent_ns(client), 0);
    for (int i = 0; i < 2; i++) {
        assert_status(probe_connect(&timed, "probe", i == 0 ? &timing : &both), 0);
        for (int j = 0; j < 20; j++) {
            before_ns = test_now_ns();
            uint64_t told_ns = sent_ns(timed);
            ck_assert_uint_ge(told_ns, before_ns);
            ck_assert_uint_le(told_ns, test_now_ns());
        }
        ck_assert(probe_answers_rightly(timed, 1, 100));
        shmrpc_client_free(timed);
    }
}
END_TEST

/* ---- requests that have waited too long ---- */

#define SHORT_MS 20

START_TEST(what_has_waited_longer_than_its_caller_does_is_not_begun)
{
    shmrpc_client *timed = NULL;
    shmrpc_call held = {0}, late = {0}, early = {0};
    shmrpc_server_counts before, after;
    uint64_t reply = 0, begin_ns;

    assert_status(probe_connect(&timed, "probe", &timing), 0);
    assert_status(probe_get_counters(client, &before), 0);
    assert_status(shmrpc_call_start(timed, &held, PROBE_HOLD, &(probe_value){7}, shmrpc_default(), NULL), 0);
    await_true(atomic_load(&server.state->holding) == 7);
    begin_ns = test_now_ns();
    /* Behind it; nobody withdraws them, since nobody waits for them. */
    assert_status(shmrpc_call_start(timed, &late, PROBE_ECHO, &(probe_value){8}, shmrpc_in_ms(SHORT_MS), NULL), 0);
    assert_status(probe_note(timed, 1, shmrpc_in_ms(SHORT_MS)), 0);
    assert_status(shmrpc_call_start(timed, &early, PROBE_ECHO, &(probe_value){9}, shmrpc_default(), NULL), 0);
    /* The server's clock may be a tick late. */
    await_true(test_now_ns() - begin_ns > (SHORT_MS + 20) * UINT64_C(1000000));
    probe_gate_pass(&server, 1);
    assert_status(shmrpc_call_wait(&early, &reply), 0);
    ck_assert_uint_eq(reply, 9);
    assert_status(shmrpc_call_wait(&held, &reply), 0);
    assert_status(shmrpc_call_wait(&late, &reply), SHMRPC_E_EXPIRED);
    ck_assert_uint_eq(atomic_load(&server.state->notes), 0);
    assert_status(probe_get_counters(client, &after), 0);
    ck_assert_uint_eq(after.calls_failed - before.calls_failed, 2);
    shmrpc_client_free(timed);
}
END_TEST

static Suite *metadata_suite(void)
{
    Suite *suite = suite_create("ipc_metadata");
    TCase *tests = tcase_create("metadata");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, calls_carry_what_their_thread_has_set);
    tcase_add_test(tests, calls_of_all_kinds_go_with_metadata_as_without);
    tcase_add_test(tests, calls_in_flight_carry_what_was_set_when_they_were_started);
    tcase_add_test(tests, threads_have_their_own);
    tcase_add_test(tests, handles_have_their_own);
    tcase_add_test(tests, what_freed_handles_had_does_not_gather);
    tcase_add_test(tests, it_stays_when_the_client_connects_again);
    tcase_add_test(tests, refuses_what_cannot_travel_and_changes_nothing);
    tcase_add_test(tests, there_are_bounds_on_all_together);
    tcase_add_test(tests, needs_the_option);
    tcase_add_test(tests, tells_when_a_call_was_sent);
    tcase_add_test(tests, what_has_waited_longer_than_its_caller_does_is_not_begun);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(metadata_suite)
