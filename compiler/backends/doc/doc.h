/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc.h - the product "doc": NAME.md, reference pages in Markdown (docs/reference-pages.md).
 */
#ifndef SHMRPC_COMPILER_BACKENDS_DOC_DOC_H
#define SHMRPC_COMPILER_BACKENDS_DOC_DOC_H

#include "backend.h"

extern const backend backend_doc;

#endif
