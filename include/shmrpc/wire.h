/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - the numbers that the compiler and the runtime share.
 */
#ifndef SHMRPC_WIRE_H
#define SHMRPC_WIRE_H

#include <shmrpc/base.h>

#define SHMRPC_SLOT_SIZE 64      /* bytes: one cache line */
#define SHMRPC_SLOT_PAYLOAD 48   /* bytes of a message that travel in the slot itself */
#define SHMRPC_MESSAGE_MAX 65536 /* bytes of a message; beyond is for arenas */

#define SHMRPC_ERROR_MIN 1 /* a service's declared errors */
#define SHMRPC_ERROR_MAX 32767
#define SHMRPC_METHODS_MAX 4096 /* methods of a service */

/*
 * A fingerprint is FNV-1a, 64 bits (Fowler, Noll, Vo), of a canonical text of a layout. It tells accidents, not
 * attacks, apart.
 */
#define SHMRPC_FINGERPRINT_SEED UINT64_C(0xcbf29ce484222325)
#define SHMRPC_FINGERPRINT_PRIME UINT64_C(0x00000100000001b3)

#endif
