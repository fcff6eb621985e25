/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - commas, indentation, escapes.
 */
#include "backends/json/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/text.h"

static void line_begin(json_writer *json)
{
    buffer_puts(json->to, "\n");
    for (unsigned i = 0; i < json->depth; i++)
        buffer_puts(json->to, "  ");
}

static void escaped_put(buffer *to, const char *text, size_t length)
{
    buffer_puts(to, "\"");
    for (size_t at = 0; at < length;) {
        unsigned char c = (unsigned char)text[at];
        uint32_t character;
        size_t used = utf8_decode(text + at, length - at, &character);
        if (used == 0) {
            buffer_puts(to, "\\ufffd");
            at++;
            continue;
        }
        if (c == '"' || c == '\\')
            buffer_printf(to, "\\%c", c);
        else if (c == '\n')
            buffer_puts(to, "\\n");
        else if (c == '\t')
            buffer_puts(to, "\\t");
        else if (c == '\r')
            buffer_puts(to, "\\r");
        else if (c < 0x20 || c == 0x7F)
            buffer_printf(to, "\\u%04x", c);
        else
            buffer_append(to, text + at, used);
        at += used;
    }
    buffer_puts(to, "\"");
}

/* What comes before a value: a comma, a new line, the key. */
static void value_begin(json_writer *json, const char *key)
{
    if (json->depth > 0) {
        if (!json->empty)
            buffer_puts(json->to, ",");
        line_begin(json);
    }
    json->empty = false;
    if (key) {
        escaped_put(json->to, key, strlen(key));
        buffer_puts(json->to, ": ");
    }
}

static void nest_begin(json_writer *json, const char *key, const char *bracket)
{
    value_begin(json, key);
    buffer_puts(json->to, bracket);
    json->depth++;
    json->empty = true;
}

static void nest_end(json_writer *json, const char *bracket)
{
    assert(json->depth > 0);
    json->depth--;
    if (!json->empty)
        line_begin(json);
    json->empty = false;
    buffer_puts(json->to, bracket);
}

void json_object_begin(json_writer *json, const char *key)
{
    nest_begin(json, key, "{");
}

void json_object_end(json_writer *json)
{
    nest_end(json, "}");
}

void json_array_begin(json_writer *json, const char *key)
{
    nest_begin(json, key, "[");
}

void json_array_end(json_writer *json)
{
    nest_end(json, "]");
}

void json_null(json_writer *json, const char *key)
{
    value_begin(json, key);
    buffer_puts(json->to, "null");
}

void json_bool(json_writer *json, const char *key, bool value)
{
    value_begin(json, key);
    buffer_puts(json->to, value ? "true" : "false");
}

void json_unsigned(json_writer *json, const char *key, uint64_t value)
{
    json_integer(json, key, false, value);
}

void json_integer(json_writer *json, const char *key, bool negative, uint64_t magnitude)
{
    value_begin(json, key);
    buffer_printf(json->to, "%s%" PRIu64, negative && magnitude > 0 ? "-" : "", magnitude);
}

void json_float(json_writer *json, const char *key, double value)
{
    char digits[64];

    value_begin(json, key);
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    buffer_puts(json->to, digits);
    if (!strpbrk(digits, ".e"))
        buffer_puts(json->to, ".0");
}

void json_text(json_writer *json, const char *key, const char *text, size_t length)
{
    value_begin(json, key);
    escaped_put(json->to, text, length);
}

void json_string(json_writer *json, const char *key, const char *text)
{
    if (text)
        json_text(json, key, text, strlen(text));
    else
        json_null(json, key);
}

void json_hex(json_writer *json, const char *key, uint64_t value)
{
    value_begin(json, key);
    buffer_printf(json->to, "\"0x%016" PRIx64 "\"", value);
}

void json_finish(json_writer *json)
{
    assert(json->depth == 0);
    buffer_puts(json->to, "\n");
}
