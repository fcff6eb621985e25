/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending.pml - what becomes of a call that is given up, or whose server closes or dies (docs/memory-model.md).
 *
 * The client makes CALLS calls, one after the other, through one slot. It waits for each, or gives it up at any moment.
 * The server answers, drops what was given up before it began, and may close the lane between two calls. It may be
 * killed at any step. Then or after a close the client hears of the socket's end, and says what became of its call.
 *
 * Checked: each call has one outcome, and it is true. A reply is that of its call. "Not executed" is said of no call
 * whose handler was or will be begun; "unknown" is said of none that is known never to have begun, and of none whose
 * reply is there, once the server's death or its close is known. Nobody waits for ever. What a call that was given up
 * leaves behind does not meet the next one.
 */
#ifndef CALLS
#define CALLS 3
#endif

/* What a run leaves out or does otherwise; nothing, if 0. */
#define STARTED_LATE 1        /* S1: `started` is stored after the handler has begun */
#define CLOSED_EARLY 2        /* S1: `closed` is stored, then one more call is served */
#define CLOSED_RELAXED 3      /* S1: `closed` is stored relaxed */
#define CLOSED_SEEN_RELAXED 4 /* S2: the client's load of `closed` does not acquire */
#define STARTED_SEEN_EARLY 5  /* S2: the client loads `started`, then `closed` */
#define CLOSED_NOT_AWAITED 6  /* S2: the client believes `started` once the socket has ended */
#define NO_LAST_LOOK 7        /* the client says "unknown" without another look at its slot */
#define CANCEL_BY_STORE 8     /* the client stores CANCEL, whatever stands in the slot */
#define SLOT_BACK_EARLY 9     /* the client uses the slot of a call that it has given up before its reply */
#define CANCEL_UNMASKED 10    /* the server compares words with their marks */
#define CANCEL_UNHEEDED 11    /* harmless: the server runs what was given up before it began */

/* Places. */
#define SLOT 0
#define STARTED 1
#define CLOSED 2
#define ATOMICS 3
#define PLAINS 1
#define THREADS 2
#ifndef HISTORY
#define HISTORY 4
#endif
#include "memory.pml"

/* The thread. */
#define SERVER 1

/* There is one slot, so a call's lap is its position. */
#define REQUEST 1
#define REPLY 2
#define CANCEL 8
#define word_of(p, state) (((p) << 4) | (state))
#define unmarked(w) ((w) & 247)

#define request(p) (p)
#define reply(p) (64 + (p))
#define DROPPED 255

bool dead;  /* the server's process */
bool ended; /* the socket: the server is dead, or has closed the lane */

/* For the checks: a bit for each call. */
byte begun;
byte replied;
byte not_executed;
#define bit(p) (1 << (p))

/* ---- client ---- */

inline take_reply() {
    read(SLOT, content);
    assert(content == reply(p) || (given_up && content == DROPPED));
    assert(content == DROPPED || (begun & bit(p)));
    content = 0
}

/* The call at p has no reply yet, and the socket has ended. */
inline say_what_became() {
    known = false;
    if
    :: mutant == STARTED_SEEN_EARLY -> load(STARTED, RELAXED, started)
    :: else
    fi;
    if
    :: dead ->
        /* The kernel tells of a death when all that the process has stored is in memory. */
        d_step {
            learn_(views[SERVER].at);
            known = true
        }
    :: load(CLOSED, (mutant == CLOSED_SEEN_RELAXED -> RELAXED : ACQUIRE), known)
    fi;
    if
    :: mutant == CLOSED_NOT_AWAITED -> known = true
    :: else
    fi;
    if
    :: mutant == STARTED_SEEN_EARLY
    :: else -> load(STARTED, RELAXED, started)
    fi;
    word = word_of(p, REQUEST);
    if
    :: mutant == NO_LAST_LOOK
    :: else -> load(SLOT, ACQUIRE, word)
    fi;
    if
    :: unmarked(word) == word_of(p, REPLY) -> take_reply()
    :: unmarked(word) != word_of(p, REPLY) && known && started < p ->
        d_step {
            assert(!(begun & bit(p)));
            not_executed = not_executed | bit(p)
        }
    :: else ->
        /* Unknown. */
        assert(!known || (begun & bit(p)));
        assert(!known || !(replied & bit(p)))
    fi
}

proctype client() {
    byte p = 1;
    byte word, content, started;
    bool given_up, known;

    do
    :: p <= CALLS ->
        given_up = false;
        write(SLOT, request(p));
        exchange(SLOT, word_of(p, REQUEST), RELEASE, word);
        assert(unmarked(word) == word_of(p - 1, REPLY) || mutant == SLOT_BACK_EARLY);
        if
        :: true
        :: true ->
            /* Gives up. */
            if
            :: mutant == CANCEL_BY_STORE ->
                store(SLOT, word_of(p, REQUEST) | CANCEL, RELEASE);
                word = word_of(p, REQUEST)
            :: else -> swap(SLOT, word_of(p, REQUEST), word_of(p, REQUEST) | CANCEL, word)
            fi;
            given_up = (word == word_of(p, REQUEST))
        fi;
        /* A call that was given up has its outcome; its slot comes back with its terminal word. */
        if
        :: given_up && mutant == SLOT_BACK_EARLY
        :: (!given_up || mutant != SLOT_BACK_EARLY) && unmarked(last_of(SLOT)) == word_of(p, REPLY) ->
            load_when(SLOT, 247, word_of(p, REPLY), ACQUIRE, word);
            take_reply()
        :: ended ->
            if
            :: given_up
            :: else -> say_what_became()
            fi;
            break
        fi;
        p++
    :: p > CALLS -> break
    od
}

/* ---- server ---- */

inline begin_() {
    begun = begun | bit(next);
    assert(!(not_executed & bit(next)))
}

proctype server() {
    byte next = 1;
    byte word, content;
    bool closing;

    {
        do
        :: d_step {
            next <= CALLS && unmarked(last_of(SLOT)) != word_of(next - 1, REPLY);
            load_last_(SLOT, ACQUIRE, word)
        };
            if
            :: mutant == CANCEL_UNMASKED -> assert(word == word_of(next, REQUEST))
            :: else -> assert(unmarked(word) == word_of(next, REQUEST))
            fi;
            read(SLOT, content);
            assert(content == request(next));
            if
            :: (word & CANCEL) && mutant != CANCEL_UNHEEDED -> write(SLOT, DROPPED)
            :: else ->
                if
                :: mutant == STARTED_LATE ->
                    d_step { begin_() };
                    store(STARTED, next, RELAXED)
                :: else ->
                    /* One step: what is stored counts as begun. */
                    d_step {
                        append_(STARTED, next, RELAXED);
                        begin_()
                    }
                fi;
                write(SLOT, reply(next))
            fi;
            d_step {
                append_(SLOT, word_of(next, REPLY), RELEASE);
                replied = replied | bit(next)
            };
            next++;
            if
            :: closing -> break
            :: else
            fi
        :: closing -> break /* where one more was not there yet */
        :: !closing ->
            /* Closes, after the last handler. */
            store(CLOSED, 1, (mutant == CLOSED_RELAXED -> RELAXED : RELEASE));
            closing = true;
            if
            :: mutant == CLOSED_EARLY
            :: else -> break
            fi
        od;
        ended = true
    } unless {
        dead
    }
}

/* Who kills the server, or does not. */
proctype fate() {
    if
    :: d_step {
        dead = true;
        ended = true
    }
    :: true
    fi
}

init {
    atomic {
        choose_mutant();
        atomics[SLOT].at[0].is = word_of(0, REPLY);
        run client();
        run server();
        run fate()
    }
}
