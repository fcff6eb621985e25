/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optionals.c - what may be absent.
 */
/* clang-format off */
#if 0 /* IDL: optionals.shm */
package rt.optionals;

struct Point { uint8 x; uint32 y; }
struct Note  { string<4>? text; bool? seen; }
union Either { uint32 number = 1; string<4> word = 2; }

message Form {
    float64? score;
    bool? agreed;
    Point? where;
    string<6>? name;
    vector<uint16, 3>? marks;
    uint8[3]? three;
    Either? either;
    Note note;
    vector<Note, 2> notes;
}

service Office { rpc file(Form) -> (Form); }
#endif /* IDL */
/* clang-format on */
#include "optionals.shm.h"

#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int file(rt_optionals_office_server *server, rt_optionals_office_file_context *context,
                const rt_optionals_form *request, rt_optionals_form *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static void fill_absent(void *message)
{
    rt_optionals_form *form = message;

    rt_optionals_form_clear_score(form);
    rt_optionals_form_clear_agreed(form);
    rt_optionals_form_clear_where(form);
    rt_optionals_form_clear_name(form);
    rt_optionals_form_clear_marks(form);
    rt_optionals_form_clear_three(form);
    rt_optionals_form_clear_either(form);
    rt_optionals_note_clear_text(&form->note);
    rt_optionals_note_clear_seen(&form->note);
    form->notes.count = 0;
}

static void fill_present(void *message)
{
    static const uint16_t marks[] = {1, 2};
    rt_optionals_form *form = message;
    rt_optionals_point where;
    rt_optionals_either either;

    where.x = 5;
    where.y = 6;
    ck_assert(rt_optionals_either_set_word(&either, "ab", 2));
    rt_optionals_form_set_score(form, 0.25);
    rt_optionals_form_set_agreed(form, true);
    rt_optionals_form_set_where(form, &where);
    ck_assert(rt_optionals_form_set_name(form, "Ada", 3));
    ck_assert(rt_optionals_form_set_marks(form, marks, 2));
    form->has_three = 1;
    memcpy(form->three, "\1\2\3", 3);
    rt_optionals_form_set_either(form, &either);
    ck_assert(rt_optionals_note_set_text(&form->note, "note", 4));
    rt_optionals_note_set_seen(&form->note, false);
    form->notes.count = 1;
    rt_optionals_note_clear_text(&form->notes.items[0]);
    rt_optionals_note_set_seen(&form->notes.items[0], true);
}

START_TEST(keeps_presence_and_absence)
{
    size_t note = sizeof(rt_optionals_note);
    size_t head = offsetof(rt_optionals_form, notes.items);

    roundtrip_check(&rt_optionals_form_info, fill_absent, (head + 7) / 8 * 8);
    roundtrip_check(&rt_optionals_form_info, fill_present, (head + note + 7) / 8 * 8);
}
END_TEST

START_TEST(nothing_of_an_absent_value_travels)
{
    rt_optionals_form made, zero;

    memset(&made, 0xEE, sizeof made);
    fill_absent(&made);
    rt_optionals_form_init(&zero);
    roundtrip_expect_equal(&rt_optionals_form_info, &made, &zero);
}
END_TEST

START_TEST(refuses_presence_that_is_neither)
{
    rt_optionals_form form;

    fill_absent(&form);
    form.has_where = 2;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "has_where", "neither 0 nor 1", 2, 1);
    fill_absent(&form);
    form.note.has_seen = 7;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "note.has_seen", "neither 0 nor 1", 7, 1);
}
END_TEST

START_TEST(checks_values_where_they_are_present)
{
    rt_optionals_form form;

    fill_absent(&form);
    form.agreed = 9;
    form.name.length = 99;
    form.note.text.length = 99;
    roundtrip_expect_valid(&rt_optionals_form_info, &form);
    form.has_name = 1;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "name", "more than 6 bytes", 99, 6);
    form.has_agreed = 1;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "agreed", "neither 0 nor 1", 9, 1);
    fill_present(&form);
    form.either.body.word.length = 5;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "either.word", "more than 4 bytes", 5, 4);
    fill_present(&form);
    form.notes.items[0].seen = 4;
    roundtrip_expect_fault(&rt_optionals_form_info, &form, "notes[].seen", "neither 0 nor 1", 4, 1);
}
END_TEST

START_TEST(a_setter_that_refuses_leaves_absence)
{
    rt_optionals_form form;

    fill_absent(&form);
    ck_assert(!rt_optionals_form_set_name(&form, "1234567", 7));
    ck_assert_uint_eq(form.has_name, 0);
}
END_TEST

START_TEST(passes_a_form_through_a_call)
{
    static const rt_optionals_office_ops ops = {.file = file};
    rt_optionals_office_server server;
    rt_optionals_office_client *client;
    roundtrip_host host;
    rt_optionals_form sent, received;

    ck_assert_int_eq(rt_optionals_office_server_init(&server, &ops, "office", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(rt_optionals_office_connect(&client, "office", NULL), 0);
    memset(&sent, 0xAB, sizeof sent);
    fill_present(&sent);
    ck_assert_int_eq(rt_optionals_office_file(client, &sent, &received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_optionals_form_info, &sent, &received);
    ck_assert(received.score == 0.25);
    ck_assert_str_eq(received.name.text, "Ada");
    ck_assert_uint_eq(received.either.tag, RT_OPTIONALS_EITHER_WORD);
    fill_absent(&sent);
    ck_assert_int_eq(rt_optionals_office_file(client, &sent, &received, shmrpc_default()), 0);
    ck_assert_uint_eq(received.has_score, 0);
    ck_assert(received.score == 0);
    rt_optionals_office_client_free(client);
    roundtrip_stop(&host);
    rt_optionals_office_server_deinit(&server);
}
END_TEST

static Suite *optionals_suite(void)
{
    Suite *suite = suite_create("roundtrip_optionals");
    TCase *tests = tcase_create("optionals");

    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_add_test(tests, keeps_presence_and_absence);
    tcase_add_test(tests, nothing_of_an_absent_value_travels);
    tcase_add_test(tests, refuses_presence_that_is_neither);
    tcase_add_test(tests, checks_values_where_they_are_present);
    tcase_add_test(tests, a_setter_that_refuses_leaves_absence);
    tcase_add_test(tests, passes_a_form_through_a_call);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(optionals_suite)
