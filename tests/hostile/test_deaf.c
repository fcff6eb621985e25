/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_deaf.c - clients that never read what is sent to them: their inbox, their socket, their replies.
 *
 * The server waits for none of them. What they have not read is as much as they have room for and no more; with that
 * full, their lane pauses, which costs nothing, and goes on when they read. Others are served all the while.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../bench/activity.h"
#include "rogue.h"
#include "runtime/shared.h"
#include "witness.h"

#define INBOX 8
#define PUT_OFF PROBE_HOLD /* in the service of these tests: value -> value, by the inbox */

static _Atomic(uint64_t) *put_off_count; /* in a page that the server has, too */
static probe_schema schema;

static int put_off(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    shmrpc_later later = shmrpc_context_defer(context);

    (void)server;
    (void)reply;
    if (later.id == 0)
        return SHMRPC_E_INTERNAL;
    atomic_fetch_add(put_off_count, 1);
    (void)shmrpc_later_reply(later, request);
    return SHMRPC_DEFERRED;
}

static void setup(void)
{
    put_off_count = mmap(NULL, sizeof(*put_off_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(put_off_count, MAP_FAILED);
    probe_schema_init(&schema);
    schema.methods[PUT_OFF].invoke = put_off;
    witness_setup_with(&schema.info);
}

static void teardown(void)
{
    witness_teardown();
    munmap(put_off_count, sizeof(*put_off_count));
}

static void join(rogue *peer, uint32_t inbox)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);

    hello.as.hello.inbox = inbox;
    rogue_join_with(peer, "probe", &hello);
    ck_assert_uint_eq(peer->memory.geometry.inbox_depth, inbox);
}

static void request_value(rogue *peer, uint16_t method, uint64_t value)
{
    slot request = rogue_slot(method, 0, 0, 8);

    memcpy(request.payload, &value, sizeof(value));
    rogue_request(peer, &request, 0);
}

/* One after the other, each with its position as its value, as long as they are begun. How many were. */
static uint64_t fill_inbox(rogue *peer)
{
    uint64_t before = atomic_load(put_off_count);

    for (uint32_t i = 0; i < peer->memory.geometry.depth; i++)
        request_value(peer, PUT_OFF, peer->next);
    await_true(atomic_load(&peer->memory.header->inbox_wanted) != 0);
    witness_expect_served();
    return atomic_load(put_off_count) - before;
}

/* The entry of this number answers the request of that position. */
static void expect_entry(const rogue *peer, uint64_t number, uint64_t position)
{
    const slot *entry = region_entry(&peer->memory, number);

    await_true(atomic_load(&entry->word) == word_reply(number, peer->memory.inbox_shift));
    ck_assert_uint_eq(entry->length, 8);
    ck_assert_mem_eq(entry->payload, &position, sizeof(position));
}

static void count_as_read(rogue *peer, uint64_t number)
{
    if (shared_set_inbox_read(peer->memory.header, number))
        rogue_ring(peer);
}

static void expect_idle(void)
{
    const char *prefix = test_is_built_with("tsan") ? "shmrpc" : NULL;
    activity before, after = {0};
    pid_t server = witness_server.child.pid;

    ck_assert_int_eq(activity_add_named(&after, server, prefix), 0);
    do {
        await_pause();
        before = after;
        after = (activity){0};
        ck_assert_int_eq(activity_add_named(&after, server, prefix), 0);
    } while (!after.asleep || !activity_is_same(&before, &after));
    for (int i = 0; i < 500; i++)
        await_pause();
    after = (activity){0};
    ck_assert_int_eq(activity_add_named(&after, server, prefix), 0);
    ck_assert_uint_eq(after.voluntary, before.voluntary);
    ck_assert_uint_eq(after.cpu_ns, before.cpu_ns);
}

START_TEST(a_lane_pauses_where_its_inbox_is_not_read_and_goes_on_where_it_is)
{
    rogue peer;

    join(&peer, INBOX);
    ck_assert_uint_eq(fill_inbox(&peer), INBOX);
    expect_idle();
    ck_assert_uint_eq(atomic_load(put_off_count), INBOX);
    /* Each that is read makes room for one. */
    for (uint64_t number = 1; number + INBOX <= peer.next - 1; number++) {
        expect_entry(&peer, number, number);
        count_as_read(&peer, number);
        await_true(atomic_load(put_off_count) == INBOX + number);
        witness_expect_served();
        ck_assert_uint_eq(atomic_load(put_off_count), INBOX + number);
    }
    rogue_leave(&peer);
    ck_assert_uint_eq(witness_turned_away(), 0);
}
END_TEST

START_TEST(many_that_never_read_cost_nothing_and_nobody_waits_for_them)
{
    enum { DEAF = 40 };
    static rogue deaf[DEAF];

    for (int i = 0; i < DEAF; i++) {
        join(&deaf[i], INBOX);
        ck_assert_uint_eq(fill_inbox(&deaf[i]), INBOX);
    }
    expect_idle();
    for (int i = 0; i < 20; i++)
        witness_expect_served();
    ck_assert_uint_eq(atomic_load(put_off_count), DEAF * INBOX);
    for (int i = 0; i < DEAF; i++)
        rogue_leave(&deaf[i]);
    ck_assert_uint_eq(witness_turned_away(), 0);
}
END_TEST

/* Says that it has read what was never written, or less than before: its own answers are all that suffers. */
START_TEST(who_lies_about_what_it_has_read_loses_its_own_answers)
{
    static const uint64_t lies[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 32, 1000, INBOX + 1, 0};
    rogue peer;

    join(&peer, INBOX);
    ck_assert_uint_eq(fill_inbox(&peer), INBOX);
    for (int round = 0; round < 50; round++) {
        uint64_t position = peer.next - peer.memory.geometry.depth;
        count_as_read(&peer, lies[(unsigned)(_i + round) % (sizeof(lies) / sizeof(lies[0]))]);
        rogue_ring(&peer);
        witness_expect_served();
        /* Where its oldest request has been begun there is room for one more. */
        const slot *oldest = region_slot(&peer.memory, position);
        if (word_is_free(atomic_load(&oldest->word), peer.next, peer.memory.shift))
            request_value(&peer, PUT_OFF, peer.next);
        witness_expect_served();
        ck_assert_uint_lt(atomic_load(put_off_count), peer.next);
    }
    count_as_read(&peer, UINT64_MAX);
    rogue_ring(&peer);
    witness_expect_served();
    rogue_leave(&peer);
    ck_assert_uint_eq(witness_turned_away(), 0);
}
END_TEST

/* It asks for a byte on its socket for each answer, and never reads one. */
START_TEST(a_socket_that_is_full_of_pokes_holds_nobody_up)
{
    enum { CALLS = 3000 };
    rogue peer;

    join(&peer, INBOX);
    for (uint64_t i = 0; i < CALLS; i++) {
        const slot *at = region_slot(&peer.memory, peer.next);
        uint64_t position = peer.next, value = i;
        slot copy;
        shared_make_wish(peer.memory.header, wish_of(position, WISH_CALL | WISH_POKE));
        request_value(&peer, PROBE_ECHO, value);
        await_true((atomic_load(&at->word) & ~WORD_MARKS) == word_reply(position, peer.memory.shift));
        memcpy(&copy, at, sizeof(copy));
        ck_assert_mem_eq(copy.payload, &value, sizeof(value));
        if (i % 500 == 0)
            witness_expect_served();
    }
    witness_expect_served();
    expect_idle();
    rogue_leave(&peer);
    ck_assert_uint_eq(witness_turned_away(), 0);
}
END_TEST

START_TEST(the_end_of_one_that_never_read_frees_what_it_had)
{
    size_t descriptors = counts_fds_of(witness_server.child.pid);

    for (int round = 0; round < 20; round++) {
        rogue peer;
        join(&peer, INBOX);
        ck_assert_uint_eq(fill_inbox(&peer), INBOX);
        rogue_leave(&peer);
        await_true(counts_fds_of(witness_server.child.pid) == descriptors);
    }
    witness_expect_served();
    ck_assert_uint_eq(witness_turned_away(), 0);
}
END_TEST

static Suite *deaf_suite(void)
{
    Suite *suite = suite_create("hostile_deaf");
    TCase *tests = tcase_create("deaf");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_lane_pauses_where_its_inbox_is_not_read_and_goes_on_where_it_is);
    tcase_add_test(tests, many_that_never_read_cost_nothing_and_nobody_waits_for_them);
    tcase_add_loop_test(tests, who_lies_about_what_it_has_read_loses_its_own_answers, 0, 6);
    tcase_add_test(tests, a_socket_that_is_full_of_pokes_holds_nobody_up);
    tcase_add_test(tests, the_end_of_one_that_never_read_frees_what_it_had);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(deaf_suite)
