/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_misuse.c - handles used in forked children, options out of range, pointers that are NULL.
 */
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_server.h"

static probe_process server;
static shmrpc_client *client;

static void setup(void)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
    assert_status(probe_connect(&client, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(client, 1, 3));
}

static void teardown(void)
{
    shmrpc_client_free(client);
    probe_process_stop(&server);
    probe_case_end();
}

static int use_inherited_handle(child_link *link, void *data)
{
    uint64_t reply = 5;

    (void)link;
    (void)data;
    child_check(probe_echo(client, 1, &reply, shmrpc_default()) == SHMRPC_E_FORKED, "a call is not FORKED");
    child_check(reply == 5, "the reply was touched");
    child_check(probe_note(client, 1, shmrpc_default()) == SHMRPC_E_FORKED, "a oneway is not FORKED");
    shmrpc_client_free(client);

    /* The child may connect for itself, and only it is the one that called. */
    shmrpc_client *own = NULL;
    child_check(probe_connect(&own, "probe", NULL) == 0, "the child cannot connect");
    child_check(probe_answers_rightly(own, 50, 10), "wrong answers in the child");
    shmrpc_client_free(own);
    return 0;
}

START_TEST(refuses_an_inherited_handle_in_a_forked_child)
{
    child forked;

    child_spawn(&forked, use_inherited_handle, NULL);
    child_expect_exit(&forked, 0);
    /* The parent's own session was not touched by the child's free(). */
    ck_assert(probe_answers_rightly(client, 900, 100));
    ck_assert_uint_eq(atomic_load(&server.state->notes), 0);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 2);
    await_true(atomic_load(&server.state->disconnected) == 1);
}
END_TEST

static int exit_with_inherited_handle(child_link *link, void *data)
{
    (void)data;
    link_signal(link, 'r');
    link_await(link, 'x');
    return 0;
}

START_TEST(ends_the_session_although_a_forked_child_lives_on)
{
    child forked;

    child_spawn(&forked, exit_with_inherited_handle, NULL);
    link_await(&forked.link, 'r');
    shmrpc_client_free(client);
    client = NULL;
    await_true(atomic_load(&server.state->disconnected) == 1);
    link_signal(&forked.link, 'x');
    child_expect_exit(&forked, 0);
}
END_TEST

START_TEST(refuses_client_options_out_of_range)
{
    static const struct {
        shmrpc_client_options options;
        int status;
    } cases[] = {
        {{.depth = 1}, SHMRPC_E_TOO_LARGE},           {{.depth = 3}, SHMRPC_E_TOO_LARGE},
        {{.depth = 100}, SHMRPC_E_TOO_LARGE},         {{.depth = 131072}, SHMRPC_E_TOO_LARGE},
        {{.depth = 0x80000000u}, SHMRPC_E_TOO_LARGE}, {{.blocks = 256}, SHMRPC_E_TOO_LARGE},
        {{.blocks = UINT32_MAX}, SHMRPC_E_TOO_LARGE}, {{.reserved = {1}}, SHMRPC_E_MISUSE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shmrpc_client *refused = client;
        int rc = probe_connect(&refused, "probe", &cases[i].options);
        ck_assert_msg(rc == cases[i].status || rc == SHMRPC_E_MISUSE, "case %zu: %s", i, shmrpc_status_text(rc));
        ck_assert_msg(shmrpc_last_error()[0] != '\0', "case %zu has no text", i);
        ck_assert_ptr_eq(refused, client);
    }
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(refuses_server_options_out_of_range)
{
    static const shmrpc_server_options cases[] = {
        {.max_depth = 3},
        {.max_depth = 1},
        {.max_depth = 131072},
        {.mode = 07777},
        {.reserved = {1}},
        {.handshake_timeout_ns = -1},
        {.session_state_size = SIZE_MAX},
    };
    const shmrpc_server_binding binding = {.service = &probe_service, .operations = cases};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shmrpc_server refused = {0};
        int rc = shmrpc_server_init(&refused, &binding, "other", &cases[i]);
        ck_assert_msg(rc == SHMRPC_E_MISUSE || rc == SHMRPC_E_TOO_LARGE || rc == SHMRPC_E_NO_MEMORY, "case %zu: %s", i,
                      shmrpc_status_text(rc));
        ck_assert_msg(shmrpc_last_error()[0] != '\0', "case %zu has no text", i);
    }
    ck_assert_uint_le(runtime_dir_entries(), 1);
}
END_TEST

START_TEST(refuses_null_where_something_is_needed)
{
    shmrpc_client *refused = NULL;
    shmrpc_server other = {0};
    const shmrpc_server_binding binding = {.service = &probe_service, .operations = &binding}, empty = {0};

    assert_status(probe_connect(NULL, "probe", NULL), SHMRPC_E_MISUSE);
    assert_status(probe_connect(&refused, NULL, NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_connect(&refused, "probe", NULL, NULL), SHMRPC_E_MISUSE);
    ck_assert_ptr_null(refused);
    assert_status(shmrpc_server_init(NULL, &binding, "other", NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_server_init(&other, NULL, "other", NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_server_init(&other, &empty, "other", NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_server_init(&other, &binding, NULL, NULL), SHMRPC_E_MISUSE);
    shmrpc_server_deinit(&other);
    shmrpc_client_free(NULL);
}
END_TEST

START_TEST(takes_every_depth_and_number_of_blocks_that_is_allowed)
{
    static const uint32_t depths[] = {2, 4, 128, 4096, 65536}, blocks[] = {1, 2, 254};

    for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++)
        for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
            shmrpc_client *other = NULL;
            shmrpc_client_options options = {.depth = depths[d], .blocks = blocks[b]};
            assert_status(probe_connect(&other, "probe", &options), 0);
            ck_assert(probe_answers_rightly(other, 10, 2 * (depths[d] < 1000 ? depths[d] : 1000)));
            shmrpc_client_free(other);
        }
}
END_TEST

static Suite *misuse_suite(void)
{
    Suite *suite = suite_create("ipc_misuse");
    TCase *tests = tcase_create("misuse");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, refuses_an_inherited_handle_in_a_forked_child);
    tcase_add_test(tests, ends_the_session_although_a_forked_child_lives_on);
    tcase_add_test(tests, refuses_client_options_out_of_range);
    tcase_add_test(tests, refuses_server_options_out_of_range);
    tcase_add_test(tests, refuses_null_where_something_is_needed);
    tcase_add_test(tests, takes_every_depth_and_number_of_blocks_that_is_allowed);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(misuse_suite)
