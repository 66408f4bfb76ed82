/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines that wait until the host takes them. A line that the host does not take in time is dropped. If a part of it
 * was written already, the next output begins with a newline, so that the host sees where the next line begins.
 */

#include "core/buffer.h"

#define OUTBOX_MAX (256U * 1024U)        /* from here on it is full; one more reply may still be added */
#define OUTBOX_USEC (5U * 1000000U)      /* a line is dropped after so long without progress */

typedef struct OutboxLine {
        Buffer text;
        uint64_t queued;
} OutboxLine;

typedef struct Outbox {
        OutboxLine *lines;
        size_t n_lines;
        size_t memory;     /* bytes that all lines take */
        size_t sent;       /* bytes of the first line that were written */
        bool torn;         /* the last output was a part of a line that was dropped */
        uint64_t progress; /* when the host last took a byte */
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
 * @line: the text with its newline; moved, so it is empty afterwards
 * @now: the time in microseconds
 *
 * Return: 0; -ENOMEM, and then the line is unchanged.
 */
int outbox_push(Outbox *o, Buffer *line, uint64_t now);

/**
 * outbox_write() - write as much as the host takes
 * @o: the outbox
 * @fd: a descriptor that does not block
 * @now: the time in microseconds
 *
 * A write of 0 bytes counts as EAGAIN: a virtio port returns 0 if its queue is full.
 * Return: OUTBOX_EMPTY, OUTBOX_BLOCKED, or the -errno of write().
 */
int outbox_write(Outbox *o, int fd, uint64_t now);

/** outbox_expire() - drop the lines that have waited for OUTBOX_USEC without progress */
void outbox_expire(Outbox *o, uint64_t now);

/** outbox_full() - whether the outbox is full, so that no more requests should be answered for now */
static inline bool outbox_full(const Outbox *o) {
        return o->memory >= OUTBOX_MAX;
}

/** outbox_clear() - drop all lines, because the host is gone */
void outbox_clear(Outbox *o);
