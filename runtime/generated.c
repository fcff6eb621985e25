/* SPDX-License-Identifier: Apache-2.0 */
/* The symbols by which generated code asks for the library that it was made for. */
#include <shmrpc/generated.h>

const uint32_t shmrpc_generated_abi_3 = SHMRPC_GENERATED_ABI;
