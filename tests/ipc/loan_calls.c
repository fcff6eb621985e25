/* SPDX-License-Identifier: Apache-2.0 */
#include "loan_calls.h"

#include "probe_pair.h"

#define LOAN_BLOCKS 4

const shmrpc_client_options loan_options = {.depth = LOAN_DEPTH, .blocks = LOAN_BLOCKS};

static probe_blob filler, answer;

bool loan_is_within(const void *at, const shmrpc_call *call)
{
    return (const char *)at >= (const char *)call && (const char *)at < (const char *)(call + 1);
}

probe_blob *loan_blob(shmrpc_call *call)
{
    void *request = NULL;

    assert_status(shmrpc_call_loan(client, call, PROBE_BLOB, &request), 0);
    ck_assert_ptr_nonnull(request);
    return request;
}

/* A call whose reply is in a block. */
void loan_start_blob(shmrpc_call *call, uint64_t value)
{
    probe_blob *request = loan_blob(call);

    probe_blob_fill(request, value, 2000);
    assert_status(shmrpc_call_start_loaned(call, shmrpc_default(), NULL), 0);
}

/* Is the reply to loan_start_blob() in place? What lies beyond its bytes is of any value. */
const probe_blob *loan_view_blob(shmrpc_call *call, uint64_t value)
{
    const void *view = NULL;

    assert_status(shmrpc_call_view(call, &view), 0);
    ck_assert(probe_is_shared(view));
    probe_blob_fill(&filler, value, 2000);
    const probe_blob *blob = view;
    ck_assert(blob->value == value + 1 && blob->length == 2000);
    for (uint32_t i = 0; i < 2000; i++)
        ck_assert_uint_eq(blob->bytes[i], filler.bytes[i] ^ 0xffu);
    return blob;
}

/* Can all blocks be taken, by loans and by answers that are not read, and no more than there are? */
void loan_expect_all_blocks(void)
{
    shmrpc_call calls[LOAN_BLOCKS] = {0}, late = {0};
    void *request;

    assert_status(probe_ping(client, shmrpc_default()), 0); /* what was sent before has been answered */
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        (void)loan_blob(&calls[i]);
    assert_status(shmrpc_call_loan(client, &late, PROBE_BLOB, &request), SHMRPC_E_AGAIN);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        shmrpc_call_abandon(&calls[i]);
    probe_blob_fill(&filler, 5, 1000);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++)
        assert_status(shmrpc_call_start(client, &calls[i], PROBE_BLOB, &filler, shmrpc_forever(), NULL), 0);
    assert_status(shmrpc_call_start(client, &late, PROBE_BLOB, &filler, shmrpc_forever(), NULL), SHMRPC_E_AGAIN);
    for (unsigned i = 0; i < LOAN_BLOCKS; i++) {
        assert_status(shmrpc_call_wait(&calls[i], &answer), 0);
        ck_assert(probe_blob_answers(&answer, 5, 1000));
    }
}

void loan_setup(void)
{
    probe_pair_begin(&loan_options);
    ck_assert(probe_answers_rightly(client, 1, 3));
}

void loan_teardown(void)
{
    if (client != NULL && shmrpc_client_state(client) == SHMRPC_CLIENT_UP)
        loan_expect_all_blocks();
    probe_pair_end();
}
