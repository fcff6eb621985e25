/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spell.h - types, values and annotations as a schema writes them, for products that show them to people.
 *
 * Declarations have their qualified names, and aliases are written as what they stand for. All texts are in the arena.
 */
#ifndef SHMRPC_COMPILER_SPELL_H
#define SHMRPC_COMPILER_SPELL_H

#include "model.h"
#include "support/arena.h"

/* "uint16[2][3]", "vector<string<8>, 4>", "demo.kv.Stamp" */
const char *spell_type(arena *memory, const model_type *type);

/* "bool" … "float64", "enum", "flags", "struct", "union", "string", "bytes", "vector", "array". */
const char *spell_kind(model_kind kind);

/* 60, 0.5, true, "text", UPSERT, READ | WRITE. `value` is one of a constant or a default: not NONE. */
const char *spell_value(arena *memory, const model_type *type, const model_value *value);
const char *spell_integer(arena *memory, bool negative, uint64_t magnitude);
const char *spell_float(arena *memory, double value); /* the shortest that reads back as the same */

/* A literal of the language: quoted, with nothing in it that is not shown as it is. */
const char *spell_string(arena *memory, const char *text, size_t length);

/* "1 byte", "16 bytes" */
const char *spell_bytes(arena *memory, uint32_t bytes);

/* A deadline: "50ms", "none". */
const char *spell_duration(arena *memory, int64_t duration_ns);

/* "4, 7..9, \"QUOTA\"" */
const char *spell_reserved(arena *memory, const model_reserved *reserved, uint32_t count);

/* What @since and @renamed_from say, each with a space behind it: "@since(2) ", or "". */
const char *spell_notes(arena *memory, const model_notes *notes);

/* "strict enum Mode : uint8", "@depth(64) topic ticks(demo.kv.Tick)": the head of a declaration, with its annotations. */
const char *spell_decl(arena *memory, const model_decl *decl);

/* "@since(2) @default(60) uint32 ttl_s", "demo.kv.Stamp stored = 1" */
const char *spell_field(arena *memory, const model_record *record, const model_field *field);

/* "@since(2) WATCH = 4", "TOO_LARGE(demo.kv.Limit) = 3" */
const char *spell_member(arena *memory, const model_member *member);

/* "@deadline(50ms) rpc get(demo.kv.GetRequest) -> (stream demo.kv.GetReply) throws demo.kv.Error"; an inline body is
   written as {...}. */
const char *spell_method(arena *memory, const model_method *method);

/* "HTTPServer2" is "http_server2", "getURL" is "get_url", "KEY_MAX" is "key_max". */
const char *spell_snake(arena *memory, const char *name);
const char *spell_upper(arena *memory, const char *name);  /* in capitals */
const char *spell_pascal(arena *memory, const char *name); /* "get_url" is "GetUrl" */

/*
 * Documentation that can be shown: line ends stay, other control characters become spaces, and characters that would
 * change how the text around them is shown are written as <U+202E>.
 */
const char *spell_visible(arena *memory, const char *text);

#endif
