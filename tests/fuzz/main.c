/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded run of a harness: `fuzz_<name> [RUNS [SEED]]`.
 *
 * First come the harness's own inputs as they are. Each run then takes one of them and changes it a few times: bits,
 * bytes, interesting numbers, pieces cut out, doubled or moved, the end cut off. Everything follows from SEED, so that
 * a failure can be had again; the run that breaks off is named on standard error; inputs as they are count as the first
 * runs.
 */
#include "fuzz.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX 6

static uint64_t state;
static unsigned long runs = 100000;
static unsigned long seed = 1;
static volatile sig_atomic_t current_run;

/* xorshift64* (Vigna): enough to choose with. */
static uint32_t draw(uint32_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static size_t draw_at(size_t length)
{
    return draw((uint32_t)length);
}

static size_t change_cut(uint8_t *bytes, size_t length)
{
    size_t at = draw_at(length);
    size_t size = draw_at(length - at) + 1;

    memmove(bytes + at, bytes + at + size, length - at - size);
    return length - size;
}

static size_t change_double(uint8_t *bytes, size_t length)
{
    size_t at = draw_at(length);
    size_t size = draw_at(length - at) + 1;

    if (size > FUZZ_SIZE_MAX - length)
        size = FUZZ_SIZE_MAX - length;
    memmove(bytes + at + size, bytes + at, length - at);
    return length + size;
}

static void change_move(uint8_t *bytes, size_t length)
{
    size_t from = draw_at(length);
    size_t to = draw_at(length);
    size_t room = length - (from > to ? from : to);

    memmove(bytes + to, bytes + from, draw_at(room) + 1);
}

/* Returns the new length. */
static size_t change(uint8_t *bytes, size_t length)
{
    static const uint8_t numbers[] = {0, 1, 0x7f, 0x80, 0xff};

    if (length == 0) {
        bytes[0] = (uint8_t)draw(256);
        return 1;
    }
    switch (draw(7)) {
    case 0: bytes[draw_at(length)] ^= (uint8_t)(1u << draw(8)); return length;
    case 1: bytes[draw_at(length)] = (uint8_t)draw(256); return length;
    case 2: bytes[draw_at(length)] = numbers[draw(sizeof(numbers))]; return length;
    case 3: return change_cut(bytes, length);
    case 4: return change_double(bytes, length);
    case 5: change_move(bytes, length); return length;
    default: return draw_at(length);
    }
}

static size_t count_seeds(uint8_t *room)
{
    size_t count = 0;

    while (fuzz_seed(count, room) > 0)
        count++;
    return count;
}

/* Says which run it was; the default action follows. Async-signal-safe. */
static void on_abort(int number)
{
    char digits[sizeof("run 0000000000 broke off\n")];
    char *at = digits + sizeof("run 0000000000") - 1;

    memcpy(digits, "run 0000000000 broke off\n", sizeof(digits));
    for (unsigned long run = (unsigned long)current_run; run > 0; run /= 10)
        *--at = (char)('0' + run % 10);
    (void)!write(STDERR_FILENO, digits, sizeof(digits) - 1);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[FUZZ_SIZE_MAX];
    size_t seeds;

    if (argc > 1)
        runs = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoul(argv[2], NULL, 10);
    state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)signal(SIGABRT, on_abort);

    seeds = count_seeds(bytes);
    if (seeds == 0 || runs == 0 || runs > INT32_MAX) {
        fprintf(stderr, "usage: %s [RUNS [SEED]]; there are %zu inputs to start from\n", argv[0], seeds);
        return 2;
    }
    for (unsigned long run = 0; run < seeds + runs; run++) {
        bool is_seed = run < seeds;
        size_t length = fuzz_seed(is_seed ? run : draw_at(seeds), bytes);
        uint8_t *exact;

        current_run = (sig_atomic_t)run;
        for (uint32_t n = is_seed ? 0 : draw(CHANGES_MAX) + 1; n > 0; n--)
            length = change(bytes, length);

        /* In memory of its exact size, so that a sanitizer sees a read beyond its end. */
        exact = malloc(length + (length == 0));
        if (exact == NULL)
            return 2;
        memcpy(exact, bytes, length);
        (void)LLVMFuzzerTestOneInput(exact, length);
        free(exact);
    }
    printf("%zu inputs, %lu runs, seed %lu\n1 passed, 0 failed\n", seeds, runs, seed);
    return 0;
}
