/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_put_off.c - calls that wait for their answers while their process forks, or their service is taken out.
 *
 * Server and client are threads of one process, the calls' answers are given by the test. (What else becomes of calls
 * that are put off: test_later.c.)
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <shmrpc/host.h>

#include "probe_server.h"
#include "tally.h"

#define CALLS 8u
#define REASON_SIZE 200

typedef struct reason {
    uint64_t value;
    uint8_t rest[REASON_SIZE - 8];
} reason;

enum { ERROR_PLAIN = 1, ERROR_REASON = 2 };

static shmrpc_server server;
static pthread_t serving;
static shmrpc_client *client;
static shmrpc_later laters[CALLS]; /* by the value of their request */
static _Atomic(unsigned) put_off;

/* ---- the service ---- */

static int put_it_off(shmrpc_server *by, shmrpc_context *context, const void *request, void *reply)
{
    uint64_t value = ((const probe_value *)request)->value;
    shmrpc_later later = shmrpc_context_defer(context);

    (void)by;
    (void)reply;
    if (later.id == 0 || value >= CALLS)
        return SHMRPC_E_LIMIT;
    laters[value] = later;
    atomic_fetch_add(&put_off, 1);
    return SHMRPC_DEFERRED;
}

static const shmrpc_type_info reason_type = {.name = "test.Reason",
                                             .fingerprint = 3,
                                             .size = sizeof(reason),
                                             .min_size = sizeof(reason)};
static const shmrpc_error_info error_items[] = {{"PLAIN", ERROR_PLAIN, NULL}, {"REASON", ERROR_REASON, &reason_type}};
static const shmrpc_errors_info errors = {"test.Error", 4, error_items, 2};
static const shmrpc_method_info method = {.name = "work",
                                          .fingerprint = 5,
                                          .request = &probe_value_type,
                                          .reply = &probe_value_type,
                                          .errors = &errors,
                                          .invoke = put_it_off};
static const shmrpc_service_info service = {
    .abi = &shmrpc_generated_abi_3, .name = "test.PutOff", .version = 1, .method_count = 1, .methods = &method};

static void *run_server(void *unused)
{
    (void)unused;
    return shmrpc_server_run(&server) == 0 ? &server : NULL;
}

static void make_server(const char *name)
{
    child_check(shmrpc_server_init(&server, &(shmrpc_server_binding){.service = &service}, name, NULL) == 0, "init");
    child_check(pthread_create(&serving, NULL, run_server, NULL) == 0, "a thread");
    child_check(shmrpc_client_connect(&client, name, &service, NULL) == 0, "connect");
}

static void end_server(void)
{
    void *result = NULL;

    shmrpc_client_free(client);
    shmrpc_server_stop(&server);
    child_check(pthread_join(serving, &result) == 0 && result == &server, "run");
    shmrpc_server_deinit(&server);
}

/* ---- forks ---- */

static bool skips_tsan(void)
{
    if (test_is_built_with("tsan"))
        test_skip("ThreadSanitizer does not support a fork beside threads");
    return test_is_built_with("tsan");
}

static void start_calls(shmrpc_call *calls)
{
    atomic_store(&put_off, 0);
    for (uint64_t i = 0; i < CALLS; i++)
        assert_status(shmrpc_call_start(client, &calls[i], 0, &(probe_value){i}, shmrpc_forever(), NULL), 0);
    await_true(atomic_load(&put_off) == CALLS);
}

static void answer_calls(shmrpc_call *calls)
{
    for (uint64_t i = 0; i < CALLS; i++) {
        ck_assert(!shmrpc_later_is_cancelled(laters[i]));
        assert_status(shmrpc_later_reply(laters[i], &(probe_value){100 + i}), 0);
    }
    for (uint64_t i = 0; i < CALLS; i++) {
        probe_value reply = {0};
        assert_status(shmrpc_call_wait(&calls[i], &reply), 0);
        ck_assert_uint_eq(reply.value, 100 + i);
    }
}

static void expect_forked(int rc)
{
    child_check(rc == SHMRPC_E_FORKED, shmrpc_status_text(rc));
    child_check(strstr(shmrpc_last_error(), "forked") != NULL, "no text");
}

static int answer_for_the_parent(child_link *link, void *data)
{
    (void)link;
    (void)data;
    for (unsigned i = 0; i < CALLS; i++) {
        expect_forked(shmrpc_later_reply(laters[i], &(probe_value){1}));
        expect_forked(shmrpc_later_fail(laters[i], ERROR_PLAIN));
        expect_forked(shmrpc_later_fail(laters[i], SHMRPC_E_INTERNAL));
        expect_forked(shmrpc_later_throw(laters[i], ERROR_REASON, &(reason){.value = 1}));
        child_check(shmrpc_later_is_cancelled(laters[i]), "a call waits for the child");
    }
    return 0;
}

/* Has a server of its own put a call off, and answers it. */
static int serve_for_itself(child_link *link, void *data)
{
    shmrpc_later of_parent = laters[0];
    shmrpc_call call = {0};
    probe_value reply = {0};

    (void)link;
    (void)data;
    shmrpc_server_deinit(&server);
    make_server("own");
    atomic_store(&put_off, 0);
    child_check(shmrpc_call_start(client, &call, 0, &(probe_value){1}, shmrpc_forever(), NULL) == 0, "start");
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    while (atomic_load(&put_off) == 0)
        child_check(test_remaining_ms(until_ns) > 0, "nothing was put off");
    child_check(laters[1].id != of_parent.id, "two calls have one number");
    expect_forked(shmrpc_later_reply(of_parent, &(probe_value){1}));
    child_check(shmrpc_later_reply(laters[1], &(probe_value){7}) == 0, "the answer");
    child_check(shmrpc_call_wait(&call, &reply) == 0 && reply.value == 7, "the reply");
    child_check(shmrpc_later_reply(laters[1], &(probe_value){7}) == SHMRPC_E_MISUSE, "a second answer");
    end_server();
    return 0;
}

/* What its parent has put off is not a child's to answer; beside that it puts calls off itself. */
START_TEST(a_child_leaves_its_parents_calls_alone)
{
    static int (*const does[])(child_link *, void *) = {answer_for_the_parent, serve_for_itself};
    shmrpc_call calls[CALLS] = {0};
    child process;

    if (skips_tsan())
        return;
    make_server("parent");
    start_calls(calls);
    child_spawn(&process, does[_i], NULL);
    child_expect_exit(&process, 0);
    answer_calls(calls);
    end_server();
}
END_TEST

static _Atomic(unsigned) asking;

static void *ask_without_end(void *data)
{
    _Atomic(bool) *over = data;

    tally_up(&asking);
    while (!atomic_load(over)) {
        for (unsigned i = 0; i < CALLS; i++)
            (void)shmrpc_later_is_cancelled((shmrpc_later){laters[i].id + 1});
    }
    return NULL;
}

/* At any moment: some thread may just then be looking a call up. */
START_TEST(a_child_is_told_at_whatever_moment_it_was_forked)
{
    enum { ASKERS = 3, FORKS = 40 };
    _Atomic(bool) over = false;
    shmrpc_call calls[CALLS] = {0};
    pthread_t askers[ASKERS];

    if (skips_tsan())
        return;
    make_server("parent");
    start_calls(calls);
    for (int i = 0; i < ASKERS; i++)
        ck_assert_int_eq(pthread_create(&askers[i], NULL, ask_without_end, &over), 0);
    /* A thread that is just coming to life may hold locks of a sanitizer's, which a child would inherit. */
    tally_await(&asking, ASKERS);
    for (int i = 0; i < FORKS; i++) {
        child process;
        child_spawn(&process, i % 8 == 0 ? serve_for_itself : answer_for_the_parent, NULL);
        child_expect_exit(&process, 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < ASKERS; i++)
        ck_assert_int_eq(pthread_join(askers[i], NULL), 0);
    answer_calls(calls);
    end_server();
}
END_TEST

/* ---- services that are taken out ---- */

/* All that describes a service, in memory of its own: who looks at it when it is gone dies. */
typedef struct tables {
    char names[6][16];
    shmrpc_type_info value, reason;
    shmrpc_error_info error_items[2];
    shmrpc_errors_info errors;
    shmrpc_method_info method;
    shmrpc_service_info service;
    shmrpc_server_binding binding;
} tables;

static _Atomic(bool) may_answer;
static _Atomic(bool) is_gone; /* what describes the service */

/* Gives who takes the service out time to be wrong. */
static bool value_validate(const void *message, shmrpc_fault *ret_fault)
{
    for (unsigned i = 0; i < 100 && atomic_load(&may_answer) && !atomic_load(&is_gone); i++)
        sched_yield();
    *ret_fault = (shmrpc_fault){"value", "is 13", 13, 0};
    return ((const probe_value *)message)->value != 13;
}

static const char *name_of(tables *self, unsigned which, const char *name)
{
    snprintf(self->names[which], sizeof(self->names[which]), "%s", name);
    return self->names[which];
}

static tables *tables_new(void)
{
    tables *self = mmap(NULL, sizeof(*self), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(self, MAP_FAILED);
    self->value = probe_value_type;
    self->value.name = name_of(self, 0, "test.Value");
    self->value.validate = value_validate;
    self->reason = reason_type;
    self->reason.name = name_of(self, 1, "test.Reason");
    self->error_items[0] = (shmrpc_error_info){name_of(self, 2, "PLAIN"), ERROR_PLAIN, NULL};
    self->error_items[1] = (shmrpc_error_info){name_of(self, 3, "REASON"), ERROR_REASON, &self->reason};
    self->errors = errors;
    self->errors.items = self->error_items;
    self->method = method;
    self->method.name = name_of(self, 4, "work");
    self->method.request = &self->value;
    self->method.reply = &self->value;
    self->method.errors = &self->errors;
    self->service = service;
    self->service.name = name_of(self, 5, "test.PutOff");
    self->service.methods = &self->method;
    self->binding.service = &self->service;
    return self;
}

static void tables_free(tables *self)
{
    ck_assert_int_eq(munmap(self, sizeof(*self)), 0);
}

static shmrpc_host host;

static void *run_host(void *unused)
{
    (void)unused;
    return shmrpc_host_run(&host) == 0 ? &host : NULL;
}

static void start_host(void)
{
    assert_status(shmrpc_host_init(&host, "host", NULL), 0);
    ck_assert_int_eq(pthread_create(&serving, NULL, run_host, NULL), 0);
}

static void stop_host(void)
{
    void *result = NULL;

    shmrpc_host_stop(&host);
    ck_assert_int_eq(pthread_join(serving, &result), 0);
    ck_assert_ptr_eq(result, &host);
    shmrpc_host_deinit(&host);
}

/* In every way in which a call can be answered. */
static int answer_somehow(shmrpc_later later, unsigned how)
{
    switch (how % 8) {
    case 0: return shmrpc_later_reply(later, &(probe_value){1});
    case 1: return shmrpc_later_reply(later, &(probe_value){13}); /* does not validate */
    case 2: return shmrpc_later_throw(later, ERROR_REASON, &(reason){.value = 1});
    case 3: return shmrpc_later_throw(later, ERROR_PLAIN, &(reason){.value = 1}); /* has no payload */
    case 4: return shmrpc_later_fail(later, ERROR_PLAIN);
    case 5: return shmrpc_later_fail(later, 77); /* is not declared */
    case 6: return shmrpc_later_fail(later, SHMRPC_E_INTERNAL);
    default: return shmrpc_later_fail(later, SHMRPC_E_LIMIT);
    }
}

/* What who answers is told where the client waits. */
static const int told[8] = {[1] = SHMRPC_E_INVALID, [3] = SHMRPC_E_INTERNAL, [5] = SHMRPC_E_INTERNAL};

START_TEST(an_answer_is_dropped_once_the_service_is_taken_out)
{
    shmrpc_call calls[CALLS] = {0};
    tables *described = tables_new();

    start_host();
    assert_status(shmrpc_server_attach(&server, &described->binding, &host), 0);
    assert_status(shmrpc_client_connect(&client, "host", &service, NULL), 0);
    start_calls(calls);
    assert_status(shmrpc_server_detach(&server), 0);
    tables_free(described);
    for (unsigned i = 0; i < CALLS; i++) {
        ck_assert(shmrpc_later_is_cancelled(laters[i]));
        assert_status(answer_somehow(laters[i], i), SHMRPC_E_CANCELLED);
        assert_status(answer_somehow(laters[i], i), SHMRPC_E_MISUSE);
    }
    for (unsigned i = 0; i < CALLS; i++)
        assert_status(shmrpc_call_wait(&calls[i], &(probe_value){0}), SHMRPC_E_UNKNOWN);
    shmrpc_client_free(client);
    stop_host();
}
END_TEST

#define HANDS 2u

static _Atomic(unsigned) wrong;

static void *answer_a_share(void *data)
{
    while (!atomic_load(&may_answer)) {
    }
    for (unsigned i = (unsigned)(uintptr_t)data; i < CALLS; i += HANDS) {
        int rc = answer_somehow(laters[i], i);

        atomic_fetch_add(&wrong, rc != told[i % 8] && rc != SHMRPC_E_CANCELLED);
    }
    return NULL;
}

/* What describes the service is there as long as somebody looks at it. */
START_TEST(a_service_may_be_taken_out_while_its_calls_are_answered)
{
    start_host();
    for (unsigned round = 0; round < 60; round++) {
        shmrpc_call calls[CALLS] = {0};
        tables *described = tables_new();
        pthread_t hands[HANDS];

        assert_status(shmrpc_server_attach(&server, &described->binding, &host), 0);
        assert_status(shmrpc_client_connect(&client, "host", &service, NULL), 0);
        start_calls(calls);
        for (unsigned i = 0; i < HANDS; i++)
            ck_assert_int_eq(pthread_create(&hands[i], NULL, answer_a_share, (void *)(uintptr_t)i), 0);
        atomic_store(&may_answer, true);
        assert_status(shmrpc_server_detach(&server), 0);
        tables_free(described);
        atomic_store(&is_gone, true);
        for (unsigned i = 0; i < HANDS; i++)
            ck_assert_int_eq(pthread_join(hands[i], NULL), 0);
        atomic_store(&may_answer, false);
        atomic_store(&is_gone, false);
        ck_assert_uint_eq(atomic_load(&wrong), 0);
        shmrpc_client_free(client);
    }
    stop_host();
}
END_TEST

static Suite *put_off_suite(void)
{
    Suite *suite = suite_create("ipc_put_off");
    TCase *tests = tcase_create("put_off");

    tcase_add_checked_fixture(tests, probe_case_begin, probe_case_end);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_child_leaves_its_parents_calls_alone, 0, 2);
    tcase_add_test(tests, a_child_is_told_at_whatever_moment_it_was_forked);
    tcase_add_test(tests, an_answer_is_dropped_once_the_service_is_taken_out);
    tcase_add_test(tests, a_service_may_be_taken_out_while_its_calls_are_answered);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(put_off_suite)
