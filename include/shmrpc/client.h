/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the calling side, beneath the generated stubs.
 *
 * Programs call the typed functions that shmc generates; what they use from here is the options and
 * shmrpc_client_state(). shmrpc_client_call() and the like are what those functions are made of.
 *
 * Threads: a handle may be used from any number of threads at once. Each gets a lane of the session of its own with its
 * first call, and gives it back when it ends (docs/threads.md). Only freeing a handle needs that no other thread uses
 * it.
 * Any number of handles may exist in a process and connect to the same server.
 */
#ifndef SHMRPC_CLIENT_H
#define SHMRPC_CLIENT_H

#include <shmrpc/base.h>
#include <shmrpc/deadline.h>
#include <shmrpc/status.h>

SHMRPC_BEGIN_DECLS

typedef struct shmrpc_client shmrpc_client;
struct shmrpc_service_info;

/*
 * How a side waits: how long it spins before it sleeps. One that adapts spins for 50 us while that pays; where it was in
 * vain twice in a row, as where what is waited for takes longer, or where both sides have one core between them, it sleeps
 * at once, and tries again now and then: after 1, 2, 4 ... 512 waits.
 */
#define SHMRPC_SPIN_ADAPTIVE INT64_C(0)
#define SHMRPC_SPIN_DEFAULT SHMRPC_SPIN_ADAPTIVE
#define SHMRPC_SPIN_NONE INT64_C(-1)  /* sleeps at once */
#define SHMRPC_SPIN_FOREVER INT64_MAX /* polls; never sleeps */

/* All zero is a good choice. */
typedef struct shmrpc_client_options {
    int64_t connect_timeout_ns; /* for the whole of connecting; 0: 5 s; INT64_MAX: none */
    int64_t call_timeout_ns; /* of calls with shmrpc_default() whose method has no @deadline; 0: 5 s; INT64_MAX: none */
    int64_t spin_ns;         /* SHMRPC_SPIN_..., or nanoseconds */
    uint32_t depth;          /* slots of the ring: a power of two, 2 .. 65536; 0: 64 */
    uint32_t blocks;         /* calls beyond a slot that may be outstanding, 1 .. 254; 0: 8. Fewer where they would
                                   take more than 256 KiB in all */
    bool wait_for_server;    /* keeps trying until connect_timeout_ns while nobody listens */
    bool reconnect;          /* a call that finds the connection ended connects first, within its deadline; it gets a
                                   new session, and `connected` runs anew (docs/outcomes.md) */
    bool retry_idempotent;   /* with reconnect: shmrpc_client_call() of an @idempotent method that the end of a
                                   connection has interrupted is made again, within its deadline */
    bool send_times;         /* each call tells when it was sent (shmrpc_context_sent_ns()); costs it a look at the
                                   clock, and 16 bytes */
    uint32_t metadata;       /* bytes that the calls of a thread may carry beside their requests
                                   (shmrpc_client_set_metadata()): at most 1024; 0: none */
    uint64_t arena_size;     /* bytes of shared memory for messages of more than 64 KiB, of each thread that calls a
                                   service that has such (docs/large-messages.md): at most 4 GiB, and at least what one
                                   request and one answer take; 0: what two of each take, at least 1 MiB */
    bool prefault; /* the arena's pages are entered into this process's tables when it connects, and into those of a
                                   server of the same user, not when a call touches them first; the lane's own always are */
    bool
        huge_pages; /* the arena, and loans in memory of their own (`seal_from`), lie in pages of 2 MiB where the system
                                   has them (shmrpc_client_arena_pages()); its size is rounded up to whole ones */
    bool
        binds_memory; /* the lane and its arena, not what `seal_from` makes, lie on the node of the machine `memory_node` */
    uint16_t memory_node; /* as in /sys/devices/system/node; looked at where binds_memory is set */
    uint32_t seal_from; /* loans of requests of more than 64 KiB, and of so many bytes and more, are in memory of their
                                   own that is sealed when they are started, for servers that do not trust their clients
                                   (docs/in-place.md); 0: none */
    uint32_t reserved[3]; /* zero */
} shmrpc_client_options;

/* What an arena (option `arena_size`) lies in. */
typedef enum shmrpc_pages {
    SHMRPC_PAGES_NONE,        /* there is no arena */
    SHMRPC_PAGES_ORDINARY,    /* pages of the system's usual size */
    SHMRPC_PAGES_TRANSPARENT, /* at least a part of it in pages of 2 MiB that the kernel has made of ordinary memory */
    SHMRPC_PAGES_HUGE,        /* pages of 2 MiB of the pool that the administrator has set aside */
} shmrpc_pages;

typedef enum shmrpc_client_condition {
    SHMRPC_CLIENT_UP,       /* connected */
    SHMRPC_CLIENT_STOPPING, /* the server has said that it stops */
    SHMRPC_CLIENT_GONE,     /* the server has closed the connection, or its process has ended */
    SHMRPC_CLIENT_FAILED,   /* the server broke the protocol */
    /* With `reconnect`, in place of the last two: the next call connects again. */
    SHMRPC_CLIENT_RECONNECTING,
} shmrpc_client_condition;

/*
 * What is known of the server, without asking it. Never blocks. Any thread: one that has called with this handle learns
 * what its own lane has been told; another one may see UP where that is STOPPING.
 */
SHMRPC_EXPORT shmrpc_client_condition shmrpc_client_state(shmrpc_client *client);

/*
 * What the arena of the calling thread's lane lies in, in this process, as the kernel says in /proc/self/smaps; where
 * the thread has not called yet, that of a lane which is free for it, as the one that connecting has made. Nothing is
 * known of pages that the process has not touched, but with the option `huge_pages` those of 2 MiB have been. Reads
 * that file each time, which takes as long as the process has mappings and memory: not for the path of a call.
 * ORDINARY also where it cannot be read. NONE: the service has no messages of more than 64 KiB, there is no such lane,
 * `client` is NULL, or it was connected before fork(). Any thread; never waits for the server.
 */
SHMRPC_EXPORT shmrpc_pages shmrpc_client_arena_pages(shmrpc_client *client);

/* ---- for generated code ---- */

/*
 * Connects to the server called `name` (docs/names.md) and its service `info`. `options` may be NULL. Blocks until
 * connected or connect_timeout_ns. On success *ret is the caller's to free. NAME, UNAVAILABLE, REFUSED, MISMATCH (of a
 * strict service), PERMISSION, VERSION, PROTOCOL, TOO_LARGE (options), NO_MEMORY, LIMIT, SYSTEM, MISUSE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_connect(shmrpc_client **ret, const char *name,
                                                         const struct shmrpc_service_info *info,
                                                         const shmrpc_client_options *options);

/*
 * Disconnects and frees; takes NULL. Oneway messages that were sent are still handled; calls that have timed out and
 * still run at the server are forgotten. In a forked child: frees the child's copy, and the parent's connection lives
 * on.
 */
SHMRPC_EXPORT void shmrpc_client_free(shmrpc_client *client);

/*
 * One call of method `method` (index in the service's table): validates and copies `request` (NULL where the method has
 * none), waits, copies the validated reply to `ret` (NULL where there is none). Only on success, but that PROTOCOL may leave
 * the default image there; of a last variable field, items beyond its count are not touched.
 * 0, a declared error, or INVALID, UNIMPLEMENTED, MISMATCH (the server has the method in no layout that this side knows;
 * nothing is sent), TIMEOUT, NOT_SENT, NOT_EXECUTED, UNKNOWN, PROTOCOL, INTERNAL,
 * TOO_LARGE (the server gave no block or arena of that size), AGAIN (as shmrpc_call_start()), FORKED, MISUSE, or another status
 * that the handler returned (docs/errors.md says which ones may). NOT_SENT also where the thread has no lane yet, or
 * the connection has ended and is to be made anew (`reconnect`), and the deadline passes before. WRONG_THREAD where the
 * server is of a release that gives a client one lane, and another thread has it.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_call(shmrpc_client *client, uint32_t method, const void *request,
                                                      void *ret, shmrpc_deadline deadline);

/*
 * Sends a oneway message; returns when it is in the ring. The deadline bounds the wait for room. 0, INVALID,
 * UNIMPLEMENTED (where the server is known not to have it), MISMATCH, NOT_SENT, AGAIN, TOO_LARGE, PROTOCOL, WRONG_THREAD, FORKED,
 * MISUSE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_send(shmrpc_client *client, uint32_t method, const void *request,
                                                      shmrpc_deadline deadline);

/*
 * Payload of this thread's last failed call where it ended with the declared error `code` of the set `errors`
 * (a shmrpc_errors_info) and that error carries one; else NULL. Valid until the thread's next call with the client.
 */
struct shmrpc_errors_info;
SHMRPC_EXPORT const void *shmrpc_client_error_payload(const shmrpc_client *client,
                                                      const struct shmrpc_errors_info *errors, int code);

/*
 * What the calls that this thread makes with this client from here on carry beside their requests, for the handler to
 * ask for (shmrpc_context_metadata()): a `value` (UTF-8) under a `key`, in place of the one it had; NULL takes it away.
 * Keys are letters, digits, '_', '-' and '.', and begin with a letter or '_'. There may be 16 in a thread, which take
 * strlen(key) + strlen(value) + 2 bytes each of those that the option `metadata` gives. Both are copied. What is set
 * stays until it is taken away, the thread ends or the client is freed; other threads have their own.
 * 0; INVALID: not such a key or value; TOO_LARGE: too many of them or too long; MISUSE: NULL, or the option `metadata`
 * is 0; NO_MEMORY, SYSTEM; FORKED. On failure nothing has changed. A call with metadata to a server that takes none
 * ends as UNIMPLEMENTED, unsent.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_set_metadata(shmrpc_client *client, const char *key,
                                                              const char *value);

/* ---- calls in flight ---- */

/*
 * A call that is started now and ends later. The object is the caller's: zero before its first use, then reused as
 * often as one likes, one call at a time. From a successful start until the call has ended (wait() has returned, or
 * `done` runs) it must neither move nor go away, and it belongs to the thread that started it; it may go with that
 * thread, whose calls in flight are withdrawn at its end. Nothing is allocated: an answer stays in shared memory until
 * it is waited for or dispatched, or in the object where its place is needed.
 */
typedef struct shmrpc_call {
    uint64_t reserved[16];
} shmrpc_call;

/*
 * Told how a call ended, once, by shmrpc_client_dispatch(): `rc` as shmrpc_call_wait() returns it, `reply` where rc is
 * 0 and the method has one. The reply is valid until this function returns or waits for another call of the client.
 * The object is the caller's again, also to start the next call with. It must not free the client.
 */
typedef void shmrpc_done(shmrpc_call *call, int rc, const void *reply);

/*
 * Starts a call as shmrpc_client_call() and returns when it is in the ring. The deadline counts from here; one of a
 * second and more is kept to 10 ms. With `done` the call's end is told by shmrpc_client_dispatch(); without (NULL), it is
 * to be waited for.
 * 0: in flight. Else nothing is, and the status is one of shmrpc_client_call() before anything is sent; NOT_SENT where
 * there was no room before the deadline; AGAIN where all blocks (for messages beyond a slot), or the arena (for those
 * beyond 64 KiB), hold answers that have not been waited for or dispatched; MISUSE also where the object is in flight.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_call_start(shmrpc_client *client, shmrpc_call *call, uint32_t method,
                                                     const void *request, shmrpc_deadline deadline, shmrpc_done *done);

/*
 * Waits until the call has ended, at most until its deadline, and copies the validated reply to `ret` as
 * shmrpc_client_call() does (NULL where there is none). Calls may be waited for in any order. Returns what shmrpc_client_call() would have;
 * CANCELLED once where the client was freed, or the thread that started the call ended, with the call in flight;
 * MISUSE where it is not in flight, has a `done` or no room for the reply, and WRONG_THREAD or FORKED: then the call
 * goes on.
 */
SHMRPC_EXPORT int shmrpc_call_wait(shmrpc_call *call, void *ret);

/*
 * Withdraws a call: the server drops it where it has not begun it, and the handler can see it where it has, also one
 * that has put it off. The call
 * still ends once, in wait() or `done`, at the latest at its deadline: CANCELLED where no handler began it, else what
 * the handler answered. Without effect where it is not in flight, or on another thread's.
 */
SHMRPC_EXPORT void shmrpc_call_cancel(shmrpc_call *call);

/* ---- in place ---- */

/*
 * A call whose request is written where the server will read it, and whose reply is read where the server wrote it. The
 * object is that of a call in flight, and goes
 *
 *     loan()  ->  the caller writes the request  ->  start_loaned()  ->  view()  ->  the caller reads  ->  release()
 *             or  abandon()                                          or  wait(), or a `done`
 *
 * all of it in one thread. A loan holds room for a request, and a view that of a reply (a block: the client's option
 * `blocks`), but no place in the ring: other calls come and go meanwhile. Where there is none, calls with larger messages
 * are AGAIN or wait for room. What fits into a slot (48 bytes), and what a server of an older version of the service
 * takes or gives, is in private memory, and copied; that of an older version may be allocated.
 *
 * A server can write to its client's memory as long as they are connected. A view is checked once, and so is a request
 * that was lent, when it is started: both are for servers that are trusted not to change them afterwards.
 * shmrpc_call_start() and shmrpc_call_wait() copy, and what counts is checked in private memory.
 *
 * Freeing the client ends its loans and views, whose memory is gone then; so does the end of the thread. With
 * `reconnect`, a loan outlives its connection: it is copied to the next one when it is started.
 */

/*
 * Room for the request of one call of method `method`, which begins as its default image; of a last field that varies,
 * items beyond that are of any value. *ret_request is the caller's to write until the call is started or the loan given
 * back. 0; AGAIN: all room is in use: wait for a call, release or abandon something, or try again later; NO_MEMORY;
 * TOO_LARGE; UNIMPLEMENTED, MISMATCH, NOT_SENT (no lane, or the connection has ended), PROTOCOL, FORKED, WRONG_THREAD as
 * shmrpc_client_call(); MISUSE: no object or result, the object is in flight, a loan or a view, or the method is oneway
 * or has no request. Blocks only where the thread has no lane yet, or the connection is made anew.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_call_loan(shmrpc_client *client, shmrpc_call *call, uint32_t method,
                                                    void **ret_request);

/*
 * Starts the call of a loan, as shmrpc_call_start(). The request is validated where it is, and its padding is made zero;
 * bytes that mean nothing (beyond lengths, absent optionals) are sent as they are. 0: in flight. Else the loan stays, to
 * be started again or given back: INVALID, and what shmrpc_call_start() returns; CANCELLED: the client was freed, or the
 * thread ended, and the loan with it; MISUSE: the call is no loan; WRONG_THREAD, FORKED.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_call_start_loaned(shmrpc_call *call, shmrpc_deadline deadline,
                                                            shmrpc_done *done);

/* Gives a loan back that is not started. Without effect where it is none, or another thread's. */
SHMRPC_EXPORT void shmrpc_call_abandon(shmrpc_call *call);

/*
 * As shmrpc_call_wait(), but on 0 *ret_reply is the reply where the server wrote it, checked, valid until release().
 * Else the call has ended, and there is nothing to release; but with MISUSE, WRONG_THREAD, FORKED and NO_MEMORY (no room
 * for a copy) the call goes on.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_call_view(shmrpc_call *call, const void **ret_reply);

/* The reply has been read. Without effect where the call is not viewed, or is another thread's. */
SHMRPC_EXPORT void shmrpc_call_release(shmrpc_call *call);

/*
 * What this thread starts or sends from here on is written, and published together by batch_end(): a server that sleeps
 * sees all of it at once and is woken once. To one that is awake a batch goes out eight calls at a time, so that it
 * serves the first ones while the last ones are being written. A batch may be longer than the ring: what has been
 * written is published when there is no room for more. It also is when a call waits (shmrpc_client_call() within a
 * batch goes out with what is before it), is cancelled, or dispatch() runs; the batch then goes on. The time that a call
 * has begins when it is published. batch_end() returns 0, PROTOCOL, WRONG_THREAD, FORKED, or MISUSE where no batch was
 * begun.
 */
SHMRPC_EXPORT void shmrpc_client_batch_begin(shmrpc_client *client);
SHMRPC_EXPORT int shmrpc_client_batch_end(shmrpc_client *client);

/*
 * A descriptor for an event loop of the program's own (epoll, poll, libuv, ...): readable when
 * shmrpc_client_dispatch() has something to do for the calling thread, be it an answer, a deadline or the server's
 * end. The first time it is readable at once, since only dispatch() makes the server ring it:
 *
 *     fd = shmrpc_client_fd(client);                            watched for input, level-triggered
 *     when it is readable:
 *         do rc = shmrpc_client_dispatch(client, 16); while (rc > 0);
 *         rc == 0: goes on; rc < 0: the connection has ended, and all has been told: watch it no more
 *
 * Calls may be started at any time, also between dispatch() and the wait. The descriptor is the library's: it is only
 * waited for, neither read nor closed, and gone when the client is freed or the thread ends. With `reconnect` the same
 * descriptor serves the next connection, from this thread's next call on. Each thread that asks has its own. Where the
 * thread has no lane yet it gets one, which may block as connecting does. Returns the descriptor, or below 0: NOT_SENT
 * (no lane), LIMIT, NO_MEMORY, SYSTEM, WRONG_THREAD, FORKED, MISUSE.
 */
SHMRPC_EXPORT SHMRPC_NODISCARD int shmrpc_client_fd(shmrpc_client *client);

/*
 * Runs the `done` of up to `most` (at least 1) calls of this thread that have ended, by an answer, a deadline or the
 * end of the connection. Never blocks. 1: call again at once; 0: there is nothing more now; below 0: MISUSE (also where
 * it is called from a `done`), WRONG_THREAD, FORKED, or UNAVAILABLE: the connection has ended and all has been told;
 * with `reconnect`, until this thread's next call.
 * In an event loop: 0: wait for shmrpc_client_fd().
 */
SHMRPC_EXPORT int shmrpc_client_dispatch(shmrpc_client *client, int most);

SHMRPC_END_DECLS

#endif
