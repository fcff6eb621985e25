/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - see token.h.
 *
 *   number = decimal [ unit ] | "0x" hex digits | "0b" binary digits | decimal "." digits [ exponent ] | decimal exponent
 *
 * `_` may stand between two digits. A decimal integer has no leading zero.
 */
#include "token.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/buffer.h"
#include "support/checked.h"
#include "support/text.h"

typedef struct unit {
    const char *name;
    uint64_t factor;
    bool is_duration;
} unit;

static const unit units[] = {
    {"ns", 1, true},
    {"us", 1000, true},
    {"ms", 1000000, true},
    {"s", 1000000000, true},
    {"B", 1, false},
    {"KiB", UINT64_C(1) << 10, false},
    {"MiB", UINT64_C(1) << 20, false},
    {"GiB", UINT64_C(1) << 30, false},
};

/* Reads one number; the first fault is reported, and only that. */
typedef struct number {
    arena *memory;
    diag *diagnostics;
    span at;
    const char *text;
    size_t size;
    bool faulty;
} number;

static diag_entry *fault(number *read, const char *message)
{
    read->faulty = true;
    return diag_add(read->diagnostics, DIAG_E105, read->at, "%s", message);
}

static unsigned digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F')
        return (unsigned)(digit - 'A') + 10;
    return 16;
}

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* How many of the characters from `start` on are digits and '_'. */
static size_t digits_from(const number *read, size_t start)
{
    size_t at = start;
    while (at < read->size && (is_digit(read->text[at]) || read->text[at] == '_'))
        at++;
    return at - start;
}

/* Whether each '_' of a run of digits stands between two of them. */
static bool separators_are_right(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '_' && (i == 0 || i + 1 == size || text[i - 1] == '_'))
            return false;
    return true;
}

/* The value of `size` digits and '_' in a base. */
static uint64_t read_digits(number *read, const char *text, size_t size, unsigned base)
{
    uint64_t value = 0;
    if (size == 0) {
        fault(read, "a number has no digits after its prefix");
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        if (text[i] != '_' && digit_value(text[i]) >= base) {
            read->faulty = true;
            diag_add(read->diagnostics, DIAG_E105, read->at, "'%c' is not a digit of a %s number", text[i],
                     base == 16 ? "hexadecimal" : "binary");
            return 0;
        }
    if (!separators_are_right(text, size)) {
        diag_fix(fault(read, "'_' in a number stands between two digits"), "remove the '_'");
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '_')
            continue;
        if (!checked_multiply(value, base, &value) || !checked_add(value, digit_value(text[i]), &value)) {
            diag_note(fault(read, "the number needs more than 64 bits"), (span){0},
                      "the largest is 18446744073709551615");
            return 0;
        }
    }
    return value;
}

static const unit *unit_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == size && memcmp(units[i].name, name, size) == 0)
            return &units[i];
    return NULL;
}

static void unknown_suffix(number *read, size_t start)
{
    read->faulty = true;
    diag_entry *entry = diag_add(read->diagnostics, DIAG_E105, read->at, "'%.*s' after a number is no unit",
                                 (int)(read->size - start > 40 ? 40 : read->size - start), read->text + start);
    diag_note(entry, (span){0}, "units of time are ns, us, ms, s; of size B, KiB, MiB, GiB");
}

/* Copies digits without their '_'. */
static double read_float(number *read, size_t size)
{
    char *plain = arena_alloc(read->memory, size + 1);
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
        if (read->text[i] != '_')
            plain[length++] = read->text[i];
    double value = strtod(plain, NULL);
    if (!isfinite(value)) {
        fault(read, "the number is beyond the range of float64");
        return 0;
    }
    return value;
}

/* The length of a fraction and exponent from `start` on, 0 where there is neither. */
static size_t float_tail(number *read, size_t start)
{
    size_t at = start;
    bool right = separators_are_right(read->text, start);
    if (at < read->size && read->text[at] == '.') {
        size_t digits = digits_from(read, at + 1);
        right = right && separators_are_right(read->text + at + 1, digits);
        at += 1 + digits;
    }
    if (at < read->size && (read->text[at] == 'e' || read->text[at] == 'E')) {
        size_t sign = at + 1 < read->size && (read->text[at + 1] == '+' || read->text[at + 1] == '-');
        size_t digits = digits_from(read, at + 1 + sign);
        if (digits == 0)
            return at - start;
        right = right && separators_are_right(read->text + at + 1 + sign, digits);
        at += 1 + sign + digits;
    }
    if (at > start && !right)
        fault(read, "'_' in a number stands between two digits");
    return at - start;
}

static void read_decimal(number *read, ast_expr *ret)
{
    size_t whole = digits_from(read, 0);
    size_t tail = float_tail(read, whole);
    if (read->faulty)
        return;
    if (whole > 1 && read->text[0] == '0') {
        diag_fix(fault(read, "a decimal number has no leading zero"), "remove the zero; base 8 does not exist here");
        return;
    }
    if (tail) {
        if (whole + tail < read->size) {
            if (unit_find(read->text + whole + tail, read->size - whole - tail))
                fault(read, "a unit follows a whole number only");
            else
                unknown_suffix(read, whole + tail);
            return;
        }
        ret->kind = AST_FLOAT;
        ret->real = read_float(read, whole + tail);
        return;
    }

    uint64_t value = read_digits(read, read->text, whole, 10);
    if (read->faulty || whole == read->size) {
        ret->integer = value;
        return;
    }
    const unit *suffix = unit_find(read->text + whole, read->size - whole);
    if (!suffix) {
        unknown_suffix(read, whole);
        return;
    }
    if (!checked_multiply(value, suffix->factor, &value) || (suffix->is_duration && value > INT64_MAX)) {
        fault(read, suffix->is_duration ? "the time is longer than 292 years" : "the size needs more than 64 bits");
        return;
    }
    ret->kind = suffix->is_duration ? AST_DURATION : AST_INTEGER;
    ret->integer = value;
}

ast_expr *token_number(arena *memory, diag *diagnostics, span at)
{
    ast_expr *expr = ast_expr_new(memory, AST_INTEGER, at);
    number read = {memory, diagnostics, at, at.file->text + at.start, at.end - at.start, false};
    char second = read.size > 1 ? read.text[1] : '\0';

    if (read.text[0] == '0' && (second == 'x' || second == 'X'))
        expr->integer = read_digits(&read, read.text + 2, read.size - 2, 16);
    else if (read.text[0] == '0' && (second == 'b' || second == 'B') && !unit_find(read.text + 1, read.size - 1))
        expr->integer = read_digits(&read, read.text + 2, read.size - 2, 2);
    else
        read_decimal(&read, expr);
    if (read.faulty)
        expr->kind = AST_FAULTY;
    return expr;
}

/* Reads the escape at `text` (a backslash); appends what it stands for; returns its length. */
static size_t read_escape(diag *diagnostics, span literal, const char *text, const char *end, buffer *to)
{
    static const char letters[] = "\\\"nrt";
    static const char meanings[] = "\\\"\n\r\t";
    const source *file = literal.file;
    uint32_t start = (uint32_t)(text - file->text);
    const char *letter = text + 1 < end ? strchr(letters, text[1]) : NULL;

    if (letter && *letter) {
        buffer_append(to, &meanings[letter - letters], 1);
        return 2;
    }
    if (text + 1 < end && text[1] == 'x') {
        size_t digits = 0;
        while (digits < 2 && text + 2 + digits < end && digit_value(text[2 + digits]) < 16)
            digits++;
        span at = {file, start, start + 2 + (uint32_t)digits};
        unsigned value = digits == 2 ? digit_value(text[2]) * 16 + digit_value(text[3]) : 1;
        if (digits < 2)
            diag_add(diagnostics, DIAG_E104, at, "'\\x' takes two hexadecimal digits");
        else if (value == 0)
            diag_add(diagnostics, DIAG_E104, at, "a string cannot hold the NUL character");
        char byte = (char)value;
        if (digits == 2 && value)
            buffer_append(to, &byte, 1);
        return 2 + digits;
    }
    if (text + 2 < end && text[1] == 'u' && text[2] == '{') {
        uint32_t value = 0;
        size_t at = 3;
        while (text + at < end && digit_value(text[at]) < 16 && value <= 0x10ffff)
            value = value * 16 + digit_value(text[at++]);
        bool closed = at > 3 && text + at < end && text[at] == '}';
        span place = {file, start, start + (uint32_t)at + closed};
        if (!closed)
            diag_add(diagnostics, DIAG_E104, place, "'\\u{' takes the digits of a character up to 10FFFF and a '}'");
        else if (value == 0)
            diag_add(diagnostics, DIAG_E104, place, "a string cannot hold the NUL character");
        else if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
            diag_add(diagnostics, DIAG_E104, place, "U+%04X is not a character", (unsigned)value);
        else {
            char bytes[4];
            buffer_append(to, bytes, utf8_encode(value, bytes));
        }
        return at + closed;
    }
    size_t length = text + 1 < end ? 1 + utf8_decode(text + 1, (size_t)(end - text) - 1, NULL) : 1;
    span at = {file, start, start + (uint32_t)length};
    diag_entry *entry = diag_add(diagnostics, DIAG_E104, at, "unknown escape '%.*s'", (int)length, text);
    diag_note(entry, (span){0}, "the escapes are \\\\ \\\" \\n \\t \\r \\xHH and \\u{H...}");
    return length;
}

ast_string token_string(arena *memory, diag *diagnostics, span at)
{
    const char *each = at.file->text + at.start + 1;
    const char *end = at.file->text + at.end - 1;
    size_t before = diag_errors(diagnostics);
    buffer to = {0};

    while (each < end) {
        if (*each == '\\') {
            each += read_escape(diagnostics, at, each, end, &to);
            continue;
        }
        buffer_append(&to, each++, 1);
    }
    size_t bad;
    if (diag_errors(diagnostics) == before && !utf8_valid(to.data, to.length, &bad)) {
        diag_entry *entry = diag_add(diagnostics, DIAG_E104, at, "the escapes of this string do not make UTF-8");
        diag_fix(entry, "write the character itself, or its number as \\u{H...}");
        to.length = 0;
    }
    ast_string string = {arena_copy(memory, to.data, to.length), to.length, at};
    buffer_deinit(&to);
    return string;
}
