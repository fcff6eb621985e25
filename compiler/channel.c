/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c - see channel.h.
 */
#include "channel.h"

#include "annotate.h"
#include "payload.h"
#include "versions.h"

/* More kept for who comes late than there is room for. */
static bool retain_is_right(compile *run, const annotate_result *notes)
{
    if (notes->retain == 0 || notes->depth == 0 || notes->retain <= notes->depth)
        return true;
    diag_entry *entry =
        diag_add(run->diagnostics, DIAG_E604, notes->retain_at, "%u messages are more than the depth, %u",
                 (unsigned)notes->retain, (unsigned)notes->depth);
    diag_fix(entry, "retain fewer, or make it deeper");
    return false;
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
    channel->depth = notes.depth;
    channel->overflow = notes.overflow;
    channel->reliable = notes.reliable;
    channel->retain = notes.retain;
    channel->attempts = notes.attempts;
    return payload_complete(run, named->home, ast->payload, &body, &channel->item) && retain_is_right(run, &notes);
}
