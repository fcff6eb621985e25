/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes negatives: server [NAME]. It trusts its clients, and so works on their pictures where they lie: `request` is
 * where the client wrote it, and `reply` is where it will read it.
 */
#include "pictures.shm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int negative(pic_server *server, pic_negative_context *context, const pic_picture *request, pic_picture *reply)
{
    uint32_t count = request->pixels.count;

    (void)server;
    (void)context;
    if ((uint64_t)request->width * request->height != count) {
        return PIC_ERROR_INCOMPLETE;
    }
    reply->width = request->width;
    reply->height = request->height;
    reply->pixels.count = count;
    for (uint32_t i = 0; i < count; i++) {
        reply->pixels.items[i] = (uint8_t)(255 - request->pixels.items[i]);
    }
    return 0;
}

static const pic_ops operations = {.negative = negative};

static pic_server server;

static void on_signal(int number)
{
    (void)number;
    pic_server_stop(&server);
}

int main(int argc, char **argv)
{
    const shmrpc_server_options options = {.in_place = true};
    struct sigaction action = {.sa_handler = on_signal};
    int rc = pic_server_init(&server, &operations, argc > 1 ? argv[1] : "pictures", &options);

    if (rc != 0) {
        fprintf(stderr, "pictures_server: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
        return EXIT_FAILURE;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    rc = pic_server_run(&server);
    pic_server_deinit(&server);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
