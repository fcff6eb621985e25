/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

const char *shmrpc_status_text(int status)
{
    switch (status) {
    case SHMRPC_OK: return "success";
#define STATUS_TEXT(name, value, text, meaning) \
    case SHMRPC_E_##name: return (text);
        SHMRPC_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    default: return status > 0 ? "declared error" : "unknown status";
    }
}

const char *shmrpc_status_name(int status)
{
    switch (status) {
    case SHMRPC_OK: return "OK";
#define STATUS_NAME(name, value, text, meaning) \
    case SHMRPC_E_##name: return #name;
        SHMRPC_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    default: return NULL;
    }
}

bool status_may_travel(int status)
{
    switch (status) {
    case SHMRPC_E_UNIMPLEMENTED:
    case SHMRPC_E_CANCELLED:
    case SHMRPC_E_EXPIRED:
    case SHMRPC_E_AGAIN:
    case SHMRPC_E_UNAVAILABLE:
    case SHMRPC_E_PERMISSION:
    case SHMRPC_E_TOO_LARGE:
    case SHMRPC_E_NO_MEMORY:
    case SHMRPC_E_LIMIT:
    case SHMRPC_E_INTERNAL: return true;
    default: return false;
    }
}
