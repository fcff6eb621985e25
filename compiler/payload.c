/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.c - see payload.h.
 */
#include "payload.h"

#include "declare.h"
#include "records.h"
#include "resolve.h"

static bool inline_body(compile *run, const unit *from, const ast_payload *ast, const model_record *body,
                        const model_record **ret)
{
    model_record *record = arena_alloc(run->memory, sizeof(*record));
    *record = *body;
    record->kind = MODEL_RECORD_MESSAGE;
    if (!records_complete(run, from, record, ast->body, ast->at))
        return false;
    *ret = record;
    return true;
}

static bool named_message(compile *run, const unit *from, const ast_payload *ast, const model_record **ret)
{
    const char *rest;
    symbol *named = resolve_name(run, from, ast->name, &rest);
    if (!named)
        return false;
    if (rest || named->ast->kind != AST_MESSAGE) {
        diag_entry *entry = diag_add(run->diagnostics, DIAG_E507, ast->at, "'%s' is %s; a payload is a message",
                                     ast->name.text, rest ? "no message" : ast_decl_described(named->ast->kind));
        diag_note(entry, named->ast->name.at, "'%s' is declared here", named->ast->name.text);
        if (named->ast->kind == AST_STRUCT || named->ast->kind == AST_UNION)
            diag_fix(entry, "write an inline body: '({ %s value; })', or make it a message", ast->name.text);
        return false;
    }
    if (!declare_complete(run, named, ast->at))
        return false;
    resolve_use(run, named, NULL, ast->at);
    *ret = named->out->as.record;
    return true;
}

bool payload_complete(compile *run, const unit *from, const ast_payload *ast, const model_record *body,
                      const model_record **ret)
{
    return ast->body ? inline_body(run, from, ast, body, ret) : named_message(run, from, ast, ret);
}
