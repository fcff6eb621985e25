/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - the handshake's packets (control.proto) as plain structs.
 *
 * Encoding and decoding by protobuf-c; everything that came from a peer is bounded here: counts, lengths and numbers are inside the
 * limits that the fields below state, or decoding fails. What the limits do not say (a depth that is a power of two, sizes that fit
 * together) is region.h's.
 */
#ifndef SHMRPC_CONTROL_H
#define SHMRPC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_PROTOCOL 1u           /* the version of the shared-memory protocol of this library */
#define CONTROL_NAME_MAX 255u         /* bytes of a service's or method's name */
#define CONTROL_TEXT_MAX 1023u        /* bytes of a reason; longer ones are cut */
#define CONTROL_METHOD_MISSING 0xffffu

typedef struct control_method {
    const char *name;
    uint64_t fingerprint;
    uint32_t request_size;
    uint32_t reply_size;
    bool oneway;
} control_method;

typedef struct control_hello {
    uint32_t protocol_least;
    uint32_t protocol_most;
    const char *service;
    control_method *methods;
    uint32_t method_count;  /* at most SHMRPC_METHODS_MAX */
    uint32_t depth;
    uint32_t blocks;
    uint32_t request_size;
    uint32_t reply_size;
    const char *runtime;
} control_hello;

typedef struct control_welcome {
    int status;
    const char *text;
    uint32_t protocol;
    uint32_t depth;
    uint32_t request_block_size;
    uint32_t request_block_count;
    uint32_t reply_block_size;
    uint32_t reply_block_count;
    uint32_t *method_numbers;
    uint32_t method_count;
    uint64_t session;
    const char *runtime;
} control_welcome;

typedef struct control_attach {
    uint64_t size;
} control_attach;

typedef struct control_ready {
    int status;
    const char *text;
} control_ready;

typedef enum control_kind { CONTROL_HELLO, CONTROL_WELCOME, CONTROL_ATTACH, CONTROL_READY, CONTROL_GOODBYE } control_kind;

/* A decoded packet; strings and arrays live until control_packet_free(). */
typedef struct control_packet {
    control_kind kind;
    union {
        control_hello hello;
        control_welcome welcome;
        control_attach attach;
        control_ready ready;
        const char *goodbye;
    } as;
    void *storage;
} control_packet;

/* Encodes into heap memory that the caller frees. 0, -ENOMEM, -EMSGSIZE (above SOCKET_PACKET_MAX). `packet->storage` is not looked at. */
int control_encode(const control_packet *packet, void **ret_bytes, size_t *ret_length);

/* 0; -EPROTO with *ret_reason (static text) where it is not a packet within the limits; -ENOMEM. */
int control_decode(const void *bytes, size_t length, control_packet **ret_packet, const char **ret_reason);
void control_packet_free(control_packet *packet);

#endif
