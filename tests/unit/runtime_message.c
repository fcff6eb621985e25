/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/message.h"

#include <shmrpc/status.h>

#include <string.h>

/* A message with a last variable field: 16 bytes at least, 64 at most. */
typedef struct note {
    uint64_t number; /* 1000 at most */
    uint32_t length; /* 52 at most */
    char text[52];
} note;

static const note note_initial = {.number = 7, .length = 2, .text = "hi-there"};

static size_t note_store(void *to, const void *message)
{
    const note *from = message;
    size_t used = (12 + (size_t)from->length + 7) / 8 * 8;

    memset(to, 0, used);
    memcpy(to, from, 12 + (size_t)from->length);
    return used;
}

static size_t note_used(const void *message)
{
    return 12 + (size_t)((const note *)message)->length;
}

static bool note_validate(const void *message, shmrpc_fault *ret_fault)
{
    const note *checked = message;

    if (checked->number > 1000) {
        *ret_fault = (shmrpc_fault){"number", "above 1000", checked->number, 1000};
        return false;
    }
    if (checked->length > sizeof(checked->text)) {
        *ret_fault = (shmrpc_fault){"length", "is odd", checked->length, 0};
        return false;
    }
    return true;
}

static const shmrpc_type_info note_type = {"test.Note",   1,    sizeof(note), 16,  &note_initial, note_store,
                                           note_validate, NULL, note_used,    NULL};
static const shmrpc_type_info plain_type = {"test.Plain", 2, sizeof(note), 8, NULL, NULL, NULL, NULL, NULL, NULL};

START_TEST(a_plain_message_is_stored_as_it_is)
{
    unsigned char to[sizeof(note) + 8];
    unsigned char from[sizeof(note)];

    memset(to, 0xee, sizeof(to));
    memset(from, 0x5a, sizeof(from));
    ck_assert_uint_eq(message_store(&plain_type, to, from), sizeof(note));
    ck_assert_mem_eq(to, from, sizeof(note));
    ck_assert_uint_eq(to[sizeof(note)], 0xee);
}
END_TEST

START_TEST(a_trimmed_message_gets_its_tail_from_the_default_image)
{
    const note sent = {.number = 9, .length = 3, .text = "abcdefgh"};
    unsigned char wire[sizeof(note)];
    note got;
    uint32_t used;

    memset(wire, 0xee, sizeof(wire));
    used = message_store(&note_type, wire, &sent);
    ck_assert_uint_eq(used, 16);
    ck_assert_uint_eq(wire[16], 0xee);
    ck_assert_int_eq(message_load(&note_type, &got, wire, used), 0);
    ck_assert_uint_eq(got.number, 9);
    ck_assert_uint_eq(got.length, 3);
    ck_assert_mem_eq(got.text, "abc\0here\0", 9); /* four bytes that travelled, then those of the image */
}
END_TEST

START_TEST(a_trimmed_message_without_an_image_ends_in_zeros)
{
    unsigned char wire[sizeof(note)];
    unsigned char got[sizeof(note)];

    memset(wire, 0x11, sizeof(wire));
    memset(got, 0xee, sizeof(got));
    ck_assert_int_eq(message_load(&plain_type, got, wire, 8), 0);
    for (size_t i = 0; i < sizeof(got); i++) {
        ck_assert_uint_eq(got[i], i < 8 ? 0x11 : 0);
    }
}
END_TEST

/* The same with more room: what of it is not in use is not touched. */
typedef struct book {
    uint64_t number;
    uint32_t length;
    char text[1012];
} book;

static const book book_initial = {.number = 7, .length = 20, .text = "hi-there-out-there-!no more"};

static size_t book_used(const void *message)
{
    return 12 + (size_t)((const book *)message)->length;
}

static const shmrpc_type_info book_type = {"test.Book", 3,    sizeof(book), 16,        &book_initial,
                                           NULL,        NULL, NULL,         book_used, NULL};

/* Loads `length` bytes of a book that holds `count` characters 'x' into memory that is full of 0xee. */
static void load_book(const shmrpc_type_info *type, uint32_t count, uint32_t length, book *ret_got)
{
    book sent = {.number = 9, .length = count};

    memset(sent.text, 'x', sizeof(sent.text));
    memset(ret_got, 0xee, sizeof(*ret_got));
    ck_assert_int_eq(message_load(type, ret_got, &sent, length), 0);
}

/* The text is so many 'x', then so many bytes of the image, then what was there before. */
static void assert_text(const book *got, size_t own, size_t image)
{
    for (size_t i = 0; i < sizeof(got->text); i++) {
        unsigned char expected = i < own ? 'x' : i < own + image ? (unsigned char)book_initial.text[i] : 0xee;

        ck_assert_uint_eq((unsigned char)got->text[i], expected);
    }
}

START_TEST(what_of_a_large_message_is_not_in_use_is_not_touched)
{
    book got;

    load_book(&book_type, 3, 16, &got);
    ck_assert_uint_eq(got.number, 9);
    ck_assert_uint_eq(got.length, 3);
    assert_text(&got, 4, 0);
    load_book(&book_type, 500, 512, &got);
    assert_text(&got, 500, 0);
    load_book(&book_type, sizeof(got.text), sizeof(book), &got);
    assert_text(&got, sizeof(got.text), 0);
}
END_TEST

/* Of memory that had another message before. */
START_TEST(what_a_large_message_says_is_in_use_and_has_not_come_is_from_the_default_image)
{
    book got;

    load_book(&book_type, 100, 16, &got);
    assert_text(&got, 4, 96);
    load_book(&book_type, 101, 16, &got); /* to a multiple of 8 */
    assert_text(&got, 4, 104);
    load_book(&book_type, UINT32_MAX, 512, &got);
    assert_text(&got, 500, sizeof(got.text) - 500);
    load_book(&book_type, 100, 8, &got); /* of an older side, which has no text yet */
    ck_assert_uint_eq(got.length, 20);
    assert_text(&got, 0, 20);
}
END_TEST

START_TEST(a_large_message_without_an_image_is_zero_as_far_as_it_is_in_use)
{
    shmrpc_type_info type = book_type;
    book got;

    type.initial = NULL;
    load_book(&type, 100, 16, &got);
    for (size_t i = 0; i < sizeof(got.text); i++) {
        ck_assert_uint_eq((unsigned char)got.text[i], i < 4 ? 'x' : i < 100 ? 0 : 0xee);
    }
    load_book(&type, 100, 8, &got);
    ck_assert_uint_eq(got.length, 0);
    ck_assert_mem_eq(got.text, "\0\0\0\0\xee", 5);
}
END_TEST

START_TEST(a_large_message_begins_as_its_image_as_far_as_that_is_in_use)
{
    book made;

    memset(&made, 0xee, sizeof(made));
    message_init(&book_type, &made);
    ck_assert_uint_eq(made.number, 7);
    ck_assert_uint_eq(made.length, 20);
    assert_text(&made, 0, 20);
    message_reset(&book_type, &made);
    ck_assert_mem_eq(&made, &book_initial, sizeof(made));
}
END_TEST

START_TEST(a_length_is_valid_between_the_least_and_the_size)
{
    ck_assert(!message_length_is_valid(&note_type, 0));
    ck_assert(!message_length_is_valid(&note_type, 15));
    ck_assert(message_length_is_valid(&note_type, 16));
    ck_assert(message_length_is_valid(&note_type, sizeof(note)));
    ck_assert(!message_length_is_valid(&note_type, sizeof(note) + 1));
    ck_assert(!message_length_is_valid(&note_type, UINT32_MAX));
}
END_TEST

START_TEST(a_fault_is_the_peers_when_loaded_and_ones_own_when_checked)
{
    note bad = {.number = 1001};
    note got;

    ck_assert_int_eq(message_load(&note_type, &got, &bad, sizeof(bad)), SHMRPC_E_PROTOCOL);
    ck_assert_str_eq(shmrpc_last_error(), "test.Note: 'number': above 1000 (1001, the limit is 1000)");
    ck_assert_int_eq(shmrpc_message_check(&note_type, &bad), SHMRPC_E_INVALID);
    ck_assert_str_eq(shmrpc_last_error(), "test.Note: 'number': above 1000 (1001, the limit is 1000)");
    bad = (note){.length = 53};
    ck_assert_int_eq(shmrpc_message_check(&note_type, &bad), SHMRPC_E_INVALID);
    ck_assert_str_eq(shmrpc_last_error(), "test.Note: 'length': is odd (53)");
}
END_TEST

START_TEST(a_message_that_is_not_there_is_a_misuse)
{
    ck_assert_int_eq(shmrpc_message_check(&note_type, NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_message_check(NULL, &note_initial), SHMRPC_E_MISUSE);
    ck_assert_int_eq(shmrpc_message_check(&plain_type, &note_initial), 0);
}
END_TEST

START_TEST(the_default_image_is_what_a_message_begins_as)
{
    note made;

    memset(&made, 0xee, sizeof(made));
    message_init(&note_type, &made);
    ck_assert_mem_eq(&made, &note_initial, sizeof(made));
    memset(&made, 0xee, sizeof(made));
    message_init(&plain_type, &made);
    for (size_t i = 0; i < sizeof(made); i++) {
        ck_assert_uint_eq(((unsigned char *)&made)[i], 0);
    }
}
END_TEST

START_TEST(copies_every_length)
{
    unsigned char from[200];
    unsigned char to[202];

    for (size_t i = 0; i < sizeof(from); i++) {
        from[i] = (unsigned char)(i + 1);
    }
    for (size_t length = 0; length <= sizeof(from); length++) {
        memset(to, 0xee, sizeof(to));
        shared_copy_out(to + 1, from, length);
        ck_assert_mem_eq(to + 1, from, length);
        ck_assert_uint_eq(to[0], 0xee);
        ck_assert_uint_eq(to[length + 1], 0xee);
    }
}
END_TEST

START_TEST(finds_declared_errors_and_the_largest_answer)
{
    static const shmrpc_error_info items[] = {{"PLAIN", 1, NULL}, {"NOTE", 32767, &note_type}};
    static const shmrpc_errors_info errors = {"test.Error", 3, items, 2};
    static const shmrpc_type_info small = {"test.Small", 4, 8, 8, NULL, NULL, NULL, NULL, NULL, NULL};
    const shmrpc_method_info none = {.name = "none"};
    const shmrpc_method_info both = {.name = "both", .reply = &small, .errors = &errors};

    ck_assert_ptr_eq(message_error(&errors, 1), &items[0]);
    ck_assert_ptr_eq(message_error(&errors, 32767), &items[1]);
    ck_assert_ptr_null(message_error(&errors, 2));
    ck_assert_ptr_null(message_error(&errors, 0));
    ck_assert_ptr_null(message_error(NULL, 1));
    ck_assert_ptr_null(message_error_payload(&errors, 1));
    ck_assert_ptr_eq(message_error_payload(&errors, 32767), &note_type);
    ck_assert_uint_eq(message_answer_size(&none), 0);
    ck_assert_uint_eq(message_answer_size(&both), sizeof(note));
}
END_TEST

/* ---- in place ---- */

START_TEST(a_message_in_place_begins_as_its_image_as_far_as_that_is_used)
{
    unsigned char at[sizeof(note)];

    memset(at, 0xee, sizeof(at));
    message_init_in_place(&note_type, at);
    ck_assert_mem_eq(at, &note_initial, 16); /* up to "hi", and what is behind it to a multiple of 8 */
    for (size_t i = 16; i < sizeof(at); i++)
        ck_assert_uint_eq(at[i], 0xee);
    message_init_in_place(&plain_type, at);
    for (size_t i = 0; i < sizeof(at); i++)
        ck_assert_uint_eq(at[i], 0);
}
END_TEST

START_TEST(a_message_in_place_without_an_image_begins_as_zeros_up_to_its_tail)
{
    shmrpc_type_info type = note_type;
    unsigned char at[sizeof(note)];

    type.initial = NULL;
    memset(at, 0xee, sizeof(at));
    message_init_in_place(&type, at);
    for (size_t i = 0; i < sizeof(at); i++)
        ck_assert_uint_eq(at[i], i < 16 ? 0 : 0xee);
}
END_TEST

static void tidy_number(void *message)
{
    ((note *)message)->number &= 0xff;
}

START_TEST(a_finished_message_has_zeros_after_its_end_and_tidy_padding)
{
    shmrpc_type_info type = note_type;

    for (uint32_t length = 0; length <= sizeof(((note *)NULL)->text); length++) {
        uint32_t used = (12 + length + 7) / 8 * 8;
        union {
            note message;
            unsigned char bytes[sizeof(note)];
        } at;

        memset(&at, 0xee, sizeof(at));
        at.message.number = 0x10a;
        at.message.length = length;
        type.tidy = length % 2 == 0 ? tidy_number : NULL;
        ck_assert_uint_eq(message_finish(&type, &at), used);
        ck_assert_uint_eq(at.message.number, length % 2 == 0 ? 0x0a : 0x10a);
        for (size_t i = 12; i < sizeof(at); i++)
            ck_assert_uint_eq(at.bytes[i], i >= 12 + length && i < used ? 0 : 0xee);
        ck_assert(message_is_whole(&type, &at, used));
        ck_assert(message_is_whole(&type, &at, sizeof(at)));
        ck_assert(!message_is_whole(&type, &at, used - 8));
    }
    ck_assert_uint_eq(message_finish(&plain_type, (note[1]){{0}}), sizeof(note));
    ck_assert(!message_is_whole(&plain_type, (note[1]){{0}}, sizeof(note) - 8));
}
END_TEST

/* What has come is not validated before it is known to be whole. */
START_TEST(a_count_beyond_all_bounds_is_not_whole_in_less_than_all_bytes)
{
    const note wild = {.length = UINT32_MAX};

    ck_assert(!message_is_whole(&note_type, &wild, sizeof(wild) - 8));
    ck_assert(message_is_whole(&note_type, &wild, sizeof(wild)));
}
END_TEST

START_TEST(a_table_of_another_abi_is_refused)
{
    static const uint32_t other = SHMRPC_GENERATED_ABI + 1;
    shmrpc_service_info service = {.abi = &shmrpc_generated_abi_3, .name = "test.Service"};

    ck_assert_int_eq(message_check_service(&service), 0);
    service.abi = &other;
    ck_assert_int_eq(message_check_service(&service), SHMRPC_E_VERSION);
    service.abi = NULL;
    ck_assert_int_eq(message_check_service(&service), SHMRPC_E_VERSION);
}
END_TEST

START_TEST(a_service_with_messages_beyond_the_limit_is_refused)
{
    const shmrpc_type_info largest = {.name = "largest", .size = SHMRPC_LARGE_MAX};
    const shmrpc_type_info larger = {.name = "larger", .size = SHMRPC_LARGE_MAX + 8};
    shmrpc_method_info method = {.name = "put", .request = &largest, .reply = &largest};
    shmrpc_service_info service = {.abi = &shmrpc_generated_abi_3,
                                   .name = "test.Service",
                                   .method_count = 1,
                                   .methods = &method};

    ck_assert_int_eq(message_check_service(&service), 0);
    method.reply = &larger;
    ck_assert_int_eq(message_check_service(&service), SHMRPC_E_TOO_LARGE);
    ck_assert_str_eq(shmrpc_last_error(),
                     "test.Service.put: a message is too large: 1073741832 bytes, the limit is 1073741824");
    method.reply = NULL;
    method.request = &larger;
    ck_assert_int_eq(message_check_service(&service), SHMRPC_E_TOO_LARGE);
    service.method_count = SHMRPC_METHODS_MAX + 1;
    ck_assert_int_eq(message_check_service(&service), SHMRPC_E_TOO_LARGE);
    ck_assert_str_eq(shmrpc_last_error(), "test.Service has too many methods: 4097, the limit is 4096");
}
END_TEST

static Suite *message_suite(void)
{
    Suite *suite = suite_create("runtime_message");
    TCase *tests = tcase_create("message");

    tcase_add_test(tests, a_plain_message_is_stored_as_it_is);
    tcase_add_test(tests, a_trimmed_message_gets_its_tail_from_the_default_image);
    tcase_add_test(tests, a_trimmed_message_without_an_image_ends_in_zeros);
    tcase_add_test(tests, what_of_a_large_message_is_not_in_use_is_not_touched);
    tcase_add_test(tests, what_a_large_message_says_is_in_use_and_has_not_come_is_from_the_default_image);
    tcase_add_test(tests, a_large_message_without_an_image_is_zero_as_far_as_it_is_in_use);
    tcase_add_test(tests, a_large_message_begins_as_its_image_as_far_as_that_is_in_use);
    tcase_add_test(tests, a_length_is_valid_between_the_least_and_the_size);
    tcase_add_test(tests, a_fault_is_the_peers_when_loaded_and_ones_own_when_checked);
    tcase_add_test(tests, a_message_that_is_not_there_is_a_misuse);
    tcase_add_test(tests, the_default_image_is_what_a_message_begins_as);
    tcase_add_test(tests, copies_every_length);
    tcase_add_test(tests, finds_declared_errors_and_the_largest_answer);
    tcase_add_test(tests, a_message_in_place_begins_as_its_image_as_far_as_that_is_used);
    tcase_add_test(tests, a_message_in_place_without_an_image_begins_as_zeros_up_to_its_tail);
    tcase_add_test(tests, a_finished_message_has_zeros_after_its_end_and_tidy_padding);
    tcase_add_test(tests, a_count_beyond_all_bounds_is_not_whole_in_less_than_all_bytes);
    tcase_add_test(tests, a_table_of_another_abi_is_refused);
    tcase_add_test(tests, a_service_with_messages_beyond_the_limit_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(message_suite)
