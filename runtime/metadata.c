/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include "error.h"

#include <shmrpc/generated.h>

#include <string.h>

/* An entry of valid bytes, from its first byte on. */
static uint32_t entry_length(const char *entry)
{
    size_t key = strlen(entry) + 1;

    return (uint32_t)(key + strlen(entry + key) + 1);
}

/* Where the entry of this key begins; `length` where there is none. */
static uint32_t locate(const metadata *self, const char *key)
{
    uint32_t at = 0;

    while (at < self->length && strcmp(self->bytes + at, key) != 0) {
        at += entry_length(self->bytes + at);
    }
    return at;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool key_is_valid(const char *key, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        bool inner = (key[i] >= '0' && key[i] <= '9') || key[i] == '-' || key[i] == '.';

        if (!is_letter(key[i]) && (i == 0 || !inner)) {
            return false;
        }
    }
    return length != 0;
}

int metadata_set(metadata *self, uint32_t room, const char *key, const char *value)
{
    size_t key_length = strnlen(key, METADATA_MAX);
    size_t value_length = value == NULL ? 0 : strnlen(value, METADATA_MAX);
    size_t more = value == NULL ? 0 : key_length + value_length + 2;
    uint32_t at;
    uint32_t less;

    if (!key_is_valid(key, key_length)) {
        return error_set(SHMRPC_E_INVALID,
                         "a key is letters, digits, '_', '-' and '.', and begins with a letter or '_'");
    }
    if (value != NULL && value_length < METADATA_MAX && !shmrpc_text_is_valid(value, value_length)) {
        return error_set(SHMRPC_E_INVALID, "the value of '%s' is not UTF-8", key);
    }
    at = locate(self, key);
    less = at == self->length ? 0 : entry_length(self->bytes + at);
    if (more > room || self->length - less > room - more) {
        return error_set(SHMRPC_E_TOO_LARGE, "metadata of more than %u bytes", room);
    }
    if (value != NULL && less == 0 && self->count == METADATA_ENTRIES_MAX) {
        return error_set(SHMRPC_E_TOO_LARGE, "metadata of more than %u entries", METADATA_ENTRIES_MAX);
    }
    memmove(self->bytes + at, self->bytes + at + less, self->length - at - less);
    self->length -= less;
    self->count -= less != 0;
    if (value != NULL) {
        memcpy(self->bytes + self->length, key, key_length + 1);
        memcpy(self->bytes + self->length + key_length + 1, value, value_length + 1);
        self->length += (uint32_t)more;
        self->count++;
    }
    return 0;
}

const char *metadata_find(const metadata *self, const char *key)
{
    uint32_t at = locate(self, key);

    return at == self->length ? NULL : self->bytes + at + strlen(key) + 1;
}

/* The length of the text that begins here, without its 0; below 0: it has none. */
static int32_t text_length(const metadata *self, uint32_t at)
{
    const char *end = memchr(self->bytes + at, 0, self->length - at);

    return end == NULL ? -1 : (int32_t)(end - (self->bytes + at));
}

bool metadata_is_valid(const metadata *self)
{
    uint32_t count = 0;
    uint32_t at = 0;

    while (at < self->length) {
        int32_t key = text_length(self, at);
        int32_t value;

        if (key < 0 || !key_is_valid(self->bytes + at, (size_t)key)) {
            return false;
        }
        at += (uint32_t)key + 1;
        value = text_length(self, at);
        if (value < 0 || !shmrpc_text_is_valid(self->bytes + at, (size_t)value)) {
            return false;
        }
        at += (uint32_t)value + 1;
        count++;
    }
    return count == self->count && count <= METADATA_ENTRIES_MAX;
}
