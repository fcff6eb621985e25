/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaking.c - see breaking.h.
 */
#include "breaking.h"

#include <string.h>

bool breaking_allow(breaking_allowed *allowed, const char *name)
{
    bool known = false;

    for (compare_rule rule = 0; rule < COMPARE_RULES; rule++) {
        if (strcmp(name, compare_rule_name(rule)) == 0 ||
            strcmp(name, compare_class_name(compare_rule_class(rule))) == 0) {
            allowed->rules[rule] = true;
            known = true;
        }
    }
    return known;
}

void breaking_names(void (*each)(void *context, const char *name), void *context)
{
    for (compare_class of = 0; of < COMPARE_CLASSES; of++)
        each(context, compare_class_name(of));
    for (compare_rule rule = 0; rule < COMPARE_RULES; rule++)
        each(context, compare_rule_name(rule));
}

static void put_subject(FILE *to, const compare_finding *found)
{
    diag_put_text(to, found->owner);
    if (*found->member) {
        fputc('.', to);
        diag_put_text(to, found->member);
    }
}

static void put_text(FILE *to, const compare_finding *found)
{
    diag_put_place(to, found->at);
    fprintf(to, "%s[%s]: ", compare_class_name(compare_rule_class(found->rule)), compare_rule_name(found->rule));
    put_subject(to, found);
    fputs(": ", to);
    diag_put_text(to, found->message);
    fputc('\n', to);
    diag_put_excerpt(to, found->at);
    diag_put_place(to, found->old_at);
    fputs("note: ", to);
    diag_put_text(to, found->note);
    fputc('\n', to);
    if (found->fix) {
        fputs("fix: ", to);
        diag_put_text(to, found->fix);
        fputc('\n', to);
    }
}

static void put_json(FILE *to, const compare_finding *found)
{
    fprintf(to, "  {\"rule\": \"%s\", \"class\": \"%s\", \"title\": ", compare_rule_name(found->rule),
            compare_class_name(compare_rule_class(found->rule)));
    diag_put_json_string(to, compare_rule_title(found->rule));
    fputs(", \"owner\": ", to);
    diag_put_json_string(to, found->owner);
    fputs(", \"member\": ", to);
    diag_put_json_string(to, found->member);
    fputs(", \"message\": ", to);
    diag_put_json_string(to, found->message);
    diag_put_json_place(to, found->at);
    fputs(", \"note\": {\"message\": ", to);
    diag_put_json_string(to, found->note);
    diag_put_json_place(to, found->old_at);
    fputc('}', to);
    if (found->fix) {
        fputs(", \"fix\": ", to);
        diag_put_json_string(to, found->fix);
    }
    fputc('}', to);
}

static void put_github(FILE *to, const compare_finding *found, arena *memory)
{
    const char *title = arena_printf(memory, "%s[%s]", compare_class_name(compare_rule_class(found->rule)),
                                     compare_rule_name(found->rule));
    const char *message =
        arena_printf(memory, "%s%s%s: %s", found->owner, *found->member ? "." : "", found->member, found->message);
    diag_put_command(to, "error", found->at, title, message, found->old_at, found->note, found->fix);
}

size_t breaking_report(const compare_finding *const *findings, size_t count, const breaking_allowed *allowed,
                       diag_format format, FILE *to)
{
    size_t reported = 0;
    arena *memory = arena_new();

    if (format == DIAG_JSON)
        fputs("[", to);
    for (size_t i = 0; i < count; i++) {
        if (allowed->rules[findings[i]->rule])
            continue;
        if (format == DIAG_JSON) {
            fputs(reported ? ",\n" : "\n", to);
            put_json(to, findings[i]);
        } else if (format == DIAG_GITHUB) {
            put_github(to, findings[i], memory);
        } else {
            put_text(to, findings[i]);
        }
        reported++;
    }
    if (format == DIAG_JSON)
        fputs(reported ? "\n]\n" : "]\n", to);
    arena_free(memory);
    return reported;
}
