/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services with methods of every kind, those that are composed of others, topics and queues: as the model has them.
 */
#include "test_support.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"

static const model_service *service(const model *compiled, const char *name)
{
    const model_decl *decl = schema_decl(compiled, name);
    ck_assert_ptr_nonnull(decl);
    ck_assert_int_eq(decl->kind, MODEL_DECL_SERVICE);
    return decl->as.service;
}

static const model_method *method(const model_service *of, const char *name)
{
    for (uint32_t i = 0; i < of->method_count; i++)
        if (strcmp(of->methods[i].name, name) == 0)
            return &of->methods[i];
    ck_abort_msg("there is no method %s", name);
}

static const model_channel *channel(const model *compiled, const char *name, model_decl_kind kind)
{
    const model_decl *decl = schema_decl(compiled, name);
    ck_assert_ptr_nonnull(decl);
    ck_assert_int_eq(decl->kind, kind);
    ck_assert_ptr_eq(decl->as.channel->decl, decl);
    return decl->as.channel;
}

/* Of a file that begins with its package. */
static const model *whole(const char *text)
{
    schema_write("test.shm", text);
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    if (result.errors + result.warnings > 0)
        ck_abort_msg("unexpected: %s", schema_shown(result.diagnostics, DIAG_TEXT));
    return result.model;
}

START_TEST(methods_have_their_kinds_and_bodies_their_roles)
{
    const model_service *s =
        service(schema_good(
                    "message M { uint8 x; }\n"
                    "service S { rpc unary({ uint8 x; }) -> ({ uint8 x; }); rpc up(stream { uint8 x; }) -> (M);\n"
                    "  rpc down(M) -> (stream { uint8 x; }); rpc both(stream M) -> (stream M);\n"
                    "  oneway tell({ uint8 x; }); event told({ uint8 x; }); event bare(); }"),
                "S");
    const model_method *each = method(s, "unary");
    ck_assert_int_eq(each->request->role, MODEL_ROLE_REQUEST);
    ck_assert_int_eq(each->reply->role, MODEL_ROLE_REPLY);
    ck_assert(!each->request_is_stream && !each->reply_is_stream);
    each = method(s, "up");
    ck_assert_int_eq(each->request->role, MODEL_ROLE_REQUEST_ITEM);
    ck_assert_int_eq(each->reply->role, MODEL_ROLE_NAMED);
    ck_assert(each->request_is_stream && !each->reply_is_stream);
    ck_assert_uint_eq(each->request->method, 1);
    each = method(s, "down");
    ck_assert_int_eq(each->reply->role, MODEL_ROLE_REPLY_ITEM);
    ck_assert(!each->request_is_stream && each->reply_is_stream);
    each = method(s, "both");
    ck_assert(each->request_is_stream && each->reply_is_stream);
    ck_assert_ptr_eq(each->request, each->reply);
    ck_assert_int_eq(method(s, "tell")->kind, MODEL_METHOD_ONEWAY);
    ck_assert_int_eq(method(s, "told")->kind, MODEL_METHOD_EVENT);
    ck_assert_int_eq(method(s, "told")->request->role, MODEL_ROLE_EVENT);
    ck_assert_ptr_null(method(s, "bare")->request);
}
END_TEST

START_TEST(a_method_of_another_kind_has_another_fingerprint)
{
    static const char *const forms[] = {
        "rpc f(M) -> (M)",
        "rpc f(stream M) -> (M)",
        "rpc f(M) -> (stream M)",
        "rpc f(stream M) -> (stream M)",
        "rpc f(M) -> (M) throws E",
        "oneway f(M)",
        "event f(M)",
    };
    uint64_t fingerprints[sizeof(forms) / sizeof(forms[0])];
    char text[256];

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        ck_assert_int_lt(snprintf(text, sizeof(text), "message M { uint8 x; }\nerrors E { A = 1; }\nservice S { %s; }",
                                  forms[i]),
                         (int)sizeof(text));
        fingerprints[i] = method(service(schema_good(text), "S"), "f")->fingerprint;
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(fingerprints[i], fingerprints[j]);
    }
}
END_TEST

START_TEST(composed_methods_stand_where_they_are_composed)
{
    static const char *const names[] = {"a", "f", "g", "b", "h"};
    static const char *const homes[] = {NULL, "T", "U", NULL, "V"};
    const model *compiled =
        schema_good("service S { rpc a() -> (); compose T; rpc b({ uint8 x; }) -> (); compose V; }\n"
                    "service T { rpc f({ uint8 x; }) -> (); compose U; }\n"
                    "service U { oneway g(); }\nservice V { event h(); }");
    const model_service *s = service(compiled, "S");
    ck_assert_uint_eq(s->method_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(s->methods[i].id, i);
        ck_assert_str_eq(s->methods[i].name, names[i]);
        if (homes[i])
            ck_assert_ptr_eq(s->methods[i].composed, service(compiled, homes[i]));
        else
            ck_assert_ptr_null(s->methods[i].composed);
    }
    ck_assert_uint_eq(s->compose_count, 2);
    ck_assert_ptr_eq(s->composes[0], service(compiled, "T"));
    ck_assert_ptr_eq(s->composes[1], service(compiled, "V"));
    const model_method *f = method(s, "f");
    ck_assert_ptr_eq(f->request, service(compiled, "T")->methods[0].request);
    ck_assert_ptr_eq(f->request->service, service(compiled, "T"));
    ck_assert_uint_eq(f->request->method, 0);
    ck_assert_uint_eq(f->fingerprint, service(compiled, "T")->methods[0].fingerprint);
    ck_assert_uint_eq(method(s, "b")->request->method, 3);
}
END_TEST

START_TEST(what_a_method_does_not_say_its_services_say)
{
    const model *compiled = schema_good(
        "@deadline(1s) @depth(8) service S { rpc a() -> (); @deadline(2s) @depth(2) rpc b() -> (); compose T;\n"
        "  rpc c(stream { uint8 x; }) -> (); oneway d(); }\n"
        "@depth(4) service T { rpc e() -> (); @deadline(3s) @idempotent rpc f() -> (); }\n"
        "@idempotent service U { compose T; rpc g() -> (stream { uint8 x; }); oneway h(); }");
    const model_service *s = service(compiled, "S");
    ck_assert_int_eq(method(s, "a")->deadline_ns, 1000000000);
    ck_assert_uint_eq(method(s, "a")->depth, 8);
    ck_assert_int_eq(method(s, "b")->deadline_ns, 2000000000);
    ck_assert_uint_eq(method(s, "b")->depth, 2);
    ck_assert_int_eq(method(s, "c")->deadline_ns, 1000000000);
    ck_assert_int_eq(method(s, "d")->deadline_ns, MODEL_DEADLINE_UNSET);
    ck_assert_int_eq(method(s, "e")->deadline_ns, 1000000000);
    ck_assert_uint_eq(method(s, "e")->depth, 4);
    ck_assert_int_eq(method(s, "f")->deadline_ns, 3000000000);
    ck_assert(method(s, "f")->idempotent);
    ck_assert(!method(s, "e")->idempotent);
    ck_assert_int_eq(method(service(compiled, "T"), "e")->deadline_ns, MODEL_DEADLINE_UNSET);
    const model_service *u = service(compiled, "U");
    ck_assert(method(u, "e")->idempotent);
    ck_assert(!method(u, "g")->idempotent);
    ck_assert(!method(u, "h")->idempotent);
    ck_assert(!method(service(compiled, "T"), "e")->idempotent);
}
END_TEST

START_TEST(a_composed_method_came_with_what_composes_it)
{
    schema_write("other.shm",
                 "@version(9) package other;\nservice O { rpc o() -> (); @since(7) rpc p({ uint8 x; }) -> (); }");
    const model_service *s =
        service(whole("@version(4) package test;\nimport \"other.shm\";\n"
                      "service S { rpc a() -> (); @since(3) compose other.O; @since(2) compose T; }\n"
                      "service T { rpc f() -> (); @since(4) rpc g() -> (); }"),
                "S");
    ck_assert_uint_eq(method(s, "a")->notes.since, 1);
    ck_assert_uint_eq(method(s, "o")->notes.since, 3);
    ck_assert_uint_eq(method(s, "p")->notes.since, 3);
    ck_assert_uint_eq(method(s, "p")->revisions[0].version, 3);
    ck_assert_uint_eq(method(s, "f")->notes.since, 2);
    ck_assert_uint_eq(method(s, "f")->revisions[0].version, 2);
    ck_assert_uint_eq(method(s, "g")->notes.since, 4);
}
END_TEST

START_TEST(a_service_has_4096_methods_with_composed_ones)
{
    size_t size = 200000;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    size_t at = (size_t)snprintf(text, size, "service S { compose T; rpc a() -> (); }\nservice T { ");
    for (unsigned i = 0; i < 4095; i++)
        at += (size_t)snprintf(text + at, size - at, "rpc f%u() -> (); ", i);
    ck_assert_uint_lt(at, size - 64);
    snprintf(text + at, size - at, "}");
    ck_assert_uint_eq(service(schema_good(text), "S")->method_count, 4096);
    snprintf(text + at, size - at, "rpc last() -> (); }");
    schema_bad(text, DIAG_E511);
    free(text);
}
END_TEST

/* A chain of services of which each is composed of the one before it. */
static const char *chain(char *text, size_t size, unsigned count)
{
    size_t at = (size_t)snprintf(text, size, "service S0 { rpc f0() -> (); }\n");
    for (unsigned i = 1; i < count; i++)
        at += (size_t)snprintf(text + at, size - at, "service S%u { compose S%u; rpc f%u() -> (); }\n", i, i - 1, i);
    ck_assert_uint_lt(at, size);
    return text;
}

START_TEST(all_services_together_take_over_16384_methods)
{
    size_t size = 100000;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(service(schema_good(chain(text, size, 181)), "S180")->method_count, 181);
    schema_bad(chain(text, size, 182), DIAG_E511);
    schema_bad(chain(text, size, 1000), DIAG_E511);
    free(text);
}
END_TEST

START_TEST(topics_and_queues_have_what_was_given)
{
    const model *compiled =
        schema_good("message M { uint8 x; }\n@depth(64) @overflow(drop_oldest) @retain(3) topic t(M);\n"
                    "@reliable @overflow(block) topic r({ uint16 y; });\n"
                    "@depth(1024) @attempts(5) @overflow(fail) queue q(M);\nqueue plain(M);");
    const model_channel *t = channel(compiled, "t", MODEL_DECL_TOPIC);
    ck_assert_uint_eq(t->depth, 64);
    ck_assert_int_eq(t->overflow, MODEL_OVERFLOW_DROP_OLDEST);
    ck_assert_uint_eq(t->retain, 3);
    ck_assert(!t->reliable);
    ck_assert_ptr_eq(t->item, schema_record(compiled, "M"));
    const model_channel *r = channel(compiled, "r", MODEL_DECL_TOPIC);
    ck_assert(r->reliable);
    ck_assert_int_eq(r->overflow, MODEL_OVERFLOW_BLOCK);
    ck_assert_uint_eq(r->depth, 0);
    ck_assert_int_eq(r->item->role, MODEL_ROLE_CHANNEL_ITEM);
    ck_assert_ptr_eq(r->item->decl, r->decl);
    ck_assert_int_eq(r->item->kind, MODEL_RECORD_MESSAGE);
    ck_assert_uint_eq(r->item->size, 8);
    const model_channel *q = channel(compiled, "q", MODEL_DECL_QUEUE);
    ck_assert_uint_eq(q->depth, 1024);
    ck_assert_uint_eq(q->attempts, 5);
    ck_assert_int_eq(q->overflow, MODEL_OVERFLOW_FAIL);
    ck_assert_int_eq(channel(compiled, "plain", MODEL_DECL_QUEUE)->overflow, MODEL_OVERFLOW_UNSET);
}
END_TEST

START_TEST(what_is_strict_or_reserved_is_in_the_model)
{
    const model *compiled = schema_good("strict enum E { A = 0; reserved 2, 4..6, \"B\"; }\nstrict flags F { X = 1; }\n"
                                        "strict union U { E e = 1; F f = 2; }\nenum L { A = 0; }\n"
                                        "struct P { E e; }\nstruct Q { L l; }\n"
                                        "strict service S { rpc f() -> (); reserved \"g\"; }");
    const model_members *e = schema_decl(compiled, "E")->as.members;
    ck_assert(e->strict);
    ck_assert(schema_decl(compiled, "F")->as.members->strict);
    ck_assert(!schema_decl(compiled, "L")->as.members->strict);
    ck_assert(schema_record(compiled, "U")->strict);
    ck_assert(!schema_record(compiled, "P")->strict);
    ck_assert(!schema_record(compiled, "P")->plain);
    ck_assert(schema_record(compiled, "Q")->plain);
    ck_assert_uint_eq(e->reserved_count, 3);
    ck_assert_uint_eq(e->reserved[0].first, 2);
    ck_assert_uint_eq(e->reserved[0].last, 2);
    ck_assert_uint_eq(e->reserved[1].first, 4);
    ck_assert_uint_eq(e->reserved[1].last, 6);
    ck_assert_ptr_null(e->reserved[1].name);
    ck_assert_str_eq(e->reserved[2].name, "B");
    ck_assert(service(compiled, "S")->strict);
    ck_assert_uint_eq(service(compiled, "S")->reserved_count, 1);
    ck_assert_str_eq(service(compiled, "S")->reserved[0].name, "g");
}
END_TEST

START_TEST(strict_before_anything_else_is_refused)
{
    schema_bad("strict struct P { uint8 x; }", DIAG_E110);
    schema_bad("strict message P { uint8 x; }", DIAG_E110);
    schema_bad("strict errors E { A = 1; }", DIAG_E110);
}
END_TEST

static Suite *service_suite(void)
{
    Suite *suite = suite_create("compiler_service");
    TCase *tests = tcase_create("service");

    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, methods_have_their_kinds_and_bodies_their_roles);
    tcase_add_test(tests, a_method_of_another_kind_has_another_fingerprint);
    tcase_add_test(tests, composed_methods_stand_where_they_are_composed);
    tcase_add_test(tests, what_a_method_does_not_say_its_services_say);
    tcase_add_test(tests, a_composed_method_came_with_what_composes_it);
    tcase_add_test(tests, a_service_has_4096_methods_with_composed_ones);
    tcase_add_test(tests, all_services_together_take_over_16384_methods);
    tcase_add_test(tests, topics_and_queues_have_what_was_given);
    tcase_add_test(tests, what_is_strict_or_reserved_is_in_the_model);
    tcase_add_test(tests, strict_before_anything_else_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(service_suite)
