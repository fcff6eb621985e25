/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_strict.c - what is refused in the same bytes.
 *
 * One type took the place of another, and lies as it did. Where the new one is strict, or the old one was, one side may
 * send what the other refuses. Parts that are a pair are told of where they are declared.
 */
#include "compare_walk.h"

static const model_field *arm_of(const model_record *in, uint32_t tag)
{
    for (uint32_t i = 0; i < in->field_count; i++)
        if (in->fields[i].tag == tag)
            return &in->fields[i];
    return NULL;
}

/* Whether each value of `some` is one of `others`. */
static bool has_values(const model_members *others, const model_members *some)
{
    for (uint32_t i = 0; i < some->count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < others->count && !found; j++)
            found = others->items[j].magnitude == some->items[i].magnitude &&
                    others->items[j].negative == some->items[i].negative;
        if (!found)
            return false;
    }
    return true;
}

static bool has_arms(const model_record *others, const model_record *some)
{
    for (uint32_t i = 0; i < some->field_count; i++)
        if (!arm_of(others, some->fields[i].tag))
            return false;
    return true;
}

static compare_change change_of(bool was_strict, bool is_strict, bool keeps, bool adds)
{
    if (is_strict && !was_strict)
        return COMPARE_STRICT;
    if (is_strict && !keeps)
        return COMPARE_LOST;
    return was_strict && adds ? COMPARE_GAINED : COMPARE_SAME;
}

compare_change compare_strict_members(const model_members *old, const model_members *new)
{
    return change_of(old->strict, new->strict, has_values(new, old), !has_values(old, new));
}

static compare_change compare_strict_types(const comparison *run, const model_type *old, const model_type *new)
{
    while (old->element && new->element) {
        old = old->element;
        new = new->element;
    }
    if (old->members && new->members)
        return compare_is_pair(run, old->members->decl, new->members->decl)
                   ? COMPARE_SAME
                   : compare_strict_members(old->members, new->members);
    if (old->record && new->record)
        return compare_is_pair(run, old->record->decl, new->record->decl)
                   ? COMPARE_SAME
                   : compare_strict_records(run, old->record, new->record);
    return COMPARE_SAME;
}

compare_change compare_strict_records(const comparison *run, const model_record *old, const model_record *new)
{
    compare_change change = COMPARE_SAME;

    if (old->kind == MODEL_RECORD_UNION)
        change = change_of(old->strict, new->strict, has_arms(new, old), !has_arms(old, new));
    for (uint32_t i = 0; i < old->field_count && change == COMPARE_SAME; i++) {
        const model_field *field = &old->fields[i];
        const model_field *other = old->kind == MODEL_RECORD_UNION ? arm_of(new, field->tag)
                                   : i < new->field_count          ? &new->fields[i]
                                                                   : NULL;
        if (other)
            change = compare_strict_types(run, field->type, other->type);
    }
    return change;
}

compare_rule compare_rule_for(compare_change change, compare_rule named, compare_rule bytes)
{
    switch (change) {
    case COMPARE_STRICT: return COMPARE_BECAME_STRICT;
    case COMPARE_LOST: return COMPARE_STRICT_LOST;
    case COMPARE_GAINED: return COMPARE_STRICT_GAINED;
    case COMPARE_CAPACITY:
    case COMPARE_BYTES: return bytes;
    case COMPARE_SAME:
    case COMPARE_NAMED:
    case COMPARE_MEANT: break;
    }
    return named;
}
