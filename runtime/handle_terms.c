/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_terms.c - what a client says that it can, and what it makes of what the server has agreed to.
 */
#include "handle_lanes.h"

#include "error.h"
#include "message.h"
#include "mismatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of all methods together: what is older is not offered where a service has too many methods for its Hello to hold. */
#define REVISIONS_TOTAL 8192u

/* ---- Hello ---- */

int handle_describe(const shmrpc_service_info *service, control_hello *hello)
{
    uint32_t count = service->method_count;
    uint32_t most = count == 0 ? 0 : REVISIONS_TOTAL / count;
    size_t total = 0;
    uint64_t *fingerprints;
    uint32_t *sizes;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t own = revision_count(&service->methods[i]);

        total += own < most ? own : most;
    }
    *hello = (control_hello){.service = service_wire_name(service), .method_count = count};
    hello->methods =
        calloc(1, count * sizeof(*hello->methods) + total * (sizeof(*fingerprints) + 2 * sizeof(*sizes)) + 1);
    if (hello->methods == NULL) {
        return error_system(-ENOMEM, "cannot describe the service");
    }
    fingerprints = (uint64_t *)(void *)(hello->methods + count);
    sizes = (uint32_t *)(void *)(fingerprints + total);
    for (uint32_t i = 0; i < count; i++) {
        const shmrpc_method_info *method = &service->methods[i];
        uint32_t own = revision_count(method);

        own = own < most ? own : most;
        hello->methods[i] = (control_method){
            .name = method_wire_name(method),
            .revision_count = own,
            .fingerprints = fingerprints,
            .request_sizes = sizes,
            .answer_sizes = sizes + own,
            .oneway = (method->flags & SHMRPC_METHOD_ONEWAY) != 0,
        };
        for (uint32_t k = 0; k < own; k++) {
            shmrpc_revision_info of = revision_of(method, k);

            fingerprints[k] = of.fingerprint;
            sizes[k] = of.request_size;
            sizes[own + k] = of.answer_size;
        }
        fingerprints += own;
        sizes += (size_t)own * 2;
    }
    return 0;
}

/* ---- Welcome ---- */

static uint32_t revision_in(const control_welcome *welcome, uint32_t method)
{
    return welcome->method_revisions == NULL ? 0 : welcome->method_revisions[method];
}

/* What the server says of a method of which it has other layouts; NULL: nothing. */
static const control_mismatch *find_mismatch(const control_welcome *welcome, uint32_t method)
{
    for (uint32_t i = 0; i < welcome->mismatch_count; i++) {
        if (welcome->mismatches[i].method == method) {
            return &welcome->mismatches[i];
        }
    }
    return NULL;
}

static int error_mismatch(const handle *self, const control_welcome *welcome, uint32_t method)
{
    char line[MISMATCH_LINE_MAX + 1];

    mismatch_report(self->service, &self->service->methods[method], find_mismatch(welcome, method), welcome->version,
                    line);
    return error_set(SHMRPC_E_MISMATCH, "%s", line);
}

int handle_judge(const handle *self, const control_welcome *welcome)
{
    if (welcome->status != 0) {
        return welcome->status == SHMRPC_E_MISMATCH && self->service != NULL && welcome->mismatch_count != 0 &&
                       welcome->mismatches[0].method < self->service->method_count
                   ? error_mismatch(self, welcome, welcome->mismatches[0].method)
                   : 0;
    }
    for (uint32_t i = 0; i < welcome->method_count; i++) {
        uint32_t number = welcome->method_numbers[i];

        if (number == CONTROL_METHOD_MISMATCH && (self->service->flags & SHMRPC_SERVICE_STRICT) != 0) {
            return error_mismatch(self, welcome, i);
        }
        if (number < CONTROL_METHOD_MISMATCH && revision_in(welcome, i) >= self->hello.methods[i].revision_count) {
            return error_set(SHMRPC_E_PROTOCOL, "the server agrees to layout %u of %u of %s", revision_in(welcome, i),
                             self->hello.methods[i].revision_count, self->hello.methods[i].name);
        }
    }
    return 0;
}

/* Are its messages those of its own types, each in a slot and without an envelope; and is it never repeated? */
static bool is_direct(const handle *self, const shmrpc_method_info *method, const method_terms *terms)
{
    bool is_own = method->request == NULL || terms->request_size == method->request->size;
    bool is_small = terms->request_size <= SHMRPC_SLOT_PAYLOAD && terms->answer_size <= SHMRPC_SLOT_PAYLOAD;
    bool is_once = (method->flags & SHMRPC_METHOD_IDEMPOTENT) == 0 || !self->options.retry_idempotent;

    return is_own && is_small && is_once && self->hello.envelope == 0;
}

static method_terms terms_of(const handle *self, const shmrpc_method_info *method, uint32_t number, uint32_t revision)
{
    method_terms terms;

    if (number >= CONTROL_METHOD_MISMATCH) {
        terms = terms_none;
        terms.number = (uint16_t)number;
        return terms;
    }
    terms = revision_terms(method, revision);
    terms.number = (uint16_t)number;
    terms.direct = is_direct(self, method, &terms) ? terms.number : CONTROL_METHOD_MISSING;
    return terms;
}

/* Heap memory, or NULL. */
static char *report_of(const handle *self, const control_welcome *welcome, uint32_t method)
{
    char line[MISMATCH_LINE_MAX + 1];

    mismatch_report(self->service, &self->service->methods[method], find_mismatch(welcome, method), welcome->version,
                    line);
    return strdup(line);
}

handle_session *handle_session_new(const handle *self, const control_welcome *welcome, process_share *process)
{
    uint32_t count = welcome->method_count;
    handle_session *session = calloc(1, sizeof(*session) + count * sizeof(session->methods[0]));

    if (session == NULL) {
        return NULL;
    }
    session->process = process_enter(process);
    session->token = welcome->token;
    session->method_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = welcome->method_numbers[i];

        session->methods[i] = terms_of(self, &self->service->methods[i], number, revision_in(welcome, i));
        if (number != CONTROL_METHOD_MISMATCH) {
            continue;
        }
        if (session->reports == NULL) {
            session->reports = calloc(count, sizeof(*session->reports));
        }
        if (session->reports != NULL) {
            session->reports[i] = report_of(self, welcome, i);
        }
        if (session->reports == NULL || session->reports[i] == NULL) {
            handle_session_free(session);
            return NULL;
        }
    }
    return session;
}

void handle_session_free(handle_session *session)
{
    if (session == NULL) {
        return;
    }
    for (uint32_t i = 0; session->reports != NULL && i < session->method_count; i++) {
        free(session->reports[i]);
    }
    free(session->reports);
    process_leave(session->process);
    free(session);
}
