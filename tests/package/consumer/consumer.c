/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer.c - an outside project: a server process, one call to it, an orderly end.
 */
#include "post/parcel.shm.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static parcel_server server;

static void stop_server(int signal_number)
{
    (void)signal_number;
    parcel_server_stop(&server);
}

static int weigh(parcel_server *at, parcel_weigh_context *context, const parcel_box *request, parcel_total *reply)
{
    (void)at;
    (void)context;
    reply->weight.grams = request->each.grams * request->count;
    return SHMRPC_OK;
}

static int serve(void)
{
    static const parcel_ops operations = {.weigh = weigh};

    signal(SIGTERM, stop_server);
    int rc = parcel_server_init(&server, &operations, "scale", NULL);
    if (rc == SHMRPC_OK) {
        rc = parcel_server_run(&server);
        parcel_server_deinit(&server);
    }
    if (rc != SHMRPC_OK)
        fprintf(stderr, "server: %s\n", shmrpc_last_error());
    return rc == SHMRPC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int weigh_boxes(void)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    const parcel_box box = {.each = {.grams = 250}, .count = 3};
    parcel_client *client = NULL;
    parcel_total total;

    int rc = parcel_connect(&client, "scale", &options);
    if (rc == SHMRPC_OK)
        rc = parcel_weigh(client, &box, &total, shmrpc_default());
    parcel_client_free(client);
    if (rc != SHMRPC_OK) {
        fprintf(stderr, "client: %s\n", shmrpc_last_error());
        return EXIT_FAILURE;
    }
    printf("3 boxes of 250 g weigh %" PRIu64 " g\n", total.weight.grams);
    return EXIT_SUCCESS;
}

int main(void)
{
    char folder[] = "/tmp/shmrpc-consumer-XXXXXX";
    int status = EXIT_FAILURE;

    if (!mkdtemp(folder) || setenv("SHMRPC_DIR", folder, 1) != 0)
        return EXIT_FAILURE;
    pid_t pid = fork();
    if (pid == 0)
        _exit(serve());
    if (pid > 0) {
        int end = 0;
        status = weigh_boxes();
        kill(pid, SIGTERM);
        if (waitpid(pid, &end, 0) != pid || !WIFEXITED(end) || WEXITSTATUS(end) != EXIT_SUCCESS)
            status = EXIT_FAILURE;
    }
    if (rmdir(folder) != 0)
        status = EXIT_FAILURE; /* the server left something behind */
    return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
