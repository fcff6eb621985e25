/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service whose methods have been different: what it agrees on with older and newer clients, and how it takes and
 * answers calls in a layout of before. Its handler is called over a lane in one thread.
 */
#include "test_support.h"

#include "lane_pair.h"

#include "runtime/later.h"
#include "runtime/message.h"
#include "runtime/server_core.h"

#include <shmrpc/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 8 bytes at version 1, 16 at version 2, all at version 4. */
typedef struct question {
    uint64_t first;
    uint64_t second;
    uint64_t third[20];
} question;

/* 8 bytes until version 4. Stored with its complement, so that what was stored is told from what was copied. */
typedef struct reply_body {
    uint64_t first;
    uint64_t rest[20];
} reply_body;

enum { METHOD_ASK, METHOD_TELL, METHODS };

static const question question_initial = {.second = 50, .third = {7, 8}};
static question got;
static unsigned invoked;
static int thrown;
static bool is_put_off;
static shmrpc_later later;

static bool question_validate(const void *message, shmrpc_fault *ret_fault)
{
    *ret_fault = (shmrpc_fault){"second", "is 13", 13, 0};
    return ((const question *)message)->second != 13;
}

static size_t reply_store(void *to, const void *message)
{
    reply_body out = *(const reply_body *)message;

    out.first = ~out.first;
    memcpy(to, &out, sizeof(out));
    return sizeof(out);
}

static int invoke(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    invoked++;
    memcpy(&got, request, sizeof(got));
    if (is_put_off) {
        later = shmrpc_context_defer(context);
        return SHMRPC_DEFERRED;
    }
    if (thrown != 0) {
        const reply_body payload = {.first = 4};

        return shmrpc_context_throw(context, thrown, &payload);
    }
    if (reply != NULL) {
        *(reply_body *)reply = (reply_body){.first = got.first + 1, .rest = {[19] = 99}};
    }
    return 0;
}

static const shmrpc_type_info question_type = {.name = "test.Question",
                                               .size = sizeof(question),
                                               .min_size = sizeof(question),
                                               .initial = &question_initial,
                                               .validate = question_validate,
                                               .layout =
                                                   "message(176){0:uint64 first;8:uint64 second;16:uint64[20] third;}"};
static const shmrpc_type_info reply_type = {.name = "test.Reply",
                                            .size = sizeof(reply_body),
                                            .min_size = sizeof(reply_body),
                                            .store = reply_store,
                                            .layout = "message(168){0:uint64 first;8:uint64[20] rest;}"};
static const shmrpc_error_info error_items[] = {{"PLAIN", 1, NULL}, {"LARGE", 2, &reply_type}};
static const shmrpc_errors_info errors = {"test.Error", 3, error_items, 2};
static const shmrpc_revision_info ask_former[] = {
    {11, 1, 8, 8, 8, 8, 8},
    {12, 2, 16, 16, 8, 8, 8},
};
static const shmrpc_revision_info tell_former[] = {{21, 3, 0, 0, 0, 0, 0}};
static shmrpc_method_info methods[METHODS] = {
    [METHOD_ASK] = {.name = "ask",
                    .fingerprint = 14,
                    .former_count = 2,
                    .request = &question_type,
                    .reply = &reply_type,
                    .errors = &errors,
                    .invoke = invoke,
                    .former = ask_former},
    [METHOD_TELL] = {.name = "tell",
                     .fingerprint = 24,
                     .flags = SHMRPC_METHOD_ONEWAY,
                     .former_count = 1,
                     .request = &question_type,
                     .invoke = invoke,
                     .former = tell_former,
                     .original = "say"},
};
static shmrpc_service_info info = {
    .abi = &shmrpc_generated_abi_3, .name = "test.Service", .version = 4, .method_count = METHODS, .methods = methods};
static const shmrpc_server_binding binding = {.service = &info};

static shmrpc_server server;
static service *offered;
static service_scratch scratch;
static lane_pair pair;
static service_terms terms;

static void begin(void)
{
    runtime_dir_make();
    ck_assert_int_eq(shmrpc_server_init(&server, &binding, "service", NULL), 0);
    offered = server_core_service(&server);
    ck_assert_int_eq(service_scratch_init(&scratch, offered), 0);
    lane_pair_init_with_inbox(&pair, 8, 4, 8);
}

static void end(void)
{
    service_terms_deinit(&terms);
    lane_server_close(&pair.server);
    lane_pair_deinit(&pair);
    service_scratch_deinit(&scratch);
    shmrpc_server_deinit(&server);
    runtime_dir_remove();
}

/* ---- terms ---- */

/* A client that has methods of these names, each in these layouts. */
static int agree(const char *const names[], uint32_t count, uint64_t *fingerprints, uint32_t *request_sizes,
                 uint32_t *answer_sizes, uint32_t revisions)
{
    control_method asked[4] = {{0}};
    const control_hello hello = {.service = "test.Service", .methods = asked, .method_count = count};

    for (uint32_t i = 0; i < count; i++) {
        asked[i] = (control_method){names[i],      revisions,    fingerprints,
                                    request_sizes, answer_sizes, strcmp(names[i], "ask") != 0};
    }
    return offered->agree(offered, &hello, &terms);
}

/* By `ask` alone. */
static int agree_on_ask(uint64_t *fingerprints, uint32_t *request_sizes, uint32_t *answer_sizes, uint32_t revisions)
{
    static const char *const name = "ask";

    return agree(&name, 1, fingerprints, request_sizes, answer_sizes, revisions);
}

static const struct {
    uint32_t count;     /* of the client's layouts, */
    uint64_t prints[4]; /* the newest first */
    uint32_t requests[4];
    uint32_t answers[4];
    uint32_t theirs;       /* what is agreed on, as the client counts */
    uint32_t request_size; /* and what that is */
    uint32_t answer_size;
} common[] = {
    {1, {11}, {8}, {8}, 0, 8, 8},                                            /* of version 1 */
    {2, {12, 11}, {16, 8}, {8, 8}, 0, 16, 8},                                /* of version 2 */
    {3, {14, 12, 11}, {176, 16, 8}, {168, 8, 8}, 0, 176, 168},               /* of this version */
    {4, {15, 14, 12, 11}, {200, 176, 16, 8}, {168, 168, 8, 8}, 1, 176, 168}, /* newer than this side */
    {3, {99, 98, 11}, {176, 16, 8}, {168, 8, 8}, 2, 8, 8},                   /* that went another way */
    {3, {14, 98, 11}, {170, 16, 8}, {168, 8, 8}, 2, 8, 8}, /* whose sizes are not those of its print */
    {3, {14, 98, 11}, {176, 16, 8}, {170, 8, 8}, 2, 8, 8}, /* likewise, those of answers */
    {2, {11, 12}, {8, 16}, {8, 8}, 1, 16, 8},              /* in the wrong order: ours counts */
};

START_TEST(agrees_on_the_newest_layout_that_both_have)
{
    uint64_t prints[4];
    uint32_t requests[4];
    uint32_t answers[4];

    memcpy(prints, common[_i].prints, sizeof(prints));
    memcpy(requests, common[_i].requests, sizeof(requests));
    memcpy(answers, common[_i].answers, sizeof(answers));
    ck_assert_int_eq(agree_on_ask(prints, requests, answers, common[_i].count), 0);
    ck_assert_uint_eq(terms.method_numbers[0], METHOD_ASK);
    ck_assert_uint_eq(terms.method_revisions == NULL ? 0 : terms.method_revisions[0], common[_i].theirs);
    ck_assert_uint_eq(terms.methods[METHOD_ASK].request_size, common[_i].request_size);
    ck_assert_uint_eq(terms.methods[METHOD_ASK].answer_size, common[_i].answer_size);
    /* Blocks are made for these sizes. */
    ck_assert_uint_eq(terms.request_size, common[_i].request_size);
    ck_assert_uint_eq(terms.answer_size, common[_i].answer_size);
    ck_assert_uint_eq(terms.version, 4);
    ck_assert_uint_eq(terms.mismatch_count, 0);
    /* A method that nobody asked for takes no request of any length. */
    for (uint32_t length = 0; length < 300; length++) {
        ck_assert(
            !terms_take(length, terms.methods[METHOD_TELL].request_least, terms.methods[METHOD_TELL].request_size));
    }
}
END_TEST

START_TEST(a_client_of_all_newest_layouts_has_the_table_of_the_service)
{
    static uint64_t prints[] = {14, 24};
    static uint32_t sizes[] = {176, 168, 0};
    control_method asked[] = {{"ask", 1, &prints[0], &sizes[0], &sizes[1], false},
                              {"say", 1, &prints[1], &sizes[0], &sizes[2], true}};
    const control_hello hello = {.service = "test.Service", .methods = asked, .method_count = 2};

    ck_assert_int_eq(offered->agree(offered, &hello, &terms), 0);
    ck_assert(!terms.owns_methods);
    ck_assert_ptr_null(terms.method_revisions);
    ck_assert_uint_eq(terms.methods[METHOD_TELL].request_size, 176);
}
END_TEST

START_TEST(knows_a_method_by_its_name_of_before_and_not_by_its_new_one)
{
    static const char *const names[] = {"say", "tell"};
    uint64_t print = 21;
    uint32_t size = 0;

    ck_assert_int_eq(agree(names, 2, &print, &size, &size, 1), 0);
    ck_assert_uint_eq(terms.method_numbers[0], METHOD_TELL);
    ck_assert_uint_eq(terms.method_numbers[1], CONTROL_METHOD_MISSING);
}
END_TEST

START_TEST(tells_how_it_has_a_method_in_no_layout_of_the_client)
{
    uint64_t print = 13;
    uint32_t request_size = 16;
    uint32_t answer_size = 8;

    ck_assert_int_eq(agree_on_ask(&print, &request_size, &answer_size, 1), 0);
    ck_assert(!terms.is_refused);
    ck_assert_uint_eq(terms.method_numbers[0], CONTROL_METHOD_MISMATCH);
    ck_assert_uint_eq(terms.mismatch_count, 1);
    ck_assert(terms.mismatches[0].fingerprint == 14);
    ck_assert_str_eq(terms.mismatches[0].request, question_type.layout);
    ck_assert_str_eq(terms.mismatches[0].reply, reply_type.layout);
    ck_assert_uint_eq(terms.request_size, 0);
    service_terms_deinit(&terms);

    info.flags = SHMRPC_SERVICE_STRICT;
    ck_assert_int_eq(agree_on_ask(&print, &request_size, &answer_size, 1), 0);
    ck_assert(terms.is_refused);
    ck_assert_uint_eq(terms.mismatch_count, 1);
    ck_assert_str_eq(shmrpc_last_error(),
                     "test.Service.ask: the server has it in another layout, and takes only the same");
    info.flags = 0;
}
END_TEST

START_TEST(refuses_a_method_that_is_asked_for_in_two_layouts)
{
    static uint64_t prints[] = {11, 12};
    static uint32_t sizes[] = {8, 16};
    control_method asked[] = {{"ask", 1, &prints[0], &sizes[0], &sizes[0], false},
                              {"ask", 1, &prints[0], &sizes[0], &sizes[0], false},
                              {"ask", 1, &prints[1], &sizes[1], &sizes[0], false}};
    control_hello hello = {.service = "test.Service", .methods = asked, .method_count = 2};

    ck_assert_int_eq(offered->agree(offered, &hello, &terms), 0);
    service_terms_deinit(&terms);
    hello.method_count = 3;
    ck_assert_int_eq(offered->agree(offered, &hello, &terms), SHMRPC_E_PROTOCOL);
    ck_assert_str_eq(shmrpc_last_error(), "test.Service.ask is asked for twice, in two layouts");
}
END_TEST

/* ---- calls ---- */

/* Agrees on a layout of `ask`, 0 the newest, and calls it with a request of so many bytes. */
static int call(uint32_t revision, uint32_t length, lane_reply *ret_reply)
{
    static method_terms agreed[METHODS];
    const service_visit visit = {.server = &server, .lane = &pair.server, .scratch = &scratch, .methods = agreed};
    const question asked = {.first = 1000, .second = 2000, .third = {3000}};
    int64_t timeout_ns = 1000000000;
    lane_request taken;
    lane_call at;
    int rc;

    agreed[METHOD_ASK] = revision_terms(&methods[METHOD_ASK], revision);
    agreed[METHOD_TELL] = terms_none;
    memset(&got, 0, sizeof(got));
    ck_assert_int_eq(lane_client_begin(&pair.client, length, agreed[METHOD_ASK].answer_size, &timeout_ns, &at), 0);
    memcpy(at.request, &asked, length);
    ck_assert_int_eq(lane_client_publish(&pair.client, &at, METHOD_ASK, length, timeout_ns), 0);
    ck_assert_int_eq(lane_server_take(&pair.server, &taken), 1);
    rc = offered->handle(offered, &visit, &taken);
    if (rc == SHMRPC_E_PROTOCOL || is_put_off) {
        return rc;
    }
    ck_assert_int_eq(lane_client_wait(&pair.client, &at, 1), 0);
    ck_assert_int_eq(lane_client_reply(&pair.client, &at, ret_reply), 0);
    return rc;
}

START_TEST(fills_what_an_older_client_did_not_send_and_answers_as_it_knows)
{
    lane_reply reply = {0};
    uint64_t first;

    ck_assert_int_eq(call(2, 8, &reply), 0);
    ck_assert_uint_eq(got.first, 1000);
    ck_assert_uint_eq(got.second, 50);
    ck_assert_uint_eq(got.third[0], 7);
    ck_assert_uint_eq(got.third[1], 8);
    ck_assert_uint_eq(reply.length, 8);
    shared_copy_out(&first, reply.payload, sizeof(first));
    ck_assert_uint_eq(first, ~(uint64_t)1001);

    ck_assert_int_eq(call(1, 16, &reply), 0);
    ck_assert_uint_eq(got.second, 2000);
    ck_assert_uint_eq(got.third[1], 8);
    ck_assert_uint_eq(reply.length, 8);

    ck_assert_int_eq(call(0, sizeof(question), &reply), 0);
    ck_assert_uint_eq(got.third[0], 3000);
    ck_assert_uint_eq(got.third[1], 0);
    ck_assert_uint_eq(reply.length, sizeof(reply_body));
}
END_TEST

START_TEST(takes_no_other_bytes_than_were_agreed_on)
{
    static const struct {
        uint32_t revision;
        uint32_t length;
    } wrong[] = {{2, 0}, {2, 16}, {2, 176}, {1, 8}, {1, 176}, {0, 8}, {0, 16}, {0, 168}};
    lane_reply reply = {0};

    ck_assert_int_eq(call(wrong[_i].revision, wrong[_i].length, &reply), SHMRPC_E_PROTOCOL);
    ck_assert_uint_eq(invoked, 0);
}
END_TEST

START_TEST(validates_what_an_older_client_sends_as_it_is_now)
{
    const question bad = {.first = 1, .second = 13};
    question copy;

    ck_assert_int_eq(message_load(&question_type, &copy, &bad, 16), SHMRPC_E_PROTOCOL);
    ck_assert_int_eq(message_load(&question_type, &copy, &bad, 8), 0);
    ck_assert_uint_eq(copy.second, 50);
}
END_TEST

START_TEST(an_error_that_is_newer_travels_without_its_payload)
{
    lane_reply reply = {0};

    thrown = 2;
    ck_assert_int_eq(call(2, 8, &reply), 2);
    ck_assert_int_eq(reply.status, 2);
    ck_assert_uint_eq(reply.length, 0);
    ck_assert_int_eq(call(0, sizeof(question), &reply), 2);
    ck_assert_int_eq(reply.status, 2);
    ck_assert_uint_eq(reply.length, sizeof(reply_body));
}
END_TEST

/* The same of an answer that is put off: its first entry in the inbox is this. */
static slot_header answered_later(uint64_t number, uint64_t *ret_first)
{
    const slot *at = region_entry(&pair.memory, number);
    slot_header header;

    ck_assert_uint_eq(shared_load_word(at), word_reply(number, pair.memory.inbox_shift));
    header = shared_load_header(at);
    memcpy(ret_first,
           header.reply_block == BLOCK_NONE ? at->payload : region_reply_block(&pair.memory, header.reply_block),
           sizeof(*ret_first));
    return header;
}

START_TEST(answers_that_are_put_off_are_as_was_agreed_on)
{
    const reply_body body = {.first = 5, .rest = {[19] = 6}};
    lane_reply reply = {0};
    slot_header header;
    uint64_t first = 0;

    is_put_off = true;
    ck_assert_int_eq(call(2, 8, &reply), 0);
    ck_assert_int_eq(shmrpc_later_reply(later, &body), 0);
    header = answered_later(1, &first);
    ck_assert_uint_eq(header.length, 8);
    ck_assert_uint_eq(header.reply_block, BLOCK_NONE);
    ck_assert_uint_eq(first, ~(uint64_t)5);

    ck_assert_int_eq(call(2, 8, &reply), 0);
    ck_assert_int_eq(shmrpc_later_throw(later, 2, &body), 0);
    header = answered_later(2, &first);
    ck_assert_uint_eq(header.length, 0);
    ck_assert_int_eq((int16_t)header.method, 2);

    ck_assert_int_eq(call(0, sizeof(question), &reply), 0);
    ck_assert_int_eq(shmrpc_later_reply(later, &body), 0);
    header = answered_later(3, &first);
    ck_assert_uint_eq(header.length, sizeof(body));
    ck_assert_uint_ne(header.reply_block, BLOCK_NONE);
    ck_assert_uint_eq(first, ~(uint64_t)5);
}
END_TEST

static Suite *revisions_suite(void)
{
    Suite *suite = suite_create("runtime_revisions");
    TCase *tests = tcase_create("revisions");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_loop_test(tests, agrees_on_the_newest_layout_that_both_have, 0,
                        (int)(sizeof(common) / sizeof(common[0])));
    tcase_add_test(tests, a_client_of_all_newest_layouts_has_the_table_of_the_service);
    tcase_add_test(tests, knows_a_method_by_its_name_of_before_and_not_by_its_new_one);
    tcase_add_test(tests, tells_how_it_has_a_method_in_no_layout_of_the_client);
    tcase_add_test(tests, refuses_a_method_that_is_asked_for_in_two_layouts);
    tcase_add_test(tests, fills_what_an_older_client_did_not_send_and_answers_as_it_knows);
    tcase_add_loop_test(tests, takes_no_other_bytes_than_were_agreed_on, 0, 8);
    tcase_add_test(tests, validates_what_an_older_client_sends_as_it_is_now);
    tcase_add_test(tests, an_error_that_is_newer_travels_without_its_payload);
    tcase_add_test(tests, answers_that_are_put_off_are_as_was_agreed_on);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(revisions_suite)
