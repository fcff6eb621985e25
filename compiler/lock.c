/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c - the lines of a lock: reading one, finding one.
 */
#include "lock.h"
#include <inttypes.h>

#include <stdlib.h>
#include <string.h>

/*
 * What follows the kind: W a name, N a version (1 .. 2^32-1), # a number, V a number that may be negative, H a
 * fingerprint, S likewise, of what is strict, * all that is left; ? before a word: it and its value may be missing;
 * anything else is a word of the form.
 */
static const struct {
    const char *word;
    const char *form;
} kinds[] = {
    [LOCK_PACKAGE] = {"package", "W version N"},
    [LOCK_TYPE] = {"type", "W since N *"},
    [LOCK_VERSION] = {"version", "W N size # fingerprint H ?strict S"},
    [LOCK_FIELD] = {"field", "W since N at # *"},
    [LOCK_ARM] = {"arm", "W since N tag # *"},
    [LOCK_MEMBER] = {"member", "W since N value V"},
    [LOCK_ERROR] = {"error", "W since N code # *"},
    [LOCK_METHOD] = {"method", "W since N *"},
    [LOCK_REVISION] = {"revision", "W N fingerprint H ?strict S"},
    [LOCK_ITEM] = {"item", "W fingerprint H ?strict S *"},
    [LOCK_RESERVED] = {"reserved", "W *"},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* A line that is being read. */
typedef struct reader {
    arena *memory;
    const char *at;
    const char *end;
} reader;

/* Words are separated by one space. */
static const char *word_read(reader *from)
{
    const char *space = memchr(from->at, ' ', (size_t)(from->end - from->at));
    const char *stop = space ? space : from->end;
    const char *word = arena_copy(from->memory, from->at, (size_t)(stop - from->at));

    from->at = space ? space + 1 : from->end;
    return word;
}

static bool number_read(const char *word, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;

    if (*word == '\0' || (word[0] == '0' && word[1] != '\0'))
        return false;
    for (; *word; word++) {
        uint64_t digit = (uint64_t)(unsigned char)*word - '0';
        if (*word < '0' || *word > '9' || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

static bool fingerprint_read(const char *word, uint64_t *ret)
{
    char *end;

    if (strlen(word) != 16 || strspn(word, "0123456789abcdef") != 16)
        return false;
    *ret = strtoull(word, &end, 16);
    return true;
}

static bool name_is_right(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

    return *name && strspn(name, letters) == strlen(name);
}

/* One value of the form; *ret is filled in where it is of the kind that the form says. */
static bool value_read(reader *from, const char *form, size_t length, lock_fact *ret)
{
    uint64_t version = 0;
    const char *word;

    if (form[0] == '*') {
        ret->rest = arena_copy(from->memory, from->at, (size_t)(from->end - from->at));
        from->at = from->end;
        return *ret->rest != '\0';
    }
    word = word_read(from);
    if (length > 1)
        return strlen(word) == length && strncmp(word, form, length) == 0;
    switch (form[0]) {
    case 'W': ret->name = word; return name_is_right(word);
    case 'N':
        if (!number_read(word, UINT32_MAX, &version) || version == 0)
            return false;
        ret->version = (uint32_t)version;
        return true;
    case '#': return number_read(word, UINT64_MAX, &ret->number);
    case 'V':
        ret->negative = word[0] == '-';
        return number_read(word + (ret->negative ? 1 : 0), UINT64_MAX, &ret->number);
    case 'S': return fingerprint_read(word, &ret->strict);
    default: return fingerprint_read(word, &ret->fingerprint);
    }
}

/* How much of the form to leave out, where its first word may be missing and is: that word and its value. */
static size_t missing(const reader *from, const char *form, size_t length)
{
    size_t left = (size_t)(from->end - from->at);

    if (form[0] != '?' ||
        (left >= length && strncmp(from->at, form + 1, length - 1) == 0 && from->at[length - 1] == ' '))
        return 0;
    return length + 1 + strcspn(form + length + 1, " ");
}

static bool kind_has_member(lock_kind kind)
{
    return kind == LOCK_FIELD || kind == LOCK_ARM || kind == LOCK_MEMBER || kind == LOCK_ERROR || kind == LOCK_METHOD ||
           kind == LOCK_REVISION;
}

/* Owner, member and key, from the name. */
static bool names_set(arena *memory, lock_fact *fact)
{
    const char *dot = kind_has_member(fact->kind) ? strrchr(fact->name, '.') : NULL;
    const char *word = kinds[fact->kind].word;

    if (kind_has_member(fact->kind) && !dot)
        return false;
    fact->owner = dot ? arena_copy(memory, fact->name, (size_t)(dot - fact->name)) : fact->name;
    fact->member = dot ? dot + 1 : "";
    if (fact->kind == LOCK_VERSION)
        fact->key = arena_printf(memory, "%s %s %u", word, fact->name, (unsigned)fact->version);
    else if (fact->kind == LOCK_REVISION)
        fact->key =
            arena_printf(memory, "%s %s %u %" PRIx64, word, fact->name, (unsigned)fact->version, fact->fingerprint);
    else if (fact->kind == LOCK_RESERVED)
        fact->key = arena_printf(memory, "%s %s %s", word, fact->name, fact->rest);
    else
        fact->key = arena_printf(memory, "%s %s", word, fact->name);
    return true;
}

bool lock_fact_read(arena *memory, const char *line, size_t length, lock_fact *ret)
{
    lock_fact made = {.line = arena_copy(memory, line, length), .version = 1, .rest = ""};
    reader from = {memory, made.line, made.line + length};
    const char *kind = word_read(&from);
    const char *form = NULL;

    for (size_t i = 0; i < KIND_COUNT && !form; i++) {
        if (strcmp(kind, kinds[i].word) == 0) {
            made.kind = (lock_kind)i;
            form = kinds[i].form;
        }
    }
    if (!form || strlen(made.line) != length)
        return false;
    for (size_t part = 0; *form; form += part + (form[part] == ' ')) {
        part = strcspn(form, " ");
        size_t absent = missing(&from, form, part);
        if (absent > 0) {
            part = absent;
            continue;
        }
        if (form[0] == '?') {
            form++;
            part--;
        }
        if (from.at == from.end || !value_read(&from, form, part, &made))
            return false;
    }
    if (from.at != from.end || from.end[-1] == ' ' || !names_set(memory, &made))
        return false;
    *ret = made;
    return true;
}

static const char *group_key(arena *memory, lock_kind kind, const char *owner)
{
    return arena_printf(memory, "%s %s", kinds[kind].word, owner);
}

void lock_facts_add(lock_facts *to, arena *memory, lock_fact *fact)
{
    const char *key = group_key(memory, fact->kind, fact->owner);
    vector *group = map_find(&to->groups, key);

    if (!group) {
        group = arena_alloc(memory, sizeof(*group));
        *group = VECTOR_OF(lock_fact *);
        map_add(&to->groups, memory, key, group);
    }
    vector_add_pointer(group, memory, fact);
    vector_add_pointer(&to->list, memory, fact);
    map_add(&to->by_key, memory, fact->key, fact);
}

lock_fact *const *lock_facts_of(const lock_facts *of, arena *memory, lock_kind kind, const char *owner,
                                uint32_t *ret_count)
{
    const vector *group = map_find(&of->groups, group_key(memory, kind, owner));

    *ret_count = group ? group->count : 0;
    return group ? group->items : NULL;
}

const lock_fact *lock_facts_find(const lock_facts *of, const char *key)
{
    return map_find(&of->by_key, key);
}

const char *lock_path(arena *memory, const model_file *file)
{
    return arena_printf(memory, "%s" LOCK_SUFFIX, file->path);
}
