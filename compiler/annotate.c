/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotate.c - one table of all annotations, and a reader for each kind of argument.
 */
#include "annotate.h"

#include <ctype.h>
#include <string.h>

#include "constant.h"
#include "support/text.h"

typedef struct reader reader;
typedef struct rule rule;

#define DEPTH_MOST (UINT32_C(1) << 20)

/* Which targets: a bit per annotate_target. */
#define ON(target) (1u << ANNOTATE_##target)
#define ON_RPC (ON(RPC) | ON(STREAM))
#define ON_METHODS (ON_RPC | ON(ONEWAY) | ON(EVENT))
#define ON_CHANNELS (ON(TOPIC) | ON(QUEUE))
#define ON_ALL \
    (ON(DECL) | ON(STRUCT) | ON(MESSAGE) | ON(SERVICE) | ON_CHANNELS | ON(MEMBER) | ON(MESSAGE_FIELD) | ON_METHODS)

struct rule {
    const char *name;
    unsigned targets;
    const char *where; /* for E602 */
    unsigned least;    /* arguments */
    unsigned most;
    const char *usage; /* for E604 */
    void (*read)(reader *from, const ast_annotation *annotation);
};

struct reader {
    compile *run;
    annotate_result *ret;
};

static diag_entry *bad_argument(reader *from, span at, const char *text)
{
    return diag_add(from->run->diagnostics, DIAG_E604, at, "%s", text);
}

static const ast_expr *argument(const ast_annotation *annotation)
{
    return (*VECTOR_AT(annotation->arguments, ast_argument *, 0))->value;
}

static bool has_argument(const ast_annotation *annotation)
{
    return annotation->arguments && annotation->arguments->count > 0;
}

/* Whether the argument is a literal that was refused when it was read. */
static bool is_faulty(const ast_annotation *annotation)
{
    return has_argument(annotation) && argument(annotation)->kind == AST_FAULTY;
}

/* ---- readers ---- */

static bool version_is_right(reader *from, const ast_expr *written, uint32_t *ret)
{
    if (written->kind != AST_INTEGER || written->integer == 0 || written->integer > UINT32_MAX) {
        bad_argument(from, written->at, "a version is a whole number from 1 to 4294967295");
        return false;
    }
    *ret = (uint32_t)written->integer;
    return true;
}

static void read_version(reader *from, const ast_annotation *annotation)
{
    version_is_right(from, argument(annotation), &from->ret->version);
}

/* A name in C; where one stands behind a prefix it may begin with a digit, but none of ours does. */
static const char *read_c_name(reader *from, const ast_annotation *annotation, const char *what)
{
    const ast_expr *written = argument(annotation);
    const char *text = written->text.text;
    bool right = written->kind == AST_STRING && written->text.length > 0 && !isdigit((unsigned char)text[0]);
    for (size_t i = 0; right && i < written->text.length; i++)
        right = isalnum((unsigned char)text[i]) || text[i] == '_';
    if (right)
        return text;
    diag_entry *entry =
        diag_add(from->run->diagnostics, DIAG_E604, written->at, "%s is a string that is a name in C", what);
    diag_note(entry, (span){0}, "letters A-Z and a-z, digits and '_', not beginning with a digit");
    return NULL;
}

static void read_prefix(reader *from, const ast_annotation *annotation)
{
    from->ret->c_prefix = read_c_name(from, annotation, "a prefix");
}

static void read_rename(reader *from, const ast_annotation *annotation)
{
    from->ret->notes.rename = read_c_name(from, annotation, "a name");
}

static void read_original(reader *from, const ast_annotation *annotation)
{
    from->ret->notes.original = read_c_name(from, annotation, "a name");
    from->ret->original_at = annotation->at;
}

static void read_since(reader *from, const ast_annotation *annotation)
{
    if (!version_is_right(from, argument(annotation), &from->ret->notes.since))
        return;
    from->ret->since_at = annotation->at;
}

static void read_deprecated(reader *from, const ast_annotation *annotation)
{
    from->ret->notes.deprecated = "";
    if (!has_argument(annotation))
        return;
    const ast_expr *written = argument(annotation);
    if (written->kind == AST_STRING)
        from->ret->notes.deprecated = written->text.text;
    else
        bad_argument(from, written->at, "the reason in @deprecated is a string");
}

static void read_default(reader *from, const ast_annotation *annotation)
{
    from->ret->initial = argument(annotation);
}

static void read_size(reader *from, const ast_annotation *annotation)
{
    from->ret->fixed_size = argument(annotation);
}

static void read_align(reader *from, const ast_annotation *annotation)
{
    from->ret->fixed_align = argument(annotation);
}

static void read_idempotent(reader *from, const ast_annotation *annotation)
{
    (void)annotation;
    from->ret->idempotent = true;
}

static void read_deadline(reader *from, const ast_annotation *annotation)
{
    const ast_expr *written = argument(annotation);
    bool none = written->kind == AST_NAME && strcmp(written->text.text, "none") == 0;
    if (!none && (written->kind != AST_DURATION || written->integer == 0)) {
        diag_fix(bad_argument(from, written->at, "a deadline is a time above 0, such as 50ms, or 'none'"),
                 written->kind == AST_INTEGER && written->integer ? "add a unit: ns, us, ms or s"
                                                                  : "write '@deadline(50ms)'");
        return;
    }
    from->ret->deadline_ns = none ? MODEL_DEADLINE_NONE : (int64_t)written->integer;
    from->ret->deadline_at = annotation->at;
}

static void read_depth(reader *from, const ast_annotation *annotation)
{
    from->ret->depth = argument(annotation);
}

static void read_retain(reader *from, const ast_annotation *annotation)
{
    from->ret->retain = argument(annotation);
}

static void read_attempts(reader *from, const ast_annotation *annotation)
{
    from->ret->attempts = argument(annotation);
}

static void read_reliable(reader *from, const ast_annotation *annotation)
{
    (void)annotation;
    from->ret->reliable = true;
}

static void read_overflow(reader *from, const ast_annotation *annotation)
{
    static const char *const policies[] = {
        [MODEL_OVERFLOW_BLOCK] = "block",
        [MODEL_OVERFLOW_DROP_OLDEST] = "drop_oldest",
        [MODEL_OVERFLOW_FAIL] = "fail",
    };
    const ast_expr *written = argument(annotation);
    if (written->kind != AST_NAME) {
        bad_argument(from, written->at, "a policy is a word: block, drop_oldest or fail");
        return;
    }
    text_guess guess = {.wanted = written->text.text};
    for (model_overflow i = MODEL_OVERFLOW_BLOCK; i <= MODEL_OVERFLOW_FAIL; i++) {
        if (strcmp(policies[i], written->text.text) == 0)
            from->ret->overflow = i;
        text_guess_offer(&guess, policies[i]);
    }
    if (from->ret->overflow != MODEL_OVERFLOW_UNSET)
        return;
    diag_entry *entry =
        diag_add(from->run->diagnostics, DIAG_E606, written->at, "unknown policy '%s'", written->text.text);
    diag_note(entry, (span){0}, "the policies are block, drop_oldest and fail");
    if (guess.nearest)
        diag_fix(entry, "did you mean '%s'?", guess.nearest);
}

/* ---- the table ---- */

static const rule rules[] = {
    {"version", ON(PACKAGE), "a package", 1, 1, "@version(1)", read_version},
    {"c_prefix", ON(PACKAGE) | ON(SERVICE), "a package or a service", 1, 1, "@c_prefix(\"name\")", read_prefix},
    {"c_name", ON_ALL, "a declaration or a member", 1, 1, "@c_name(\"name\")", read_rename},
    {"since", ON_ALL | ON(COMPOSE) | ON(PLACE), "a declaration, a member, 'compose', or a reserved place", 1, 1,
     "@since(2)", read_since},
    {"renamed_from", ON_ALL, "a declaration or a member", 1, 1, "@renamed_from(\"name\")", read_original},
    {"deprecated", ON_ALL, "a declaration or a member", 0, 1, "@deprecated or @deprecated(\"reason\")",
     read_deprecated},
    {"default", ON(MESSAGE_FIELD), "a field of a message", 1, 1, "@default(value)", read_default},
    {"size", ON(STRUCT), "a struct or a union", 1, 1, "@size(64)", read_size},
    {"align", ON(STRUCT) | ON(MESSAGE), "a struct, a union or a message", 1, 1, "@align(16)", read_align},
    {"idempotent", ON(SERVICE) | ON(RPC), "a service or an rpc without streams", 0, 0, "@idempotent", read_idempotent},
    {"deadline", ON(SERVICE) | ON_RPC, "a service or an rpc", 1, 1, "@deadline(50ms) or @deadline(none)",
     read_deadline},
    {"depth", ON(SERVICE) | ON_METHODS | ON_CHANNELS, "a service, a method, a topic or a queue", 1, 1, "@depth(64)",
     read_depth},
    {"overflow", ON_CHANNELS, "a topic or a queue", 1, 1, "@overflow(block), @overflow(drop_oldest) or @overflow(fail)",
     read_overflow},
    {"retain", ON(TOPIC), "a topic", 1, 1, "@retain(1)", read_retain},
    {"reliable", ON(TOPIC), "a topic", 0, 0, "@reliable", read_reliable},
    {"attempts", ON(QUEUE), "a queue", 1, 1, "@attempts(5)", read_attempts},
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static const rule *rule_find(const char *name)
{
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static void unknown(compile *run, const ast_annotation *annotation)
{
    text_guess guess = {.wanted = annotation->name.text};
    for (size_t i = 0; i < RULE_COUNT; i++)
        text_guess_offer(&guess, rules[i].name);
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E601, annotation->at, "unknown annotation '@%s'", annotation->name.text);
    if (guess.nearest)
        diag_fix(entry, "did you mean '@%s'?", guess.nearest);
}

static bool arguments_are_right(compile *run, const ast_annotation *annotation, const rule *applied)
{
    uint32_t count = annotation->arguments ? annotation->arguments->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const ast_argument *each = *VECTOR_AT(annotation->arguments, ast_argument *, i);
        if (!each->name.text)
            continue;
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E604, each->name.at, "'@%s' has no argument '%s'",
                                     applied->name, each->name.text);
        diag_fix(entry, "write %s", applied->usage);
        return false;
    }
    if (count >= applied->least && count <= applied->most)
        return true;
    const char *wanted = applied->most == 0    ? "no arguments"
                         : applied->least == 0 ? "at most one argument"
                                               : "one argument";
    diag_fix(diag_add(run->diagnostics, DIAG_E604, annotation->at, "'@%s' takes %s", applied->name, wanted), "write %s",
             applied->usage);
    return false;
}

static const char *target_name(annotate_target target)
{
    switch (target) {
    case ANNOTATE_PACKAGE: return "a package";
    case ANNOTATE_IMPORT: return "an import";
    case ANNOTATE_DECL: return "this declaration";
    case ANNOTATE_STRUCT: return "a struct or a union";
    case ANNOTATE_MESSAGE: return "a message";
    case ANNOTATE_SERVICE: return "a service";
    case ANNOTATE_MEMBER: return "this member";
    case ANNOTATE_MESSAGE_FIELD: return "a field";
    case ANNOTATE_RPC: return "an rpc";
    case ANNOTATE_STREAM: return "an rpc with a stream";
    case ANNOTATE_ONEWAY: return "a oneway method";
    case ANNOTATE_EVENT: return "an event";
    case ANNOTATE_COMPOSE: return "'compose'";
    case ANNOTATE_RESERVED: return "reserved names and numbers";
    case ANNOTATE_PLACE: return "a reserved place";
    case ANNOTATE_TOPIC: return "a topic";
    case ANNOTATE_QUEUE: return "a queue";
    }
    return "";
}

static void read_one(reader *from, const ast_annotation *annotation, annotate_target target, map *seen)
{
    compile *run = from->run;
    const rule *applied = rule_find(annotation->name.text);
    if (!applied) {
        unknown(run, annotation);
        return;
    }
    span *at = arena_alloc(run->scratch, sizeof(*at));
    *at = annotation->at;
    const span *first = map_add(seen, run->scratch, applied->name, at);
    if (first) {
        diag_entry *entry =
            diag_add(run->diagnostics, DIAG_E603, annotation->at, "'@%s' is given twice", applied->name);
        diag_note(entry, *first, "the first one is here");
        return;
    }
    if (!(applied->targets & (1u << target))) {
        bool idempotent = applied->read == read_idempotent;
        diag_entry *entry = diag_add(run->diagnostics, idempotent ? DIAG_E509 : DIAG_E602, annotation->at,
                                     "'@%s' does not belong to %s", applied->name, target_name(target));
        diag_note(entry, (span){0}, "it belongs to %s", applied->where);
        if (applied->read == read_since && target == ANNOTATE_RESERVED)
            diag_fix(entry, "remove it: what was given up is given up in all versions");
        return;
    }
    if (arguments_are_right(run, annotation, applied) && !is_faulty(annotation))
        applied->read(from, annotation);
}

void annotate_read(compile *run, const ast_notes *notes, annotate_target target, annotate_result *ret)
{
    *ret = (annotate_result){.version = 1, .deadline_ns = MODEL_DEADLINE_UNSET};
    ret->notes.doc = notes->doc;
    ret->notes.since = 1;
    reader from = {run, ret};
    map seen = {0};
    size_t errors = diag_errors(run->diagnostics);
    for (uint32_t i = 0; i < notes->annotations.count; i++)
        read_one(&from, *VECTOR_AT(&notes->annotations, ast_annotation *, i), target, &seen);
    if (target == ANNOTATE_PACKAGE && diag_errors(run->diagnostics) > errors)
        ret->version = UINT32_MAX; /* it may be what was meant: no @since is said to be beyond it */
}

/* ---- numbers ---- */

/* A constant from 0 on; false where it is none, which is reported. */
static bool number(compile *run, const ast_expr *written, const char *complaint, uint64_t *ret)
{
    value given;
    if (!constant_evaluate(run, run->home, written, NULL, &given))
        return false;
    *ret = given.is.magnitude;
    if (given.is.kind == MODEL_VALUE_INT && !given.is.negative)
        return true;
    diag_add(run->diagnostics, DIAG_E604, written->at, "%s", complaint);
    return false;
}

uint32_t annotate_depth(compile *run, const ast_expr *written)
{
    uint64_t depth;
    if (!written || !number(run, written, "a depth is a whole number", &depth))
        return 0;
    if (depth > 0 && depth <= DEPTH_MOST && (depth & (depth - 1)) == 0)
        return (uint32_t)depth;
    uint32_t next = 1;
    while (next < depth && next < DEPTH_MOST)
        next *= 2;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E605, written->at, "a depth is a power of two from 1 to %u",
                                 (unsigned)DEPTH_MOST);
    diag_fix(entry, "write '@depth(%u)'", (unsigned)next);
    return 0;
}

uint32_t annotate_count(compile *run, const ast_expr *written, uint32_t most, const char *complaint)
{
    uint64_t count;
    if (!written || !number(run, written, complaint, &count))
        return 0;
    if (count > 0 && count <= most)
        return (uint32_t)count;
    diag_add(run->diagnostics, DIAG_E604, written->at, "%s", complaint);
    return 0;
}
