/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c - see channel.h.
 */
#include "channel.h"

#include "annotate.h"
#include "payload.h"
#include "versions.h"

#define RETAIN_MOST (UINT32_C(1) << 20)
#define ATTEMPTS_MOST 65535u

/* What is kept for who comes late: not more than there is room for. */
static uint32_t retained(compile *run, const ast_expr *written, uint32_t depth)
{
    uint32_t retain = annotate_count(run, written, RETAIN_MOST, "what is retained is 1 to 1048576 messages");
    if (depth == 0 || retain <= depth)
        return retain;
    diag_entry *entry = diag_add(run->diagnostics, DIAG_E604, written->at, "%u messages are more than the depth, %u",
                                 (unsigned)retain, (unsigned)depth);
    diag_fix(entry, "retain fewer, or make it deeper");
    return 0;
}

bool channel_complete(compile *run, symbol *named)
{
    const ast_decl *ast = named->ast;
    model_channel *channel = arena_alloc(run->memory, sizeof(*channel));
    model_record body = {.role = MODEL_ROLE_CHANNEL_ITEM, .decl = named->out};
    annotate_result notes;

    annotate_read(run, ast->notes, ast->kind == AST_TOPIC ? ANNOTATE_TOPIC : ANNOTATE_QUEUE, &notes);
    versions_declaration(run, &notes);
    named->out->notes = notes.notes;
    named->out->as.channel = channel;
    channel->decl = named->out;
    channel->depth = annotate_depth(run, notes.depth);
    channel->overflow = notes.overflow;
    channel->reliable = notes.reliable;
    channel->retain = retained(run, notes.retain, channel->depth);
    channel->attempts = annotate_count(run, notes.attempts, ATTEMPTS_MOST, "there are 1 to 65535 attempts");
    return payload_complete(run, named->home, ast->payload, &body, &channel->item);
}
