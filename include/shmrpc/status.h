/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - what a call, and every other function here, says about itself.
 *
 *     0      it worked
 *     > 0    the service's own declared error (1 .. 32767), from the handler
 *     < 0    one of the statuses below, from the transport
 *
 * The two never share a number. The values cross processes and are compiled into programs: a value is never changed or
 * used again, new ones are added at the end. docs/errors.md is made from this list.
 */
#ifndef SHMRPC_STATUS_H
#define SHMRPC_STATUS_H

#include <shmrpc/base.h>

SHMRPC_BEGIN_DECLS

/*  X(name, value, text, what it means for the caller) */
#define SHMRPC_STATUS_LIST(X)                                                                                      \
    X(INVALID, -1, "a message does not validate",                                                                  \
      "A field of the caller's message holds a value that its type does not allow. Nothing was sent. "             \
      "shmrpc_last_error() names the field.")                                                                      \
    X(UNIMPLEMENTED, -2, "the server does not have this method",                                                   \
      "The service has no such method, or its operation is NULL. No handler ran.")                                 \
    X(TIMEOUT, -3, "the deadline passed",                                                                          \
      "No answer came before the deadline. The handler may have run, may be running, or may never run.")           \
    X(NOT_SENT, -4, "the request was not sent",                                                                    \
      "The request never reached the server: there was no room before the deadline, or the connection had ended. " \
      "It is safe to call again.")                                                                                 \
    X(NOT_EXECUTED, -5, "the request was sent, and no handler began it",                                           \
      "The server is gone or has closed the connection, and is known not to have begun this call. "                \
      "It is safe to call again.")                                                                                 \
    X(UNKNOWN, -6, "the connection ended; the call may have run",                                                  \
      "The server died or closed the connection after it may have begun this call.")                               \
    X(CANCELLED, -7, "the call was cancelled", "The call was withdrawn before a handler began it.")                \
    X(EXPIRED, -8, "the request was too old when the server came to it",                                           \
      "The server dropped the request because its deadline had passed. No handler ran.")                           \
    X(AGAIN, -9, "not now", "It would have to wait, and was asked not to.")                                        \
    X(UNAVAILABLE, -10, "no server has this name",                                                                 \
      "Nobody listens under this name, or nobody answered before the deadline for connecting.")                    \
    X(REFUSED, -11, "the server refused the connection",                                                           \
      "The server does not offer this service, or is full. shmrpc_last_error() has its reason.")                   \
    X(MISMATCH, -12, "the two sides were made from different schemas",                                             \
      "The two sides have a method in no layout in common. shmrpc_last_error() names the field, as each has it.")  \
    X(IN_USE, -13, "another server has this name", "A live server listens under this name. It is never replaced.") \
    X(NAME, -14, "not a usable name",                                                                              \
      "The server's name is empty, too long, or has a part that is not allowed. shmrpc_last_error() says which.")  \
    X(PERMISSION, -15, "not permitted",                                                                            \
      "The directory, the socket or the peer does not allow it. shmrpc_last_error() names it.")                    \
    X(PROTOCOL, -16, "the peer broke the protocol",                                                                \
      "The peer sent or wrote something that the protocol does not allow. The connection has ended.")              \
    X(TOO_LARGE, -17, "too large",                                                                                 \
      "A message, a count or an option is above its limit. shmrpc_last_error() has both.")                         \
    X(NO_MEMORY, -18, "out of memory", "Memory, or room in the file system of shared memory, could not be had.")   \
    X(LIMIT, -19, "out of descriptors or another limited resource",                                                \
      "The process or the system has reached a limit, such as open files. shmrpc_last_error() names it.")          \
    X(SYSTEM, -20, "the operating system refused",                                                                 \
      "A system call failed in a way that has no status of its own. shmrpc_last_error() names it.")                \
    X(INTERNAL, -21, "the handler failed",                                                                         \
      "The handler returned a value that it may not return, or a reply that does not validate. "                   \
      "The server's log says which; the server goes on.")                                                          \
    X(MISUSE, -22, "the function may not be called like this",                                                     \
      "An argument is NULL or out of range, or the call is not allowed in this state.")                            \
    X(WRONG_THREAD, -23, "it belongs to another thread",                                                           \
      "A call in flight is waited for by the thread that started it. For other calls: the server is of a "         \
      "release that gives a client one lane; connect once per thread.")                                            \
    X(FORKED, -24, "the handle belongs to the parent process",                                                     \
      "The process has forked since the handle was made. Connect again in the child.")                             \
    X(VERSION, -25, "the other side speaks another version",                                                       \
      "Runtime and peer, or runtime and generated code, have no protocol version in common.")

typedef enum shmrpc_status {
    SHMRPC_OK = 0,
#define SHMRPC_STATUS_ENUM(name, value, text, meaning) SHMRPC_E_##name = (value),
    SHMRPC_STATUS_LIST(SHMRPC_STATUS_ENUM)
#undef SHMRPC_STATUS_ENUM
} shmrpc_status;

/*
 * A short English text for a status; "declared error" for values above 0, "unknown status" for negative values that are
 * not in the list. Static storage; any thread.
 */
SHMRPC_EXPORT const char *shmrpc_status_text(int status);

/* The name without its prefix, such as "TIMEOUT"; "OK" for 0; NULL where there is none. Static storage; any thread. */
SHMRPC_EXPORT const char *shmrpc_status_name(int status);

/*
 * What went wrong in this thread's last failed call of a function of this library, in one line for a log: names the
 * field, the file, the limit. "" where nothing is known. Valid until this thread's next call of the library that fails.
 * Never NULL.
 */
SHMRPC_EXPORT const char *shmrpc_last_error(void);

SHMRPC_END_DECLS

#endif
