/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "stats.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

/* The header and both arrays in one shared mapping: [samples | call_ticks | block_ticks]. */
static size_t mapping_size(uint32_t calls)
{
    return sizeof(measure_samples) + ((size_t)calls + calls / MEASURE_BLOCK) * sizeof(uint64_t);
}

int measure_samples_new(measure_samples **ret_samples, uint32_t calls)
{
    measure_samples *samples;
    void *memory;

    memory = mmap(NULL, mapping_size(calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    samples = memory;
    samples->calls = calls;
    samples->capacity = calls;
    samples->call_ticks = (uint64_t *)(samples + 1);
    samples->block_ticks = samples->call_ticks + calls;
    *ret_samples = samples;
    return 0;
}

void measure_samples_free(measure_samples *samples)
{
    if (samples) {
        munmap(samples, mapping_size(samples->capacity));
    }
}

/* Of this process, where it is a server. */
static measure_samples *answered;

static void on_ask(int number)
{
    struct timespec time;

    (void)number;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    atomic_store_explicit(&answered->reading_ns, (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec,
                          memory_order_relaxed);
    /* A release that pairs with the acquire in measure_server_time(): without it an old reading is taken for the new. */
    atomic_fetch_add_explicit(&answered->readings, 1, memory_order_release);
}

int measure_answer_time(measure_samples *samples)
{
    const struct sigaction action = {.sa_handler = on_ask, .sa_flags = SA_RESTART};

    answered = samples;
    return sigaction(MEASURE_ASK, &action, NULL) ? -errno : 0;
}

uint64_t measure_server_time(measure_samples *samples)
{
    const uint32_t before = atomic_load_explicit(&samples->readings, memory_order_relaxed);

    kill(samples->server, MEASURE_ASK);
    while (atomic_load_explicit(&samples->readings, memory_order_acquire) == before) {
        sched_yield();
    }
    return atomic_load_explicit(&samples->reading_ns, memory_order_relaxed);
}

/* Of the sorted times of calls. */
static double percentile_of(const measure_samples *samples, unsigned permille, double ns_per_tick)
{
    return (double)stats_percentile(samples->call_ticks, samples->timed_calls, permille) * ns_per_tick;
}

measure_summary measure_summarize(measure_samples *samples, double ns_per_tick)
{
    const size_t calls = samples->timed_calls;
    const size_t blocks = samples->timed_blocks;
    measure_summary summary = {0};

    if (calls > 0) {
        stats_sort_ticks(samples->call_ticks, calls);
        summary.p10_ns = percentile_of(samples, 100, ns_per_tick);
        summary.p25_ns = percentile_of(samples, 250, ns_per_tick);
        summary.p50_ns = percentile_of(samples, 500, ns_per_tick);
        summary.p75_ns = percentile_of(samples, 750, ns_per_tick);
        summary.p90_ns = percentile_of(samples, 900, ns_per_tick);
        summary.p95_ns = percentile_of(samples, 950, ns_per_tick);
        summary.p99_ns = percentile_of(samples, 990, ns_per_tick);
        summary.p999_ns = percentile_of(samples, 999, ns_per_tick);
    }
    if (blocks > 0) {
        stats_sort_ticks(samples->block_ticks, blocks);
        summary.block_ns = (double)stats_percentile(samples->block_ticks, blocks, 500) * ns_per_tick / MEASURE_BLOCK;
    }
    if (samples->untimed_ns > 0) {
        summary.calls_per_s = (double)samples->calls * 1e9 / (double)samples->untimed_ns;
    }
    summary.server_ns = (double)samples->server_ns / (double)samples->calls;
    return summary;
}
