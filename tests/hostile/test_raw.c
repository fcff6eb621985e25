/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_raw.c - rogues on the raw transport, where lengths are all that a server can look at.
 *
 * The server echoes whatever it is given, in a thread of the case; the witness is a lane that behaves. With a limit of
 * 100 bytes a block has 128, so that between the two lies what the memory holds and the limit forbids. Later a rogue
 * is the server.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <shmrpc/lane.h>

#include "rogue.h"

#define LIMIT 100u

typedef struct echo_server {
    shmrpc_lane_server base;
    pthread_t thread;
    int run_status;
    _Atomic(uint64_t) calls, largest, connected, dropped;
} echo_server;

static echo_server server;
static shmrpc_lane *witness;
static probe_state *log_state;
static const shmrpc_lane_limits limits = {LIMIT, LIMIT};

static int handle(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    echo_server *mine = (echo_server *)(void *)self;

    atomic_fetch_add(&mine->calls, 1);
    if (request->size > atomic_load(&mine->largest))
        atomic_store(&mine->largest, request->size);
    if (request->size > request->capacity)
        return SHMRPC_E_TOO_LARGE;
    memcpy(request->reply, request->data, request->size);
    *ret_size = request->size;
    return 0;
}

static void connected(shmrpc_lane_server *self, shmrpc_session *session)
{
    (void)session;
    atomic_fetch_add(&((echo_server *)(void *)self)->connected, 1);
}

static void disconnected(shmrpc_lane_server *self, shmrpc_session *session, int why)
{
    (void)session;
    atomic_fetch_add(&((echo_server *)(void *)self)->dropped, why == SHMRPC_WHY_PROTOCOL);
}

static const shmrpc_lane_handlers handlers = {handle, connected, disconnected};

static void *serve(void *data)
{
    echo_server *mine = data;

    mine->run_status = shmrpc_lane_server_run(&mine->base);
    return NULL;
}

static void assert_witness_served(void)
{
    char request[LIMIT], reply[LIMIT];

    for (size_t size = 0; size <= LIMIT; size += 10) {
        shmrpc_lane_reply how = {0};
        memset(request, (int)size, sizeof(request));
        assert_status(shmrpc_lane_call(witness, 1, request, size, reply, sizeof(reply), &how, shmrpc_default()), 0);
        ck_assert_uint_eq(how.size, size);
        ck_assert_mem_eq(request, reply, size);
    }
}

static void setup(void)
{
    runtime_dir_make();
    log_state = probe_state_new();
    probe_log_to(log_state);
    memset(&server, 0, sizeof(server));
    assert_status(shmrpc_lane_server_init(&server.base, &handlers, "raw", &limits, NULL), 0);
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, &server), 0);
    assert_status(shmrpc_lane_connect(&witness, "raw", &limits, NULL), 0);
    assert_witness_served();
}

static void teardown(void)
{
    assert_witness_served();
    ck_assert_uint_le(atomic_load(&server.largest), LIMIT);
    shmrpc_lane_free(witness);
    shmrpc_lane_server_stop(&server.base);
    ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
    assert_status(server.run_status, 0);
    shmrpc_lane_server_deinit(&server.base);
    probe_log_to(NULL);
    probe_state_free(log_state);
    runtime_dir_remove();
}

static control_packet raw_hello(void)
{
    return (control_packet){
        .kind = CONTROL_HELLO,
        .as.hello = {.protocol_least = CONTROL_PROTOCOL,
                     .protocol_most = CONTROL_PROTOCOL,
                     .service = "",
                     .depth = 16,
                     .blocks = 4,
                     .request_size = LIMIT,
                     .reply_size = LIMIT,
                     .runtime = "rogue"},
    };
}

static void join(rogue *self)
{
    const control_packet hello = raw_hello();

    rogue_join_with(self, "raw", &hello);
    ck_assert_uint_eq(self->memory.geometry.request_block_size, 128);
    ck_assert_uint_eq(self->memory.geometry.request_block_count, 4);
}

typedef struct header_lie {
    const char *what;
    uint16_t method;
    uint8_t request_block, reply_block;
    uint32_t length;
} header_lie;

static const header_lie header_lies[] = {
    {"more than a slot holds", 1, 0, 1, 49},
    {"more than the limit in a block that holds it", 1, 1, 1, LIMIT + 1},
    {"as much as the block holds", 1, 1, 1, 128},
    {"more than the block holds", 1, 1, 1, 129},
    {"a length without bound", 1, 4, 1, UINT32_MAX},
    {"a length that leaves the region", 1, 4, 1, 1u << 20},
    {"the block after the last", 1, 5, 1, 8},
    {"a block that does not exist", 1, 255, 1, 8},
    {"the reply block after the last", 1, 1, 5, 8},
    {"a reply block that does not exist", 1, 1, 255, 8},
};

START_TEST(drops_a_session_for_a_header_that_lies)
{
    const header_lie *lie = &header_lies[_i];
    const slot request = rogue_slot(lie->method, lie->request_block, lie->reply_block, lie->length);
    uint64_t calls = atomic_load(&server.calls);
    rogue peer;

    join(&peer);
    rogue_request(&peer, &request, 0);
    ck_assert_msg(rogue_is_dropped(&peer), "%s: still connected", lie->what);
    await_true(atomic_load(&server.dropped) == 1);
    ck_assert_uint_ge(atomic_load(&log_state->warnings), 1);
    ck_assert_uint_eq(atomic_load(&server.calls), calls);
    rogue_leave(&peer);
}
END_TEST

START_TEST(answers_the_error_s_own_method_number_without_a_handler)
{
    const slot request = rogue_slot(SHMRPC_METHOD_ERROR, 0, 1, 8);
    uint64_t calls = atomic_load(&server.calls);
    slot reply;
    rogue peer;

    join(&peer);
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_int_eq((int16_t)reply.method, SHMRPC_E_UNIMPLEMENTED);
    ck_assert_uint_eq(atomic_load(&server.calls), calls);
    rogue_leave(&peer);
}
END_TEST

/* Whoever offers no block for a reply that needs one is told so, or dropped; it is not written anywhere else. */
START_TEST(writes_no_reply_where_no_block_was_offered)
{
    const slot request = rogue_slot(1, 1, 0, LIMIT);
    slot reply;
    rogue peer;

    join(&peer);
    memset(peer.memory.request_blocks, 0x5a, 4 * 128);
    memset(peer.memory.reply_blocks, 0xa5, 4 * 128);
    rogue_request(&peer, &request, 0);
    if (rogue_await_reply(&peer, &reply)) {
        ck_assert_int_lt((int16_t)reply.method, 0);
        ck_assert_uint_eq(reply.length, 0);
    }
    for (size_t i = 0; i < 4 * 128; i++)
        ck_assert_uint_eq(peer.memory.reply_blocks[i], 0xa5);
    rogue_leave(&peer);
}
END_TEST

START_TEST(refuses_a_hello_of_other_limits_or_with_methods)
{
    control_method methods[PROBE_METHODS];
    const control_packet typed = rogue_hello(methods);
    control_packet hello = raw_hello();
    rogue peer;

    rogue_connect(&peer, "raw");
    ck_assert(!rogue_greet_with(&peer, &typed));
    rogue_leave(&peer);
    hello.as.hello.request_size = LIMIT + 1;
    rogue_connect(&peer, "raw");
    ck_assert(!rogue_greet_with(&peer, &hello));
    rogue_leave(&peer);
    hello = raw_hello();
    hello.as.hello.methods = methods;
    hello.as.hello.method_count = 1;
    rogue_connect(&peer, "raw");
    ck_assert(!rogue_greet_with(&peer, &hello));
    rogue_leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.connected), 1);
}
END_TEST

/* Lengths that flip between right and wrong while the server looks at them. */
static void *flip(void *data)
{
    rogue *peer = data;

    for (uint32_t i = 0; i < 30000; i++) {
        slot *at = region_slot(&peer->memory, i);
        __atomic_store_n(&at->length, i % 3 == 0 ? LIMIT : i % 3 == 1 ? 8 : 0x00ffffffu, __ATOMIC_RELAXED);
        __atomic_store_n(&at->request_block, (uint8_t)(i % 5 == 0 ? 200 : 1), __ATOMIC_RELAXED);
    }
    return NULL;
}

START_TEST(survives_lengths_that_change_while_they_are_read)
{
    for (int round = 0; round < 200; round++) {
        pthread_t thread;
        rogue peer;

        join(&peer);
        ck_assert_int_eq(pthread_create(&thread, NULL, flip, &peer), 0);
        for (int i = 0; i < 60; i++) {
            const slot request = rogue_slot(1, 1, 1, LIMIT);
            rogue_request(&peer, &request, 0);
        }
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        rogue_leave(&peer);
    }
}
END_TEST

/* ---- a server that lies to a lane ---- */

typedef struct victim {
    pthread_t thread;
    int connect_status, call_status, later_status;
    shmrpc_lane_reply reply;
    unsigned char buffer[4096];
} victim;

static void *call_the_liar(void *data)
{
    victim *self = data;
    shmrpc_lane *lane = NULL;
    const char request[8] = "request";

    self->connect_status = shmrpc_lane_connect(&lane, "liar", &limits, NULL);
    if (self->connect_status == 0) {
        memset(self->buffer, 0xee, sizeof(self->buffer));
        self->call_status = shmrpc_lane_call(lane, 1, request, sizeof(request), self->buffer, sizeof(self->buffer),
                                             &self->reply, shmrpc_in_s(20));
        self->later_status = shmrpc_lane_send(lane, 1, request, sizeof(request), shmrpc_in_s(5));
    }
    shmrpc_lane_free(lane);
    return NULL;
}

typedef struct reply_lie {
    const char *what;
    int status;
    bool in_block;
    uint8_t block_lie;
    uint32_t length;
    uint32_t word_lie;
} reply_lie;

static const reply_lie reply_lies[] = {
    {"more than a slot holds", 0, false, 0, 49, 0},
    {"more than the limit, within the block", 0, true, 0, LIMIT + 1, 0},
    {"more than the block holds", 0, true, 0, 129, 0},
    {"a length without bound", 0, true, 0, UINT32_MAX, 0},
    {"another block", 0, true, 1, 8, 0},
    {"a block that does not exist", 0, true, 100, 8, 0},
    {"a status that is the caller's to find out", SHMRPC_E_UNKNOWN, false, 0, 0, 0},
    {"the error of a handler, with too much", 7, true, 0, LIMIT + 1, 0},
    {"the word of another lap", 0, false, 0, 8, 5u << WORD_LAP_SHIFT},
};

START_TEST(says_protocol_of_a_reply_that_lies)
{
    const reply_lie *lie = &reply_lies[_i];
    victim client = {.reply = {0}};
    rogue liar;
    slot request;
    int listener = rogue_listen("liar");

    ck_assert_int_eq(pthread_create(&client.thread, NULL, call_the_liar, &client), 0);
    control_packet *hello = rogue_accept(&liar, listener);
    ck_assert_ptr_nonnull(hello);
    ck_assert_uint_eq(hello->as.hello.request_size, LIMIT);
    control_packet welcome = rogue_welcome(&liar, &hello->as.hello, NULL);
    welcome.as.welcome.request_block_size = welcome.as.welcome.reply_block_size = 128;
    liar.memory.geometry.request_block_size = liar.memory.geometry.reply_block_size = 128;
    ck_assert(rogue_admit(&liar, &welcome));
    ck_assert(rogue_await_request(&liar, &request));
    uint8_t block = lie->in_block ? (uint8_t)(request.reply_block + lie->block_lie) : 0;
    const slot reply = rogue_slot((uint16_t)(int16_t)lie->status, 0, block, lie->length);
    rogue_reply(&liar, &reply, lie->word_lie);
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.connect_status, 0);
    ck_assert_msg(client.call_status == SHMRPC_E_PROTOCOL, "%s: %s", lie->what, shmrpc_status_text(client.call_status));
    ck_assert_uint_eq(client.reply.method, SHMRPC_METHOD_ERROR);
    ck_assert_int_eq(client.later_status, SHMRPC_E_NOT_SENT);
    for (size_t i = 0; i < sizeof(client.buffer); i++)
        ck_assert_uint_eq(client.buffer[i], 0xee);
    control_packet_free(hello);
    rogue_leave(&liar);
    close(listener);
}
END_TEST

static Suite *raw_suite(void)
{
    Suite *suite = suite_create("hostile_raw");
    TCase *tests = tcase_create("raw");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, drops_a_session_for_a_header_that_lies, 0,
                        (int)(sizeof(header_lies) / sizeof(header_lies[0])));
    tcase_add_test(tests, answers_the_error_s_own_method_number_without_a_handler);
    tcase_add_test(tests, writes_no_reply_where_no_block_was_offered);
    tcase_add_test(tests, refuses_a_hello_of_other_limits_or_with_methods);
    tcase_add_test(tests, survives_lengths_that_change_while_they_are_read);
    tcase_add_loop_test(tests, says_protocol_of_a_reply_that_lies, 0,
                        (int)(sizeof(reply_lies) / sizeof(reply_lies[0])));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(raw_suite)
