/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserve.c - see reserve.h.
 */
#include "reserve.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include <shmrpc/wire.h>

#include "annotate.h"
#include "value.h"

static const char *place_name(reserve_place place)
{
    switch (place) {
    case RESERVE_ENUM: return "an enum";
    case RESERVE_FLAGS: return "flags";
    case RESERVE_ERRORS: return "errors";
    case RESERVE_UNION: return "a union";
    case RESERVE_RECORD: return "a struct or message";
    case RESERVE_SERVICE: return "a service";
    }
    return "";
}

static bool has_numbers(reserve_place place)
{
    return place != RESERVE_RECORD && place != RESERVE_SERVICE;
}

/* ---- reading ---- */

static bool is_name(const ast_string *text)
{
    bool right = text->length > 0 && !isdigit((unsigned char)text->text[0]);
    for (size_t i = 0; right && i < text->length; i++)
        right = isalnum((unsigned char)text->text[i]) || text->text[i] == '_';
    return right;
}

/* E406 for what was kept before; the later of two places is named. */
static bool is_new(compile *run, const char *what, span at, const span *first)
{
    if (!first)
        return true;
    diag_note(diag_add(run->diagnostics, DIAG_E406, at, "%s is reserved twice", what), *first,
              "the first time is here");
    return false;
}

static bool name_enter(compile *run, reserve *kept, const char *name, span at)
{
    span *place = arena_alloc(run->scratch, sizeof(*place));
    *place = at;
    return is_new(run, arena_printf(run->memory, "'%s'", name), at, map_add(&kept->names, run->scratch, name, place));
}

static bool read_name(compile *run, reserve *kept, const ast_range *ast, model_reserved *ret)
{
    if (!is_name(&ast->name)) {
        diag_add(run->diagnostics, DIAG_E406, ast->at, "a reserved name is one that %s could have",
                 kept->place == RESERVE_SERVICE ? "a method" : "a member");
        return false;
    }
    ret->name = ast->name.text;
    return name_enter(run, kept, ret->name, ast->at);
}

/* The numbers that a member may have: what else would be kept, nobody could use. */
static bool is_possible(reserve_place place, model_kind base, uint64_t number)
{
    switch (place) {
    case RESERVE_ENUM:
    case RESERVE_FLAGS: return value_fits(false, number, base);
    case RESERVE_ERRORS: return number >= SHMRPC_ERROR_MIN && number <= SHMRPC_ERROR_MAX;
    case RESERVE_UNION: return number > 0 && number <= UINT32_MAX;
    case RESERVE_RECORD:
    case RESERVE_SERVICE: break;
    }
    return false;
}

static const char *possible_range(compile *run, reserve_place place, model_kind base)
{
    if (place == RESERVE_ERRORS)
        return arena_printf(run->memory, "errors are %d to %d", SHMRPC_ERROR_MIN, SHMRPC_ERROR_MAX);
    if (place == RESERVE_UNION)
        return "tags are 1 to 4294967295";
    return arena_printf(run->memory, "the base holds %s", value_range(base));
}

static bool number_is_right(compile *run, const ast_expr *ast, reserve_place place, model_kind base)
{
    if (ast->kind == AST_FAULTY)
        return false;
    if (ast->kind != AST_INTEGER) {
        diag_add(run->diagnostics, DIAG_E406, ast->at, "a reserved number is a whole number");
        return false;
    }
    if (is_possible(place, base, ast->integer))
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E406, ast->at, "%" PRIu64 " is no number of %s", ast->integer,
                                 place_name(place));
    diag_note(entry, (span){0}, "%s", possible_range(run, place, base));
    return false;
}

static bool read_numbers(compile *run, const reserve *kept, model_kind base, const ast_range *ast, model_reserved *ret)
{
    if (!has_numbers(kept->place)) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E406, ast->at, "%s has no numbers to reserve", place_name(kept->place));
        diag_note(entry, (span){0}, "%s",
                  kept->place == RESERVE_SERVICE ? "methods are known by name" : "fields are known by name and place");
        diag_fix(entry, kept->place == RESERVE_SERVICE ? "reserve the name: 'reserved \"name\";'"
                                                       : "reserve the name, or the place: 'reserved uint32;'");
        return false;
    }
    bool right = number_is_right(run, ast->first, kept->place, base);
    if (ast->last != ast->first)
        right = number_is_right(run, ast->last, kept->place, base) && right;
    if (!right)
        return false;
    ret->first = ast->first->integer;
    ret->last = ast->last->integer;
    if (ret->last < ret->first) {
        diag_fix(diag_add(run->diagnostics, DIAG_E406, ast->at, "this range ends before it begins"),
                 "write '%" PRIu64 "..%" PRIu64 "'", ret->last, ret->first);
        return false;
    }
    if (kept->place == RESERVE_FLAGS && ret->first == ret->last && (ret->first & (ret->first - 1)) != 0) {
        diag_note(diag_add(run->diagnostics, DIAG_E406, ast->at, "%" PRIu64 " is no flag, which is one bit",
                           ret->first),
                  (span){0}, "what is reserved are values, such as 4 for the third bit");
        return false;
    }
    return true;
}

/* Places are read by records.c: here only whether there may be one, and its name. */
static bool read_place(compile *run, reserve *kept, const ast_reserved *ast)
{
    if (kept->place != RESERVE_RECORD) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E406, ast->type->at, "%s has no places to reserve",
                                     place_name(kept->place));
        diag_note(entry, (span){0}, "a type is reserved in a struct or message, of which it is then a part");
        if (ast->type->kind == AST_TYPE_NAME)
            diag_fix(entry, "a name is reserved as a string: 'reserved \"%s\";'", ast->type->name.text);
        else
            diag_fix(entry, has_numbers(kept->place) ? "reserve the number or the name: 'reserved 4, \"NAME\";'"
                                                     : "reserve the name: 'reserved \"name\";'");
        return false;
    }
    return !ast->name.text || name_enter(run, kept, ast->name.text, ast->name.at);
}

static int by_first(const void *a, const void *b)
{
    const model_reserved *left = *(const model_reserved *const *)a;
    const model_reserved *right = *(const model_reserved *const *)b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->at.start < right->at.start ? -1 : left->at.start > right->at.start;
}

static bool ranges_are_apart(compile *run, reserve *kept)
{
    bool right = true;
    if (kept->range_count > 1)
        qsort(kept->ranges, kept->range_count, sizeof(*kept->ranges), by_first);
    for (uint32_t i = 1; i < kept->range_count; i++) {
        const model_reserved *one = kept->ranges[i - 1];
        const model_reserved *other = kept->ranges[i];
        if (one->last < other->first)
            continue;
        const model_reserved *later = one->at.start > other->at.start ? one : other;
        right = is_new(run, arena_printf(run->memory, "%" PRIu64, other->first), later->at,
                       later == one ? &other->at : &one->at);
    }
    return right;
}

bool reserve_read(compile *run, const ast_body *body, reserve_place place, model_kind base, reserve *ret)
{
    vector items = VECTOR_OF(model_reserved);
    bool right = true;

    *ret = (reserve){.place = place};
    for (uint32_t i = 0; i < body->reserved.count; i++) {
        const ast_reserved *ast = *VECTOR_AT(&body->reserved, ast_reserved *, i);
        annotate_result notes;
        if (!ast->type)
            annotate_read(run, ast->notes, ANNOTATE_RESERVED, &notes);
        if (ast->type)
            right = read_place(run, ret, ast) && right;
        for (uint32_t j = 0; !ast->type && j < ast->ranges->count; j++) {
            const ast_range *each = *VECTOR_AT(ast->ranges, ast_range *, j);
            model_reserved item = {.at = each->at};
            if (each->name.text ? read_name(run, ret, each, &item) : read_numbers(run, ret, base, each, &item))
                *(model_reserved *)vector_add(&items, run->memory) = item;
            else
                right = false;
        }
    }
    ret->items = items.items;
    ret->count = items.count;
    ret->ranges = arena_array(run->memory, items.count, sizeof(const model_reserved *));
    for (uint32_t i = 0; i < items.count; i++)
        if (!ret->items[i].name)
            ret->ranges[ret->range_count++] = &ret->items[i];
    return ranges_are_apart(run, ret) && right;
}

/* ---- use ---- */

/* E405: the later of the two places is named. */
static bool in_use(compile *run, const char *what, span used, span reserved)
{
    bool late = reserved.file == used.file && reserved.start > used.start;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E405, late ? reserved : used, "%s is reserved%s", what,
                                 late ? " here, and in use" : "");
    diag_note(entry, late ? used : reserved, late ? "it is used here" : "it is reserved here");
    if (!late)
        diag_fix(entry, "take another: whoever knows an earlier version takes this for what it meant there");
    return false;
}

bool reserve_allows_name(compile *run, const reserve *kept, const ast_ident *name)
{
    const span *reserved = map_find(&kept->names, name->text);
    return !reserved || in_use(run, arena_printf(run->memory, "the name '%s'", name->text), name->at, *reserved);
}

bool reserve_allows_number(compile *run, const reserve *kept, const ast_ident *name, uint64_t number, span at)
{
    uint32_t low = 0;
    uint32_t high = kept->range_count;
    while (low < high) { /* the first range that begins behind the number */
        uint32_t middle = low + (high - low) / 2;
        if (kept->ranges[middle]->first <= number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || kept->ranges[low - 1]->last < number)
        return true;
    return in_use(run, arena_printf(run->memory, "the number %" PRIu64 " of '%s'", number, name->text), at,
                  kept->ranges[low - 1]->at);
}
