/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake's packets: whatever is decoded is within the limits of control.h, can be encoded again, and is
 * then decoded to the same packet.
 */
#include "fuzz.h"

#include "runtime/control.h"
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

static void require_text(const char *text)
{
    size_t length = strlen(text);

    require(length <= CONTROL_TEXT_MAX && shmrpc_text_is_valid(text, length));
    for (size_t i = 0; i < length; i++)
        require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void check_hello(const control_hello *hello)
{
    require(hello->protocol_least > 0 && hello->protocol_least <= hello->protocol_most);
    require(hello->depth <= CONTROL_DEPTH_MAX && hello->blocks <= CONTROL_BLOCKS_MAX);
    require(hello->request_size <= SHMRPC_MESSAGE_MAX && hello->reply_size <= SHMRPC_MESSAGE_MAX);
    require(hello->method_count <= SHMRPC_METHODS_MAX);
    require_name(hello->service, 0);
    require_name(hello->runtime, 0);
    for (uint32_t i = 0; i < hello->method_count; i++) {
        require_name(hello->methods[i].name, 1);
        require(hello->methods[i].request_size <= SHMRPC_MESSAGE_MAX);
        require(hello->methods[i].reply_size <= SHMRPC_MESSAGE_MAX);
    }
}

static void check_welcome(const control_welcome *welcome)
{
    require(welcome->status <= 0);
    require(welcome->depth <= CONTROL_DEPTH_MAX);
    require(welcome->request_block_count <= CONTROL_BLOCKS_MAX && welcome->request_block_size <= SHMRPC_MESSAGE_MAX);
    require(welcome->reply_block_count <= CONTROL_BLOCKS_MAX && welcome->reply_block_size <= SHMRPC_MESSAGE_MAX);
    require(welcome->method_count <= SHMRPC_METHODS_MAX);
    require_text(welcome->text);
    require_name(welcome->runtime, 0);
    for (uint32_t i = 0; i < welcome->method_count; i++)
        require(welcome->method_numbers[i] <= CONTROL_METHOD_MISSING);
}

static void check_packet(const control_packet *packet)
{
    switch (packet->kind) {
    case CONTROL_HELLO: check_hello(&packet->as.hello); return;
    case CONTROL_WELCOME: check_welcome(&packet->as.welcome); return;
    case CONTROL_ATTACH: return;
    case CONTROL_READY:
        require(packet->as.ready.status <= 0);
        require_text(packet->as.ready.text);
        return;
    case CONTROL_GOODBYE: require_text(packet->as.goodbye); return;
    case CONTROL_CANCEL: return;
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
    static control_method methods[] = {
        {.name = "add", .fingerprint = 1, .request_size = 16, .reply_size = 8},
        {.name = "divide", .fingerprint = UINT64_MAX, .request_size = 16, .reply_size = 8},
        {.name = "note", .request_size = SHMRPC_MESSAGE_MAX, .oneway = true},
    };
    static uint32_t numbers[] = {2, 0, CONTROL_METHOD_MISSING};
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
                        .method_count = 3,
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
