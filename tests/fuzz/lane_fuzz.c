/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a lane, written by a stranger while the other end works in it.
 *
 * The first byte says which end is ours; the rest are steps. The stranger writes bytes anywhere, or a word that is the
 * right one for the next position with a header of its choice, which random bytes would seldom hit. Our end works on as
 * long as the protocol is not broken: whatever it points at lies in the part of the memory where it has to lie, and
 * the memory and the private copy end where a page without access begins.
 */
#include "fuzz.h"

#include "runtime/lane_client.h"
#include "runtime/lane_server.h"
#include "runtime/platform/clock.h"
#include "runtime/platform/event.h"

#include <shmrpc/status.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEPTH 4u
#define BLOCK 448u /* with four blocks each way, the memory is a page to the last byte */
#define BLOCKS 4u
#define UNITS 4u /* of the arena */
#define ARENA ((size_t)UNITS * SHMRPC_ARENA_UNIT)
#define SIZES (ARENA + SHMRPC_ARENA_UNIT) /* of messages: all that fit, and some that do not */
#define STEP_SIZE 16u

typedef enum step_kind { STEP_WRITE, STEP_WORD, STEP_WORK, STEP_ARM, STEP_GIVE_UP, STEP_KINDS } step_kind;

/* One step of the input. */
typedef struct step {
    uint8_t kind;
    uint8_t marks;
    uint16_t offset; /* of a write; of a word: the sizes of our answer or request */
    uint8_t bytes[12];
} step;

_Static_assert(sizeof(step) == STEP_SIZE, "a step of the input");

typedef struct bench {
    region memory;
    unsigned char *base;
    unsigned char *copy;   /* ARENA bytes */
    unsigned char *sealed; /* likewise: what a request that says so is in */
    int bell;
} bench;

static void require(bool fine)
{
    if (!fine) {
        abort();
    }
}

/* `size` bytes that end where a page without access begins, and begin where one ends if they are whole pages. */
static unsigned char *guarded(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (size + page - 1) / page * page;
    unsigned char *map = mmap(NULL, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    require(map != MAP_FAILED && mprotect(map + page, pages, PROT_READ | PROT_WRITE) == 0);
    return map + page + pages - size;
}

static const bench *bench_get(void)
{
    static const region_geometry geometry = {DEPTH, BLOCK, BLOCKS, BLOCK, BLOCKS, 0, UNITS};
    static bench only;

    if (only.base == NULL) {
        require(region_check(&geometry));
        only.base = guarded(region_size(&geometry));
        only.copy = guarded(ARENA);
        only.sealed = guarded(ARENA);
        only.bell = event_new();
        require(only.bell >= 0);
        region_init(&only.memory, only.base, &geometry);
        only.memory.arena = guarded(ARENA);
    }
    return &only;
}

static bool lies_in(const void *payload, size_t length, const unsigned char *part, size_t size)
{
    const unsigned char *at = payload;

    return at >= part && at <= part + size && length <= size - (size_t)(at - part);
}

static void require_payload(const bench *with, const slot *at, const void *payload, size_t length,
                            const unsigned char *blocks)
{
    require(lies_in(payload, length, at->payload, SHMRPC_SLOT_PAYLOAD) ||
            lies_in(payload, length, blocks, (size_t)BLOCK * BLOCKS) ||
            lies_in(payload, length, with->memory.arena, ARENA) || lies_in(payload, length, with->sealed, ARENA));
    shared_copy_out(with->copy, payload, length);
}

/* ---- the stranger ---- */

static void write_bytes(const bench *with, const step *what)
{
    size_t at = what->offset % (with->memory.size - sizeof(what->bytes) + 1);

    memcpy(with->base + at, what->bytes, sizeof(what->bytes));
}

static void write_word(const bench *with, const step *what, uint64_t position, uint32_t word)
{
    slot *at = region_slot(&with->memory, position);

    memcpy(&at->method, what->bytes, sizeof(what->bytes));
    atomic_store(&at->word, word | (what->marks & WORD_MARKS));
}

/* ---- our end answers ---- */

/* false: the client broke the protocol. */
static bool server_works(const bench *with, lane_server *lane, const step *what)
{
    unsigned bound;

    for (bound = 0; bound <= DEPTH; bound++) {
        lane_request request;
        uint32_t size = what->offset % SIZES;
        uint8_t block = BLOCK_NONE;
        void *to;
        int rc = lane_server_take(lane, &request);

        require(rc == 0 || rc == 1 || rc == SHMRPC_E_PROTOCOL);
        if (rc != 1) {
            return rc == 0;
        }
        require_payload(with, request.at, request.payload, request.length, with->memory.request_blocks);
        require(request.is_sealed == lies_in(request.payload, request.length, with->sealed, ARENA));
        lane_server_start(lane, &request);
        to = lane_server_place(lane, &request, size, &block);
        if (to == NULL) {
            return false;
        }
        require(lies_in(to, size, request.at->payload, SHMRPC_SLOT_PAYLOAD) ||
                lies_in(to, size, with->memory.reply_blocks, (size_t)BLOCK * BLOCKS) ||
                lies_in(to, size, with->memory.arena, ARENA));
        memset(to, 0x55, size);
        lane_server_answer(lane, &request, what->marks, size, block);
    }
    /* Each answer takes a request away, so that more than a ring of them were never there. */
    require(false);
    return false;
}

static bool is_gone(lane_caller *caller)
{
    (void)caller;
    return false;
}

static void poke(lane_caller *caller)
{
    (void)caller;
}

/* The memory of every second request has come. What is read beyond it is seen. */
static int unseal(lane_caller *caller, uint64_t position, uint32_t length, const void **ret_payload)
{
    (void)caller;
    if (position % 2 != 0 || length > ARENA) {
        return SHMRPC_E_PROTOCOL;
    }
    *ret_payload = bench_get()->sealed + ARENA - length;
    return 0;
}

static void serve(const bench *with, const step *steps, size_t count)
{
    lane_caller caller = {.is_gone = is_gone, .poke = poke, .unseal = unseal};
    lane_server lane;
    bool open = true;

    lane_server_init(&lane, &with->memory, &caller);
    for (size_t i = 0; i < count && open; i++) {
        switch (steps[i].kind % STEP_KINDS) {
        case STEP_WRITE: write_bytes(with, &steps[i]); break;
        case STEP_WORD: write_word(with, &steps[i], lane.next, word_request(lane.next, lane.memory.shift)); break;
        case STEP_ARM: (void)lane_server_arm(&lane); break;
        default: open = server_works(with, &lane, &steps[i]); break;
        }
    }
    lane_server_close(&lane);
}

/* ---- our end calls ---- */

static int look(lane_peer *peer)
{
    (void)peer;
    return 0;
}

/* Reads the reply of `call`, if it is there in time. false: the server broke the protocol. */
static bool client_reads(const bench *with, lane_client *lane, const lane_call *call)
{
    lane_reply reply;
    int rc = lane_client_wait(lane, call, 1);

    if (rc == SHMRPC_E_TIMEOUT && lane_client_cancel(lane, call) == 0) {
        return true;
    }
    if (rc == SHMRPC_E_PROTOCOL || lane_client_reply(lane, call, &reply) != 0) {
        return false;
    }
    require_payload(with, call->at, reply.payload, reply.length, with->memory.reply_blocks);
    lane_client_end(lane, call);
    return true;
}

/* false: the server broke the protocol. */
static bool client_works(lane_client *lane, const step *what, lane_call *ret_call)
{
    uint32_t size = what->offset % SIZES;
    uint32_t reply_size = what->marks < 224 ? what->marks : what->marks * 64u;
    int64_t timeout_ns = 1;
    int rc = lane_client_begin(lane, size, reply_size, &timeout_ns, ret_call);

    require(rc == 0 || rc == SHMRPC_E_TIMEOUT || rc == SHMRPC_E_TOO_LARGE || rc == SHMRPC_E_PROTOCOL);
    require(lane->reaped <= lane->next && lane->next - lane->reaped <= DEPTH);
    require(lane->request_blocks.count <= BLOCKS && lane->reply_blocks.count <= BLOCKS && lane->arena->used <= UNITS);
    if (rc != 0) {
        return rc != SHMRPC_E_PROTOCOL;
    }
    memset(ret_call->request, 0x55, size);
    return lane_client_publish(lane, ret_call, what->marks, size, timeout_ns) == 0;
}

static void call(const bench *with, const step *steps, size_t count)
{
    lane_peer peer = {.look = look};
    region memory = with->memory;
    lane_call last = {0};
    lane_client lane;
    bool open = true;

    region_format(&memory);
    require(lane_client_init(&lane, &with->memory, spin_for(0, false), with->bell, &peer) == 0);
    for (size_t i = 0; i < count && open; i++) {
        switch (steps[i].kind % STEP_KINDS) {
        case STEP_WRITE: write_bytes(with, &steps[i]); break;
        case STEP_WORD: write_word(with, &steps[i], lane.next - 1, word_reply(lane.next - 1, lane.memory.shift)); break;
        case STEP_ARM: open = last.at == NULL || lane.reaped > last.position || client_reads(with, &lane, &last); break;
        case STEP_GIVE_UP:
            if (last.at != NULL) {
                (void)lane_client_cancel(&lane, &last);
            }
            break;
        default: open = client_works(&lane, &steps[i], &last); break;
        }
    }
    lane_client_deinit(&lane);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const bench *with = bench_get();
    size_t count = length <= 1 ? 0 : (length - 1) / STEP_SIZE;
    step *steps = calloc(count + 1, sizeof(*steps));

    if (steps == NULL) {
        return 0;
    }
    memset(with->base, 0, with->memory.size);
    if (length > 0) {
        memcpy(steps, bytes + 1, count * STEP_SIZE);
        if (bytes[0] % 2 == 0) {
            serve(with, steps, count);
        } else {
            call(with, steps, count);
        }
    }
    free(steps);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    /* A word, work, and so on; in the header: method, blocks, length, budget. */
    static const step steps[] = {
        {STEP_WORD, 0, 0, {1, 0, 0, 0, 48, 0, 0, 0}},
        {STEP_WORK, 0, 48, {0}},
        {STEP_ARM, 0, 0, {0}},
        {STEP_WORD, WORD_CANCEL, 0, {1, 0, 1, 1, 0xc0, 1, 0, 0}},
        {STEP_WORK, 49, BLOCK, {0}},
        {STEP_WORD, 0, 0, {1, 0, 4, 4, 0xc0, 1, 0, 0}},
        {STEP_ARM, 0, 0, {0}},
        {STEP_WORK, 49, 8, {0}},
        {STEP_WRITE, 0, 256, {0x22}},
        {STEP_GIVE_UP, 0, 0, {0}},
        {STEP_WORK, 200, 200, {0}},
        {STEP_ARM, 0, 0, {0}},
        /* In the arena: the places of slot 0, then a request there, an answer there, and both. */
        {STEP_WRITE, 0, SHMRPC_LANE_HEADER + 16, {1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0}},
        {STEP_WORD, 0, 0, {1, 0, 255, 0, 0, 8, 0, 0}},
        {STEP_WORK, 0, 48, {0}},
        {STEP_WORD, 0, 0, {1, 0, 0, 255, 32, 0, 0, 0}},
        {STEP_WORK, 230, 5000, {0}},
        {STEP_WORD, 0, 0, {1, 0, 255, 255, 0, 16, 0, 0}},
        {STEP_WORK, 240, 4096, {0}},
        {STEP_ARM, 0, 0, {0}},
        /* In sealed memory: one, and its answer in the arena; then one that has not come. */
        {STEP_WORD, 0, 0, {1, 0, 0, 0, 48, 0, 0, 0}},
        {STEP_WORK, 0, 48, {0}},
        {STEP_WRITE, 0, SHMRPC_LANE_HEADER + 16, {255, 255, 255, 255, 2, 0, 0, 0, 1, 0, 0, 0}},
        {STEP_WRITE, 0, SHMRPC_LANE_HEADER + 80, {255, 255, 255, 255, 2, 0, 0, 0, 1, 0, 0, 0}},
        {STEP_WORD, 0, 0, {1, 0, 255, 255, 0, 8, 0, 0}},
        {STEP_WORK, 240, 4096, {0}},
        {STEP_WORD, 0, 0, {1, 0, 255, 0, 32, 0, 0, 0}},
        {STEP_WORK, 0, 48, {0}},
    };

    if (index >= 4) {
        return 0;
    }
    to[0] = (uint8_t)index;
    memcpy(to + 1, steps + (index / 2), sizeof(steps) - (index / 2) * sizeof(steps[0]));
    return 1 + sizeof(steps) - (index / 2) * sizeof(steps[0]);
}
