/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.pml - requests in batches, replies in place, and both sides' way to sleep and back (docs/memory-model.md).
 *
 * The client makes CALLS calls through a ring of DEPTH slots: it publishes batches of one or more where there is room,
 * and waits for any call in flight, in any order. Where that is not the last one, it calls membarrier() before it
 * sleeps; or the server makes a fence after each reply (SERVER_FENCES); or its wish is for the last one, which comes
 * later (WISHES_FOR_LAST; docs/decisions/0029-await-any-call.md). Either side, or both, sleep as soon as there is nothing
 * to do (CLIENT_SLEEPS, SERVER_SLEEPS); one that does not, spins. There are no naps: a wake-up that is lost leaves a
 * sleeper for ever, and Spin finds that the end is not one.
 *
 * Checked: everybody gets on until all calls have been answered; nobody sleeps for a call after whose reply the server
 * has looked for sleepers; request and reply are the ones of their position; nobody touches a slot that he has not been
 * given; no word is ever one that its reader does not expect.
 */
#ifndef DEPTH
#define DEPTH 2
#endif
#ifndef CALLS
#define CALLS 3
#endif
/* 0: it spins; 1: in a futex wait; 2: in poll(), until a byte comes through the socket. */
#ifndef CLIENT_SLEEPS
#define CLIENT_SLEEPS 1
#endif
#ifndef SERVER_SLEEPS
#define SERVER_SLEEPS 1
#endif
#ifndef SERVER_FENCES
#define SERVER_FENCES 0
#endif
#ifndef WISHES_FOR_LAST
#define WISHES_FOR_LAST 0
#endif
/* What a run leaves out or does otherwise; nothing, if 0. */
#define REQUEST_STORED 1         /* W2: the request's word is loaded and stored, not exchanged */
#define RING_BEFORE_PUBLISHING 2 /* W2: the client looks for the server's wish, then publishes */
#define BATCH_FROM_FRONT 3       /* W2: the first slot of a batch is published first */
#define WISH_BY_STORE 4          /* W1: the server stores its wish, whatever stands in the slot */
#define WISH_FAILURE_IGNORED 5   /* W1: the server sleeps though its swap has failed */
#define SERVER_UNMASKED 6        /* the server compares words with their marks */
#define CLIENT_UNMASKED 7        /* the client compares words with their marks */
#define REQUEST_RELAXED 8        /* R1: the exchange does not release */
#define BATCH_RELAXED 9          /* harmless: R1: the other words of a batch are stored relaxed */
#define REQUEST_SEEN_RELAXED 10  /* R2: the server's load of a request's word does not acquire */
#define REPLY_RELAXED 11         /* R3: the reply's word is stored relaxed */
#define REPLY_SEEN_RELAXED 12    /* R4: the client's load of a reply's word does not acquire */
#define NO_CLIENT_FENCE 13       /* W3: nothing between wish and look, for the last call */
#define NO_MEMBARRIER 14         /* W3: a fence for an earlier call too */
#define NO_SECOND_LOOK 15        /* W3: the client sleeps after its wish without a look */
#define FUTEX_WITHOUT_COMPARE 16 /* W3: it sleeps whatever its wish has become */
#define NO_SERVER_FENCE 17       /* W4: none where the server's next slot is empty */
#define NO_LOOK_AFTER_REPLY 18   /* W4: the server looks for the wish before it publishes its reply */
#define WISH_LEFT 19             /* W4: the server wakes and leaves the wish as it is */
#define WISH_TAKEN_LATE 20       /* W4: the server wakes, then takes the wish back */
#define WISH_NOT_DROPPED 21      /* harmless: the client leaves its wish behind */
#define WISH_TAKEN_BY_STORE 22   /* harmless: W4: the server takes whatever wish there is now */

/* Places. A slot's word, and what it publishes, have the slot's number. */
#define WISH_PLACE DEPTH
#define ATOMICS (DEPTH + 1)
#define PLAINS DEPTH
#define THREADS 2
#ifndef HISTORY
#define HISTORY 4
#endif
#include "memory.pml"

/* Positions begin with lap 1, so that there is a lap before. */
#define FIRST DEPTH
#define LAST (FIRST + CALLS - 1)
#define slot_of(p) ((p) % DEPTH)

#define REQUEST 1
#define REPLY 2
#define MOVED 3
#define WISH 4
#define word_of(p, state) ((((p) / DEPTH) << 4) | (state))
/* Every third call moves: its slot comes back in the same way. */
#define terminal(p) word_of(p, REPLY + !((p) % 3))
#define word_before(p) terminal((p) - DEPTH)
#define UNMARKED 243
#define unmarked(w) ((w) & UNMARKED)
#define server_mask (mutant == SERVER_UNMASKED -> 255 : UNMARKED)
#define client_mask (mutant == CLIENT_UNMASKED -> 255 : UNMARKED)

#define request(p) (p)
#define reply(p) (100 + (p))

bool rung;     /* an edge of the eventfd that epoll has not told of */
bool poked;    /* a byte is in the socket */
byte asleep;   /* the position for which the client sleeps, or 0 */
byte answered; /* the last position after which the server has looked for a wish */

/* Nobody sleeps for a call after whose reply the server has already looked for sleepers. */
#define in_time (asleep == 0 || asleep > answered || poked)

/* ---- client ---- */

inline ring() {
    rung = true
}

/* Slots p to p + k - 1. */
inline publish() {
    if
    :: mutant == BATCH_FROM_FRONT -> j = 0
    :: else -> j = k - 1
    fi;
    do
    :: true ->
        q = next + j;
        write(slot_of(q), request(q));
        if
        :: j > 0 -> store(slot_of(q), word_of(q, REQUEST), (mutant == BATCH_RELAXED -> RELAXED : RELEASE))
        :: else ->
            if
            :: mutant == REQUEST_STORED ->
                load(slot_of(q), ACQUIRE, word);
                store(slot_of(q), word_of(q, REQUEST), RELEASE)
            :: mutant == RING_BEFORE_PUBLISHING ->
                load(slot_of(q), ACQUIRE, word);
                if
                :: word & WISH -> ring()
                :: else
                fi;
                exchange(slot_of(q), word_of(q, REQUEST), RELEASE, word);
                word = unmarked(word)
            :: mutant == REQUEST_RELAXED -> exchange(slot_of(q), word_of(q, REQUEST), RELAXED, word)
            :: else -> exchange(slot_of(q), word_of(q, REQUEST), RELEASE, word)
            fi;
            assert(unmarked(word) == word_before(q))
        fi;
        if
        :: mutant == BATCH_FROM_FRONT && j == k - 1 -> break
        :: mutant != BATCH_FROM_FRONT && j == 0 -> break
        :: else ->
            if
            :: mutant == BATCH_FROM_FRONT -> j++
            :: else -> j--
            fi
        fi
    od;
    next = next + k;
    if
    :: word & WISH -> ring()
    :: else
    fi
}

inline look(p) {
    if
    :: mutant == REPLY_SEEN_RELAXED -> load(slot_of(p), RELAXED, word)
    :: else -> load(slot_of(p), ACQUIRE, word)
    fi;
    word = word & client_mask
}

/* Sleeps until the call at `wish`, which is the one at p or a later one, has been answered. */
inline sleep_for(p, wish) {
    store(WISH_PLACE, wish, RELAXED);
    if
    :: wish == next - 1 || SERVER_FENCES ->
        if
        :: mutant == NO_CLIENT_FENCE
        :: else -> fence()
        fi
    :: else ->
        if
        :: mutant == NO_MEMBARRIER -> fence()
        :: else -> membarrier()
        fi
    fi;
    if
    :: mutant == NO_SECOND_LOOK -> word = 0
    :: else -> look(p)
    fi;
#if WISHES_FOR_LAST
    if
    :: wish == p || word == terminal(p) || mutant == NO_SECOND_LOOK
    :: else -> look(wish); word = (word == terminal(wish) -> terminal(p) : 0)
    fi;
#endif
    if
    :: word == terminal(p)
    :: else ->
        d_step {
            if
            :: CLIENT_SLEEPS == 2 || mutant == FUTEX_WITHOUT_COMPARE -> asleep = wish
            /* The kernel compares and queues under its own lock. */
            :: CLIENT_SLEEPS == 1 && mutant != FUTEX_WITHOUT_COMPARE && last_of(WISH_PLACE) == wish -> asleep = wish
            :: else
            fi;
            assert(in_time)
        };
        d_step {
            asleep == 0 || poked;
            asleep = 0;
            poked = false
        }
    fi;
    if
    :: mutant == WISH_NOT_DROPPED
    :: else -> store(WISH_PLACE, 0, RELAXED)
    fi
}

inline await(p) {
    if
    :: CLIENT_SLEEPS ->
        do
        :: sleep_for(p, (WISHES_FOR_LAST -> next - 1 : p));
            if
            :: word == terminal(p) -> break
            :: else
            fi
        :: break /* and spins */
        od
    :: else
    fi;
    if
    :: mutant == REPLY_SEEN_RELAXED -> load_when(slot_of(p), client_mask, terminal(p), RELAXED, word)
    :: else -> load_when(slot_of(p), client_mask, terminal(p), ACQUIRE, word)
    fi;
    read(slot_of(p), content);
    assert(content == reply(p))
}

proctype client() {
    byte next = FIRST;
    byte oldest = FIRST;
    byte had; /* which of oldest + 0, 1, … have been read: a bit each */
    byte j, k, q, word, content;

    do
    :: next <= LAST && next - oldest < DEPTH ->
        /* One, or as many as there is room for. */
        k = 1;
        do
        :: next + k <= LAST && next + k - oldest < DEPTH -> k++
        :: break
        od;
        publish();
        d_step { k = 0; j = 0; q = 0; word = 0 }
    :: oldest < next ->
        q = 0;
        do
        :: oldest + q + 1 < next -> q++
        :: break
        od;
        if
        :: had & (1 << q) -> q = 0 /* had that one; never the oldest */
        :: else
        fi;
        had = had | (1 << q);
        q = oldest + q;
        await(q);
        d_step {
            do
            :: had & 1 -> had = had >> 1; oldest++
            :: else -> break
            od;
            q = 0; word = 0; content = 0
        }
    :: next > LAST && oldest == next -> break
    od
}

/* ---- server ---- */

inline wake() {
    d_step {
        if
        :: CLIENT_SLEEPS == 2 -> poked = true
        :: else -> asleep = 0
        fi;
        skip
    }
}

inline look_for_wish() {
    load(WISH_PLACE, RELAXED, wish)
}

inline take_and_answer() {
    read(slot_of(next), content);
    assert(content == request(next));
    if
    :: mutant == NO_LOOK_AFTER_REPLY -> look_for_wish()
    :: else
    fi;
    write(slot_of(next), reply(next));
    store(slot_of(next), terminal(next), (mutant == REPLY_RELAXED -> RELAXED : RELEASE));
    next++;
    load(slot_of(next), ACQUIRE, word);
    if
    :: (unmarked(word) == word_of(next, REQUEST) && !SERVER_FENCES) || mutant == NO_SERVER_FENCE
    :: else -> fence()
    fi;
    if
    :: mutant == NO_LOOK_AFTER_REPLY
    :: else -> look_for_wish()
    fi;
    if
    :: wish != 0 && wish < next ->
        if
        :: mutant == WISH_LEFT -> wake()
        :: mutant == WISH_TAKEN_LATE ->
            wake();
            swap(WISH_PLACE, wish, 0, word)
        :: mutant == WISH_TAKEN_BY_STORE ->
            store(WISH_PLACE, 0, RELAXED);
            wake()
        :: else ->
            swap(WISH_PLACE, wish, 0, word);
            if
            :: word == wish -> wake()
            :: else
            fi
        fi
    :: else
    fi;
    d_step {
        answered = next - 1;
        assert(in_time);
        wish = 0;
        word = 0;
        content = 0
    }
}

inline arm() {
    if
    :: mutant == WISH_BY_STORE -> store(slot_of(next), word | WISH, RELEASE)
    :: else ->
        swap(slot_of(next), word, word | WISH, content);
        if
        :: unmarked(content) == word || mutant == WISH_FAILURE_IGNORED -> content = 0
        :: else -> goto again
        fi
    fi
}

proctype server() {
    byte next = FIRST;
    byte word, content, wish;
    bool woken; /* for no reason, which happens once */

again:
    word = 0;
    content = 0;
    if
    :: SERVER_SLEEPS ->
        if
        :: mutant == REQUEST_SEEN_RELAXED -> load(slot_of(next), RELAXED, word)
        :: else -> load(slot_of(next), ACQUIRE, word)
        fi
    :: else ->
end_spinning:
        if
        :: mutant == REQUEST_SEEN_RELAXED ->
            load_when(slot_of(next), server_mask, word_of(next, REQUEST), RELAXED, word)
        :: else -> load_when(slot_of(next), server_mask, word_of(next, REQUEST), ACQUIRE, word)
        fi
    fi;
    word = word & server_mask;
    if
    :: word == word_of(next, REQUEST) -> take_and_answer()
    :: else ->
        assert(word == word_before(next));
        arm();
        word = 0;
end_asleep:
        if
        :: atomic { rung -> rung = false }
        :: atomic { !woken -> woken = true }
        fi
    fi;
    goto again
}

init {
    byte n;

    atomic {
        choose_mutant();
        for (n : 0 .. DEPTH - 1) {
            atomics[n].at[0].is = terminal(n)
        };
        n = 0;
        run client();
        run server()
    }
}
