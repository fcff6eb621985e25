/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inbox.pml - calls that are answered later: MOVED, tickets, the inbox, and lanes that pause (docs/memory-model.md).
 *
 * The client has published CALLS calls. The worker answers each in place, or defers it: takes a ticket, writes it into
 * the slot as MOVED, and answers it later itself or hands it to a thread of the pool that does. There are INBOX entries
 * and as many tickets; with none left the worker lets the lane rest until the client has read entries. The client
 * sleeps where it finds nothing, for its last call and for the inbox; where there are as many entries as slots, for the
 * inbox only if it knows of a call that has moved.
 *
 * Checked: everybody gets on until all calls have been answered; each call is answered once, with its own answer, in
 * place or under its own ticket; nobody touches a slot or an entry that he has not been given; no entry is overwritten
 * unread.
 */
#ifndef INBOX
#define INBOX 1
#endif
#ifndef CALLS
#define CALLS 3
#endif

/* What a run leaves out or does otherwise; nothing, if 0. */
#define ENTRY_BEFORE_PAYLOAD 1   /* I1: an entry's word is published before its payload is written */
#define ENTRY_RELAXED 2          /* I1: an entry's word is stored relaxed */
#define ENTRY_SEEN_RELAXED 3     /* I2: the client's load of an entry's word does not acquire */
#define READ_BEFORE_COPY 4       /* I3: the client counts an entry as read, then copies it */
#define READ_RELAXED 5           /* I3: inbox_read is stored relaxed */
#define READ_SEEN_RELAXED 6      /* I4: the worker's load of inbox_read does not acquire */
#define NO_TICKETS 7             /* I4: the worker defers whether or not an entry is free for the answer */
#define TICKET_BACK_EARLY 8      /* I4: a ticket is given again once its entry is written, not once it is read */
#define READ_WITHOUT_FENCE 9     /* I5: nothing between inbox_read and the look for the want */
#define NO_LOOK_FOR_WANT 10      /* I5: the client does not look for the want */
#define WANT_WITHOUT_FENCE 11    /* I6: nothing between the want and the look for room */
#define NO_LOOK_FOR_ROOM 12      /* I6: the worker rests after its want without a look */
#define WANT_KEPT 13             /* harmless: the worker leaves its want set */
#define CALL_WISH_ONLY 14        /* W3: the client wishes for its last call, not for the inbox */
#define NO_LOOK_AT_INBOX 15      /* W3: after its wish the client looks at its calls, not at the inbox */
#define ENTRY_WITHOUT_FENCE 16   /* W4: nothing between an entry's word and the look for the wish */
#define WISH_TAKEN_BY_STORE 17   /* harmless: W4: whoever has seen a wish takes whatever wish there is now */
#define ENTRY_WITHOUT_MUTEX 18   /* the worker and the pool write entries without the mutex */
#define ANSWER_BEFORE_MOVED 19   /* the call is handed to the pool before its slot says MOVED */
#define NO_LOOK_AT_SLOTS 20      /* the client takes an entry without a look at the slots after it saw the entry */
#define READ_BEFORE_TICKET 21    /* the client counts an entry as read before it has taken the call out of the ticket */
#define CLAMPED_WITHOUT_MUTEX 22 /* I4: the worker bounds inbox_read by a count that the pool is about to raise */
#define WISH_FOR_KNOWN_ONLY 23   /* W3: no wish for the inbox as long as no moved call is known, with fewer entries */

/* Places: a slot for each call, entries, and three words of the header. */
#define ENTRY CALLS
#define WISH_PLACE (CALLS + INBOX)
#define READ_PLACE (WISH_PLACE + 1)
#define WANT_PLACE (WISH_PLACE + 2)
#define ATOMICS (WISH_PLACE + 3)
#define PLAINS (CALLS + INBOX)
#define THREADS 3
#ifndef HISTORY
#define HISTORY 2
#endif
#define LOCKS 1
#include "memory.pml"

/* Positions are counted from 0 here, entries from 1; the entry's word says its number. */
#define REQUEST 1
#define REPLY 2
#define MOVED 3
#define entry_of(e) (ENTRY + (e) % INBOX)

/* What lies in a slot or in an entry. */
#define request(p) (p)
#define reply(p) (64 + (p))
#define ticket(t) (128 + (t))
#define answer(t, p) (((t) << 4) | (p))

#define NO_CALL 255

/* A wish for the last call, or for an entry too. */
#define WISH_CALL 1
#define WISH_INBOX 2

bool rung;
bool asleep;

/* Private to the server, under its mutex. */
byte written;          /* entries */
byte ticket_in[INBOX]; /* by entry */
chan queue = [CALLS] of { byte, byte }; /* to the pool: the call, and its ticket */

/* ---- client ---- */

/* The oldest slot has a terminal word. Inside of a step. */
inline take_slot_() {
    read_(oldest, content);
    if
    :: word == MOVED ->
        assert(content >= ticket(0) && content < ticket(INBOX));
        assert(moved[content - ticket(0)] == NO_CALL);
        moved[content - ticket(0)] = oldest
    :: else ->
        assert(word == REPLY && content == reply(oldest));
        done++
    fi;
    oldest++;
    found = false;
    word = 0;
    content = 0
}

/* All slots whose call is answered or has moved. */
inline reap() {
    do
    :: oldest < CALLS ->
        load(oldest, ACQUIRE, word);
        if
        :: word == REQUEST -> break
        :: else
        fi;
        d_step { take_slot_() }
    :: oldest == CALLS -> break
    od;
    word = 0
}

inline count_as_read() {
    d_step {
        append_(READ_PLACE, had, (mutant == READ_RELAXED -> RELAXED : RELEASE));
        if
        :: mutant == READ_WITHOUT_FENCE
        :: else -> fence_()
        fi
    };
    if
    :: mutant == NO_LOOK_FOR_WANT
    :: else ->
        load(WANT_PLACE, RELAXED, word);
        if
        :: word != 0 -> rung = true
        :: else
        fi
    fi
}

inline take_entry() {
    had++;
    if
    :: mutant == READ_BEFORE_COPY -> count_as_read()
    :: else
    fi;
    read(entry_of(had), answered);
    if
    :: mutant == READ_BEFORE_TICKET -> count_as_read()
    :: else
    fi;
    if
    :: mutant == NO_LOOK_AT_SLOTS
    :: else -> reap()
    fi;
    d_step {
        assert(moved[answered >> 4] == (answered & 15));
        moved[answered >> 4] = NO_CALL;
        answered = 0;
        done++;
        found = false
    };
    if
    :: mutant == READ_BEFORE_COPY || mutant == READ_BEFORE_TICKET
    :: else -> count_as_read()
    fi
}

/* Is any call known that has moved and not been answered? */
inline choose_wish_() {
    wish = (mutant == CALL_WISH_ONLY -> WISH_CALL : WISH_CALL | WISH_INBOX);
    if
    :: INBOX >= CALLS || mutant == WISH_FOR_KNOWN_ONLY ->
        wish = WISH_CALL;
        for_all_(i_, INBOX, wish = (moved[i_] != NO_CALL -> wish | WISH_INBOX : wish))
    :: else
    fi
}

inline sleep() {
    d_step {
        choose_wish_();
        append_(WISH_PLACE, wish, RELAXED);
        fence_()
    };
    load(CALLS - 1, ACQUIRE, word);
    found = (oldest < CALLS && word != REQUEST);
    if
    :: found || mutant == NO_LOOK_AT_INBOX || !(wish & WISH_INBOX)
    :: else ->
        load(entry_of(had + 1), ACQUIRE, word);
        found = (word == had + 1)
    fi;
    word = 0;
    if
    :: found
    :: else ->
        atomic {
            if
            :: last_of(WISH_PLACE) == wish -> asleep = true
            :: else
            fi
        };
        !asleep
    fi;
    store(WISH_PLACE, 0, RELAXED);
    wish = 0
}

proctype client() {
    byte oldest, had, done;
    byte moved[INBOX] = NO_CALL;
    byte wish;
    byte word, content, answered;
    bool found; /* a look before going to sleep has found something */

    do
    :: d_step {
        oldest < CALLS && last_of(oldest) != REQUEST;
        load_last_(oldest, ACQUIRE, word);
        take_slot_()
    }
    :: d_step {
        done < CALLS && last_of(entry_of(had + 1)) == had + 1;
        load_last_(entry_of(had + 1), (mutant == ENTRY_SEEN_RELAXED -> RELAXED : ACQUIRE), word);
        word = 0
    };
        take_entry()
    :: done < CALLS && !found -> sleep()
    :: done == CALLS -> break
    od
}

/* ---- server ---- */

inline look_for_wish(fenced, kinds) {
    atomic {
        d_step {
            if
            :: fenced -> fence_()
            :: else
            fi;
            skip
        };
        load(WISH_PLACE, RELAXED, wish)
    };
    if
    :: wish & (kinds) ->
        if
        :: mutant == WISH_TAKEN_BY_STORE ->
            store(WISH_PLACE, 0, RELAXED);
            asleep = false
        :: else ->
            swap(WISH_PLACE, wish, 0, word);
            if
            :: word == wish -> asleep = false
            :: else
            fi
        fi
    :: else
    fi;
    d_step { wish = 0; word = 0 }
}

/* The answer to the call at p, which has the ticket t. */
inline answer_later(p, t) {
    if
    :: mutant == ENTRY_WITHOUT_MUTEX ->
        e = written + 1;
        write(entry_of(e), answer(t, p));
        store(entry_of(e), e, RELEASE);
        d_step { ticket_in[e % INBOX] = t; written = e }
    :: mutant == ENTRY_BEFORE_PAYLOAD ->
        lock(0);
        e = written + 1;
        store(entry_of(e), e, RELEASE);
        write(entry_of(e), answer(t, p));
        d_step { ticket_in[e % INBOX] = t; written = e };
        unlock(0)
    :: mutant == CLAMPED_WITHOUT_MUTEX ->
        e = written + 1;
        write(entry_of(e), answer(t, p));
        ticket_in[e % INBOX] = t;
        store(entry_of(e), e, RELEASE);
        written = e
    :: else ->
        d_step {
            lock_(0);
            e = written + 1;
            write_(entry_of(e), answer(t, p));
            append_(entry_of(e), e, (mutant == ENTRY_RELAXED -> RELAXED : RELEASE));
            ticket_in[e % INBOX] = t;
            written = e;
            unlock_(0)
        }
    fi;
    e = 0;
    look_for_wish(mutant != ENTRY_WITHOUT_FENCE, WISH_INBOX)
}

/* The tickets of entries that have been read are free again. */
inline reclaim() {
    atomic {
        if
        :: mutant == TICKET_BACK_EARLY -> word = written
        :: else -> load(READ_PLACE, (mutant == READ_SEEN_RELAXED -> RELAXED : ACQUIRE), word)
        fi;
        d_step {
            word = (word < written -> word : written);
            do
            :: reclaimed < word ->
                reclaimed++;
                free = free | (1 << ticket_in[reclaimed % INBOX])
            :: else -> break
            od;
            word = 0
        }
    }
}

inline pause() {
    d_step {
        append_(WANT_PLACE, 1, RELAXED);
        if
        :: mutant == WANT_WITHOUT_FENCE
        :: else -> fence_()
        fi
    };
    if
    :: mutant == NO_LOOK_FOR_ROOM
    :: else -> reclaim()
    fi;
    if
    :: free == 0 ->
        atomic { rung -> rung = false };
        reclaim()
    :: else
    fi;
    if
    :: free == 0 || mutant == WANT_KEPT
    :: else -> store(WANT_PLACE, 0, RELAXED)
    fi
}

/* The slot at next: written and published. */
inline publish(content, state) {
    d_step {
        write_(next, content);
        append_(next, state, RELEASE);
        next++
    };
    /* All requests are there, so the next slot is empty after the last one. */
    if
    :: next < CALLS
    :: else ->
        look_for_wish(true, WISH_CALL)
    fi
}

inline hand_over(p) {
    d_step {
        lock_(0);
        unlock_(0);
        queue ! p, t
    }
}

inline defer() {
    d_step {
        t = 0;
        do
        :: (free & (1 << t)) || (mutant == NO_TICKETS && free == 0) -> break
        :: else -> t++
        od;
        free = free & (255 - (1 << t))
    };
    if
    :: mutant == ANSWER_BEFORE_MOVED -> hand_over(next)
    :: else
    fi;
    publish(ticket(t), MOVED);
    if
    :: mutant == ANSWER_BEFORE_MOVED
    :: mutant != ANSWER_BEFORE_MOVED && next == CALLS -> answer_later(next - 1, t)
    :: mutant != ANSWER_BEFORE_MOVED -> hand_over(next - 1)
    fi;
    t = 0
}

proctype worker() {
    byte next;
    byte free = (1 << INBOX) - 1; /* tickets: a bit each */
    byte reclaimed;               /* entries whose tickets are free again */
    byte word, content, wish, t, e;

    do
    :: next == CALLS -> break
    :: next < CALLS && free == 0 && mutant != NO_TICKETS ->
        reclaim();
        if
        :: free == 0 -> pause()
        :: else
        fi
    :: next < CALLS && (free != 0 || mutant == NO_TICKETS) ->
        read(next, content);
        assert(content == request(next));
        content = 0;
        if
        :: publish(reply(next), REPLY)
        :: defer()
        fi
    od
}

proctype pool() {
    byte word, wish, t, p, e;

again:
end_idle:
    atomic {
        queue ? p, t;
        /* What was handed over, was handed over under the mutex. */
        lock(0);
        unlock(0)
    };
    answer_later(p, t);
    d_step { p = 0; t = 0 };
    goto again
}

init {
    byte n;

    atomic {
        choose_mutant();
        for (n : 0 .. CALLS - 1) {
            atomics[n].at[0].is = REQUEST;
            plains[n].is = request(n)
        };
        n = 0;
        run client();
        run worker();
        run pool()
    }
}
