/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - topics and queues.
 */
#ifndef SHMRPC_COMPILER_CHANNEL_H
#define SHMRPC_COMPILER_CHANNEL_H

#include "compile.h"

/* Completes a BUSY symbol that is a topic or a queue. False where there is a mistake in it. */
bool channel_complete(compile *run, symbol *named);

#endif
