/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flights.c - calls in flight by the generated functions: started, waited for, cancelled, told of, sent together.
 */
/* clang-format off */
#if 0 /* IDL: flights.shm */
package rt.flights;

struct Spare { uint32 left; }
errors Error { NONE = 1; FEW(Spare) = 2; }
message Number { uint32 value; }
message Page { string<2000> text; }

@c_prefix("fly") @deadline(10s)
service Fly {
    rpc twice(Number) -> (Number) throws Error;
    rpc nothing() -> ();
    rpc hold() -> ();               // until the test opens the gate
    rpc count() -> (Number);        // how often note() has been called
    rpc write(Page) -> (Page);
    oneway note();
}
#endif /* IDL */
/* clang-format on */
#include "flights.shm.h"

#include <poll.h>
#include <semaphore.h>
#include <string.h>

#include "deadline.h"
#include "roundtrip.h"
#include "test_support.h"

typedef struct field {
    fly_server base;
    sem_t reached; /* hold() has begun */
    sem_t gate;
    uint32_t notes;
    uint32_t twices;
} field;

static field served;
static fly_client *client;
static roundtrip_host host;

static int twice(fly_server *server, fly_twice_context *context, const rt_flights_number *request,
                 rt_flights_number *reply)
{
    rt_flights_spare spare = {request->value};

    ((field *)server)->twices++;
    if (request->value == 0)
        return RT_FLIGHTS_ERROR_NONE;
    if (request->value >= 1000)
        return fly_twice_throw_few(context, &spare);
    reply->value = request->value * 2;
    return 0;
}

static int nothing(fly_server *server, fly_nothing_context *context)
{
    (void)server, (void)context;
    return 0;
}

static int hold(fly_server *server, fly_hold_context *context)
{
    field *self = (field *)server;
    struct timespec until;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TEST_PATIENCE_MS / 1000;
    sem_post(&self->reached);
    return sem_timedwait(&self->gate, &until) == 0 ? 0 : SHMRPC_E_LIMIT;
}

static int count(fly_server *server, fly_count_context *context, rt_flights_number *reply)
{
    (void)context;
    reply->value = ((field *)server)->notes;
    return 0;
}

static int write_page(fly_server *server, fly_write_context *context, const rt_flights_page *request,
                      rt_flights_page *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void note(fly_server *server, fly_note_context *context)
{
    (void)context;
    ((field *)server)->notes++;
}

static const fly_ops ops = {
    .twice = twice, .nothing = nothing, .hold = hold, .count = count, .write = write_page, .note = note};

static void connect_both(void)
{
    runtime_dir_make();
    served = (field){0};
    ck_assert_int_eq(sem_init(&served.reached, 0, 0), 0);
    ck_assert_int_eq(sem_init(&served.gate, 0, 0), 0);
    ck_assert_int_eq(fly_server_init(&served.base, &ops, "fly", NULL), 0);
    roundtrip_start(&host, &served.base.base);
    ck_assert_int_eq(fly_connect(&client, "fly", NULL), 0);
}

static void disconnect_both(void)
{
    fly_client_free(client);
    roundtrip_stop(&host);
    fly_server_deinit(&served.base);
    sem_destroy(&served.reached);
    sem_destroy(&served.gate);
    runtime_dir_remove();
}

/* Dispatches until *ended is `wanted`; the descriptor tells when there is something to do. */
static void dispatch_until(const unsigned *ended, unsigned wanted)
{
    struct pollfd poller = {.fd = fly_client_fd(client), .events = POLLIN};
    uint64_t deadline_ns = test_deadline_ns(TEST_PATIENCE_MS);

    ck_assert_int_ge(poller.fd, 0);
    while (*ended < wanted) {
        int rc = fly_client_dispatch(client, 64);
        ck_assert_int_le(rc, 1);
        ck_assert(rc >= 0 || *ended == wanted);
        if (rc == 0 && *ended < wanted)
            ck_assert_int_eq(poll(&poller, 1, test_remaining_ms(deadline_ns)), 1);
    }
}

/* ---- start, then wait ---- */

START_TEST(waits_in_any_order)
{
    enum { COUNT = 8 };
    fly_twice_call calls[COUNT] = {0};
    rt_flights_number number;

    for (uint32_t i = 0; i < COUNT; i++) {
        number.value = i + 1;
        ck_assert_int_eq(fly_twice_start(client, &calls[i], &number, shmrpc_default()), 0);
    }
    for (uint32_t i = COUNT; i-- > 0;) {
        ck_assert_int_eq(fly_twice_wait(&calls[i], &number), 0);
        ck_assert_uint_eq(number.value, (i + 1) * 2);
    }
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.twices, COUNT);
}
END_TEST

START_TEST(a_plain_call_passes_calls_in_flight)
{
    fly_twice_call first = {0};
    fly_nothing_call second = {0};
    rt_flights_number number = {.value = 3};

    ck_assert_int_eq(fly_twice_start(client, &first, &number, shmrpc_default()), 0);
    ck_assert_int_eq(fly_nothing_start(client, &second, shmrpc_default()), 0);
    ck_assert_int_eq(fly_count(client, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, 0);
    ck_assert_int_eq(fly_nothing_wait(&second), 0);
    ck_assert_int_eq(fly_twice_wait(&first, &number), 0);
    ck_assert_uint_eq(number.value, 6);
}
END_TEST

START_TEST(carries_messages_larger_than_a_slot)
{
    fly_write_call calls[3] = {0};
    rt_flights_page page;
    char text[2000];

    for (size_t i = 0; i < 3; i++) {
        memset(text, 'a' + (int)i, sizeof text);
        rt_flights_page_init(&page);
        ck_assert(rt_flights_page_set_text(&page, text, sizeof text - i));
        ck_assert_int_eq(fly_write_start(client, &calls[i], &page, shmrpc_default()), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(fly_write_wait(&calls[i], &page), 0);
        ck_assert_uint_eq(page.text.length, sizeof text - i);
        ck_assert_int_eq(page.text.text[0], 'a' + (int)i);
        ck_assert_int_eq(page.text.text[sizeof text - i - 1], 'a' + (int)i);
    }
}
END_TEST

START_TEST(a_wait_returns_errors_and_their_payloads)
{
    fly_twice_call none = {0}, few = {0};
    rt_flights_number number = {.value = 0};

    ck_assert_int_eq(fly_twice_start(client, &none, &number, shmrpc_default()), 0);
    number.value = 1234;
    ck_assert_int_eq(fly_twice_start(client, &few, &number, shmrpc_default()), 0);
    number.value = 77;
    ck_assert_int_eq(fly_twice_wait(&few, &number), RT_FLIGHTS_ERROR_FEW);
    ck_assert_ptr_nonnull(rt_flights_error_few(client));
    ck_assert_uint_eq(rt_flights_error_few(client)->left, 1234);
    ck_assert_int_eq(fly_twice_wait(&none, &number), RT_FLIGHTS_ERROR_NONE);
    ck_assert_ptr_null(rt_flights_error_few(client));
    ck_assert_uint_eq(number.value, 77);
}
END_TEST

START_TEST(an_object_may_be_used_again_after_its_call)
{
    fly_twice_call call = {0};
    rt_flights_number number;

    for (uint32_t i = 1; i <= 200; i++) { /* more than the ring has slots */
        number.value = i;
        ck_assert_int_eq(fly_twice_start(client, &call, &number, shmrpc_default()), 0);
        ck_assert_int_eq(fly_twice_wait(&call, &number), 0);
        ck_assert_uint_eq(number.value, 2 * i);
    }
}
END_TEST

START_TEST(a_deadline_ends_a_call_that_is_waited_for)
{
    fly_hold_call held = {0};

    ck_assert_int_eq(fly_hold_start(client, &held, shmrpc_in_ms(20)), 0);
    ck_assert_int_eq(fly_hold_wait(&held), SHMRPC_E_TIMEOUT);
    sem_post(&served.gate);
    ck_assert_int_eq(fly_nothing(client, shmrpc_default()), 0);
}
END_TEST

START_TEST(a_cancelled_call_that_no_handler_began_ends_as_cancelled)
{
    fly_hold_call held = {0};
    fly_twice_call call = {0};
    rt_flights_number number = {.value = 5};

    ck_assert_int_eq(fly_hold_start(client, &held, shmrpc_default()), 0);
    ck_assert_int_eq(sem_wait(&served.reached), 0);
    ck_assert_int_eq(fly_twice_start(client, &call, &number, shmrpc_default()), 0);
    fly_twice_cancel(&call);
    sem_post(&served.gate);
    ck_assert_int_eq(fly_twice_wait(&call, &number), SHMRPC_E_CANCELLED);
    ck_assert_int_eq(fly_hold_wait(&held), 0);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.twices, 0);
}
END_TEST

START_TEST(misuse_is_a_status)
{
    fly_twice_call call = {0};
    fly_nothing_call never = {0};
    rt_flights_number number = {.value = 4};

    ck_assert_int_eq(fly_twice_start(client, NULL, &number, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_int_eq(fly_twice_start(NULL, &call, &number, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_int_eq(fly_twice_wait(NULL, &number), SHMRPC_E_MISUSE);
    ck_assert_int_eq(fly_nothing_wait(&never), SHMRPC_E_MISUSE);
    fly_nothing_cancel(&never);
    fly_nothing_cancel(NULL);
    ck_assert_int_eq(fly_twice_start(client, &call, &number, shmrpc_default()), 0);
    ck_assert_int_eq(fly_twice_start(client, &call, &number, shmrpc_default()), SHMRPC_E_MISUSE);
    ck_assert_int_eq(fly_twice_wait(&call, &number), 0);
    ck_assert_uint_eq(number.value, 8);
    ck_assert_int_eq(fly_twice_wait(&call, &number), SHMRPC_E_MISUSE);
    roundtrip_stop(&host);
    ck_assert_uint_eq(served.twices, 1);
}
END_TEST

START_TEST(a_message_that_does_not_validate_starts_nothing)
{
    fly_write_call call = {0};
    rt_flights_page page;

    rt_flights_page_init(&page);
    ck_assert(rt_flights_page_set_text(&page, "caf\xe9", 4));
    ck_assert_int_eq(fly_write_start(client, &call, &page, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "'text'"));
    ck_assert_int_eq(fly_write_wait(&call, &page), SHMRPC_E_MISUSE);
}
END_TEST

/* ---- done ---- */

typedef struct told {
    fly_twice_call call;
    uint32_t index;
    int rc;
    uint32_t value;
    unsigned times;
} told;

static unsigned ended;

static void on_twice(fly_twice_call *call, int rc, const rt_flights_number *reply)
{
    told *self = (told *)call;

    self->rc = rc;
    self->value = reply != NULL ? reply->value : 0;
    self->times++;
    ended++;
}

START_TEST(done_is_told_each_end_once_and_in_dispatch)
{
    enum { COUNT = 20 };
    told calls[COUNT] = {0};

    ended = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        rt_flights_number number = {.value = i * 100};
        calls[i].call.done = on_twice;
        ck_assert_int_eq(fly_twice_start(client, &calls[i].call, &number, shmrpc_default()), 0);
    }
    ck_assert_int_eq(fly_nothing(client, shmrpc_default()), 0); /* all before it have been answered */
    ck_assert_uint_eq(ended, 0);
    dispatch_until(&ended, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(calls[i].times, 1);
        ck_assert_int_eq(calls[i].rc, i == 0 ? RT_FLIGHTS_ERROR_NONE : i >= 10 ? RT_FLIGHTS_ERROR_FEW : 0);
        ck_assert_uint_eq(calls[i].value, calls[i].rc == 0 ? i * 200 : 0);
    }
    ck_assert_int_eq(fly_client_dispatch(client, 64), 0);
    ck_assert_uint_eq(ended, COUNT);
}
END_TEST

static unsigned nothings;
static int nothing_rc;

static void on_nothing(fly_nothing_call *call, int rc)
{
    ck_assert_ptr_nonnull(call);
    nothing_rc = rc;
    nothings++;
}

START_TEST(done_of_a_method_without_reply)
{
    fly_nothing_call call = {.done = on_nothing};

    nothings = 0;
    nothing_rc = 1;
    ck_assert_int_eq(fly_nothing_start(client, &call, shmrpc_default()), 0);
    dispatch_until(&nothings, 1);
    ck_assert_int_eq(nothing_rc, 0);
}
END_TEST

static unsigned holds;

static void on_hold(fly_hold_call *call, int rc)
{
    (void)call;
    ck_assert_int_eq(rc, 0);
    holds++;
}

START_TEST(the_descriptor_is_silent_until_there_is_something_to_dispatch)
{
    fly_hold_call held = {.done = on_hold};
    struct pollfd poller = {.fd = fly_client_fd(client), .events = POLLIN};

    holds = 0;
    ck_assert_int_eq(fly_hold_start(client, &held, shmrpc_default()), 0);
    ck_assert_int_eq(sem_wait(&served.reached), 0);
    ck_assert_int_eq(fly_client_fd(client), poller.fd);
    while (fly_client_dispatch(client, 1) == 1)
        ;
    ck_assert_int_eq(poll(&poller, 1, 0), 0);
    sem_post(&served.gate);
    ck_assert_int_eq(poll(&poller, 1, TEST_PATIENCE_MS), 1);
    ck_assert_uint_eq(holds, 0);
    dispatch_until(&holds, 1);
}
END_TEST

static unsigned links;

static void on_link(fly_twice_call *call, int rc, const rt_flights_number *reply)
{
    rt_flights_number next = *reply;

    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(reply->value, UINT32_C(2) << links);
    links++;
    if (links < 9)
        ck_assert_int_eq(fly_twice_start(client, call, &next, shmrpc_default()), 0);
}

START_TEST(done_may_start_the_next_call_with_its_object)
{
    fly_twice_call call = {.done = on_link};
    rt_flights_number number = {.value = 1};

    links = 0;
    ck_assert_int_eq(fly_twice_start(client, &call, &number, shmrpc_default()), 0);
    dispatch_until(&links, 9);
}
END_TEST

START_TEST(done_is_told_of_deadline_and_cancellation)
{
    fly_hold_call held = {0};
    told late = {.call = {.done = on_twice}}, cancelled = {.call = {.done = on_twice}};
    rt_flights_number number = {.value = 5};

    ended = 0;
    ck_assert_int_eq(fly_hold_start(client, &held, shmrpc_default()), 0);
    ck_assert_int_eq(sem_wait(&served.reached), 0);
    ck_assert_int_eq(fly_twice_start(client, &late.call, &number, shmrpc_in_ms(20)), 0);
    ck_assert_int_eq(fly_twice_start(client, &cancelled.call, &number, shmrpc_default()), 0);
    dispatch_until(&ended, 1);
    ck_assert_int_eq(late.rc, SHMRPC_E_TIMEOUT);
    fly_twice_cancel(&cancelled.call);
    sem_post(&served.gate);
    dispatch_until(&ended, 2);
    ck_assert_int_eq(cancelled.rc, SHMRPC_E_CANCELLED);
    ck_assert_int_eq(fly_hold_wait(&held), 0);
    ck_assert_uint_eq(late.times + cancelled.times, 2);
}
END_TEST

START_TEST(done_is_told_of_the_servers_end)
{
    fly_hold_call held = {0};
    told call = {.call = {.done = on_twice}};
    rt_flights_number number = {.value = 5};

    ended = 0;
    ck_assert_int_eq(fly_hold_start(client, &held, shmrpc_default()), 0);
    ck_assert_int_eq(sem_wait(&served.reached), 0);
    fly_server_stop(&served.base);
    ck_assert_int_eq(fly_twice_start(client, &call.call, &number, shmrpc_default()), 0);
    sem_post(&served.gate);
    roundtrip_stop(&host);
    fly_server_deinit(&served.base);
    dispatch_until(&ended, 1);
    ck_assert_uint_eq(call.times, 1);
    /* Published before the server began to end, it is answered; after that it is known not to have run. */
    ck_assert(call.rc == 0 || call.rc == SHMRPC_E_NOT_EXECUTED);
    ck_assert_uint_eq(served.twices, call.rc == 0);
    ck_assert_int_eq(fly_hold_wait(&held), 0);
}
END_TEST

/* ---- batches ---- */

START_TEST(a_batch_carries_calls_and_oneway_messages_in_order)
{
    fly_count_call before = {0}, after = {0};
    rt_flights_number number;

    fly_batch_begin(client);
    ck_assert_int_eq(fly_count_start(client, &before, shmrpc_default()), 0);
    ck_assert_int_eq(fly_note(client, shmrpc_default()), 0);
    ck_assert_int_eq(fly_note(client, shmrpc_default()), 0);
    ck_assert_int_eq(fly_count_start(client, &after, shmrpc_default()), 0);
    ck_assert_int_eq(fly_batch_end(client), 0);
    ck_assert_int_eq(fly_count_wait(&before, &number), 0);
    ck_assert_uint_eq(number.value, 0);
    ck_assert_int_eq(fly_count_wait(&after, &number), 0);
    ck_assert_uint_eq(number.value, 2);
}
END_TEST

START_TEST(an_empty_batch_is_none)
{
    fly_batch_begin(client);
    ck_assert_int_eq(fly_batch_end(client), 0);
    ck_assert_int_eq(fly_nothing(client, shmrpc_default()), 0);
}
END_TEST

static Suite *flights_suite(void)
{
    Suite *suite = suite_create("roundtrip_flights");
    TCase *waiting = tcase_create("waiting");
    TCase *telling = tcase_create("telling");
    TCase *batches = tcase_create("batches");

    tcase_add_checked_fixture(waiting, connect_both, disconnect_both);
    tcase_add_test(waiting, waits_in_any_order);
    tcase_add_test(waiting, a_plain_call_passes_calls_in_flight);
    tcase_add_test(waiting, carries_messages_larger_than_a_slot);
    tcase_add_test(waiting, a_wait_returns_errors_and_their_payloads);
    tcase_add_test(waiting, an_object_may_be_used_again_after_its_call);
    tcase_add_test(waiting, a_deadline_ends_a_call_that_is_waited_for);
    tcase_add_test(waiting, a_cancelled_call_that_no_handler_began_ends_as_cancelled);
    tcase_add_test(waiting, misuse_is_a_status);
    tcase_add_test(waiting, a_message_that_does_not_validate_starts_nothing);
    suite_add_tcase(suite, waiting);
    tcase_add_checked_fixture(telling, connect_both, disconnect_both);
    tcase_add_test(telling, done_is_told_each_end_once_and_in_dispatch);
    tcase_add_test(telling, done_of_a_method_without_reply);
    tcase_add_test(telling, the_descriptor_is_silent_until_there_is_something_to_dispatch);
    tcase_add_test(telling, done_may_start_the_next_call_with_its_object);
    tcase_add_test(telling, done_is_told_of_deadline_and_cancellation);
    tcase_add_test(telling, done_is_told_of_the_servers_end);
    suite_add_tcase(suite, telling);
    tcase_add_checked_fixture(batches, connect_both, disconnect_both);
    tcase_add_test(batches, a_batch_carries_calls_and_oneway_messages_in_order);
    tcase_add_test(batches, an_empty_batch_is_none);
    suite_add_tcase(suite, batches);
    return suite;
}

TEST_MAIN(flights_suite)
