/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_services.c - services method by method, topics and queues.
 */
#include <inttypes.h>
#include <string.h>

#include "compare_walk.h"

static compare_subject subject_of(const model_decl *decl, const char *member)
{
    return (compare_subject){COMPARE_PART_SERVICE, decl->qualified_name, member};
}

static const char *kind_name(model_method_kind kind)
{
    static const char *const names[] = {
        [MODEL_METHOD_RPC] = "rpc", [MODEL_METHOD_ONEWAY] = "oneway", [MODEL_METHOD_EVENT] = "event"};

    return names[kind];
}

static const char *deadline(const comparison *run, int64_t ns)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"s", INT64_C(1000000000)}, {"ms", INT64_C(1000000)}, {"us", INT64_C(1000)}, {"ns", INT64_C(1)}};
    size_t i = 0;

    if (ns == MODEL_DEADLINE_UNSET)
        return "the client's";
    if (ns == MODEL_DEADLINE_NONE)
        return "none";
    while (ns % units[i].ns != 0)
        i++;
    return arena_printf(run->memory, "%" PRId64 "%s", ns / units[i].ns, units[i].unit);
}

/* A pair of methods, and whether a finding told that bytes differ. */
typedef struct sides {
    comparison *run;
    compare_subject subject;
    const model_method *old;
    const model_method *new;
    const model_method *old_base; /* composed on both sides: as their own service has them, which is told of there */
    const model_method *new_base;
    bool differs;
} sides;

static void differ(sides *both, compare_finding *found, const char *was)
{
    compare_note(found, both->old->at, "it was %s here", was);
    both->differs = true;
}

static void stream_compare(sides *both, const char *what, bool old, bool new)
{
    if (old == new)
        return;
    const char *before = old ? "a stream" : "a single message";
    differ(both,
           compare_add(both->run, COMPARE_METHOD_STREAM, both->subject, both->new->at,
                       "the %s of '%s' is %s, where it was %s", what, both->new->name,
                       new ? "a stream" : "a single message", before),
           before);
}

/* Of two inline bodies, that of whom each is. */
static const char *record_name(const sides *both, const model_record *record, const model_record *other)
{
    const char *name = compare_record_name(record);

    if (!record || !other || !record->service || !other->service)
        return name;
    return arena_printf(both->run->memory, "%s of %s", name, record->service->decl->qualified_name);
}

static void payload_compare(sides *both, const char *what, const model_record *old, const model_record *new)
{
    bool below = false;
    compare_change change = compare_payloads(both->run, old, new, &below);

    both->differs = both->differs || below || change == COMPARE_BYTES;
    if (change == COMPARE_SAME)
        return;
    const char *before = record_name(both, old, new);
    compare_finding *found =
        compare_add(both->run, compare_rule_for(change, COMPARE_PAYLOAD_C_TYPE, COMPARE_METHOD_PAYLOAD), both->subject,
                    both->new->at, "the %s of '%s' is %s, where it was %s", what, both->new->name,
                    record_name(both, new, old), before);
    compare_note(found, both->old->at, "it was %s here", before);
}

static void errors_compare(sides *both)
{
    const model_members *old = both->old->errors;
    const model_members *new = both->new->errors;
    bool differs = false;

    if (old && new &&compare_is_pair(both->run, old->decl, new->decl))
        differs = compare_members(both->run, old, new);
    else if (old || new)
        differs = compare_other_errors(both->run, both->subject, both->old, both->new);
    both->differs = both->differs || differs;
}

static bool is_slower(const model_method *old, const model_method *new)
{
    return new->depth && old->depth > new->depth;
}

/* What is not in the bytes. */
static void promises_compare(sides *both)
{
    const model_method *old = both->old;
    const model_method *new = both->new;
    const model_method *old_base = both->old_base ? both->old_base : old;
    const model_method *new_base = both->new_base ? both->new_base : old; /* both or none */

    if (old->deadline_ns != new->deadline_ns && old_base->deadline_ns == new_base->deadline_ns) {
        const char *before = deadline(both->run, old->deadline_ns);
        compare_finding *found = compare_add(both->run, COMPARE_DEADLINE, both->subject, new->at,
                                             "the deadline of '%s' is %s, where it was %s", new->name,
                                             deadline(both->run, new->deadline_ns), before);
        compare_note(found, old->at, "it was %s here", before);
    }
    if (old->idempotent && !new->idempotent && (!old_base->idempotent || new_base->idempotent)) {
        compare_finding *found =
            compare_add(both->run, COMPARE_IDEMPOTENT, both->subject, new->at,
                        "'%s' is no longer idempotent: old clients still call it again after a failure", new->name);
        compare_note(found, old->at, "it was idempotent here");
    }
    if (is_slower(old, new) && !is_slower(old_base, new_base)) {
        compare_finding *found = compare_add(both->run, COMPARE_DEPTH, both->subject, new->at,
                                             "'%s' may have %" PRIu32 " calls in flight, where it had %" PRIu32,
                                             new->name, new->depth, old->depth);
        compare_note(found, old->at, "it had %" PRIu32 " here", old->depth);
    }
}

/* A composed method may come later than in its own service. */
static void since_compare(sides *both, const model_decl *old_in, const model_decl *new_in)
{
    both->differs = both->differs || compare_since(&both->old->notes) != compare_since(&both->new->notes);
    if (both->old_base && compare_moved(&both->old_base->notes, &both->new_base->notes, NULL, NULL))
        return;
    if (compare_moved(&both->old->notes, &both->new->notes, &old_in->notes, &new_in->notes))
        compare_since_told(both->run, COMPARE_METHOD_SINCE, both->subject, both->new->name, both->old->at,
                           &both->old->notes, both->new->at, &both->new->notes);
}

/* Of all versions that processes may still have. */
static bool knows_bytes(const model_method *old, const model_method *new)
{
    for (uint32_t i = 0; i < old->revision_count; i++) {
        uint32_t j = 0;
        while (j < new->revision_count &&new->revisions[j].fingerprint != old->revisions[i].fingerprint)
            j++;
        if (j == new->revision_count)
            return false;
    }
    return true;
}

static void method_identity(sides *both)
{
    const char *before = compare_identity(both->old->name, &both->old->notes);
    const char *after = compare_identity(both->new->name, &both->new->notes);

    if (strcmp(before, after) == 0) {
        compare_c_names(both->run, both->subject, both->old->name, &both->old->notes, both->old->at, both->new->name,
                        &both->new->notes, both->new->at);
        return;
    }
    compare_finding *found = compare_add(both->run, COMPARE_METHOD_REMOVED, both->subject, both->new->at,
                                         "'%s' is known as '%s', where it was '%s'", both->new->name, after, before);
    compare_note(found, both->old->at, "it was here");
    compare_fix(found, "keep the name that old processes know: @renamed_from(\"%s\")", before);
}

static const model_method *method_held(const map *in, const char *key)
{
    const model_method *const *held = map_find(in, key);

    return held ? *held : NULL;
}

static void method_hold(const comparison *run, map *to, const char *key, const model_method *method)
{
    const model_method **held = arena_alloc(run->memory, sizeof(*held));

    *held = method;
    map_add(to, run->memory, key, held);
}

/* The methods of a service by their names on the wire ("=get"), and by those that they have ("get"). */
static const map *methods_of(comparison *run, const model_service *in)
{
    const char *key = arena_printf(run->memory, "%p", (const void *)in);
    map *made = map_find(&run->methods, key);

    if (made)
        return made;
    made = arena_alloc(run->memory, sizeof(*made));
    map_add(&run->methods, run->memory, key, made);
    for (uint32_t i = 0; i < in->method_count; i++) {
        const model_method *method = &in->methods[i];
        const char *identity = compare_identity(method->name, &method->notes);
        method_hold(run, made, arena_printf(run->memory, "=%s", identity), method);
        method_hold(run, made, method->name, method);
    }
    return made;
}

static const model_method *method_identified(comparison *run, const model_service *in, const model_method *like)
{
    const char *identity = compare_identity(like->name, &like->notes);

    return method_held(methods_of(run, in), arena_printf(run->memory, "=%s", identity));
}

/* What the services that compose a method add to it. */
static void adopted_compare(comparison *run, const model_service *old_in, const model_service *new_in,
                            const model_method *old, const model_method *new)
{
    sides both = {.run = run, .subject = subject_of(old_in->decl, old->name), .old = old, .new = new};

    both.old_base = method_identified(run, old->composed, old);
    both.new_base = method_identified(run, new->composed, new);
    since_compare(&both, old_in->decl, new_in->decl);
    if (old->kind == new->kind)
        promises_compare(&both);
}

static void method_compare(comparison *run, const model_service *old_in, const model_service *new_in,
                           const model_method *old, const model_method *new)
{
    compare_subject subject = subject_of(old_in->decl, old->name);
    sides both = {.run = run, .subject = subject, .old = old, .new = new};

    method_identity(&both);
    since_compare(&both, old_in->decl, new_in->decl);
    if (old->kind != new->kind)
        differ(&both,
               compare_add(run, COMPARE_METHOD_KIND, subject, new->at, "'%s' is %s, where it was %s", new->name,
                           kind_name(new->kind), kind_name(old->kind)),
               kind_name(old->kind));
    stream_compare(&both, "request", old->request_is_stream, new->request_is_stream);
    if (old->kind == new->kind)
        stream_compare(&both, "reply", old->reply_is_stream, new->reply_is_stream);
    payload_compare(&both, "request", old->request, new->request);
    if (old->kind == new->kind) {
        payload_compare(&both, "reply", old->reply, new->reply);
        errors_compare(&both);
        promises_compare(&both);
    }
    if (!both.differs && !knows_bytes(old, new)) {
        compare_finding *found =
            compare_add(run, COMPARE_LAYOUT, subject, new->at, "the bytes of '%s' are not what they were", new->name);
        compare_note(found, old->at, "fingerprint %016" PRIx64 " here", old->fingerprint);
    }
}

/* What became of a method: the one that old processes know by its name, else one of that name. */
static const model_method *successor(comparison *run, const model_service *in, const model_method *old)
{
    const model_method *found = method_identified(run, in, old);

    return found ? found : method_held(methods_of(run, in), old->name);
}

/* A method that is new, and has a fingerprint; of several, the last. */
static const model_method *method_new(comparison *run, const model_service *old, const model_service *new,
                                      uint64_t fingerprint)
{
    const char *key = arena_printf(run->memory, "%p %p", (const void *)old, (const void *)new);
    map *made = map_find(&run->methods, key);

    if (!made) {
        made = arena_alloc(run->memory, sizeof(*made));
        map_add(&run->methods, run->memory, key, made);
        for (uint32_t i = new->method_count; i-- > 0;) {
            const model_method *method = &new->methods[i];
            if (!method_identified(run, old, method))
                method_hold(run, made, arena_printf(run->memory, "%016" PRIx64, method->fingerprint), method);
        }
    }
    return method_held(made, arena_printf(run->memory, "%016" PRIx64, fingerprint));
}

static void method_removed(comparison *run, const model_service *old, const model_service *new,
                           const model_method *method)
{
    compare_finding *found = compare_add(run, COMPARE_METHOD_REMOVED, subject_of(old->decl, method->name),
                                         new->decl->at, "the method '%s' is gone", method->name);
    const model_method *renamed = method_new(run, old, new, method->fingerprint);

    compare_note(found, method->at, "it was here");
    if (renamed)
        compare_fix(found, "if it is '%s' now, say so: @renamed_from(\"%s\")", renamed->name,
                    compare_identity(method->name, &method->notes));
    else
        compare_fix(found, "keep it; @deprecated tells those who use it");
}

/* Whether a method is gone since the service that it was composed of has lost it, and is composed still. */
static bool base_lost(const comparison *run, const model_service *new, const model_method *method)
{
    for (uint32_t i = 0; method->composed && i < new->compose_count; i++)
        if (compare_is_pair(run, method->composed->decl, new->composes[i]->decl) ||
            base_lost(run, new->composes[i], method))
            return true;
    return false;
}

void compare_service(comparison *run, const model_service *old, const model_service *new)
{
    for (uint32_t i = 0; i < old->method_count; i++) {
        const model_method *method = &old->methods[i];
        const model_method *became = successor(run, new, method);
        bool told_there = became && method->composed && became->composed &&
                          compare_is_pair(run, method->composed->decl, became->composed->decl);
        if (!became && !base_lost(run, new, method))
            method_removed(run, old, new, method);
        else if (!became)
            continue;
        else if (told_there)
            adopted_compare(run, old, new, method, became);
        else
            method_compare(run, old, new, method, became);
    }
    for (uint32_t i = 0; i < new->method_count; i++) {
        const model_method *method = &new->methods[i];
        if (!method_identified(run, old, method))
            compare_reserved(run, subject_of(old->decl, method->name), old->reserved, old->reserved_count, method->name,
                             NULL, method->at);
    }
    if (old->strict == new->strict)
        return;
    compare_finding *found =
        new->strict ? compare_add(run, COMPARE_SERVICE_STRICT, subject_of(old->decl, ""), new->decl->at,
                                  "'%s' is strict: it refuses clients of another layout as a whole", new->decl->name)
                    : compare_add(run, COMPARE_NO_LONGER_STRICT, subject_of(old->decl, ""), new->decl->at,
                                  "'%s' is no longer strict: it serves clients that it refused", new->decl->name);
    compare_note(found, old->decl->at, "it was declared here");
}

static const char *overflow_name(model_overflow overflow)
{
    static const char *const names[] = {[MODEL_OVERFLOW_UNSET] = "not given",
                                        [MODEL_OVERFLOW_BLOCK] = "block",
                                        [MODEL_OVERFLOW_DROP_OLDEST] = "drop_oldest",
                                        [MODEL_OVERFLOW_FAIL] = "fail"};

    return names[overflow];
}

static void policy(comparison *run, compare_rule rule, const model_channel *old, const model_channel *new,
                   const char *what, const char *before, const char *after)
{
    if (strcmp(before, after) == 0)
        return;
    compare_finding *found = compare_add(run, rule, subject_of(old->decl, ""), new->decl->at,
                                         "%s of '%s' is %s, where it was %s", what, new->decl->name, after, before);
    compare_note(found, old->decl->at, "it was %s here", before);
}

static const char *count(const comparison *run, uint32_t of)
{
    return of ? arena_printf(run->memory, "%" PRIu32, of) : "not given";
}

void compare_channel(comparison *run, const model_channel *old, const model_channel *new)
{
    bool below = false;
    compare_change change = compare_payloads(run, old->item, new->item, &below);

    if (change != COMPARE_SAME) {
        compare_finding *found =
            compare_add(run, compare_rule_for(change, COMPARE_PAYLOAD_C_TYPE, COMPARE_CHANNEL_ITEM),
                        subject_of(old->decl, ""), new->decl->at, "the item of '%s' is %s, where it was %s",
                        new->decl->name, compare_record_name(new->item), compare_record_name(old->item));
        compare_note(found, old->decl->at, "it was %s here", compare_record_name(old->item));
    }
    if (new->depth && old->depth > new->depth)
        policy(run, COMPARE_DEPTH, old, new, "@depth", count(run, old->depth), count(run, new->depth));
    policy(run, COMPARE_CHANNEL_POLICY, old, new, "@overflow", overflow_name(old->overflow),
           overflow_name(new->overflow));
    policy(run, COMPARE_CHANNEL_POLICY, old, new, "@reliable", old->reliable ? "given" : "not given",
           new->reliable ? "given" : "not given");
    policy(run, COMPARE_CHANNEL_POLICY, old, new, "@retain", count(run, old->retain), count(run, new->retain));
    policy(run, COMPARE_CHANNEL_POLICY, old, new, "@attempts", count(run, old->attempts), count(run, new->attempts));
}
