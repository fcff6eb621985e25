/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_show.c - see layout_show.h.
 *
 * Mistakes and warnings go to standard error in any case: standard output is the layouts' own.
 */
#include "layout_show.h"

#include "front.h"
#include "layout_entries.h"
#include "layout_report.h"
#include "report.h"

int layout_show(const options *asked, arena *memory)
{
    front_options front = {asked->include_dirs, asked->include_count, asked->max_message, asked->at_version};
    diag *found = diag_new(memory);
    const model *schema = NULL;
    const char *name = asked->file_count > 1 ? asked->files[1] : NULL;
    const char *near = NULL;
    buffer text = {0};

    int rc = front_compile(memory, found, &front, asked->files, 1, &schema);
    int status = rc < 0 ? EXIT_TROUBLE : rc > 0 ? EXIT_SCHEMA : EXIT_DONE;
    if (status != EXIT_DONE)
        return report_diagnostics(found, DIAG_TEXT, status);
    vector entries = name ? layout_entries_named(memory, schema, name, &near) : layout_entries_of(memory, schema);
    if (name && entries.count == 0)
        return near ? report_trouble("%s has no '%s', did you mean '%s'?", asked->files[0], name, near)
                    : report_trouble("%s has no '%s' that has a layout", asked->files[0], name);
    if (asked->format == DIAG_JSON)
        layout_report_json(memory, &entries, &text);
    else
        layout_report_plain(memory, &entries, &text);
    status = report_bytes(text.data, text.length);
    buffer_deinit(&text);
    return status;
}
