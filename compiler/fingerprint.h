/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fingerprint.h - what two sides compare to know that they mean the same bytes.
 *
 * A fingerprint is FNV-1a, 64 bits (Fowler, Noll, Vo; the constants are in
 * shmrpc/wire.h), of a canonical text. What is in the text is what the bytes
 * depend on: kinds, offsets, sizes, capacities, tags, and names of fields and
 * arms, the old ones where they were renamed. What is not: names of types,
 * members of enums and flags, docs, @since, @deprecated, @default, @c_name, the
 * order of what has no place of its own: arms stand in that of their tags.
 *
 *   record  = ( "struct" | "message" | "union" ) "(" size ")" "{" { field ";" } "}"
 *   field   = offset [ "?" has_offset ] ":" type " " name [ "=" tag ]
 *   type    = scalar | "enum:" scalar | "flags:" scalar | "string<" N ">" | "bytes<" N ">"
 *           | "vector<" type "," N ">" | type "[" N "]" | record | "#" fingerprint
 *
 * A record inside a record is written out; one whose text is longer than
 * FINGERPRINT_EXPANDED bytes is written as its fingerprint, 16 hexadecimal
 * digits, so that texts stay short however types are nested.
 *
 * A text is one of a revision: it has the fields of the versions up to that of
 * the package, and a record inside is written as it was then. One of another
 * package is written as it was at first, since it grows inside of its @size,
 * which is compatible both ways.
 */
#ifndef SHMRPC_COMPILER_FINGERPRINT_H
#define SHMRPC_COMPILER_FINGERPRINT_H

#include "model.h"
#include "support/arena.h"

#define FINGERPRINT_EXPANDED 4096

uint64_t fingerprint_text(const char *text);

/*
 * How a record looks to a file of a package at a version: its revision of that version where it is of the same
 * package, else its first one.
 */
const model_revision *fingerprint_revision(const model_record *record, const model_file *home, uint32_t version);

/* The text of a revision of which version, field_count and size are set, of a record in `home`. */
const char *fingerprint_canonical(const model_record *record, const model_file *home, const model_revision *revision,
                                  arena *memory);

/* Of the codes that were there at a version, in ascending order, and the layouts of payloads then. */
uint64_t fingerprint_errors(const model_members *errors, uint32_t version);

/*
 * Of kind, request, reply, which of them are streams, and errors; the payloads NULL for (), `errors` as of
 * fingerprint_errors() where it throws.
 */
uint64_t fingerprint_method(const model_method *method, const model_revision *request, const model_revision *reply,
                            uint64_t errors);

#endif
