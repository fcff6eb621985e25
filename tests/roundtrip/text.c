/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - strings and bytes: lengths, UTF-8, the NUL, and how much of them travels.
 */
/* clang-format off */
#if 0 /* IDL: text.shm */
package rt.text;

alias Word = string<7>;

message Letter { Word greeting; bytes<3> seal; string<20> body; }
message Parcel { uint32 weight; bytes<100> content; }
struct Book    { string<65536> text; }
message Most   { bytes<65000> content; }

@c_prefix("post")
service Post { rpc letter(Letter) -> (Letter); rpc parcel(Parcel) -> (Parcel); rpc most(Most) -> (Most); }
#endif /* IDL */
/* clang-format on */
#include "text.shm.h"

#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

static int letter(post_server *server, post_letter_context *context, const rt_text_letter *request,
                  rt_text_letter *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static int parcel(post_server *server, post_parcel_context *context, const rt_text_parcel *request,
                  rt_text_parcel *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static int most(post_server *server, post_most_context *context, const rt_text_most *request, rt_text_most *reply)
{
    (void)server, (void)context;
    *reply = *request;
    return 0;
}

static const post_ops ops = {.letter = letter, .parcel = parcel, .most = most};
static post_server server;
static post_client *client;
static roundtrip_host host;

static void connect_both(void)
{
    runtime_dir_make();
    ck_assert_int_eq(post_server_init(&server, &ops, "post", NULL), 0);
    roundtrip_start(&host, &server.base);
    ck_assert_int_eq(post_connect(&client, "post", NULL), 0);
}

static void disconnect_both(void)
{
    post_client_free(client);
    roundtrip_stop(&host);
    post_server_deinit(&server);
    runtime_dir_remove();
}

static void fill_empty(void *message)
{
    rt_text_letter *made = message;

    ck_assert(rt_text_letter_set_greeting(made, NULL, 0));
    ck_assert(rt_text_letter_set_seal(made, NULL, 0));
    ck_assert(rt_text_letter_set_body(made, "", 0));
}

static void fill_full(void *message)
{
    rt_text_letter *made = message;

    ck_assert(rt_text_letter_set_greeting(made, "h\xC3\xA9llo!", 7));
    ck_assert(rt_text_letter_set_seal(made, (const uint8_t *)"\0\xFF\0", 3));
    ck_assert(rt_text_letter_set_body(made, "12345678901234567890", 20));
}

static void fill_four(void *message)
{
    fill_empty(message);
    ck_assert(rt_text_letter_set_body(message, "four", 4));
}

/* greeting 0..9, padding 9, seal 10..15, padding, body: length at 16, text from 18. */
START_TEST(sends_the_used_part_only)
{
    ck_assert_uint_eq(rt_text_letter_info.size, 40);
    ck_assert_uint_eq(rt_text_letter_info.min_size, 24);
    roundtrip_check(&rt_text_letter_info, fill_empty, 24);
    roundtrip_check(&rt_text_letter_info, fill_four, 24);
    roundtrip_check(&rt_text_letter_info, fill_full, 40);
}
END_TEST

START_TEST(zeroes_what_is_beyond_the_length)
{
    rt_text_letter made;
    size_t used;

    memset(&made, 0xEE, sizeof made);
    fill_four(&made);
    ck_assert(rt_text_letter_set_greeting(&made, "abc", 3));
    unsigned char *image = roundtrip_store(&rt_text_letter_info, &made, &used);
    ck_assert_mem_eq(image, "\3\0abc\0\0\0\0\0\0\0\0\0\0\0\4\0four\0\0", 24);
    free(image);
}
END_TEST

START_TEST(setters_refuse_and_leave_as_it_was)
{
    rt_text_letter made;
    rt_text_word word;
    const char text[] = "123456789012345678901";

    fill_full(&made);
    ck_assert(!rt_text_letter_set_greeting(&made, text, 8));
    ck_assert(!rt_text_letter_set_body(&made, text, 21));
    ck_assert(!rt_text_letter_set_seal(&made, (const uint8_t *)text, 4));
    ck_assert(!rt_text_letter_set_body(&made, text, SIZE_MAX));
    ck_assert_str_eq(made.greeting.text, "h\xC3\xA9llo!");
    ck_assert_uint_eq(made.greeting.length, 7);
    ck_assert_str_eq(made.body.text, "12345678901234567890");
    ck_assert_uint_eq(made.seal.count, 3);
    ck_assert(rt_text_word_set(&word, "7 bytes", 7));
    ck_assert(!rt_text_word_set(&word, "8 bytes!", 8));
    ck_assert_str_eq(word.text, "7 bytes");
}
END_TEST

START_TEST(setters_take_a_part_of_what_is_there)
{
    rt_text_letter made;

    fill_full(&made);
    ck_assert(rt_text_letter_set_body(&made, made.body.text + 2, 5));
    ck_assert_str_eq(made.body.text, "34567");
}
END_TEST

START_TEST(refuses_a_length_beyond_the_capacity)
{
    rt_text_letter made;

    fill_empty(&made);
    made.greeting.length = 8;
    roundtrip_expect_fault(&rt_text_letter_info, &made, "greeting", "more than 7 bytes", 8, 7);
    fill_empty(&made);
    made.seal.count = UINT16_MAX;
    roundtrip_expect_fault(&rt_text_letter_info, &made, "seal", "more than 3 bytes", UINT16_MAX, 3);
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
    static const struct {
        const char *bytes;
        uint16_t length;
    } bad[] = {
        {"\x80", 1},         /* a continuation byte alone */
        {"\xC3", 1},         /* cut off */
        {"\xC0\xAF", 2},     /* overlong */
        {"\xED\xA0\x80", 3}, /* a surrogate */
        {"\xF4\x90\x80\x80", 4},
        {"a\0b", 3},
    };
    rt_text_letter made;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fill_empty(&made);
        ck_assert(rt_text_letter_set_body(&made, bad[i].bytes, bad[i].length));
        roundtrip_expect_fault(&rt_text_letter_info, &made, "body", "not UTF-8, or with a NUL inside", bad[i].length,
                               0);
    }
    fill_full(&made);
    made.body.text[20] = '!';
    roundtrip_expect_fault(&rt_text_letter_info, &made, "body", "without a NUL after its end", 20, 0);
}
END_TEST

START_TEST(counts_in_four_bytes_where_two_are_not_enough)
{
    rt_text_book *book = malloc(sizeof *book);
    char *text = malloc(65537);
    size_t used;

    ck_assert_ptr_nonnull(book);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 65537);
    memset(book, 0xEE, sizeof *book);
    ck_assert_uint_eq(sizeof book->text.length, 4);
    ck_assert(!rt_text_book_set_text(book, text, 65537));
    ck_assert(rt_text_book_set_text(book, text, 65536));
    roundtrip_expect_valid(&rt_text_book_info, book);
    unsigned char *image = roundtrip_store(&rt_text_book_info, book, &used);
    ck_assert_uint_eq(used, 65544);
    book->text.length = 65537;
    roundtrip_expect_fault(&rt_text_book_info, book, "text", "more than 65536 bytes", 65537, 65536);
    free(image);
    free(text);
    free(book);
}
END_TEST

START_TEST(passes_text_and_bytes_through_a_call)
{
    rt_text_letter request, reply;
    rt_text_parcel sent, received;
    uint8_t content[100];

    fill_full(&request);
    ck_assert_int_eq(post_letter(client, &request, &reply, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_text_letter_info, &request, &reply);
    ck_assert_str_eq(reply.body.text, "12345678901234567890");
    fill_empty(&request);
    ck_assert_int_eq(post_letter(client, &request, &reply, shmrpc_default()), 0);
    ck_assert_str_eq(reply.body.text, "");

    /* Within a slot, at its end, and beyond. */
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7);
    for (size_t count = 0; count <= sizeof content; count++) {
        rt_text_parcel_init(&sent);
        sent.weight = (uint32_t)count;
        ck_assert(rt_text_parcel_set_content(&sent, content, count));
        memset(&received, 0xEE, sizeof received);
        ck_assert_int_eq(post_parcel(client, &sent, &received, shmrpc_default()), 0);
        ck_assert_uint_eq(received.weight, count);
        ck_assert_uint_eq(received.content.count, count);
        ck_assert_mem_eq(received.content.items, content, count);
    }
}
END_TEST

START_TEST(passes_64_kib_through_a_call)
{
    rt_text_most *sent = malloc(sizeof *sent);
    rt_text_most *received = malloc(sizeof *received);

    ck_assert_ptr_nonnull(sent);
    ck_assert_ptr_nonnull(received);
    rt_text_most_init(sent);
    for (size_t i = 0; i < sizeof sent->content.items; i++)
        sent->content.items[i] = (uint8_t)(i % 251);
    sent->content.count = sizeof sent->content.items;
    ck_assert_int_eq(post_most(client, sent, received, shmrpc_default()), 0);
    roundtrip_expect_equal(&rt_text_most_info, sent, received);
    free(sent);
    free(received);
}
END_TEST

START_TEST(refuses_at_the_caller_and_names_the_field)
{
    rt_text_letter request, reply;

    fill_full(&request);
    request.body.text[3] = (char)0xFF;
    ck_assert_int_eq(post_letter(client, &request, &reply, shmrpc_default()), SHMRPC_E_INVALID);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "body"));
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "not UTF-8"));
    fill_full(&request);
    ck_assert_int_eq(post_letter(client, &request, &reply, shmrpc_default()), 0);
}
END_TEST

static Suite *text_suite(void)
{
    Suite *suite = suite_create("roundtrip_text");
    TCase *alone = tcase_create("alone");
    TCase *calls = tcase_create("calls");

    tcase_add_test(alone, sends_the_used_part_only);
    tcase_add_test(alone, zeroes_what_is_beyond_the_length);
    tcase_add_test(alone, setters_refuse_and_leave_as_it_was);
    tcase_add_test(alone, setters_take_a_part_of_what_is_there);
    tcase_add_test(alone, refuses_a_length_beyond_the_capacity);
    tcase_add_test(alone, refuses_what_is_no_text);
    tcase_add_test(alone, counts_in_four_bytes_where_two_are_not_enough);
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(calls, connect_both, disconnect_both);
    tcase_add_test(calls, passes_text_and_bytes_through_a_call);
    tcase_add_test(calls, passes_64_kib_through_a_call);
    tcase_add_test(calls, refuses_at_the_caller_and_names_the_field);
    suite_add_tcase(suite, calls);
    return suite;
}

TEST_MAIN(text_suite)
