/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_schema.h"
#include "front.h"
#include "support/buffer.h"

static const model_file *file_named(const model *compiled, const char *logical)
{
    for (uint32_t i = 0; i < compiled->file_count; i++)
        if (strcmp(compiled->files[i]->logical, logical) == 0)
            return compiled->files[i];
    ck_abort_msg("no file '%s'", logical);
    return NULL;
}

START_TEST(orders_files_after_what_they_import)
{
    schema_write("top.shm", "package top;\nimport \"mid/a.shm\" as a;\nimport \"base.shm\" as base;\n"
                            "struct T { a.A x; base.B y; }\n");
    schema_write("mid/a.shm", "package mid.a;\nimport \"base.shm\";\nstruct A { base.B x; }\n");
    schema_write("base.shm", "package base;\nstruct B { uint32 x; }\n");
    schema_result result = schema_compile((const char *const[]){"top.shm"}, 1);
    ck_assert_int_eq(result.rc, 0);
    ck_assert_uint_eq(result.warnings, 0);
    ck_assert_uint_eq(result.model->file_count, 3);
    ck_assert_str_eq(result.model->files[0]->logical, "base.shm");
    ck_assert_str_eq(result.model->files[1]->logical, "mid/a.shm");
    ck_assert_str_eq(result.model->files[2]->logical, "top.shm");
    ck_assert(result.model->files[2]->requested);
    ck_assert(!result.model->files[0]->requested);
    ck_assert_uint_eq(result.model->files[2]->import_count, 2);
    ck_assert_ptr_eq(result.model->files[2]->imports[1], result.model->files[0]);
    ck_assert_uint_eq(result.model->input_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(result.model->files[i]->id, i);
        ck_assert_str_eq(result.model->inputs[i], result.model->files[i]->path);
    }
}
END_TEST

START_TEST(reads_a_file_once_however_it_is_reached)
{
    schema_write("sub/a.shm", "package a;\nimport \"b.shm\";\nimport \"../c.shm\";\nstruct A { b.B x; c.C y; }\n");
    schema_write("sub/b.shm", "package b;\nimport \"../sub/../c.shm\";\nstruct B { c.C x; }\n");
    schema_write("c.shm", "package c;\nstruct C { uint32 x; }\n");
    schema_result result = schema_compile((const char *const[]){"sub/a.shm", "sub/b.shm", "sub/../sub/a.shm"}, 3);
    ck_assert_int_eq(result.rc, 0);
    ck_assert_uint_eq(result.model->file_count, 3);
    ck_assert(file_named(result.model, "sub/a.shm")->requested);
    ck_assert(file_named(result.model, "sub/b.shm")->requested);
    ck_assert(!file_named(result.model, "c.shm")->requested);
}
END_TEST

START_TEST(fills_in_package_annotations_and_docs)
{
    schema_write("a.shm", "/// What it is.\n@version(3) @c_prefix(\"pre\") package demo.a;\n"
                          "/// A thing.\n@deprecated(\"old\") @c_name(\"other\") struct A { uint32 x; }\n");
    schema_result result = schema_compile((const char *const[]){"a.shm"}, 1);
    ck_assert_int_eq(result.rc, 0);
    const model_file *file = result.model->files[0];
    ck_assert_str_eq(file->package, "demo.a");
    ck_assert_uint_eq(file->version, 3);
    ck_assert_str_eq(file->c_prefix, "pre");
    ck_assert_str_eq(file->notes.doc, "What it is.");
    ck_assert_str_eq(file->decls[0]->qualified_name, "demo.a.A");
    ck_assert_str_eq(file->decls[0]->notes.deprecated, "old");
    ck_assert_str_eq(file->decls[0]->notes.rename, "other");
    ck_assert_str_eq(file->decls[0]->notes.doc, "A thing.");
}
END_TEST

START_TEST(sorts_types_behind_what_they_need)
{
    const model *compiled =
        schema_good("message M { A a; }\nstruct A { B[2] b; N n; }\nstruct B { C c; }\nenum C { X = 0; }\n"
                    "alias N = U;\nunion U { B b = 1; }\nerrors E { BAD(Z) = 1; }\nstruct Z { uint8 x; }\n"
                    "service S { rpc f(M) -> () throws E; }");
    const model_file *file = compiled->files[0];
    const char *const expected[] = {"C", "B", "U", "N", "A", "M", "Z", "E"};
    ck_assert_uint_eq(file->sorted_count, 8);
    for (uint32_t i = 0; i < file->sorted_count; i++)
        ck_assert_str_eq(file->sorted[i]->name, expected[i]);
    for (uint32_t i = 0; i < file->decl_count; i++)
        ck_assert_uint_eq(file->decls[i]->id, i);
}
END_TEST

START_TEST(hands_deadlines_and_idempotence_down_to_methods)
{
    const model *compiled =
        schema_good("@deadline(50ms) @idempotent service S { rpc a() -> (); @deadline(2s) rpc b() -> ();"
                    " oneway c(); }\nservice T { rpc a() -> (); @idempotent rpc b() -> (); }");
    const model_service *s = schema_decl(compiled, "S")->as.service;
    const model_service *t = schema_decl(compiled, "T")->as.service;
    ck_assert_int_eq(s->deadline_ns, 50000000);
    ck_assert_int_eq(s->methods[0].deadline_ns, 50000000);
    ck_assert_int_eq(s->methods[1].deadline_ns, 2000000000);
    ck_assert_int_eq(s->methods[2].deadline_ns, MODEL_DEADLINE_UNSET);
    ck_assert(s->methods[0].idempotent);
    ck_assert(!s->methods[2].idempotent);
    ck_assert_int_eq(t->methods[0].deadline_ns, MODEL_DEADLINE_UNSET);
    ck_assert(!t->methods[0].idempotent);
    ck_assert(t->methods[1].idempotent);
}
END_TEST

START_TEST(gives_inline_bodies_their_service_and_method)
{
    const model *compiled = schema_good("service S { rpc a() -> (); rpc b({ uint32 x; }) -> ({ uint64 y; }); }");
    const model_service *service = schema_decl(compiled, "S")->as.service;
    const model_method *method = &service->methods[1];
    ck_assert_ptr_null(service->methods[0].request);
    ck_assert_ptr_null(service->methods[0].reply);
    ck_assert_int_eq(method->request->role, MODEL_ROLE_REQUEST);
    ck_assert_int_eq(method->reply->role, MODEL_ROLE_REPLY);
    ck_assert_ptr_eq(method->request->service, service);
    ck_assert_uint_eq(method->reply->method, 1);
    ck_assert_ptr_null(method->request->decl);
    ck_assert_uint_eq(method->request->size, 8);
}
END_TEST

START_TEST(remembers_the_largest_payload_of_errors)
{
    const model *compiled = schema_good("struct A { uint8[24] x; }\nstruct B { uint64 x; }\n"
                                        "errors E { ONE = 1; TWO(A) = 7; THREE(B) = 3; }");
    const model_members *errors = schema_decl(compiled, "E")->as.members;
    ck_assert_uint_eq(errors->payload_size, 24);
    ck_assert_uint_eq(errors->items[1].magnitude, 7);
    ck_assert_str_eq(errors->items[1].payload->decl->name, "A");
    ck_assert_ptr_null(errors->items[0].payload);
}
END_TEST

START_TEST(says_which_file_cannot_be_read)
{
    schema_write("a.shm", "package a;\nstruct A { uint32 x; }\n");
    schema_result result = schema_compile((const char *const[]){"a.shm", "missing.shm"}, 2);
    size_t count;
    const diag_entry *const *entries = diag_sorted(result.diagnostics, &count);
    ck_assert_int_eq(result.rc, -ENOENT);
    ck_assert_ptr_null(result.model);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(entries[0]->code, DIAG_E001);
    ck_assert_ptr_nonnull(strstr(entries[0]->message, "missing.shm"));
    ck_assert_ptr_null(entries[0]->at.file);

    result = schema_compile((const char *const[]){"."}, 1);
    ck_assert_int_eq(result.rc, -EISDIR);
}
END_TEST

START_TEST(names_files_by_the_folder_that_holds_them)
{
    const char *folders[] = {"one", "two"};
    char path[2][32];
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/x.shm", folders[i]);
        schema_write(path[i], i ? "package a;\nstruct A { uint32 x; }\n" : "package b;\nstruct A { uint32 x; }\n");
    }
    schema_result result = schema_compile((const char *const[]){path[0], path[1]}, 2);
    ck_assert_int_eq(result.rc, 0);
    ck_assert_str_eq(result.model->files[0]->logical, "one/x.shm");
    ck_assert_str_eq(result.model->files[1]->logical, "two/x.shm");
}
END_TEST

START_TEST(tells_every_mistake_of_every_file_in_one_run)
{
    schema_write("a.shm",
                 "package a;\nimport \"b.shm\";\nstruct A { Missing x; }\nconst uint8 K = 256;\nstruct C { b.B y; }\n");
    schema_write("b.shm", "package b;\nstruct B { uint8[0] x; }\nenum E { ONE = 1; }\n");
    schema_result result = schema_compile((const char *const[]){"a.shm"}, 1);
    ck_assert_int_eq(result.rc, 1);
    ck_assert_uint_eq(result.errors, 4);
}
END_TEST

START_TEST(says_nothing_of_what_may_stand_in_a_part_that_was_skipped)
{
    schema_result result = schema_try(
        "message A { B b; }\nstruct B { int32 x ! y; int32 z; }\nstruct ( C { }\nservice S { rpc f(C) -> (); }");
    ck_assert_uint_eq(result.errors, 2);
    size_t count;
    const diag_entry *const *entries = diag_sorted(result.diagnostics, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_ne(entries[i]->code, DIAG_E205);
}
END_TEST

START_TEST(honours_the_limit_on_messages)
{
    schema_good("message A { uint8[65536] x; }");
    schema_bad("message A { uint8[65537] x; }", DIAG_E314);
}
END_TEST

START_TEST(refuses_two_files_that_would_be_generated_as_one)
{
    arena *memory = arena_new();
    diag *diagnostics = diag_new(memory);
    const model *compiled = NULL;
    const char *paths[] = {schema_write("one/x.shm", "package a;\nstruct A { uint32 x; }\n"),
                           schema_write("two/x.shm", "package b;\nstruct A { uint32 x; }\n")};
    const char *include_dirs[] = {schema_path("one"), schema_path("two")}; /* each is the folder of one */
    front_options options = {.include_dirs = include_dirs, .include_count = 2};
    ck_assert_int_eq(front_compile(memory, diagnostics, &options, paths, 2, &compiled), 1);
    size_t count;
    const diag_entry *const *entries = diag_sorted(diagnostics, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(entries[0]->code, DIAG_E204);
    ck_assert_ptr_null(compiled);
    arena_free(memory);
}
END_TEST

/* Tokens and bytes of a schema that has everything, shuffled: each result is a model or a mistake, and never a crash. */
START_TEST(survives_schemas_that_nobody_would_write)
{
    static const char schema[] =
        "@version(2) @c_prefix(\"m\") package mutated;\nconst uint32 N = 4KiB - 1 << 2;\nalias Row = float32[N % 7 + 1];\n"
        "enum Colour : int8 { NONE = 0; RED = Colour.NONE + 1; LOW = -5; }\nflags Access { READ = 1 << 0; WRITE = 1 << 1; }\n"
        "/// A doc.\nstruct Pair { uint64 a; Colour b; Row[2] c; }\nunion Any { Pair p = 1; string<9> s = 2; bool b = 3; }\n"
        "errors Error { BAD = 1; WORSE(Pair) = 2; }\nmessage Note { @default(RED) Colour c; Any? any; vector<Pair, 3> pairs;\n"
        "    @deprecated(\"x\") uint8 old; @default(\"\\u{e9}\") string<N> text; }\n"
        "@deadline(50ms) service Calls { @idempotent rpc add(Note) -> ({ uint32 size; bytes<sizeof(Pair)> all; }) throws Error;\n"
        "    oneway note({ string<80> text; }); }\n";
    static const char *const pieces[] = {
        "{",
        "}",
        ";",
        ",",
        "(",
        ")",
        "<",
        ">",
        "?",
        "[1]",
        "[0]",
        "= 1",
        "=",
        "->",
        "..",
        ".",
        "@",
        "-1",
        "~0",
        "/ 0",
        "<< 70",
        "Pair",
        "Any",
        "Colour",
        "Note",
        "Error",
        "Calls",
        "N",
        "sizeof(Any)",
        "struct",
        "message",
        "service",
        "reserved",
        "stream",
        "rpc",
        "Pair.a",
        "18446744073709551615",
        "1e300",
        "\"",
        "///",
        "/*",
        "*/",
        "\n",
        "\x80",
        "strict",
    };
    uint64_t random = 88172645463325252u;
    buffer text = {0};
    for (int round = 0; round < 3000; round++) {
        text.length = 0;
        buffer_append(&text, schema, sizeof(schema) - 1);
        for (int change = 0; change <= round % 5; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t at = (size_t)(random % text.length);
            const char *piece = pieces[(random >> 32) % (sizeof(pieces) / sizeof(pieces[0]))];
            char *rest = strdup(text.data + at);
            ck_assert_ptr_nonnull(rest);
            size_t cut = strcspn(rest, " \n");
            text.length = at;
            buffer_printf(&text, " %s %s", piece, rest + (random % 3 ? cut : 0));
            free(rest);
        }
        schema_write("mutated.shm", text.data);
        schema_result result = schema_compile((const char *const[]){"mutated.shm"}, 1);
        ck_assert(result.rc == 0 || result.rc == 1);
        ck_assert((result.model != NULL) == (result.errors == 0));
        free(schema_shown(result.diagnostics, DIAG_TEXT));
    }
    buffer_deinit(&text);
}
END_TEST

static Suite *front_suite(void)
{
    Suite *suite = suite_create("compiler_front");
    TCase *tests = tcase_create("front");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, schema_open, schema_close);
    tcase_add_test(tests, orders_files_after_what_they_import);
    tcase_add_test(tests, reads_a_file_once_however_it_is_reached);
    tcase_add_test(tests, fills_in_package_annotations_and_docs);
    tcase_add_test(tests, sorts_types_behind_what_they_need);
    tcase_add_test(tests, hands_deadlines_and_idempotence_down_to_methods);
    tcase_add_test(tests, gives_inline_bodies_their_service_and_method);
    tcase_add_test(tests, remembers_the_largest_payload_of_errors);
    tcase_add_test(tests, says_which_file_cannot_be_read);
    tcase_add_test(tests, names_files_by_the_folder_that_holds_them);
    tcase_add_test(tests, tells_every_mistake_of_every_file_in_one_run);
    tcase_add_test(tests, says_nothing_of_what_may_stand_in_a_part_that_was_skipped);
    tcase_add_test(tests, honours_the_limit_on_messages);
    tcase_add_test(tests, refuses_two_files_that_would_be_generated_as_one);
    tcase_add_test(tests, survives_schemas_that_nobody_would_write);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(front_suite)
