/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of messages: UTF-8 as RFC 3629 has it (table 3-7 of Unicode), without a NUL.
 *
 * Most text is ASCII, so eight bytes at a time are tried first: a byte is wanted in 0x01 .. 0x7f. For such bytes b, the
 * top bit of neither b nor b - 1 is set; if any byte of the word is 0 or above 0x7f, one of the two has a top bit
 * (a borrow can only come from a byte that is 0, which has set its own bit already).
 */
#include <shmrpc/generated.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define TOP_BITS UINT64_C(0x8080808080808080)

static size_t text_skip_ascii(const unsigned char *text, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, text + at, sizeof(word));
        if (((word | (word - EACH_BYTE)) & TOP_BITS) != 0)
            break;
        at += sizeof(word);
    }
    return at;
}

/* Bytes of the well-formed character at `text`; 0 where there is none. */
static size_t text_character(const unsigned char *text, size_t length)
{
    unsigned char lead = text[0];
    unsigned char least = 0x80; /* of the second byte: what rules out overlong forms, surrogates, and the too large */
    unsigned char most = 0xbf;
    size_t size;

    if (lead < 0x80)
        return lead != 0;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;

    size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length < size)
        return 0;
    if (lead == 0xe0)
        least = 0xa0;
    else if (lead == 0xed)
        most = 0x9f;
    else if (lead == 0xf0)
        least = 0x90;
    else if (lead == 0xf4)
        most = 0x8f;

    if (text[1] < least || text[1] > most)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return size;
}

bool shmrpc_text_is_valid(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;

    while (at < length) {
        size_t size = text_skip_ascii(bytes + at, length - at);

        if (size == 0)
            size = text_character(bytes + at, length - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
