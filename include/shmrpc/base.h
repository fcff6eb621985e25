/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - what every public header needs: linkage, attributes, versions.
 */
#ifndef SHMRPC_BASE_H
#define SHMRPC_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHMRPC_VERSION_MAJOR 0
#define SHMRPC_VERSION_MINOR 1
#define SHMRPC_VERSION_PATCH 0
#define SHMRPC_VERSION "0.1.0"

#ifdef __cplusplus
#define SHMRPC_BEGIN_DECLS extern "C" {
#define SHMRPC_END_DECLS }
#define SHMRPC_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define SHMRPC_ALIGNOF(type) alignof(type)
#define SHMRPC_ALIGNAS(bytes) alignas(bytes)
#else
#define SHMRPC_BEGIN_DECLS
#define SHMRPC_END_DECLS
#define SHMRPC_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define SHMRPC_ALIGNOF(type) _Alignof(type)
#define SHMRPC_ALIGNAS(bytes) _Alignas(bytes)
#endif

#if defined(__GNUC__)
#define SHMRPC_EXPORT __attribute__((visibility("default")))
#define SHMRPC_NODISCARD __attribute__((warn_unused_result))
#define SHMRPC_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#define SHMRPC_DEPRECATED(reason) __attribute__((deprecated(reason)))
#else
#define SHMRPC_EXPORT
#define SHMRPC_NODISCARD
#define SHMRPC_PRINTF(format_index, first_index)
#define SHMRPC_DEPRECATED(reason)
#endif

#endif
