/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lanes.c - the transport alone (shmrpc/lane.h): bytes by method number, with the outcomes of typed calls.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shmrpc/lane.h>

#include "probe_server.h"

enum {
    METHOD_REVERSE = 1, /* the bytes of the request in reverse order */
    METHOD_FAIL = 2,    /* returns the int in the request, with four bytes of payload where it is above 0 */
    METHOD_OVERRUN = 3, /* says that it wrote more than there is room for */
    METHOD_HOLD = 4,    /* waits at the gate */
    METHOD_NOTE = 5,    /* counts */
    METHOD_SIZE = 6,    /* replies with as many bytes as the request says */
    METHOD_LAST = 0xfffe,
};

/* In a page shared with the server's process. */
typedef struct lane_counts {
    _Atomic(int) init_status;
    _Atomic(pid_t) pid;
    _Atomic(uint64_t) begun, notes, note_bytes, connected, disconnected, misfits;
} lane_counts;

static lane_counts *seen;
static child server;
static int gate[2];
static shmrpc_lane_limits limits;

/* ---- the server ---- */

static shmrpc_lane_server lane_server;

static int reverse(const shmrpc_lane_request *request, size_t *ret_size)
{
    const unsigned char *from = request->data;
    unsigned char *to = request->reply;

    if (request->size > request->capacity)
        return SHMRPC_E_TOO_LARGE;
    for (size_t i = 0; i < request->size; i++)
        to[i] = from[request->size - 1 - i];
    *ret_size = request->size;
    return 0;
}

static int fail_with(const shmrpc_lane_request *request, size_t *ret_size)
{
    int code = 0;

    if (request->size != sizeof(code))
        return SHMRPC_E_INTERNAL;
    memcpy(&code, request->data, sizeof(code));
    if (code > 0) {
        memcpy(request->reply, "data", 4);
        *ret_size = 4;
    }
    return code;
}

static int fill(const shmrpc_lane_request *request, size_t *ret_size)
{
    uint32_t size = 0;

    if (request->size != sizeof(size))
        return SHMRPC_E_INTERNAL;
    memcpy(&size, request->data, sizeof(size));
    memset(request->reply, (int)(size & 0x7f), size < request->capacity ? size : request->capacity);
    *ret_size = size;
    return 0;
}

static int handle(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    char byte;

    atomic_fetch_add(&seen->begun, 1);
    if (self != &lane_server || request->session == NULL || (request->size != 0 && request->data == NULL)) {
        atomic_fetch_add(&seen->misfits, 1);
        return SHMRPC_E_INTERNAL;
    }
    switch (request->method) {
    case METHOD_REVERSE:
    case METHOD_LAST:
    case 0: return reverse(request, ret_size);
    case METHOD_FAIL: return fail_with(request, ret_size);
    case METHOD_OVERRUN: *ret_size = request->capacity + 1; return 0;
    case METHOD_SIZE: return fill(request, ret_size);
    case METHOD_HOLD:
        if (read(gate[0], &byte, 1) < 0)
            return SHMRPC_E_INTERNAL;
        return 0;
    case METHOD_NOTE:
        atomic_fetch_add(&seen->note_bytes, request->size);
        atomic_fetch_add(&seen->notes, 1);
        return 0;
    default: return SHMRPC_E_UNIMPLEMENTED;
    }
}

static void on_connected(shmrpc_lane_server *self, shmrpc_session *session)
{
    if (self != &lane_server || shmrpc_session_peer(session).uid != getuid())
        atomic_fetch_add(&seen->misfits, 1);
    atomic_fetch_add(&seen->connected, 1);
}

static void on_disconnected(shmrpc_lane_server *self, shmrpc_session *session, int why)
{
    if (self != &lane_server || session == NULL || why < SHMRPC_WHY_CLOSED || why > SHMRPC_WHY_STOPPED)
        atomic_fetch_add(&seen->misfits, 1);
    atomic_fetch_add(&seen->disconnected, 1);
}

static void on_terminate(int signal_number)
{
    (void)signal_number;
    shmrpc_lane_server_stop(&lane_server);
}

static int server_main(child_link *link, void *data)
{
    static const shmrpc_lane_handlers handlers = {handle, on_connected, on_disconnected};
    struct sigaction action = {.sa_handler = on_terminate};

    (void)link;
    (void)data;
    close(gate[1]);
    int rc = shmrpc_lane_server_init(&lane_server, &handlers, "lane", &limits, NULL);
    atomic_store(&seen->init_status, rc);
    if (rc != 0)
        return PROBE_EXIT_INIT;
    sigaction(SIGTERM, &action, NULL);
    atomic_store(&seen->pid, getpid());
    rc = shmrpc_lane_server_run(&lane_server);
    shmrpc_lane_server_deinit(&lane_server);
    return rc == 0 ? 0 : PROBE_EXIT_RUN;
}

static void start_server(uint32_t request_size, uint32_t reply_size)
{
    limits = (shmrpc_lane_limits){request_size, reply_size};
    ck_assert_int_eq(pipe(gate), 0);
    child_spawn(&server, server_main, NULL);
    await_true(atomic_load(&seen->pid) != 0 || atomic_load(&seen->init_status) != 0);
    assert_status(atomic_load(&seen->init_status), 0);
}

static shmrpc_lane *connect_lane(const shmrpc_client_options *options)
{
    shmrpc_lane *lane = NULL;

    assert_status(shmrpc_lane_connect(&lane, "lane", &limits, options), 0);
    return lane;
}

static void setup(void)
{
    probe_case_begin();
    /* The page is as large as a probe's state; only its beginning is used. */
    _Static_assert(sizeof(lane_counts) <= sizeof(probe_state), "a page of counts");
    seen = (lane_counts *)(void *)probe_state_new();
}

static void teardown(void)
{
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    child_expect_exit(&server, 0);
    ck_assert_uint_eq(atomic_load(&seen->misfits), 0);
    ck_assert_uint_eq(atomic_load(&seen->connected), atomic_load(&seen->disconnected));
    close(gate[0]);
    close(gate[1]);
    probe_state_free((probe_state *)(void *)seen);
    probe_case_end();
}

/* ---- calls ---- */

static bool reverses_rightly(shmrpc_lane *lane, uint16_t method, size_t size)
{
    static unsigned char request[SHMRPC_MESSAGE_MAX], buffer[SHMRPC_MESSAGE_MAX + 8];
    shmrpc_lane_reply reply = {0};

    for (size_t i = 0; i < size; i++)
        request[i] = (unsigned char)(i * 31 + size);
    memset(buffer, 0xee, sizeof(buffer));
    int rc = shmrpc_lane_call(lane, method, request, size, buffer, SHMRPC_MESSAGE_MAX, &reply, shmrpc_default());
    if (rc != 0 || reply.status != 0 || reply.method != method || reply.size != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (buffer[i] != request[size - 1 - i])
            return false;
    return buffer[size] == 0xee;
}

START_TEST(answers_bytes_of_every_size_up_to_the_limit)
{
    static const size_t sizes[] = {0, 1, 7, 8, 47, 48, 49, 63, 64, 65, 1000, 4095, 4096};

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        ck_assert_msg(reverses_rightly(lane, METHOD_REVERSE, sizes[i]), "%zu bytes", sizes[i]);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(answers_bytes_of_the_largest_message_that_there_is)
{
    start_server(SHMRPC_MESSAGE_MAX, SHMRPC_MESSAGE_MAX);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t size = 1; size <= SHMRPC_MESSAGE_MAX; size *= 4)
        ck_assert_msg(reverses_rightly(lane, METHOD_REVERSE, size), "%zu bytes", size);
    for (int i = 0; i < 50; i++)
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, SHMRPC_MESSAGE_MAX));
    shmrpc_lane_free(lane);
}
END_TEST

/* As reverses_rightly(), of any size; the bytes of request and reply are in one buffer. */
static void expect_reversed(shmrpc_lane *lane, unsigned char *buffer, size_t size, size_t capacity)
{
    shmrpc_lane_reply reply = {0};

    for (size_t i = 0; i < size; i++)
        buffer[i] = (unsigned char)(i * 31 + i / 251 + size);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, buffer, size, buffer, capacity, &reply, shmrpc_in_ms(60000)),
                  0);
    ck_assert_uint_eq(reply.size, size);
    for (size_t i = 0, from = size; i < size; i++) {
        from--;
        if (buffer[i] != (unsigned char)(from * 31 + from / 251 + size))
            ck_abort_msg("byte %zu of %zu", i, size);
    }
}

START_TEST(answers_bytes_around_the_size_of_a_block_and_far_beyond)
{
    static const uint32_t bounds[] = {65535, 65536, 65537, 1048576, 67108864};
    const uint32_t most = bounds[_i];
    unsigned char *buffer = malloc(most);

    ck_assert_ptr_nonnull(buffer);
    start_server(most, most);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t size = 0; size <= most; size = size * 17 + 1)
        expect_reversed(lane, buffer, size, most);
    for (uint32_t i = 0; i < (most > 1048576 ? 1 : 5); i++) {
        expect_reversed(lane, buffer, most, most);
        expect_reversed(lane, buffer, most - 1, most);
    }
    assert_status(shmrpc_lane_send(lane, METHOD_NOTE, buffer, most, shmrpc_default()), 0);
    expect_reversed(lane, buffer, 1, most);
    ck_assert_uint_eq(atomic_load(&seen->notes), 1);
    ck_assert_uint_eq(atomic_load(&seen->note_bytes), most);
    assert_status(shmrpc_lane_call(lane, METHOD_OVERRUN, NULL, 0, buffer, most, NULL, shmrpc_default()),
                  SHMRPC_E_INTERNAL);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, buffer, (size_t)most + 1, buffer, most, NULL,
                                   shmrpc_default()),
                  SHMRPC_E_TOO_LARGE);
    shmrpc_lane_free(lane);
    free(buffer);
}
END_TEST

/* Bytes of memory that are to be had. */
static uint64_t memory_left(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    ck_assert_ptr_nonnull(file);
    while (kib == 0 && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "MemAvailable:", 13) == 0)
            kib = strtoull(line + 13, NULL, 10);
    fclose(file);
    return (uint64_t)kib * 1024;
}

/* An arena of 2 GiB, the request's and the reply's private memory in the server, and a buffer here: 5 GiB. */
START_TEST(answers_a_gibibyte)
{
    const shmrpc_client_options options = {.arena_size = 1};

    start_server(SHMRPC_LARGE_MAX, SHMRPC_LARGE_MAX);
    if (memory_left() < UINT64_C(7) << 30 || test_is_built_with("asan") || test_is_built_with("ubsan") ||
        test_is_built_with("tsan")) {
        test_skip("a gibibyte each way takes 7 GiB of memory that nobody watches");
        return;
    }
    unsigned char *buffer = malloc(SHMRPC_LARGE_MAX);
    ck_assert_ptr_nonnull(buffer);
    shmrpc_lane *lane = connect_lane(&options);
    expect_reversed(lane, buffer, SHMRPC_LARGE_MAX, SHMRPC_LARGE_MAX);
    shmrpc_lane_free(lane);
    free(buffer);
}
END_TEST

START_TEST(answers_messages_that_always_fit_a_slot)
{
    start_server(48, 48);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t size = 0; size <= 48; size++)
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, size));
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(carries_every_method_number_but_the_error_s)
{
    shmrpc_lane_reply reply;

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    ck_assert(reverses_rightly(lane, 0, 5));
    ck_assert(reverses_rightly(lane, METHOD_LAST, 5));
    assert_status(shmrpc_lane_call(lane, 1234, NULL, 0, NULL, 0, &reply, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
    ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
    ck_assert_int_eq(reply.status, SHMRPC_E_UNIMPLEMENTED);
    uint64_t begun = atomic_load(&seen->begun);
    assert_status(shmrpc_lane_call(lane, SHMRPC_METHOD_ERROR, NULL, 0, NULL, 0, &reply, shmrpc_default()),
                  SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_send(lane, SHMRPC_METHOD_ERROR, NULL, 0, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 5));
    ck_assert_uint_eq(atomic_load(&seen->begun), begun + 1);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(refuses_what_is_larger_than_the_limit_before_it_is_sent)
{
    static unsigned char bytes[8192];
    shmrpc_lane_reply reply = {0};

    start_server(100, 4096);
    shmrpc_lane *lane = connect_lane(NULL);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, bytes, 101, bytes, sizeof(bytes), &reply, shmrpc_default()),
                  SHMRPC_E_TOO_LARGE);
    ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
    ck_assert_int_eq(reply.status, SHMRPC_E_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "101"));
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "100"));
    assert_status(shmrpc_lane_send(lane, METHOD_NOTE, bytes, sizeof(bytes), shmrpc_default()), SHMRPC_E_TOO_LARGE);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, bytes, SIZE_MAX, bytes, 1, &reply, shmrpc_default()),
                  SHMRPC_E_TOO_LARGE);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 100));
    ck_assert_uint_eq(atomic_load(&seen->begun), 1);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(copies_nothing_of_a_reply_that_does_not_fit_the_buffer)
{
    const uint32_t size = 1000;
    unsigned char buffer[1000];
    shmrpc_lane_reply reply = {0};

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    memset(buffer, 0xee, sizeof(buffer));
    assert_status(shmrpc_lane_call(lane, METHOD_SIZE, &size, sizeof(size), buffer, 999, &reply, shmrpc_default()),
                  SHMRPC_E_TOO_LARGE);
    ck_assert_uint_eq(reply.size, 1000);
    ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
    for (size_t i = 0; i < sizeof(buffer); i++)
        ck_assert_uint_eq(buffer[i], 0xee);
    /* What was not copied is not kept for the next one. */
    assert_status(shmrpc_lane_call(lane, METHOD_SIZE, &size, sizeof(size), buffer, 1000, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(buffer[999], size & 0x7f);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 50));
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(gives_the_handler_s_error_with_its_bytes)
{
    static const int errors[] = {1, 300, SHMRPC_ERROR_MAX};
    unsigned char buffer[16] = {0};
    shmrpc_lane_reply reply = {0};

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        assert_status(shmrpc_lane_call(lane, METHOD_FAIL, &errors[i], sizeof(int), buffer, sizeof(buffer), &reply,
                                       shmrpc_default()),
                      errors[i]);
        ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
        ck_assert_int_eq(reply.status, errors[i]);
        ck_assert_uint_eq(reply.size, 4);
        ck_assert_mem_eq(buffer, "data", 4);
    }
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(turns_what_a_handler_may_not_return_into_internal)
{
    static const int codes[] = {SHMRPC_ERROR_MAX + 1, 65536, 70000, -70000, -32768, SHMRPC_E_TIMEOUT, SHMRPC_E_UNKNOWN};
    shmrpc_lane_reply reply = {0};
    unsigned char buffer[8];

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_status(shmrpc_lane_call(lane, METHOD_FAIL, &codes[i], sizeof(int), buffer, sizeof(buffer), &reply,
                                       shmrpc_default()),
                      SHMRPC_E_INTERNAL);
    assert_status(shmrpc_lane_call(lane, METHOD_OVERRUN, NULL, 0, buffer, sizeof(buffer), &reply, shmrpc_default()),
                  SHMRPC_E_INTERNAL);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 50));
    ck_assert_int_eq(shmrpc_lane_state(lane), SHMRPC_CLIENT_UP);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(sends_without_waiting_and_drops_the_answers)
{
    static const unsigned char bytes[3000];

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(&(shmrpc_client_options){.depth = 16});
    for (size_t i = 0; i < 500; i++)
        assert_status(shmrpc_lane_send(lane, METHOD_NOTE, bytes, i * 6, shmrpc_default()), 0);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 5));
    ck_assert_uint_eq(atomic_load(&seen->notes), 500);
    ck_assert_uint_eq(atomic_load(&seen->note_bytes), 6 * 499 * 500 / 2);
    /* Also where the handler has much to say. */
    for (int i = 0; i < 100; i++)
        assert_status(shmrpc_lane_send(lane, METHOD_REVERSE, bytes, sizeof(bytes), shmrpc_default()), 0);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 4000));
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(times_out_and_answers_rightly_after_a_late_reply)
{
    shmrpc_lane_reply reply = {0};

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(&(shmrpc_client_options){.depth = 4, .blocks = 2});
    for (int round = 0; round < 10; round++) {
        assert_status(shmrpc_lane_call(lane, METHOD_HOLD, NULL, 0, NULL, 0, &reply, shmrpc_in_ms(20)),
                      SHMRPC_E_TIMEOUT);
        ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
        ck_assert_int_eq(reply.status, SHMRPC_E_TIMEOUT);
        ck_assert_int_eq(write(gate[1], "x", 1), 1);
        for (size_t i = 0; i < 10; i++)
            ck_assert(reverses_rightly(lane, METHOD_REVERSE, i * 400));
        /* The server may have come to the call only after it was withdrawn; then nobody took the byte. */
        struct pollfd left = {.fd = gate[0], .events = POLLIN};
        char byte;
        if (poll(&left, 1, 0) == 1)
            ck_assert_int_eq(read(gate[0], &byte, 1), 1);
    }
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(refuses_another_s_limits_and_a_typed_service)
{
    shmrpc_lane *lane = NULL;
    shmrpc_client *client = NULL;

    start_server(1000, 2000);
    assert_status(shmrpc_lane_connect(&lane, "lane", &(shmrpc_lane_limits){1000, 2001}, NULL), SHMRPC_E_MISMATCH);
    ck_assert_str_ne(shmrpc_last_error(), "");
    assert_status(shmrpc_lane_connect(&lane, "lane", &(shmrpc_lane_limits){999, 2000}, NULL), SHMRPC_E_MISMATCH);
    assert_status(shmrpc_lane_connect(&lane, "lane", NULL, NULL), SHMRPC_E_MISMATCH);
    assert_status(probe_connect(&client, "lane", NULL), SHMRPC_E_REFUSED);
    ck_assert_ptr_null(lane);
    ck_assert_uint_eq(atomic_load(&seen->connected), 0);
}
END_TEST

START_TEST(refuses_limits_that_are_too_large)
{
    static const shmrpc_lane_handlers handlers = {handle, NULL, NULL}, none = {0};
    shmrpc_lane_server other = {0};
    shmrpc_lane *lane = NULL;

    start_server(0, 0);
    const shmrpc_lane_limits large = {SHMRPC_LARGE_MAX + 1, 8};
    assert_status(shmrpc_lane_server_init(&other, &handlers, "other", &large, NULL), SHMRPC_E_TOO_LARGE);
    assert_status(shmrpc_lane_connect(&lane, "lane", &large, NULL), SHMRPC_E_TOO_LARGE);
    assert_status(shmrpc_lane_server_init(&other, NULL, "other", NULL, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_server_init(&other, &none, "other", NULL, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_server_init(NULL, &handlers, "other", NULL, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_connect(NULL, "lane", NULL, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_connect(&lane, NULL, NULL, NULL), SHMRPC_E_MISUSE);
    shmrpc_lane_free(NULL);
}
END_TEST

START_TEST(refuses_pointers_that_do_not_fit_their_sizes)
{
    shmrpc_lane_reply reply = {0};
    char byte = 0;

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, NULL, 1, &byte, 1, &reply, shmrpc_default()), SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_call(NULL, METHOD_REVERSE, &byte, 1, &byte, 1, &reply, shmrpc_default()),
                  SHMRPC_E_MISUSE);
    assert_status(shmrpc_lane_send(lane, METHOD_NOTE, NULL, 1, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_uint_eq(atomic_load(&seen->begun), 0);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, &byte, 1, &byte, 1, NULL, shmrpc_default()), 0);
    /* No buffer is room for nothing, whatever is said of it. */
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, &byte, 1, NULL, 1, &reply, shmrpc_default()),
                  SHMRPC_E_TOO_LARGE);
    ck_assert_uint_eq(reply.size, 1);
    shmrpc_lane_free(lane);
}
END_TEST

static int call_in_child(child_link *link, void *data)
{
    shmrpc_lane *lane = data;
    shmrpc_lane_reply reply = {0};

    (void)link;
    child_check(shmrpc_lane_call(lane, METHOD_REVERSE, NULL, 0, NULL, 0, &reply, shmrpc_default()) == SHMRPC_E_FORKED,
                "not FORKED");
    shmrpc_lane_free(lane);
    return 0;
}

START_TEST(refuses_a_forked_child_and_leaves_nothing_behind)
{
    counts before;
    child forked;

    start_server(0, 0);
    counts_take(&before);
    for (int i = 0; i < 50; i++) {
        shmrpc_lane *lane = connect_lane(NULL);
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, 100));
        if (i % 10 == 0) {
            child_spawn(&forked, call_in_child, lane);
            child_expect_exit(&forked, 0);
        }
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, 100));
        shmrpc_lane_free(lane);
    }
    counts_expect_same(&before);
    await_true(atomic_load(&seen->disconnected) == 50);
}
END_TEST

START_TEST(says_not_sent_after_the_server_s_end)
{
    shmrpc_lane_reply reply = {0};

    start_server(0, 0);
    shmrpc_lane *lane = connect_lane(NULL);
    ck_assert(reverses_rightly(lane, METHOD_REVERSE, 100));
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    await_true(shmrpc_lane_state(lane) == SHMRPC_CLIENT_GONE);
    assert_status(shmrpc_lane_call(lane, METHOD_REVERSE, NULL, 0, NULL, 0, &reply, shmrpc_forever()),
                  SHMRPC_E_NOT_SENT);
    ck_assert_uint_eq(reply.method, SHMRPC_METHOD_ERROR);
    assert_status(shmrpc_lane_send(lane, METHOD_NOTE, NULL, 0, shmrpc_forever()), SHMRPC_E_NOT_SENT);
    shmrpc_lane_free(lane);
}
END_TEST

START_TEST(connects_again_where_it_is_asked_to)
{
    const shmrpc_client_options options = {.reconnect = true};
    shmrpc_lane *lane;

    start_server(100, 100);
    lane = connect_lane(&options);
    for (int round = 0; round < 3; round++) {
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, 60));
        ck_assert_int_eq(kill(server.pid, SIGKILL), 0);
        child_expect_signal(&server, SIGKILL);
        await_true(shmrpc_lane_state(lane) == SHMRPC_CLIENT_RECONNECTING);
        ck_assert_int_eq(close(gate[0]) + close(gate[1]), 0);
        atomic_store(&seen->pid, 0);
        atomic_fetch_add(&seen->disconnected, 1); /* what the dead one did not count */
        start_server(100, 100);
        ck_assert(reverses_rightly(lane, METHOD_REVERSE, 40));
        ck_assert_int_eq(shmrpc_lane_state(lane), SHMRPC_CLIENT_UP);
        ck_assert_uint_eq(atomic_load(&seen->connected), (uint64_t)round + 2);
    }
    shmrpc_lane_free(lane);
}
END_TEST

static Suite *lanes_suite(void)
{
    Suite *suite = suite_create("ipc_lanes");
    TCase *tests = tcase_create("lanes");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, answers_bytes_of_every_size_up_to_the_limit);
    tcase_add_test(tests, answers_bytes_of_the_largest_message_that_there_is);
    tcase_add_test(tests, answers_messages_that_always_fit_a_slot);
    tcase_add_loop_test(tests, answers_bytes_around_the_size_of_a_block_and_far_beyond, 0, 5);
    tcase_add_test(tests, answers_a_gibibyte);
    tcase_add_test(tests, carries_every_method_number_but_the_error_s);
    tcase_add_test(tests, refuses_what_is_larger_than_the_limit_before_it_is_sent);
    tcase_add_test(tests, copies_nothing_of_a_reply_that_does_not_fit_the_buffer);
    tcase_add_test(tests, gives_the_handler_s_error_with_its_bytes);
    tcase_add_test(tests, turns_what_a_handler_may_not_return_into_internal);
    tcase_add_test(tests, sends_without_waiting_and_drops_the_answers);
    tcase_add_test(tests, times_out_and_answers_rightly_after_a_late_reply);
    tcase_add_test(tests, refuses_another_s_limits_and_a_typed_service);
    tcase_add_test(tests, refuses_limits_that_are_too_large);
    tcase_add_test(tests, refuses_pointers_that_do_not_fit_their_sizes);
    tcase_add_test(tests, refuses_a_forked_child_and_leaves_nothing_behind);
    tcase_add_test(tests, says_not_sent_after_the_server_s_end);
    tcase_add_test(tests, connects_again_where_it_is_asked_to);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lanes_suite)
