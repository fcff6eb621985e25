/* SPDX-License-Identifier: Apache-2.0 */
#include "rogue.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/platform/event.h"
#include "runtime/platform/futex.h"
#include "runtime/platform/memory.h"
#include "runtime/platform/socket.h"

#define DEPTH 64u
#define BLOCKS 8u

void rogue_leave(rogue *self)
{
    if (self->socket > 0)
        close(self->socket);
    if (self->bell > 0)
        close(self->bell);
    if (self->memory.header != NULL)
        munmap(self->memory.header, self->memory.size);
    *self = (rogue){.socket = -1, .bell = -1};
}

/* ---- packets ---- */

void rogue_send_bytes(rogue *self, const void *bytes, size_t length, const int *descriptors, unsigned count)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    int rc;

    do {
        rc = socket_send(self->socket, bytes, length, descriptors, count);
        if (rc == -EAGAIN)
            await_pause();
    } while (rc == -EAGAIN && test_remaining_ms(until_ns) > 0);
    /* The peer may have had enough already. */
    ck_assert_msg(rc == 0 || rc == -EPIPE || rc == -ECONNRESET, "send: %s", strerror(-rc));
}

void rogue_send(rogue *self, const control_packet *packet, const int *descriptors, unsigned count)
{
    void *bytes;
    size_t length;

    ck_assert_int_eq(control_encode(packet, &bytes, &length), 0);
    rogue_send_bytes(self, bytes, length, descriptors, count);
    free(bytes);
}

/* 1: a packet; 0: the end; -1: nothing in time. */
static int receive_bytes(rogue *self, uint64_t until_ns, void *bytes, socket_packet *ret_envelope)
{
    for (;;) {
        struct pollfd readable = {.fd = self->socket, .events = POLLIN};
        int rc = socket_receive(self->socket, bytes, SOCKET_PACKET_MAX, ret_envelope);
        if (rc == 0)
            return 1;
        if (rc != -EAGAIN)
            return 0;
        int left_ms = test_remaining_ms(until_ns);
        if (left_ms == 0 || (poll(&readable, 1, left_ms) < 0 && errno != EINTR))
            return -1;
    }
}

static control_packet *receive_packet(rogue *self, control_kind first, control_kind last, socket_packet *ret_envelope)
{
    static unsigned char bytes[SOCKET_PACKET_MAX];
    control_packet *packet = NULL;
    const char *reason = NULL;

    if (receive_bytes(self, test_deadline_ns(TEST_PATIENCE_MS), bytes, ret_envelope) != 1)
        return NULL;
    int rc = control_decode(bytes, ret_envelope->length, &packet, &reason);
    ck_assert_msg(rc == 0, "the library sent what it cannot read: %s", reason != NULL ? reason : strerror(-rc));
    ck_assert_msg(packet->kind >= first && packet->kind <= last, "a packet of kind %d came", (int)packet->kind);
    return packet;
}

control_packet *rogue_receive(rogue *self, control_kind first, control_kind last)
{
    socket_packet envelope;
    control_packet *packet = receive_packet(self, first, last, &envelope);

    if (packet != NULL)
        socket_packet_deinit(&envelope);
    return packet;
}

bool rogue_is_dropped(rogue *self)
{
    static unsigned char bytes[SOCKET_PACKET_MAX];
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    socket_packet envelope;
    int rc;

    while ((rc = receive_bytes(self, until_ns, bytes, &envelope)) == 1)
        socket_packet_deinit(&envelope);
    return rc == 0;
}

/* ---- client ---- */

static char *path_of(const char *name)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/%s", runtime_dir_path(), name), 0);
    return path;
}

void rogue_connect(rogue *self, const char *name)
{
    char *path = path_of(name);
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);

    *self = (rogue){.socket = -1, .bell = -1, .next = 1};
    do {
        self->socket = socket_connect(path);
        if (self->socket == -EAGAIN)
            await_pause();
    } while (self->socket == -EAGAIN && test_remaining_ms(until_ns) > 0);
    ck_assert_msg(self->socket >= 0, "connect %s: %s", path, strerror(-self->socket));
    free(path);
}

control_packet rogue_hello(control_method *methods)
{
    control_packet packet = {.kind = CONTROL_HELLO};

    static uint64_t fingerprints[PROBE_METHODS];
    static uint32_t sizes[PROBE_METHODS][2];

    for (uint32_t i = 0; i < PROBE_METHODS; i++) {
        const shmrpc_method_info *method = &probe_service.methods[i];
        uint32_t reply_size = method->reply != NULL ? method->reply->size : 0;
        for (uint32_t e = 0; method->errors != NULL && e < method->errors->count; e++)
            if (method->errors->items[e].payload != NULL && method->errors->items[e].payload->size > reply_size)
                reply_size = method->errors->items[e].payload->size;
        fingerprints[i] = method->fingerprint;
        sizes[i][0] = method->request != NULL ? method->request->size : 0;
        sizes[i][1] = reply_size;
        methods[i] = (control_method){
            .name = method->name,
            .revision_count = 1,
            .fingerprints = &fingerprints[i],
            .request_sizes = &sizes[i][0],
            .answer_sizes = &sizes[i][1],
            .oneway = (method->flags & SHMRPC_METHOD_ONEWAY) != 0,
        };
    }
    packet.as.hello = (control_hello){
        .protocol_least = CONTROL_PROTOCOL,
        .protocol_most = CONTROL_PROTOCOL,
        .service = PROBE_NAME,
        .methods = methods,
        .method_count = PROBE_METHODS,
        .depth = DEPTH,
        .blocks = BLOCKS,
        .runtime = "rogue",
    };
    return packet;
}

bool rogue_greet_with(rogue *self, const control_packet *hello)
{
    rogue_send(self, hello, NULL, 0);
    control_packet *packet = rogue_receive(self, CONTROL_WELCOME, CONTROL_WELCOME);
    if (packet == NULL)
        return false;
    const control_welcome *welcome = &packet->as.welcome;
    bool agreed = welcome->status == 0;
    if (agreed) {
        self->memory.geometry = (region_geometry){welcome->depth,
                                                  welcome->request_block_size,
                                                  welcome->request_block_count,
                                                  welcome->reply_block_size,
                                                  welcome->reply_block_count,
                                                  welcome->inbox_depth,
                                                  (uint32_t)(welcome->arena_size / SHMRPC_ARENA_UNIT)};
        ck_assert(region_check(&self->memory.geometry));
        self->session = welcome->session;
        self->token = welcome->token;
    }
    control_packet_free(packet);
    return agreed;
}

bool rogue_greet(rogue *self)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);

    return rogue_greet_with(self, &hello);
}

int rogue_make_memory(rogue *self)
{
    const region_geometry geometry = self->memory.geometry;
    void *base = NULL;
    int descriptor = -1;

    ck_assert_int_eq(memory_create(region_size(&geometry), MEMORY_PREFAULTED, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE,
                                   &base, &descriptor),
                     0);
    region_init(&self->memory, base, &geometry);
    self->bell = event_new();
    ck_assert_int_ge(self->bell, 0);
    return descriptor;
}

bool rogue_attach(rogue *self, uint64_t size, const int *descriptors, unsigned count)
{
    const control_packet attach = {.kind = CONTROL_ATTACH, .as.attach = {.size = size}};

    rogue_send(self, &attach, descriptors, count);
    control_packet *packet = rogue_receive(self, CONTROL_READY, CONTROL_READY);
    bool taken = packet != NULL && packet->as.ready.status == 0;
    control_packet_free(packet);
    return taken;
}

void rogue_join_with(rogue *self, const char *name, const control_packet *hello)
{
    rogue_connect(self, name);
    ck_assert(rogue_greet_with(self, hello));
    int descriptor = rogue_make_memory(self);
    ck_assert(rogue_attach(self, self->memory.size, (const int[]){descriptor, self->bell}, 2));
    close(descriptor);
}

void rogue_join(rogue *self, const char *name)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);

    rogue_join_with(self, name, &hello);
}

control_packet rogue_hello_further(const rogue *first)
{
    return (control_packet){.kind = CONTROL_HELLO,
                            .as.hello = {.protocol_least = CONTROL_PROTOCOL,
                                         .protocol_most = CONTROL_PROTOCOL,
                                         .service = PROBE_NAME,
                                         .depth = DEPTH,
                                         .blocks = BLOCKS,
                                         .runtime = "rogue",
                                         .token = first->token}};
}

void rogue_join_further(rogue *self, const char *name, const rogue *first)
{
    const control_packet hello = rogue_hello_further(first);

    rogue_join_with(self, name, &hello);
}

slot rogue_slot(uint16_t method, uint8_t request_block, uint8_t reply_block, uint32_t length)
{
    return (slot){.method = method,
                  .request_block = request_block,
                  .reply_block = reply_block,
                  .length = length,
                  .budget_us = BUDGET_NONE};
}

/* All of a slot but its word. */
static void slot_write(slot *at, const slot *wanted)
{
    const size_t skip = offsetof(slot, method);

    memcpy((unsigned char *)at + skip, (const unsigned char *)wanted + skip, sizeof(*at) - skip);
}

static void slot_read(slot *to, const slot *at)
{
    const size_t skip = offsetof(slot, method);

    memcpy((unsigned char *)to + skip, (const unsigned char *)at + skip, sizeof(*at) - skip);
}

void rogue_ring(const rogue *self)
{
    ck_assert_int_eq(event_ring(self->bell), 0);
}

void rogue_request(rogue *self, const slot *wanted, uint32_t word_lie)
{
    slot *at = region_slot(&self->memory, self->next);

    slot_write(at, wanted);
    atomic_store(&at->word, word_request(self->next, self->memory.shift) ^ word_lie);
    self->next++;
    rogue_ring(self);
}

/* Has the server closed the connection, or said anything but that there is something to look at? */
static bool has_ended(const rogue *self)
{
    char bytes[2];
    ssize_t length;

    while ((length = recv(self->socket, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT)) == 1 && bytes[0] == 0)
        (void)!recv(self->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    return length >= 0 || (errno != EAGAIN && errno != EINTR);
}

bool rogue_await_reply(rogue *self, slot *ret_reply)
{
    uint64_t position = self->next - 1;
    const slot *at = region_slot(&self->memory, position);
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);

    while (test_remaining_ms(until_ns) > 0) {
        if ((atomic_load(&at->word) & ~WORD_MARKS) == word_reply(position, self->memory.shift)) {
            slot_read(ret_reply, at);
            return true;
        }
        if (has_ended(self))
            return false;
        await_pause();
    }
    ck_abort_msg("the server neither answered nor dropped the session");
    return false;
}

/* ---- server ---- */

int rogue_listen(const char *name)
{
    char *path = path_of(name);
    int listener = socket_listen(path, 0600, 16);

    ck_assert_msg(listener >= 0, "listen %s: %s", path, strerror(-listener));
    free(path);
    return listener;
}

control_packet *rogue_accept(rogue *self, int listener)
{
    struct pollfd waiting = {.fd = listener, .events = POLLIN};

    *self = (rogue){.socket = -1, .bell = -1, .next = 1};
    ck_assert_int_eq(poll(&waiting, 1, TEST_PATIENCE_MS), 1);
    self->socket = socket_accept(listener);
    ck_assert_int_ge(self->socket, 0);
    return rogue_receive(self, CONTROL_HELLO, CONTROL_HELLO);
}

control_packet rogue_welcome(rogue *self, const control_hello *hello, uint32_t *numbers)
{
    control_packet packet = {.kind = CONTROL_WELCOME};
    const region_geometry geometry = region_plan(hello->depth, hello->blocks, sizeof(probe_blob), sizeof(probe_blob));

    ck_assert_uint_le(hello->method_count, PROBE_METHODS);
    for (uint32_t i = 0; i < hello->method_count; i++)
        numbers[i] = i;
    self->memory.geometry = geometry;
    packet.as.welcome = (control_welcome){
        .text = "",
        .protocol = CONTROL_PROTOCOL,
        .depth = geometry.depth,
        .request_block_size = geometry.request_block_size,
        .request_block_count = geometry.request_block_count,
        .reply_block_size = geometry.reply_block_size,
        .reply_block_count = geometry.reply_block_count,
        .method_numbers = numbers,
        .method_count = hello->method_count,
        .session = 1,
        .runtime = "rogue",
    };
    return packet;
}

bool rogue_admit(rogue *self, const control_packet *welcome)
{
    const control_packet ready = {.kind = CONTROL_READY, .as.ready = {.text = ""}};
    const region_geometry geometry = self->memory.geometry;
    socket_packet envelope;

    rogue_send(self, welcome, NULL, 0);
    control_packet *attach = receive_packet(self, CONTROL_ATTACH, CONTROL_ATTACH, &envelope);
    if (attach == NULL)
        return false;
    ck_assert_uint_eq(envelope.descriptor_count, geometry.arena_units == 0 ? 2 : 3);
    ck_assert_uint_eq(attach->as.attach.size, region_size(&geometry));
    void *base = mmap(NULL, region_size(&geometry), PROT_READ | PROT_WRITE, MAP_SHARED, envelope.descriptors[0], 0);
    ck_assert(base != MAP_FAILED);
    region_init(&self->memory, base, &geometry);
    region_format(&self->memory);
    self->bell = envelope.descriptors[1];
    envelope.descriptors[1] = -1;
    socket_packet_deinit(&envelope);
    control_packet_free(attach);
    rogue_send(self, &ready, NULL, 0);
    return true;
}

bool rogue_await_request(rogue *self, slot *ret_request)
{
    const slot *at = region_slot(&self->memory, self->next);
    struct pollfd ended = {.fd = self->socket, .events = POLLIN};
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);

    while (test_remaining_ms(until_ns) > 0) {
        if ((atomic_load(&at->word) & ~WORD_MARKS) == word_request(self->next, self->memory.shift)) {
            slot_read(ret_request, at);
            return true;
        }
        if (poll(&ended, 1, 0) > 0)
            return false;
        await_pause();
    }
    ck_abort_msg("the client neither called nor left");
    return false;
}

void rogue_reply(rogue *self, const slot *wanted, uint32_t word_lie)
{
    slot *at = region_slot(&self->memory, self->next);

    slot_write(at, wanted);
    atomic_store(&at->word, word_reply(self->next, self->memory.shift) ^ word_lie);
    atomic_store(&self->memory.header->wish, WISH_NONE);
    futex_wake(&self->memory.header->wish);
    self->next++;
}
