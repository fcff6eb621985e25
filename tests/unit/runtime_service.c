/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service made by shmc agrees to, and how it answers: its handler is called without a server's loop, over a
 * lane in one thread.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/current.h"
#include "runtime/message.h"
#include "runtime/server_core.h"

#include <shmrpc/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct large {
    uint64_t number;
    uint8_t rest[192];
} large;

enum { METHOD_ECHO, METHOD_GROW, METHOD_NOTE, METHOD_FAIL, METHODS };

static unsigned invoked;
static int returned;   /* what the next handler returns */
static int thrown;     /* before that it throws this, if it is not 0 */
static int throw_said; /* and this is what throwing returned */
static uint64_t noted;
static void (*in_handler)(shmrpc_context *context); /* runs first, where it is set */

static int permitted; /* what permit() returns for METHOD_GROW */
static unsigned asked_for[4];
static const shmrpc_session *asked_by;

static int permit(shmrpc_server *server, const shmrpc_session *session, uint32_t method)
{
    (void)server;
    asked_for[method]++;
    asked_by = session;
    return method == 1 ? permitted : 0;
}

static bool large_validate(const void *message, shmrpc_fault *ret_fault)
{
    *ret_fault = (shmrpc_fault){"number", "is 13", 13, 0};
    return ((const large *)message)->number != 13;
}

static int invoke(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    invoked++;
    if (in_handler != NULL) {
        in_handler(context);
    }
    if (request != NULL) {
        memcpy(&noted, request, sizeof(noted));
    }
    if (reply != NULL) {
        memcpy(reply, &noted, sizeof(noted));
    }
    if (thrown != 0) {
        const large payload = {.number = noted};

        throw_said = shmrpc_context_throw(context, thrown, &payload);
    }
    return returned;
}

static const shmrpc_type_info small_type = {"test.Small", 1, 8, 8, NULL, NULL, NULL, NULL, NULL, NULL};
static const shmrpc_type_info large_type = {"test.Large",   2,    sizeof(large), sizeof(large), NULL, NULL,
                                            large_validate, NULL, NULL,          NULL};
static const shmrpc_error_info error_items[] = {{"PLAIN", 1, NULL}, {"LARGE", 2, &large_type}};
static const shmrpc_errors_info errors = {"test.Error", 3, error_items, 2};
static const shmrpc_method_info methods[METHODS] = {
    [METHOD_ECHO] = {"echo", 10, 0, 0, 0, &small_type, &small_type, NULL, invoke, NULL, NULL},
    [METHOD_GROW] = {"grow", 11, 0, 0, 0, &small_type, &large_type, NULL, invoke, NULL, NULL},
    [METHOD_NOTE] = {"note", 12, SHMRPC_METHOD_ONEWAY, 0, 0, &large_type, NULL, NULL, invoke, NULL, NULL},
    [METHOD_FAIL] = {"fail", 13, 0, 0, 0, &small_type, &small_type, &errors, invoke, NULL, NULL},
};
static const shmrpc_service_info info = {
    .abi = &shmrpc_generated_abi_3, .name = "test.Service", .version = 1, .method_count = METHODS, .methods = methods};
static const shmrpc_server_binding binding = {.service = &info, .permit = permit};

static shmrpc_server server;
static service *offered;
static service_scratch scratch;
static lane_pair pair;
static method_terms agreed[METHODS];

static void begin(void)
{
    runtime_dir_make();
    ck_assert_int_eq(shmrpc_server_init(&server, &binding, "service", NULL), 0);
    offered = server_core_service(&server);
    ck_assert_int_eq(service_scratch_init(&scratch, offered), 0);
    for (unsigned i = 0; i < METHODS; i++) {
        agreed[i] = revision_terms(&methods[i], 0);
    }
    lane_pair_init(&pair, 4, 2);
}

static void end(void)
{
    lane_pair_deinit(&pair);
    service_scratch_deinit(&scratch);
    shmrpc_server_deinit(&server);
    runtime_dir_remove();
}

/* ---- terms ---- */

static uint64_t fingerprints[METHODS] = {13, 12, 99, 10};
static uint32_t request_sizes[METHODS + 1] = {8, sizeof(large), 65536, 8, 0};
static uint32_t answer_sizes[METHODS] = {sizeof(large), 0, 65536, 8};
static control_method asked[METHODS] = {
    {"fail", 1, &fingerprints[0], &request_sizes[0], &answer_sizes[0], false},
    {"note", 1, &fingerprints[1], &request_sizes[1], &answer_sizes[1], true},
    {"unheard", 1, &fingerprints[2], &request_sizes[2], &answer_sizes[2], false},
    {"echo", 1, &fingerprints[3], &request_sizes[3], &answer_sizes[3], false},
};

static int agree(uint32_t count, service_terms *ret_terms)
{
    const control_hello hello = {.service = "test.Service", .methods = asked, .method_count = count};

    return offered->agree(offered, &hello, ret_terms);
}

START_TEST(numbers_methods_by_name_and_says_which_are_missing)
{
    service_terms terms = {0};

    ck_assert_int_eq(agree(METHODS, &terms), 0);
    ck_assert_uint_eq(terms.method_count, METHODS);
    ck_assert_uint_eq(terms.method_numbers[0], METHOD_FAIL);
    ck_assert_uint_eq(terms.method_numbers[1], METHOD_NOTE);
    ck_assert_uint_eq(terms.method_numbers[2], CONTROL_METHOD_MISSING);
    ck_assert_uint_eq(terms.method_numbers[3], METHOD_ECHO);
    /* What the server does not have needs no room. */
    ck_assert_uint_eq(terms.request_size, sizeof(large));
    ck_assert_uint_eq(terms.answer_size, sizeof(large));
    service_terms_deinit(&terms);
}
END_TEST

START_TEST(agrees_with_a_client_that_asks_for_nothing)
{
    service_terms terms = {0};

    ck_assert_int_eq(agree(0, &terms), 0);
    ck_assert_uint_eq(terms.method_count, 0);
    ck_assert_uint_eq(terms.request_size, 0);
    service_terms_deinit(&terms);
}
END_TEST

START_TEST(refuses_another_service_by_both_names)
{
    const control_hello hello = {.service = "test.Other"};
    service_terms terms;

    ck_assert_int_eq(offered->agree(offered, &hello, &terms), SHMRPC_E_REFUSED);
    ck_assert_str_eq(shmrpc_last_error(), "the server offers test.Service, not 'test.Other'");
}
END_TEST

START_TEST(says_how_it_has_a_method_that_is_not_the_same)
{
    service_terms terms;

    switch (_i) {
    case 0: fingerprints[3] = 0xabc; break;
    case 1: request_sizes[3] = 16; break;
    case 2: answer_sizes[3] = 0; break;
    default: asked[3].oneway = true; break;
    }
    ck_assert_int_eq(agree(METHODS, &terms), 0);
    ck_assert(!terms.is_refused);
    ck_assert_uint_eq(terms.method_numbers[0], METHOD_FAIL);
    ck_assert_uint_eq(terms.method_numbers[3], CONTROL_METHOD_MISMATCH);
    ck_assert_uint_eq(terms.mismatch_count, 1);
    ck_assert_uint_eq(terms.mismatches[0].method, 3);
    ck_assert(terms.mismatches[0].fingerprint == 10);
    ck_assert_uint_eq(terms.mismatches[0].request_size, 8);
    ck_assert_uint_eq(terms.mismatches[0].answer_size, 8);
    ck_assert(!terms.mismatches[0].oneway);
    /* Nobody can call what was not agreed on. */
    ck_assert(terms.owns_methods);
    ck_assert(!terms_take(8, terms.methods[METHOD_ECHO].request_least, terms.methods[METHOD_ECHO].request_size));
    ck_assert(terms_take(8, terms.methods[METHOD_FAIL].request_least, terms.methods[METHOD_FAIL].request_size));
    service_terms_deinit(&terms);
}
END_TEST

START_TEST(agrees_with_a_service_of_as_many_methods_as_there_may_be)
{
    shmrpc_method_info *many = calloc(SHMRPC_METHODS_MAX, sizeof(*many));
    control_method *all = calloc(SHMRPC_METHODS_MAX, sizeof(*all));
    char(*names)[16] = calloc(SHMRPC_METHODS_MAX, sizeof(*names));
    uint64_t *prints = calloc(SHMRPC_METHODS_MAX, sizeof(*prints));
    const shmrpc_service_info large_info = {.abi = &shmrpc_generated_abi_3,
                                            .name = "test.Many",
                                            .version = 1,
                                            .method_count = SHMRPC_METHODS_MAX,
                                            .methods = many};
    const shmrpc_server_binding large_binding = {.service = &large_info};
    const control_hello hello = {.service = "test.Many", .methods = all, .method_count = SHMRPC_METHODS_MAX};
    service_terms terms;
    shmrpc_server other;
    service *of_many;

    ck_assert(many != NULL && all != NULL && names != NULL && prints != NULL);
    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "method_%u", i);
        many[i] = (shmrpc_method_info){.name = names[i], .fingerprint = i, .invoke = invoke};
        all[SHMRPC_METHODS_MAX - 1 - i] =
            (control_method){names[i], 1, &prints[i], &request_sizes[4], &request_sizes[4], false};
        prints[i] = i;
    }
    ck_assert_int_eq(shmrpc_server_init(&other, &large_binding, "many", NULL), 0);
    of_many = server_core_service(&other);
    ck_assert_int_eq(of_many->agree(of_many, &hello, &terms), 0);
    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++) {
        ck_assert_uint_eq(terms.method_numbers[i], SHMRPC_METHODS_MAX - 1 - i);
    }
    service_terms_deinit(&terms);
    shmrpc_server_deinit(&other);
    free(many);
    free(all);
    free(names);
    free(prints);
}
END_TEST

/* ---- answers ---- */

/* Publishes a request, has the service handle it, and looks at what it says and answers. */
static int handle(uint16_t method, uint64_t value, uint32_t length, uint32_t reply_size, lane_reply *ret_reply)
{
    const service_visit visit = {.server = &server, .lane = &pair.server, .scratch = &scratch, .methods = agreed};
    unsigned char request[PAIR_BLOCK] = {0};
    int64_t timeout_ns = 1000000000;
    lane_request taken;
    lane_call call;
    int rc;

    memcpy(request, &value, sizeof(value));
    ck_assert_int_eq(lane_client_begin(&pair.client, length, reply_size, &timeout_ns, &call), 0);
    memcpy(call.request, request, length);
    ck_assert_int_eq(lane_client_publish(&pair.client, &call, method, length, timeout_ns), 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &taken), 1);
    rc = offered->handle(offered, &visit, &taken);
    if (rc == SHMRPC_E_PROTOCOL) {
        ck_assert_uint_eq(lane_pair_word(&pair, call.position), word_request(call.position, pair.memory.shift));
        return rc;
    }
    ck_assert_int_eq(lane_client_wait(&pair.client, &call, 1), 0);
    ck_assert_int_eq(lane_client_reply(&pair.client, &call, ret_reply), 0);
    ck_assert_int_eq(ret_reply->status, rc);
    return rc;
}

START_TEST(answers_in_the_slot_or_in_the_block)
{
    lane_reply reply = {0};
    uint64_t value;

    ck_assert_int_eq(handle(METHOD_ECHO, 77, 8, 8, &reply), 0);
    ck_assert_uint_eq(reply.length, 8);
    shared_copy_out(&value, reply.payload, sizeof(value));
    ck_assert_uint_eq(value, 77);
    ck_assert_int_eq(handle(METHOD_GROW, 78, 8, sizeof(large), &reply), 0);
    ck_assert_uint_eq(reply.length, sizeof(large));
    shared_copy_out(&value, reply.payload, sizeof(value));
    ck_assert_uint_eq(value, 78);
    ck_assert_uint_eq(shared_get_started(pair.memory.header), 2);
}
END_TEST

START_TEST(takes_a_oneway_message_beyond_a_slot)
{
    lane_reply reply = {0};

    ck_assert_int_eq(handle(METHOD_NOTE, 5, sizeof(large), 0, &reply), 0);
    ck_assert_uint_eq(reply.length, 0);
    ck_assert_uint_eq(noted, 5);
}
END_TEST

START_TEST(a_client_that_lies_about_its_message_gets_no_answer)
{
    lane_reply reply = {0};

    switch (_i) {
    case 0: ck_assert_int_eq(handle(METHOD_ECHO, 1, 0, 8, &reply), SHMRPC_E_PROTOCOL); break;
    case 1: ck_assert_int_eq(handle(METHOD_ECHO, 1, 16, 8, &reply), SHMRPC_E_PROTOCOL); break;
    case 2: ck_assert_int_eq(handle(METHOD_NOTE, 1, sizeof(large) - 8, 8, &reply), SHMRPC_E_PROTOCOL); break;
    default:
        ck_assert_int_eq(handle(METHOD_NOTE, 13, sizeof(large), 8, &reply), SHMRPC_E_PROTOCOL);
        ck_assert_str_eq(shmrpc_last_error(), "test.Large: 'number': is 13 (13)");
        break;
    }
    ck_assert_uint_eq(invoked, 0);
    ck_assert_uint_eq(shared_get_started(pair.memory.header), 0);
}
END_TEST

START_TEST(a_client_that_offers_no_block_for_its_answer_gets_none)
{
    lane_reply reply = {0};

    ck_assert_int_eq(handle(METHOD_GROW, 1, 8, 8, &reply), SHMRPC_E_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "no block for an answer of 200 bytes"));
}
END_TEST

START_TEST(an_unknown_method_is_unimplemented_and_begins_nothing)
{
    static const uint16_t unknown[] = {METHODS, 4096, 0xfffe, 0xffff};
    lane_reply reply = {0};

    ck_assert_int_eq(handle(unknown[_i], 1, 8, 8, &reply), SHMRPC_E_UNIMPLEMENTED);
    ck_assert_uint_eq(reply.length, 0);
    ck_assert_uint_eq(invoked, 0);
    ck_assert_uint_eq(shared_get_started(pair.memory.header), 0);
}
END_TEST

START_TEST(a_cancelled_request_is_not_begun)
{
    const service_visit visit = {.server = &server, .lane = &pair.server, .scratch = &scratch, .methods = agreed};
    lane_call call = lane_pair_call(&pair, 1, 8, 8);
    lane_request taken;

    ck_assert_int_eq(lane_client_cancel(&pair.client, &call), 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &taken), 1);
    ck_assert_int_eq(offered->handle(offered, &visit, &taken), SHMRPC_E_CANCELLED);
    ck_assert_uint_eq(invoked, 0);
    lane_client_reap(&pair.client);
    ck_assert_uint_eq(pair.client.reaped, pair.client.next);
}
END_TEST

/* ---- who may ---- */

START_TEST(asks_who_may_before_it_looks_at_anything)
{
    static const int answers[] = {SHMRPC_E_PERMISSION, 1, -1, 70000, SHMRPC_E_PROTOCOL};
    lane_reply reply = {0};

    permitted = answers[_i];
    ck_assert_int_eq(handle(METHOD_GROW, 1, 8, sizeof(large), &reply), SHMRPC_E_PERMISSION);
    ck_assert_uint_eq(reply.length, 0);
    /* Not even at a request that breaks the protocol. */
    ck_assert_int_eq(handle(METHOD_GROW, 1, 0, sizeof(large), &reply), SHMRPC_E_PERMISSION);
    ck_assert_uint_eq(invoked, 0);
    ck_assert_uint_eq(shared_get_started(pair.memory.header), 0);
    ck_assert_int_eq(handle(METHOD_ECHO, 5, 8, 8, &reply), 0);
    ck_assert_uint_eq(invoked, 1);
    permitted = 0;
    ck_assert_int_eq(handle(METHOD_GROW, 6, 8, sizeof(large), &reply), 0);
    ck_assert_uint_eq(invoked, 2);
    ck_assert_uint_eq(asked_for[METHOD_ECHO], 1);
    ck_assert_uint_eq(asked_for[METHOD_GROW], 3);
    ck_assert_ptr_null(asked_by); /* the visit's */
}
END_TEST

START_TEST(asks_nobody_about_a_method_that_it_does_not_have)
{
    lane_reply reply = {0};

    ck_assert_int_eq(handle(METHODS, 1, 8, 8, &reply), SHMRPC_E_UNIMPLEMENTED);
    for (size_t i = 0; i < sizeof(asked_for) / sizeof(asked_for[0]); i++) {
        ck_assert_uint_eq(asked_for[i], 0);
    }
}
END_TEST

/* ---- what a handler may ask ---- */

static const lane_call *running;

static void cancel_and_ask(shmrpc_context *context)
{
    ck_assert(!shmrpc_context_is_cancelled(context));
    ck_assert(
        shared_mark_word(running->at, word_request(running->position, pair.memory.shift), WORD_CANCEL, &(uint32_t){0}));
    ck_assert(shmrpc_context_is_cancelled(context));
}

START_TEST(a_running_handler_sees_that_its_call_is_cancelled)
{
    const service_visit visit = {.server = &server, .lane = &pair.server, .scratch = &scratch, .methods = agreed};
    int64_t timeout_ns = 1;
    lane_request taken;
    lane_call call;

    ck_assert_int_eq(lane_client_begin(&pair.client, 8, 8, &timeout_ns, &call), 0);
    ck_assert_int_eq(lane_client_publish(&pair.client, &call, METHOD_ECHO, 8, timeout_ns), 0);
    running = &call;
    in_handler = cancel_and_ask;
    ck_assert_int_eq(lane_server_take(&pair.server, &taken), 1);
    ck_assert_int_eq(offered->handle(offered, &visit, &taken), 0);
    ck_assert_uint_eq(invoked, 1);
    /* The answer stands, for whoever wants it: the slot is the client's again. */
    ck_assert_uint_eq(lane_pair_word(&pair, call.position), word_reply(call.position, pair.memory.shift));
}
END_TEST

static void limit(shmrpc_context *context)
{
    ck_assert_int_eq(current_limit_ns(INT64_MAX), shmrpc_context_timeout_ns(context));
}

START_TEST(what_a_handler_calls_is_bounded_and_what_comes_after_it_is_not)
{
    lane_reply reply = {0};

    in_handler = limit;
    ck_assert_int_eq(handle(METHOD_ECHO, 7, 8, 8, &reply), 0);
    ck_assert_uint_eq(invoked, 1);
    ck_assert_int_eq(current_limit_ns(INT64_MAX), INT64_MAX);
}
END_TEST

static void leave_and_ask(shmrpc_context *context)
{
    bool seen = false;

    pair.client_is_gone = true;
    /* Looked for at most once per tick of the clock. */
    for (uint32_t i = 0; i < UINT32_MAX && !seen; i++) {
        seen = shmrpc_context_is_cancelled(context);
    }
    ck_assert(seen);
    ck_assert(shmrpc_context_is_cancelled(context));
}

static void ask(shmrpc_context *context)
{
    ck_assert(!shmrpc_context_is_cancelled(context));
}

START_TEST(a_running_handler_sees_that_its_client_is_gone)
{
    lane_reply reply = {0};

    in_handler = ask;
    ck_assert_int_eq(handle(METHOD_ECHO, 7, 8, 8, &reply), 0);
    in_handler = leave_and_ask;
    ck_assert_int_eq(handle(METHOD_ECHO, 7, 8, 8, &reply), 0);
    ck_assert_uint_eq(invoked, 2);
}
END_TEST

typedef struct outcome {
    uint16_t method;
    int thrown, returned; /* by the handler */
    uint64_t value;
    int throw_said, status; /* as seen by the handler, by the caller */
    uint32_t length;
} outcome;

static const outcome outcomes[] = {
    {METHOD_FAIL, 0, 0, 4, 0, 0, 8},
    {METHOD_FAIL, 0, 1, 4, 0, 1, 0},
    {METHOD_FAIL, 2, 2, 4, 2, 2, sizeof(large)},
    {METHOD_FAIL, 0, 2, 4, 0, SHMRPC_E_INTERNAL, 0},                  /* without its payload */
    {METHOD_FAIL, 2, 1, 4, 2, 1, 0},                                  /* thrown, but not returned */
    {METHOD_FAIL, 2, 2, 13, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0}, /* with a payload that is not valid */
    {METHOD_FAIL, 1, 1, 4, SHMRPC_E_INTERNAL, 1, 0},                  /* it has no payload to throw */
    {METHOD_FAIL, 0, 3, 4, 0, SHMRPC_E_INTERNAL, 0},                  /* not declared */
    {METHOD_ECHO, 0, 1, 4, 0, SHMRPC_E_INTERNAL, 0},                  /* declared elsewhere */
    {METHOD_ECHO, 2, 2, 4, SHMRPC_E_INTERNAL, SHMRPC_E_INTERNAL, 0},  /* likewise */
    {METHOD_ECHO, 0, 70000, 4, 0, SHMRPC_E_INTERNAL, 0},
    {METHOD_ECHO, 0, -70000, 4, 0, SHMRPC_E_INTERNAL, 0},
    {METHOD_ECHO, 0, SHMRPC_E_PROTOCOL, 4, 0, SHMRPC_E_INTERNAL, 0},
    {METHOD_ECHO, 0, SHMRPC_E_TIMEOUT, 4, 0, SHMRPC_E_INTERNAL, 0},
    {METHOD_ECHO, 0, SHMRPC_E_PERMISSION, 4, 0, SHMRPC_E_PERMISSION, 0},
    {METHOD_GROW, 0, 0, 13, 0, SHMRPC_E_INTERNAL, 0}, /* a reply that is not valid */
    {METHOD_NOTE, 0, SHMRPC_E_AGAIN, 4, 0, SHMRPC_E_AGAIN, 0},
};

START_TEST(whatever_a_handler_returns_the_caller_gets_one_answer)
{
    const outcome *row = &outcomes[_i];
    uint32_t length = row->method == METHOD_NOTE ? sizeof(large) : 8;
    lane_reply reply = {0};

    thrown = row->thrown;
    returned = row->returned;
    ck_assert_int_eq(handle(row->method, row->value, length, sizeof(large), &reply), row->status);
    ck_assert_int_eq(throw_said, row->throw_said);
    ck_assert_uint_eq(reply.length, row->length);
    ck_assert_uint_eq(invoked, 1);
    if (row->status == 2) {
        large payload;

        shared_copy_out(&payload, reply.payload, sizeof(payload));
        ck_assert_uint_eq(payload.number, row->value);
    }
}
END_TEST

static Suite *service_suite(void)
{
    Suite *suite = suite_create("runtime_service");
    TCase *tests = tcase_create("service");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, numbers_methods_by_name_and_says_which_are_missing);
    tcase_add_test(tests, agrees_with_a_client_that_asks_for_nothing);
    tcase_add_test(tests, refuses_another_service_by_both_names);
    tcase_add_loop_test(tests, says_how_it_has_a_method_that_is_not_the_same, 0, 4);
    tcase_add_test(tests, agrees_with_a_service_of_as_many_methods_as_there_may_be);
    tcase_add_test(tests, answers_in_the_slot_or_in_the_block);
    tcase_add_test(tests, takes_a_oneway_message_beyond_a_slot);
    tcase_add_loop_test(tests, a_client_that_lies_about_its_message_gets_no_answer, 0, 4);
    tcase_add_test(tests, a_client_that_offers_no_block_for_its_answer_gets_none);
    tcase_add_loop_test(tests, an_unknown_method_is_unimplemented_and_begins_nothing, 0, 4);
    tcase_add_test(tests, a_cancelled_request_is_not_begun);
    tcase_add_loop_test(tests, asks_who_may_before_it_looks_at_anything, 0, 5);
    tcase_add_test(tests, asks_nobody_about_a_method_that_it_does_not_have);
    tcase_add_test(tests, a_running_handler_sees_that_its_call_is_cancelled);
    tcase_add_test(tests, what_a_handler_calls_is_bounded_and_what_comes_after_it_is_not);
    tcase_add_test(tests, a_running_handler_sees_that_its_client_is_gone);
    tcase_add_loop_test(tests, whatever_a_handler_returns_the_caller_gets_one_answer, 0,
                        sizeof(outcomes) / sizeof(outcomes[0]));
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(service_suite)
