/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sealed.c - requests in memory of their own, which is sealed when the call starts, between two processes. The server
 * trusts nobody; what it is given it can only read.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large_pair.h"

#define MIB 1048576u
#define IN_FLIGHT 4u /* that may be sealed at a time */

static large_client *sealing;

static large_client *connect_sealing(const shmrpc_client_options *with)
{
    shmrpc_client_options options = with == NULL ? (shmrpc_client_options){0} : *with;
    large_client *made = NULL;

    options.seal_from = 1;
    assert_status(large_connect(&made, "large", &options), 0);
    return made;
}

static void setup_sealing(void)
{
    setup();
    sealing = connect_sealing(NULL);
}

static void teardown_sealing(void)
{
    large_client_free(sealing);
    sealing = NULL;
    teardown();
}

/* Mappings of memfds of ours in a process, with these rights; NULL: with any. */
static unsigned count_memories(pid_t pid, const char *rights)
{
    char path[64], line[512];
    unsigned count = 0;

    ck_assert(snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid) > 0);
    FILE *maps = fopen(path, "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        count += strstr(line, "memfd:shmrpc") != NULL && (rights == NULL || strstr(line, rights) != NULL);
    fclose(maps);
    return count;
}

static unsigned own_memories(void)
{
    return count_memories(getpid(), NULL);
}

static large_frame *lend_look(large_client *by, large_look_call *call, uint32_t seed, uint32_t count)
{
    large_frame *lent = NULL;

    assert_status(large_look_loan(by, call, &lent), 0);
    make_request(lent, seed, count);
    return lent;
}

static uint64_t sum_for(uint32_t seed, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += byte_of(seed, i);
    return sum;
}

static void expect_look(large_look_call *call, uint32_t seed, uint32_t count, bool sealed)
{
    large_look_reply seen = {0};

    assert_status(large_look_wait(call, &seen), 0);
    ck_assert_uint_eq(seen.sum, sum_for(seed, count));
    ck_assert_int_eq(seen.is_sealed, sealed);
}

static void look_once(large_client *by, uint32_t seed, uint32_t count, bool sealed)
{
    large_look_call call = {0};

    (void)lend_look(by, &call, seed, count);
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, seed, count, sealed);
}

START_TEST(a_server_reads_what_it_cannot_be_lied_about)
{
    static const uint32_t sizes[] = {0, 1, 4080, 4096, 65536, MIB - 1, MIB};
    unsigned mapped = own_memories();

    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            look_once(sealing, i + round, sizes[i], true);
    ck_assert_uint_eq(own_memories(), mapped);
}
END_TEST

START_TEST(without_the_option_it_is_given_a_copy)
{
    look_once(client, 1, MIB, false);
}
END_TEST

START_TEST(smaller_messages_have_no_memory_of_their_own)
{
    unsigned mapped = own_memories();
    large_turn_page_call call = {0};
    large_page *lent = NULL;
    large_page *turned = malloc(sizeof(*turned));

    ck_assert_ptr_nonnull(turned);
    assert_status(large_turn_page_loan(sealing, &call, &lent), 0);
    ck_assert_uint_eq(own_memories(), mapped);
    lent->data.count = 3;
    memcpy(lent->data.items, "abc", 3);
    assert_status(large_turn_page_start_loaned(&call, shmrpc_default()), 0);
    assert_status(large_turn_page_wait(&call, turned), 0);
    ck_assert(turned->data.count == 3 && memcmp(turned->data.items, "cba", 3) == 0);
    free(turned);
}
END_TEST

START_TEST(only_what_is_large_enough_has)
{
    const shmrpc_client_options options = {.seal_from = sizeof(large_frame) + 1};
    large_client *other = NULL;

    assert_status(large_connect(&other, "large", &options), 0);
    look_once(other, 1, MIB, false);
    large_client_free(other);
}
END_TEST

START_TEST(a_call_that_copies_is_as_ever)
{
    for (uint32_t i = 0; i < 5; i++) {
        assert_status(turn_with(sealing, i, MIB, shmrpc_default()), 0);
        look_once(sealing, i, MIB, true);
    }
    expect_room(sealing, 2);
}
END_TEST

START_TEST(large_answers_are_viewed)
{
    large_turn_call call = {0};
    const large_frame *seen = NULL;
    large_frame *lent = NULL;

    for (uint32_t i = 0; i < 5; i++) {
        assert_status(large_turn_loan(sealing, &call, &lent), 0);
        make_request(lent, i, MIB - i);
        assert_status(large_turn_start_loaned(&call, shmrpc_default()), 0);
        assert_status(large_turn_view(&call, &seen), 0);
        expect_turned(seen, i, MIB - i);
        large_turn_release(&call);
    }
    expect_room(sealing, 2);
}
END_TEST

START_TEST(more_than_may_be_in_flight_are_copied)
{
    large_client *wide = connect_sealing(&(shmrpc_client_options){.arena_size = 8 * CALL_SIZE});
    large_hold_call held = {0};
    large_look_call calls[8] = {0};

    for (uint32_t round = 0; round < 3; round++) {
        make_request(request, 1, 8);
        assert_status(large_hold_start(wide, &held, request, shmrpc_default()), 0);
        for (uint32_t i = 0; i < 8; i++) {
            (void)lend_look(wide, &calls[i], i, MIB - i);
            assert_status(large_look_start_loaned(&calls[i], shmrpc_default()), 0);
        }
        link_await(&process.link, 'h');
        link_signal(&process.link, 'g');
        for (uint32_t i = 8; i-- > 0;)
            expect_look(&calls[i], i, MIB - i, i < IN_FLIGHT);
        assert_status(large_hold_wait(&held, reply), 0);
    }
    look_once(wide, 7, MIB, true);
    large_client_free(wide);
}
END_TEST

START_TEST(a_batch_of_them)
{
    large_client *wide = connect_sealing(&(shmrpc_client_options){.arena_size = 8 * CALL_SIZE});
    large_look_call calls[IN_FLIGHT] = {0};

    for (uint32_t round = 0; round < 3; round++) {
        large_batch_begin(wide);
        for (uint32_t i = 0; i < IN_FLIGHT; i++) {
            (void)lend_look(wide, &calls[i], i + round, MIB);
            assert_status(large_look_start_loaned(&calls[i], shmrpc_default()), 0);
        }
        assert_status(large_batch_end(wide), 0);
        for (uint32_t i = 0; i < IN_FLIGHT; i++)
            expect_look(&calls[i], i + round, MIB, true);
    }
    large_client_free(wide);
}
END_TEST

START_TEST(a_loan_that_is_given_back_leaves_nothing)
{
    unsigned mapped = own_memories();
    large_look_call calls[20] = {0};

    /* They take no room of the lane. */
    for (uint32_t i = 0; i < 20; i++)
        (void)lend_look(sealing, &calls[i], i, 100);
    ck_assert_uint_eq(own_memories(), mapped + 20);
    for (uint32_t i = 0; i < 20; i++)
        large_look_abandon(&calls[i]);
    ck_assert_uint_eq(own_memories(), mapped);
    expect_room(sealing, 2);
}
END_TEST

START_TEST(one_that_is_not_valid_can_be_corrected)
{
    large_look_call call = {0};
    large_frame *lent = lend_look(sealing, &call, 3, 1000);

    lent->data.count = sizeof(lent->data.items) + 1;
    assert_status(large_look_start_loaned(&call, shmrpc_default()), SHMRPC_E_INVALID);
    lent->data.count = 1000;
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 3, 1000, true);
}
END_TEST

/* Somebody else can still write to it: it is not sealed, but copied. */
START_TEST(what_cannot_be_sealed_is_copied)
{
    large_look_call call = {0};
    large_frame *lent = lend_look(sealing, &call, 3, MIB);
    void *another = mremap(lent, 0, 4096, MREMAP_MAYMOVE); /* the same memory a second time */

    ck_assert(another != MAP_FAILED);
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 3, MIB, false);
    munmap(another, 4096);
    look_once(sealing, 4, MIB, true);
}
END_TEST

START_TEST(where_there_is_no_descriptor_for_it_it_is_copied)
{
    large_look_call call = {0};
    large_frame *lent = NULL;
    struct rlimit usual;

    look_once(sealing, 2, MIB, true); /* the thread has its lane */
    limit_lower(RLIMIT_NOFILE, 1, &usual);
    int rc = large_look_loan(sealing, &call, &lent);
    limit_restore(RLIMIT_NOFILE, &usual);
    assert_status(rc, 0);
    make_request(lent, 3, MIB);
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 3, MIB, false);
    look_once(sealing, 4, MIB, true);
}
END_TEST

/* Nor can it be copied: it stays where its caller writes, though metadata had moved it. */
START_TEST(what_could_not_be_started_is_where_it_was)
{
    large_client *narrow = connect_sealing(&(shmrpc_client_options){.arena_size = 1, .metadata = 64});
    large_look_call call = {0};
    large_hold_call held = {0};
    large_frame *lent = lend_look(narrow, &call, 3, 1000);
    void *another = mremap((void *)((uintptr_t)lent & ~UINT64_C(4095)), 0, 4096, MREMAP_MAYMOVE);

    ck_assert(another != MAP_FAILED);
    make_request(request, 1, 8);
    assert_status(large_hold_start(narrow, &held, request, shmrpc_default()), 0);
    link_await(&process.link, 'h');
    assert_status(shmrpc_client_set_metadata(large_client_base(narrow), "trace", "0123456789"), 0);
    assert_status(large_look_start_loaned(&call, shmrpc_in_ms(20)), SHMRPC_E_NOT_SENT);
    make_request(lent, 5, 2000);
    link_signal(&process.link, 'g');
    assert_status(large_hold_wait(&held, reply), 0);
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 5, 2000, false);
    munmap(another, 4096);
    large_client_free(narrow);
}
END_TEST

static int cancelled_steps;

static void *go_on_though_cancelled(void *data)
{
    large_look_call calls[2] = {0};
    large_frame *lent = NULL;

    (void)pthread_cancel(pthread_self());
    cancelled_steps += large_look_loan(data, &calls[0], &lent) == 0;
    cancelled_steps += large_look_loan(data, &calls[1], &lent) == 0;
    large_look_abandon(&calls[0]);
    cancelled_steps++;
    make_request(lent, 1, 10);
    cancelled_steps += large_look_start_loaned(&calls[1], shmrpc_default()) == 0;
    pthread_testcancel();
    cancelled_steps = -1;
    return NULL;
}

/* No function of a client is a point at which a thread ends; what it made would be nobody's. */
START_TEST(a_thread_is_not_cancelled_within)
{
    unsigned mapped = own_memories();
    pthread_t thread;
    void *result = NULL;

    cancelled_steps = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, go_on_though_cancelled, sealing), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert_int_eq(cancelled_steps, 4);
    look_once(sealing, 2, MIB, true);
    ck_assert_uint_le(own_memories(), mapped + 4); /* the lane that it has left, and this one's */
}
END_TEST

START_TEST(metadata_travels_in_it)
{
    large_client *carrying = connect_sealing(&(shmrpc_client_options){.metadata = 64});
    large_add_call call = {0};
    large_frame *lent = NULL;
    large_add_reply sum;

    for (uint32_t i = 0; i < 4; i++) {
        assert_status(large_add_loan(carrying, &call, &lent), 0);
        make_request(lent, i, MIB);
        /* After the loan, so that the request has to make room for it, or gets room. */
        assert_status(shmrpc_client_set_metadata(large_client_base(carrying), "factor", i % 2 == 0 ? "3" : NULL), 0);
        assert_status(large_add_start_loaned(&call, shmrpc_default()), 0);
        assert_status(large_add_wait(&call, &sum), 0);
        ck_assert_uint_eq(sum.sum, (i % 2 == 0 ? 3 : 1) * sum_for(i, MIB));
    }
    large_client_free(carrying);
}
END_TEST

START_TEST(calls_that_are_put_off_are_answered)
{
    large_client *wide = connect_sealing(&(shmrpc_client_options){.arena_size = 6 * CALL_SIZE});
    large_put_off_call calls[5] = {0};
    large_frame *lent = NULL;

    for (uint32_t i = 0; i < 5; i++) {
        assert_status(large_put_off_loan(wide, &calls[i], &lent), 0);
        make_request(lent, i, MIB);
        assert_status(large_put_off_start_loaned(&calls[i], shmrpc_default()), 0);
    }
    release_all(wide, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_status(large_put_off_wait(&calls[i], reply), 0);
        expect_turned(reply, i, MIB);
    }
    look_once(wide, 1, MIB, true);
    large_client_free(wide);
}
END_TEST

START_TEST(one_that_is_cancelled_takes_no_memory_along)
{
    large_client *wide = connect_sealing(&(shmrpc_client_options){.arena_size = 8 * CALL_SIZE});
    large_hold_call held = {0};
    large_look_call calls[IN_FLIGHT] = {0};
    large_look_reply seen;

    for (uint32_t round = 0; round < 5; round++) {
        make_request(request, 1, 8);
        assert_status(large_hold_start(wide, &held, request, shmrpc_default()), 0);
        for (uint32_t i = 0; i < IN_FLIGHT; i++) {
            (void)lend_look(wide, &calls[i], i, MIB);
            assert_status(large_look_start_loaned(&calls[i], shmrpc_default()), 0);
        }
        link_await(&process.link, 'h');
        for (uint32_t i = 0; i < IN_FLIGHT; i += 2)
            large_look_cancel(&calls[i]);
        link_signal(&process.link, 'g');
        assert_status(large_hold_wait(&held, reply), 0);
        for (uint32_t i = 0; i < IN_FLIGHT; i += 2)
            assert_status(large_look_wait(&calls[i], &seen), SHMRPC_E_CANCELLED);
        for (uint32_t i = 1; i < IN_FLIGHT; i += 2)
            expect_look(&calls[i], i, MIB, true);
    }
    large_client_free(wide);
}
END_TEST

static void *lend_and_leave(void *data)
{
    large_look_call calls[3] = {0};

    (void)data;
    (void)lend_look(sealing, &calls[0], 1, MIB);
    (void)lend_look(sealing, &calls[1], 2, MIB);
    assert_status(large_look_start_loaned(&calls[1], shmrpc_default()), 0);
    (void)lend_look(sealing, &calls[2], 3, MIB);
    return NULL;
}

START_TEST(a_thread_that_ends_takes_its_memory_along)
{
    unsigned mapped = own_memories();
    unsigned kept;

    for (uint32_t round = 0; round < 5; round++) {
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, lend_and_leave, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        look_once(sealing, round, MIB, true);
        kept = own_memories();
        ck_assert_msg(kept <= mapped + 4, "%u memories, and %u before", kept,
                      mapped); /* its idle lane, and this one's */
    }
}
END_TEST

static int free_inherited(child_link *link, void *data)
{
    void *mine = mmap(data, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    (void)link;
    child_check(mine == data, "the loan's place is taken in the child");
    memset(mine, 7, MIB);
    large_client_free(sealing);
    child_check(*(const volatile unsigned char *)mine == 7, "it is gone");
    return 0;
}

START_TEST(a_forked_child_has_no_part_of_it)
{
    large_look_call call = {0};
    large_frame *lent = lend_look(sealing, &call, 9, MIB);
    child forked;

    child_spawn(&forked, free_inherited, (void *)((uintptr_t)lent & ~UINT64_C(4095)));
    child_expect_exit(&forked, 0);
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 9, MIB, true);
}
END_TEST

START_TEST(a_loan_outlives_its_server)
{
    large_client *stubborn = connect_sealing(&(shmrpc_client_options){.reconnect = true});
    large_look_call call = {0};
    large_frame *lent = lend_look(stubborn, &call, 5, MIB);

    ck_assert_int_eq(kill(process.pid, SIGKILL), 0);
    child_expect_signal(&process, SIGKILL);
    start_server(NULL);
    if (_i == 1) {
        /* Told, or found out when its memory is sent. */
        while (shmrpc_client_state(large_client_base(stubborn)) != SHMRPC_CLIENT_RECONNECTING)
            (void)poll(NULL, 0, 1);
    }
    assert_status(large_look_start_loaned(&call, shmrpc_default()), 0);
    expect_look(&call, 5, MIB, false); /* copied to the next connection */
    look_once(stubborn, 6, MIB, true);
    (void)lent;
    large_client_free(stubborn);
    large_client_free(client);
    large_client_free(sealing);
    client = sealing = NULL;
}
END_TEST

START_TEST(its_memory_is_gone_with_the_answer)
{
    large_hold_call held = {0};
    large_frame *lent = NULL;

    assert_status(large_hold_loan(sealing, &held, &lent), 0);
    make_request(lent, 1, MIB);
    assert_status(large_hold_start_loaned(&held, shmrpc_default()), 0);
    link_await(&process.link, 'h');
    ck_assert_uint_eq(count_memories(process.pid, " r--p "), 1);
    link_signal(&process.link, 'g');
    assert_status(large_hold_wait(&held, reply), 0);
    expect_turned(reply, 1, MIB);
    let_all_begin(sealing); /* the next request is taken when the last one's memory is gone */
    ck_assert_uint_eq(count_memories(process.pid, " r--p "), 0);
}
END_TEST

static Suite *sealed_suite(void)
{
    Suite *suite = suite_create("ipc_sealed");
    TCase *tests = tcase_create("sealed");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup_sealing, teardown_sealing);
    tcase_add_test(tests, a_server_reads_what_it_cannot_be_lied_about);
    tcase_add_test(tests, without_the_option_it_is_given_a_copy);
    tcase_add_test(tests, smaller_messages_have_no_memory_of_their_own);
    tcase_add_test(tests, only_what_is_large_enough_has);
    tcase_add_test(tests, a_call_that_copies_is_as_ever);
    tcase_add_test(tests, large_answers_are_viewed);
    tcase_add_test(tests, more_than_may_be_in_flight_are_copied);
    tcase_add_test(tests, a_batch_of_them);
    tcase_add_test(tests, a_loan_that_is_given_back_leaves_nothing);
    tcase_add_test(tests, one_that_is_not_valid_can_be_corrected);
    tcase_add_test(tests, what_cannot_be_sealed_is_copied);
    tcase_add_test(tests, where_there_is_no_descriptor_for_it_it_is_copied);
    tcase_add_test(tests, what_could_not_be_started_is_where_it_was);
    tcase_add_test(tests, a_thread_is_not_cancelled_within);
    tcase_add_test(tests, metadata_travels_in_it);
    tcase_add_test(tests, calls_that_are_put_off_are_answered);
    tcase_add_test(tests, one_that_is_cancelled_takes_no_memory_along);
    tcase_add_test(tests, a_thread_that_ends_takes_its_memory_along);
    tcase_add_test(tests, a_forked_child_has_no_part_of_it);
    tcase_add_loop_test(tests, a_loan_outlives_its_server, 0, 2);
    tcase_add_test(tests, its_memory_is_gone_with_the_answer);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(sealed_suite)
