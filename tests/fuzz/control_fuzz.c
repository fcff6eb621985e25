/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake's packets: whatever is decoded is within the limits of control.h, can be encoded again, and is
 * then decoded to the same packet.
 */
#include "fuzz.h"

#include "runtime/control.h"
#include "runtime/mismatch.h"
#include "runtime/platform/socket.h"

#include <shmrpc/generated.h>
#include <shmrpc/wire.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void require(bool fine)
{
    if (!fine)
        abort();
}

static void require_name(const char *name, size_t least)
{
    size_t length = strlen(name);

    require(length >= least && length <= CONTROL_NAME_MAX);
    for (size_t i = 0; i < length; i++)
        require(name[i] > ' ' && name[i] <= '~');
}

static void require_text(const char *text, size_t most)
{
    size_t length = strlen(text);

    require(length <= most && shmrpc_text_is_valid(text, length));
    for (size_t i = 0; i < length; i++)
        require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void check_hello(const control_hello *hello)
{
    require(hello->protocol_least > 0 && hello->protocol_least <= hello->protocol_most);
    require(hello->depth <= CONTROL_DEPTH_MAX && hello->blocks <= CONTROL_BLOCKS_MAX);
    require(hello->request_size <= SHMRPC_LARGE_MAX && hello->reply_size <= SHMRPC_LARGE_MAX);
    require(hello->method_count <= SHMRPC_METHODS_MAX);
    require_name(hello->service, 0);
    require_name(hello->runtime, 0);
    for (uint32_t i = 0; i < hello->method_count; i++) {
        require_name(hello->methods[i].name, 1);
        require(hello->methods[i].revision_count > 0 && hello->methods[i].revision_count <= CONTROL_REVISIONS_MAX);
        for (uint32_t k = 0; k < hello->methods[i].revision_count; k++)
            require(hello->methods[i].request_sizes[k] <= SHMRPC_LARGE_MAX &&
                    hello->methods[i].answer_sizes[k] <= SHMRPC_LARGE_MAX);
    }
}

/* What a client makes of it, whose own method is like this. */
static void check_mismatch(const control_mismatch *theirs, uint32_t version)
{
    static const shmrpc_type_info inner = {.name = "demo.Inner", .layout = "struct(8){0:uint32 a;4:uint32 b;}"};
    static const shmrpc_type_info request = {
        .name = "demo.Request",
        .layout = "message(64){0:uint64 a;8?16:uint32 b;24:struct(8){0:uint32 a;4:uint32 b;} c;32:"
                  "vector<struct(8){0:uint32 a;4:uint32 b;},3> d;}"};
    static const shmrpc_error_info items[] = {{"PLAIN", 1, NULL}, {"INNER", 2, &inner}};
    static const shmrpc_errors_info errors = {.name = "demo.Error", .items = items, .count = 2};
    static const shmrpc_method_info method = {.name = "method",
                                              .request = &request,
                                              .reply = &inner,
                                              .errors = &errors};
    static const shmrpc_service_info service = {.name = "demo.Service", .version = 2};
    char line[MISMATCH_LINE_MAX + 1];

    require(theirs->method < SHMRPC_METHODS_MAX);
    require(theirs->request_size <= SHMRPC_LARGE_MAX && theirs->answer_size <= SHMRPC_LARGE_MAX);
    require_text(theirs->request, CONTROL_LAYOUT_MAX);
    require_text(theirs->reply, CONTROL_LAYOUT_MAX);
    require_text(theirs->errors, CONTROL_LAYOUT_MAX);
    memset(line, 0x55, sizeof(line));
    mismatch_report(&service, &method, theirs, version, line);
    require(strnlen(line, sizeof(line)) <= MISMATCH_LINE_MAX && line[0] != '\0');
}

static void check_welcome(const control_welcome *welcome)
{
    require(welcome->status <= 0);
    require(welcome->depth <= CONTROL_DEPTH_MAX);
    require(welcome->request_block_count <= CONTROL_BLOCKS_MAX && welcome->request_block_size <= SHMRPC_MESSAGE_MAX);
    require(welcome->reply_block_count <= CONTROL_BLOCKS_MAX && welcome->reply_block_size <= SHMRPC_MESSAGE_MAX);
    require(welcome->arena_size <= SHMRPC_ARENA_MOST && welcome->arena_size % SHMRPC_ARENA_UNIT == 0);
    require(welcome->method_count <= SHMRPC_METHODS_MAX);
    require_text(welcome->text, CONTROL_TEXT_MAX);
    require_name(welcome->runtime, 0);
    for (uint32_t i = 0; i < welcome->method_count; i++)
        require(welcome->method_numbers[i] <= CONTROL_METHOD_MISSING &&
                (welcome->method_revisions == NULL || welcome->method_revisions[i] < CONTROL_REVISIONS_MAX));
    require(welcome->mismatch_count <= CONTROL_MISMATCHES_MAX);
    for (uint32_t i = 0; i < welcome->mismatch_count; i++)
        check_mismatch(&welcome->mismatches[i], welcome->version);
}

static void check_packet(const control_packet *packet)
{
    switch (packet->kind) {
    case CONTROL_HELLO: check_hello(&packet->as.hello); return;
    case CONTROL_WELCOME: check_welcome(&packet->as.welcome); return;
    case CONTROL_ATTACH: return;
    case CONTROL_READY:
        require(packet->as.ready.status <= 0);
        require_text(packet->as.ready.text, CONTROL_TEXT_MAX);
        return;
    case CONTROL_GOODBYE: require_text(packet->as.goodbye, CONTROL_TEXT_MAX); return;
    case CONTROL_CANCEL:
    case CONTROL_SEALED: return;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    control_packet *first = NULL;
    control_packet *second = NULL;
    const char *reason = NULL;
    size_t lengths[2];
    void *encoded[2];
    int r = control_decode(bytes, length, &first, &reason);

    if (r != 0) {
        require(r == -EPROTO && reason != NULL && first == NULL);
        return 0;
    }
    check_packet(first);
    require(control_encode(first, &encoded[0], &lengths[0]) == 0);
    require(control_decode(encoded[0], lengths[0], &second, &reason) == 0);
    check_packet(second);
    require(control_encode(second, &encoded[1], &lengths[1]) == 0);
    require(lengths[0] == lengths[1] && memcmp(encoded[0], encoded[1], lengths[0]) == 0);
    free(encoded[0]);
    free(encoded[1]);
    control_packet_free(first);
    control_packet_free(second);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *to)
{
    static uint64_t fingerprints[] = {1, UINT64_MAX, 7};
    static uint32_t sizes[] = {16, 8, SHMRPC_MESSAGE_MAX, 0};
    static control_method methods[] = {
        {"add", 3, fingerprints, sizes, sizes, false},
        {"divide", 1, fingerprints + 1, sizes, sizes + 1, false},
        {"note", 1, fingerprints + 2, sizes + 2, sizes + 3, true},
    };
    static uint32_t numbers[] = {2, CONTROL_METHOD_MISMATCH, CONTROL_METHOD_MISSING};
    static uint32_t revisions[] = {2, 0, 0};
    static control_mismatch mismatches[] = {
        {1, false, 9, 64, 8, "message(64){0:uint64 a;8?16:uint32 b;24:struct(8){0:uint32 a;4:uint16 b;} c;}",
         "message(8){0:uint64 a;}", "errors{1: PLAIN;2:struct(8){0:uint32 a;} INNER;}"},
        {1, true, 9, 0, 0,
         "message(64){0:uint64 a;8?16:uint32 b;24:struct(8){0:uint32 a;4:uint32 b;} c;32:vector<struct(8)"
         "{0:uint32 a;4:uint8 b;},3> d;}",
         "", ""},
    };
    const control_packet packets[] = {
        {.kind = CONTROL_HELLO,
         .as.hello = {.protocol_least = 1,
                      .protocol_most = 2,
                      .service = "demo.calc.Calculator",
                      .methods = methods,
                      .method_count = 3,
                      .depth = 64,
                      .blocks = 8,
                      .runtime = "0.1.0"}},
        {.kind = CONTROL_HELLO,
         .as.hello = {.protocol_least = 1, .protocol_most = 1, .request_size = 4096, .reply_size = 4096}},
        {.kind = CONTROL_WELCOME,
         .as.welcome = {.protocol = 1,
                        .depth = 64,
                        .request_block_size = 4096,
                        .request_block_count = 8,
                        .reply_block_size = 256,
                        .reply_block_count = 8,
                        .method_numbers = numbers,
                        .method_revisions = revisions,
                        .method_count = 3,
                        .version = 3,
                        .mismatches = mismatches,
                        .mismatch_count = 2,
                        .session = 7,
                        .runtime = "0.1.0"}},
        {.kind = CONTROL_WELCOME, .as.welcome = {.status = -12, .text = "add: \xc3\xa4 differs"}},
        {.kind = CONTROL_ATTACH, .as.attach.size = 65536},
        {.kind = CONTROL_READY, .as.ready = {.status = -18, .text = "no memory"}},
        {.kind = CONTROL_GOODBYE, .as.goodbye = "stopping"},
    };
    size_t length;
    void *bytes;

    if (index >= sizeof(packets) / sizeof(packets[0]))
        return 0;
    require(control_encode(&packets[index], &bytes, &length) == 0 && length <= FUZZ_SIZE_MAX);
    memcpy(to, bytes, length);
    free(bytes);
    return length;
}
