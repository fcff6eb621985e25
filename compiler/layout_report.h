/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_report.h - layouts for people and for programs.
 */
#ifndef SHMRPC_COMPILER_LAYOUT_REPORT_H
#define SHMRPC_COMPILER_LAYOUT_REPORT_H

#include "model.h"
#include "support/buffer.h"
#include "support/vector.h"

/* Both add to `out` what `entries` (layout_entry) look like. */
void layout_report_plain(arena *memory, const vector *entries, buffer *out);
void layout_report_json(arena *memory, const vector *entries, buffer *out);

#endif
