/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.c - pairs of files and declarations, and the list of findings.
 */
#include "compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "backends/c/names.h"
#include "compare_walk.h"
#include "spell.h"

static const struct {
    const char *name;
    const char *title;
    compare_class of;
} rules[] = {
#define X(id, of, name, title) [COMPARE_##id] = {name, title, COMPARE_##of},
#include "compare_rules.h"
#undef X
};

const char *compare_rule_name(compare_rule rule)
{
    return rules[rule].name;
}

const char *compare_rule_title(compare_rule rule)
{
    return rules[rule].title;
}

compare_class compare_rule_class(compare_rule rule)
{
    return rules[rule].of;
}

const char *compare_class_name(compare_class of)
{
    static const char *const texts[] = {
        [COMPARE_WIRE] = "wire", [COMPARE_SOURCE] = "source", [COMPARE_BEHAVIOUR] = "behaviour"};

    return texts[of];
}

compare_finding *compare_add(comparison *run, compare_rule rule, compare_subject subject, span at, const char *format,
                             ...)
{
    compare_finding *made = arena_alloc(run->memory, sizeof(*made));
    va_list arguments;

    va_start(arguments, format);
    made->rule = rule;
    made->part = subject.part;
    made->owner = subject.owner;
    made->member = subject.member;
    made->at = at;
    made->message = arena_vprintf(run->memory, format, arguments);
    made->memory = run->memory;
    va_end(arguments);
    vector_add_pointer(&run->findings, run->memory, made);
    return made;
}

void compare_note(compare_finding *found, span old_at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    found->note = arena_vprintf(found->memory, format, arguments);
    found->old_at = old_at;
    va_end(arguments);
}

void compare_fix(compare_finding *found, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    found->fix = arena_vprintf(found->memory, format, arguments);
    va_end(arguments);
}

compare_walked *compare_walk(comparison *run, const void *old, const void *new, bool *ret_first)
{
    const char *key = arena_printf(run->memory, "%p %p", old, new);
    compare_walked *known = map_find(&run->walked, key);

    *ret_first = known == NULL;
    if (!known) {
        known = arena_alloc(run->memory, sizeof(*known));
        map_add(&run->walked, run->memory, key, known);
    }
    return known;
}

static const char *address(const comparison *run, const void *of)
{
    return arena_printf(run->memory, "%p", of);
}

static void decl_keep(comparison *run, map *to, const char *key, const model_decl *decl)
{
    const model_decl **held = arena_alloc(run->memory, sizeof(*held));

    *held = decl;
    map_add(to, run->memory, key, held);
}

static const model_decl *decl_find(const map *in, const char *key)
{
    const model_decl *const *held = map_find(in, key);

    return held ? *held : NULL;
}

bool compare_is_pair(const comparison *run, const model_decl *old, const model_decl *new)
{
    return decl_find(&run->pairs, address(run, old)) == new;
}

const char *compare_identity(const char *name, const model_notes *notes)
{
    return notes->original ? notes->original : name;
}

uint32_t compare_since(const model_notes *notes)
{
    return notes->since ? notes->since : 1;
}

bool compare_moved(const model_notes *old, const model_notes *new, const model_notes *old_in, const model_notes *new_in)
{
    if (compare_since(old) == compare_since(new))
        return false;
    return !old_in || compare_since(old) != compare_since(old_in) || compare_since(new) != compare_since(new_in);
}

void compare_since_told(comparison *run, compare_rule rule, compare_subject subject, const char *name, span old_at,
                        const model_notes *old, span new_at, const model_notes *new)
{
    compare_finding *found = compare_add(run, rule, subject, new_at,
                                         "'%s' comes with version %" PRIu32 ", where it came with version %" PRIu32,
                                         name, compare_since(new), compare_since(old));

    compare_note(found, old_at, "it came with version %" PRIu32 " here", compare_since(old));
    compare_fix(found, "leave its version as it was");
}

static const char *c_name(const comparison *run, const char *name, const model_notes *notes)
{
    return notes->rename ? notes->rename : spell_snake(run->memory, name);
}

/* Of several spellings of one name C has the same; of what is a macro only, not even the letters' case is left. */
bool compare_macro_names(comparison *run, const char *old_name, const model_notes *old_notes, const char *new_name,
                         const model_notes *new_notes)
{
    return strcmp(spell_upper(run->memory, c_name(run, old_name, old_notes)),
                  spell_upper(run->memory, c_name(run, new_name, new_notes))) == 0;
}

void compare_c_names(comparison *run, compare_subject subject, const char *old_name, const model_notes *old_notes,
                     span old_at, const char *new_name, const model_notes *new_notes, span new_at)
{
    const char *before = c_name(run, old_name, old_notes);
    const char *after = c_name(run, new_name, new_notes);

    if (strcmp(before, after) == 0)
        return;
    compare_finding *found = compare_add(run, COMPARE_C_NAME, subject, new_at,
                                         "'%s' is called '%s' in C, where it was '%s'", new_name, after, before);
    compare_note(found, old_at, "it was '%s' here", old_name);
    compare_fix(found, "keep the name for C: @c_name(\"%s\")", before);
}

void compare_reserved(comparison *run, compare_subject subject, const model_reserved *reserved, uint32_t count,
                      const char *name, const uint64_t *number, span at)
{
    for (uint32_t i = 0; i < count; i++) {
        const model_reserved *kept = &reserved[i];
        bool used =
            kept->name ? strcmp(kept->name, name) == 0 : number && *number >= kept->first && *number <= kept->last;
        if (!used)
            continue;
        compare_finding *found =
            kept->name ? compare_add(run, COMPARE_RESERVED_USED, subject, at, "'%s' is a name that was reserved", name)
                       : compare_add(run, COMPARE_RESERVED_USED, subject, at,
                                     "'%s' has the number %" PRIu64 ", which was reserved", name, *number);
        compare_note(found, kept->at, "it was reserved here");
        return;
    }
}

const char *compare_value(const comparison *run, const model_value *value)
{
    switch (value->kind) {
    case MODEL_VALUE_NONE: return "zero";
    case MODEL_VALUE_BOOL: return value->boolean ? "true" : "false";
    case MODEL_VALUE_INT: return arena_printf(run->memory, "%s%" PRIu64, value->negative ? "-" : "", value->magnitude);
    case MODEL_VALUE_FLOAT: return arena_printf(run->memory, "%.17g", value->real);
    case MODEL_VALUE_STRING: return arena_printf(run->memory, "\"%s\"", value->text);
    }
    return "";
}

/* Of initial values, one that is not given is a zero. */
static bool is_zero(const model_value *value)
{
    return value->kind == MODEL_VALUE_NONE || (value->kind == MODEL_VALUE_BOOL && !value->boolean) ||
           (value->kind == MODEL_VALUE_INT && value->magnitude == 0) ||
           (value->kind == MODEL_VALUE_STRING && value->length == 0);
}

bool compare_values_equal(const model_value *a, const model_value *b)
{
    if (is_zero(a) && is_zero(b))
        return true;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case MODEL_VALUE_NONE: return true;
    case MODEL_VALUE_BOOL: return a->boolean == b->boolean;
    case MODEL_VALUE_INT: return a->negative == b->negative && a->magnitude == b->magnitude;
    case MODEL_VALUE_FLOAT: return !(a->real < b->real) && !(a->real > b->real);
    case MODEL_VALUE_STRING: return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
    }
    return false;
}

static bool is_called(const model_decl *decl)
{
    return decl->kind == MODEL_DECL_SERVICE || decl->kind == MODEL_DECL_TOPIC || decl->kind == MODEL_DECL_QUEUE;
}

static compare_subject subject_of(const model_decl *decl)
{
    compare_part part = is_called(decl)                                                    ? COMPARE_PART_SERVICE
                        : decl->kind == MODEL_DECL_CONST || decl->kind == MODEL_DECL_ALIAS ? COMPARE_PART_OTHER
                                                                                           : COMPARE_PART_TYPE;
    return (compare_subject){part, decl->qualified_name, ""};
}

static const char *kind_name(model_decl_kind kind)
{
    static const char *const texts[] = {
        [MODEL_DECL_CONST] = "a constant", [MODEL_DECL_ALIAS] = "an alias",  [MODEL_DECL_ENUM] = "an enum",
        [MODEL_DECL_FLAGS] = "flags",      [MODEL_DECL_STRUCT] = "a struct", [MODEL_DECL_MESSAGE] = "a message",
        [MODEL_DECL_UNION] = "a union",    [MODEL_DECL_ERRORS] = "errors",   [MODEL_DECL_SERVICE] = "a service",
        [MODEL_DECL_TOPIC] = "a topic",    [MODEL_DECL_QUEUE] = "a queue",
    };

    return texts[kind];
}

static void decl_removed(comparison *run, const model_decl *old, const model_file *file)
{
    compare_rule rule = is_called(old) ? COMPARE_SERVICE_REMOVED : COMPARE_DECLARATION_REMOVED;
    compare_finding *found =
        compare_add(run, rule, subject_of(old), file->at, "'%s', %s, is gone", old->name, kind_name(old->kind));

    compare_note(found, old->at, "it was here");
    if (is_called(old))
        compare_fix(found, "keep it; where it has another name now: @renamed_from(\"%s\")",
                    compare_identity(old->name, &old->notes));
    else
        compare_fix(found, "keep it; @deprecated tells those who use it");
}

static void kind_changed(comparison *run, const model_decl *old, const model_decl *new)
{
    bool travels = subject_of(old).part != COMPARE_PART_OTHER && subject_of(new).part != COMPARE_PART_OTHER;
    compare_rule rule = travels ? COMPARE_DECLARATION_KIND : COMPARE_DECLARATION_REMOVED;
    compare_finding *found = compare_add(run, rule, subject_of(old), new->at, "'%s' is %s, where it was %s", new->name,
                                         kind_name(new->kind), kind_name(old->kind));

    compare_note(found, old->at, "it was %s here", kind_name(old->kind));
}

static void compare_constant(comparison *run, const model_decl *old, const model_decl *new)
{
    const model_constant *before = old->as.constant;
    const model_constant *after = new->as.constant;
    bool below = false;

    if (compare_types(run, before->type, after->type, &below) != COMPARE_SAME) {
        compare_finding *found =
            compare_add(run, COMPARE_CONSTANT_TYPE, subject_of(old), new->at, "'%s' has another type", new->name);
        compare_note(found, old->at, "it was declared here");
    }
    if (!compare_values_equal(&before->value, &after->value)) {
        compare_finding *found =
            compare_add(run, COMPARE_CONSTANT_VALUE, subject_of(old), new->at, "'%s' is %s, where it was %s", new->name,
                        compare_value(run, &after->value), compare_value(run, &before->value));
        compare_note(found, old->at, "it was %s here", compare_value(run, &before->value));
    }
}

static void compare_alias(comparison *run, const model_decl *old, const model_decl *new)
{
    bool below = false;

    if (compare_types(run, old->as.alias, new->as.alias, &below) == COMPARE_SAME)
        return;
    compare_finding *found =
        compare_add(run, COMPARE_ALIAS_TYPE, subject_of(old), new->at, "'%s' stands for another type", new->name);
    compare_note(found, old->at, "it was declared here");
}

/* The names of a service are not those of its declaration where it has a prefix of its own. */
static void service_names(comparison *run, const model_decl *old, const model_decl *new)
{
    bool whole = old->as.service->c_prefix || new->as.service->c_prefix;
    const char *before = whole ? name_service(run->memory, old->as.service) : c_name(run, old->name, &old->notes);
    const char *after = whole ? name_service(run->memory, new->as.service) : c_name(run, new->name, &new->notes);

    if (strcmp(before, after) == 0)
        return;
    compare_finding *found =
        compare_add(run, COMPARE_C_NAME, subject_of(old), new->at,
                    "the functions of '%s' begin with '%s' in C, where they began with '%s'", new->name, after, before);
    compare_note(found, old->at, "it was '%s' here", old->name);
    compare_fix(found, "keep the prefix: @c_prefix(\"%s\")", name_service(run->memory, old->as.service));
}

static void wire_name_changed(comparison *run, const model_decl *old, const model_decl *new)
{
    const char *before = compare_identity(old->name, &old->notes);
    const char *after = compare_identity(new->name, &new->notes);

    if (strcmp(before, after) == 0)
        return;
    compare_finding *found = compare_add(run, COMPARE_SERVICE_REMOVED, subject_of(old), new->at,
                                         "'%s' is looked for as '%s', where it was '%s'", new->name, after, before);
    compare_note(found, old->at, "it was here");
    compare_fix(found, "keep the name that old processes know: @renamed_from(\"%s\")", before);
}

/* Whether the version that it came with is one that processes agree on. */
static bool is_versioned(const model_decl *decl)
{
    return decl->kind != MODEL_DECL_CONST && decl->kind != MODEL_DECL_ALIAS && decl->kind != MODEL_DECL_ENUM &&
           decl->kind != MODEL_DECL_FLAGS;
}

static void compare_decl(comparison *run, const model_decl *old, const model_decl *new)
{
    compare_subject subject = subject_of(old);

    if (old->kind != new->kind) {
        kind_changed(run, old, new);
        return;
    }
    if (is_called(old))
        wire_name_changed(run, old, new);
    if (is_versioned(old) && compare_moved(&old->notes, &new->notes, NULL, NULL))
        compare_since_told(run, COMPARE_DECLARATION_SINCE, subject, new->name, old->at, &old->notes, new->at,
                           &new->notes);
    if (old->kind == MODEL_DECL_SERVICE)
        service_names(run, old, new);
    else if (old->kind != MODEL_DECL_CONST || !compare_macro_names(run, old->name, &old->notes, new->name, &new->notes))
        compare_c_names(run, subject, old->name, &old->notes, old->at, new->name, &new->notes, new->at);

    switch (old->kind) {
    case MODEL_DECL_CONST: compare_constant(run, old, new); break;
    case MODEL_DECL_ALIAS: compare_alias(run, old, new); break;
    case MODEL_DECL_ENUM:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_ERRORS: compare_members(run, old->as.members, new->as.members); break;
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION: compare_record(run, old->as.record, new->as.record); break;
    case MODEL_DECL_SERVICE: compare_service(run, old->as.service, new->as.service); break;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: compare_channel(run, old->as.channel, new->as.channel); break;
    }
}

static bool has_called(const model_file *file)
{
    for (uint32_t i = 0; i < file->decl_count; i++)
        if (is_called(file->decls[i]))
            return true;
    return false;
}

static void compare_package(comparison *run, const model_file *old, const model_file *new)
{
    compare_subject subject = {COMPARE_PART_PACKAGE, old->package, ""};
    const char *before = name_package(run->memory, old);
    const char *after = name_package(run->memory, new);

    if (strcmp(old->package, new->package) != 0 && has_called(old)) {
        compare_finding *found = compare_add(run, COMPARE_PACKAGE_NAME, subject, new->at,
                                             "the package is '%s', where it was '%s': old processes do not find its "
                                             "services",
                                             new->package, old->package);
        compare_note(found, old->at, "it was '%s' here", old->package);
    }
    if (strcmp(before, after) != 0) {
        compare_finding *found =
            compare_add(run, COMPARE_C_NAME, subject, new->at,
                        "all names in C begin with '%s', where they began with '%s'", after, before);
        compare_note(found, old->at, "the package was declared here");
        compare_fix(found, "keep the prefix: @c_prefix(\"%s\")", before);
    }
    if (new->version < old->version) {
        compare_finding *found =
            compare_add(run, COMPARE_VERSION_LOWERED, subject, new->at,
                        "the package has version %" PRIu32 ", where it had %" PRIu32, new->version, old->version);
        compare_note(found, old->at, "it had version %" PRIu32 " here", old->version);
    }
}

/* Declarations of a package, by a name; the first file goes first. */
typedef struct names {
    map identities;
    map spellings;
} names;

static void names_add(comparison *run, names *to, const model_file *file)
{
    for (uint32_t i = 0; i < file->decl_count; i++) {
        const model_decl *decl = file->decls[i];
        decl_keep(run, &to->identities, compare_identity(decl->name, &decl->notes), decl);
        decl_keep(run, &to->spellings, decl->name, decl);
    }
}

/*
 * What became of each declaration of `old`: the one that old processes know by that name, else the one of that name. A
 * package may be of several files, and a declaration may have moved to another one: `new` is looked at first.
 */
static void pair_decls(comparison *run, const model_file *old, const model_file *new, const model *in)
{
    names known = {0};

    names_add(run, &known, new);
    for (uint32_t i = 0; i < in->file_count; i++)
        if (in->files[i] != new &&strcmp(in->files[i]->package, new->package) == 0)
            names_add(run, &known, in->files[i]);
    for (uint32_t i = 0; i < old->decl_count; i++) {
        const model_decl *decl = old->decls[i];
        const model_decl *found = decl_find(&known.identities, compare_identity(decl->name, &decl->notes));
        if (!found)
            found = decl_find(&known.spellings, decl->name);
        if (found)
            decl_keep(run, &run->pairs, address(run, decl), found);
    }
}

/* How many parts two paths have in common, from the end: lib/part.shm and old/lib/part.shm have two. */
static uint32_t common_parts(const char *a, const char *b)
{
    size_t i = strlen(a);
    size_t j = strlen(b);
    uint32_t parts = 0;

    while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
        i--;
        j--;
        parts += a[i] == '/' ? 1 : 0;
    }
    return parts + ((i == 0 || a[i - 1] == '/') && (j == 0 || b[j - 1] == '/') && a[i] != '/' ? 1 : 0);
}

/* The requested file of each side, and of others one of the same package, of several that of the most alike path. */
static const model_file *partner(const model_file *old, const model *new)
{
    const model_file *found = NULL;

    for (uint32_t i = 0; i < new->file_count; i++) {
        const model_file *file = new->files[i];
        if (old->requested && file->requested)
            return file;
        if (old->requested || strcmp(file->package, old->package) != 0)
            continue;
        if (!found || common_parts(file->path, old->path) > common_parts(found->path, old->path))
            found = file;
    }
    return found;
}

/* Whether a file, or one that it imports, imports another one. Files are behind those that they import. */
static bool has_imported(const comparison *run, const model *in, const model_file *file, const model_file *wanted)
{
    bool *reached = arena_array(run->memory, in->file_count, sizeof(*reached));

    reached[file->id] = true;
    for (uint32_t i = file->id + 1; i-- > 0;)
        for (uint32_t j = 0; reached[i] && j < in->files[i]->import_count; j++)
            reached[in->files[i]->imports[j]->id] = true;
    return reached[wanted->id];
}

/* What moved to another file has its C in another header. `home`: what became of the file that it was in. */
static void file_changed(comparison *run, const model *in, const model_decl *old, const model_decl *new,
                         const model_file *home)
{
    const char *before = name_package(run->memory, old->file);
    const char *after = name_package(run->memory, new->file);
    compare_finding *found;

    if (new->file == home)
        return;
    if (!has_imported(run, in, home, new->file)) {
        found = compare_add(run, COMPARE_DECLARATION_REMOVED, subject_of(old), new->at,
                            "'%s' is in '%s' now, which '%s' does not import", new->name, new->file->logical,
                            home->logical);
        compare_note(found, old->at, "it was here");
        compare_fix(found, "import it there");
    }
    if (strcmp(before, after) != 0) {
        found =
            compare_add(run, COMPARE_C_NAME, subject_of(old), new->at,
                        "the name of '%s' in C begins with '%s', where it began with '%s'", new->name, after, before);
        compare_note(found, old->at, "it was in this file");
    }
}

static int by_place(const void *a, const void *b)
{
    const compare_finding *first = *(const compare_finding *const *)a;
    const compare_finding *second = *(const compare_finding *const *)b;

    if (first->part != second->part)
        return first->part < second->part ? -1 : 1;
    int order = strcmp(first->owner, second->owner);
    order = order ? order : strcmp(first->member, second->member);
    if (order)
        return order;
    if (first->rule != second->rule)
        return first->rule < second->rule ? -1 : 1;
    return strcmp(first->message, second->message);
}

const compare_finding *const *compare_models(arena *memory, const model *old, const model *new, size_t *ret_count)
{
    comparison run = {.memory = memory, .findings = VECTOR_OF(compare_finding *)};

    for (uint32_t i = 0; i < old->file_count; i++) {
        const model_file *file = partner(old->files[i], new);
        if (file)
            pair_decls(&run, old->files[i], file, new);
    }
    for (uint32_t i = 0; i < old->file_count; i++) {
        const model_file *before = old->files[i];
        const model_file *after = partner(before, new);
        if (!after)
            continue;
        compare_package(&run, before, after);
        for (uint32_t j = 0; j < before->decl_count; j++) {
            const model_decl *became = decl_find(&run.pairs, address(&run, before->decls[j]));
            if (became) {
                file_changed(&run, new, before->decls[j], became, after);
                compare_decl(&run, before->decls[j], became);
            } else {
                decl_removed(&run, before->decls[j], after);
            }
        }
    }
    if (run.findings.count)
        qsort(run.findings.items, run.findings.count, sizeof(compare_finding *), by_place);
    *ret_count = run.findings.count;
    return run.findings.items;
}
