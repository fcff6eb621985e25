/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_flights.c - calls in flight that are waited for: started, awaited in any order, withdrawn; and each way in which one
 * may end. What callbacks are told, and batches: test_callbacks.c.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe_pair.h"

#define DEPTH 8

static void setup(void)
{
    probe_pair_begin(&(shmrpc_client_options){.depth = DEPTH});
    ck_assert(probe_answers_rightly(client, 1, 3));
}

/* ---- waited for ---- */

START_TEST(answers_are_waited_for_in_any_order)
{
    for (unsigned stride = 1; stride < DEPTH; stride += 2) {
        shmrpc_call calls[DEPTH] = {0};

        for (unsigned i = 0; i < DEPTH; i++)
            assert_status(probe_start(client, &calls[i], PROBE_ECHO, 100 + i, shmrpc_default(), NULL), 0);
        for (unsigned i = 0; i < DEPTH; i++)
            probe_expect_echo(&calls[i * stride % DEPTH], 100 + i * stride % DEPTH);
    }
    ck_assert(probe_answers_rightly(client, 7, 20));
}
END_TEST

START_TEST(larger_answers_wait_in_their_blocks_beside_calls_that_wait)
{
    static probe_blob request, reply;
    shmrpc_call calls[4] = {0};

    for (unsigned i = 0; i < 4; i++) {
        probe_blob_fill(&request, i, 900 * i);
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_BLOB, &request, shmrpc_default(), NULL), 0);
    }
    ck_assert(probe_answers_rightly(client, 50, 30));
    for (unsigned i = 4; i-- > 0;) {
        memset(&reply, 0xee, sizeof(reply));
        assert_status(shmrpc_call_wait(&calls[i], &reply), 0);
        ck_assert(probe_blob_answers(&reply, i, 900 * i));
    }
    ck_assert(probe_answers_rightly(client, 90, 30));
}
END_TEST

START_TEST(errors_come_with_their_payload_to_whoever_waits)
{
    shmrpc_call calls[4] = {0};
    const probe_range *range;
    const probe_blob *blob;
    uint64_t reply = 77;

    assert_status(probe_start(client, &calls[0], PROBE_FAIL, PROBE_ERROR_RANGE, shmrpc_default(), NULL), 0);
    assert_status(probe_start(client, &calls[1], PROBE_FAIL, PROBE_ERROR_BLOB, shmrpc_default(), NULL), 0);
    assert_status(probe_start(client, &calls[2], PROBE_FAIL, PROBE_ERROR_PLAIN, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_start(client, &calls[3], PROBE_ABSENT, NULL, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_wait(&calls[3], NULL), SHMRPC_E_UNIMPLEMENTED);
    assert_status(shmrpc_call_wait(&calls[1], &reply), PROBE_ERROR_BLOB);
    blob = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_BLOB);
    ck_assert_ptr_nonnull(blob);
    ck_assert(blob->value == 77 && blob->length == 3000);
    assert_status(shmrpc_call_wait(&calls[0], &reply), PROBE_ERROR_RANGE);
    range = shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE);
    ck_assert_ptr_nonnull(range);
    ck_assert(range->lowest == -5 && range->highest == 1000);
    assert_status(shmrpc_call_wait(&calls[2], &reply), PROBE_ERROR_PLAIN);
    ck_assert_ptr_null(shmrpc_client_error_payload(client, &probe_errors, PROBE_ERROR_RANGE));
    ck_assert_uint_eq(reply, 77);
}
END_TEST

START_TEST(unread_answers_are_in_nobodys_way)
{
    shmrpc_call calls[5 * DEPTH] = {0};

    for (unsigned i = 0; i < 5 * DEPTH; i++)
        assert_status(probe_start(client, &calls[i], PROBE_ECHO, i, shmrpc_default(), NULL), 0);
    ck_assert(probe_answers_rightly(client, 3, 5 * DEPTH));
    for (unsigned i = 5 * DEPTH; i-- > 0;)
        probe_expect_echo(&calls[i], i);
}
END_TEST

START_TEST(says_again_while_all_blocks_hold_unread_answers)
{
    static probe_blob request, reply;
    shmrpc_call calls[8] = {0}, late = {0};

    probe_blob_fill(&request, 5, 3000);
    for (unsigned i = 0; i < 8; i++)
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_BLOB, &request, shmrpc_default(), NULL), 0);
    assert_status(shmrpc_call_start(client, &late, PROBE_BLOB, &request, shmrpc_forever(), NULL), SHMRPC_E_AGAIN);
    assert_status(shmrpc_call_wait(&late, &reply), SHMRPC_E_MISUSE);
    assert_status(shmrpc_client_call(client, PROBE_BLOB, &request, &reply, shmrpc_forever()), SHMRPC_E_AGAIN);
    assert_status(shmrpc_call_wait(&calls[3], &reply), 0);
    ck_assert(probe_blob_answers(&reply, 5, 3000));
    assert_status(shmrpc_call_start(client, &late, PROBE_BLOB, &request, shmrpc_forever(), NULL), 0);
    for (unsigned i = 0; i < 8; i++)
        if (i != 3)
            assert_status(shmrpc_call_wait(&calls[i], &reply), 0);
    assert_status(shmrpc_call_wait(&late, &reply), 0);
    ck_assert(probe_blob_answers(&reply, 5, 3000));
    ck_assert(probe_answers_rightly(client, 1, 10));
}
END_TEST

START_TEST(waits_for_room_until_the_deadline_while_the_oldest_is_not_answered)
{
    shmrpc_call calls[DEPTH] = {0}, late = {0};

    assert_status(probe_start(client, &calls[0], PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    for (unsigned i = 1; i < DEPTH; i++)
        assert_status(probe_start(client, &calls[i], PROBE_ECHO, i, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &late, PROBE_ECHO, 9, shmrpc_in_ms(20), NULL), SHMRPC_E_NOT_SENT);
    assert_status(probe_note(client, 9, shmrpc_in_ms(20)), SHMRPC_E_NOT_SENT);
    probe_gate_pass(&server, 1);
    probe_expect_echo(&calls[0], 1);
    for (unsigned i = 1; i < DEPTH; i++)
        probe_expect_echo(&calls[i], i);
}
END_TEST

/* ---- deadlines, cancelling, ends ---- */

static void await_ms(unsigned span_ms)
{
    uint64_t until_ns = test_deadline_ns(span_ms);

    while (test_remaining_ms(until_ns) > 0)
        await_pause();
}

/* What was waited for after the deadline: at once; or, on a machine that has much to do, in some of a few rounds. */
START_TEST(a_deadline_counts_from_the_start)
{
    uint64_t least_ns = UINT64_MAX;

    for (uint64_t round = 1; round <= 5; round++) {
        shmrpc_call held = {0}, behind = {0};
        uint64_t reply = 5;

        assert_status(probe_start(client, &held, PROBE_HOLD, round, shmrpc_in_ms(100), NULL), 0);
        assert_status(probe_start(client, &behind, PROBE_ECHO, 2, shmrpc_forever(), NULL), 0);
        await_true(atomic_load(&server.state->holding) == round);
        await_ms(110);
        uint64_t begin_ns = test_now_ns();
        assert_status(shmrpc_call_wait(&held, &reply), SHMRPC_E_TIMEOUT);
        uint64_t took_ns = test_now_ns() - begin_ns;
        least_ns = took_ns < least_ns ? took_ns : least_ns;
        assert_status(shmrpc_call_wait(&held, &reply), SHMRPC_E_MISUSE);
        ck_assert_uint_eq(reply, 5);
        probe_gate_pass(&server, 1);
        probe_expect_echo(&behind, 2);
    }
    ck_assert_uint_lt(least_ns, 50000000);
    ck_assert(probe_answers_rightly(client, 1, 20));
}
END_TEST

START_TEST(an_answer_that_is_there_counts_after_the_deadline)
{
    shmrpc_call call = {0};

    assert_status(probe_start(client, &call, PROBE_ECHO, 3, shmrpc_in_ms(300), NULL), 0);
    await_true(atomic_load(&server.state->ended) == 6 + 1);
    await_ms(310);
    probe_expect_echo(&call, 3);
}
END_TEST

START_TEST(a_call_that_is_cancelled_before_it_is_begun_never_is)
{
    shmrpc_call held = {0}, cancelled = {0}, behind = {0};
    uint64_t begun = atomic_load(&server.state->begun);
    uint64_t reply = 5;

    assert_status(probe_start(client, &held, PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &cancelled, PROBE_ECHO, 2, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &behind, PROBE_ECHO, 3, shmrpc_forever(), NULL), 0);
    await_true(atomic_load(&server.state->holding) == 1);
    shmrpc_call_cancel(&cancelled);
    shmrpc_call_cancel(&cancelled);
    shmrpc_call_cancel(&held); /* it is running, and answers all the same */
    probe_gate_pass(&server, 1);
    assert_status(shmrpc_call_wait(&cancelled, &reply), SHMRPC_E_CANCELLED);
    ck_assert_uint_eq(reply, 5);
    shmrpc_call_cancel(&cancelled);
    probe_expect_echo(&held, 1);
    probe_expect_echo(&behind, 3);
    ck_assert_uint_eq(atomic_load(&server.state->begun), begun + 2);
    ck_assert(probe_answers_rightly(client, 1, 20));
}
END_TEST

START_TEST(a_death_leaves_each_call_its_own_outcome)
{
    shmrpc_call calls[4] = {0};
    uint64_t reply = 5;

    assert_status(probe_start(client, &calls[0], PROBE_ECHO, 1, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &calls[1], PROBE_HOLD, 2, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &calls[2], PROBE_ECHO, 3, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &calls[3], PROBE_ECHO, 4, shmrpc_forever(), NULL), 0);
    await_true(atomic_load(&server.state->holding) == 2);
    probe_process_kill(&server);
    assert_status(shmrpc_call_wait(&calls[3], &reply), SHMRPC_E_NOT_EXECUTED);
    assert_status(shmrpc_call_wait(&calls[1], &reply), SHMRPC_E_UNKNOWN);
    ck_assert_uint_eq(reply, 5);
    probe_expect_echo(&calls[0], 1);
    assert_status(shmrpc_call_wait(&calls[2], &reply), SHMRPC_E_NOT_EXECUTED);
    assert_status(probe_start(client, &calls[0], PROBE_ECHO, 1, shmrpc_forever(), NULL), SHMRPC_E_NOT_SENT);
    ck_assert_int_eq(shmrpc_client_state(client), SHMRPC_CLIENT_GONE);
    probe_forget("probe");
    probe_process_start(&server, NULL);
}
END_TEST

/* ---- misuse ---- */

START_TEST(starting_twice_and_waiting_twice_are_statuses)
{
    shmrpc_call call = {0};
    uint64_t reply = 5;

    assert_status(shmrpc_call_wait(&call, &reply), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_wait(NULL, &reply), SHMRPC_E_MISUSE);
    shmrpc_call_cancel(&call);
    shmrpc_call_cancel(NULL);
    assert_status(probe_start(client, &call, PROBE_ECHO, 1, shmrpc_default(), NULL), 0);
    assert_status(probe_start(client, &call, PROBE_ECHO, 2, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_wait(&call, NULL), SHMRPC_E_MISUSE);
    probe_expect_echo(&call, 1);
    assert_status(shmrpc_call_wait(&call, &reply), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_start(client, NULL, PROBE_PING, NULL, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(probe_start(client, &call, PROBE_NOTE, 1, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_start(NULL, &call, PROBE_PING, NULL, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(probe_start(client, &call, PROBE_METHODS, 1, shmrpc_default(), NULL), SHMRPC_E_MISUSE);
    assert_status(shmrpc_call_start(client, &call, PROBE_CHECK, &(probe_flag){.flag = 2}, shmrpc_default(), NULL),
                  SHMRPC_E_INVALID);
    assert_status(probe_start(client, &call, PROBE_ECHO, 3, shmrpc_default(), NULL), 0);
    probe_expect_echo(&call, 3);
    ck_assert_uint_eq(atomic_load(&server.state->notes), 0);
}
END_TEST

START_TEST(an_object_may_lie_in_memory_that_was_used_otherwise)
{
    shmrpc_call call;

    memset(&call, 0xee, sizeof(call));
    assert_status(probe_start(client, &call, PROBE_ECHO, 1, shmrpc_default(), NULL), 0);
    probe_expect_echo(&call, 1);
}
END_TEST

static void never_told(shmrpc_call *call, int rc, const void *reply)
{
    (void)call;
    (void)reply;
    ck_abort_msg("told of %d", rc);
}

START_TEST(a_client_that_is_freed_lets_go_of_its_calls)
{
    shmrpc_call held = {0}, begun = {0}, told = {0};
    uint64_t reply = 5;

    assert_status(probe_start(client, &held, PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &begun, PROBE_ECHO, 2, shmrpc_forever(), NULL), 0);
    assert_status(probe_start(client, &told, PROBE_ECHO, 2, shmrpc_forever(), never_told), 0);
    await_true(atomic_load(&server.state->holding) == 1);
    shmrpc_client_free(client);
    client = NULL;
    assert_status(shmrpc_call_wait(&begun, &reply), SHMRPC_E_CANCELLED);
    assert_status(shmrpc_call_wait(&begun, &reply), SHMRPC_E_MISUSE);
    shmrpc_call_cancel(&held);
    assert_status(shmrpc_call_wait(&held, &reply), SHMRPC_E_CANCELLED);
    assert_status(shmrpc_call_wait(&told, &reply), SHMRPC_E_CANCELLED);
    ck_assert_uint_eq(reply, 5);
    probe_gate_pass(&server, 1);
    await_true(atomic_load(&server.state->disconnected) == 1);
    ck_assert_uint_eq(atomic_load(&server.state->begun), 6 + 1); /* of the six in setup(), and the one at the gate */
}
END_TEST

typedef struct stranger {
    shmrpc_call *call;
    int wait_status, start_status, dispatch_status;
} stranger;

static void *use_as_a_stranger(void *data)
{
    stranger *self = data;
    uint64_t reply;

    self->wait_status = shmrpc_call_wait(self->call, &reply);
    shmrpc_call_cancel(self->call);
    self->start_status = probe_start(client, self->call, PROBE_ECHO, 2, shmrpc_default(), NULL);
    self->dispatch_status = shmrpc_client_dispatch(client, 1);
    return NULL;
}

START_TEST(a_call_belongs_to_the_thread_that_started_it)
{
    shmrpc_call call = {0};
    stranger other = {.call = &call};
    pthread_t thread;

    assert_status(probe_start(client, &call, PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, use_as_a_stranger, &other), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    assert_status(other.wait_status, SHMRPC_E_WRONG_THREAD);
    assert_status(other.start_status, SHMRPC_E_MISUSE);
    assert_status(other.dispatch_status, 0);
    probe_gate_pass(&server, 1);
    probe_expect_echo(&call, 1);
}
END_TEST

typedef struct leaver {
    shmrpc_call *kept;
    bool all_started;
} leaver;

/* Leaves with calls in flight, in objects of its stack too: answered, taken out of their slots, held, unpublished. */
static void *leave_with_calls_in_flight(void *data)
{
    static probe_blob blob;
    leaver *self = data;
    shmrpc_call calls[2 * DEPTH] = {0};
    bool fine = true;

    probe_blob_fill(&blob, 1, 3000);
    for (unsigned i = 0; i < 3; i++)
        fine = fine && shmrpc_call_start(client, &calls[i], PROBE_BLOB, &blob, shmrpc_forever(), NULL) == 0;
    for (unsigned i = 3; i < DEPTH + 3; i++)
        fine = fine &&
               probe_start(client, &calls[i], PROBE_ECHO, i, shmrpc_forever(), i % 2 == 0 ? never_told : NULL) == 0;
    fine = fine && probe_start(client, self->kept, PROBE_HOLD, 99, shmrpc_forever(), NULL) == 0;
    fine = fine && shmrpc_call_start(client, &calls[DEPTH + 3], PROBE_BLOB, &blob, shmrpc_forever(), NULL) == 0;
    shmrpc_client_batch_begin(client);
    fine = fine && probe_start(client, &calls[DEPTH + 4], PROBE_ECHO, 1, shmrpc_forever(), NULL) == 0;
    fine = fine && probe_note(client, 7, shmrpc_forever()) == 0;
    self->all_started = fine;
    return NULL;
}

START_TEST(a_thread_that_ends_withdraws_its_calls)
{
    for (unsigned round = 1; round < 4; round++) {
        shmrpc_call kept = {0};
        leaver self = {.kept = &kept};
        const shmrpc_client_options options = {.depth = DEPTH};
        pthread_t thread;
        uint64_t reply = 5;

        shmrpc_client_free(client);
        assert_status(probe_connect(&client, "probe", &options), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, leave_with_calls_in_flight, &self), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert(self.all_started);
        if (round < 3)
            assert_status(shmrpc_call_wait(&kept, &reply), SHMRPC_E_CANCELLED);
        else
            assert_status(probe_start(client, &kept, PROBE_ECHO, 8, shmrpc_default(), NULL), 0);
        probe_gate_pass(&server, 1);
        if (round < 3)
            assert_status(shmrpc_call_wait(&kept, &reply), SHMRPC_E_MISUSE);
        else
            probe_expect_echo(&kept, 8);
        ck_assert_uint_eq(reply, 5);
        await_true(atomic_load(&server.state->notes) == round); /* what it had written is sent */
        ck_assert(probe_answers_rightly(client, 9, 3 * DEPTH)); /* in the same lane */
    }
}
END_TEST

#define LATE_THREADS 12u /* more than idle lanes are kept */

static pthread_key_t late_key;
static pthread_barrier_t all_together;

typedef struct late_use {
    shmrpc_call call;
    int started, waited, waited_again, restarted, answered;
    uint64_t reply;
} late_use;

/* The library's own destructor has run: the lane of the call is another thread's, or there is none. */
static void use_call_late(void *data)
{
    late_use *self = data;

    shmrpc_call_cancel(&self->call);
    self->waited = shmrpc_call_wait(&self->call, &self->reply);
    self->waited_again = shmrpc_call_wait(&self->call, &self->reply);
    self->restarted = probe_start(client, &self->call, PROBE_ECHO, 7, shmrpc_default(), NULL);
    self->answered = shmrpc_call_wait(&self->call, &self->reply);
}

static void *leave_a_call_to_a_destructor(void *data)
{
    late_use *self = data;

    /* A server that is in a handler opens no lane. */
    self->started = probe_ping(client, shmrpc_default());
    (void)pthread_barrier_wait(&all_together);
    if (self->started == 0)
        self->started = probe_start(client, &self->call, PROBE_HOLD, 5, shmrpc_forever(), NULL);
    (void)pthread_barrier_wait(&all_together);
    (void)pthread_setspecific(late_key, self);
    return NULL;
}

START_TEST(a_late_destructor_finds_its_calls_withdrawn)
{
    static late_use uses[LATE_THREADS];
    pthread_t threads[LATE_THREADS];

    memset(uses, 0, sizeof(uses));
    ck_assert_int_eq(pthread_key_create(&late_key, use_call_late), 0);
    ck_assert_int_eq(pthread_barrier_init(&all_together, NULL, LATE_THREADS + 1), 0);
    for (unsigned i = 0; i < LATE_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, leave_a_call_to_a_destructor, &uses[i]), 0);
    (void)pthread_barrier_wait(&all_together);
    (void)pthread_barrier_wait(&all_together);
    probe_gate_open(&server);
    for (unsigned i = 0; i < LATE_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        assert_status(uses[i].started, 0);
        assert_status(uses[i].waited, SHMRPC_E_CANCELLED);
        assert_status(uses[i].waited_again, SHMRPC_E_MISUSE);
        assert_status(uses[i].restarted, 0);
        assert_status(uses[i].answered, 0);
        ck_assert_uint_eq(uses[i].reply, 7);
    }
    ck_assert_int_eq(pthread_barrier_destroy(&all_together), 0);
    ck_assert_int_eq(pthread_key_delete(late_key), 0);
    ck_assert(probe_answers_rightly(client, 9, 3 * DEPTH));
}
END_TEST

static shmrpc_call inherited;

static int use_inherited_call(child_link *link, void *data)
{
    uint64_t reply = 5;

    (void)link;
    (void)data;
    child_check(shmrpc_call_wait(&inherited, &reply) == SHMRPC_E_FORKED, "a wait is not FORKED");
    shmrpc_call_cancel(&inherited);
    child_check(shmrpc_client_dispatch(client, 1) == SHMRPC_E_FORKED, "dispatching is not FORKED");
    shmrpc_client_free(client);
    child_check(shmrpc_call_wait(&inherited, &reply) == SHMRPC_E_CANCELLED, "freed, and not CANCELLED");
    child_check(reply == 5, "the reply was touched");
    return 0;
}

START_TEST(a_forked_child_has_no_part_of_a_call)
{
    child forked;

    memset(&inherited, 0, sizeof(inherited));
    assert_status(probe_start(client, &inherited, PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    child_spawn(&forked, use_inherited_call, NULL);
    child_expect_exit(&forked, 0);
    probe_gate_pass(&server, 1);
    probe_expect_echo(&inherited, 1);
}
END_TEST

static int free_inherited_client(child_link *link, void *data)
{
    (void)link;
    (void)data;
    shmrpc_client_free(client);
    return 0;
}

/* As one on the stack of another thread, in whose place the child has something else. */
START_TEST(a_forked_child_leaves_calls_alone_whose_memory_it_has_not)
{
    shmrpc_call *elsewhere = mmap(NULL, sizeof(*elsewhere), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child forked;

    ck_assert(elsewhere != MAP_FAILED);
    ck_assert_int_eq(madvise(elsewhere, sizeof(*elsewhere), MADV_DONTFORK), 0);
    assert_status(probe_start(client, elsewhere, PROBE_HOLD, 1, shmrpc_forever(), NULL), 0);
    child_spawn(&forked, free_inherited_client, NULL);
    child_expect_exit(&forked, 0);
    probe_gate_pass(&server, 1);
    probe_expect_echo(elsewhere, 1);
    munmap(elsewhere, sizeof(*elsewhere));
}
END_TEST

/* Both sides sleep at once, and whoever waits does so for any of many calls. */
START_TEST(answers_arrive_also_where_both_sides_sleep)
{
    const shmrpc_server_options sleeping_server = {.spin_ns = SHMRPC_SPIN_NONE};
    const shmrpc_client_options sleeping_client = {.spin_ns = SHMRPC_SPIN_NONE, .depth = DEPTH};
    const probe_setup sleeper = {.name = "sleeper", .options = &sleeping_server};
    probe_process other;
    uint32_t random = 12345;

    shmrpc_client_free(client);
    probe_process_start(&other, &sleeper);
    assert_status(probe_connect(&client, "sleeper", &sleeping_client), 0);
    for (unsigned round = 0; round < 300; round++) {
        shmrpc_call calls[DEPTH] = {0};
        unsigned order[DEPTH];

        for (unsigned i = 0; i < DEPTH; i++) {
            order[i] = i;
            assert_status(probe_start(client, &calls[i], PROBE_ECHO, round + i, shmrpc_default(), NULL), 0);
        }
        for (unsigned i = DEPTH; i-- > 1;) {
            random = random * 1103515245u + 12345u;
            unsigned j = (random >> 16) % (i + 1), swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        for (unsigned i = 0; i < DEPTH; i++)
            probe_expect_echo(&calls[order[i]], round + order[i]);
    }
    shmrpc_client_free(client);
    client = NULL;
    probe_process_stop(&other);
}
END_TEST

static Suite *flights_suite(void)
{
    Suite *suite = suite_create("ipc_flights");
    TCase *tests = tcase_create("flights");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, probe_pair_end);
    tcase_add_test(tests, answers_are_waited_for_in_any_order);
    tcase_add_test(tests, larger_answers_wait_in_their_blocks_beside_calls_that_wait);
    tcase_add_test(tests, errors_come_with_their_payload_to_whoever_waits);
    tcase_add_test(tests, unread_answers_are_in_nobodys_way);
    tcase_add_test(tests, says_again_while_all_blocks_hold_unread_answers);
    tcase_add_test(tests, waits_for_room_until_the_deadline_while_the_oldest_is_not_answered);
    tcase_add_test(tests, a_deadline_counts_from_the_start);
    tcase_add_test(tests, an_answer_that_is_there_counts_after_the_deadline);
    tcase_add_test(tests, a_call_that_is_cancelled_before_it_is_begun_never_is);
    tcase_add_test(tests, a_death_leaves_each_call_its_own_outcome);
    tcase_add_test(tests, starting_twice_and_waiting_twice_are_statuses);
    tcase_add_test(tests, an_object_may_lie_in_memory_that_was_used_otherwise);
    tcase_add_test(tests, a_client_that_is_freed_lets_go_of_its_calls);
    tcase_add_test(tests, a_call_belongs_to_the_thread_that_started_it);
    tcase_add_test(tests, a_thread_that_ends_withdraws_its_calls);
    tcase_add_test(tests, a_late_destructor_finds_its_calls_withdrawn);
    tcase_add_test(tests, a_forked_child_has_no_part_of_a_call);
    tcase_add_test(tests, a_forked_child_leaves_calls_alone_whose_memory_it_has_not);
    tcase_add_test(tests, answers_arrive_also_where_both_sides_sleep);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(flights_suite)
