/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - services and their methods.
 */
#ifndef SHMRPC_COMPILER_SERVICE_H
#define SHMRPC_COMPILER_SERVICE_H

#include "compile.h"

/* Completes a BUSY symbol that is a service. False where there is a mistake in it. */
bool service_complete(compile *run, symbol *named);

#endif
