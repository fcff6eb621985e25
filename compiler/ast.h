/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ast.h - what a file says, as it says it.
 *
 * The parser's product: nodes with spans, in an arena, nothing resolved and
 * nothing evaluated. Nodes are built by the parser only and never changed
 * after it.
 *
 * Invariants
 *   - A node's pointers to other nodes are set where its comment does not say
 *     "or NULL"; a tree with a hole is never handed out (see ast_file.broken).
 *   - Expressions and types nest at most AST_DEPTH_MOST deep, so that walking
 *     them by recursion is safe; but of what an operator has on its left, which
 *     is a chain of any length (1 + 1 + 1 ...) and walked by a loop.
 *   - Vectors are of pointers to the nodes that their comment names.
 */
#ifndef SHMRPC_COMPILER_AST_H
#define SHMRPC_COMPILER_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "source.h"
#include "support/vector.h"

#define AST_DEPTH_MOST 1000

typedef struct ast_expr ast_expr;
typedef struct ast_type ast_type;

/* A name, or a dotted name where the grammar allows one. */
typedef struct ast_ident {
    const char *text;
    span at;
} ast_ident;

/* The text of a string literal, unescaped; valid UTF-8 without a NUL. */
typedef struct ast_string {
    const char *text;
    size_t length;
    span at;
} ast_string;

typedef enum ast_expr_kind {
    AST_INTEGER,  /* integer; sizes such as 4KiB too */
    AST_FLOAT,    /* real */
    AST_STRING,   /* text */
    AST_BOOL,     /* integer: 0 or 1 */
    AST_DURATION, /* integer: nanoseconds, at most INT64_MAX */
    AST_NAME,     /* text: dotted */
    AST_SIZEOF,   /* type */
    AST_UNARY,    /* op, left */
    AST_BINARY,   /* op, left, right */
    AST_FAULTY,   /* a literal with a mistake, which was reported: has no value, and needs no further word */
} ast_expr_kind;

typedef enum ast_operator {
    AST_NEGATE,
    AST_INVERT,
    AST_OR,
    AST_XOR,
    AST_AND,
    AST_SHIFT_LEFT,
    AST_SHIFT_RIGHT,
    AST_ADD,
    AST_SUBTRACT,
    AST_MULTIPLY,
    AST_DIVIDE,
    AST_REMAINDER,
} ast_operator;

struct ast_expr {
    ast_expr_kind kind;
    ast_operator op;
    uint32_t depth;
    span at;
    uint64_t integer;
    double real;
    ast_string text;
    const ast_type *type;
    const ast_expr *left;
    const ast_expr *right;
};

typedef enum ast_type_kind {
    AST_TYPE_SCALAR,   /* scalar */
    AST_TYPE_NAME,     /* name */
    AST_TYPE_STRING,   /* count */
    AST_TYPE_BYTES,    /* count */
    AST_TYPE_VECTOR,   /* element, count */
    AST_TYPE_ARRAY,    /* element, count; T[a][b] is an ARRAY b of an ARRAY a, as it is read from left to right */
    AST_TYPE_OPTIONAL, /* element */
} ast_type_kind;

struct ast_type {
    ast_type_kind kind;
    model_kind scalar;
    uint32_t depth;
    span at;
    ast_ident name; /* of a scalar, too */
    const ast_expr *count;
    const ast_type *element;
};

typedef struct ast_argument {
    ast_ident name; /* text NULL: not named */
    const ast_expr *value;
} ast_argument;

typedef struct ast_annotation {
    ast_ident name;
    span at;           /* from the '@' on */
    vector *arguments; /* ast_argument; or NULL: no parentheses */
} ast_annotation;

/* What stands before a declaration or member. */
typedef struct ast_notes {
    const char *doc;    /* lines joined by '\n', or NULL */
    vector annotations; /* ast_annotation */
} ast_notes;

typedef struct ast_field {
    const ast_notes *notes;
    const ast_type *type;
    ast_ident name;
    const ast_expr *tag; /* or NULL */
} ast_field;

typedef struct ast_member {
    const ast_notes *notes;
    ast_ident name;
    const ast_ident *payload; /* or NULL */
    const ast_expr *value;
} ast_member;

/* One of what `reserved` keeps: a number, a range of them, or a name. */
typedef struct ast_range {
    span at;
    ast_string name;       /* text NULL: numbers */
    const ast_expr *first; /* a literal */
    const ast_expr *last;  /* the same where it is one number */
} ast_range;

typedef struct ast_reserved {
    const ast_notes *notes;
    span at;              /* of the word */
    const ast_type *type; /* a place in a layout; NULL: ranges */
    ast_ident name;       /* of the place; text NULL: none */
    vector *ranges;       /* ast_range; NULL: a place */
    uint32_t before;      /* how many entries stand before it */
} ast_reserved;

/* What stands between braces. */
typedef struct ast_body {
    vector entries;  /* ast_field, ast_member or ast_method */
    vector reserved; /* ast_reserved */
} ast_body;

typedef struct ast_payload {
    span at;              /* of the name, or of the braces and what is between */
    span stream;          /* of the word `stream`; its file is NULL where it is not there */
    ast_ident name;       /* text NULL: an inline body */
    const ast_body *body; /* of an inline body: ast_field; else NULL */
} ast_payload;

typedef enum ast_method_kind { AST_RPC, AST_ONEWAY, AST_EVENT, AST_COMPOSE } ast_method_kind;

/* A method, or a `compose`, which has no more than its name. */
typedef struct ast_method {
    const ast_notes *notes;
    ast_method_kind kind;
    span word;                  /* `rpc`, `oneway`, `event`, `compose` */
    ast_ident name;             /* COMPOSE: dotted, of the service */
    const ast_payload *request; /* NULL: () */
    bool has_reply;             /* `-> (...)` was written */
    span reply_at;              /* from the arrow on, where it was */
    const ast_payload *reply;   /* NULL: () */
    const ast_ident *throws;    /* or NULL */
    const ast_expr *number;     /* the N of `= N`, which is a mistake; or NULL */
} ast_method;

typedef enum ast_decl_kind {
    AST_CONST,   /* type, value */
    AST_ALIAS,   /* type */
    AST_ENUM,    /* type: the base, or NULL; body: ast_member */
    AST_FLAGS,   /* likewise */
    AST_STRUCT,  /* body: ast_field */
    AST_MESSAGE, /* body: ast_field */
    AST_UNION,   /* body: ast_field */
    AST_ERRORS,  /* body: ast_member */
    AST_SERVICE, /* body: ast_method */
    AST_TOPIC,   /* payload */
    AST_QUEUE,   /* payload */
} ast_decl_kind;

typedef struct ast_decl {
    ast_decl_kind kind;
    const ast_notes *notes;
    ast_ident name;
    const ast_type *type;
    const ast_expr *value;
    const ast_body *body;
    const ast_payload *payload;
    bool strict;
} ast_decl;

typedef struct ast_package {
    const ast_notes *notes;
    ast_ident name;
    span at;
} ast_package;

typedef struct ast_import {
    const ast_notes *notes;
    ast_string path;
    ast_ident as; /* text NULL: not given */
} ast_import;

typedef struct ast_file {
    const source *text;
    const ast_package *package; /* or NULL */
    vector imports;             /* ast_import */
    vector decls;               /* ast_decl */
    bool broken;                /* parts were skipped after a mistake (reported): names may be missing */
} ast_file;

/* From the start of one to the end of another place of one file. */
span span_join(span first, span last);

ast_expr *ast_expr_new(arena *memory, ast_expr_kind kind, span at);
ast_expr *ast_unary(arena *memory, ast_operator op, const ast_expr *left, span at);
ast_expr *ast_binary(arena *memory, ast_operator op, const ast_expr *left, const ast_expr *right, span at);

ast_type *ast_type_new(arena *memory, ast_type_kind kind, span at);
/* `element` and `count` may be NULL. */
ast_type *ast_type_of(arena *memory, ast_type_kind kind, const ast_type *element, const ast_expr *count, span at);

/* "a constant", "a message", …: what a declaration is, in a message. */
const char *ast_decl_described(ast_decl_kind kind);

#endif
