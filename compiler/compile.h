/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile.h - the state of one run of the front end, between trees and model.
 *
 * A unit is a file, a symbol is a declaration. A symbol is completed when it is
 * first needed: its types are measured, its constants evaluated, its part of
 * the model filled in. While that goes on it is BUSY; to need a BUSY symbol is
 * a cycle. A symbol with a mistake becomes BAD, which is reported once, where
 * the mistake is; what needs a BAD symbol becomes BAD silently.
 *
 * No state survives front_compile() but the model.
 */
#ifndef SHMRPC_COMPILER_COMPILE_H
#define SHMRPC_COMPILER_COMPILE_H

#include "ast.h"
#include "diag.h"
#include "model.h"
#include "support/map.h"
#include "support/vector.h"

/* How deep evaluating, measuring and completing may recurse, taken together. */
#define COMPILE_DEPTH_MOST 2000

/* How many names are looked at for all suggestions together: the thousandth unknown name needs none. */
#define COMPILE_GUESSES_MOST 200000

/* How many methods all services together may take over: services of services multiply, as nobody means it. */
#define COMPILE_COMPOSED_MOST 16384

typedef struct unit unit;
typedef struct symbol symbol;
typedef struct repeat repeat;

typedef enum symbol_state { SYMBOL_NEW, SYMBOL_BUSY, SYMBOL_DONE, SYMBOL_BAD } symbol_state;

/* A message whose size is in a value, and the version with which the size came. */
typedef struct sized_by {
    uint32_t since; /* 0: none */
    const model_decl *decl;
} sized_by;

struct symbol {
    const ast_decl *ast;
    unit *home;
    model_decl *out;
    symbol_state state;
    const model_type *type; /* once DONE: what the name of an alias, enum, flags, struct or union means as a type */
    sized_by sized;         /* const: of the messages in it the one that grew last */
    map members; /* enum, flags, errors: name -> model_member, those that are known so far, also while BUSY */
};

/* An import as one file sees it. */
typedef struct import_link {
    const ast_import *ast;
    unit *target; /* NULL: not found, or a cycle (reported) */
    const char *qualifier;
    bool used;
} import_link;

struct unit {
    const ast_file *ast;
    model_file *out;
    symbol_state loading; /* BUSY while its imports are read */
    uint32_t at_version;  /* the version that the tree was cut down to; 0: it is as it was read */
    map symbols;          /* name -> symbol */
    vector symbol_list;   /* symbol *, in the order of the file */
    map links;            /* qualifier -> import_link */
    vector link_list;     /* import_link * */
    vector completed;     /* const model_decl *: types, each after what it needs */
};

typedef struct compile {
    arena *memory;  /* of the model, and of all that does not say otherwise */
    arena *scratch; /* of trees and maps: what the front end alone looks at */
    diag *diagnostics;
    uint32_t max_message;
    vector units;     /* unit *, imported ones before those that import them */
    map by_identity;  /* canonical path -> unit */
    map by_qualified; /* qualified name -> symbol */
    vector busy;      /* symbol *: those being completed, the outermost first */
    uint32_t depth;
    uint32_t guesses;     /* names that were looked at for a suggestion: at most COMPILE_GUESSES_MOST */
    uint64_t composed;    /* methods that services took over: at most COMPILE_COMPOSED_MOST */
    map repeated;         /* what was said -> repeat */
    repeat *repeats;      /* all of them */
    bool deep_reported;   /* E114, once per run */
    bool deprecated_user; /* what is being looked at is deprecated itself: may use what is */
    const unit *home;     /* whose declaration is being looked at */
    sized_by sized;       /* of the messages in the value that is being evaluated the one that grew last */
    uint32_t since;       /* the version of its package that what is being looked at came with */
} compile;

/* Around each step of a recursion: false where it is too deep, which is reported at `at`. */
bool compile_enter(compile *run, span at);
void compile_leave(compile *run);

#endif
