/* SPDX-License-Identifier: Apache-2.0 */
/*
 * litmus.pml - whether memory.pml is the memory that it says it is: four small programs whose outcomes are known.
 *
 *   store buffering   x = 1, fence, load y   |   y = 1, fence, load x     not both loads see 0
 *   the same with     x = 1, membarrier, load y   |   y = 1, load x       not both loads see 0
 *   message passing   data, then x = 1 released   |   x acquired is 1, then data: the data is there
 *   counting          two threads add 1 to x by swapping                  x is 2
 *
 * Without one of the steps, each of these outcomes has to be possible.
 */

/* What a run leaves out or does otherwise; nothing, if 0. */
#define NO_FENCE_LEFT 1     /* store buffering */
#define NO_FENCE_RIGHT 2    /* store buffering */
#define FENCE_FOR_BARRIER 3 /* store buffering with a membarrier */
#define STORED_RELAXED 4    /* message passing */
#define LOADED_RELAXED 5    /* message passing */
#define DATA_LATE 6         /* message passing */
#define ADDED_BY_STORE 7    /* counting */

#define X 0
#define Y 1
#define DATA 0
#define ATOMICS 2
#define PLAINS 1
#define THREADS 2
#define HISTORY 4
#include "memory.pml"

mtype = { buffering, buffering_with_barrier, passing, counting };
mtype shape;
byte seen_left = 9, seen_right = 9, ends;

inline add() {
    do
    :: load(X, RELAXED, seen);
        if
        :: mutant == ADDED_BY_STORE ->
            store(X, seen + 1, RELAXED);
            break
        :: else ->
            swap(X, seen, seen + 1, found);
            if
            :: found == seen -> break
            :: else
            fi
        fi
    od
}

proctype left() {
    byte seen, found;

    if
    :: shape == buffering || shape == buffering_with_barrier ->
        store(X, 1, RELAXED);
        if
        :: shape == buffering && mutant == NO_FENCE_LEFT
        :: shape == buffering && mutant != NO_FENCE_LEFT -> fence()
        :: else ->
            if
            :: mutant == FENCE_FOR_BARRIER -> fence()
            :: else -> membarrier()
            fi
        fi;
        load(Y, RELAXED, seen_left)
    :: shape == passing ->
        if
        :: mutant == DATA_LATE ->
            store(X, 1, RELEASE);
            write(DATA, 1)
        :: else ->
            write(DATA, 1);
            store(X, 1, (mutant == STORED_RELAXED -> RELAXED : RELEASE))
        fi
    :: else -> add()
    fi;
    ends++
}

proctype right() {
    byte seen, found;

    if
    :: shape == buffering || shape == buffering_with_barrier ->
        store(Y, 1, RELAXED);
        if
        :: shape == buffering && mutant != NO_FENCE_RIGHT -> fence()
        :: else
        fi;
        load(X, RELAXED, seen_right)
    :: shape == passing ->
        load(X, (mutant == LOADED_RELAXED -> RELAXED : ACQUIRE), seen);
        if
        :: seen == 1 ->
            read(DATA, seen);
            assert(seen == 1)
        :: else
        fi
    :: else -> add()
    fi;
    ends++
}

init {
    atomic {
        choose_mutant();
        if
        :: shape = buffering
        :: shape = buffering_with_barrier
        :: shape = passing
        :: shape = counting
        fi;
        run left();
        run right()
    };
    ends == 2;
    assert(seen_left != 0 || seen_right != 0);
    assert(shape != counting || last_of(X) == 2)
}
