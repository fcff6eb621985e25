/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant.c - see constant.h.
 */
#include "constant.h"

#include <math.h>
#include <string.h>

#include "declare.h"
#include "resolve.h"
#include "types.h"
#include "versions.h"

static const char *operator_text(ast_operator op)
{
    static const char *const texts[] = {
        [AST_NEGATE] = "-",   [AST_INVERT] = "~",      [AST_OR] = "|",           [AST_XOR] = "^",
        [AST_AND] = "&",      [AST_SHIFT_LEFT] = "<<", [AST_SHIFT_RIGHT] = ">>", [AST_ADD] = "+",
        [AST_SUBTRACT] = "-", [AST_MULTIPLY] = "*",    [AST_DIVIDE] = "/",       [AST_REMAINDER] = "%",
    };
    return texts[op];
}

static bool arithmetic_fault(compile *run, const ast_expr *expr, value_result result)
{
    diag *diagnostics = run->diagnostics;
    switch (result) {
    case VALUE_OK: return true;
    case VALUE_OVERFLOW:
        diag_note(diag_add(diagnostics, DIAG_E302, expr->at, "the result of '%s' is out of range",
                           operator_text(expr->op)),
                  (span){0}, "whole numbers lie within -9223372036854775808 .. 18446744073709551615");
        break;
    case VALUE_BY_ZERO: diag_add(diagnostics, DIAG_E302, expr->right->at, "division by zero"); break;
    case VALUE_SHIFT_COUNT: diag_add(diagnostics, DIAG_E302, expr->right->at, "a shift is by 0 to 63 bits"); break;
    case VALUE_SHIFT_NEGATIVE:
        diag_add(diagnostics, DIAG_E302, expr->left->at, "a negative number is not shifted");
        break;
    case VALUE_INEXACT:
        diag_add(diagnostics, DIAG_E301, expr->at, "a whole number here is not exact as a float64");
        break;
    case VALUE_KIND:
        diag_add(diagnostics, DIAG_E301, expr->at, "'%s' does not take such values", operator_text(expr->op));
        break;
    }
    return false;
}

static bool is_declared_member(const symbol *owner, const char *name)
{
    const vector *members = &owner->ast->body->entries;
    for (uint32_t i = 0; i < members->count; i++)
        if (strcmp((*VECTOR_AT(members, ast_member *, i))->name.text, name) == 0)
            return true;
    return false;
}

static void member_value(const symbol *owner, const model_member *member, value *ret)
{
    *ret = value_integer(member->negative, member->magnitude);
    ret->members = owner->out->as.members;
}

/* `Enum.MEMBER`, also from within the enum, where members that stand before are known. */
static bool evaluate_member(compile *run, symbol *owner, const char *name, span at, value *ret)
{
    if (owner->state != SYMBOL_BUSY && !declare_complete(run, owner, at))
        return false;
    const model_member *member = map_find(&owner->members, name);
    if (member) {
        resolve_use(run, owner, member, at);
        member_value(owner, member, ret);
        return true;
    }
    if (owner->state != SYMBOL_BUSY || !is_declared_member(owner, name)) {
        resolve_unknown_member(run, owner, name, at);
        return false;
    }
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E303, at, "'%s.%s' depends on itself, or stands further below",
                                 owner->ast->name.text, name);
    diag_note(entry, owner->ast->name.at, "a member may use those before it");
    return false;
}

static void size_by(compile *run, sized_by other)
{
    if (other.since > run->sized.since)
        run->sized = other;
}

/* What a value has in it by `sizeof`: a message grows, and what is frozen does not. */
static void size_by_type(compile *run, const model_type *type)
{
    const model_record *record = type->kind == MODEL_STRUCT ? type->record : NULL;
    if (record && record->kind == MODEL_RECORD_MESSAGE && record->field_count > 0)
        size_by(run, (sized_by){record->fields[record->field_count - 1].notes.since, record->decl});
}

static bool evaluate_name(compile *run, const unit *from, const ast_expr *expr, const symbol *bare, value *ret)
{
    const model_member *member = bare ? map_find(&bare->members, expr->text.text) : NULL;
    if (member) {
        resolve_use(run, bare, member, expr->at);
        member_value(bare, member, ret);
        return true;
    }
    if (bare && !strchr(expr->text.text, '.') && !map_find(&from->symbols, expr->text.text)) {
        resolve_unknown_member(run, bare, expr->text.text, expr->at);
        return false;
    }

    const char *rest;
    symbol *named = resolve_name(run, from, (ast_ident){expr->text.text, expr->at}, &rest);
    if (!named)
        return false;
    ast_decl_kind kind = named->ast->kind;
    if (rest && !strchr(rest, '.') && (kind == AST_ENUM || kind == AST_FLAGS))
        return evaluate_member(run, named, rest, expr->at, ret);
    if (rest || kind != AST_CONST) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E206, expr->at, "'%s' is %s, where a value is wanted",
                     rest ? expr->text.text : named->ast->name.text, rest ? "no constant" : ast_decl_described(kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", named->ast->name.text);
        if (kind == AST_ENUM || kind == AST_FLAGS)
            diag_fix(entry, "name one of its members: '%s.MEMBER'", named->ast->name.text);
        return false;
    }
    if (!declare_complete(run, named, expr->at))
        return false;
    resolve_use(run, named, NULL, expr->at);
    size_by(run, named->sized);
    const model_constant *constant = named->out->as.constant;
    *ret = (value){.is = constant->value};
    if (constant->type->kind == MODEL_ENUM || constant->type->kind == MODEL_FLAGS)
        ret->members = constant->type->members;
    return true;
}

/* A chain of operators from its left end: a + b + c is as deep as a + b. */
static bool evaluate_chain(compile *run, const unit *from, const ast_expr *last, const symbol *bare, value *ret)
{
    uint32_t count = 0;
    const ast_expr *first = last;
    for (; first->kind == AST_BINARY; first = first->left)
        count++;
    const ast_expr **chain = arena_array(run->scratch, count, sizeof(*chain));
    const ast_expr *each = last;
    for (uint32_t i = count; i > 0; i--, each = each->left)
        chain[i - 1] = each;

    value left;
    value right;
    bool known = constant_evaluate(run, from, first, bare, &left);
    for (uint32_t i = 0; i < count; i++) {
        known = constant_evaluate(run, from, chain[i]->right, bare, &right) && known;
        known = known && arithmetic_fault(run, chain[i], value_binary(chain[i]->op, left, right, ret));
        if (known)
            left = *ret;
    }
    return known;
}

static bool evaluate_inner(compile *run, const unit *from, const ast_expr *expr, const symbol *bare, value *ret)
{
    value left;
    switch (expr->kind) {
    case AST_INTEGER: *ret = value_integer(false, expr->integer); return true;
    case AST_FLOAT: *ret = value_real(expr->real); return true;
    case AST_BOOL: *ret = (value){.is = {.kind = MODEL_VALUE_BOOL, .boolean = expr->integer != 0}}; return true;
    case AST_STRING:
        *ret = (value){.is = {.kind = MODEL_VALUE_STRING, .text = expr->text.text, .length = expr->text.length}};
        return true;
    case AST_FAULTY: return false;
    case AST_DURATION:
        diag_add(run->diagnostics, DIAG_E301, expr->at, "a time stands in annotations only");
        return false;
    case AST_NAME: return evaluate_name(run, from, expr, bare, ret);
    case AST_SIZEOF: {
        const model_type *type = types_resolve(run, from, expr->type, TYPES_SIZEOF, NULL);
        if (!type)
            return false;
        size_by_type(run, type);
        *ret = value_integer(false, type->size);
        return true;
    }
    case AST_UNARY:
        return constant_evaluate(run, from, expr->left, bare, &left) &&
               arithmetic_fault(run, expr, value_unary(expr->op, left, ret));
    case AST_BINARY: return evaluate_chain(run, from, expr, bare, ret);
    }
    return false;
}

bool constant_evaluate(compile *run, const unit *from, const ast_expr *expr, const symbol *bare, value *ret)
{
    if (!compile_enter(run, expr->at))
        return false;
    bool known = evaluate_inner(run, from, expr, bare, ret);
    compile_leave(run);
    return known;
}

bool constant_may_be(const model_type *type)
{
    return type->kind <= MODEL_FLAGS || type->kind == MODEL_STRING;
}

static bool wrong_kind(compile *run, const value *given, const model_type *type, span at, diag_code code)
{
    static const char *const given_names[] = {
        [MODEL_VALUE_NONE] = "nothing",  [MODEL_VALUE_BOOL] = "a bool",     [MODEL_VALUE_INT] = "a whole number",
        [MODEL_VALUE_FLOAT] = "a float", [MODEL_VALUE_STRING] = "a string",
    };
    const char *what = given_names[given->is.kind];
    if (given->members)
        what = arena_printf(run->memory, "a member of %s", given->members->decl->name);
    diag_entry *entry =
        diag_add(run->diagnostics, code, at, "%s is not a value of %s", what, types_name(run->memory, type));
    if (type->kind == MODEL_ENUM || type->kind == MODEL_FLAGS)
        diag_fix(entry, "name a member of '%s'", type->members->decl->name);
    else if (type->kind == MODEL_BOOL)
        diag_fix(entry, "write 'true' or 'false'");
    return false;
}

static bool does_not_fit(compile *run, const value *given, const model_type *type, const char *range, span at)
{
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E301, at, "%s does not fit into %s",
                                 value_show(given, run->memory), types_name(run->memory, type));
    diag_note(entry, (span){0}, "it holds %s", range);
    return false;
}

static bool fit_real(compile *run, const value *given, const model_type *type, span at, model_value *ret)
{
    double real;
    bool single = type->kind == MODEL_FLOAT32;
    if (value_to_real(*given, &real) != VALUE_OK ||
        (single && given->is.kind == MODEL_VALUE_INT && (double)(float)real != real)) {
        diag_add(run->diagnostics, DIAG_E301, at, "%s is not exact as %s", value_show(given, run->memory),
                 types_name(run->memory, type));
        return false;
    }
    if (single && fabs(real) > 0x1.fffffefffffffp127)
        return does_not_fit(run, given, type, "values up to 3.40282347e+38", at);
    *ret = (model_value){.kind = MODEL_VALUE_FLOAT, .real = single ? (double)(float)real : real};
    return true;
}

static bool fit_flags(compile *run, const value *given, const model_type *type, span at, model_value *ret)
{
    uint64_t known = 0;
    for (uint32_t i = 0; i < type->members->count; i++)
        known |= type->members->items[i].magnitude;
    if (given->is.negative || (given->is.magnitude & ~known)) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E301, at, "%s has bits that '%s' does not name",
                                     value_show(given, run->memory), type->members->decl->name);
        diag_note(entry, type->members->decl->at, "it is declared here");
        return false;
    }
    *ret = given->is;
    return true;
}

bool constant_fit(compile *run, const value *given, const model_type *type, span at, diag_code kind_code,
                  model_value *ret)
{
    model_value_kind kind = given->is.kind;
    bool number = kind == MODEL_VALUE_INT || kind == MODEL_VALUE_FLOAT;
    bool right = type->kind == MODEL_BOOL                                     ? kind == MODEL_VALUE_BOOL
                 : type->kind == MODEL_STRING                                 ? kind == MODEL_VALUE_STRING
                 : type->kind == MODEL_FLOAT32 || type->kind == MODEL_FLOAT64 ? number
                 : type->kind == MODEL_ENUM                                   ? given->members == type->members
                                                                              : kind == MODEL_VALUE_INT;
    if (type->kind == MODEL_FLAGS && given->members && given->members != type->members)
        right = false;
    if (!right)
        return wrong_kind(run, given, type, at, kind_code);

    if (type->kind == MODEL_FLOAT32 || type->kind == MODEL_FLOAT64)
        return fit_real(run, given, type, at, ret);
    if (type->kind == MODEL_FLAGS)
        return fit_flags(run, given, type, at, ret);
    if (type->kind == MODEL_STRING && given->is.length > type->capacity) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E301, at, "a string of %zu bytes does not fit into %s",
                                     given->is.length, types_name(run->memory, type));
        diag_fix(entry, "raise the capacity to %zu, or shorten the text", given->is.length);
        return false;
    }
    if (type->kind >= MODEL_INT8 && type->kind <= MODEL_UINT64 &&
        !value_fits(given->is.negative, given->is.magnitude, type->kind))
        return does_not_fit(run, given, type, value_range(type->kind), at);
    *ret = given->is;
    return true;
}

/* E404: a capacity of one version is not the size that a message has in a later one. */
static bool may_size(compile *run, sized_by sized, span at)
{
    if (sized.since <= run->since || !versions_comparable(run->home->out, sized.decl->file))
        return true;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E404, at,
                                 "the size of '%s' is of version %u, and what has it as its capacity came with %u",
                                 sized.decl->name, (unsigned)sized.since, (unsigned)run->since);
    diag_note(entry, sized.decl->at, "'%s' is declared here", sized.decl->name);
    diag_fix(entry, "write the capacity as the number that it was in version %u", (unsigned)run->since);
    return false;
}

bool constant_capacity(compile *run, const unit *from, const ast_expr *expr, const char *what, uint32_t *ret)
{
    value given;
    sized_by outer = run->sized;
    run->sized = (sized_by){0};
    bool known = constant_evaluate(run, from, expr, NULL, &given);
    sized_by sized = run->sized;
    run->sized = outer;
    if (!known || !may_size(run, sized, expr->at))
        return false;
    if (given.is.kind != MODEL_VALUE_INT || given.is.negative || given.is.magnitude == 0) {
        diag_add(run->diagnostics, DIAG_E307, expr->at, "%s is a whole number from 1 on, not %s", what,
                 value_show(&given, run->memory));
        return false;
    }
    if (given.is.magnitude > UINT32_MAX) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E307, expr->at, "%s of %s is too large", what,
                                     value_show(&given, run->memory));
        diag_note(entry, (span){0}, "at most 4294967295");
        return false;
    }
    *ret = (uint32_t)given.is.magnitude;
    return true;
}
