/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - the tokens between scanner and grammar, and the state of a parse; for syntax.c and its like only.
 */
#ifndef SHMRPC_COMPILER_FILTER_H
#define SHMRPC_COMPILER_FILTER_H

#include "parse.h"
#include "parser.h"

#define FILTER_QUEUE_MOST 8

typedef struct token {
    int kind;
    PARSER_STYPE value;
    span at;
} token;

struct parse {
    arena *memory;
    arena *nodes;
    diag *diagnostics;
    const source *text;
    ast_file *file;
    void *scanner;                  /* flex's */
    span scanned;                   /* where the scanner is: the place of its last token */
    span code_end;                  /* of the last token that is no doc comment */
    token queue[FILTER_QUEUE_MOST]; /* handed out before the scanner is asked */
    unsigned queued;
    token last;    /* what was handed out last, */
    token before;  /* and before that */
    vector braces; /* span: of each '{' that is open */
    bool skipping;
    uint32_t skip_depth; /* how many braces were open where the mistake was */
    uint32_t given_back; /* 1 + where the token was that give_back() saw last */
    bool cut;            /* the file ends within a comment (reported) */
    bool deep_reported;
    const ast_notes *doc_of; /* whose doc is in doc_text, with room left */
    char *doc_text;
    size_t doc_length;
    size_t doc_size;
    bool astray;        /* a mistake outside of braces was reported, and no declaration has been made out since */
    uint32_t nest_told; /* 1 + the '{' that a declaration was found behind, which was reported */
    uint32_t stray_end; /* behind the last stray character */
    uint32_t mended;    /* 1 + where an entry was gone on with behind a mistake: see is_aftermath() */
    uint32_t handed;    /* how many tokens of the file were handed out, */
    uint32_t surprised; /* and how many when one was unexpected last, */
    span surprise;      /* which is here; without a file: never */
    uint32_t opened;    /* 1 + where a '{' was that was unexpected, which was reported; 0: none */
    uint32_t misnamed;  /* 1 + the end of the last name that is a word of the language */
};

/* Bison's source of tokens. */
int parser_lex(PARSER_STYPE *value, PARSER_LTYPE *place, parse *state);

/* Whether a line ends between two places. */
bool filter_newline_between(const parse *state, span first, span second);

/* Whether a token is a word that begins a declaration, in column 1. */
bool filter_begins_declaration(const parse *state, const token *word);

/*
 * Hands `first`, which is not in the file, to the parser, and then the token that was unexpected once more, with the
 * one before it where `with_before`. Not twice for one token, so that there is always progress: false then.
 */
bool filter_give_back(parse *state, int first, bool with_before);

/* What was unexpected ends no entry: from the next token on, skip to where its entry ends. */
void filter_skip(parse *state);

/* E108. */
void mistake_unclosed(parse *state, span open, span found);

/* E110 for `required`, `repeated` or `optional` before a type. */
void mistake_label(parse *state, const token *label);

#endif
