/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - first what is written, then what is composed, in the order of the file: what is added at the end of a file
 * changes no name before it.
 */
#include "backends/proto/names.h"

#include <ctype.h>
#include <string.h>

#include "spell.h"

struct proto_names {
    arena *memory;
    const model *schema;
    proto_file_names **files; /* by id; NULL: not asked for yet */
};

/* What a map of names holds is of no interest: only that it is there. */
static bool name_add(map *taken, arena *memory, const char *name)
{
    return map_add(taken, memory, name, taken) == NULL;
}

const char *proto_name_take(map *taken, arena *memory, const char *wanted)
{
    const char *name = wanted;

    for (unsigned i = 2; !name_add(taken, memory, name); i++)
        name = arena_printf(memory, "%s_%u", wanted, i);
    return name;
}

/* "Foo_Bar" and "fooBar" are one in JSON and in some languages, so protoc refuses the two in one scope. */
static const char *name_key(arena *memory, const char *name)
{
    char *made = arena_copy(memory, name, strlen(name));
    size_t to = 0;

    for (const char *at = name; *at; at++) {
        if (*at != '_')
            made[to++] = (char)tolower((unsigned char)*at);
    }
    made[to] = '\0';
    return made;
}

const char *proto_name_take_apart(map *taken, arena *memory, const char *wanted)
{
    const char *name = wanted;

    for (unsigned i = 2; !name_add(taken, memory, name_key(memory, name)); i++)
        name = arena_printf(memory, "%s_%u", wanted, i);
    return name;
}

bool proto_name_is_word(const char *name)
{
    static const char *const words[] = {
        "bool",    "bytes",    "double",   "enum",     "extend",  "extensions", "fixed32", "fixed64",  "float",
        "group",   "import",   "int32",    "int64",    "map",     "message",    "oneof",   "option",   "optional",
        "package", "repeated", "required", "reserved", "returns", "rpc",        "service", "sfixed32", "sfixed64",
        "sint32",  "sint64",   "stream",   "string",   "syntax",  "to",         "uint32",  "uint64",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], name) == 0)
            return true;
    }
    return false;
}

/* Which declarations become something in proto that has their name. */
static bool decl_keeps_name(const model_decl *decl)
{
    switch (decl->kind) {
    case MODEL_DECL_ENUM:
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION:
    case MODEL_DECL_ERRORS:
    case MODEL_DECL_SERVICE: return true;
    case MODEL_DECL_CONST:
    case MODEL_DECL_ALIAS:
    case MODEL_DECL_FLAGS:
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE: break;
    }
    return false;
}

/* KIND_FIRST, and one more where there is no 0. */
static void members_name(proto_decl_names *made, map *taken, arena *memory, const model_members *members)
{
    const char *prefix = spell_upper(memory, spell_snake(memory, made->numbers));
    const char **names = arena_array(memory, members->count + 1, sizeof *names);
    map apart = {0};
    bool has_zero = false;

    for (uint32_t i = 0; i < members->count; i++) {
        const model_member *member = &members->items[i];
        const char *own = proto_name_take_apart(&apart, memory, spell_upper(memory, spell_snake(memory, member->name)));
        names[i] = proto_name_take(taken, memory, arena_printf(memory, "%s_%s", prefix, own));
        has_zero = has_zero || member->magnitude == (members->kind == MODEL_MEMBERS_FLAGS ? 1 : 0);
    }
    if (!has_zero) {
        const char *own =
            proto_name_take_apart(&apart, memory, members->kind == MODEL_MEMBERS_FLAGS ? "BIT_0" : "NONE");
        made->zero = proto_name_take(taken, memory, arena_printf(memory, "%s_%s", prefix, own));
    }
    made->members = names;
}

static const char *body_name(map *taken, arena *memory, const char *service, const char *method,
                             const model_record *record, const char *otherwise)
{
    static const char *const roles[] = {
        [MODEL_ROLE_NAMED] = "",
        [MODEL_ROLE_REQUEST] = "Request",
        [MODEL_ROLE_REPLY] = "Reply",
        [MODEL_ROLE_REQUEST_ITEM] = "RequestItem",
        [MODEL_ROLE_REPLY_ITEM] = "ReplyItem",
        [MODEL_ROLE_EVENT] = "Event",
        [MODEL_ROLE_CHANNEL_ITEM] = "Item",
    };

    if (record && record->role == MODEL_ROLE_NAMED)
        return NULL;
    return proto_name_take(taken, memory,
                           arena_printf(memory, "%s%s%s", spell_pascal(memory, service), spell_pascal(memory, method),
                                        record ? roles[record->role] : otherwise));
}

/* Of its own methods: those that were composed have their messages where they come from. */
static void methods_name(proto_decl_names *made, map *taken, arena *memory, const model_service *service)
{
    made->methods = arena_array(memory, service->method_count + 1, sizeof *made->methods);
    for (uint32_t i = 0; i < service->method_count; i++) {
        const model_method *method = &service->methods[i];
        bool is_event = method->kind == MODEL_METHOD_EVENT;
        if (method->composed)
            continue;
        /* An event is what comes back in proto; what one sends for it is empty. */
        made->methods[i].request =
            body_name(taken, memory, service->decl->name, method->name, is_event ? NULL : method->request, "Request");
        made->methods[i].reply = body_name(taken, memory, service->decl->name, method->name,
                                           is_event ? method->request : method->reply, is_event ? "Event" : "Reply");
    }
}

static void composed_names_take(proto_decl_names *made, map *taken, arena *memory, const model_decl *decl)
{
    switch (decl->kind) {
    case MODEL_DECL_ENUM:
        made->numbers = made->name;
        members_name(made, taken, memory, decl->as.members);
        return;
    case MODEL_DECL_FLAGS:
        made->numbers = proto_name_take(taken, memory, arena_printf(memory, "%sBit", spell_pascal(memory, decl->name)));
        members_name(made, taken, memory, decl->as.members);
        return;
    case MODEL_DECL_ERRORS:
        made->numbers =
            proto_name_take(taken, memory, arena_printf(memory, "%sCode", spell_pascal(memory, decl->name)));
        members_name(made, taken, memory, decl->as.members);
        return;
    case MODEL_DECL_SERVICE: methods_name(made, taken, memory, decl->as.service); return;
    case MODEL_DECL_TOPIC:
    case MODEL_DECL_QUEUE:
        made->item = body_name(taken, memory, decl->name, "", decl->as.channel->item, "Item");
        return;
    case MODEL_DECL_CONST:
    case MODEL_DECL_ALIAS:
    case MODEL_DECL_STRUCT:
    case MODEL_DECL_MESSAGE:
    case MODEL_DECL_UNION: return;
    }
}

/* All names of one file as they were made, into another of the same package. */
static void names_copy(map *taken, arena *memory, const model_file *file, const proto_file_names *names)
{
    for (uint32_t i = 0; i < file->decl_count; i++) {
        const model_decl *decl = file->decls[i];
        const proto_decl_names *each = &names->decls[i];
        const char *const singles[] = {each->name, each->numbers, each->zero, each->item};
        for (size_t j = 0; j < sizeof singles / sizeof singles[0]; j++) {
            if (singles[j])
                name_add(taken, memory, singles[j]);
        }
        for (uint32_t j = 0; each->members && j < decl->as.members->count; j++)
            name_add(taken, memory, each->members[j]);
        for (uint32_t j = 0; each->methods && j < decl->as.service->method_count; j++) {
            if (each->methods[j].request)
                name_add(taken, memory, each->methods[j].request);
            if (each->methods[j].reply)
                name_add(taken, memory, each->methods[j].reply);
        }
    }
}

static void imports_take(proto_names *known, map *taken, const char *package, const model_file *file, bool *seen)
{
    for (uint32_t i = 0; i < file->import_count; i++) {
        const model_file *import = file->imports[i];
        if (seen[import->id])
            continue;
        seen[import->id] = true;
        if (strcmp(import->package, package) == 0)
            names_copy(taken, known->memory, import, proto_names_of(known, import));
        imports_take(known, taken, package, import, seen);
    }
}

proto_names *proto_names_new(arena *memory, const model *schema)
{
    proto_names *known = arena_alloc(memory, sizeof *known);

    *known = (proto_names){memory, schema, arena_array(memory, schema->file_count, sizeof *known->files)};
    return known;
}

const proto_file_names *proto_names_of(proto_names *known, const model_file *file)
{
    arena *memory = known->memory;

    if (known->files[file->id])
        return known->files[file->id];
    proto_file_names *made = arena_alloc(memory, sizeof *made);
    made->decls = arena_array(memory, file->decl_count + 1, sizeof *made->decls);
    imports_take(known, &made->taken, file->package, file,
                 arena_array(memory, known->schema->file_count, sizeof(bool)));
    for (uint32_t i = 0; i < file->decl_count; i++) {
        if (decl_keeps_name(file->decls[i]))
            made->decls[i].name = proto_name_take(&made->taken, memory, file->decls[i]->name);
    }
    for (uint32_t i = 0; i < file->decl_count; i++)
        composed_names_take(&made->decls[i], &made->taken, memory, file->decls[i]);
    known->files[file->id] = made;
    return made;
}
