/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - composing and registering.
 */
#include "backends/c/names.h"

#include <ctype.h>
#include <string.h>

#include "backends/c/reserved.h"
#include "support/map.h"

const char *name_snake(arena *memory, const char *name)
{
    size_t length = strlen(name);
    char *made = arena_array(memory, length * 2 + 1, 1);
    size_t to = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        unsigned char before = i > 0 ? (unsigned char)name[i - 1] : '_';
        unsigned char after = (unsigned char)name[i + 1];
        bool starts_word = isupper(c) && before != '_' && (!isupper(before) || islower(after));
        if (starts_word)
            made[to++] = '_';
        made[to++] = (char)tolower(c);
    }
    made[to] = '\0';
    return made;
}

const char *name_upper(arena *memory, const char *name)
{
    char *made = arena_copy(memory, name, strlen(name));

    for (char *at = made; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return made;
}

static const char *name_own(arena *memory, const char *name, const model_notes *notes)
{
    return notes->rename ? notes->rename : name_snake(memory, name);
}

const char *name_package(arena *memory, const model_file *file)
{
    if (file->c_prefix)
        return file->c_prefix;
    char *made = arena_copy(memory, file->package, strlen(file->package));
    for (char *at = made; *at; at++) {
        if (*at == '.')
            *at = '_';
    }
    return name_snake(memory, made);
}

const char *name_decl(arena *memory, const model_decl *decl)
{
    return arena_printf(memory, "%s_%s", name_package(memory, decl->file), name_own(memory, decl->name, &decl->notes));
}

const char *name_service(arena *memory, const model_service *service)
{
    return service->c_prefix ? service->c_prefix : name_decl(memory, service->decl);
}

const char *name_method(arena *memory, const model_method *method)
{
    return name_own(memory, method->name, &method->notes);
}

const char *name_record(arena *memory, const model_record *record)
{
    if (record->role == MODEL_ROLE_NAMED)
        return name_decl(memory, record->decl);
    return arena_printf(memory, "%s_%s_%s", name_service(memory, record->service),
                        name_method(memory, &record->service->methods[record->method]),
                        record->role == MODEL_ROLE_REQUEST ? "request" : "reply");
}

const char *name_field(arena *memory, const model_field *field)
{
    return name_own(memory, field->name, &field->notes);
}

const char *name_member(arena *memory, const model_member *member)
{
    return name_own(memory, member->name, &member->notes);
}

const char *name_member_macro(arena *memory, const model_members *members, const model_member *member)
{
    return name_upper(memory,
                      arena_printf(memory, "%s_%s", name_decl(memory, members->decl), name_member(memory, member)));
}

struct names {
    arena *memory;
    diag *diagnostics;
    map known;    /* "scope.name" -> name_origin */
    map reported; /* "place place" -> anything: two things that collide once do so with all that is derived from them */
};

names *names_new(arena *memory, diag *diagnostics)
{
    names *known = arena_alloc(memory, sizeof *known);

    known->memory = memory;
    known->diagnostics = diagnostics;
    return known;
}

bool name_is_free(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[0] != '_' && name[length - 1] != '_' && !strstr(name, "__");
}

void name_refuse(diag *diagnostics, const char *name, span at)
{
    diag_entry *entry = diag_add(diagnostics, DIAG_E210, at, "'%s' cannot be used as a name in C", name);

    diag_note(entry, (span){0},
              "'_' at the beginning and '__' belong to the language, '_' at the end to generated code");
    diag_fix(entry, "give another name, or prefix, for C: @c_name(\"...\"), @c_prefix(\"...\")");
}

static void collision_report(names *known, const char *name, const name_origin *earlier, const name_origin *later)
{
    diag_entry *entry;
    const char *pair = arena_printf(known->memory, "%p:%u %p:%u", (const void *)earlier->at.file, earlier->at.start,
                                    (const void *)later->at.file, later->at.start);

    if (map_add(&known->reported, known->memory, pair, known))
        return;
    if (earlier->written && later->written) {
        entry = diag_add(known->diagnostics, DIAG_E202, later->at, "'%s' and '%s' are both '%s' in C", later->written,
                         earlier->written, name);
        diag_note(entry, earlier->at, "'%s' is here", earlier->written);
    } else {
        entry = diag_add(known->diagnostics, DIAG_E204, later->at, "'%s' in C would be both %s and %s", name,
                         later->what, earlier->what);
        diag_note(entry, earlier->at, "%s comes from here", earlier->what);
    }
    diag_fix(entry, "give one of them another name in C: @c_name(\"...\")");
}

const char *names_declare(names *known, const char *scope, const char *name, name_origin origin)
{
    if (!known)
        return name;

    const char *owner = reserved_find(name);
    if (owner) {
        diag_entry *entry = diag_add(known->diagnostics, DIAG_E203, origin.at, "%s would be '%s' in C, which is %s",
                                     origin.what, name, owner);
        if (*scope)
            diag_fix(entry, "give it another name in C: @c_name(\"%s_value\")", name);
        else
            diag_fix(entry, "give it another name in C: @c_name(\"...\")");
        return name;
    }

    if (origin.written && !name_is_free(name)) {
        name_refuse(known->diagnostics, name, origin.at);
        return name;
    }

    const char *key = arena_printf(known->memory, "%s.%s", scope, name);
    name_origin *kept = arena_alloc(known->memory, sizeof *kept);
    *kept = origin;
    const name_origin *earlier = map_add(&known->known, known->memory, key, kept);
    if (earlier)
        collision_report(known, name, earlier, kept);
    return name;
}
