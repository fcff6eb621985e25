/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include <string.h>

#include <shmrpc/generated.h>

/* At each offset within plain text, so that the fast path and the edges are met. */
static bool is_valid_anywhere(const char *part)
{
    char text[64];
    size_t length = strlen(part);
    bool first = false;

    for (size_t at = 0; at < 20; at++) {
        bool valid;

        memset(text, 'a', sizeof(text));
        memcpy(text + at, part, length);
        valid = shmrpc_text_is_valid(text, at + length);
        ck_assert(shmrpc_text_is_valid(text, at + length + 20) == valid);
        if (at == 0)
            first = valid;
        ck_assert(valid == first);
    }
    return first;
}

START_TEST(accepts_plain_and_empty_text)
{
    char text[256];

    memset(text, 'x', sizeof(text));
    for (size_t length = 0; length <= sizeof(text); length++)
        ck_assert(shmrpc_text_is_valid(text, length));
    for (int c = 1; c < 0x80; c++)
        ck_assert(is_valid_anywhere((char[]){(char)c, '\0'}));
}
END_TEST

START_TEST(rejects_a_nul_anywhere)
{
    char text[40];

    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'x', sizeof(text));
        text[at] = '\0';
        ck_assert(!shmrpc_text_is_valid(text, sizeof(text)));
        ck_assert(shmrpc_text_is_valid(text, at));
    }
}
END_TEST

static size_t encode(uint32_t point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xc0 | (point >> 6));
        to[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | (point >> 12));
        to[1] = (char)(0x80 | ((point >> 6) & 0x3f));
        to[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (point >> 18));
    to[1] = (char)(0x80 | ((point >> 12) & 0x3f));
    to[2] = (char)(0x80 | ((point >> 6) & 0x3f));
    to[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

START_TEST(accepts_every_character_but_surrogates_up_to_the_last)
{
    char text[4];

    for (uint32_t point = 1; point < 0x200000; point++) {
        size_t length = encode(point, text);
        bool expected = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);

        /* Check's assertions leave a mark each time, which is slow two million times. */
        if (shmrpc_text_is_valid(text, length) != expected)
            ck_abort_msg("U+%04x", point);
        for (size_t cut = 1; cut < length; cut++) {
            if (shmrpc_text_is_valid(text, cut))
                ck_abort_msg("U+%04x cut to %zu bytes", point, cut);
        }
    }
}
END_TEST

START_TEST(rejects_what_is_not_utf_8)
{
    static const char *const bad[] = {
        "\x80", /* begins with what continues */
        "\xbf",
        "\xc0\x80", /* overlong */
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3(", /* not continued */
        "\xe2\x82(",
        "\xf0\x9f\x98(",
        "\xc3\xc3\xa4",
        "\xe2\x82", /* cut; also before plain text */
        "\xf0\x9f\x98",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!is_valid_anywhere(bad[i]), "row %zu", i);
    ck_assert(is_valid_anywhere("\xf4\x8f\xbf\xbf"));
    ck_assert(is_valid_anywhere("\xed\x9f\xbf\xee\x80\x80"));
}
END_TEST

static Suite *text_suite(void)
{
    Suite *suite = suite_create("runtime_text");
    TCase *tests = tcase_create("text");

    tcase_add_test(tests, accepts_plain_and_empty_text);
    tcase_add_test(tests, rejects_a_nul_anywhere);
    tcase_add_test(tests, accepts_every_character_but_surrogates_up_to_the_last);
    tcase_add_test(tests, rejects_what_is_not_utf_8);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(text_suite)
