/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fingerprint.h - what two sides compare to know that they mean the same bytes.
 *
 * A fingerprint is FNV-1a, 64 bits (Fowler, Noll, Vo; the constants are in
 * shmrpc/wire.h), of a canonical text. What is in the text is what the bytes
 * depend on: kinds, offsets, sizes, capacities, tags, and names of fields and
 * arms. What is not: names of types, members of enums and flags, docs,
 * @deprecated, @default, @c_name.
 *
 *   record  = ( "struct" | "message" | "union" ) "(" size ")" "{" { field ";" } "}"
 *   field   = offset [ "?" has_offset ] ":" type " " name [ "=" tag ]
 *   type    = scalar | "enum:" scalar | "flags:" scalar | "string<" N ">" | "bytes<" N ">"
 *           | "vector<" type "," N ">" | type "[" N "]" | record | "#" fingerprint
 *
 * A record inside a record is written out; one whose text is longer than
 * FINGERPRINT_EXPANDED bytes is written as its fingerprint, 16 hexadecimal
 * digits, so that texts stay short however types are nested.
 */
#ifndef SHMRPC_COMPILER_FINGERPRINT_H
#define SHMRPC_COMPILER_FINGERPRINT_H

#include "model.h"
#include "support/arena.h"

#define FINGERPRINT_EXPANDED 4096

uint64_t fingerprint_text(const char *text);

/* Sets `canonical` and `fingerprint` of a record that is laid out. */
void fingerprint_record(model_record *record, arena *memory);

/* Of codes, in ascending order, and the layouts of payloads. */
uint64_t fingerprint_errors(const model_members *errors);

/* Of kind, request, reply and errors. */
uint64_t fingerprint_method(const model_method *method);

#endif
