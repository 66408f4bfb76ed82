/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines that wait until the host takes them. A line that it does not take in time is dropped whole; where a part
 * of it is out already, the next output begins with a newline, so that the host sees where a line begins.
 */

#include "core/buffer.h"

#define OUTBOX_MAX (256U * 1024U)        /* where it counts as full; one more reply may follow */
#define OUTBOX_USEC (5U * 1000000U)      /* how long a line may wait without any progress */

typedef struct OutboxLine {
        Buffer text;
        uint64_t queued;
} OutboxLine;

typedef struct Outbox {
        OutboxLine *lines;
        size_t n_lines;
        size_t memory;     /* what all lines take */
        size_t sent;       /* bytes of the first line that are out */
        bool torn;         /* the last output was a part of a line */
        uint64_t progress; /* when the host last took something */
} Outbox;

#define OUTBOX_NULL ((Outbox) {})

/* Positive outcome of outbox_write(). */
enum {
        OUTBOX_EMPTY = 0,
        OUTBOX_BLOCKED = 1, /* the host takes no more for now */
};

/**
 * outbox_push() - add a line
 * @o: the outbox
 * @line: the text with its newline; emptied, because it moves
 * @now: the time in microseconds
 *
 * Return: 0, or -ENOMEM and the line stays where it is.
 */
int outbox_push(Outbox *o, Buffer *line, uint64_t now);

/**
 * outbox_write() - write what the host takes
 * @o: the outbox
 * @fd: a descriptor that does not block
 * @now: the time in microseconds
 *
 * A write of 0 bytes counts as EAGAIN: that is how a virtio port says that its queue is full.
 * Return: OUTBOX_EMPTY, OUTBOX_BLOCKED, or the -errno of write().
 */
int outbox_write(Outbox *o, int fd, uint64_t now);

/** outbox_expire() - drop the lines whose time is up */
void outbox_expire(Outbox *o, uint64_t now);

/** outbox_full() - whether no more requests should be answered for now */
static inline bool outbox_full(const Outbox *o) {
        return o->memory >= OUTBOX_MAX;
}

/** outbox_clear() - the host is gone, and all that was written for it */
void outbox_clear(Outbox *o);
