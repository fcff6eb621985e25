/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_arenas.c - rogues with an arena: what they send for one, and where in it they say that messages are.
 *
 * The server echoes whatever it is given (echoing.h). Later a rogue is the server.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "echoing.h"
#include "runtime/platform/event.h"
#include "runtime/platform/pages.h"

static void greet(rogue *self)
{
    const control_packet hello = raw_hello(&limits);

    rogue_connect(self, "raw");
    ck_assert(rogue_greet_with(self, &hello));
    ck_assert_uint_eq(self->memory.geometry.arena_units, UNITS);
    ck_assert_uint_eq(self->memory.geometry.request_block_count, 0);
}

/* ---- the arena as it is sent ---- */

typedef enum arena_lie {
    ARENA_MISSING,
    ARENA_MISSING_AND_NOT_SAID,
    ARENA_SAID_TO_BE_LARGER,
    ARENA_SMALLER,
    ARENA_LARGER,
    ARENA_UNSEALED,
    ARENA_SEALED_ALREADY,
    ARENA_IS_THE_MEMORY,
    ARENA_IS_A_DOORBELL,
    ARENA_OF_HUGE_PAGES_THAT_ARE_NOT_THERE,
    ARENA_OF_HUGE_PAGES_AND_LARGER,
    ARENA_OF_HUGE_PAGES_UNSEALED,
    ARENA_OF_ORDINARY_PAGES_THAT_ARE_NOT_THERE,
    ARENA_LIES,
} arena_lie;

static int make_memfd(size_t size, int seals)
{
    int made = memfd_create("rogue", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert(made >= 0 && ftruncate(made, (off_t)size) == 0 && fcntl(made, F_ADD_SEALS, seals) == 0);
    return made;
}

/* Of huge pages, none of which is allocated: it takes no pool to make one. */
static int make_huge(size_t size, int seals)
{
    int made = pages_open(true);

    ck_assert(made >= 0 && ftruncate(made, (off_t)size) == 0 && fcntl(made, F_ADD_SEALS, seals) == 0);
    return made;
}

static bool is_of_huge_pages(arena_lie lie)
{
    return lie == ARENA_OF_HUGE_PAGES_THAT_ARE_NOT_THERE || lie == ARENA_OF_HUGE_PAGES_AND_LARGER ||
           lie == ARENA_OF_HUGE_PAGES_UNSEALED;
}

static bool has_huge_files(void)
{
    int made = pages_open(true);

    if (made >= 0)
        close(made);
    return made >= 0;
}

START_TEST(refuses_an_arena_that_is_not_what_it_has_to_be)
{
    rogue peer;

    if (is_of_huge_pages((arena_lie)_i) && !has_huge_files()) {
        test_skip("this kernel has no huge pages of 2 MiB");
        return;
    }

    greet(&peer);
    int memory = rogue_make_memory(&peer);
    uint64_t said = ARENA_SIZE;
    unsigned count = 3;
    int arena = -1;
    switch ((arena_lie)_i) {
    case ARENA_MISSING: count = 2; break;
    case ARENA_MISSING_AND_NOT_SAID:
        count = 2;
        said = 0;
        break;
    case ARENA_SAID_TO_BE_LARGER:
        said += SHMRPC_ARENA_UNIT;
        arena = make_memfd(said, F_SEAL_SHRINK | F_SEAL_GROW);
        break;
    case ARENA_SMALLER: arena = make_memfd(ARENA_SIZE - SHMRPC_ARENA_UNIT, F_SEAL_SHRINK | F_SEAL_GROW); break;
    case ARENA_LARGER: arena = make_memfd(ARENA_SIZE + SHMRPC_ARENA_UNIT, F_SEAL_SHRINK | F_SEAL_GROW); break;
    case ARENA_UNSEALED: arena = make_memfd(ARENA_SIZE, F_SEAL_GROW); break;
    case ARENA_SEALED_ALREADY: arena = make_memfd(ARENA_SIZE, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL); break;
    case ARENA_IS_THE_MEMORY: arena = dup(memory); break;
    case ARENA_IS_A_DOORBELL: arena = event_new(); break;
    case ARENA_OF_HUGE_PAGES_THAT_ARE_NOT_THERE: arena = make_huge(ARENA_SIZE, F_SEAL_SHRINK | F_SEAL_GROW); break;
    case ARENA_OF_HUGE_PAGES_AND_LARGER:
        arena = make_huge(ARENA_SIZE + PAGES_LARGE, F_SEAL_SHRINK | F_SEAL_GROW);
        break;
    case ARENA_OF_HUGE_PAGES_UNSEALED: arena = make_huge(ARENA_SIZE, 0); break;
    case ARENA_OF_ORDINARY_PAGES_THAT_ARE_NOT_THERE: arena = make_memfd(ARENA_SIZE, F_SEAL_SHRINK | F_SEAL_GROW); break;
    case ARENA_LIES: break;
    }
    ck_assert(!attach(&peer, said, (const int[]){memory, peer.bell, arena}, count));
    ck_assert(rogue_is_dropped(&peer));
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
    close(memory);
    if (arena >= 0)
        close(arena);
    leave(&peer);
}
END_TEST

/* ---- what is said to be in it ---- */

typedef struct place_lie {
    const char *what;
    uint8_t request_block, reply_block;
    uint32_t length;
    slot_extents at;
} place_lie;

static const place_lie place_lies[] = {
    {"a request behind the end", 255, 255, 1, {UNITS, 0, 1, 0}},
    {"a request over the end", 255, 255, 4097, {UNITS - 1, 0, 1, 0}},
    {"a request far behind the end", 255, 255, 8, {UINT32_MAX, 0, 1, 0}},
    {"a request that wraps", 255, 255, UINT32_MAX, {1, 0, 1, 0}},
    {"more than the limit, within the arena", 255, 255, LIMIT + 1, {0, 0, 1, 0}},
    {"a reply behind the end", 255, 255, 8, {0, UNITS, 1, 0}},
    {"a reply over the end", 255, 255, 8, {0, 1, UNITS, 0}},
    {"a reply far behind the end", 255, 255, 8, {0, UINT32_MAX, UINT32_MAX, 0}},
    {"a reply without bound", 255, 255, 8, {0, 0, UINT32_MAX, 0}},
    {"more than is left of a slot", 0, 255, 33, {0, 0, 1, 0}},
    {"a length without bound in what is left of a slot", 0, 255, UINT32_MAX, {0, 0, 1, 0}},
    {"a block where there are none", 1, 255, 8, {0, 0, 1, 0}},
    {"the block before the arena", 254, 255, 8, {0, 0, 1, 0}},
    {"a reply block where there are none", 255, 1, 8, {0, 0, 1, 0}},
    {"the reply block before the arena", 255, 254, 8, {0, 0, 1, 0}},
};

START_TEST(drops_a_session_for_a_place_that_lies)
{
    const place_lie *lie = &place_lies[_i];
    slot request = rogue_slot(1, lie->request_block, lie->reply_block, lie->length);
    uint64_t calls = atomic_load(&server.calls);
    rogue peer;

    join(&peer);
    memcpy(request.payload, &lie->at, sizeof(lie->at));
    rogue_request(&peer, &request, 0);
    ck_assert_msg(rogue_is_dropped(&peer), "%s: still connected", lie->what);
    await_true(atomic_load(&server.dropped) == 1);
    ck_assert_uint_eq(atomic_load(&server.calls), calls);
    leave(&peer);
}
END_TEST

/* One that is right, wherever it is; and one whose answer lies over its request, which is its own harm. */
START_TEST(answers_a_rogue_where_it_says)
{
    static const slot_extents places[] = {{0, 512, 512, 0}, {768, 0, 256, 0}, {3, 3, 256, 0}, {0, 1023, 1, 0}};
    rogue peer;
    slot answer;

    join(&peer);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint32_t length = i == 3 ? SHMRPC_ARENA_UNIT : LIMIT;
        unsigned char *from = region_unit(&peer.memory, places[i].request);
        const unsigned char *to = region_unit(&peer.memory, places[i].reply);
        slot request = rogue_slot(1, 255, 255, length);

        for (uint32_t k = 0; k < length; k++)
            from[k] = (unsigned char)(k * 7 + i);
        memcpy(request.payload, &places[i], sizeof(places[i]));
        rogue_request(&peer, &request, 0);
        ck_assert(rogue_await_reply(&peer, &answer));
        ck_assert_uint_eq(answer.method, 0);
        ck_assert_uint_eq(answer.reply_block, 255);
        ck_assert_uint_eq(answer.length, length);
        for (uint32_t k = 0; k < length; k++)
            if (to[k] != (unsigned char)(k * 7 + i))
                ck_abort_msg("byte %u of %u", k, length);
    }
    leave(&peer);
}
END_TEST

START_TEST(writes_no_answer_beyond_the_room_that_was_offered)
{
    const slot_extents place = {0, 100, 1, 0}, nothing = {0, UNITS, 0, 0};
    rogue peer;
    slot answer;

    join(&peer);
    memset(peer.memory.arena, 0xa5, ARENA_SIZE);
    slot request = rogue_slot(1, 255, 255, SHMRPC_ARENA_UNIT + 1);
    memcpy(request.payload, &place, sizeof(place));
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &answer));
    ck_assert_int_eq((int16_t)answer.method, SHMRPC_E_TOO_LARGE);
    memcpy(request.payload, &nothing, sizeof(nothing));
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &answer));
    ck_assert_int_eq((int16_t)answer.method, SHMRPC_E_TOO_LARGE);
    for (size_t i = 0; i < ARENA_SIZE; i++)
        if (peer.memory.arena[i] != 0xa5)
            ck_abort_msg("byte %zu", i);
    leave(&peer);
}
END_TEST

/* ---- a server that lies ---- */

typedef struct victim {
    pthread_t thread;
    int connect_status, call_status, later_status;
    unsigned char buffer[4096];
} victim;

static void end_liar(int listener)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/liar", runtime_dir_path()), 0);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    close(listener);
}

static void *call_the_liar(void *data)
{
    victim *self = data;
    shmrpc_lane *lane = NULL;
    const char request[64] = "request";

    memset(self->buffer, 0xee, sizeof(self->buffer));
    self->connect_status = shmrpc_lane_connect(&lane, "liar", &limits, NULL);
    if (self->connect_status == 0) {
        self->call_status = shmrpc_lane_call(lane, 1, request, sizeof(request), self->buffer, sizeof(self->buffer),
                                             NULL, shmrpc_in_s(20));
        self->later_status = shmrpc_lane_send(lane, 1, request, sizeof(request), shmrpc_in_s(5));
    }
    shmrpc_lane_free(lane);
    return NULL;
}

/* Greets a client with an arena of this size, and no blocks. */
static control_packet welcome_with(rogue *liar, const control_hello *hello, uint64_t arena_size)
{
    control_packet welcome = rogue_welcome(liar, hello, NULL);

    liar->memory.geometry = (region_geometry){.depth = liar->memory.geometry.depth,
                                              .arena_units = (uint32_t)(arena_size / SHMRPC_ARENA_UNIT)};
    welcome.as.welcome.request_block_size = welcome.as.welcome.request_block_count = 0;
    welcome.as.welcome.reply_block_size = welcome.as.welcome.reply_block_count = 0;
    welcome.as.welcome.arena_size = arena_size;
    return welcome;
}

START_TEST(makes_no_arena_that_is_larger_than_it_would_be)
{
    static const uint64_t sizes[] = {
        ARENA_SIZE + SHMRPC_ARENA_UNIT, SHMRPC_ARENA_MOST, SHMRPC_ARENA_MOST + 4096, 1, ARENA_SIZE - 1, UINT64_MAX};
    victim client = {.call_status = 0};
    rogue liar;
    int listener = rogue_listen("liar");

    ck_assert_int_eq(pthread_create(&client.thread, NULL, call_the_liar, &client), 0);
    control_packet *hello = rogue_accept(&liar, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = welcome_with(&liar, &hello->as.hello, sizes[_i]);
    rogue_send(&liar, &welcome, NULL, 0);
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    ck_assert_msg(client.connect_status == SHMRPC_E_PROTOCOL, "%d", client.connect_status);
    control_packet_free(hello);
    rogue_leave(&liar);
    end_liar(listener);
}
END_TEST

START_TEST(says_so_where_a_server_gives_no_arena)
{
    victim client = {.call_status = 0};
    rogue liar;
    int listener = rogue_listen("liar");

    ck_assert_int_eq(pthread_create(&client.thread, NULL, call_the_liar, &client), 0);
    control_packet *hello = rogue_accept(&liar, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = welcome_with(&liar, &hello->as.hello, 0);
    ck_assert(rogue_admit(&liar, &welcome));
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.connect_status, 0);
    assert_status(client.call_status, SHMRPC_E_TOO_LARGE);
    control_packet_free(hello);
    rogue_leave(&liar);
    end_liar(listener);
}
END_TEST

typedef struct reply_lie {
    const char *what;
    uint8_t block;
    uint32_t length;
} reply_lie;

static const reply_lie reply_lies[] = {
    {"more than the room", 255, LIMIT + SHMRPC_ARENA_UNIT},
    {"more than the limit, within a unit", 255, LIMIT + 1},
    {"a length without bound", 255, UINT32_MAX},
    {"more than a slot", 0, 49},
    {"a block", 1, 8},
    {"the block before the arena", 254, 8},
};

START_TEST(says_protocol_of_a_reply_that_lies)
{
    const reply_lie *lie = &reply_lies[_i];
    const slot reply = rogue_slot(0, 0, lie->block, lie->length);
    victim client = {.call_status = 0};
    rogue liar;
    slot request;
    int listener = rogue_listen("liar");

    ck_assert_int_eq(pthread_create(&client.thread, NULL, call_the_liar, &client), 0);
    control_packet *hello = rogue_accept(&liar, listener);
    ck_assert_ptr_nonnull(hello);
    const control_packet welcome = welcome_with(&liar, &hello->as.hello, ARENA_SIZE);
    ck_assert(rogue_admit(&liar, &welcome));
    ck_assert(rogue_await_request(&liar, &request));
    ck_assert_uint_eq(request.request_block, 255);
    ck_assert_uint_eq(request.reply_block, 255);
    rogue_reply(&liar, &reply, 0);
    ck_assert_int_eq(pthread_join(client.thread, NULL), 0);
    assert_status(client.connect_status, 0);
    ck_assert_msg(client.call_status == SHMRPC_E_PROTOCOL, "%s: %s", lie->what, shmrpc_status_text(client.call_status));
    ck_assert_int_eq(client.later_status, SHMRPC_E_NOT_SENT);
    for (size_t i = 0; i < sizeof(client.buffer); i++)
        ck_assert_uint_eq(client.buffer[i], 0xee);
    control_packet_free(hello);
    rogue_leave(&liar);
    end_liar(listener);
}
END_TEST

static Suite *arenas_suite(void)
{
    Suite *suite = suite_create("hostile_arenas");
    TCase *tests = tcase_create("arenas");

    tcase_add_checked_fixture(tests, echoing_setup, echoing_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, refuses_an_arena_that_is_not_what_it_has_to_be, 0, ARENA_LIES);
    tcase_add_loop_test(tests, drops_a_session_for_a_place_that_lies, 0,
                        (int)(sizeof(place_lies) / sizeof(place_lies[0])));
    tcase_add_test(tests, answers_a_rogue_where_it_says);
    tcase_add_test(tests, writes_no_answer_beyond_the_room_that_was_offered);
    tcase_add_loop_test(tests, makes_no_arena_that_is_larger_than_it_would_be, 0, 6);
    tcase_add_test(tests, says_so_where_a_server_gives_no_arena);
    tcase_add_loop_test(tests, says_protocol_of_a_reply_that_lies, 0,
                        (int)(sizeof(reply_lies) / sizeof(reply_lies[0])));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(arenas_suite)
