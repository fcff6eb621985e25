/* SPDX-License-Identifier: Apache-2.0 */
/* The line that says what two sides see differently, and what a server tells for it. */
#include "test_support.h"

#include "runtime/mismatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static shmrpc_type_info request = {.name = "demo.kv.GetRequest", .size = 16, .min_size = 16};
static shmrpc_type_info reply = {.name = "demo.kv.GetReply", .size = 24, .min_size = 24};
static shmrpc_type_info payload = {.name = "demo.kv.Limit", .size = 8, .min_size = 8};
static shmrpc_error_info items[] = {{"NOT_FOUND", 1, NULL}, {"QUOTA", 2, &payload}};
static shmrpc_errors_info errors = {"demo.kv.Error", 9, items, 2};
static shmrpc_method_info method = {.name = "get", .fingerprint = 0xabc, .request = &request, .reply = &reply};
static const shmrpc_service_info service = {.name = "demo.kv.KeyValue", .version = 3, .methods = &method};

static void setup(void)
{
    request.layout = "message(16){0:uint64 key;8:uint64 when;}";
    reply.layout = "message(24){0:string<3> text;8:uint32 ttl_s;16:uint64 sum;}";
    payload.layout = "struct(8){0:uint32 max;4:uint32 got;}";
    method.errors = NULL;
    method.flags = 0;
}

static control_mismatch same_as_ours(void)
{
    return (control_mismatch){.fingerprint = 0xdef,
                              .request_size = 16,
                              .answer_size = 24,
                              .request = request.layout,
                              .reply = reply.layout,
                              .errors = "errors{}"};
}

static void expect(const control_mismatch *theirs, uint32_t version, const char *expected)
{
    char line[MISMATCH_LINE_MAX + 1];

    mismatch_report(&service, &method, theirs, version, line);
    ck_assert_str_eq(line, expected);
}

/* ---- fields ---- */

static const struct {
    const char *ours;
    const char *theirs;
    const char *expected;
} fields[] = {
    {"message(24){0:string<3> text;8:uint32 ttl_s;16:uint64 sum;}",
     "message(24){0:string<3> text;8:uint64 ttl_s;16:uint64 sum;}",
     "'ttl_s' is uint32 at 8 here, uint64 at 8 in the server (version 3)"},
    {"message(24){0:string<3> text;8:uint32 ttl_s;}", "message(16){0:string<3> text;}",
     "'ttl_s' is uint32 at 8 here, missing in the server (version 3)"},
    {"message(16){0:string<3> text;}", "message(24){0:string<3> text;8:uint32 ttl_s;}",
     "'ttl_s' is missing here, uint32 at 8 in the server (version 3)"},
    {"message(24){0:uint64 a;8:uint64 b;}", "message(24){0:uint64 a;8:uint64 new;16:uint64 b;}",
     "'new' is missing here, uint64 at 8 in the server (version 3)"},
    {"message(24){0:uint64 a;8:uint64 old;16:uint64 b;}", "message(16){0:uint64 a;8:uint64 b;}",
     "'old' is uint64 at 8 here, missing in the server (version 3)"},
    {"message(16){0:uint64 a;8:uint64 b;}", "message(16){0:uint64 b;8:uint64 a;}",
     "'a' is uint64 at 0 here, uint64 at 8 in the server (version 3)"},
    {"message(16){0:uint64 a;8:uint64 b;}", "message(16){0:uint64 a;8:uint64 c;}",
     "'b' is uint64 at 8 here, 'c' is uint64 at 8 in the server (version 3)"},
    {"message(16){0?8:uint64 a;}", "message(8){0:uint64 a;}",
     "'a' is optional uint64 at 0 here, uint64 at 0 in the server (version 3)"},
    {"message(8){0:uint64 a;}", "message(16){0:uint64 a;}", "it has 8 bytes here, 16 in the server (version 3)"},
    {"message(72){0:string<64> key;}", "message(40){0:string<32> key;}",
     "'key' is string<64> at 0 here, string<32> at 0 in the server (version 3)"},
    /* Into records, also those that are repeated. */
    {"message(16){8:struct(8){0:uint32 x;4:uint32 y;} at;}", "message(16){8:struct(8){0:uint32 x;4:float32 y;} at;}",
     "'at.y' is uint32 at 12 here, float32 at 12 in the server (version 3)"},
    {"message(40){0:vector<struct(8){0:uint32 x;4:uint32 y;},4> points;}",
     "message(40){0:vector<struct(8){0:uint32 x;4:int32 y;},4> points;}",
     "'points[].y' is uint32 at 4 here, int32 at 4 in the server (version 3)"},
    {"message(40){0:vector<struct(8){0:uint32 x;},4> points;}",
     "message(40){0:vector<struct(8){0:uint32 x;},5> points;}",
     "'points' is vector<struct(8),4> at 0 here, vector<struct(8),5> at 0 in the server (version 3)"},
    {"message(16){0:struct(16){0:uint32 x;} at;}", "message(8){0:struct(8){0:uint32 x;} at;}",
     "at has 16 bytes here, 8 in the server (version 3)"},
    {"message(16){0:struct(8){0:uint32 x;} at;}", "message(16){0:uint64 at;}",
     "'at' is struct(8) at 0 here, uint64 at 0 in the server (version 3)"},
    {"message(16){0:union(8){4:uint32 a=1;4:float32 b=2;} v;}",
     "message(16){0:union(8){4:uint32 a=1;4:float32 b=3;} v;}",
     "'v.b' is float32 with tag 2 at 4 here, float32 with tag 3 at 4 in the server (version 3)"},
    {"message(16){0:#0123456789abcdef inner;}", "message(16){0:#0000000000000000 inner;}",
     "'inner' is #0123456789abcdef at 0 here, #0000000000000000 at 0 in the server (version 3)"},
};

START_TEST(names_the_first_field_that_differs)
{
    control_mismatch theirs = same_as_ours();
    char expected[MISMATCH_LINE_MAX + 1];

    reply.layout = fields[_i].ours;
    theirs.reply = fields[_i].theirs;
    snprintf(expected, sizeof(expected), "demo.kv.GetReply: %s", fields[_i].expected);
    expect(&theirs, 3, expected);
}
END_TEST

START_TEST(says_both_versions_where_they_differ)
{
    control_mismatch theirs = same_as_ours();

    theirs.request = "message(16){0:uint64 key;8:uint32 when;}";
    expect(&theirs, 5,
           "demo.kv.GetRequest: 'when' is uint64 at 8 here (version 3), uint32 at 8 in the server (version 5)");
    expect(&theirs, 0, "demo.kv.GetRequest: 'when' is uint64 at 8 here (version 3), uint32 at 8 in the server");
}
END_TEST

START_TEST(says_which_error_differs)
{
    control_mismatch theirs = same_as_ours();

    method.errors = &errors;
    theirs.errors = "errors{1: NOT_FOUND;2: QUOTA;}";
    expect(&theirs, 3, "demo.kv.Error: 'QUOTA' is 2 with struct(8) here, 2 without payload in the server (version 3)");
    theirs.errors = "errors{1: NOT_FOUND;2:struct(8){0:uint32 max;4:uint16 got;} QUOTA;}";
    expect(&theirs, 3, "demo.kv.Error: 'QUOTA.got' is uint32 at 4 here, uint16 at 4 in the server (version 3)");
    theirs.errors = "errors{1: NOT_FOUND;2:struct(8){0:uint32 max;4:uint32 got;} QUOTA;3: FULL;}";
    expect(&theirs, 3, "demo.kv.Error: 'FULL' is missing here, 3 without payload in the server (version 3)");
    method.errors = NULL;
    expect(&theirs, 3,
           "demo.kv.KeyValue.get: 'NOT_FOUND' is missing here, 1 without payload in the server (version 3)");
}
END_TEST

/* ---- what cannot be said ---- */

static const char *const unhelpful[] = {
    "",
    "{",
    "}",
    "message(24)",
    "message(24){",
    "message(24){0:string<3> text",
    "message(24){0:string<3> text;",
    "message(24){0:string<3> text;8:uint32 ttl_s;16:uint64 sum;", /* cut: what comes is not known */
};

START_TEST(says_sizes_and_fingerprints_where_the_texts_say_nothing)
{
    control_mismatch theirs = same_as_ours();

    theirs.reply = unhelpful[_i];
    expect(&theirs, 4,
           "demo.kv.KeyValue.get: requests and answers have 16 and 24 bytes here (version 3), 16 and 24 in the server "
           "(version 4); the fingerprint is 0000000000000abc here, 0000000000000def in the server");
    reply.layout = NULL;
    theirs.reply = "message(8){0:uint64 other;}";
    expect(&theirs, 4,
           "demo.kv.KeyValue.get: requests and answers have 16 and 24 bytes here (version 3), 16 and 24 in the server "
           "(version 4); the fingerprint is 0000000000000abc here, 0000000000000def in the server");
}
END_TEST

START_TEST(says_that_much_where_the_server_has_said_nothing)
{
    expect(NULL, 4, "demo.kv.KeyValue.get: it has another layout here (version 3) than in the server (version 4)");
}
END_TEST

START_TEST(stays_within_the_line_whatever_a_server_writes)
{
    static const char alphabet[] = "0123:;{}(<>,? =amessage(8){0:struct(8){vector<";
    unsigned random = 99;
    char text[CONTROL_LAYOUT_MAX + 1];
    char line[MISMATCH_LINE_MAX + 3];
    control_mismatch theirs = same_as_ours();

    theirs.reply = text;
    theirs.errors = text;
    for (unsigned round = 0; round < 3000; round++) {
        size_t kept = round % 3 == 0 ? 0 : (size_t)rand_r(&random) % strlen(reply.layout);
        size_t length = kept + (size_t)rand_r(&random) % (round % 100 == 0 ? sizeof(text) - kept - 1 : 60);

        memcpy(text, reply.layout, kept);
        for (size_t i = kept; i < length; i++) {
            text[i] = alphabet[(size_t)rand_r(&random) % (sizeof(alphabet) - 1)];
        }
        text[length] = '\0';
        memset(line, 0x55, sizeof(line));
        mismatch_report(&service, &method, &theirs, 1, line);
        ck_assert_uint_le(strnlen(line, sizeof(line)), MISMATCH_LINE_MAX);
        ck_assert_int_eq(line[MISMATCH_LINE_MAX + 1], 0x55);
        ck_assert_int_ne(line[0], '\0');
    }
    /* Records in records as deep as they go, and a name as long as it gets. */
    for (size_t i = 0; i + 4 < sizeof(text); i += 4) {
        memcpy(text + i, "r{0:", 5);
    }
    reply.layout = text;
    theirs.reply = text;
    mismatch_report(&service, &method, &theirs, 1, line);
    ck_assert_int_eq(line[MISMATCH_LINE_MAX + 1], 0x55);
    memset(text, 'n', sizeof(text) - 1);
    memcpy(text, "message(8){0:uint64 ", 20);
    memcpy(text + sizeof(text) - 3, ";}", 3);
    reply.layout = "message(8){0:uint64 a;}";
    mismatch_report(&service, &method, &theirs, 1, line);
    ck_assert_uint_eq(strlen(line), MISMATCH_LINE_MAX);
}
END_TEST

/* ---- what a server tells ---- */

START_TEST(tells_as_many_texts_as_there_is_room_for)
{
    size_t budget = strlen(request.layout) + strlen("errors{}") + 3;
    control_mismatch *told = calloc(2, sizeof(*told));

    ck_assert_ptr_nonnull(told);
    ck_assert_int_eq(mismatch_describe(&method, 7, &budget, &told[0]), 0);
    ck_assert_uint_eq(told[0].method, 7);
    ck_assert(told[0].fingerprint == 0xabc);
    ck_assert_uint_eq(told[0].request_size, 16);
    ck_assert_uint_eq(told[0].answer_size, 24);
    ck_assert_str_eq(told[0].request, request.layout);
    ck_assert_str_eq(told[0].reply, "");
    ck_assert_str_eq(told[0].errors, "errors{}");
    ck_assert_uint_eq(budget, 3);
    method.errors = &errors;
    budget = 1000;
    ck_assert_int_eq(mismatch_describe(&method, 8, &budget, &told[1]), 0);
    ck_assert_str_eq(told[1].errors, "errors{1: NOT_FOUND;2:struct(8){0:uint32 max;4:uint32 got;} QUOTA;}");
    ck_assert_uint_eq(budget, 1000 - strlen(told[1].errors) - strlen(request.layout) - strlen(reply.layout));
    mismatches_free(told, 2);
    mismatches_free(NULL, 0);
}
END_TEST

static Suite *mismatch_suite(void)
{
    Suite *suite = suite_create("runtime_mismatch");
    TCase *tests = tcase_create("mismatch");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, names_the_first_field_that_differs, 0, (int)(sizeof(fields) / sizeof(fields[0])));
    tcase_add_test(tests, says_both_versions_where_they_differ);
    tcase_add_test(tests, says_which_error_differs);
    tcase_add_loop_test(tests, says_sizes_and_fingerprints_where_the_texts_say_nothing, 0,
                        (int)(sizeof(unhelpful) / sizeof(unhelpful[0])));
    tcase_add_test(tests, says_that_much_where_the_server_has_said_nothing);
    tcase_add_test(tests, stays_within_the_line_whatever_a_server_writes);
    tcase_add_test(tests, tells_as_many_texts_as_there_is_room_for);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(mismatch_suite)
