/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"
#include "fingerprint.h"

/* Compiles the declarations of a package at a version; there is nothing wrong with them. */
static const model *at_version(unsigned version, const char *text)
{
    char whole[4096];
    ck_assert_int_lt(snprintf(whole, sizeof(whole), "@version(%u) package test;\n%s", version, text),
                     (int)sizeof(whole));
    schema_write("test.shm", whole);
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    if (result.errors + result.warnings > 0)
        ck_abort_msg("unexpected: %s", schema_shown(result.diagnostics, DIAG_TEXT));
    return result.model;
}

/* The one mistake in the declarations of a package at version 3. */
static void refused(diag_code code, const char *text)
{
    char whole[4096];
    ck_assert_int_lt(snprintf(whole, sizeof(whole), "@version(3) package test;\n%s", text), (int)sizeof(whole));
    schema_write("test.shm", whole);
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    size_t count;
    const diag_entry *const *entries = diag_sorted(result.diagnostics, &count);
    ck_assert_msg(count == 1 && entries[0]->code == code, "%s: %s", text, schema_shown(result.diagnostics, DIAG_TEXT));
}

static void revision_is(const model_record *record, uint32_t at, uint32_t version, uint32_t fields, uint32_t size)
{
    ck_assert_uint_lt(at, record->revision_count);
    ck_assert_uint_eq(record->revisions[at].version, version);
    ck_assert_uint_eq(record->revisions[at].field_count, fields);
    ck_assert_uint_eq(record->revisions[at].size, size);
    ck_assert_uint_eq(record->revisions[at].fingerprint, fingerprint_text(record->revisions[at].canonical));
}

/* Each revision of a record of today's file looks as it did in the file of that version. */
static void record_was(const char *name, const char *today, const char *const *files, uint32_t count)
{
    const model_record *now = schema_record(at_version(count, today), name);
    ck_assert_uint_eq(now->revision_count, count);
    for (uint32_t i = 0; i < count; i++) {
        const model_record *then = schema_record(at_version(i + 1, files[i]), name);
        const model_revision *revision = &now->revisions[i];
        ck_assert_uint_eq(revision->version, i + 1);
        ck_assert_str_eq(revision->canonical, then->canonical);
        ck_assert_uint_eq(revision->fingerprint, then->fingerprint);
        ck_assert_uint_eq(revision->size, then->size);
        ck_assert_uint_eq(revision->field_count, then->field_count);
        ck_assert_uint_eq(revision->variable_tail == NULL, then->variable_tail == NULL);
        if (then->variable_tail)
            ck_assert_str_eq(revision->variable_tail->name, then->variable_tail->name);
    }
    ck_assert_str_eq(now->canonical, now->revisions[count - 1].canonical);
    ck_assert_uint_eq(now->fingerprint, now->revisions[count - 1].fingerprint);
}

START_TEST(a_record_without_versions_has_one_revision)
{
    const model_record *record = schema_record(at_version(5, "message M { uint32 a; uint8 b; }"), "M");
    ck_assert_uint_eq(record->revision_count, 1);
    revision_is(record, 0, 1, 2, 8);
    ck_assert_str_eq(record->revisions[0].canonical, record->canonical);
    record = schema_record(at_version(5, "@since(4) message M { uint32 a; uint8 b; }"), "M");
    ck_assert_uint_eq(record->revision_count, 1);
    revision_is(record, 0, 4, 2, 8);
    ck_assert_uint_eq(record->fields[1].notes.since, 4);
}
END_TEST

START_TEST(of_many_revisions_the_first_and_the_newest_are_kept)
{
    enum { MANY = MODEL_REVISIONS_MOST + 40 };
    char *text = malloc((size_t)MANY * 64);
    size_t length = (size_t)sprintf(text, "@version(%d) package test;\nmessage M {\n", MANY);
    for (int i = 1; i <= MANY; i++)
        length += (size_t)sprintf(text + length, "@since(%d) uint64 field%d;\n", i, i);
    sprintf(text + length, "}\nservice S { rpc f(M) -> (M); }\n");
    schema_write("test.shm", text);
    free(text);
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    ck_assert_int_eq(result.rc, 0);
    const model_record *record = schema_record(result.model, "M");
    ck_assert_uint_eq(record->revision_count, MODEL_REVISIONS_MOST);
    revision_is(record, 0, 1, 1, 8);
    revision_is(record, 1, 42, 42, 42 * 8);
    revision_is(record, MODEL_REVISIONS_MOST - 1, MANY, MANY, MANY * 8);
    const model_method *method = &schema_decl(result.model, "S")->as.service->methods[0];
    ck_assert_uint_eq(method->revision_count, MODEL_REVISIONS_MOST);
    ck_assert_uint_eq(method->fingerprint, method->revisions[MODEL_REVISIONS_MOST - 1].fingerprint);
}
END_TEST

START_TEST(fields_of_a_version_begin_where_the_message_ended)
{
    const model *compiled =
        at_version(3, "message M { uint64 a; uint32 b; @since(2) uint8 c; @since(2) uint8? d; @since(3) uint16? e; }");
    const model_record *record = schema_record(compiled, "M");
    revision_is(record, 0, 1, 2, 16);
    revision_is(record, 1, 2, 4, 24);
    revision_is(record, 2, 3, 5, 32);
    ck_assert_uint_eq(schema_field(compiled, "M", "c")->offset, 16);
    ck_assert_uint_eq(schema_field(compiled, "M", "c")->padding_before, 4);
    ck_assert_uint_eq(schema_field(compiled, "M", "d")->has_offset, 17);
    ck_assert_uint_eq(schema_field(compiled, "M", "d")->offset, 18);
    ck_assert_uint_eq(schema_field(compiled, "M", "d")->padding_before, 0);
    ck_assert_uint_eq(schema_field(compiled, "M", "e")->has_offset, 24);
    ck_assert_uint_eq(schema_field(compiled, "M", "e")->padding_before, 5);
    ck_assert_uint_eq(schema_field(compiled, "M", "e")->padding_after_has, 1);
    ck_assert_uint_eq(record->size, 32);
    ck_assert(!record->plain);
    record = schema_record(at_version(2, "message M { uint64 a; @since(2) uint64 b; }"), "M");
    ck_assert(record->plain);
}
END_TEST

START_TEST(a_revision_is_what_the_file_of_its_version_was)
{
    record_was("M",
               "message M { uint32 a; bytes<2000> b; @since(2) uint16? c; @since(2) string<9> d;\n"
               "  @since(3) float64 e; @since(4) vector<uint16, 700> f; }",
               (const char *const[]){
                   "message M { uint32 a; bytes<2000> b; }",
                   "message M { uint32 a; bytes<2000> b; @since(2) uint16? c; @since(2) string<9> d; }",
                   "message M { uint32 a; bytes<2000> b; @since(2) uint16? c; @since(2) string<9> d;\n"
                   "  @since(3) float64 e; }",
                   "message M { uint32 a; bytes<2000> b; @since(2) uint16? c; @since(2) string<9> d;\n"
                   "  @since(3) float64 e; @since(4) vector<uint16, 700> f; }",
               },
               4);
}
END_TEST

START_TEST(what_is_reserved_has_its_version)
{
    record_was(
        "M", "message M { uint32 a; @since(2) reserved uint64; @since(3) uint8 b; @since(3) reserved uint8[20]; }",
        (const char *const[]){
            "message M { uint32 a; }",
            "message M { uint32 a; @since(2) reserved uint64; }",
            "message M { uint32 a; @since(2) reserved uint64; @since(3) uint8 b; @since(3) reserved uint8[20]; }",
        },
        3);
}
END_TEST

START_TEST(a_type_grows_within_its_size)
{
    record_was("P", "@size(24) struct P { uint32 a; @since(2) uint16? b; @since(3) float64 c; }",
               (const char *const[]){
                   "@size(24) struct P { uint32 a; }",
                   "@size(24) struct P { uint32 a; @since(2) uint16? b; }",
                   "@size(24) struct P { uint32 a; @since(2) uint16? b; @since(3) float64 c; }",
               },
               3);
    record_was("U", "@size(24) union U { uint32 a = 1; @since(2) uint8[13] b = 2; @since(3) float64 c = 3; }",
               (const char *const[]){
                   "@size(24) union U { uint32 a = 1; }",
                   "@size(24) union U { uint32 a = 1; @since(2) uint8[13] b = 2; }",
                   "@size(24) union U { uint32 a = 1; @since(2) uint8[13] b = 2; @since(3) float64 c = 3; }",
               },
               3);
    record_was(
        "M", "@size(24) struct P { uint32 a; @since(2) float64 b; }\nmessage M { P p; bytes<9> q; @since(3) P r; }",
        (const char *const[]){
            "@size(24) struct P { uint32 a; }\nmessage M { P p; bytes<9> q; }",
            "@size(24) struct P { uint32 a; @since(2) float64 b; }\nmessage M { P p; bytes<9> q; }",
            "@size(24) struct P { uint32 a; @since(2) float64 b; }\nmessage M { P p; bytes<9> q; @since(3) P r; }",
        },
        3);
}
END_TEST

START_TEST(a_type_with_a_size_has_it_and_is_aligned)
{
    const model *compiled = at_version(1, "@size(24) struct P { uint8 a; }\n@size(24) union U { uint8 a = 1; }\n"
                                          "@size(8) struct Full { uint64 a; }\n@align(16) message M { uint8 a; }\n"
                                          "@align(16) @size(48) union W { uint8 a = 1; }\n"
                                          "@align(16) union V { uint8 a = 1; }\nmessage N { uint8 a; W w; }");
    const model_record *record = schema_record(compiled, "P");
    ck_assert_uint_eq(record->size, 24);
    ck_assert_uint_eq(record->align, 8);
    ck_assert_uint_eq(record->fixed_size, 24);
    ck_assert_uint_eq(record->tail_padding, 23);
    ck_assert(!record->plain);
    record = schema_record(compiled, "U");
    ck_assert_uint_eq(record->size, 24);
    ck_assert_uint_eq(record->align, 8);
    ck_assert_uint_eq(record->body_offset, 8);
    ck_assert_uint_eq(record->body_size, 16);
    ck_assert_uint_eq(record->tail_padding, 0);
    ck_assert_uint_eq(record->fields[0].offset, 8);
    ck_assert(schema_record(compiled, "Full")->plain);
    record = schema_record(compiled, "M");
    ck_assert_uint_eq(record->size, 16);
    ck_assert_uint_eq(record->align, 16);
    ck_assert_uint_eq(record->fixed_align, 16);
    ck_assert_uint_eq(record->tail_padding, 15);
    record = schema_record(compiled, "W");
    ck_assert_uint_eq(record->body_offset, 16);
    ck_assert_uint_eq(record->body_size, 32);
    record = schema_record(compiled, "V");
    ck_assert_uint_eq(record->body_offset, 4);
    ck_assert_uint_eq(record->size, 16);
    ck_assert_uint_eq(record->tail_padding, 11);
    ck_assert_uint_eq(schema_field(compiled, "N", "w")->offset, 16);
    ck_assert_uint_eq(schema_record(compiled, "N")->size, 64);
}
END_TEST

START_TEST(versions_begin_at_multiples_of_the_alignment)
{
    record_was("M", "@align(16) message M { uint32 a; @since(2) uint32 b; @since(3) uint8 c; }",
               (const char *const[]){
                   "@align(16) message M { uint32 a; }",
                   "@align(16) message M { uint32 a; @since(2) uint32 b; }",
                   "@align(16) message M { uint32 a; @since(2) uint32 b; @since(3) uint8 c; }",
               },
               3);
    const model *compiled = at_version(3, "@align(16) struct P { uint64 a; }\n"
                                          "message M { P p; uint64 q; @since(2) uint32 b; @since(3) uint8 c; }");
    revision_is(schema_record(compiled, "M"), 0, 1, 2, 32);
    revision_is(schema_record(compiled, "M"), 1, 2, 3, 48);
    ck_assert_uint_eq(schema_field(compiled, "M", "b")->offset, 32); /* 24 is padding of version 1 */
    ck_assert_uint_eq(schema_field(compiled, "M", "c")->offset, 48);
}
END_TEST

START_TEST(the_order_of_arms_is_nothing)
{
    const char *const texts[] = {
        "@size(32) union A { uint8 x = 7; int8 y = 2; @since(2) bool z = 3; @since(2) uint64 w = 1; }",
        "@size(32) union A { int8 y = 2; uint8 x = 7; @since(2) uint64 w = 1; @since(2) bool z = 3; }",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const model_record *record = schema_record(at_version(2, texts[i]), "A");
        revision_is(record, 0, 1, 2, 32);
        revision_is(record, 1, 2, 4, 32);
        ck_assert_str_eq(record->revisions[0].canonical, "union(32){8:int8 y=2;8:uint8 x=7;}");
        ck_assert_str_eq(record->canonical, "union(32){8:uint64 w=1;8:int8 y=2;8:bool z=3;8:uint8 x=7;}");
    }
}
END_TEST

START_TEST(a_type_of_another_package_counts_as_it_was_at_first)
{
    schema_write("other.shm", "@version(2) package other;\n@size(16) struct P { uint32 a; @since(2) uint32 b; }\n"
                              "@since(2) struct Late { uint64 a; }\n");
    schema_write("test.shm",
                 "@version(2) package test;\nimport \"other.shm\";\nmessage M { other.P p; @since(2) uint8 q; }\n"
                 "message N { other.Late late; }\n");
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    ck_assert_int_eq(result.rc, 0);
    const model_record *record = schema_record(result.model, "M");
    ck_assert_uint_eq(record->revision_count, 2);
    ck_assert_str_eq(record->revisions[0].canonical, "message(16){0:struct(16){0:uint32 a;} p;}");
    ck_assert_str_eq(record->revisions[1].canonical, "message(24){0:struct(16){0:uint32 a;} p;16:uint8 q;}");
    ck_assert_uint_eq(schema_record(result.model, "N")->revisions[0].version, 1); /* versions of two packages */
}
END_TEST

START_TEST(fingerprints_have_the_names_of_before)
{
    const model_record *renamed = schema_record(at_version(1, "union U { @renamed_from(\"p\") uint8 q = 1; }\n"
                                                              "message M { @renamed_from(\"x\") uint32 y; U u; }"),
                                                "M");
    const model_record *before =
        schema_record(at_version(1, "union U { uint8 p = 1; }\nmessage M { uint32 x; U u; }"), "M");
    ck_assert_str_eq(renamed->canonical, before->canonical);
    ck_assert_uint_eq(renamed->fingerprint, before->fingerprint);
}
END_TEST

static const model_method *method_of(const model *compiled)
{
    return &schema_decl(compiled, "S")->as.service->methods[0];
}

START_TEST(a_revision_of_a_method_is_what_the_file_of_its_version_was)
{
    static const char *const files[] = {
        "message M { uint32 a; }\nerrors E { A = 1; }\nservice S { rpc f(M) -> ({ uint8 q; }) throws E; }",
        "message M { uint32 a; @since(2) uint8 b; }\nerrors E { A = 1; }\n"
        "service S { rpc f(M) -> ({ uint8 q; }) throws E; }",
        "struct P { uint64[4] x; }\nmessage M { uint32 a; @since(2) uint8 b; }\n"
        "errors E { @since(3) B(P) = 2; A = 1; }\nservice S { rpc f(M) -> ({ uint8 q; }) throws E; }",
        "struct P { uint64[4] x; }\nmessage M { uint32 a; @since(2) uint8 b; }\n"
        "errors E { @since(3) B(P) = 2; A = 1; }\n"
        "service S { rpc f(M) -> ({ uint8 q; @since(4) uint64[5] r; }) throws E; }",
    };
    static const uint32_t answers[] = {8, 8, 32, 48};
    const model_method *now = method_of(at_version(4, files[3]));
    ck_assert_uint_eq(now->revision_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const model_method *then = method_of(at_version(i + 1, files[i]));
        ck_assert_uint_eq(now->revisions[i].version, i + 1);
        ck_assert_uint_eq(now->revisions[i].fingerprint, then->fingerprint);
        ck_assert_uint_eq(now->revisions[i].answer_size, answers[i]);
        ck_assert_uint_eq(then->revisions[then->revision_count - 1].answer_size, answers[i]);
        ck_assert_uint_eq(now->revisions[i].request->version, i == 0 ? 1 : 2);
        ck_assert_uint_eq(now->revisions[i].reply->version, i < 3 ? 1 : 4);
    }
    ck_assert_uint_eq(now->fingerprint, now->revisions[3].fingerprint);
}
END_TEST

START_TEST(a_method_begins_with_its_version)
{
    const model *compiled = at_version(3, "message M { uint32 a; @since(2) uint8 b; @since(3) uint8 c; }\n"
                                          "service S { @since(2) rpc f(M) -> ({ uint8 q; }); }");
    const model_method *method = method_of(compiled);
    ck_assert_uint_eq(method->revision_count, 2);
    ck_assert_uint_eq(method->revisions[0].version, 2);
    ck_assert_ptr_eq(method->revisions[0].request, &schema_record(compiled, "M")->revisions[1]);
    ck_assert_uint_eq(method->revisions[0].reply->version, 2);
    ck_assert_uint_eq(method->revisions[1].version, 3);
    ck_assert_ptr_eq(method->revisions[1].request, &schema_record(compiled, "M")->revisions[2]);
}
END_TEST

START_TEST(payloads_of_another_package_have_versions_of_their_own)
{
    schema_write("other.shm", "@version(3) package other;\nmessage M { uint32 a; @since(3) uint8 b; }\n");
    schema_write("test.shm", "@version(2) package test;\nimport \"other.shm\";\n"
                             "service S { rpc f(other.M) -> ({ uint8 q; @since(2) uint8 r; }); }\n");
    schema_result result = schema_compile((const char *const[]){"test.shm"}, 1);
    ck_assert_int_eq(result.rc, 0);
    const model_method *method = method_of(result.model);
    static const uint32_t rows[][3] = {{1, 1, 1}, {1, 3, 1}, {2, 1, 2}, {2, 3, 2}};
    ck_assert_uint_eq(method->revision_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(method->revisions[i].version, rows[i][0]);
        ck_assert_uint_eq(method->revisions[i].request->version, rows[i][1]);
        ck_assert_uint_eq(method->revisions[i].reply->version, rows[i][2]);
        for (uint32_t j = 0; j < i; j++)
            ck_assert_uint_ne(method->revisions[i].fingerprint, method->revisions[j].fingerprint);
    }
}
END_TEST

START_TEST(lints_stay_within_a_version)
{
    /* Another order would be shorter, and yet none is possible: what came later stands later. */
    at_version(3, "message M { uint8 a; @since(2) uint64 b; @since(3) uint8 c; }");
    at_version(2, "message M { uint8 a; bytes<2000> b; @since(2) bytes<2000> c; }");
    refused(DIAG_W319, "message M { uint8 a; @since(2) uint8 b; @since(2) uint64 c; @since(2) uint8 d; }");
    refused(DIAG_W320, "message M { uint8 a; bytes<2000> b; @since(2) bytes<2000> c; @since(2) uint8 d; }");
}
END_TEST

START_TEST(refuses_what_cannot_have_been)
{
    refused(DIAG_E401, "@since(4) message M { uint8 a; }");
    refused(DIAG_E401, "message M { uint8 a; @since(4) uint8 b; }");
    refused(DIAG_E401, "enum C { A = 0; @since(4) B = 1; }");
    refused(DIAG_E401, "service S { @since(4) rpc f() -> (); }");
    refused(DIAG_E401, "@since(4) service S { rpc f() -> (); }");
    refused(DIAG_E402, "message M { uint8 a; @since(2) uint8 b; uint8 c; }");
    refused(DIAG_E402, "message M { uint8 a; @since(3) uint8 b; @since(2) uint8 c; }");
    refused(DIAG_E402, "@since(3) message M { uint8 a; @since(2) uint8 b; }");
    refused(DIAG_E402, "@since(3) service S { @since(2) rpc f() -> (); }");
    refused(DIAG_E403, "struct T { uint8 a; @since(2) uint8 b; }");
    refused(DIAG_E403, "union U { uint8 a = 1; @since(2) uint8 b = 2; }");
    refused(DIAG_E317, "message M { @since(2) uint8 a; }");
    refused(DIAG_E317, "enum C { @since(2) A = 0; }");
    refused(DIAG_E308, "enum C { A = 1; @since(2) B = 0; }");
    refused(DIAG_E205, "message M { uint8 a; @since(2) Unknown b; }");
    refused(DIAG_E402, "@size(16) struct T { uint8 a; @since(2) uint8 b; uint8 c; }");
    refused(DIAG_E402, "@size(16) union T { uint8 a = 1; @since(2) uint8 b = 2; uint8 c = 3; }");
    refused(DIAG_E312, "@size(16) struct T { uint64 a; @since(2) uint64 b; @since(3) uint8 c; }");
    refused(DIAG_E313, "@align(16) struct W { uint64 a; }\n@size(16) struct T { uint8 a; @since(2) W b; }");
    refused(DIAG_E602, "@size(16) message M { uint8 a; }");
    refused(DIAG_E602, "@align(4) enum C { A = 0; }");
    refused(DIAG_E604, "@size(true) struct M { uint8 a; }");
    refused(DIAG_E604, "@size(0) struct M { uint8 a; }");
    refused(DIAG_E604, "@since(0) message M { uint8 a; }");
    refused(DIAG_E604, "@since(\"2\") message M { uint8 a; }");
    refused(DIAG_E604, "@renamed_from(\"a b\") message M { uint8 a; }");
}
END_TEST

START_TEST(refuses_two_that_are_known_by_one_name)
{
    refused(DIAG_E202, "message M { @renamed_from(\"a\") uint8 b; @since(2) uint8 a; }");
    refused(DIAG_E202, "message M { uint8 a; @since(2) @renamed_from(\"a\") uint8 b; }");
    refused(DIAG_E202, "union U { @renamed_from(\"a\") uint8 b = 1; @renamed_from(\"a\") uint8 c = 2; }");
    refused(DIAG_E202, "enum C { A = 0; @renamed_from(\"A\") B = 1; }");
    refused(DIAG_E202, "service S { rpc f() -> (); @renamed_from(\"f\") oneway g(); }");
    refused(DIAG_E202, "service T { rpc f() -> (); }\nservice S { compose T; @renamed_from(\"f\") oneway g(); }");
    refused(DIAG_E202, "message M { uint8 a; }\n@renamed_from(\"M\") message N { uint8 a; }");
    refused(DIAG_E202, "@renamed_from(\"M\") message N { uint8 a; }\nmessage M { uint8 a; }");
    refused(DIAG_E604, "message M { @renamed_from(\"a\") uint8 a; }");
    refused(DIAG_E604, "@renamed_from(\"M\") message M { uint8 a; }");
    at_version(1, "message M { @renamed_from(\"b\") uint8 a; @renamed_from(\"a\") uint8 b; }\n"
                  "@renamed_from(\"S\") message T { @renamed_from(\"M\") uint8 m; }\n"
                  "service R { rpc f() -> (); }\nservice Q { @renamed_from(\"h\") rpc g() -> (); }");
}
END_TEST

START_TEST(refuses_what_is_newer_than_what_uses_it)
{
    refused(DIAG_E404, "@since(2) struct P { uint8 x; }\nmessage M { P p; }");
    refused(DIAG_E404,
            "@since(2) struct P { uint8 x; }\n@since(2) message Q { uint8 x; }\nmessage M { vector<P, 2> p; }");
    refused(DIAG_E404, "@since(3) struct P { uint8 x; }\nmessage M { uint8 a; @since(2) P p; }");
    refused(DIAG_E404, "enum C { A = 0; @since(2) B = 1; }\nmessage M { @default(B) C c; }");
    refused(DIAG_E404, "enum C { A = 0; @since(2) B = 1; }\nconst C LATEST = C.B;");
    refused(DIAG_E404, "@since(2) const uint8 N = 4;\nmessage M { uint8[N] c; }");
    refused(DIAG_E404, "@since(2) alias N = uint8;\nalias O = N;");
    refused(DIAG_E404, "@since(2) message M { uint8 a; }\nservice S { rpc f(M) -> (); }");
    refused(DIAG_E404, "@since(3) errors E { A = 1; }\nservice S { @since(2) rpc f() -> () throws E; }");
    refused(DIAG_E404, "@since(2) struct P { uint8 x; }\nerrors E { A(P) = 1; }");
    refused(DIAG_E404, "@since(2) message M { uint8 a; }\ntopic t(M);");
    refused(DIAG_E404, "@since(2) struct P { uint8 x; }\nmessage M { uint8 a; reserved P; }");
    refused(DIAG_E404, "@since(2) service T { rpc f() -> (); }\nservice S { compose T; }");
    refused(DIAG_E402, "message M { uint8 a; @since(2) reserved uint8; uint8 b; }");
    refused(DIAG_E402, "message M { uint8 a; @since(2) reserved uint8; reserved uint8 b; @since(2) uint8 c; }");
    refused(DIAG_E402, "message M { uint8 a; @since(2) uint8 b; reserved uint8 c; }");
    refused(DIAG_E401, "message M { uint8 a; @since(4) reserved uint8 b; }");
    refused(DIAG_E403, "struct P { uint8 a; @since(2) reserved uint8 b; }");
    at_version(3, "@since(2) struct P { uint8 x; }\n@since(2) message M { P p; @since(3) P q; }\n"
                  "errors E { A = 2; @since(2) B(P) = 1; }\nenum C { A = 0; @since(2) B = 1; }\n"
                  "@since(2) const C LATEST = C.B;\nmessage N { uint8 a; @since(2) @default(B) C c; }\n"
                  "service S { @since(2) rpc f(M) -> ({ P p; }) throws E; }");
}
END_TEST

static Suite *versions_suite(void)
{
    Suite *suite = suite_create("compiler_versions");
    TCase *tests = tcase_create("versions");

    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, a_record_without_versions_has_one_revision);
    tcase_add_test(tests, of_many_revisions_the_first_and_the_newest_are_kept);
    tcase_add_test(tests, fields_of_a_version_begin_where_the_message_ended);
    tcase_add_test(tests, a_revision_is_what_the_file_of_its_version_was);
    tcase_add_test(tests, what_is_reserved_has_its_version);
    tcase_add_test(tests, a_type_grows_within_its_size);
    tcase_add_test(tests, a_type_with_a_size_has_it_and_is_aligned);
    tcase_add_test(tests, versions_begin_at_multiples_of_the_alignment);
    tcase_add_test(tests, the_order_of_arms_is_nothing);
    tcase_add_test(tests, a_type_of_another_package_counts_as_it_was_at_first);
    tcase_add_test(tests, fingerprints_have_the_names_of_before);
    tcase_add_test(tests, a_revision_of_a_method_is_what_the_file_of_its_version_was);
    tcase_add_test(tests, a_method_begins_with_its_version);
    tcase_add_test(tests, payloads_of_another_package_have_versions_of_their_own);
    tcase_add_test(tests, lints_stay_within_a_version);
    tcase_add_test(tests, refuses_what_cannot_have_been);
    tcase_add_test(tests, refuses_two_that_are_known_by_one_name);
    tcase_add_test(tests, refuses_what_is_newer_than_what_uses_it);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(versions_suite)
