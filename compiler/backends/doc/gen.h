/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen.h - what the parts of the doc backend share: one schema file on its way to a page.
 *
 * Names stand in code spans, and nothing in a name can end one. All other text of the schema's goes through doc_text()
 * or doc_cell(). A declaration's place has its qualified name as its anchor, a method's that and its own: such names
 * have dots in them, so that no anchor is one that a forge makes of a heading.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_DOC_GEN_H
#define SHMRPC_COMPILER_BACKENDS_DOC_GEN_H

#include "model.h"
#include "support/arena.h"
#include "support/buffer.h"

typedef struct doc_gen {
    const model_file *file;
    arena *memory;
    buffer *to;
} doc_gen;

/* Text as it is, in a paragraph of its own: nothing in it means anything to Markdown; lines stay lines where they
   begin with more than a word. */
const char *doc_text(arena *memory, const char *text);

/* The same on one line, for a cell of a table or a part of a sentence. */
const char *doc_cell(arena *memory, const char *text);

/* "demo/kv.shm" as a page: "demo/kv.md" */
const char *doc_path(arena *memory, const model_file *file);

/* Where the anchor `name` of a file is, as a target of a link from the page that is being made. */
const char *doc_target(doc_gen *g, const model_file *file, const char *name);

/* "[`Pair`](#demo.calc.Pair)"; a declaration of another package has its qualified name. */
const char *doc_link(doc_gen *g, const model_decl *decl);

/* "[`Stamp`](#demo.kv.Stamp)`[4]`", "`vector<string<8>, 4>`" */
const char *doc_type(doc_gen *g, const model_type *type);

const char *doc_field_type(doc_gen *g, const model_field *field); /* with a '?' where it is optional */

/* A method's or a channel's message: a link, "inline", or "none"; a stream says that it is one. */
const char *doc_payload(doc_gen *g, const model_record *record, bool is_stream);

/* A heading of this depth with an anchor, then documentation and what is deprecated, renamed and since when. */
void doc_heading(doc_gen *g, unsigned depth, const char *kind, const char *name, const char *anchor);
void doc_notes(doc_gen *g, const model_notes *notes);

/* Of a row of a table: documentation, and what doc_notes() says beyond it but for `since`. */
const char *doc_notes_cell(doc_gen *g, const model_notes *notes);
const char *doc_since_cell(doc_gen *g, const model_notes *notes);

/* A row of a table: cells of Markdown up to one that is NULL. */
#define DOC_ROW(g, ...) doc_row((g), (const char *const[]){__VA_ARGS__, NULL})
void doc_row(doc_gen *g, const char *const *cells);

/* "Reserved: 4, 7..9, "QUOTA".", where there is anything. */
void doc_reserved(doc_gen *g, const model_reserved *reserved, uint32_t count);

/* The layout of a record, with what is to be known of it; without a heading. */
void doc_record(doc_gen *g, const model_record *record);
void doc_members(doc_gen *g, const model_members *members);
void doc_service(doc_gen *g, const model_service *service);
void doc_channel(doc_gen *g, const model_decl *decl);

#endif
