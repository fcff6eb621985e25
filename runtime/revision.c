/* SPDX-License-Identifier: Apache-2.0 */
#include "revision.h"

#include "control.h"
#include "message.h"

#include <assert.h>

const method_terms terms_none = {.request_least = 1,
                                 .reply_least = 1,
                                 .number = CONTROL_METHOD_MISSING,
                                 .direct = CONTROL_METHOD_MISSING};

uint32_t revision_count(const shmrpc_method_info *method)
{
    return method->former_count < CONTROL_REVISIONS_MAX ? method->former_count + 1 : CONTROL_REVISIONS_MAX;
}

shmrpc_revision_info revision_of(const shmrpc_method_info *method, uint32_t index)
{
    assert(index <= method->former_count);
    if (index != 0) {
        return method->former[method->former_count - index];
    }
    return (shmrpc_revision_info){
        .fingerprint = method->fingerprint,
        .request_size = method->request == NULL ? 0 : method->request->size,
        .request_min_size = method->request == NULL ? 0 : method->request->min_size,
        .reply_size = method->reply == NULL ? 0 : method->reply->size,
        .reply_min_size = method->reply == NULL ? 0 : method->reply->min_size,
        .answer_size = message_answer_size(method),
    };
}

method_terms revision_terms(const shmrpc_method_info *method, uint32_t index)
{
    shmrpc_revision_info of = revision_of(method, index);

    return (method_terms){
        .request_least = of.request_min_size,
        .request_size = of.request_size,
        .reply_least = of.reply_min_size,
        .reply_size = of.reply_size,
        .answer_size = of.answer_size,
        .number = CONTROL_METHOD_MISSING,
        .direct = CONTROL_METHOD_MISSING,
    };
}
