/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>

void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(out, "\\%c", *c);
        } else if ((unsigned char)*c < 0x20) {
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*c);
        } else {
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

int json_close(FILE *out)
{
    bool failed = ferror(out) != 0;

    if (fclose(out)) {
        return -errno;
    }
    return failed ? -EIO : 0;
}
