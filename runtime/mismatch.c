/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout's text is that of the compiler's fingerprints:
 *
 *   record = word [ "(" size ")" ] "{" { offset [ "?" has ] ":" type " " name [ "=" tag ] ";" } "}"
 *
 * where a type may hold records. A method's errors are written likewise: a code in place of the offset, the payload's
 * layout, or nothing, in place of the type. A text that was cut ends anywhere: what is behind is not known.
 */
#include "mismatch.h"

#include "message.h"
#include "revision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LENGTH 160u
#define WORDS_MAX 120u

/* ---- a bounded line ---- */

typedef struct writer {
    char *text;
    size_t size; /* with the NUL */
    size_t used;
} writer;

static void put(writer *to, const char *format, ...) SHMRPC_PRINTF(2, 3);

static void put(writer *to, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(to->text + to->used, to->size - to->used, format, arguments);
    va_end(arguments);
    if (length > 0) {
        to->used = (size_t)length < to->size - to->used ? to->used + (size_t)length : to->size - 1;
    }
}

/* ---- the server's part ---- */

static const char *take_text(const char *text, size_t *budget)
{
    size_t length = text == NULL ? 0 : strnlen(text, CONTROL_LAYOUT_MAX);

    if (length == 0 || length > *budget) {
        return "";
    }
    *budget -= length;
    return text;
}

/* Heap memory, or NULL. */
static char *write_errors(const shmrpc_errors_info *errors)
{
    writer to = {.text = malloc(CONTROL_LAYOUT_MAX + 1), .size = CONTROL_LAYOUT_MAX + 1};

    if (to.text == NULL) {
        return NULL;
    }
    put(&to, "errors{");
    for (uint32_t i = 0; errors != NULL && i < errors->count; i++) {
        const shmrpc_error_info *error = &errors->items[i];
        const char *payload = error->payload == NULL           ? ""
                              : error->payload->layout == NULL ? "payload"
                                                               : error->payload->layout;

        put(&to, "%d:%s %s;", error->code, payload, error->name);
    }
    put(&to, "}");
    return to.text;
}

int mismatch_describe(const shmrpc_method_info *method, uint32_t index, size_t *budget, control_mismatch *ret)
{
    shmrpc_revision_info newest = revision_of(method, 0);
    char *errors = write_errors(method->errors);

    if (errors == NULL) {
        return -ENOMEM;
    }
    if (*take_text(errors, budget) == '\0') {
        free(errors);
        errors = NULL;
    }
    *ret = (control_mismatch){
        .method = index,
        .oneway = (method->flags & SHMRPC_METHOD_ONEWAY) != 0,
        .fingerprint = newest.fingerprint,
        .request_size = newest.request_size,
        .answer_size = newest.answer_size,
        .request = take_text(method->request == NULL ? NULL : method->request->layout, budget),
        .reply = take_text(method->reply == NULL ? NULL : method->reply->layout, budget),
        .errors = errors,
    };
    return 0;
}

void mismatches_free(control_mismatch *array, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)array[i].errors);
    }
    free(array);
}

/* ---- reading a layout ---- */

typedef struct text {
    const char *at;
    size_t length;
} text;

typedef struct layout_field {
    text whole;
    text name;
    text type;
    uint32_t offset;
    uint32_t tag; /* 0: none */
    bool is_optional;
} layout_field;

typedef struct layout {
    text rest;     /* fields that have not been read yet */
    bool is_whole; /* the last field was followed by the end */
} layout;

static text text_of(const char *string)
{
    return (text){string, strlen(string)};
}

static bool same(text a, text b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static text skip(text from, size_t count)
{
    return (text){from.at + count, from.length - count};
}

/* Reads a decimal number, as far as it is one; one that is too large is 0. */
static uint32_t take_number(text *from)
{
    uint64_t value = 0;

    while (from->length > 0 && *from->at >= '0' && *from->at <= '9') {
        value = value > UINT32_MAX ? value : value * 10 + (uint64_t)(*from->at - '0');
        *from = skip(*from, 1);
    }
    return value > UINT32_MAX ? 0 : (uint32_t)value;
}

/* Bytes up to the first `mark` that is within no braces; the length where there is none. */
static size_t find_outside(text in, char mark)
{
    size_t depth = 0;

    for (size_t i = 0; i < in.length; i++) {
        if (in.at[i] == mark && depth == 0) {
            return i;
        }
        if (in.at[i] == '{') {
            depth++;
        } else if (in.at[i] == '}') {
            if (depth == 0) {
                break;
            }
            depth--;
        }
    }
    return in.length;
}

/* What stands before the fields, and its size; 0: it has none. */
static uint32_t size_of(text record)
{
    const char *open = memchr(record.at, '(', record.length);
    const char *brace = memchr(record.at, '{', record.length);
    text number;

    if (open == NULL || (brace != NULL && brace < open)) {
        return 0;
    }
    number = skip(record, (size_t)(open - record.at) + 1);
    return take_number(&number);
}

/* Is it a record, from its word to its brace? */
static bool is_record(text type)
{
    return type.length > 0 && type.at[type.length - 1] == '}' && memchr(type.at, '{', type.length) != NULL &&
           memchr(type.at, '<', (size_t)((const char *)memchr(type.at, '{', type.length) - type.at)) == NULL;
}

static layout open_layout(text record)
{
    const char *brace = record.length == 0 ? NULL : memchr(record.at, '{', record.length);

    return (layout){.rest = brace == NULL ? (text){"", 0} : skip(record, (size_t)(brace - record.at) + 1)};
}

/* false: there is none any more, or the text was cut. */
static bool next_field(layout *in, layout_field *ret)
{
    size_t length = find_outside(in->rest, ';');
    text field = {in->rest.at, length};
    size_t space = 0;

    if (length == in->rest.length) {
        in->is_whole = length > 0 && *in->rest.at == '}';
        return false;
    }
    in->rest = skip(in->rest, length + 1);
    *ret = (layout_field){.whole = field};
    ret->offset = take_number(&field);
    if (field.length > 0 && *field.at == '?') {
        ret->is_optional = true;
        field = skip(field, 1);
        (void)take_number(&field);
    }
    if (field.length > 0 && *field.at == ':') {
        field = skip(field, 1);
    }
    /* A type holds no space outside of braces. */
    space = find_outside(field, ' ');
    ret->type = (text){field.at, space};
    ret->name = space < field.length ? skip(field, space + 1) : (text){"", 0};
    length = find_outside(ret->name, '=');
    if (length < ret->name.length) {
        text tag = skip(ret->name, length + 1);

        ret->tag = take_number(&tag);
        ret->name.length = length;
    }
    return true;
}

static bool has_field(text record, text name, layout_field *ret)
{
    layout in = open_layout(record);

    while (next_field(&in, ret)) {
        if (same(ret->name, name)) {
            return true;
        }
    }
    return false;
}

/* ---- what differs ---- */

/*
 * What can differ, the most telling first. Layouts of two versions may also differ by what has come with one of them,
 * which is no reason why they do not match: so that is told only where nothing else is found. Where a field stands
 * follows from what is before it.
 */
typedef enum difference { DIFFERS_TYPE, DIFFERS_FIELD, DIFFERS_OFFSET, DIFFERS_SIZE, DIFFERS_NOTHING } difference;

typedef struct report {
    writer to;
    const char *method;  /* "demo.kv.KeyValue.get" */
    const char *subject; /* "demo.kv.GetReply", where that is what differs */
    char here[32];       /* " (version 2)", or "" where both have the same */
    char there[32];
    char path[PATH_MAX_LENGTH];
    size_t path_length;
    difference found; /* what the line says by now */
    bool has_codes;   /* errors: numbers are codes, but for those within payloads */
} report;

/* A type without what is inside of records. */
static void put_type(writer *to, const layout_field *field)
{
    size_t depth = 0;
    size_t limit = to->used + WORDS_MAX;

    if (field->is_optional) {
        put(to, "optional ");
    }
    for (size_t i = 0; i < field->type.length && to->used < limit; i++) {
        char c = field->type.at[i];

        depth -= c == '}' && depth > 0;
        if (depth == 0 && c != '{' && c != '}') {
            put(to, "%c", c);
        }
        depth += c == '{';
    }
    if (field->tag != 0) {
        put(to, " with tag %" PRIu32, field->tag);
    }
}

static void put_place(report *self, const layout_field *field, uint32_t base)
{
    if (!self->has_codes || self->path_length != 0) {
        put_type(&self->to, field);
        put(&self->to, " at %" PRIu32, base + field->offset);
    } else if (field->type.length == 0) {
        put(&self->to, "%" PRIu32 " without payload", field->offset);
    } else {
        put(&self->to, "%" PRIu32 " with ", field->offset);
        put_type(&self->to, field);
    }
}

static void put_name(report *self, const layout_field *field)
{
    put(&self->to, "'%.*s%.*s'", (int)self->path_length, self->path, (int)field->name.length, field->name.at);
}

/* The line says this, unless it says something more telling. */
static bool begin_difference(report *self, difference what)
{
    if (what >= self->found) {
        return false;
    }
    self->found = what;
    self->to.used = 0;
    put(&self->to, "%s: ", self->subject);
    return true;
}

/* Either may be NULL: that side has no such field. */
static void say_fields(report *self, difference what, uint32_t base, const layout_field *ours,
                       const layout_field *theirs)
{
    if (!begin_difference(self, what)) {
        return;
    }
    put_name(self, ours != NULL ? ours : theirs);
    put(&self->to, " is ");
    if (ours != NULL) {
        put_place(self, ours, base);
    } else {
        put(&self->to, "missing");
    }
    put(&self->to, " here%s, ", self->here);
    if (theirs == NULL) {
        put(&self->to, "missing");
    } else {
        if (ours != NULL && !same(ours->name, theirs->name)) {
            put_name(self, theirs);
            put(&self->to, " is ");
        }
        put_place(self, theirs, base);
    }
    put(&self->to, " in the server%s", self->there);
}

static void compare_records(report *self, uint32_t base, text ours, text theirs);

/* If both are records, or vectors of as many records: those. */
static bool find_records(text *ours, text *theirs, bool *ret_are_repeated)
{
    static const text vector = {"vector<", 7};

    *ret_are_repeated = false;
    while (ours->length > vector.length && theirs->length > vector.length &&
           same((text){ours->at, vector.length}, vector) && same((text){theirs->at, vector.length}, vector)) {
        size_t our_end;
        size_t their_end;

        *ours = skip(*ours, vector.length);
        *theirs = skip(*theirs, vector.length);
        our_end = find_outside(*ours, ',');
        their_end = find_outside(*theirs, ',');
        if (!same(skip(*ours, our_end), skip(*theirs, their_end))) {
            return false;
        }
        ours->length = our_end;
        theirs->length = their_end;
        *ret_are_repeated = true;
    }
    return is_record(*ours) && is_record(*theirs);
}

/* One that both have, and that is not the same. */
static void compare_fields(report *self, uint32_t base, const layout_field *ours, const layout_field *theirs)
{
    text our_type = ours->type;
    text their_type = theirs->type;
    size_t path_length = self->path_length;
    bool are_repeated = false;

    if (ours->is_optional != theirs->is_optional || ours->tag != theirs->tag ||
        (!same(our_type, their_type) && !find_records(&our_type, &their_type, &are_repeated))) {
        say_fields(self, DIFFERS_TYPE, base, ours, theirs);
        return;
    }
    if (ours->offset != theirs->offset) {
        say_fields(self, DIFFERS_OFFSET, base, ours, theirs);
    }
    if (same(our_type, their_type)) {
        return;
    }
    if (path_length + ours->name.length + 4 < sizeof(self->path)) {
        self->path_length += (size_t)snprintf(self->path + path_length, sizeof(self->path) - path_length, "%.*s%s.",
                                              (int)ours->name.length, ours->name.at, are_repeated ? "[]" : "");
    }
    compare_records(self, are_repeated || (self->has_codes && path_length == 0) ? 0 : base + ours->offset, our_type,
                    their_type);
    self->path_length = path_length;
}

/* `field` is not in the other text: which of that stands in its place, and is not in the first one? */
static bool find_in_place(text own, text other, const layout_field *field, layout_field *ret)
{
    layout in = open_layout(other);
    layout_field unused;

    while (next_field(&in, ret)) {
        if (ret->offset == field->offset) {
            return !has_field(own, ret->name, &unused);
        }
    }
    return false;
}

static void compare_records(report *self, uint32_t base, text ours, text theirs)
{
    layout our_fields = open_layout(ours);
    layout their_fields = open_layout(theirs);
    layout_field one;
    layout_field other;

    while (next_field(&their_fields, &other)) {
    }
    while (next_field(&our_fields, &one)) {
        if (has_field(theirs, one.name, &other)) {
            if (!same(one.whole, other.whole)) {
                compare_fields(self, base, &one, &other);
            }
        } else if (their_fields.is_whole) {
            say_fields(self, DIFFERS_FIELD, base, &one, find_in_place(ours, theirs, &one, &other) ? &other : NULL);
        }
    }
    if (!our_fields.is_whole) {
        return;
    }
    their_fields = open_layout(theirs);
    while (next_field(&their_fields, &other)) {
        if (!has_field(ours, other.name, &one)) {
            say_fields(self, DIFFERS_FIELD, base, NULL, &other);
        }
    }
    if (their_fields.is_whole && size_of(ours) != size_of(theirs) && begin_difference(self, DIFFERS_SIZE)) {
        put(&self->to, "%.*s has %" PRIu32 " bytes here%s, %" PRIu32 " in the server%s",
            self->path_length == 0 ? 2 : (int)self->path_length - 1, self->path_length == 0 ? "it" : self->path,
            size_of(ours), self->here, size_of(theirs), self->there);
    }
}

static void compare_payloads(report *self, const shmrpc_type_info *ours, const char *theirs)
{
    if (ours != NULL && ours->layout != NULL && *theirs != '\0') {
        self->subject = ours->name;
        compare_records(self, 0, text_of(ours->layout), text_of(theirs));
    }
}

static void compare_errors(report *self, const shmrpc_method_info *method, const char *theirs)
{
    char *ours = *theirs == '\0' ? NULL : write_errors(method->errors);

    if (ours != NULL) {
        self->subject = method->errors != NULL ? method->errors->name : self->method;
        self->has_codes = true;
        compare_records(self, 0, text_of(ours), text_of(theirs));
        free(ours);
    }
}

static void compare(report *self, const shmrpc_method_info *method, const control_mismatch *theirs)
{
    bool is_oneway = (method->flags & SHMRPC_METHOD_ONEWAY) != 0;

    if (is_oneway != theirs->oneway) {
        (void)begin_difference(self, DIFFERS_TYPE);
        put(&self->to, "it is %s here%s, %s in the server%s", is_oneway ? "oneway" : "an rpc", self->here,
            is_oneway ? "an rpc" : "oneway", self->there);
        return;
    }
    compare_payloads(self, method->request, theirs->request);
    compare_payloads(self, method->reply, theirs->reply);
    compare_errors(self, method, theirs->errors);
}

void mismatch_report(const shmrpc_service_info *service, const shmrpc_method_info *method,
                     const control_mismatch *theirs, uint32_t version, char *line)
{
    report self = {.to = {line, MISMATCH_LINE_MAX + 1, 0}, .found = DIFFERS_NOTHING};
    shmrpc_revision_info ours = revision_of(method, 0);
    char subject[CONTROL_NAME_MAX + 1];

    (void)snprintf(subject, sizeof(subject), "%s.%s", service->name, method->name);
    self.method = self.subject = subject;
    if (version != 0) {
        (void)snprintf(self.there, sizeof(self.there), " (version %" PRIu32 ")", version);
    }
    if (version != service->version) {
        (void)snprintf(self.here, sizeof(self.here), " (version %" PRIu32 ")", service->version);
    }
    line[0] = '\0';
    if (theirs != NULL) {
        compare(&self, method, theirs);
    }
    if (theirs == NULL) {
        put(&self.to, "%s: it has another layout here%s than in the server%s", subject, self.here, self.there);
    } else if (self.found == DIFFERS_NOTHING) {
        put(&self.to,
            "%s: requests and answers have %" PRIu32 " and %" PRIu32 " bytes here%s, %" PRIu32 " and %" PRIu32
            " in the server%s; the fingerprint is %016" PRIx64 " here, %016" PRIx64 " in the server",
            subject, ours.request_size, ours.answer_size, self.here, theirs->request_size, theirs->answer_size,
            self.there, ours.fingerprint, theirs->fingerprint);
    }
}
