/* SPDX-License-Identifier: Apache-2.0 */
/* test_typed.c - calls through the functions that shmc generates from typed.shm, between two processes. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "test_support.h"
#include "typed.shm.h"

#define assert_status(call, wanted)                                                                       \
    do {                                                                                                  \
        int assert_status_got = (call);                                                                   \
        ck_assert_msg(assert_status_got == (wanted), "%s: %d (%s: %s), not %d", #call, assert_status_got, \
                      shmrpc_status_text(assert_status_got), shmrpc_last_error(), (int)(wanted));         \
    } while (0)

/* ---- the server ---- */

/* Handlers find it around the generated server. */
typedef struct typed_application {
    typed_server server;
    uint64_t magic;
    child_link *link;
} typed_application;

#define MAGIC UINT64_C(0x5ca1ab1e)

typedef struct typed_session {
    uint64_t connected;
    uint64_t count;
    uint64_t sum;
} typed_session;

SHMRPC_SESSION_STATE(session_of, typed_session);

static typed_application application;

static bool is_ours(typed_server *server, const shmrpc_context *context)
{
    return ((typed_application *)(void *)server)->magic == MAGIC && session_of(context->session)->connected == 1;
}

static int echo(typed_server *server, typed_echo_context *context, const typed_profile *request, typed_profile *reply)
{
    static const typed_range range = {.lowest = 1, .highest = 1000};

    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    if (request->id == 0)
        return TYPED_ERROR_EMPTY;
    if (request->id > 1000)
        return typed_echo_throw_out_of_range(context, &range);
    *reply = *request;
    return 0;
}

static int renew(typed_server *server, typed_renew_context *context, const typed_renew_request *request,
                 typed_profile *reply)
{
    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    reply->id = request->id;
    return 0;
}

static int greet(typed_server *server, typed_greet_context *context, const typed_greeting *request, typed_seen *reply)
{
    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    memcpy(reply->bytes, request, sizeof(*request));
    return 0;
}

static int refuse(typed_server *server, typed_refuse_context *context, const typed_refuse_request *request)
{
    typed_reason reason = {.code = (uint32_t)request->code};
    typed_range range = {.lowest = request->code, .highest = 9};
    static const char text[] = "because of \xe2\x82\xac";

    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    switch (request->code) {
    case TYPED_ERROR_REFUSED:
        if (!typed_reason_set_text(&reason, text, sizeof(text) - 1))
            return SHMRPC_E_INTERNAL;
        return typed_refuse_throw_refused(context, &reason);
    case TYPED_ERROR_OUT_OF_RANGE: return typed_refuse_throw_out_of_range(context, &range);
    default: return request->code;
    }
}

static int reverse(typed_server *server, typed_reverse_context *context, const typed_bulk *request, typed_bulk *reply)
{
    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    reply->data.count = request->data.count;
    for (uint32_t i = 0; i < request->data.count; i++) {
        reply->sum += request->data.items[i];
        reply->data.items[i] = request->data.items[request->data.count - 1u - i];
    }
    return 0;
}

static int hold(typed_server *server, typed_hold_context *context)
{
    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    link_signal(application.link, 'h');
    link_await(application.link, 'g');
    return 0;
}

static void count(typed_server *server, typed_count_context *context, const typed_count_request *request)
{
    typed_session *session = session_of(context->base.session);

    if (!is_ours(server, &context->base))
        return;
    session->count++;
    session->sum += request->value;
}

static int counted(typed_server *server, typed_counted_context *context, typed_counted_reply *reply)
{
    const typed_session *session = session_of(context->base.session);

    if (!is_ours(server, &context->base))
        return SHMRPC_E_INTERNAL;
    reply->count = session->count;
    reply->sum = session->sum;
    return 0;
}

static void connected(typed_server *server, shmrpc_session *session)
{
    session_of(session)->connected = ((typed_application *)(void *)server)->magic == MAGIC ? 1 : 7;
}

static void disconnected(typed_server *server, shmrpc_session *session, int why)
{
    (void)server;
    child_check(session_of(session)->connected == 1 && why == SHMRPC_WHY_CLOSED, "a session ended wrongly");
    session_of(session)->connected = 2;
    link_signal(application.link, 'd');
}

static const typed_ops ops = {
    .echo = echo,
    .renew = renew,
    .greet = greet,
    .refuse = refuse,
    .reverse = reverse,
    .hold = hold,
    .count = count,
    .counted = counted,
    .connected = connected,
    .disconnected = disconnected,
};

static void on_terminate(int signal_number)
{
    (void)signal_number;
    typed_server_stop(&application.server);
}

static int server_main(child_link *link, void *data)
{
    const shmrpc_server_options options = {.session_state_size = sizeof(typed_session)};
    struct sigaction action = {.sa_handler = on_terminate};

    (void)data;
    application = (typed_application){.magic = MAGIC, .link = link};
    child_check(typed_server_init(&application.server, &ops, "typed", &options) == 0, "init");
    sigaction(SIGTERM, &action, NULL);
    link_signal(link, 's');
    int rc = typed_server_run(&application.server);
    typed_server_deinit(&application.server);
    return rc == 0 ? 0 : 1;
}

/* ---- the client ---- */

static child server;
static typed_client *client;

static void setup(void)
{
    runtime_dir_make();
    child_spawn(&server, server_main, NULL);
    link_await(&server.link, 's');
    assert_status(typed_connect(&client, "typed", NULL), 0);
}

static void teardown(void)
{
    typed_client_free(client);
    link_await(&server.link, 'd');
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    child_expect_exit(&server, 0);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

static typed_profile a_profile(void)
{
    typed_profile profile;

    typed_profile_init(&profile);
    profile.id = 42;
    profile.color = TYPED_COLOR_BLUE;
    profile.active = 1;
    typed_profile_set_score(&profile, 2.5);
    profile.ttl_s = 7;
    ck_assert(typed_profile_set_name(&profile, "J\xc3\xbcrgen", 7));
    return profile;
}

START_TEST(answers_a_call_with_every_field)
{
    const typed_profile request = a_profile();
    typed_profile reply;

    for (int i = 0; i < 200; i++) {
        memset(&reply, 0xee, sizeof(reply));
        assert_status(typed_echo(client, &request, &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply.id, 42);
        ck_assert_uint_eq(reply.color, TYPED_COLOR_BLUE);
        ck_assert_uint_eq(reply.active, 1);
        ck_assert_uint_eq(reply.has_score, 1);
        ck_assert_double_eq(reply.score, 2.5);
        ck_assert_uint_eq(reply.ttl_s, 7);
        ck_assert_uint_eq(reply.name.length, 7);
        ck_assert_str_eq(reply.name.text, "J\xc3\xbcrgen");
        ck_assert_uint_eq(reply.padding_1_[0], 0);
    }
}
END_TEST

START_TEST(sends_nothing_of_what_lies_in_padding_and_beyond_lengths)
{
    typed_profile request, reply, wanted = a_profile();

    memset(&request, 0xee, sizeof(request));
    request.id = 42;
    request.color = TYPED_COLOR_BLUE;
    request.active = 1;
    request.has_score = 0;
    request.ttl_s = 7;
    ck_assert(typed_profile_set_name(&request, "J\xc3\xbcrgen", 7));
    typed_profile_clear_score(&wanted);
    wanted.score = 0;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), 0);
    /* The whole struct, byte by byte. */
    ck_assert_mem_eq(&reply, &wanted, sizeof(reply));
}
END_TEST

START_TEST(begins_a_reply_as_its_default_image)
{
    typed_profile reply;

    assert_status(typed_renew(client, &(typed_renew_request){.id = 9}, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply.id, 9);
    ck_assert_uint_eq(reply.ttl_s, 60);
    ck_assert_uint_eq(reply.has_score, 0);
    ck_assert_str_eq(reply.name.text, "nobody");
    ck_assert_uint_eq(reply.name.length, 6);
}
END_TEST

START_TEST(hands_over_a_short_request_with_the_rest_as_in_its_default_image)
{
    static const char names[][21] = {"ab", "", "abcdefgh"};
    typed_greeting request, initial;
    typed_seen seen;

    ck_assert_uint_le(sizeof(request), sizeof(seen.bytes));
    typed_greeting_init(&initial);
    typed_greeting_init(&request);
    ck_assert(typed_greeting_set_name(&request, "one of twenty bytes.", 20));
    /* Then each slot holds a long one. */
    for (int i = 0; i < SHMRPC_LANE_DEPTH; i++)
        assert_status(typed_greet(client, &request, &seen, shmrpc_default()), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const size_t length = strlen(names[i]);
        const size_t used = (offsetof(typed_greeting, name.text) + length + 1 + 7) / 8 * 8;

        typed_greeting_init(&request);
        ck_assert(typed_greeting_set_name(&request, names[i], length));
        assert_status(typed_greet(client, &request, &seen, shmrpc_default()), 0);
        ck_assert_mem_eq(seen.bytes, &request, offsetof(typed_greeting, name.text) + length + 1);
        if (used < sizeof(request))
            ck_assert_mem_eq(seen.bytes + used, (const unsigned char *)&initial + used, sizeof(request) - used);
    }
}
END_TEST

START_TEST(gives_declared_errors_with_their_payloads)
{
    typed_profile request = a_profile(), reply = request;

    request.id = 0;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), TYPED_ERROR_EMPTY);
    ck_assert_ptr_null(typed_error_out_of_range(client));
    ck_assert_str_eq(typed_error_name(TYPED_ERROR_EMPTY), "EMPTY");

    request.id = 1001;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), TYPED_ERROR_OUT_OF_RANGE);
    const typed_range *range = typed_error_out_of_range(client);
    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(range->lowest, 1);
    ck_assert_int_eq(range->highest, 1000);
    ck_assert_ptr_null(typed_error_refused(client));
    ck_assert_uint_eq(reply.id, 42);

    assert_status(typed_refuse(client, &(typed_refuse_request){.code = TYPED_ERROR_REFUSED}, shmrpc_default()),
                  TYPED_ERROR_REFUSED);
    const typed_reason *reason = typed_error_refused(client);
    ck_assert_ptr_nonnull(reason);
    ck_assert_uint_eq(reason->code, TYPED_ERROR_REFUSED);
    ck_assert_str_eq(reason->text.text, "because of \xe2\x82\xac");
    ck_assert_ptr_null(typed_error_out_of_range(client));

    assert_status(typed_refuse(client, &(typed_refuse_request){.code = 0}, shmrpc_default()), 0);
    ck_assert_ptr_null(typed_error_refused(client));
}
END_TEST

START_TEST(bounds_what_a_handler_returns)
{
    static const int32_t codes[] = {5, 299, 301, 32767, 32768, 70000, -70000, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_status(typed_refuse(client, &(typed_refuse_request){.code = codes[i]}, shmrpc_default()),
                      SHMRPC_E_INTERNAL);
}
END_TEST

START_TEST(answers_unimplemented_where_an_operation_is_null)
{
    assert_status(typed_absent(client, shmrpc_default()), SHMRPC_E_UNIMPLEMENTED);
}
END_TEST

START_TEST(refuses_invalid_fields_at_the_sender_and_names_them)
{
    typed_profile request = a_profile(), reply;

    request.active = 2;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "active"));

    request = a_profile();
    request.has_score = 0xff;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "score"));

    request = a_profile();
    request.name.length = TYPED_NAME_MAX + 1;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "name"));

    request = a_profile();
    request.name.text[1] = (char)0xff;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "name"));

    request = a_profile();
    ck_assert(!typed_profile_set_name(&request, "123456789012345678901", 21));
    ck_assert_str_eq(request.name.text, "J\xc3\xbcrgen");

    /* An enum is flexible: a value that is not known here passes. */
    request = a_profile();
    request.color = 200;
    assert_status(typed_echo(client, &request, &reply, shmrpc_default()), 0);
    ck_assert_uint_eq(reply.color, 200);
    ck_assert(!typed_color_is_known(reply.color));
}
END_TEST

START_TEST(answers_messages_as_large_as_they_can_be)
{
    static typed_bulk request, reply;
    static uint8_t bytes[TYPED_BULK_MAX];
    static const size_t sizes[] = {0, 1, 37, 38, 39, 46, 4096, TYPED_BULK_MAX - 1, TYPED_BULK_MAX};

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < sizes[s]; i++) {
            bytes[i] = (uint8_t)(i * 37 + s);
            sum += bytes[i];
        }
        typed_bulk_init(&request);
        ck_assert(typed_bulk_set_data(&request, bytes, sizes[s]));
        memset(&reply, 0xee, sizeof(reply));
        assert_status(typed_reverse(client, &request, &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply.sum, sum);
        ck_assert_uint_eq(reply.data.count, sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++)
            ck_assert_msg(reply.data.items[i] == bytes[sizes[s] - 1 - i], "byte %zu of %zu", i, sizes[s]);
        /* Padding to a multiple of 8 has come, too. */
        for (size_t i = sizes[s] + 7; i < TYPED_BULK_MAX; i++)
            ck_assert_msg(reply.data.items[i] == 0xee, "byte %zu beyond %zu", i, sizes[s]);
    }
    ck_assert(!typed_bulk_set_data(&request, bytes, TYPED_BULK_MAX + 1));
}
END_TEST

START_TEST(counts_oneways_by_client)
{
    typed_client *other = NULL;
    typed_counted_reply mine, theirs;

    assert_status(typed_connect(&other, "typed", NULL), 0);
    for (uint64_t i = 1; i <= 100; i++) {
        assert_status(typed_count(client, &(typed_count_request){.value = i}, shmrpc_default()), 0);
        if (i % 2 == 0)
            assert_status(typed_count(other, &(typed_count_request){.value = 1000}, shmrpc_default()), 0);
    }
    assert_status(typed_counted(client, &mine, shmrpc_default()), 0);
    assert_status(typed_counted(other, &theirs, shmrpc_default()), 0);
    ck_assert_uint_eq(mine.count, 100);
    ck_assert_uint_eq(mine.sum, 5050);
    ck_assert_uint_eq(theirs.count, 50);
    ck_assert_uint_eq(theirs.sum, 50000);
    typed_client_free(other);
    link_await(&server.link, 'd');
}
END_TEST

START_TEST(ends_a_call_at_the_method_s_own_deadline)
{
    typed_profile request = a_profile(), reply;
    uint64_t begin_ns = test_now_ns();

    assert_status(typed_hold(client, shmrpc_default()), SHMRPC_E_TIMEOUT);
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, 40000000);
    ck_assert_uint_lt(took_ns, TEST_SOON_NS);
    link_await(&server.link, 'h');
    link_signal(&server.link, 'g');
    for (request.id = 1; request.id <= 100; request.id++) {
        assert_status(typed_echo(client, &request, &reply, shmrpc_default()), 0);
        ck_assert_uint_eq(reply.id, request.id);
    }
}
END_TEST

START_TEST(knows_the_state_of_its_server)
{
    ck_assert_int_eq(shmrpc_client_state(typed_client_base(client)), SHMRPC_CLIENT_UP);
    typed_client_free(NULL);
}
END_TEST

static Suite *typed_suite(void)
{
    Suite *suite = suite_create("ipc_typed");
    TCase *tests = tcase_create("typed");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, answers_a_call_with_every_field);
    tcase_add_test(tests, sends_nothing_of_what_lies_in_padding_and_beyond_lengths);
    tcase_add_test(tests, begins_a_reply_as_its_default_image);
    tcase_add_test(tests, hands_over_a_short_request_with_the_rest_as_in_its_default_image);
    tcase_add_test(tests, gives_declared_errors_with_their_payloads);
    tcase_add_test(tests, bounds_what_a_handler_returns);
    tcase_add_test(tests, answers_unimplemented_where_an_operation_is_null);
    tcase_add_test(tests, refuses_invalid_fields_at_the_sender_and_names_them);
    tcase_add_test(tests, answers_messages_as_large_as_they_can_be);
    tcase_add_test(tests, counts_oneways_by_client);
    tcase_add_test(tests, ends_a_call_at_the_method_s_own_deadline);
    tcase_add_test(tests, knows_the_state_of_its_server);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(typed_suite)
