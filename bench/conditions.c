/* SPDX-License-Identifier: Apache-2.0 */
#include "conditions.h"

#include "json.h"

#include <shmrpc/base.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The value of a "key : value" line of /proc/cpuinfo: the text after the colon, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    const size_t length = strlen(key);
    const char *colon;

    if (strncmp(line, key, length) != 0) {
        return NULL;
    }
    colon = line + length + strspn(line + length, " \t");
    return *colon == ':' ? colon + 1 + strspn(colon + 1, " \t") : NULL;
}

/* Names of fields differ between architectures; the first that is there names the processor. */
static int read_processor(char **ret_processor, bool *ret_virtual)
{
    static const char *const names[] = {"model name", "Model", "cpu model", "uarch", "CPU part"};
    char *processor = NULL, *line = NULL;
    bool is_virtual = false;
    size_t capacity = 0;
    FILE *file;
    int r = 0;

    file = fopen("/proc/cpuinfo", "re");
    while (file && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; !processor && i < sizeof(names) / sizeof(names[0]); i++) {
            const char *value = value_of(line, names[i]);

            if (value && *value) {
                processor = strdup(value);
                if (!processor) {
                    r = -ENOMEM;
                    goto out_file;
                }
            }
        }
        if (value_of(line, "flags") && strstr(line, " hypervisor")) {
            is_virtual = true;
        }
    }
    if (!processor) {
        processor = strdup("unknown");
        if (!processor) {
            r = -ENOMEM;
            goto out_file;
        }
    }
    *ret_processor = processor;
    *ret_virtual = is_virtual;

out_file:
    if (file) {
        fclose(file);
    }
    free(line);
    return r;
}

int conditions_init(conditions *ret_conditions)
{
    conditions found = {0};
    struct utsname name;
    int r;

    if (uname(&name)) {
        return -errno;
    }
    if (asprintf(&found.kernel, "%s %s", name.sysname, name.release) < 0) {
        found.kernel = NULL;
        return -ENOMEM;
    }
    found.machine = strdup(name.machine);
    if (!found.machine) {
        r = -ENOMEM;
        goto out_found;
    }
    r = read_processor(&found.processor, &found.virtual_machine);
    if (r < 0) {
        goto out_found;
    }
    found.cores_online = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (getloadavg(&found.load, 1) != 1) {
        found.load = -1;
    }
    *ret_conditions = found;
    return 0;

out_found:
    conditions_deinit(&found);
    return r;
}

void conditions_deinit(conditions *found)
{
    free(found->kernel);
    free(found->machine);
    free(found->processor);
    memset(found, 0, sizeof(*found));
}

void conditions_print(const conditions *found, FILE *out)
{
    fprintf(out, "%s, %s, %d core%s online%s, load %.2f, shmrpc %s\n", found->kernel, found->processor,
            found->cores_online, found->cores_online == 1 ? "" : "s", found->virtual_machine ? " (virtual)" : "",
            found->load, SHMRPC_VERSION);
}

void conditions_save(const conditions *found, FILE *out)
{
    fprintf(out, "    \"kernel\": ");
    json_text(out, found->kernel);
    fprintf(out, ",\n    \"machine\": ");
    json_text(out, found->machine);
    fprintf(out, ",\n    \"processor\": ");
    json_text(out, found->processor);
    fprintf(out, ",\n    \"virtual_machine\": %s,\n", json_bool(found->virtual_machine));
    fprintf(out, "    \"cores_online\": %d,\n    \"load\": %.2f", found->cores_online, found->load);
}
