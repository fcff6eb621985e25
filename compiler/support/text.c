/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - UTF-8 after RFC 3629, and optimal string alignment distance on three rows.
 */
#include "text.h"

#include <string.h>

#define NAME_LONGEST 64 /* a longer one is not guessed at */

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;

    unsigned char first = (unsigned char)bytes[0];
    size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    if (length == 0 || length > size || first > 0xf4)
        return 0;

    uint32_t character = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (next & 0x3fu);
    }
    if (character < smallest[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    if (ret)
        *ret = character;
    return length;
}

size_t utf8_encode(uint32_t character, char bytes[4])
{
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    if (length == 1) {
        bytes[0] = (char)character;
        return 1;
    }
    for (size_t i = length; i-- > 1; character >>= 6)
        bytes[i] = (char)(0x80u | (character & 0x3fu));
    bytes[0] = (char)(lead[length] | character);
    return length;
}

bool utf8_hides(uint32_t character)
{
    return character == 0x61C || (character >= 0x200B && character <= 0x200F) ||
           (character >= 0x2028 && character <= 0x202E) || (character >= 0x2060 && character <= 0x206F) ||
           character == 0xFEFF || (character >= 0x80 && character < 0xA0);
}

bool utf8_valid(const char *bytes, size_t size, size_t *ret_offset)
{
    size_t at = 0;
    while (at < size) {
        size_t length = utf8_decode(bytes + at, size - at, NULL);
        if (length == 0) {
            *ret_offset = at;
            return false;
        }
        at += length;
    }
    return true;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t a_length = strnlen(a, NAME_LONGEST + 1);
    size_t b_length = strnlen(b, NAME_LONGEST + 1);
    size_t difference = a_length > b_length ? a_length - b_length : b_length - a_length;
    if (a_length > NAME_LONGEST || b_length > NAME_LONGEST || difference > limit)
        return limit + 1;

    size_t rows[3][NAME_LONGEST + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        size_t least = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            row[j] = smaller(smaller(above[j] + 1, row[j - 1] + 1), above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
            least = smaller(least, row[j]);
        }
        if (least > limit)
            return limit + 1;
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return smaller(above[b_length], limit + 1);
}

void text_guess_offer(text_guess *guess, const char *name)
{
    size_t length = strlen(guess->wanted);
    size_t limit = length < 3 ? 1 : length < 6 ? 2 : 3;
    size_t distance = text_distance(guess->wanted, name, limit);
    if (distance > limit || distance >= length || (guess->nearest && distance >= guess->distance))
        return;
    guess->nearest = name;
    guess->distance = distance;
}
