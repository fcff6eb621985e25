/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make.c - writes the matrix: for each type, as it is and by an alias, a service with a method for each position.
 *
 *     make_matrix FOLDER
 *
 * writes shared.shm, part_N.shm and part_N.c, for N from 0 on, and parts.c. A position is a record with a place in it
 * for the type: IDL, the C that fills it in, and how the place is called in a refusal. Nothing here depends on what shmc
 * does, but for the rules by which it makes names.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"

#define PARTS 4

/*
 * In all text: {K} the type's key, {U} the same in capitals, {T} the type, {A} and {AA} arrays of it, {P} and {UP} the
 * part's prefix in C, {N} the number of values of the type. {Q} is a question mark and {H} what sets the presence, where
 * the type cannot be unset and so cannot come later but as an optional.
 */
typedef struct record {
    const char *name;
    const char *idl;
    const char *type;      /* in C */
    const char *set;       /* fills `m` with value `k` */
    const char *place;     /* one of the places, where all are filled with value 0 */
    const char *path;      /* that place, in a refusal */
    const char *values;    /* how many */
    const char *faults[3]; /* one of the position itself: what is to be set, its path and the reason */
} record;

#define THREE_MORE "({N} > 4 ? {N} : 4)"

static const record records[] = {
    {"only", "message only_{K} { {T} x; }\n", "{P}only_{K}", "SET_{K}(m->x, k);", "m->x", "x", "{N}", {0}},
    {"first",
     "message first_{K} { {T} x; uint8 after; }\n",
     "{P}first_{K}",
     "SET_{K}(m->x, k); m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"middle",
     "message middle_{K} { uint8 before; {T} x; uint8 after; }\n",
     "{P}middle_{K}",
     "m->before = (uint8_t)~k; SET_{K}(m->x, k); m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"last",
     "message last_{K} { uint8 before; {T} x; }\n",
     "{P}last_{K}",
     "m->before = (uint8_t)~k; SET_{K}(m->x, k);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"inside",
     "struct inside_{K} { uint8 before; {T} x; uint8 after; }\n",
     "{P}inside_{K}",
     "m->before = (uint8_t)~k; SET_{K}(m->x, k); m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"in_struct",
     "message in_struct_{K} { uint8 before; inside_{K} s; }\n",
     "{P}in_struct_{K}",
     "m->before = (uint8_t)~k; m->s.before = 1; SET_{K}(m->s.x, k); m->s.after = 2;",
     "m->s.x",
     "s.x",
     "{N}",
     {0}},
    {"in_structs",
     "message in_structs_{K} { inside_{K}[2] s; uint8 after; }\n",
     "{P}in_structs_{K}",
     "for (unsigned i = 0; i < 2; i++) { m->s[i].before = (uint8_t)i; SET_{K}(m->s[i].x, k + i); m->s[i].after = "
     "(uint8_t)k; } m->after = (uint8_t)(k + 3);",
     "m->s[1].x",
     "s[].x",
     "{N}",
     {0}},
    {"in_vector_of_structs",
     "message in_vector_of_structs_{K} { uint8 before; vector<inside_{K}, 3> s; }\n",
     "{P}in_vector_of_structs_{K}",
     "m->before = (uint8_t)~k; m->s.count = (uint16_t)(3 - k % 4); for (unsigned i = 0; i < m->s.count; i++) { "
     "m->s.items[i].before = (uint8_t)i; SET_{K}(m->s.items[i].x, k + i); m->s.items[i].after = (uint8_t)k; }",
     "m->s.items[2].x",
     "s[].x",
     THREE_MORE,
     {"m->s.count = 4;", "s", "more than 3 items"}},
    {"in_array",
     "message in_array_{K} { uint8 before; {A} x; uint8 after; }\n",
     "{P}in_array_{K}",
     "m->before = (uint8_t)~k; for (unsigned i = 0; i < 2; i++) { SET_{K}(m->x[i], k + i); } m->after = (uint8_t)(k + 3);",
     "m->x[1]",
     "x[]",
     "{N}",
     {0}},
    {"in_table",
     "message in_table_{K} { uint8 before; {AA} x; }\n",
     "{P}in_table_{K}",
     "m->before = (uint8_t)~k; for (unsigned i = 0; i < 6; i++) { SET_{K}(m->x[i / 3][i % 3], k + i); }",
     "m->x[1][2]",
     "x[][]",
     "{N}",
     {0}},
    {"in_vector",
     "message in_vector_{K} { vector<{T}, 3> x; uint8 after; }\n",
     "{P}in_vector_{K}",
     "m->x.count = (uint16_t)(3 - k % 4); for (unsigned i = 0; i < m->x.count; i++) { SET_{K}(m->x.items[i], k + i); } "
     "m->after = (uint8_t)(k + 3);",
     "m->x.items[1]",
     "x[]",
     THREE_MORE,
     {"m->x.count = 4;", "x", "more than 3 items"}},
    {"in_vector_at_end",
     "message in_vector_at_end_{K} { uint8 before; vector<{T}, 3> x; }\n",
     "{P}in_vector_at_end_{K}",
     "m->before = (uint8_t)~k; m->x.count = (uint16_t)(3 - k % 4); for (unsigned i = 0; i < m->x.count; i++) { "
     "SET_{K}(m->x.items[i], k + i); }",
     "m->x.items[2]",
     "x[]",
     THREE_MORE,
     {"m->x.count = UINT16_MAX;", "x", "more than 3 items"}},
    {"in_arm",
     "union arms_{K} { uint8 other = 1; {T} x = 2; }\nmessage in_arm_{K} { uint8 before; arms_{K} u; uint8 after; }\n",
     "{P}in_arm_{K}",
     "m->before = (uint8_t)~k; if (k == {N}) { m->u.tag = {UP}ARMS_{U}_OTHER; m->u.body.other = 0xa9; } else { m->u.tag = "
     "{UP}ARMS_{U}_X; SET_{K}(m->u.body.x, k); } m->after = (uint8_t)(k + 3);",
     "m->u.body.x",
     "u.x",
     "{N} + 1",
     {0}},
    {"may_be",
     "message may_be_{K} { uint8 before; {T}? x; uint8 after; }\n",
     "{P}may_be_{K}",
     "m->before = (uint8_t)~k; m->has_x = k != {N}; if (m->has_x) { SET_{K}(m->x, k); } m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N} + 1",
     {"m->has_x = 2;", "has_x", "neither 0 nor 1"}},
    {"may_be_in_struct",
     "struct perhaps_{K} { uint8 before; {T}? x; }\nmessage may_be_in_struct_{K} { perhaps_{K} o; uint8 after; }\n",
     "{P}may_be_in_struct_{K}",
     "m->o.before = (uint8_t)~k; m->o.has_x = k != {N}; if (m->o.has_x) { SET_{K}(m->o.x, k); } m->after = (uint8_t)(k "
     "+ 3);",
     "m->o.x",
     "o.x",
     "{N} + 1",
     {"m->o.has_x = 255;", "o.has_x", "neither 0 nor 1"}},
    {"large",
     "message large_{K} { {T} x; uint64[40] more; }\n",
     "{P}large_{K}",
     "SET_{K}(m->x, k); for (unsigned i = 0; i < 40; i++) { m->more[i] = ~(uint64_t)0 / (i + k + 1); }",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"later",
     "message later_{K} { uint8 before; @since(2) {T}{Q} x; @since(2) uint8 after; }\n",
     "{P}later_{K}",
     "m->before = (uint8_t)~k; {H}SET_{K}(m->x, k); m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"inline_request",
     "",
     "{P}svc_{K}_inline_body_request",
     "m->before = (uint8_t)~k; SET_{K}(m->x, k);",
     "m->x",
     "x",
     "{N}",
     {0}},
    {"inline_reply",
     "",
     "{P}svc_{K}_inline_body_reply",
     "SET_{K}(m->x, k); m->after = (uint8_t)(k + 3);",
     "m->x",
     "x",
     "{N}",
     {0}},
};

typedef struct position {
    const char *name;
    const char *request; /* a record */
    const char *answer;
    const char *idl; /* NULL: both are named messages */
} position;

static const position positions[] = {
    {"only", "only", "only", NULL},
    {"first", "first", "first", NULL},
    {"middle", "middle", "middle", NULL},
    {"last", "last", "last", NULL},
    {"in_struct", "in_struct", "in_struct", NULL},
    {"in_structs", "in_structs", "in_structs", NULL},
    {"in_vector_of_structs", "in_vector_of_structs", "in_vector_of_structs", NULL},
    {"in_array", "in_array", "in_array", NULL},
    {"in_table", "in_table", "in_table", NULL},
    {"in_vector", "in_vector", "in_vector", NULL},
    {"in_vector_at_end", "in_vector_at_end", "in_vector_at_end", NULL},
    {"in_arm", "in_arm", "in_arm", NULL},
    {"may_be", "may_be", "may_be", NULL},
    {"may_be_in_struct", "may_be_in_struct", "may_be_in_struct", NULL},
    {"later", "later", "later", NULL},
    {"large", "large", "large", NULL},
    {"large_request", "large", "only", NULL},
    {"large_reply", "only", "large", NULL},
    {"inline_body", "inline_request", "inline_reply",
     "    rpc inline_body({ uint8 before; {T} x; }) -> ({ {T} x; uint8 after; });\n"},
    {"payload", "only", "inside", "    rpc payload(only_{K}) -> () throws errors_{K};\n"},
};

#define RECORD_COUNT (sizeof records / sizeof records[0])
#define POSITION_COUNT (sizeof positions / sizeof positions[0])

/* A type as it is, or by an alias. */
typedef struct use {
    const matrix_type *type;
    char key[32];
    const char *base;
    const char *dims;
    unsigned part;
    unsigned value_count;
} use;

static FILE *file_open(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || (file = fopen(path, "w")) == NULL) {
        perror(name);
        exit(1);
    }
    return file;
}

static void file_close(FILE *file)
{
    if (ferror(file) != 0 || fclose(file) != 0) {
        perror("make_matrix");
        exit(1);
    }
}

static void upper(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(toupper((unsigned char)*text), out);
}

/* All zero is refused: the strict union, or arrays of it. */
static int is_never_unset(const matrix_type *type)
{
    return strcmp(type->base, "t.Must") == 0;
}

/* Writes one mark of a template, whose name has this length. */
static void mark(FILE *out, const use *of, const char *name, size_t length)
{
    const char *base = of->base, *dims = of->dims;

    if (length == 1 && *name == 'K')
        fputs(of->key, out);
    else if (length == 1 && *name == 'U')
        upper(out, of->key);
    else if (length == 1 && *name == 'T')
        fprintf(out, "%s%s", base, dims);
    else if (length == 1 && *name == 'A')
        fprintf(out, "%s[2]%s", base, dims);
    else if (length == 2 && memcmp(name, "AA", 2) == 0)
        fprintf(out, "%s[2][3]%s", base, dims);
    else if (length == 1 && *name == 'P')
        fprintf(out, "t_part%u_", of->part);
    else if (length == 2 && memcmp(name, "UP", 2) == 0)
        fprintf(out, "T_PART%u_", of->part);
    else if (length == 1 && *name == 'Q')
        fputs(is_never_unset(of->type) ? "?" : "", out);
    else if (length == 1 && *name == 'H')
        fputs(is_never_unset(of->type) ? "m->has_x = 1; " : "", out);
    else if (length == 1 && *name == 'N')
        fprintf(out, "%uU", of->value_count);
    else
        abort();
}

/* Marks are capitals in braces; all other braces are C's or the language's own. */
static void expand(FILE *out, const use *of, const char *template)
{
    for (const char *at = template; *at != '\0'; at++) {
        size_t length = strspn(at + 1, "AHKNPQTU");
        if (*at == '{' && length > 0 && at[1 + length] == '}') {
            mark(out, of, at + 1, length);
            at += 1 + length;
        } else {
            fputc(*at, out);
        }
    }
}

/* C of types.c, its place put in. */
static void place_in(FILE *out, const char *statements, const char *place)
{
    for (; *statements != '\0'; statements++) {
        if (*statements == '$')
            fputs(place, out);
        else
            fputc(*statements, out);
    }
}

static unsigned faults_of(const matrix_type *type)
{
    unsigned count = 0;

    while (count < MATRIX_FAULTS_MAX && type->faults[count].set != NULL)
        count++;
    return count;
}

/* SET_key(place, value) and SPOIL_key(place, fault). */
static void macros_write(FILE *out, const use *of)
{
    fprintf(out, "#define SET_%s(PLACE, VALUE) switch ((VALUE) %% %uU) {", of->key, of->value_count);
    for (unsigned i = 0; i < of->value_count; i++) {
        fprintf(out, " \\\n    case %u: ", i);
        place_in(out, of->type->values[i], "(PLACE)");
        fputs(" break;", out);
    }
    fprintf(out, " }\n#define SPOIL_%s(PLACE, FAULT) switch (FAULT) {", of->key);
    for (unsigned i = 0; i < faults_of(of->type); i++) {
        fprintf(out, " \\\n    case %u: ", i);
        place_in(out, of->type->faults[i].set, "(PLACE)");
        fputs(" break;", out);
    }
    fputs(" \\\n    default: break; }\n\n", out);
}

static void record_write(FILE *out, const use *of, const record *each)
{
    unsigned faults = faults_of(of->type), own = each->faults[0] != NULL;

    expand(out, of, "static void set_");
    expand(out, of, each->name);
    expand(out, of, "_{K}(void *record, unsigned k)\n{\n    ");
    expand(out, of, each->type);
    fputs(" *m = record;\n\n    ", out);
    expand(out, of, each->set);
    fputs("\n}\n\n", out);
    if (faults + own > 0) {
        fprintf(out, "static const matrix_fault faults_%s_%s[] = {\n", each->name, of->key);
        for (unsigned i = 0; i < faults; i++)
            fprintf(out, "    {\"%s%s\", \"%s\"},\n", each->path, of->type->faults[i].path, of->type->faults[i].reason);
        if (own)
            fprintf(out, "    {\"%s\", \"%s\"},\n", each->faults[1], each->faults[2]);
        fprintf(out, "};\n\nstatic void spoil_%s_%s(void *record, unsigned fault)\n{\n    ", each->name, of->key);
        expand(out, of, each->type);
        fprintf(out, " *m = record;\n\n    set_%s_%s(m, 0);\n", each->name, of->key);
        if (own)
            fprintf(out, "    if (fault == %u) { %s return; }\n", faults, each->faults[0]);
        fprintf(out, "    SPOIL_%s(%s, fault)\n}\n\n", of->key, each->place);
    }
    fprintf(out, "static const matrix_record record_%s_%s = {&", each->name, of->key);
    expand(out, of, each->type);
    fputs("_info, ", out);
    expand(out, of, each->values);
    fprintf(out, ", set_%s_%s, ", each->name, of->key);
    if (faults + own > 0)
        fprintf(out, "spoil_%s_%s, faults_%s_%s, %u};\n\n", each->name, of->key, each->name, of->key, faults + own);
    else
        fputs("NULL, NULL, 0};\n\n", out);
}

static const char *record_type(const char *name)
{
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        if (strcmp(records[i].name, name) == 0)
            return records[i].type;
    }
    abort();
}

static void method_write(FILE *out, const use *of, const position *at)
{
    fprintf(out, "static int on_%s_%s(", at->name, of->key);
    expand(out, of, "{P}svc_{K}_server *server, {P}svc_{K}_");
    fprintf(out, "%s_context *context, const ", at->name);
    expand(out, of, record_type(at->request));
    fputs(" *request", out);
    if (strcmp(at->name, "payload") == 0) {
        expand(out, of,
               ")\n{\n    {P}inside_{K} thrown;\n\n    (void)server;\n    (void)matrix_answer(request, &thrown);\n"
               "    return {P}svc_{K}_payload_throw_bad(context, &thrown);\n}\n\n"
               "static const void *payload_of_{K}(const void *client)\n{\n"
               "    return {P}svc_{K}_errors_{K}_bad((const {P}svc_{K}_client *)client);\n}\n\n"
               "static int call_payload_{K}(void *client, const void *request, void *reply)\n{\n"
               "    (void)reply;\n"
               "    return {P}svc_{K}_payload(client, request, shmrpc_default());\n}\n\n");
        return;
    }
    fputs(", ", out);
    expand(out, of, record_type(at->answer));
    fputs(" *reply)\n{\n    (void)server, (void)context;\n    return matrix_answer(request, reply);\n}\n\n", out);
    fprintf(out, "static int call_%s_%s(void *client, const void *request, void *reply)\n{\n    return ", at->name,
            of->key);
    expand(out, of, "{P}svc_{K}_");
    fprintf(out, "%s(client, request, reply, shmrpc_default());\n}\n\n", at->name);
}

static void service_write(FILE *out, const use *of)
{
    for (size_t i = 0; i < POSITION_COUNT; i++)
        method_write(out, of, &positions[i]);
    expand(out, of, "static const {P}svc_{K}_ops ops_{K} = {\n");
    for (size_t i = 0; i < POSITION_COUNT; i++)
        fprintf(out, "    .%s = on_%s_%s,\n", positions[i].name, positions[i].name, of->key);
    expand(out, of,
           "};\n\nstatic int server_init_{K}(shmrpc_server *server, const char *name)\n{\n"
           "    return {P}svc_{K}_server_init(({P}svc_{K}_server *)(void *)server, &ops_{K}, name, NULL);\n}\n\n"
           "static int connect_{K}(void **ret_client, const char *name)\n{\n"
           "    {P}svc_{K}_client *client = NULL;\n"
           "    int rc = {P}svc_{K}_connect(&client, name, NULL);\n\n"
           "    *ret_client = client;\n    return rc;\n}\n\n"
           "static const matrix_cell cells_{K}[] = {\n");
    for (size_t i = 0; i < POSITION_COUNT; i++) {
        const position *at = &positions[i];
        int throws = strcmp(at->name, "payload") == 0;
        fprintf(out, "    {\"%s\", &record_%s_%s, &record_%s_%s, %d, call_%s_%s, ", at->name, at->request, of->key,
                at->answer, of->key, throws ? 7 : 0, at->name, of->key);
        expand(out, of, throws ? "payload_of_{K}},\n" : "NULL},\n");
    }
    fputs("};\n\n", out);
}

static void schema_write(FILE *out, const use *of)
{
    if (of->base != of->type->base)
        fprintf(out, "alias %s = %s%s;\n", of->base, of->type->base, of->type->dims);
    for (size_t i = 0; i < RECORD_COUNT; i++)
        expand(out, of, records[i].idl);
    expand(out, of, "errors errors_{K} { BAD(inside_{K}) = 7; }\nservice svc_{K} {\n");
    for (size_t i = 0; i < POSITION_COUNT; i++) {
        if (positions[i].idl != NULL)
            expand(out, of, positions[i].idl);
        else
            fprintf(out, "    rpc %s(%s_%s) -> (%s_%s);\n", positions[i].name, positions[i].request, of->key,
                    positions[i].answer, of->key);
    }
    fputs("}\n\n", out);
}

static void use_make(use *to, const matrix_type *type, int by_alias, unsigned part)
{
    static char aliases[2][256][32];
    static unsigned next;

    memset(to, 0, sizeof *to);
    to->type = type;
    to->part = part;
    while (to->value_count < MATRIX_VALUES_MAX && type->values[to->value_count] != NULL)
        to->value_count++;
    if (to->value_count < 2)
        abort();
    snprintf(to->key, sizeof to->key, "%s%s", by_alias ? "by_" : "", type->key);
    to->base = type->base;
    to->dims = type->dims;
    if (by_alias) {
        char *name = aliases[0][next++];
        snprintf(name, sizeof aliases[0][0], "other_%s", type->key);
        to->base = name;
        to->dims = "";
    }
}

static void part_write(const char *folder, unsigned part)
{
    char name[32];
    static use uses[512];
    unsigned count = 0;

    for (unsigned i = part; i < matrix_type_count; i += PARTS) {
        use_make(&uses[count++], &matrix_types[i], 0, part);
        use_make(&uses[count++], &matrix_types[i], 1, part);
    }
    snprintf(name, sizeof name, "part_%u.shm", part);
    FILE *out = file_open(folder, name);
    fprintf(out, "@version(2) package t.part%u;\nimport \"shared.shm\";\n\n", part);
    for (unsigned i = 0; i < count; i++)
        schema_write(out, &uses[i]);
    file_close(out);

    snprintf(name, sizeof name, "part_%u.c", part);
    out = file_open(folder, name);
    fprintf(out,
            "#include \"part_%u.shm.h\"\n\n#include <float.h>\n#include <math.h>\n#include <string.h>\n\n"
            "#include \"matrix/cells.h\"\n\n",
            part);
    for (unsigned i = 0; i < count; i++) {
        macros_write(out, &uses[i]);
        for (size_t j = 0; j < RECORD_COUNT; j++)
            record_write(out, &uses[i], &records[j]);
        service_write(out, &uses[i]);
    }
    fputs("static const matrix_row rows[] = {\n", out);
    for (unsigned i = 0; i < count; i++) {
        expand(out, &uses[i],
               "    {\"{K}\", &{P}svc_{K}_service_info, &ops_{K}, server_init_{K}, connect_{K}, cells_{K}, ");
        fprintf(out, "%zu},\n", POSITION_COUNT);
    }
    fprintf(out, "};\n\nextern const matrix_part matrix_part_%u;\nconst matrix_part matrix_part_%u = {rows, %u};\n",
            part, part, count);
    file_close(out);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: make_matrix FOLDER\n", stderr);
        return 2;
    }
    FILE *out = file_open(argv[1], "shared.shm");
    fprintf(out, "package t;\n\n%s", matrix_declarations);
    file_close(out);
    for (unsigned part = 0; part < PARTS; part++)
        part_write(argv[1], part);
    out = file_open(argv[1], "parts.c");
    fputs("#include \"matrix/cells.h\"\n\n", out);
    for (unsigned part = 0; part < PARTS; part++)
        fprintf(out, "extern const matrix_part matrix_part_%u;\n", part);
    fputs("\nconst matrix_part *const matrix_parts[] = {", out);
    for (unsigned part = 0; part < PARTS; part++)
        fprintf(out, "&matrix_part_%u, ", part);
    fputs("NULL};\n", out);
    file_close(out);
    return 0;
}
