/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - circular lists whose links are embedded in their elements.
 *
 * A link that is in no list points at itself, so list_remove() may be called twice.
 */
#ifndef SHMRPC_LIST_H
#define SHMRPC_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_link list_link;
struct list_link {
    list_link *next;
    list_link *previous;
};

#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(list_link *link)
{
    link->next = link;
    link->previous = link;
}

static inline bool list_is_empty(const list_link *list)
{
    return list->next == list;
}

static inline void list_append(list_link *list, list_link *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

static inline void list_remove(list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

#endif
