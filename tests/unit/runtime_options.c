/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/options.h"
#include "runtime/platform/clock.h"
#include "runtime/platform/cpu.h"

#include <shmrpc/deadline.h>
#include <shmrpc/wire.h>

#include <string.h>

typedef struct client_row {
    shmrpc_client_options options;
    int status;
    const char *text;
} client_row;

static const client_row client_rows[] = {
    {{0}, 0, NULL},
    {{.connect_timeout_ns = INT64_MAX, .call_timeout_ns = INT64_MAX, .spin_ns = INT64_MAX}, 0, NULL},
    {{.depth = 2, .blocks = 1, .spin_ns = SHMRPC_SPIN_NONE}, 0, NULL},
    {{.depth = 65536, .blocks = 254}, 0, NULL},
    {{.connect_timeout_ns = -1}, SHMRPC_E_MISUSE, "connect_timeout_ns is below 0: -1"},
    {{.call_timeout_ns = INT64_MIN}, SHMRPC_E_MISUSE, "call_timeout_ns is below 0: -9223372036854775808"},
    {{.spin_ns = -2}, SHMRPC_E_MISUSE, "spin_ns is not a time: -2"},
    {{.reconnect = true}, 0, NULL},
    {{.reconnect = true, .retry_idempotent = true}, 0, NULL},
    {{.retry_idempotent = true}, SHMRPC_E_MISUSE, "retry_idempotent needs reconnect"},
    {{.depth = 1}, SHMRPC_E_MISUSE, "depth is 1: it has to be a power of two, at least 2"},
    {{.depth = 3}, SHMRPC_E_MISUSE, "depth is 3: it has to be a power of two, at least 2"},
    {{.depth = 65535}, SHMRPC_E_MISUSE, "depth is 65535: it has to be a power of two, at least 2"},
    {{.depth = 65537}, SHMRPC_E_TOO_LARGE, "depth is too large: 65537, the limit is 65536"},
    {{.depth = UINT32_MAX}, SHMRPC_E_TOO_LARGE, "depth is too large: 4294967295, the limit is 65536"},
    {{.blocks = 255}, SHMRPC_E_TOO_LARGE, "blocks is too large: 255, the limit is 254"},
    {{.metadata = 1024, .send_times = true}, 0, NULL},
    {{.metadata = 1025}, SHMRPC_E_TOO_LARGE, "metadata is too large: 1025, the limit is 1024"},
    {{.arena_size = SHMRPC_ARENA_MOST, .huge_pages = true}, 0, NULL},
    {{.arena_size = SHMRPC_ARENA_MOST + 1},
     SHMRPC_E_TOO_LARGE,
     "arena_size is too large: 4294967297, the limit is 4294967296"},
    {{.reserved = {[2] = 1}}, SHMRPC_E_MISUSE, "a reserved option is not zero: were the options initialised?"},
};

START_TEST(checks_the_options_of_a_client)
{
    const client_row *row = &client_rows[_i];

    ck_assert_int_eq(options_check_client(&row->options), row->status);
    if (row->text != NULL) {
        ck_assert_str_eq(shmrpc_last_error(), row->text);
    }
}
END_TEST

typedef struct server_row {
    shmrpc_server_options options;
    int status;
    const char *text;
} server_row;

static const server_row server_rows[] = {
    {{0}, 0, NULL},
    {{.spin_ns = INT64_MAX, .handshake_timeout_ns = INT64_MAX, .max_sessions = 65536, .max_depth = 65536}, 0, NULL},
    {{.session_state_size = (size_t)64 * 1024 * 1024, .mode = 0777}, 0, NULL},
    {{.spin_ns = INT64_MIN}, SHMRPC_E_MISUSE, "spin_ns is not a time: -9223372036854775808"},
    {{.handshake_timeout_ns = -5}, SHMRPC_E_MISUSE, "handshake_timeout_ns is below 0: -5"},
    {{.max_depth = 6}, SHMRPC_E_MISUSE, "max_depth is 6: it has to be a power of two, at least 2"},
    {{.max_depth = 131072}, SHMRPC_E_TOO_LARGE, "max_depth is too large: 131072, the limit is 65536"},
    {{.max_sessions = 65537}, SHMRPC_E_TOO_LARGE, "max_sessions is too large: 65537, the limit is 65536"},
    {{.session_state_size = (size_t)64 * 1024 * 1024 + 1},
     SHMRPC_E_TOO_LARGE,
     "session_state_size is too large: 67108865, the limit is 67108864"},
    {{.mode = 01000}, SHMRPC_E_MISUSE, "mode is not permission bits: 01000"},
    {{.workers = 64, .max_sessions_per_uid = UINT32_MAX, .max_lanes_per_uid = UINT32_MAX, .stop_timeout_ns = INT64_MAX},
     0,
     NULL},
    {{.workers = 65}, SHMRPC_E_TOO_LARGE, "workers is too large: 65, the limit is 64"},
    {{.stop_timeout_ns = -1}, SHMRPC_E_MISUSE, "stop_timeout_ns is below 0: -1"},
    {{.max_arena_size = SHMRPC_ARENA_MOST}, 0, NULL},
    {{.max_arena_size = UINT64_MAX},
     SHMRPC_E_TOO_LARGE,
     "max_arena_size is too large: 18446744073709551615, the limit is 4294967296"},
    {{.reserved = {1}}, SHMRPC_E_MISUSE, "a reserved option is not zero: were the options initialised?"},
};

START_TEST(checks_the_options_of_a_server)
{
    const server_row *row = &server_rows[_i];

    ck_assert_int_eq(options_check_server(&row->options), row->status);
    if (row->text != NULL) {
        ck_assert_str_eq(shmrpc_last_error(), row->text);
    }
}
END_TEST

static void expect_spin(int64_t option, int64_t ns, bool adapts)
{
    const spin spins = options_spin(option);

    ck_assert_int_eq(spins.now_ns, ns);
    ck_assert_int_eq(spins.most_ns, ns);
    ck_assert(spins.adapts == adapts);
}

START_TEST(zero_stands_for_the_default)
{
    ck_assert_int_eq(options_timeout_ns(0), SHMRPC_DEFAULT_TIMEOUT_NS);
    ck_assert_int_eq(options_timeout_ns(1), 1);
    ck_assert_int_eq(options_timeout_ns(INT64_MAX), CLOCK_NEVER);
    expect_spin(SHMRPC_SPIN_ADAPTIVE, cpu_online_count() > 1 ? 50000 : 0, cpu_online_count() > 1);
    expect_spin(SHMRPC_SPIN_NONE, 0, false);
    expect_spin(SHMRPC_SPIN_FOREVER, CLOCK_NEVER, false);
    expect_spin(1234, 1234, false);
}
END_TEST

START_TEST(deadlines_saturate_and_never_pass_for_the_default)
{
    ck_assert_int_eq(shmrpc_default().timeout_ns, 0);
    ck_assert_int_eq(shmrpc_forever().timeout_ns, INT64_MAX);
    ck_assert_int_eq(shmrpc_in_ns(0).timeout_ns, 1);
    ck_assert_int_eq(shmrpc_in_ns(INT64_MIN).timeout_ns, 1);
    ck_assert_int_eq(shmrpc_in_us(3).timeout_ns, 3000);
    ck_assert_int_eq(shmrpc_in_ms(-3).timeout_ns, 1);
    ck_assert_int_eq(shmrpc_in_s(2).timeout_ns, 2000000000);
    ck_assert_int_eq(shmrpc_in_s(INT64_MAX / 1000000000).timeout_ns, INT64_MAX / 1000000000 * 1000000000);
    ck_assert_int_eq(shmrpc_in_s(INT64_MAX / 1000000000 + 1).timeout_ns, INT64_MAX);
    ck_assert_int_eq(shmrpc_in_ms(INT64_MAX).timeout_ns, INT64_MAX);
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("runtime_options");
    TCase *tests = tcase_create("options");

    tcase_add_loop_test(tests, checks_the_options_of_a_client, 0, sizeof(client_rows) / sizeof(client_rows[0]));
    tcase_add_loop_test(tests, checks_the_options_of_a_server, 0, sizeof(server_rows) / sizeof(server_rows[0]));
    tcase_add_test(tests, zero_stands_for_the_default);
    tcase_add_test(tests, deadlines_saturate_and_never_pass_for_the_default);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(options_suite)
