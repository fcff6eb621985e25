/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet goes through three forms: bytes, the structs of protobuf-c, and ours. Strings are not copied between the
 * last two: ours point into protobuf-c's message, which a decoded packet keeps.
 *
 * protobuf-c guards the bytes; what it allocates is guarded here. A packet of repeated empty messages costs 60 times
 * its length when it is decoded, so decoding draws on a budget that every packet within the limits fits in.
 */
#include "control.h"

#include "platform/socket.h"

#include <shmrpc/generated.h>
#include <shmrpc/wire.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.pb-c.h"

#define DECODE_BUDGET ((size_t)4 * 1024 * 1024) /* bytes */

typedef Shmrpc__Control__Packet wire_packet;
typedef Shmrpc__Control__Hello wire_hello;
typedef Shmrpc__Control__Welcome wire_welcome;
typedef Shmrpc__Control__Attach wire_attach;
typedef Shmrpc__Control__Ready wire_ready;
typedef Shmrpc__Control__Goodbye wire_goodbye;
typedef Shmrpc__Control__Method wire_method;
typedef Shmrpc__Control__Mismatch wire_mismatch;

/* ---- encoding ---- */

/* protobuf-c's structs have no const; what is packed is only read. */
static char *wire_string(const char *text)
{
    return text != NULL ? (char *)(uintptr_t)text : (char *)(uintptr_t) "";
}

/* Bytes of `text` up to `most`, none of a character that is cut. */
static size_t text_length(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);

    if (length <= most)
        return length;
    length = most;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* A copy where `text` is too long; `*ret_copy` is what is to be freed. */
static int wire_text(const char *text, char **ret_text, char **ret_copy)
{
    char *copy = NULL;

    if (text != NULL) {
        size_t length = text_length(text, CONTROL_TEXT_MAX);

        if (text[length] != '\0') {
            copy = strndup(text, length);
            if (copy == NULL)
                return -ENOMEM;
        }
    }
    *ret_text = copy != NULL ? copy : wire_string(text);
    *ret_copy = copy;
    return 0;
}

static int wire_pack(const wire_packet *packet, void **ret_bytes, size_t *ret_length)
{
    size_t length = shmrpc__control__packet__get_packed_size(packet);
    void *bytes;

    if (length > SOCKET_PACKET_MAX)
        return -EMSGSIZE;
    bytes = malloc(length);
    if (bytes == NULL)
        return -ENOMEM;
    *ret_length = shmrpc__control__packet__pack(packet, bytes);
    *ret_bytes = bytes;
    return 0;
}

/* The reason why a peer's packet is refused; each check returns one, or NULL. */
typedef const char *reason;

/* ---- tokens ---- */

bool control_token_is_equal(const control_token *a, const control_token *b)
{
    unsigned difference = 0;

    for (size_t i = 0; i < CONTROL_TOKEN_SIZE; i++)
        difference |= a->bytes[i] ^ b->bytes[i];
    return difference == 0;
}

bool control_token_is_set(const control_token *token)
{
    static const control_token none;

    return !control_token_is_equal(token, &none);
}

/* Refers to `token`; no token has no bytes. */
static ProtobufCBinaryData token_encode(control_token *token)
{
    return (ProtobufCBinaryData){control_token_is_set(token) ? CONTROL_TOKEN_SIZE : 0, token->bytes};
}

static reason token_decode(const ProtobufCBinaryData *from, control_token *to)
{
    if (from->len != 0 && from->len != CONTROL_TOKEN_SIZE)
        return "a token of the wrong size";
    *to = (control_token){0};
    if (from->len != 0)
        memcpy(to->bytes, from->data, CONTROL_TOKEN_SIZE);
    return NULL;
}

static int hello_encode(const control_hello *hello, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    wire_hello to;
    wire_method *methods = NULL;
    wire_method **pointers = NULL;
    control_token token = hello->token;
    int r = -ENOMEM;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__hello__init(&to);
    if (hello->method_count > 0) {
        methods = calloc(hello->method_count, sizeof(*methods));
        pointers = calloc(hello->method_count, sizeof(wire_method *));
        if (methods == NULL || pointers == NULL)
            goto out_free;
    }
    for (uint32_t i = 0; i < hello->method_count; i++) {
        const control_method *from = &hello->methods[i];

        shmrpc__control__method__init(&methods[i]);
        methods[i].name = wire_string(from->name);
        methods[i].fingerprints = from->fingerprints;
        methods[i].n_fingerprints = from->revision_count;
        methods[i].request_sizes = from->request_sizes;
        methods[i].n_request_sizes = from->revision_count;
        methods[i].answer_sizes = from->answer_sizes;
        methods[i].n_answer_sizes = from->revision_count;
        methods[i].oneway = from->oneway;
        pointers[i] = &methods[i];
    }

    to.protocol_least = hello->protocol_least;
    to.protocol_most = hello->protocol_most;
    to.service = wire_string(hello->service);
    to.methods = pointers;
    to.n_methods = hello->method_count;
    to.depth = hello->depth;
    to.blocks = hello->blocks;
    to.request_size = hello->request_size;
    to.reply_size = hello->reply_size;
    to.runtime = wire_string(hello->runtime);
    to.inbox = hello->inbox;
    to.semaphores = hello->semaphores;
    to.membarrier = hello->membarrier;
    to.envelope = hello->envelope;
    to.arena_size = hello->arena_size;
    to.token = token_encode(&token);

    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_HELLO;
    packet.hello = &to;
    r = wire_pack(&packet, ret_bytes, ret_length);

out_free:
    free(pointers);
    free(methods);
    return r;
}

/* Texts that are too long are the receiver's to cut. */
static void mismatch_encode(const control_mismatch *from, wire_mismatch *to)
{
    shmrpc__control__mismatch__init(to);
    to->method = from->method;
    to->oneway = from->oneway;
    to->fingerprint = from->fingerprint;
    to->request_size = from->request_size;
    to->answer_size = from->answer_size;
    to->request = wire_string(from->request);
    to->reply = wire_string(from->reply);
    to->errors = wire_string(from->errors);
}

static int welcome_encode(const control_welcome *welcome, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    wire_welcome to;
    wire_mismatch *mismatches = NULL;
    wire_mismatch **pointers = NULL;
    control_token token = welcome->token;
    char *copy;
    int r;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__welcome__init(&to);
    r = wire_text(welcome->text, &to.text, &copy);
    if (r < 0)
        return r;
    if (welcome->mismatch_count > 0) {
        mismatches = calloc(welcome->mismatch_count, sizeof(*mismatches));
        pointers = calloc(welcome->mismatch_count, sizeof(wire_mismatch *));
        if (mismatches == NULL || pointers == NULL) {
            r = -ENOMEM;
            goto out_free;
        }
    }
    for (uint32_t i = 0; i < welcome->mismatch_count; i++) {
        mismatch_encode(&welcome->mismatches[i], &mismatches[i]);
        pointers[i] = &mismatches[i];
    }
    to.mismatches = pointers;
    to.n_mismatches = welcome->mismatch_count;
    to.version = welcome->version;
    to.status = welcome->status;
    to.protocol = welcome->protocol;
    to.depth = welcome->depth;
    to.request_block_size = welcome->request_block_size;
    to.request_block_count = welcome->request_block_count;
    to.reply_block_size = welcome->reply_block_size;
    to.reply_block_count = welcome->reply_block_count;
    to.method_numbers = welcome->method_numbers;
    to.n_method_numbers = welcome->method_count;
    to.method_revisions = welcome->method_revisions;
    to.n_method_revisions = welcome->method_revisions != NULL ? welcome->method_count : 0;
    to.session = welcome->session;
    to.runtime = wire_string(welcome->runtime);
    to.inbox_depth = welcome->inbox_depth;
    to.envelopes = welcome->envelopes;
    to.sealed = welcome->sealed;
    to.arena_size = welcome->arena_size;
    to.token = token_encode(&token);
    to.membarrier = welcome->membarrier;

    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_WELCOME;
    packet.welcome = &to;
    r = wire_pack(&packet, ret_bytes, ret_length);

out_free:
    free(pointers);
    free(mismatches);
    free(copy);
    return r;
}

static int attach_encode(const control_attach *attach, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    wire_attach to;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__attach__init(&to);
    to.size = attach->size;
    to.arena_size = attach->arena_size;
    to.prefault = attach->prefault;
    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_ATTACH;
    packet.attach = &to;
    return wire_pack(&packet, ret_bytes, ret_length);
}

static int ready_encode(const control_ready *ready, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    wire_ready to;
    char *copy;
    int r;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__ready__init(&to);
    r = wire_text(ready->text, &to.text, &copy);
    if (r < 0)
        return r;
    to.status = ready->status;
    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_READY;
    packet.ready = &to;
    r = wire_pack(&packet, ret_bytes, ret_length);
    free(copy);
    return r;
}

static int goodbye_encode(const char *text, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    wire_goodbye to;
    char *copy;
    int r;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__goodbye__init(&to);
    r = wire_text(text, &to.text, &copy);
    if (r < 0)
        return r;
    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_GOODBYE;
    packet.goodbye = &to;
    r = wire_pack(&packet, ret_bytes, ret_length);
    free(copy);
    return r;
}

static int cancel_encode(uint64_t position, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    Shmrpc__Control__Cancel to;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__cancel__init(&to);
    to.position = position;
    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_CANCEL;
    packet.cancel = &to;
    return wire_pack(&packet, ret_bytes, ret_length);
}

static int sealed_encode(uint64_t position, void **ret_bytes, size_t *ret_length)
{
    wire_packet packet;
    Shmrpc__Control__Sealed to;

    shmrpc__control__packet__init(&packet);
    shmrpc__control__sealed__init(&to);
    to.position = position;
    packet.body_case = SHMRPC__CONTROL__PACKET__BODY_SEALED;
    packet.sealed = &to;
    return wire_pack(&packet, ret_bytes, ret_length);
}

int control_encode(const control_packet *packet, void **ret_bytes, size_t *ret_length)
{
    switch (packet->kind) {
    case CONTROL_HELLO: return hello_encode(&packet->as.hello, ret_bytes, ret_length);
    case CONTROL_WELCOME: return welcome_encode(&packet->as.welcome, ret_bytes, ret_length);
    case CONTROL_ATTACH: return attach_encode(&packet->as.attach, ret_bytes, ret_length);
    case CONTROL_READY: return ready_encode(&packet->as.ready, ret_bytes, ret_length);
    case CONTROL_GOODBYE: return goodbye_encode(packet->as.goodbye, ret_bytes, ret_length);
    case CONTROL_CANCEL: return cancel_encode(packet->as.cancel, ret_bytes, ret_length);
    case CONTROL_SEALED: return sealed_encode(packet->as.sealed, ret_bytes, ret_length);
    }
    assert(false);
    return -EINVAL;
}

/* ---- decoding ---- */

typedef struct budget {
    size_t left;
    bool overdrawn;
    bool out_of_memory;
} budget;

static void *budget_alloc(void *data, size_t size)
{
    budget *of = data;
    void *memory;

    if (size > of->left) {
        of->overdrawn = true;
        return NULL;
    }
    of->left -= size;
    memory = malloc(size);
    if (memory == NULL)
        of->out_of_memory = true;
    return memory;
}

static void budget_free(void *data, void *memory)
{
    (void)data;
    free(memory);
}

/* Is this printable ASCII without spaces, of `least` .. CONTROL_NAME_MAX bytes? */
static bool name_is_usable(const char *name, size_t least)
{
    size_t length = strnlen(name, CONTROL_NAME_MAX + 1);

    if (length < least || length > CONTROL_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    }
    return true;
}

/* Cuts the text and takes out, in place, what is not for printing. */
static const char *text_decode(char *text, size_t most)
{
    size_t length = text_length(text, most);
    bool plain;

    /* An empty string may be protobuf-c's own constant. */
    if (length == 0)
        return "";
    text[length] = '\0';
    plain = !shmrpc_text_is_valid(text, length);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < ' ' || c == 0x7f || (plain && c > 0x7f))
            text[i] = '?';
        /* U+0080 .. U+009f: control characters of two bytes */
        else if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
            text[i] = text[i + 1] = '?';
    }
    return text;
}

static reason method_decode(const wire_method *from, control_method *to)
{
    if (!name_is_usable(from->name, 1))
        return "a method's name is not usable";
    if (from->n_fingerprints == 0 || from->n_fingerprints > CONTROL_REVISIONS_MAX)
        return "a method has no layouts, or too many";
    if (from->n_request_sizes != from->n_fingerprints || from->n_answer_sizes != from->n_fingerprints)
        return "a method's layouts are not all described";
    for (size_t i = 0; i < from->n_fingerprints; i++) {
        if (from->request_sizes[i] > SHMRPC_LARGE_MAX || from->answer_sizes[i] > SHMRPC_LARGE_MAX)
            return "a method's messages are above the limit";
    }
    *to = (control_method){
        .name = from->name,
        .revision_count = (uint32_t)from->n_fingerprints,
        .fingerprints = from->fingerprints,
        .request_sizes = from->request_sizes,
        .answer_sizes = from->answer_sizes,
        .oneway = from->oneway != 0,
    };
    return NULL;
}

/* `methods` has room for all of them. */
static reason hello_decode(const wire_hello *from, control_method *methods, control_hello *to)
{
    if (from->protocol_least == 0 || from->protocol_least > from->protocol_most)
        return "the range of protocol versions is empty";
    if (!name_is_usable(from->service, 0))
        return "the service's name is not usable";
    if (!name_is_usable(from->runtime, 0))
        return "the version of the library is not usable";
    if (from->depth > CONTROL_DEPTH_MAX || from->inbox > CONTROL_DEPTH_MAX || from->blocks > CONTROL_BLOCKS_MAX)
        return "the depth or the number of blocks is above the limit";
    if (from->request_size > SHMRPC_LARGE_MAX || from->reply_size > SHMRPC_LARGE_MAX)
        return "the size of messages is above the limit";
    if (from->envelope > CONTROL_ENVELOPE_MAX)
        return "the size of envelopes is above the limit";

    for (size_t i = 0; i < from->n_methods; i++) {
        reason why = method_decode(from->methods[i], &methods[i]);

        if (why != NULL)
            return why;
    }
    *to = (control_hello){
        .protocol_least = from->protocol_least,
        .protocol_most = from->protocol_most,
        .service = from->service,
        .methods = methods,
        .method_count = (uint32_t)from->n_methods,
        .depth = from->depth,
        .blocks = from->blocks,
        .request_size = from->request_size,
        .reply_size = from->reply_size,
        .runtime = from->runtime,
        .inbox = from->inbox,
        .semaphores = from->semaphores != 0,
        .membarrier = from->membarrier != 0,
        .envelope = from->envelope,
        .arena_size = from->arena_size,
    };
    return token_decode(&from->token, &to->token);
}

static reason mismatch_decode(const wire_mismatch *from, control_mismatch *to)
{
    if (from->method >= SHMRPC_METHODS_MAX)
        return "a method's index is above the limit";
    if (from->request_size > SHMRPC_LARGE_MAX || from->answer_size > SHMRPC_LARGE_MAX)
        return "a method's messages are above the limit";
    *to = (control_mismatch){
        .method = from->method,
        .oneway = from->oneway != 0,
        .fingerprint = from->fingerprint,
        .request_size = from->request_size,
        .answer_size = from->answer_size,
        .request = text_decode(from->request, CONTROL_LAYOUT_MAX),
        .reply = text_decode(from->reply, CONTROL_LAYOUT_MAX),
        .errors = text_decode(from->errors, CONTROL_LAYOUT_MAX),
    };
    return NULL;
}

/* `mismatches` has room for all of them. */
static reason welcome_decode(const wire_welcome *from, control_mismatch *mismatches, control_welcome *to)
{
    if (from->status > 0)
        return "the status is not one of the transport's";
    if (!name_is_usable(from->runtime, 0))
        return "the version of the library is not usable";
    if (from->depth > CONTROL_DEPTH_MAX || from->inbox_depth > CONTROL_DEPTH_MAX ||
        from->request_block_count > CONTROL_BLOCKS_MAX || from->reply_block_count > CONTROL_BLOCKS_MAX)
        return "the depth or the number of blocks is above the limit";
    if (from->request_block_size > SHMRPC_MESSAGE_MAX || from->reply_block_size > SHMRPC_MESSAGE_MAX)
        return "the size of blocks is above the limit";
    if (from->arena_size > SHMRPC_ARENA_MOST || from->arena_size % SHMRPC_ARENA_UNIT != 0)
        return "the size of the arena is not within the limits";
    if (from->n_method_numbers > SHMRPC_METHODS_MAX)
        return "too many methods";
    for (size_t i = 0; i < from->n_method_numbers; i++) {
        if (from->method_numbers[i] > CONTROL_METHOD_MISSING)
            return "a method's number is above the limit";
    }
    if (from->n_method_revisions != 0 && from->n_method_revisions != from->n_method_numbers)
        return "methods and their revisions are not as many";
    for (size_t i = 0; i < from->n_method_revisions; i++) {
        if (from->method_revisions[i] >= CONTROL_REVISIONS_MAX)
            return "a method's revision is above the limit";
    }
    for (size_t i = 0; i < from->n_mismatches; i++) {
        reason why = mismatch_decode(from->mismatches[i], &mismatches[i]);

        if (why != NULL)
            return why;
    }
    *to = (control_welcome){
        .status = from->status,
        .text = text_decode(from->text, CONTROL_TEXT_MAX),
        .protocol = from->protocol,
        .depth = from->depth,
        .request_block_size = from->request_block_size,
        .request_block_count = from->request_block_count,
        .reply_block_size = from->reply_block_size,
        .reply_block_count = from->reply_block_count,
        .method_numbers = from->method_numbers,
        .method_revisions = from->n_method_revisions != 0 ? from->method_revisions : NULL,
        .method_count = (uint32_t)from->n_method_numbers,
        .version = from->version,
        .mismatches = mismatches,
        .mismatch_count = (uint32_t)from->n_mismatches,
        .session = from->session,
        .runtime = from->runtime,
        .inbox_depth = from->inbox_depth,
        .membarrier = from->membarrier != 0,
        .envelopes = from->envelopes != 0,
        .sealed = from->sealed != 0,
        .arena_size = from->arena_size,
    };
    return token_decode(&from->token, &to->token);
}

/* Our form of what a packet has many of. */
typedef union part {
    control_method method;
    control_mismatch mismatch;
} part;

/* How many there are; `*ret_reason`: too many. */
static size_t count_parts(const wire_packet *from, reason *ret_reason)
{
    size_t count = 0;

    *ret_reason = NULL;
    if (from->body_case == SHMRPC__CONTROL__PACKET__BODY_HELLO) {
        count = from->hello->n_methods;
        if (count > SHMRPC_METHODS_MAX)
            *ret_reason = "too many methods";
    } else if (from->body_case == SHMRPC__CONTROL__PACKET__BODY_WELCOME) {
        count = from->welcome->n_mismatches;
        if (count > CONTROL_MISMATCHES_MAX)
            *ret_reason = "too many methods that are not as the client has them";
    }
    return count;
}

static reason packet_decode(const wire_packet *from, void *parts, control_packet *to)
{
    switch (from->body_case) {
    case SHMRPC__CONTROL__PACKET__BODY_HELLO:
        to->kind = CONTROL_HELLO;
        return hello_decode(from->hello, parts, &to->as.hello);
    case SHMRPC__CONTROL__PACKET__BODY_WELCOME:
        to->kind = CONTROL_WELCOME;
        return welcome_decode(from->welcome, parts, &to->as.welcome);
    case SHMRPC__CONTROL__PACKET__BODY_ATTACH:
        to->kind = CONTROL_ATTACH;
        to->as.attach = (control_attach){from->attach->size, from->attach->arena_size, from->attach->prefault != 0};
        return NULL;
    case SHMRPC__CONTROL__PACKET__BODY_READY:
        if (from->ready->status > 0)
            return "the status is not one of the transport's";
        to->kind = CONTROL_READY;
        to->as.ready =
            (control_ready){.status = from->ready->status, .text = text_decode(from->ready->text, CONTROL_TEXT_MAX)};
        return NULL;
    case SHMRPC__CONTROL__PACKET__BODY_GOODBYE:
        to->kind = CONTROL_GOODBYE;
        to->as.goodbye = text_decode(from->goodbye->text, CONTROL_TEXT_MAX);
        return NULL;
    case SHMRPC__CONTROL__PACKET__BODY_CANCEL:
        to->kind = CONTROL_CANCEL;
        to->as.cancel = from->cancel->position;
        return NULL;
    case SHMRPC__CONTROL__PACKET__BODY_SEALED:
        to->kind = CONTROL_SEALED;
        to->as.sealed = from->sealed->position;
        return NULL;
    default: return "a packet of unknown kind";
    }
}

/* The packet with room behind it for its parts, which it points to. */
typedef struct decoded {
    control_packet packet;
    part parts[];
} decoded;

int control_decode(const void *bytes, size_t length, control_packet **ret_packet, const char **ret_reason)
{
    budget of = {.left = DECODE_BUDGET};
    ProtobufCAllocator allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = &of};
    decoded *result = NULL;
    wire_packet *wire;
    size_t count;
    reason why;
    int r;

    if (length > SOCKET_PACKET_MAX) {
        *ret_reason = "the packet is above the limit";
        return -EPROTO;
    }
    wire = shmrpc__control__packet__unpack(&allocator, length, bytes);
    if (wire == NULL) {
        if (of.out_of_memory)
            return -ENOMEM;
        *ret_reason = of.overdrawn ? "the packet has too many parts" : "the packet is malformed";
        return -EPROTO;
    }

    count = count_parts(wire, &why);
    if (why != NULL) {
        *ret_reason = why;
        r = -EPROTO;
        goto out_free;
    }
    result = calloc(1, sizeof(*result) + count * sizeof(result->parts[0]));
    if (result == NULL) {
        r = -ENOMEM;
        goto out_free;
    }
    why = packet_decode(wire, result->parts, &result->packet);
    if (why != NULL) {
        *ret_reason = why;
        r = -EPROTO;
        goto out_free;
    }
    result->packet.storage = wire;
    *ret_packet = &result->packet;
    return 0;

out_free:
    free(result);
    shmrpc__control__packet__free_unpacked(wire, NULL);
    return r;
}

void control_packet_free(control_packet *packet)
{
    if (packet == NULL)
        return;
    /* What the budget's allocator gave came from malloc(), which is what protobuf-c frees to by default. */
    shmrpc__control__packet__free_unpacked(packet->storage, NULL);
    free(packet);
}
