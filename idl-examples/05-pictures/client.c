/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has negatives made: client [NAME]. A picture is drawn where the server will see it, and its negative is looked at where
 * the server made it: nobody copies a pixel.
 */
#include "pictures.shm.h"

#include <stdio.h>
#include <stdlib.h>

/* A grey wedge: darkest on the left. */
static void draw(pic_picture *picture, uint32_t width, uint32_t height)
{
    picture->width = width;
    picture->height = height;
    picture->pixels.count = width * height;
    for (uint32_t i = 0; i < width * height; i++) {
        picture->pixels.items[i] = (uint8_t)(i % width * 255 / (width - 1));
    }
}

/* 0, an error of the service, or a status. */
static int make_negative(pic_client *client, uint32_t width, uint32_t height)
{
    pic_negative_call call = {0};
    pic_picture *picture;
    const pic_picture *negative;
    int rc = pic_negative_loan(client, &call, &picture);

    if (rc != 0) {
        return rc;
    }
    draw(picture, width, height);
    rc = pic_negative_start_loaned(&call, shmrpc_default());
    if (rc != 0) {
        pic_negative_abandon(&call); /* not sent: it is a loan still */
        return rc;
    }
    rc = pic_negative_view(&call, &negative);
    if (rc != 0) {
        return rc; /* the call has ended, and there is nothing to release */
    }
    printf("%u x %u: from %u to %u\n", negative->width, negative->height, negative->pixels.items[0],
           negative->pixels.items[width - 1]);
    pic_negative_release(&call);
    return 0;
}

int main(int argc, char **argv)
{
    const shmrpc_client_options options = {.wait_for_server = true};
    pic_client *client = NULL;
    int rc = pic_connect(&client, argc > 1 ? argv[1] : "pictures", &options);

    if (rc == 0) {
        rc = make_negative(client, 640, 480);
    }
    if (rc == 0) {
        rc = make_negative(client, 1024, 1024);
    }
    if (rc != 0) {
        fprintf(stderr, "pictures_client: %s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
    }
    pic_client_free(client);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
