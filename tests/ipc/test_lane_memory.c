/* SPDX-License-Identifier: Apache-2.0 */
/* test_lane_memory.c - what `shmc layout` says that a lane takes is what a client of the service has mapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.shm.h"
#include "test_support.h"

/* One server that nobody calls, and one connection to it. */
#define SERVICE(prefix)                                                                          \
    static int prefix##_serve(child_link *link, void *data)                                      \
    {                                                                                            \
        static const prefix##_ops ops;                                                           \
        static prefix##_server server;                                                           \
        (void)data;                                                                              \
        child_check(prefix##_server_init(&server, &ops, "lanes", NULL) == 0, "init");            \
        link_signal(link, 's');                                                                  \
        int rc = prefix##_server_run(&server);                                                   \
        prefix##_server_deinit(&server);                                                         \
        return rc == 0 ? 0 : 1;                                                                  \
    }                                                                                            \
    static uint64_t prefix##_measure(void)                                                       \
    {                                                                                            \
        prefix##_client *client;                                                                 \
        ck_assert_msg(prefix##_connect(&client, "lanes", NULL) == 0, "%s", shmrpc_last_error()); \
        uint64_t bytes = mapped_bytes();                                                         \
        prefix##_client_free(client);                                                            \
        return bytes;                                                                            \
    }

/* Of all shared memory of this library that this process has. */
static uint64_t mapped_bytes(void)
{
    char line[512];
    uint64_t bytes = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        char *dash;
        if (!strstr(line, "memfd:shmrpc"))
            continue;
        uint64_t start = strtoull(line, &dash, 16);
        ck_assert_int_eq(*dash, '-');
        bytes += strtoull(dash + 1, NULL, 16) - start;
    }
    fclose(maps);
    return bytes;
}

SERVICE(slots)
SERVICE(requests)
SERVICE(answers)
SERVICE(both)
SERVICE(large)
SERVICE(pictures)

typedef struct service {
    const char *name;
    child_main_fn *serve;
    uint64_t (*measure)(void);
    uint64_t blocks_least; /* bytes: so that the case is what it is meant to be */
} service;

static const service services[] = {
    {"Slots", slots_serve, slots_measure, 0},
    {"Requests", requests_serve, requests_measure, (uint64_t)8 * 64},
    {"Answers", answers_serve, answers_measure, (uint64_t)8 * 128},
    {"Both", both_serve, both_measure, (uint64_t)8 * (5056 + 3008)},
    {"Largest", large_serve, large_measure, (uint64_t)4 * 65536},
    {"Pictures", pictures_serve, pictures_measure, (uint64_t)4 * (60032 + 64) + (uint64_t)2 * 3000000},
};

/* What shmc says of a service: the JSON that it writes ends with a brace on a line of its own. */
static uint64_t told_bytes(const char *name)
{
    const char *const command[] = {SHMC, "layout", "--max-message=4000000", "--format=json", SCHEMA, name, NULL};
    char line[512] = "";
    bool in_lane = false;
    uint64_t bytes = 0;
    child shmc;

    child_start(&shmc, command);
    while (strcmp(line, "}") != 0) {
        link_read_line(&shmc.link, line, sizeof line);
        const char *value = strstr(line, "\"bytes\": ");
        in_lane = in_lane || strstr(line, "\"lane\":");
        if (in_lane && bytes == 0 && value)
            bytes = strtoull(value + strlen("\"bytes\": "), NULL, 10);
        value = strstr(line, "\"arena\": ");
        if (in_lane && value)
            bytes += strtoull(value + strlen("\"arena\": "), NULL, 10);
    }
    child_expect_exit(&shmc, 0);
    return bytes;
}

START_TEST(a_lane_takes_what_the_compiler_says)
{
    const service *each = &services[_i];
    child server;

    runtime_dir_make();
    child_spawn(&server, each->serve, NULL);
    link_await(&server.link, 's');
    uint64_t taken = each->measure();
    ck_assert_uint_ge(taken, (uint64_t)768 + (uint64_t)128 * 64 + each->blocks_least);
    ck_assert_uint_eq(taken, told_bytes(each->name));
    ck_assert_uint_eq(mapped_bytes(), 0);
    child_kill(&server);
    runtime_dir_remove();
}
END_TEST

static Suite *lane_memory_suite(void)
{
    Suite *suite = suite_create("ipc_lane_memory");
    TCase *tests = tcase_create("services");

    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, a_lane_takes_what_the_compiler_says, 0, sizeof services / sizeof services[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lane_memory_suite)
