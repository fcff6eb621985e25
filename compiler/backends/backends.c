/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backends.c - the table of products.
 */
#include <string.h>

#include "backend.h"
#include "backends/c/c.h"
#include "backends/doc/doc.h"
#include "backends/json/json.h"
#include "backends/proto/proto.h"

const backend *const backends[] = {&backend_c, &backend_json, &backend_proto, &backend_doc, NULL};

const backend *backend_find(const char *name)
{
    for (const backend *const *each = backends; *each; each++) {
        if (strcmp((*each)->name, name) == 0)
            return *each;
    }
    return NULL;
}
