/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.pml - shared memory as C11 allows processors and compilers to have it, for the models beside this file.
 *
 * Spin lets its processes take turns on one memory. Two processors do not: a store may linger while its own processor
 * loads on, and a load may see what has been overwritten. So each atomic place here keeps the last values that it had, in
 * order, and each thread a *view*: for each place, the oldest value that it may still see.
 *
 *   relaxed load    any value that is not older than the view of that place; the view follows
 *   acquire load    the same, and the view becomes at least what the writer's was when it stored with release
 *   store           appends a value; with release, the writer's view goes along with it
 *   exchange, swap  take the last value and append to it, in one step
 *   fence           the view becomes at least that of each thread that has had its fence before
 *   membarrier      as if every thread had a fence just now
 *
 * That has the store buffers of x86-64 (a store that others do not see yet is one that they do not load) and the loose
 * order of aarch64. Two things it leaves out: loads that see what another thread stores only after it has seen what this
 * one stores later, and stores to one place by two threads that take effect in another order than they were made. No
 * place but the wish has two writers at once, and there the second uses compare-and-swap.
 *
 * A *plain* place is memory without atomics: a slot's header and payload. It belongs to one thread at a time. Whoever
 * touches it must have seen all that others did there before; else it was a race, and an assertion fails.
 *
 * What a model defines before it includes this: ATOMICS, PLAINS and THREADS, how many there are of each, and HISTORY, 2
 * to 4, how many values of a place are remembered: who has not looked for longer sees the oldest of them. Processes are
 * threads in the order in which init runs them.
 */
#if HISTORY < 2 || HISTORY > 4
#error load() has a choice for each of two to four values
#endif

#define PLACES (ATOMICS + PLAINS)
#define me (_pid - 1)

#define RELAXED 0
#define ACQUIRE 1
#define RELEASE 2

typedef Value {
    byte is;
    byte seen[PLACES] /* the writer's view, where it was a release */
};

typedef Atomic {
    byte last;
    Value at[HISTORY]
};

typedef Plain {
    byte is;
    byte times /* how often it was touched */
};

typedef View {
    byte at[PLACES]
};

#ifdef LOCKS
typedef Lock {
    bool held;
    byte seen[PLACES]
};

Lock locks[LOCKS];
#endif

Atomic atomics[ATOMICS];
Plain plains[PLAINS];
View views[THREADS];
View fences; /* what all threads that had a fence had seen */

/* Chosen when a run starts: which step to leave out. One thing for all of a run, so reading it is nobody's business. */
local byte mutant;

/* Scratch inside of one step. */
hidden byte i_;
hidden byte j_;
hidden byte k_;
hidden byte t_;

#define last_of(x) atomics[x].at[atomics[x].last].is

/* Macros, since what is passed to an inline has to be a whole expression. */
#define less_(n) (n > k_ -> n - k_ : 0)
#define raise_(to, from) to = (to < (from) -> (from) : to)
/* What comes after the loop: Spin 6.5.2 does not take a step that ends with one. */
#define for_all_(i, n, body) for (i : 0 .. n - 1) { body }; i = 0
#define learn_(from) for_all_(i_, PLACES, raise_(views[me].at[i_], from[i_]))

inline load_at_(x, order, ret) {
    ret = atomics[x].at[t_].is;
    views[me].at[x] = t_;
    if
    :: (order) == ACQUIRE -> learn_(atomics[x].at[t_].seen)
    :: else
    fi;
    t_ = 0
}

#ifdef LOCKS
#define forget_in_locks_(x) for_all_(i_, LOCKS, locks[i_].seen[x] = less_(locks[i_].seen[x]))
#else
#define forget_in_locks_(x) skip
#endif

/*
 * Forgets the values of x that no thread can see any more, so that states that differ by the past alone become one, and
 * the oldest where there are too many.
 */
inline forget_(x) {
    k_ = atomics[x].last;
    for_all_(i_, THREADS, k_ = (views[i_].at[x] < k_ -> views[i_].at[x] : k_));
    k_ = (k_ == 0 && atomics[x].last + 1 == HISTORY -> 1 : k_);
    if
    :: k_ > 0 ->
        for_all_(i_, THREADS, views[i_].at[x] = less_(views[i_].at[x]));
        fences.at[x] = less_(fences.at[x]);
        forget_in_locks_(x);
        for_all_(i_, ATOMICS, for_all_(j_, HISTORY, atomics[i_].at[j_].seen[x] = less_(atomics[i_].at[j_].seen[x])));
        for_all_(i_, HISTORY,
            atomics[x].at[i_].is = (i_ + k_ < HISTORY -> atomics[x].at[i_ + k_].is : 0);
            for_all_(j_, PLACES,
                atomics[x].at[i_].seen[j_] = (i_ + k_ < HISTORY -> atomics[x].at[i_ + k_].seen[j_] : 0)));
        atomics[x].last = atomics[x].last - k_;
        k_ = 0
    :: else
    fi
}

inline append_(x, value, order) {
    forget_(x);
    atomics[x].last++;
    atomics[x].at[atomics[x].last].is = value;
    views[me].at[x] = atomics[x].last;
    if
    :: (order) == RELEASE ->
        for_all_(i_, PLACES, atomics[x].at[atomics[x].last].seen[i_] = views[me].at[i_])
    :: else
    fi
}

/* One choice for each value that is not too old: they are steps of their own, so that no state lies between. */
inline load(x, order, ret) {
    if
    :: d_step {
        t_ = views[me].at[x];
        load_at_(x, order, ret)
    }
    :: d_step {
        views[me].at[x] + 1 <= atomics[x].last;
        t_ = views[me].at[x] + 1;
        load_at_(x, order, ret)
    }
#if HISTORY > 2
    :: d_step {
        views[me].at[x] + 2 <= atomics[x].last;
        t_ = views[me].at[x] + 2;
        load_at_(x, order, ret)
    }
#endif
#if HISTORY > 3
    :: d_step {
        views[me].at[x] + 3 <= atomics[x].last;
        t_ = views[me].at[x] + 3;
        load_at_(x, order, ret)
    }
#endif
    fi
}

/* The last value: what was stored is seen at some time by one who spins. */
inline load_last_(x, order, ret) {
    t_ = atomics[x].last;
    load_at_(x, order, ret)
}

/* Spins until the last value, under the mask, is the one that is awaited. */
inline load_when(x, mask, awaited, order, ret) {
    d_step {
        (last_of(x) & (mask)) == (awaited);
        load_last_(x, order, ret)
    }
}

inline store(x, value, order) {
    d_step { append_(x, value, order) }
}

/* What is stored by a read-modify-write also releases what the value that it replaces did. */
inline replace_(x, value, order) {
    if
    :: (order) == RELEASE -> learn_(atomics[x].at[atomics[x].last].seen)
    :: else
    fi;
    append_(x, value, order);
    k_ = atomics[x].last;
    for_all_(i_, PLACES, raise_(atomics[x].at[k_].seen[i_], atomics[x].at[k_ - 1].seen[i_]));
    k_ = 0
}

/* RELEASE stands for acquire and release. */
inline exchange(x, value, order, ret) {
    d_step {
        ret = last_of(x);
        replace_(x, value, order)
    }
}

/* Compare-and-swap: `ret` is the value found, which is `expected` where it succeeded. */
inline swap(x, expected, value, ret) {
    d_step {
        ret = last_of(x);
        if
        :: ret == (expected) -> replace_(x, value, RELEASE)
        :: else -> load_last_(x, ACQUIRE, ret)
        fi
    }
}

inline fence_() {
    learn_(fences.at);
    for_all_(i_, PLACES, fences.at[i_] = views[me].at[i_])
}

inline fence() {
    d_step { fence_() }
}

inline membarrier() {
    d_step {
        for_all_(k_, THREADS, for_all_(i_, PLACES, raise_(fences.at[i_], views[k_].at[i_])));
        for_all_(k_, THREADS, for_all_(i_, PLACES, views[k_].at[i_] = fences.at[i_]))
    }
}

inline touch_(y) {
    assert(views[me].at[ATOMICS + (y)] == plains[y].times);
    plains[y].times++;
    views[me].at[ATOMICS + (y)] = plains[y].times
}

inline write_(y, value) {
    touch_(y);
    plains[y].is = value
}

inline write(y, value) {
    d_step { write_(y, value) }
}

inline read_(y, ret) {
    touch_(y);
    ret = plains[y].is
}

inline read(y, ret) {
    d_step { read_(y, ret) }
}

#ifdef LOCKS
inline lock_(l) {
    !locks[l].held;
    locks[l].held = true;
    learn_(locks[l].seen)
}

inline unlock_(l) {
    locks[l].held = false;
    for_all_(i_, PLACES, locks[l].seen[i_] = views[me].at[i_])
}

inline lock(l) {
    d_step { lock_(l) }
}

inline unlock(l) {
    d_step { unlock_(l) }
}
#endif

inline choose_mutant() {
    c_code {
        const char *chosen = getenv("MUTANT");

        now.mutant = chosen != 0 ? (unsigned char)atoi(chosen) : 0;
    }
}
