/* SPDX-License-Identifier: Apache-2.0 */
#include "large_pair.h"

#include <signal.h>
#include <stdlib.h>

child process;
large_client *client;
large_frame *request, *reply;
static counts before;

void start_server(shmrpc_server_options *options)
{
    child_spawn(&process, large_service, options);
    link_await(&process.link, 's');
}

void end_server(void)
{
    ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
    child_expect_exit(&process, 0);
}

large_client *connect_with(uint64_t arena_size)
{
    const shmrpc_client_options options = {.arena_size = arena_size, .metadata = 64};
    large_client *made = NULL;

    assert_status(large_connect(&made, "large", &options), 0);
    return made;
}

void setup(void)
{
    runtime_dir_make();
    counts_take(&before);
    start_server(NULL);
    assert_status(large_connect(&client, "large", NULL), 0);
    request = malloc(sizeof(*request));
    reply = malloc(sizeof(*reply));
    ck_assert(request != NULL && reply != NULL);
}

void teardown(void)
{
    large_client_free(client);
    end_server();
    free(request);
    free(reply);
    counts_expect_same(&before);
    runtime_dir_remove();
}

uint8_t byte_of(uint32_t seed, uint32_t i)
{
    return (uint8_t)(i * 31 + i / 251 + seed);
}

void make_request(large_frame *frame, uint32_t seed, uint32_t count)
{
    frame->sum = 0;
    frame->data.count = count;
    for (uint32_t i = 0; i < count; i++)
        frame->data.items[i] = byte_of(seed, i);
}

void expect_turned(const large_frame *got, uint32_t seed, uint32_t count)
{
    uint64_t sum = 0;

    ck_assert_uint_eq(got->data.count, count);
    for (uint32_t i = 0; i < count; i++) {
        sum += byte_of(seed, i);
        if (got->data.items[count - 1 - i] != byte_of(seed, i))
            ck_abort_msg("byte %u of %u", i, count);
    }
    ck_assert_uint_eq(got->sum, sum);
}

int turn_with(large_client *by, uint32_t seed, uint32_t count, shmrpc_deadline deadline)
{
    make_request(request, seed, count);
    int rc = large_turn(by, request, reply, deadline);
    if (rc == 0)
        expect_turned(reply, seed, count);
    return rc;
}

void start_turn(large_client *by, large_turn_call *call, uint32_t seed, uint32_t count)
{
    make_request(request, seed, count);
    assert_status(large_turn_start(by, call, request, shmrpc_default()), 0);
}

void expect_turn(large_turn_call *call, uint32_t seed, uint32_t count)
{
    assert_status(large_turn_wait(call, reply), 0);
    expect_turned(reply, seed, count);
}

void expect_room(large_client *by, uint32_t room)
{
    large_turn_call calls[16] = {0};

    for (uint32_t i = 0; i < room; i++)
        start_turn(by, &calls[i], i, 1048576);
    for (uint32_t i = 0; i < room; i++)
        expect_turn(&calls[i], i, 1048576);
}

void start_put_off(large_client *by, large_put_off_call *call, uint32_t seed, uint32_t count)
{
    make_request(request, seed, count);
    assert_status(large_put_off_start(by, call, request, shmrpc_default()), 0);
}

/* What has been started before has been begun: calls are, in order. */
void let_all_begin(large_client *by)
{
    large_ping_reply pong;

    assert_status(large_ping(by, &(large_ping_request){.value = 1}, &pong, shmrpc_default()), 0);
    ck_assert_uint_eq(pong.value, 2);
}

void release_all(large_client *by, uint32_t count)
{
    large_release_reply released;

    assert_status(large_release(by, &(large_release_request){.count = count}, &released, shmrpc_default()), 0);
    ck_assert_uint_eq(released.count, count);
}
