/* SPDX-License-Identifier: Apache-2.0 */
#include "clients.h"

#include "json.h"
#include "stamp.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define ACTIVE_GOAL 1.05
#define RATE_GOAL 0.9
#define FAIRNESS_GOAL 0.95
#define MEMORY_GOAL 65536

static double total(const clients_memory *row)
{
    return row->server_bytes + row->client_bytes + row->lane_bytes;
}

/* ---- text ---- */

static void quartiles_print(const stats_quartiles *found)
{
    printf("   %6.3f [%6.3f, %6.3f]", found->median, found->lower, found->upper);
}

static void active_print(const clients_found *found, const clients_options *given)
{
    printf(
        "\none client calls at once, timed per call, the others are connected and idle; server on core %d, it on core "
        "%d; goal: p50 at most %.2f\n",
        given->server_core, given->client_core, ACTIVE_GOAL);
    printf("%10s %10s %10s   %24s   %24s\n", "connected", "p50, ns", "p99, ns", "p50 by it alone", "p99 by it alone");
    for (uint32_t i = 0; i < found->active_count; i++) {
        const clients_active *row = &found->active[i];

        printf("%10u %10.0f %10.0f", row->clients, row->p50_ns, row->p99_ns);
        quartiles_print(&row->p50_ratio);
        quartiles_print(&row->p99_ratio);
        putchar('\n');
    }
}

static void activity_print(const char *who, const activity *counts)
{
    printf("%-10s %10" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14.1f\n", who, counts->threads, counts->voluntary,
           counts->involuntary, (double)counts->cpu_ns / 1000);
}

static void idle_print(const clients_found *found, const clients_options *given)
{
    printf("\n%u clients connected, no call for %u s; goal: nothing\n", found->idle.clients, given->seconds);
    printf("%-10s %10s %14s %14s %14s\n", "", "threads", "went to sleep", "interrupted", "processor, us");
    activity_print("server", &found->idle.server);
    activity_print("clients", &found->idle.holders);
}

static void flat_print(const clients_found *found, const clients_options *given)
{
    printf(
        "\n%u clients call at once for %u ms, as they can; rates as shares of one client's alone, each side on its core; "
        "goals: rate at least %.2f, fairness %.2f\n",
        given->callers, given->ms, RATE_GOAL, FAIRNESS_GOAL);
    printf("%-12s %8s %12s %12s   %24s   %24s\n", "", "workers", "calls/s", "alone", "rate", "fairness (Jain)");
    for (size_t i = 0; i < CLIENTS_FLATS; i++) {
        const clients_flat *row = &found->flat[i];

        printf("%-12s %8u %12.0f %12.0f", row->name, row->workers, row->calls_per_s, row->alone_per_s);
        quartiles_print(&row->rate_ratio);
        quartiles_print(&row->fairness);
        printf("   %s\n", row->title);
    }
}

static void memory_print(const clients_found *found)
{
    printf("\nmemory of one client more, KiB; goal: at most %d in all\n", MEMORY_GOAL / 1024);
    printf("%-12s %10s %10s %10s %10s %10s\n", "", "mean of", "server", "client", "lane", "all");
    for (size_t i = 0; i < CLIENTS_HOMES; i++) {
        const clients_memory *row = &found->memory[i];

        printf("%-12s %10u %10.1f %10.1f %10.1f %10.1f   %s\n", row->name, row->clients, row->server_bytes / 1024,
               row->client_bytes / 1024, row->lane_bytes / 1024, total(row) / 1024, row->title);
    }
}

void clients_print(const clients_found *found, const clients_options *given, const conditions *machine)
{
    conditions_print(machine, stdout);
    printf("8 bytes each way; %u rounds; stamps by %s\n", given->rounds, STAMP_SOURCE);
    active_print(found, given);
    idle_print(found, given);
    flat_print(found, given);
    memory_print(found);
}

/* ---- JSON ---- */

static void quartiles_save(FILE *out, const char *key, const stats_quartiles *found)
{
    fprintf(out, ", \"%s\": {\"lower\": %.4f, \"median\": %.4f, \"upper\": %.4f}", key, found->lower, found->median,
            found->upper);
}

static void activity_save(FILE *out, const char *who, const activity *counts)
{
    fprintf(out,
            ",\n    \"%s\": {\"threads\": %" PRIu64 ", \"voluntary\": %" PRIu64 ", \"involuntary\": %" PRIu64
            ", \"cpu_ns\": %" PRIu64 "}",
            who, counts->threads, counts->voluntary, counts->involuntary, counts->cpu_ns);
}

static void conditions_of_run_save(FILE *out, const clients_options *given)
{
    fprintf(out,
            ",\n    \"server_core\": %d,\n    \"client_core\": %d,\n    \"rounds\": %u,\n    \"calls\": %u,\n"
            "    \"request_bytes\": 8,\n    \"reply_bytes\": 8,\n    \"stamp\": \"%s\"\n  }",
            given->server_core, given->client_core, given->rounds, given->calls, STAMP_SOURCE);
}

static void rows_save(FILE *out, const clients_found *found)
{
    fprintf(out, ",\n  \"active\": [");
    for (uint32_t i = 0; i < found->active_count; i++) {
        const clients_active *row = &found->active[i];

        fprintf(out, "%s\n    {\"clients\": %u, \"p50_ns\": %.1f, \"p99_ns\": %.1f", i ? "," : "", row->clients,
                row->p50_ns, row->p99_ns);
        quartiles_save(out, "p50_ratio", &row->p50_ratio);
        quartiles_save(out, "p99_ratio", &row->p99_ratio);
        fputc('}', out);
    }
    fprintf(out, "\n  ],\n  \"idle\": {\n    \"clients\": %u", found->idle.clients);
    activity_save(out, "server", &found->idle.server);
    activity_save(out, "holders", &found->idle.holders);
    fprintf(out, "\n  },\n  \"flat_out\": [");
    for (size_t i = 0; i < CLIENTS_FLATS; i++) {
        const clients_flat *row = &found->flat[i];

        fprintf(out, "%s\n    {\"name\": \"%s\", \"title\": ", i ? "," : "", row->name);
        json_text(out, row->title);
        fprintf(out, ", \"workers\": %u, \"clients\": %u, \"calls_per_s\": %.1f, \"alone_per_s\": %.1f", row->workers,
                row->callers, row->calls_per_s, row->alone_per_s);
        quartiles_save(out, "rate_ratio", &row->rate_ratio);
        quartiles_save(out, "fairness", &row->fairness);
        fputc('}', out);
    }
    fprintf(out, "\n  ],\n  \"memory\": [");
    for (size_t i = 0; i < CLIENTS_HOMES; i++) {
        const clients_memory *row = &found->memory[i];

        fprintf(out, "%s\n    {\"name\": \"%s\", \"title\": ", i ? "," : "", row->name);
        json_text(out, row->title);
        fprintf(out,
                ", \"clients\": %u, \"server_bytes\": %.0f, \"client_bytes\": %.0f, \"lane_bytes\": %.0f, "
                "\"bytes\": %.0f}",
                row->clients, row->server_bytes, row->client_bytes, row->lane_bytes, total(row));
    }
    fprintf(out, "\n  ],\n  \"goals\": {\"p50_ratio\": %.2f, \"rate_ratio\": %.2f, \"fairness\": %.2f, \"bytes\": %d}",
            ACTIVE_GOAL, RATE_GOAL, FAIRNESS_GOAL, MEMORY_GOAL);
}

int clients_save(const clients_found *found, const clients_options *given, const conditions *machine)
{
    FILE *out = fopen(given->json_path, "we");

    if (!out) {
        return -errno;
    }
    fprintf(out, "{\n  \"benchmark\": \"clients\",\n  \"format\": 1,\n  \"version\": \"%s\",\n  \"conditions\": {\n",
            SHMRPC_VERSION);
    conditions_save(machine, out);
    conditions_of_run_save(out, given);
    fprintf(out, ",\n  \"seconds\": %u,\n  \"ms\": %u", given->seconds, given->ms);
    rows_save(out, found);
    fprintf(out, "\n}\n");
    return json_close(out);
}
