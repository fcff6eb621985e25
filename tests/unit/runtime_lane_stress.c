/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a lane in two threads that spin, sleep, dawdle, give up and send one way at random.
 *
 * Checked is every byte that crosses, that each call has one outcome, and that nobody sleeps on what has been
 * published: naps, which would hide a lost wake-up, are stretched to PATIENCE_NS, and one that lasts so long fails.
 * Everything but the interleaving follows from the seed, which is printed.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/cpu.h"

#include <shmrpc/status.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CALLS 20000
#define PATIENCE_NS INT64_C(10000000000)
#define METHOD_CALL 1
#define METHOD_ONEWAY 2
#define METHOD_END 3

typedef struct stress {
    lane_pair pair;
    uint64_t seed;
    bool is_close;               /* see shapes[] */
    const char *_Atomic failure; /* of the server's thread, or of a sleep */
    uint64_t taken;              /* by the server */
    uint64_t sleeps;             /* of the server */
} stress;

static stress test;
static _Thread_local bool is_patient;

static void complain(const char *text)
{
    atomic_store(&test.failure, text);
}

/* The linker puts it in the place of futex_wait_either() (--wrap). */
int __real_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);
int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns);

int __wrap_futex_wait_either(const _Atomic uint32_t *word, uint32_t expected, const _Atomic uint32_t *other,
                             int64_t timeout_ns)
{
    int64_t until_ns = clock_after_ns(PATIENCE_NS);
    int rc = __real_futex_wait_either(word, expected, other, is_patient ? PATIENCE_NS : timeout_ns);

    if (is_patient && clock_left_ns(until_ns) == 0) {
        complain("the client slept on a published reply");
    }
    return rc;
}

/* xorshift64* (Vigna). */
static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static void dawdle(uint64_t *state)
{
    uint32_t pauses = !test.is_close && draw(state, 8) == 0 ? draw(state, 3000) : draw(state, 8);

    while (pauses-- > 0) {
        cpu_pause();
    }
}

/* A payload is its value and then bytes that follow from it. */
static void fill(unsigned char *to, uint64_t value, uint32_t size)
{
    memcpy(to, &value, sizeof(value));
    for (uint32_t i = sizeof(value); i < size; i++) {
        to[i] = (unsigned char)(value * 31 + i);
    }
}

static bool is_filled(const unsigned char *from, uint64_t value, uint32_t size)
{
    unsigned char expected[PAIR_BLOCK];

    fill(expected, value, size);
    return memcmp(from, expected, size) == 0;
}

/* ---- the server ---- */

static bool sleep_until_rung(uint64_t *state)
{
    struct pollfd bell = {.fd = test.pair.bell, .events = POLLIN};
    uint64_t rings;

    if (test.is_close || draw(state, 300) != 0 || !lane_server_arm(&test.pair.server)) {
        return true;
    }
    test.sleeps++;
    if (poll(&bell, 1, (int)(PATIENCE_NS / 1000000)) != 1) {
        complain("the server slept on a published request");
        return false;
    }
    return read(test.pair.bell, &rings, sizeof(rings)) == sizeof(rings);
}

static void answer(const lane_request *request, uint64_t value, uint64_t *state)
{
    uint32_t size = request->reply_block != BLOCK_NONE ? PAIR_BLOCK - draw(state, 100) : 8 + draw(state, 41);
    uint8_t block = BLOCK_NONE;
    void *to = lane_server_place(&test.pair.server, request, size, &block);

    if (to == NULL) {
        complain("no place for a reply");
        return;
    }
    fill(to, value + 1, size);
    lane_server_answer(&test.pair.server, request, 0, size, block);
}

static void *serve(void *argument)
{
    uint64_t state = test.seed * 77 + 1;

    (void)argument;
    for (;;) {
        unsigned char payload[PAIR_BLOCK];
        lane_request request;
        uint64_t value;
        int rc = lane_server_take(&test.pair.server, &request);

        if (rc < 0) {
            complain("the client broke the protocol");
            return NULL;
        }
        if (rc == 0) {
            if (!sleep_until_rung(&state)) {
                return NULL;
            }
            continue;
        }
        test.taken++;
        shared_copy_out(payload, request.payload, request.length);
        memcpy(&value, payload, sizeof(value));
        if (!is_filled(payload, value, request.length)) {
            complain("a request is not what was sent");
        }
        dawdle(&state);
        if (request.cancelled) {
            lane_server_answer(&test.pair.server, &request, SHMRPC_E_CANCELLED, 0, BLOCK_NONE);
            continue;
        }
        lane_server_start(&test.pair.server, &request);
        answer(&request, value, &state);
        if (request.method == METHOD_END) {
            return &test;
        }
    }
}

/* ---- the client ---- */

/* The client's waits end where something has failed. */
static int look_for_failure(lane_pair *pair)
{
    (void)pair;
    return atomic_load(&test.failure) == NULL ? 0 : SHMRPC_E_UNKNOWN;
}

static void expect_no_failure(void)
{
    ck_assert_msg(atomic_load(&test.failure) == NULL, "%s", atomic_load(&test.failure));
}

static void read_reply(const lane_call *call, uint64_t value)
{
    unsigned char payload[PAIR_BLOCK];
    lane_reply reply;

    ck_assert_int_eq(lane_client_reply(&test.pair.client, call, &reply), 0);
    ck_assert_int_eq(reply.status, 0);
    ck_assert_uint_le(reply.length, sizeof(payload));
    shared_copy_out(payload, reply.payload, reply.length);
    ck_assert_msg(is_filled(payload, value + 1, reply.length), "the reply of call %lu", (unsigned long)value);
    lane_client_end(&test.pair.client, call);
}

/* 1: answered or sent; 0: it timed out. */
static int call_once(uint64_t value, uint16_t method, uint64_t *state)
{
    lane_client *client = &test.pair.client;
    uint32_t size = test.is_close || draw(state, 2) == 0 ? 8 + draw(state, 41) : 49 + draw(state, PAIR_BLOCK - 48);
    uint32_t reply_size = method == METHOD_CALL && draw(state, 2) == 0 ? PAIR_BLOCK : 8;
    int64_t timeout_ns =
        method != METHOD_END && !test.is_close && draw(state, 4) == 0 ? 1 + draw(state, 8000) : CLOCK_NEVER;
    lane_call call;
    int rc;

    is_patient = timeout_ns == CLOCK_NEVER;
    client->spin = spin_for(test.is_close || draw(state, 3) == 0 ? 0 : draw(state, 30000), draw(state, 2) == 0);
    rc = lane_client_begin(client, size, reply_size, &timeout_ns, &call);
    if (rc == SHMRPC_E_TIMEOUT) {
        return 0;
    }
    expect_no_failure();
    ck_assert_int_eq(rc, 0);
    fill(call.request, value, size);
    ck_assert_int_eq(lane_client_publish(client, &call, method, size, timeout_ns), 0);
    if (method == METHOD_ONEWAY) {
        return 1;
    }
    rc = lane_client_wait(client, &call, timeout_ns);
    if (rc == SHMRPC_E_TIMEOUT && lane_client_cancel(client, &call) == 0) {
        return 0;
    }
    expect_no_failure();
    ck_assert(rc == 0 || rc == SHMRPC_E_TIMEOUT);
    read_reply(&call, value);
    return 1;
}

typedef struct shape {
    uint32_t depth;
    uint32_t blocks;
    uint64_t seed;
    bool is_close; /* the server is awake and quick, and the client goes to sleep when the reply is about to come */
} shape;

static const shape shapes[] = {
    {2, 1, 1, false},  {2, 2, 2, false},  {4, 1, 3, false}, {4, 3, 4, false},
    {64, 8, 5, false}, {64, 1, 6, false}, {2, 1, 7, true},  {64, 8, 8, true},
};

START_TEST(every_call_has_one_outcome_and_nobody_sleeps_on_what_is_published)
{
    const shape *with = &shapes[_i];
    uint64_t state = with->seed;
    unsigned answered = 0;
    pthread_t server;
    void *result = NULL;

    printf("depth %u, blocks %u, seed %lu\n", with->depth, with->blocks, (unsigned long)with->seed);
    test.seed = with->seed;
    test.is_close = with->is_close;
    lane_pair_init(&test.pair, with->depth, with->blocks);
    test.pair.on_look = look_for_failure;
    lane_pair_move_to(&test.pair, (UINT64_C(1) << 31) - CALLS / 2); /* over the wrap of wishes */
    ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
    for (uint64_t n = 0; n < CALLS; n++) {
        answered += (unsigned)call_once(n, draw(&state, 5) == 0 ? METHOD_ONEWAY : METHOD_CALL, &state);
        if (!test.is_close) {
            dawdle(&state);
        }
    }
    ck_assert_int_eq(call_once(CALLS, METHOD_END, &state), 1);
    ck_assert_int_eq(pthread_join(server, &result), 0);
    expect_no_failure();
    ck_assert_ptr_eq(result, &test);
    lane_client_reap(&test.pair.client);
    ck_assert_uint_eq(test.pair.client.reaped, test.pair.client.next);
    ck_assert_uint_eq(test.pair.client.request_blocks.count, with->blocks);
    ck_assert_uint_eq(test.pair.client.reply_blocks.count, with->blocks);
    ck_assert_uint_eq(test.taken, test.pair.server.next - ((UINT64_C(1) << 31) - CALLS / 2));
    ck_assert_uint_gt(answered, CALLS / 4);
    printf("%u answered, the server slept %lu times, the client %lu\n", answered, (unsigned long)test.sleeps,
           (unsigned long)test.pair.caller.doorbells);
    lane_pair_deinit(&test.pair);
}
END_TEST

static Suite *lane_stress_suite(void)
{
    Suite *suite = suite_create("runtime_lane_stress");
    TCase *tests = tcase_create("lane_stress");

    tcase_set_timeout(tests, 40);
    tcase_add_loop_test(tests, every_call_has_one_outcome_and_nobody_sleeps_on_what_is_published, 0,
                        sizeof(shapes) / sizeof(shapes[0]));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_stress_suite)
