/* SPDX-License-Identifier: Apache-2.0 */
#include "later.h"

#include "error.h"
#include "log.h"
#include "message.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TICKET_BITS 16u
#define SERIAL_BITS 28u
#define SERIAL_MASK ((UINT32_C(1) << SERIAL_BITS) - 1)
#define WRITERS_MAX (UINT32_C(1) << (64 - TICKET_BITS - SERIAL_BITS))
#define WRITERS_FIRST 16u

/* ---- writers of this process ---- */

static struct {
    pthread_mutex_t lock;
    inbox_writer **writers; /* by index; NULL: free */
    uint32_t room;
    uint32_t count;
    uint32_t serial; /* of the last call that was put off */
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error; /* -errno of what is registered for fork() */

static void before_fork(void)
{
    (void)pthread_mutex_lock(&table.lock);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&table.lock);
}

static void register_fork(void)
{
    fork_error = -pthread_atfork(before_fork, unlock, unlock);
}

/* A child finds the table as it was between two changes: it may serve by itself. */
static void lock(void)
{
    (void)pthread_once(&fork_once, register_fork);
    (void)pthread_mutex_lock(&table.lock);
}

/* Under the lock. 0 or a status. */
static int make_room(void)
{
    uint32_t room = table.room == 0 ? WRITERS_FIRST : table.room * 2;
    inbox_writer **more;
    uint32_t i;

    if (table.count < table.room) {
        return 0;
    }
    if (room > WRITERS_MAX) {
        return error_set(SHMRPC_E_LIMIT, "too many lanes have calls that are answered later");
    }
    more = realloc(table.writers, room * sizeof(*more));
    if (more == NULL) {
        return error_system(-ENOMEM, "cannot make room for calls that are answered later");
    }
    for (i = table.room; i < room; i++) {
        more[i] = NULL;
    }
    table.writers = more;
    table.room = room;
    return 0;
}

/* 0 or a status. */
static int enter(inbox_writer *writer)
{
    uint32_t index = 0;
    int rc;

    lock();
    rc = fork_error == 0 ? make_room() : error_system(fork_error, "cannot watch for fork()");
    if (rc == 0) {
        while (table.writers[index] != NULL) {
            index++;
        }
        table.writers[index] = writer;
        table.count++;
        writer->index = index;
        writer->references = 1;
        writer->generation = process_generation();
    }
    unlock();
    return rc;
}

/* Under the lock. A writer whose references are gone leaves the table, and the last one takes it along. */
static bool drop_reference(inbox_writer *writer)
{
    if (--writer->references != 0) {
        return false;
    }
    table.writers[writer->index] = NULL;
    if (--table.count == 0) {
        free(table.writers);
        table.writers = NULL;
        table.room = 0;
    }
    return true;
}

static void release(inbox_writer *writer, uint32_t references)
{
    bool was_last = false;

    lock();
    while (references-- > 0) {
        was_last = drop_reference(writer);
    }
    unlock();
    if (was_last) {
        inbox_writer_free(writer);
    }
}

uint32_t later_lanes(void)
{
    uint32_t count;

    lock();
    count = table.count;
    unlock();
    return count;
}

/* ---- numbers ---- */

static shmrpc_later number_of(const inbox_writer *writer, uint32_t ticket, uint32_t serial)
{
    return (shmrpc_later){(uint64_t)writer->index << (TICKET_BITS + SERIAL_BITS) | (uint64_t)ticket << SERIAL_BITS |
                          serial};
}

static int error_stale(void)
{
    return error_set(SHMRPC_E_MISUSE, "no such call is to be answered: it has been answered, or never was");
}

/*
 * Finds a call that is still to be answered: its writer, locked and with a reference more, and its ticket. 0; MISUSE:
 * there is no such call; FORKED: it is the parent's, and so are the lock, the memory and the client.
 */
static int find(shmrpc_later later, inbox_writer **ret_writer, uint32_t *ret_ticket)
{
    uint32_t index = (uint32_t)(later.id >> (TICKET_BITS + SERIAL_BITS));
    uint32_t ticket = (uint32_t)(later.id >> SERIAL_BITS) & ((UINT32_C(1) << TICKET_BITS) - 1);
    uint32_t serial = (uint32_t)later.id & SERIAL_MASK;
    inbox_writer *writer;

    lock();
    writer = index < table.room ? table.writers[index] : NULL;
    if (writer != NULL && writer->generation != process_generation()) {
        unlock();
        return error_set(SHMRPC_E_FORKED, "the call is to be answered by the process that forked this one");
    }
    if (writer != NULL) {
        writer->references++;
    }
    unlock();
    if (writer == NULL) {
        return error_stale();
    }
    inbox_writer_lock(writer);
    if (serial == 0 || ticket >= writer->memory.geometry.inbox_depth || writer->calls[ticket].serial != serial) {
        inbox_writer_unlock(writer);
        release(writer, 1);
        return error_stale();
    }
    *ret_ticket = ticket;
    *ret_writer = writer;
    return 0;
}

/* After find(). */
static void leave(inbox_writer *writer, uint32_t references)
{
    inbox_writer_unlock(writer);
    release(writer, references);
}

/* ---- the server's side ---- */

static void on_close(inbox_writer *writer)
{
    release(writer, 1);
}

/* Made when a lane's first call is put off. */
static int writer_of(lane_server *lane, inbox_writer **ret_writer)
{
    inbox_writer *writer = lane->inbox;
    int rc;

    if (writer == NULL) {
        if (lane->memory.geometry.inbox_depth == 0) {
            return error_set(SHMRPC_E_LIMIT, "the client has no inbox: it takes no answer later");
        }
        writer = inbox_writer_new(&lane->memory, lane->caller, on_close);
        if (writer == NULL) {
            return error_set(SHMRPC_E_NO_MEMORY, "there is no memory for calls that are answered later");
        }
        rc = enter(writer);
        if (rc != 0) {
            inbox_writer_free(writer);
            return rc;
        }
        lane->inbox = writer;
    }
    *ret_writer = writer;
    return inbox_writer_has_room(writer) ? 0 : error_set(SHMRPC_E_LIMIT, "too many calls are to be answered later");
}

int later_begin(lane_server *lane, const lane_request *request, const char *service, const shmrpc_method_info *method,
                const method_terms *terms, int64_t timeout_ns, shmrpc_later *ret_later)
{
    inbox_call call = {
        .reply_block = request->reply_block,
        .reply_first = request->reply_block == BLOCK_ARENA ? request->reply_first : 0,
        .reply_count = request->reply_block == BLOCK_ARENA ? request->reply_count : 0,
        .position = request->position,
        .until_ns = clock_after_ns(timeout_ns),
        .service = service,
        .method = method,
        .reply_size = terms->reply_size,
        .answer_size = terms->answer_size,
    };
    inbox_writer *writer = NULL;
    uint32_t ticket;
    int rc = writer_of(lane, &writer);

    if (rc == 0 && method->reply != NULL && terms->reply_size < method->reply->size &&
        inbox_writer_reserve(writer, method->reply->size) != 0) {
        rc = error_set(SHMRPC_E_NO_MEMORY, "there is no memory for calls that are answered later");
    }
    if (rc != 0) {
        return rc;
    }
    lock();
    table.serial = table.serial == SERIAL_MASK ? 1 : table.serial + 1;
    call.serial = table.serial;
    writer->references++;
    unlock();
    ticket = inbox_writer_take(writer, &call);
    if (lane_server_move(lane, request, ticket)) {
        inbox_writer_cancel(writer, request->position);
    }
    *ret_later = number_of(writer, ticket, call.serial);
    return 0;
}

/*
 * A call that is being answered. Its writer is locked, and the lane open: so long the service is not taken out, and what
 * describes it (`call->method` and all that this leads to, the names) is there.
 */
typedef struct answer {
    shmrpc_later later;
    inbox_writer *writer;
    uint32_t ticket;
    const inbox_call *call;
} answer;

/* 0; as find(); CANCELLED: the lane is closed, and the call done with. */
static int answer_begin(answer *self, shmrpc_later later)
{
    int rc = find(later, &self->writer, &self->ticket);

    if (rc != 0) {
        return rc;
    }
    if (!inbox_writer_is_open(self->writer)) {
        inbox_writer_answer(self->writer, self->ticket, 0, 0, BLOCK_NONE);
        leave(self->writer, 2);
        return error_set(SHMRPC_E_CANCELLED, "nobody waits for the answer any more");
    }
    self->later = later;
    self->call = &self->writer->calls[self->ticket];
    return 0;
}

/* Answers, with a valid message or without (type NULL). 0; INTERNAL: there is no block for it. */
static int answer_with(answer *self, int status, const shmrpc_type_info *type, const void *message)
{
    uint32_t length = 0;
    uint8_t block = BLOCK_NONE;
    int rc = 0;

    /* The payload of an error that is newer than what was agreed on does not travel. */
    if (type != NULL && (status == 0 || type->size <= self->call->answer_size)) {
        uint32_t size = status == 0 ? self->call->reply_size : type->size;
        void *to = inbox_writer_place(self->writer, self->ticket, size, &block);

        if (to == NULL) {
            rc = error_set(SHMRPC_E_INTERNAL, "there is no block for the answer");
        } else if (size < type->size) {
            length = message_store_first(type, to, message, size, self->writer->narrow);
        } else {
            length = message_store(type, to, message);
        }
    }
    inbox_writer_answer(self->writer, self->ticket, rc != 0 ? rc : status, length, block);
    leave(self->writer, 2);
    return rc;
}

static void log_failure(const char *service, const char *method, const char *why)
{
    log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, HANDLER_FAILED), .service = service, .method = method,
                                 .status = SHMRPC_E_INTERNAL},
              "%s.%s: the handler failed: %s", service, method, why);
}

/*
 * The answer is not one that the method may give: the log is told why, and then its caller INTERNAL. The log is the
 * application's, so that it is told without a lock, by copies of the names.
 */
static int answer_bad(answer *self, int status, const char *why)
{
    char service[ERROR_LINE_MAX + 1];
    char method[ERROR_LINE_MAX + 1];
    int rc;

    (void)snprintf(service, sizeof(service), "%s", self->call->service);
    (void)snprintf(method, sizeof(method), "%s", self->call->method->name);
    leave(self->writer, 1);
    log_failure(service, method, why);
    rc = answer_begin(self, self->later);
    rc = rc == 0 ? answer_with(self, SHMRPC_E_INTERNAL, NULL, NULL) : rc;
    return rc != 0 || status == 0 ? rc : error_set(status, "%s.%s: %s", service, method, why);
}

void later_fail_handler(shmrpc_later later, const char *service, const shmrpc_method_info *method, const char *why)
{
    answer self;

    log_failure(service, method->name, why);
    if (answer_begin(&self, later) == 0) {
        (void)answer_with(&self, SHMRPC_E_INTERNAL, NULL, NULL);
    }
}

/* ---- the application's side ---- */

int shmrpc_later_reply(shmrpc_later later, const void *reply)
{
    answer self;
    const shmrpc_type_info *type;
    int rc = answer_begin(&self, later);

    if (rc != 0) {
        return rc;
    }
    type = self.call->method->reply;
    if (type != NULL && reply == NULL) {
        leave(self.writer, 1);
        return error_set(SHMRPC_E_MISUSE, "the reply is NULL");
    }
    if (type != NULL && type->validate != NULL && shmrpc_message_check(type, reply) != 0) {
        return answer_bad(&self, SHMRPC_E_INVALID, shmrpc_last_error());
    }
    return answer_with(&self, 0, type, reply);
}

int shmrpc_later_throw(shmrpc_later later, int code, const void *payload)
{
    answer self;
    const shmrpc_type_info *type;
    int rc = payload == NULL ? error_set(SHMRPC_E_MISUSE, "the payload is NULL") : answer_begin(&self, later);

    if (rc != 0) {
        return rc;
    }
    type = message_error_payload(self.call->method->errors, code);
    if (type == NULL) {
        return answer_bad(&self, SHMRPC_E_INTERNAL, "it threw an error that the method does not declare so");
    }
    if (type->validate != NULL && shmrpc_message_check(type, payload) != 0) {
        return answer_bad(&self, SHMRPC_E_INVALID, shmrpc_last_error());
    }
    return answer_with(&self, code, type, payload);
}

int shmrpc_later_fail(shmrpc_later later, int status)
{
    const shmrpc_error_info *error;
    answer self;
    int rc = status == 0 ? error_set(SHMRPC_E_MISUSE, "0 is no failure") : answer_begin(&self, later);

    if (rc != 0) {
        return rc;
    }
    error = status > 0 ? message_error(self.call->method->errors, status) : NULL;
    if (status > 0 && error == NULL) {
        return answer_bad(&self, SHMRPC_E_INTERNAL, "it gave an error that the method does not declare");
    }
    if (status > 0 && error->payload != NULL) {
        return answer_bad(&self, SHMRPC_E_INTERNAL, "it gave an error without its payload");
    }
    if (status == SHMRPC_E_INTERNAL) {
        return answer_bad(&self, 0, "it said so");
    }
    if (status < 0 && !status_may_travel(status)) {
        return answer_bad(&self, SHMRPC_E_INTERNAL, "it gave a status that is not a handler's to give");
    }
    return answer_with(&self, status, NULL, NULL);
}

bool shmrpc_later_is_cancelled(shmrpc_later later)
{
    uint32_t ticket;
    inbox_writer *writer;
    const inbox_call *call;
    bool cancelled;

    if (find(later, &writer, &ticket) != 0) {
        return true;
    }
    call = &writer->calls[ticket];
    cancelled = !inbox_writer_is_open(writer) || call->is_cancelled || clock_left_ns(call->until_ns) == 0 ||
                writer->caller->is_gone(writer->caller);
    leave(writer, 1);
    return cancelled;
}
