/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sealed_servers.c - a client with the option seal_from, and rogue servers: that offer to take sealed requests or
 * do not, and do with them what they like.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.shm.h"
#include "rogue.h"
#include "runtime/platform/sealed.h"
#include "runtime/platform/socket.h"
#include "runtime/sealed_box.h"

#define NAME "rogue"
#define CALLS_MAX 800u /* more than a socket takes packets */
#define COPIES 10u     /* that it looks at then */
#define COUNT 100000u
#define METHODS_MAX 64u

typedef struct victim {
    pthread_t thread;
    uint32_t calls; /* given: how many it makes, one after the other, */
    uint32_t count; /* and with so many bytes */
    int connect_status, status;
    uint32_t answered;
} victim;

static int listener;
static counts before;

static void setup(void)
{
    runtime_dir_make();
    counts_take(&before);
    listener = rogue_listen(NAME);
}

static void teardown(void)
{
    close(listener);
    before.runtime_entries = 1; /* the rogue's socket, which nobody unlinks */
    counts_expect_same(&before);
    runtime_dir_remove();
}

static uint8_t byte_of(uint64_t i)
{
    return (uint8_t)(i * 31 + i / 251 + 7);
}

/* A request in place, whose answer has to be the number of the call. */
static int look(large_client *client, uint32_t count, uint32_t number)
{
    large_look_call call = {0};
    large_look_reply seen;
    large_frame *lent = NULL;
    int rc = large_look_loan(client, &call, &lent);

    if (rc != 0)
        return rc;
    lent->data.count = count;
    for (uint32_t i = 0; i < count; i++)
        lent->data.items[i] = byte_of(i);
    rc = large_look_start_loaned(&call, shmrpc_in_s(20));
    if (rc != 0) {
        lent->data.items[0]++; /* it is the caller's still */
        large_look_abandon(&call);
        return rc;
    }
    rc = large_look_wait(&call, &seen);
    return rc == 0 && seen.sum != number ? SHMRPC_E_INTERNAL : rc;
}

static void *victim_main(void *data)
{
    victim *self = data;
    large_client *client = NULL;

    self->connect_status = large_connect(&client, NAME, &(shmrpc_client_options){.seal_from = 1});
    while (self->connect_status == 0 && self->status == 0 && self->answered < self->calls) {
        self->status = look(client, self->count, self->answered);
        self->answered += self->status == 0;
    }
    large_client_free(client);
    return NULL;
}

/* Starts the victim and lets it connect. */
static void meet(victim *self, rogue *server, bool sealed, bool has_arena)
{
    uint32_t numbers[METHODS_MAX];

    ck_assert_int_eq(pthread_create(&self->thread, NULL, victim_main, self), 0);
    control_packet *packet = rogue_accept(server, listener);
    ck_assert_ptr_nonnull(packet);
    const control_hello *hello = &packet->as.hello;
    ck_assert_uint_le(hello->method_count, METHODS_MAX);
    for (uint32_t i = 0; i < hello->method_count; i++)
        numbers[i] = i;
    region_geometry geometry = region_plan(hello->depth, hello->blocks, SHMRPC_MESSAGE_MAX, SHMRPC_MESSAGE_MAX);
    uint64_t arena_size = has_arena ? shmrpc_arena_size(hello->request_size, hello->reply_size) : 0;
    geometry.arena_units = (uint32_t)(arena_size / SHMRPC_ARENA_UNIT);
    server->memory.geometry = geometry;
    const control_packet welcome = {.kind = CONTROL_WELCOME,
                                    .as.welcome = {.text = "",
                                                   .protocol = CONTROL_PROTOCOL,
                                                   .depth = geometry.depth,
                                                   .request_block_size = geometry.request_block_size,
                                                   .request_block_count = geometry.request_block_count,
                                                   .reply_block_size = geometry.reply_block_size,
                                                   .reply_block_count = geometry.reply_block_count,
                                                   .arena_size = arena_size,
                                                   .method_numbers = numbers,
                                                   .method_count = hello->method_count,
                                                   .session = 1,
                                                   .sealed = sealed,
                                                   .runtime = "rogue"}};
    ck_assert(rogue_admit(server, &welcome));
    control_packet_free(packet);
}

/* Awaits the next request, whatever comes over the socket. Is it said to be in sealed memory? */
static bool await_sealed(rogue *server)
{
    const slot *at = region_slot(&server->memory, server->next);
    slot_extents extents;

    await_true((atomic_load(&at->word) & ~WORD_MARKS) == word_request(server->next, server->memory.shift));
    ck_assert_uint_eq(at->request_block, 255);
    memcpy(&extents, at->payload, sizeof(extents));
    return extents.request == EXTENT_SEALED;
}

static void answer(rogue *server, uint64_t number)
{
    slot reply = rogue_slot(0, 0, 0, sizeof(large_look_reply));

    memcpy(reply.payload, &number, sizeof(number));
    rogue_reply(server, &reply, 0);
}

/* The memory of the request at this position, which has come. The descriptor is the caller's to close. */
static int take_memory(rogue *server, uint64_t position)
{
    static unsigned char bytes[SOCKET_PACKET_MAX];
    struct pollfd readable = {.fd = server->socket, .events = POLLIN};
    control_packet *packet = NULL;
    const char *reason = NULL;
    socket_packet envelope;

    ck_assert_int_eq(poll(&readable, 1, TEST_PATIENCE_MS), 1);
    ck_assert_int_eq(socket_receive(server->socket, bytes, sizeof(bytes), &envelope), 0);
    ck_assert_int_eq(control_decode(bytes, envelope.length, &packet, &reason), 0);
    ck_assert_int_eq(packet->kind, CONTROL_SEALED);
    ck_assert_uint_eq(packet->as.sealed, position);
    ck_assert_uint_eq(envelope.descriptor_count, 1);
    int taken = envelope.descriptors[0];
    envelope.descriptors[0] = -1;
    socket_packet_deinit(&envelope);
    control_packet_free(packet);
    return taken;
}

static void expect_request(int descriptor, uint32_t count)
{
    const void *base = NULL;
    size_t size = 0;

    ck_assert_int_eq(sealed_adopt(descriptor, sizeof(large_frame), &size, &base), 0);
    ck_assert_uint_eq(size, (offsetof(large_frame, data.items) + count + 4095) / 4096 * 4096);
    const large_frame *frame = base;
    ck_assert_uint_eq(frame->data.count, count);
    for (uint32_t i = 0; i < sizeof(frame->data.items); i++)
        if (frame->data.items[i] != (i < count ? byte_of(i) : 0))
            ck_abort_msg("byte %u of %u", i, count);
    sealed_unmap(base, sizeof(large_frame));
}

/* Also where it gives no arena, for which no request of the client's asks then. */
START_TEST(is_sent_what_it_offers_to_take)
{
    victim client = {.calls = 3, .count = COUNT};
    rogue server;

    meet(&client, &server, true, _i == 0);
    for (uint32_t i = 0; i < client.calls; i++) {
        int taken = take_memory(&server, server.next);

        ck_assert(await_sealed(&server));
        expect_request(taken, COUNT);
        ck_assert_int_eq((int)pwrite(taken, "x", 1, 0), -1);
        close(taken);
        answer(&server, i);
    }
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.connect_status, 0);
    assert_status(client.status, 0);
    ck_assert_uint_eq(client.answered, client.calls);
    rogue_leave(&server);
}
END_TEST

START_TEST(is_sent_nothing_where_it_does_not)
{
    victim client = {.calls = 3, .count = COUNT};
    rogue server;

    meet(&client, &server, false, true);
    for (uint32_t i = 0; i < client.calls; i++) {
        struct pollfd readable = {.fd = server.socket, .events = POLLIN};

        ck_assert(!await_sealed(&server));
        ck_assert_int_eq(poll(&readable, 1, 0), 0);
        answer(&server, i);
    }
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.status, 0);
    ck_assert_uint_eq(client.answered, client.calls);
    rogue_leave(&server);
}
END_TEST

/* After the memory has been sealed and sent, what stands in the call's slot is found to be no free word. */
START_TEST(may_keep_it_from_being_published)
{
    victim client = {.calls = 2, .count = COUNT};
    rogue server;

    meet(&client, &server, true, true);
    close(take_memory(&server, server.next));
    ck_assert(await_sealed(&server));
    atomic_fetch_xor(&region_slot(&server.memory, server.next + 1)->word, 0x50);
    answer(&server, 0);
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.status, SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(client.answered, 1);
    rogue_leave(&server);
}
END_TEST

static void drain(const rogue *server)
{
    static unsigned char bytes[SOCKET_PACKET_MAX];
    socket_packet envelope;

    while (socket_receive(server->socket, bytes, sizeof(bytes), &envelope) == 0)
        socket_packet_deinit(&envelope);
}

/* Until its socket is full; then the client copies, and waits for nobody. Once there is room, it seals again. */
START_TEST(may_leave_it_in_its_socket)
{
    victim client = {.calls = CALLS_MAX, .count = 1};
    unsigned sealed = 0, copied = 0;
    rogue server;

    meet(&client, &server, true, true);
    for (uint32_t i = 0; i < client.calls; i++) {
        if (!await_sealed(&server))
            copied++;
        else if (copied == COPIES)
            break;
        else
            sealed++;
        if (copied == COPIES)
            drain(&server);
        answer(&server, i);
    }
    ck_assert_uint_gt(sealed, SEALED_MAX);
    ck_assert_uint_eq(copied, COPIES);
    rogue_leave(&server);
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.status, SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(client.answered, sealed + copied);
}
END_TEST

static Suite *sealed_servers_suite(void)
{
    Suite *suite = suite_create("hostile_sealed_servers");
    TCase *tests = tcase_create("sealed_servers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, is_sent_what_it_offers_to_take, 0, 2);
    tcase_add_test(tests, is_sent_nothing_where_it_does_not);
    tcase_add_test(tests, may_leave_it_in_its_socket);
    tcase_add_test(tests, may_keep_it_from_being_published);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(sealed_servers_suite)
