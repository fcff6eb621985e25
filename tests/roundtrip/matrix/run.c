/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - each type in each position through a lane: a server in a thread, a client beside it, and calls by the typed
 * functions. A case per type.
 *
 * What passes: each value is filled into memory of garbage. The operation is given a request, and the caller a reply,
 * that is byte for byte what the same assignments make of memory of zeros. So all values have come over, and all that
 * has no meaning (padding, what lies beyond a length, absent values, unused bytes of a body) was zero on the wire.
 *
 * What does not: each value that is to be refused is so three times: by the sender, with its field named, before anything
 * is sent; by a server whose client sends it all the same; and by a client whose server does. The liars are the same
 * tables with neither `validate` nor `store`: they send the bytes of the struct as they are. With these garbage in
 * padding and in unused bytes is sent too, and ignored.
 *
 * What has come with version 2 is exchanged with a side that has version 1, by tables from which it is taken away.
 */
#include <pthread.h>
#include <shmrpc/log.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "matrix/cells.h"
#include "roundtrip.h"
#include "test_support.h"

#define ANSWER_MAX 65536

/* What the next operation does, and what the last one was given. Both threads hold the lock. */
static struct {
    pthread_mutex_t lock;
    const matrix_cell *cell;
    unsigned value;     /* of the answer */
    int fault;          /* of the answer; -1: none */
    unsigned char fill; /* what is in its memory before */
    size_t first;       /* how many bytes of request and answer there are; 0: all */
    unsigned handled;
    _Alignas(16) unsigned char request[ANSWER_MAX];
    char dropped[512]; /* what the log said of the last client that was dropped */
} stage = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic(unsigned) drops;

/* What all cases have done, which are processes. */
typedef struct totals {
    atomic_ullong values, in_slot, in_block, refused_by_sender, refused_by_server, refused_by_client, garbage,
        of_before;
} totals;

static totals *done;

static void record_make(const matrix_record *record, void *to, int garbage, unsigned value)
{
    memset(to, garbage, record->info->size);
    record->set(to, value);
}

int matrix_answer(const void *request, void *answer)
{
    const matrix_record *record;

    pthread_mutex_lock(&stage.lock);
    record = stage.cell->answer;
    stage.handled++;
    memcpy(stage.request, request, stage.first != 0 ? stage.first : stage.cell->request->info->size);
    if (stage.first != 0) {
        _Alignas(16) unsigned char whole[ANSWER_MAX] = {0};
        record->set(whole, stage.value);
        memcpy(answer, whole, stage.first);
    } else {
        memset(answer, stage.fill, record->info->size);
        if (stage.fault >= 0)
            record->spoil(answer, (unsigned)stage.fault);
        else
            record->set(answer, stage.value);
    }
    pthread_mutex_unlock(&stage.lock);
    return 0;
}

static void stage_set(const matrix_cell *cell, unsigned value, int fault, unsigned char fill)
{
    pthread_mutex_lock(&stage.lock);
    stage.cell = cell;
    stage.value = value;
    stage.fault = fault;
    stage.fill = fill;
    stage.first = 0;
    pthread_mutex_unlock(&stage.lock);
}

/* The server is one of before: it has these first bytes of the messages, and no more. */
static void stage_answer_of_before(const matrix_cell *cell, unsigned value, size_t first)
{
    stage_set(cell, value, -1, 0);
    pthread_mutex_lock(&stage.lock);
    stage.first = first;
    pthread_mutex_unlock(&stage.lock);
}

static unsigned stage_handled(void)
{
    pthread_mutex_lock(&stage.lock);
    unsigned handled = stage.handled;
    pthread_mutex_unlock(&stage.lock);
    return handled;
}

static void *memory_new(size_t size)
{
    void *memory = calloc(1, size);

    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void expect_same(const matrix_cell *cell, const char *what, unsigned value, const void *found,
                        const void *wanted, size_t size)
{
    const unsigned char *a = found, *b = wanted;

    /* Each assertion costs Check a message to its runner, so there is one for what differs only. */
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            ck_abort_msg("%s: %s of value %u: byte %zu of %zu is %02x, not %02x", cell->position, what, value, i, size,
                         a[i], b[i]);
    }
}

/* ---- the two sides, honest or not ---- */

typedef struct pair {
    const matrix_row *row;
    shmrpc_server server;
    roundtrip_host host;
    void *client; /* typed, or a liar's */
    shmrpc_service_info lies;
    shmrpc_method_info *methods;
    shmrpc_type_info *types; /* two for each method */
    shmrpc_errors_info *errors;
    shmrpc_error_info *error_items;
} pair;

static const shmrpc_type_info *without_checks(shmrpc_type_info *to, const shmrpc_type_info *of)
{
    if (of == NULL)
        return NULL;
    *to = *of;
    to->store = NULL;
    to->validate = NULL;
    return to;
}

/* The tables of the row's service, with messages that are sent as they lie in memory, and taken as they come. */
static void lies_make(pair *on)
{
    const shmrpc_service_info *service = on->row->service;
    size_t count = service->method_count;

    on->lies = *service;
    on->methods = memory_new(count * sizeof *on->methods);
    on->types = memory_new(3 * count * sizeof *on->types);
    on->errors = memory_new(count * sizeof *on->errors);
    on->error_items = memory_new(count * sizeof *on->error_items);
    for (size_t i = 0; i < count; i++) {
        shmrpc_method_info *method = &on->methods[i];
        *method = service->methods[i];
        method->request = without_checks(&on->types[3 * i], method->request);
        method->reply = without_checks(&on->types[3 * i + 1], method->reply);
        if (method->errors != NULL) {
            ck_assert_uint_eq(method->errors->count, 1);
            on->error_items[i] = method->errors->items[0];
            on->error_items[i].payload = without_checks(&on->types[3 * i + 2], on->error_items[i].payload);
            on->errors[i] = *method->errors;
            on->errors[i].items = &on->error_items[i];
            method->errors = &on->errors[i];
        }
    }
    on->lies.methods = on->methods;
}

static void lies_free(pair *on)
{
    free(on->methods);
    free(on->types);
    free(on->errors);
    free(on->error_items);
}

static void pair_begin(pair *on, const matrix_row *row)
{
    *on = (pair){.row = row};
    lies_make(on);
    ck_assert_int_eq(row->server_init(&on->server, "matrix"), 0);
    roundtrip_start(&on->host, &on->server);
}

static void pair_begin_with_liar_serving(pair *on, const matrix_row *row)
{
    *on = (pair){.row = row};
    lies_make(on);
    shmrpc_server_binding binding = {.service = &on->lies, .operations = row->operations};
    ck_assert_int_eq(shmrpc_server_init(&on->server, &binding, "matrix", NULL), 0);
    roundtrip_start(&on->host, &on->server);
}

static void pair_connect(pair *on)
{
    ck_assert_int_eq(on->row->connect(&on->client, "matrix"), 0);
}

static void pair_connect_liar(pair *on)
{
    shmrpc_client *client;

    ck_assert_int_eq(shmrpc_client_connect(&client, "matrix", &on->lies, NULL), 0);
    on->client = client;
}

static void pair_disconnect(pair *on)
{
    shmrpc_client_free(on->client);
    on->client = NULL;
}

static void pair_end(pair *on)
{
    pair_disconnect(on);
    roundtrip_stop(&on->host);
    shmrpc_server_deinit(&on->server);
    lies_free(on);
}

static uint32_t method_of(const pair *on, const matrix_cell *cell)
{
    return (uint32_t)(cell - on->row->cells);
}

/* ---- what passes ---- */

/* The caller has this reply, or payload. */
static void expect_answer(const matrix_cell *cell, unsigned value, int rc, const void *client, const void *reply)
{
    const matrix_record *record = cell->answer;
    void *wanted = memory_new(record->info->size);
    const void *found = reply;

    ck_assert_msg(rc == cell->error, "%s: value %u: %d, %s", cell->position, value, rc, shmrpc_last_error());
    if (cell->payload != NULL)
        found = cell->payload(client);
    ck_assert_ptr_nonnull(found);
    record_make(record, wanted, 0, value);
    expect_same(cell, "the answer", value, found, wanted, roundtrip_used(record->info, wanted));
    free(wanted);
}

static void count_message(const shmrpc_type_info *info)
{
    atomic_fetch_add(info->size <= SHMRPC_SLOT_PAYLOAD ? &done->in_slot : &done->in_block, 1);
}

static void value_passes(pair *on, const matrix_cell *cell, unsigned value, unsigned char fill)
{
    size_t request_size = cell->request->info->size;
    void *request = memory_new(request_size), *wanted = memory_new(request_size);
    void *reply = memory_new(cell->answer->info->size);
    unsigned handled = stage_handled();

    record_make(cell->request, request, fill, value);
    record_make(cell->request, wanted, 0, value);
    memset(reply, fill, cell->answer->info->size);
    stage_set(cell, value + 1, -1, fill);
    int rc = cell->call(on->client, request, reply);
    expect_answer(cell, value + 1, rc, on->client, reply);
    ck_assert_uint_eq(stage_handled(), handled + 1);
    pthread_mutex_lock(&stage.lock);
    expect_same(cell, "the request", value, stage.request, wanted, roundtrip_used(cell->request->info, wanted));
    pthread_mutex_unlock(&stage.lock);
    free(request);
    free(wanted);
    free(reply);
    atomic_fetch_add(&done->values, 1);
    count_message(cell->request->info);
    count_message(cell->answer->info);
}

/* One value after the other is another one, so that a call that carries nothing is noticed. */
static void values_differ(const matrix_record *record)
{
    unsigned char *one = memory_new(record->info->size), *next = memory_new(record->info->size);

    ck_assert_uint_ge(record->value_count, 2);
    for (unsigned value = 0; value + 1 < record->value_count; value++) {
        record_make(record, one, 0, value);
        record_make(record, next, 0, value + 1);
        ck_assert(memcmp(one, next, record->info->size) != 0);
    }
    free(one);
    free(next);
}

static void cell_passes(pair *on, const matrix_cell *cell)
{
    unsigned most = cell->request->value_count;

    if (cell->answer->value_count > most)
        most = cell->answer->value_count;
    values_differ(cell->request);
    values_differ(cell->answer);
    for (unsigned value = 0; value < most; value++) {
        value_passes(on, cell, value, 0xFF);
        value_passes(on, cell, value, 0xA5);
    }
}

/* ---- what does not ---- */

static void expect_text(const matrix_cell *cell, const char *text, const matrix_fault *fault)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "'%s': %s", fault->field, fault->reason);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s: %s is not said in: %s", cell->position, wanted, text);
}

static void senders_refuse(pair *on, const matrix_cell *cell)
{
    void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);

    for (unsigned i = 0; i < cell->request->fault_count; i++) {
        unsigned handled = stage_handled();
        memset(request, 0xA5, cell->request->info->size);
        cell->request->spoil(request, i);
        int rc = cell->call(on->client, request, reply);
        ck_assert_msg(rc == SHMRPC_E_INVALID, "%s: fault %u: %d", cell->position, i, rc);
        expect_text(cell, shmrpc_last_error(), &cell->request->faults[i]);
        ck_assert_uint_eq(stage_handled(), handled);
        atomic_fetch_add(&done->refused_by_sender, 1);
    }
    for (unsigned i = 0; i < cell->answer->fault_count; i++) {
        record_make(cell->request, request, 0, 0);
        stage_set(cell, 0, (int)i, 0xA5);
        ck_assert_int_eq(cell->call(on->client, request, reply), SHMRPC_E_INTERNAL);
        memset(reply, 0xA5, cell->answer->info->size);
        cell->answer->spoil(reply, i);
        ck_assert_int_eq(shmrpc_message_check(cell->answer->info, reply), SHMRPC_E_INVALID);
        expect_text(cell, shmrpc_last_error(), &cell->answer->faults[i]);
        atomic_fetch_add(&done->refused_by_sender, 1);
    }
    free(request);
    free(reply);
}

/* A client that is a liar: dropped before the operation runs, for the field that it lied about. */
static void server_refuses(pair *on, const matrix_cell *cell)
{
    void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);

    for (unsigned i = 0; i < cell->request->fault_count; i++) {
        unsigned handled = stage_handled(), before = atomic_load(&drops);
        memset(request, 0xA5, cell->request->info->size);
        cell->request->spoil(request, i);
        int rc = shmrpc_client_call(on->client, method_of(on, cell), request, cell->error != 0 ? NULL : reply,
                                    shmrpc_default());
        ck_assert_msg(rc < 0, "%s: fault %u was taken: %d", cell->position, i, rc);
        tally_await(&drops, before + 1);
        ck_assert_uint_eq(stage_handled(), handled);
        pthread_mutex_lock(&stage.lock);
        expect_text(cell, stage.dropped, &cell->request->faults[i]);
        pthread_mutex_unlock(&stage.lock);
        pair_disconnect(on);
        pair_connect_liar(on);
        atomic_fetch_add(&done->refused_by_server, 1);
    }
    free(request);
    free(reply);
}

static void client_refuses(pair *on, const matrix_cell *cell)
{
    void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);

    for (unsigned i = 0; i < cell->answer->fault_count; i++) {
        record_make(cell->request, request, 0, 0);
        stage_set(cell, 0, (int)i, 0xA5);
        ck_assert_int_eq(cell->call(on->client, request, reply), SHMRPC_E_PROTOCOL);
        expect_text(cell, shmrpc_last_error(), &cell->answer->faults[i]);
        if (cell->payload != NULL)
            ck_assert_ptr_null(cell->payload(on->client));
        pair_disconnect(on);
        pair_connect(on);
        atomic_fetch_add(&done->refused_by_client, 1);
    }
    free(request);
    free(reply);
}

/* The same but for what has no meaning: the receiver's canonical form is that of the value. */
static void expect_equal(const matrix_cell *cell, const char *what, const matrix_record *record, unsigned value,
                         const void *found)
{
    void *wanted = memory_new(record->info->size);
    size_t used_wanted, used_found;

    record_make(record, wanted, 0, value);
    unsigned char *a = roundtrip_store(record->info, found, &used_found);
    unsigned char *b = roundtrip_store(record->info, wanted, &used_wanted);
    ck_assert_uint_eq(used_found, used_wanted);
    expect_same(cell, what, value, a, b, used_wanted);
    free(a);
    free(b);
    free(wanted);
}

static void server_ignores_garbage(pair *on, const matrix_cell *cell)
{
    void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);

    for (unsigned value = 0; value < cell->request->value_count; value++) {
        record_make(cell->request, request, 0xEE, value);
        stage_set(cell, value, -1, 0xEE);
        int rc = shmrpc_client_call(on->client, method_of(on, cell), request, cell->error != 0 ? NULL : reply,
                                    shmrpc_default());
        ck_assert_msg(rc == cell->error, "%s: value %u: %d, %s", cell->position, value, rc, shmrpc_last_error());
        pthread_mutex_lock(&stage.lock);
        expect_equal(cell, "a request with garbage", cell->request, value, stage.request);
        pthread_mutex_unlock(&stage.lock);
        atomic_fetch_add(&done->garbage, 1);
    }
    free(request);
    free(reply);
}

static void client_ignores_garbage(pair *on, const matrix_cell *cell)
{
    void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);

    for (unsigned value = 0; value < cell->answer->value_count; value++) {
        record_make(cell->request, request, 0, 0);
        stage_set(cell, value, -1, 0xEE);
        int rc = cell->call(on->client, request, reply);
        ck_assert_msg(rc == cell->error, "%s: value %u: %d, %s", cell->position, value, rc, shmrpc_last_error());
        const void *found = cell->payload != NULL ? cell->payload(on->client) : reply;
        ck_assert_ptr_nonnull(found);
        expect_equal(cell, "an answer with garbage", cell->answer, value, found);
        atomic_fetch_add(&done->garbage, 1);
    }
    free(request);
    free(reply);
}

/* ---- the cases ---- */

static const matrix_row *row_at(unsigned index)
{
    for (const matrix_part *const *part = matrix_parts; *part != NULL; part++) {
        if (index < (*part)->row_count)
            return &(*part)->rows[index];
        index -= (*part)->row_count;
    }
    return NULL;
}

static void listen_to_log(const shmrpc_log_entry *entry)
{
    if (entry->event != SHMRPC_LOG_SESSION_DROPPED)
        return;
    pthread_mutex_lock(&stage.lock);
    snprintf(stage.dropped, sizeof stage.dropped, "%s", entry->line);
    pthread_mutex_unlock(&stage.lock);
    tally_up(&drops);
}

START_TEST(passes_each_value_in_each_position)
{
    const matrix_row *row = row_at((unsigned)_i);
    pair on;

    pair_begin(&on, row);
    pair_connect(&on);
    for (unsigned i = 0; i < row->cell_count; i++) {
        ck_assert_str_eq(row->service->methods[i].name, row->cells[i].position);
        cell_passes(&on, &row->cells[i]);
        senders_refuse(&on, &row->cells[i]);
    }
    pair_end(&on);
}
END_TEST

START_TEST(servers_take_what_is_valid_from_anybody)
{
    const matrix_row *row = row_at((unsigned)_i);
    pair on;

    shmrpc_log_set(listen_to_log, SHMRPC_LOG_WARNING);
    pair_begin(&on, row);
    pair_connect_liar(&on);
    for (unsigned i = 0; i < row->cell_count; i++) {
        server_ignores_garbage(&on, &row->cells[i]);
        server_refuses(&on, &row->cells[i]);
    }
    pair_end(&on);
}
END_TEST

START_TEST(clients_take_what_is_valid_from_anybody)
{
    const matrix_row *row = row_at((unsigned)_i);
    pair on;

    pair_begin_with_liar_serving(&on, row);
    pair_connect(&on);
    for (unsigned i = 0; i < row->cell_count; i++) {
        client_ignores_garbage(&on, &row->cells[i]);
        client_refuses(&on, &row->cells[i]);
    }
    pair_end(&on);
}
END_TEST

/* ---- the other side as it was in the version before ---- */

/* Tables in which each method that has grown is as it was: its first bytes, with nothing in them to check. */
static void turn_back(pair *on)
{
    const shmrpc_service_info *service = on->row->service;

    for (uint32_t i = 0; i < service->method_count; i++) {
        const shmrpc_method_info *now = &service->methods[i];
        if (now->former_count == 0)
            continue;
        ck_assert_uint_eq(now->former_count, 1);
        on->methods[i].fingerprint = now->former->fingerprint;
        on->methods[i].former_count = 0;
        on->types[3 * i].size = now->former->request_size;
        on->types[3 * i].min_size = now->former->request_min_size;
        on->types[3 * i + 1].size = now->former->reply_size;
        on->types[3 * i + 1].min_size = now->former->reply_min_size;
        on->types[3 * i].initial = on->types[3 * i + 1].initial = NULL;
    }
}

static bool has_grown(const matrix_row *row, const matrix_cell *cell)
{
    return row->service->methods[cell - row->cells].former_count != 0;
}

/* The first bytes of a value, and the default image behind them. */
static void *as_before(const matrix_record *record, size_t size, unsigned value)
{
    unsigned char *bytes = memory_new(record->info->size);

    record_make(record, bytes, 0, value);
    memset(bytes + size, 0, record->info->size - size);
    return bytes;
}

START_TEST(servers_are_understood_by_clients_of_before)
{
    const matrix_row *row = row_at((unsigned)_i);
    pair on;

    pair_begin(&on, row);
    turn_back(&on);
    pair_connect_liar(&on);
    for (unsigned i = 0; i < row->cell_count; i++) {
        const matrix_cell *cell = &row->cells[i];
        if (!has_grown(row, cell))
            continue;
        const shmrpc_revision_info *was = row->service->methods[i].former;
        ck_assert_uint_lt(was->request_size, cell->request->info->size);
        for (unsigned value = 0; value < cell->request->value_count; value++) {
            unsigned char *request = as_before(cell->request, was->request_size, value);
            unsigned char *wanted = as_before(cell->answer, was->reply_size, value + 1);
            unsigned char *reply = memory_new(cell->answer->info->size);
            memset(reply + was->reply_size, 0, cell->answer->info->size - was->reply_size);
            stage_set(cell, value + 1, -1, 0xA5);
            int rc = shmrpc_client_call(on.client, i, request, reply, shmrpc_default());
            ck_assert_msg(rc == 0, "%s: value %u: %d, %s", cell->position, value, rc, shmrpc_last_error());
            expect_same(cell, "the answer to one of before", value, reply, wanted,
                        roundtrip_used(cell->answer->info, wanted));
            pthread_mutex_lock(&stage.lock);
            expect_same(cell, "the request of before", value, stage.request, request,
                        roundtrip_used(cell->request->info, request));
            pthread_mutex_unlock(&stage.lock);
            free(request);
            free(wanted);
            free(reply);
            atomic_fetch_add(&done->of_before, 1);
        }
    }
    pair_end(&on);
}
END_TEST

START_TEST(clients_are_understood_by_servers_of_before)
{
    const matrix_row *row = row_at((unsigned)_i);
    pair on = {.row = row};

    lies_make(&on);
    turn_back(&on);
    shmrpc_server_binding binding = {.service = &on.lies, .operations = row->operations};
    ck_assert_int_eq(shmrpc_server_init(&on.server, &binding, "matrix", NULL), 0);
    roundtrip_start(&on.host, &on.server);
    pair_connect(&on);
    for (unsigned i = 0; i < row->cell_count; i++) {
        const matrix_cell *cell = &row->cells[i];
        if (!has_grown(row, cell))
            continue;
        const shmrpc_revision_info *was = row->service->methods[i].former;
        for (unsigned value = 0; value < cell->answer->value_count; value++) {
            void *request = memory_new(cell->request->info->size), *reply = memory_new(cell->answer->info->size);
            unsigned char *heard = as_before(cell->request, was->request_size, value);
            unsigned char *wanted = as_before(cell->answer, was->reply_size, value + 1);
            record_make(cell->request, request, 0xA5, value);
            memset(reply, 0xA5, cell->answer->info->size);
            stage_answer_of_before(cell, value + 1, was->reply_size);
            int rc = cell->call(on.client, request, reply);
            ck_assert_msg(rc == 0, "%s: value %u: %d, %s", cell->position, value, rc, shmrpc_last_error());
            expect_same(cell, "the answer of one of before", value, reply, wanted,
                        roundtrip_used(cell->answer->info, wanted));
            pthread_mutex_lock(&stage.lock);
            expect_same(cell, "the request to one of before", value, stage.request, heard, was->request_size);
            pthread_mutex_unlock(&stage.lock);
            free(request);
            free(reply);
            free(heard);
            free(wanted);
            atomic_fetch_add(&done->of_before, 1);
        }
    }
    pair_end(&on);
}
END_TEST

START_TEST(nothing_was_left_out)
{
    unsigned long long values = 0, requests = 0, answers = 0, garbage = 0, of_before = 0;
    unsigned rows = 0, positions = 0;

    for (const matrix_row *row; (row = row_at(rows)) != NULL; rows++) {
        positions = row->cell_count;
        ck_assert_uint_eq(row->cell_count, row_at(0)->cell_count);
        for (unsigned i = 0; i < row->cell_count; i++) {
            const matrix_cell *cell = &row->cells[i];
            unsigned a = cell->request->value_count, b = cell->answer->value_count;
            values += 2ULL * (a > b ? a : b);
            garbage += a + b;
            of_before += has_grown(row, cell) ? a + b : 0;
            requests += cell->request->fault_count;
            answers += cell->answer->fault_count;
        }
    }
    printf("%u types x %u positions: %llu round trips of values (%llu messages in slots, %llu in blocks), %llu with "
           "garbage, %llu with the other side's version before; refused: %llu by senders, %llu by servers, %llu by "
           "clients\n",
           rows, positions, atomic_load(&done->values), atomic_load(&done->in_slot), atomic_load(&done->in_block),
           atomic_load(&done->garbage), atomic_load(&done->of_before), atomic_load(&done->refused_by_sender),
           atomic_load(&done->refused_by_server), atomic_load(&done->refused_by_client));
    ck_assert_uint_eq(atomic_load(&done->values), values);
    ck_assert_uint_eq(atomic_load(&done->in_slot) + atomic_load(&done->in_block), 2 * values);
    ck_assert_uint_eq(atomic_load(&done->garbage), garbage);
    ck_assert_uint_eq(atomic_load(&done->of_before), of_before);
    ck_assert_uint_ge(of_before, 4 * rows);
    ck_assert_uint_eq(atomic_load(&done->refused_by_sender), requests + answers);
    ck_assert_uint_eq(atomic_load(&done->refused_by_server), requests);
    ck_assert_uint_eq(atomic_load(&done->refused_by_client), answers);
}
END_TEST

static Suite *matrix_suite(void)
{
    Suite *suite = suite_create("roundtrip_matrix");
    TCase *tests = tcase_create("matrix");
    int rows = 0;

    done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        abort();
    while (row_at((unsigned)rows) != NULL)
        rows++;
    tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, passes_each_value_in_each_position, 0, rows);
    tcase_add_loop_test(tests, servers_take_what_is_valid_from_anybody, 0, rows);
    tcase_add_loop_test(tests, clients_take_what_is_valid_from_anybody, 0, rows);
    tcase_add_loop_test(tests, servers_are_understood_by_clients_of_before, 0, rows);
    tcase_add_loop_test(tests, clients_are_understood_by_servers_of_before, 0, rows);
    tcase_add_test(tests, nothing_was_left_out); /* the last */
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(matrix_suite)
