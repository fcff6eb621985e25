/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - a harness: what is done with bytes of a stranger, and a few inputs to start from.
 *
 * A harness breaks off (abort) where something is wrong that no sanitizer would see. The same file serves libFuzzer,
 * which calls the first function only, and main.c.
 */
#ifndef SHMRPC_TEST_FUZZ_H
#define SHMRPC_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_SIZE_MAX ((size_t)8192) /* bytes of an input of main.c */

/* The name is libFuzzer's. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Writes the valid input `index` to `to` (room for FUZZ_SIZE_MAX) and returns its length; 0 where there is none. */
size_t fuzz_seed(size_t index, uint8_t *to);

#endif
