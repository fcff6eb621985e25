/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_agreement.c - what a typed service and a client agree on in the handshake: for each of the client's methods,
 * the newest layout that both have.
 */
#include "service_typed.h"

#include "error.h"
#include "log.h"
#include "mismatch.h"

#include <stdlib.h>
#include <string.h>

int typed_compare_names(const void *a, const void *b)
{
    return strcmp(((const typed_name *)a)->name, ((const typed_name *)b)->name);
}

/* Bytes of layouts' texts in a Welcome. */
#define TEXTS_MAX ((size_t)64 * 1024)

/* What agreeing with one client has come to. */
typedef struct agreement {
    const typed_service *with;
    service_terms terms;
    method_terms *own; /* by the server's numbers */
    size_t texts;      /* bytes that there is room for */
    bool has_former;   /* not all revisions are the client's newest */
} agreement;

/* The revision of the client's that is the newest of those that the server has too, and as what: both from the newest. */
static bool find_revision(const shmrpc_method_info *method, const control_method *asked, uint32_t *ret_theirs,
                          uint32_t *ret_ours)
{
    uint32_t count = revision_count(method);

    for (uint32_t ours = 0; ours < count; ours++) {
        shmrpc_revision_info of = revision_of(method, ours);

        for (uint32_t theirs = 0; theirs < asked->revision_count; theirs++) {
            if (asked->fingerprints[theirs] == of.fingerprint && asked->request_sizes[theirs] == of.request_size &&
                asked->answer_sizes[theirs] == of.answer_size) {
                *ret_theirs = theirs;
                *ret_ours = ours;
                return ((method->flags & SHMRPC_METHOD_ONEWAY) != 0) == asked->oneway;
            }
        }
    }
    return false;
}

/* Says how the server has a method, if not too many have been told. 0 or NO_MEMORY. */
static int tell_mismatch(agreement *self, const shmrpc_method_info *method, uint32_t index)
{
    service_terms *terms = &self->terms;

    if (terms->mismatches == NULL) {
        terms->mismatches = calloc(CONTROL_MISMATCHES_MAX, sizeof(*terms->mismatches));
    }
    if (terms->mismatches != NULL && terms->mismatch_count == CONTROL_MISMATCHES_MAX) {
        return 0;
    }
    if (terms->mismatches == NULL ||
        mismatch_describe(method, index, &self->texts, &terms->mismatches[terms->mismatch_count]) != 0) {
        return error_set(SHMRPC_E_NO_MEMORY, "the server is out of memory");
    }
    terms->mismatch_count++;
    return 0;
}

static int agree_on(agreement *self, const control_method *asked, uint32_t index)
{
    const shmrpc_service_info *info = self->with->binding.service;
    const typed_name key = {asked->name, 0};
    const typed_name *known = bsearch(&key, self->with->names, info->method_count, sizeof(key), typed_compare_names);
    service_terms *terms = &self->terms;
    const shmrpc_method_info *method;
    method_terms agreed;
    uint32_t theirs;
    uint32_t ours;

    terms->method_numbers[index] = CONTROL_METHOD_MISSING;
    if (known == NULL) {
        return 0;
    }
    method = &info->methods[known->number];
    if (!find_revision(method, asked, &theirs, &ours)) {
        terms->method_numbers[index] = CONTROL_METHOD_MISMATCH;
        if (terms->mismatch_count == 0 && (info->flags & SHMRPC_SERVICE_STRICT) != 0) {
            terms->is_refused = true;
            (void)error_set(SHMRPC_E_MISMATCH, "%s.%s: the server has it in another layout, and takes only the same",
                            info->name, method->name);
        }
        return tell_mismatch(self, method, index);
    }
    agreed = revision_terms(method, ours);
    if (self->own[known->number].request_least <= self->own[known->number].request_size &&
        memcmp(&self->own[known->number], &agreed, sizeof(agreed)) != 0) {
        return error_set(SHMRPC_E_PROTOCOL, "%s.%s is asked for twice, in two layouts", info->name, method->name);
    }
    self->own[known->number] = agreed;
    terms->method_numbers[index] = known->number;
    terms->method_revisions[index] = theirs;
    self->has_former = self->has_former || theirs != 0;
    service_terms_add(terms, agreed.request_size, agreed.answer_size);
    return 0;
}

/* 0 or NO_MEMORY. */
static int agreement_begin(agreement *self, const typed_service *with, uint32_t method_count)
{
    uint32_t own_count = with->binding.service->method_count;

    *self = (agreement){.with = with, .texts = TEXTS_MAX};
    self->terms.version = with->binding.service->version;
    self->terms.takes_envelopes = true;
    self->terms.method_count = method_count;
    self->terms.method_numbers = calloc((size_t)method_count + 1, sizeof(*self->terms.method_numbers));
    self->terms.method_revisions = calloc((size_t)method_count + 1, sizeof(*self->terms.method_revisions));
    self->own = calloc((size_t)own_count + 1, sizeof(*self->own));
    if (self->terms.method_numbers == NULL || self->terms.method_revisions == NULL || self->own == NULL) {
        return error_set(SHMRPC_E_NO_MEMORY, "the server is out of memory");
    }
    for (uint32_t i = 0; i < own_count; i++) {
        self->own[i] = terms_none;
    }
    return 0;
}

/* A client that has agreed on nothing but newest revisions needs no table of its own. */
static void agreement_end(agreement *self)
{
    const typed_service *with = self->with;

    if (!self->has_former) {
        free(self->terms.method_revisions);
        self->terms.method_revisions = NULL;
    }
    self->terms.owns_methods =
        memcmp(self->own, with->newest, with->binding.service->method_count * sizeof(*self->own)) != 0;
    self->terms.methods = self->terms.owns_methods ? self->own : with->newest;
    if (!self->terms.owns_methods) {
        free(self->own);
    }
}

int typed_agree(const service *self, const control_hello *hello, service_terms *ret_terms)
{
    agreement made;
    int rc;

    if (strcmp(hello->service, self->name) != 0) {
        char line[ERROR_LINE_MAX + 1];

        return error_set(SHMRPC_E_REFUSED, "the server offers %s, not '%s'", self->name,
                         log_text(line, sizeof(line), hello->service, strlen(hello->service)));
    }
    rc = agreement_begin(&made, (const typed_service *)(const void *)self, hello->method_count);
    for (uint32_t i = 0; rc == 0 && i < hello->method_count; i++) {
        rc = agree_on(&made, &hello->methods[i], i);
    }
    if (rc != 0) {
        free(made.own);
        service_terms_deinit(&made.terms);
        return rc;
    }
    agreement_end(&made);
    *ret_terms = made.terms;
    return 0;
}
