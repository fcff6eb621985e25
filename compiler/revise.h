/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revise.h - how records and methods have looked, from the version that they came with to the newest.
 *
 * A revision is made wherever a version of the package changed what the fingerprint covers: a field was added, or a type
 * of the same package grew inside of its @size. Nothing is kept from one compilation to the next: old layouts are
 * what is left of the newest one without the fields that came later.
 */
#ifndef SHMRPC_COMPILER_REVISE_H
#define SHMRPC_COMPILER_REVISE_H

#include "model.h"
#include "support/arena.h"

/* Sets `canonical`, `fingerprint` and `revisions` of a record that is laid out; it came with version `since`. */
void revise_record(arena *memory, model_record *record, uint32_t since);

/*
 * Sets `fingerprint` and `revisions` of a method of a service in `home`. Payloads and errors of an imported package
 * have versions of their own: a method has a revision for each pair of them that can meet, the oldest first.
 */
void revise_method(arena *memory, model_method *method, const model_file *home);

#endif
