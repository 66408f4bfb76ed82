/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/daemon/outbox.h"

static size_t outbox_line_memory(const OutboxLine *line) {
        return line->text.allocated + sizeof(OutboxLine);
}

int outbox_push(Outbox *o, Buffer *line, uint64_t now) {
        int r;

        assert(o && line);

        r = grow(&o->lines, o->n_lines, sizeof(OutboxLine));
        if (r < 0)
                return r;

        o->lines[o->n_lines] = (OutboxLine) {.text = *line, .queued = now};
        o->memory += outbox_line_memory(&o->lines[o->n_lines++]);
        *line = BUFFER_NULL;
        return 0;
}

static void outbox_drop(Outbox *o, size_t n) {
        for (size_t i = 0; i < n; i++) {
                o->memory -= outbox_line_memory(&o->lines[i]);
                buffer_done(&o->lines[i].text);
        }

        o->n_lines -= n;
        if (o->n_lines > 0)
                memmove(o->lines, o->lines + n, o->n_lines * sizeof(OutboxLine));
        else if (n > 1) { /* an array of one line is kept for the next line */
                free(o->lines);
                o->lines = NULL;
        }
}

/* Returns the number of bytes that were taken, 0 if none can be taken for now, or -errno. */
static ssize_t outbox_write_some(int fd, const char *data, size_t size) {
        for (;;) {
                ssize_t n = write(fd, data, size);

                if (n >= 0)
                        return n;
                if (errno == EAGAIN)
                        return 0;
                if (errno != EINTR)
                        return negative_errno();
        }
}

static int outbox_write_line(Outbox *o, const Buffer *text, int fd, uint64_t now) {
        while (o->sent < text->size) {
                ssize_t n;

                n = o->torn ? outbox_write_some(fd, "\n", 1)
                            : outbox_write_some(fd, text->data + o->sent, text->size - o->sent);
                if (n <= 0)
                        return n < 0 ? (int) n : OUTBOX_BLOCKED;

                o->sent += o->torn ? 0 : (size_t) n;
                o->torn = false;
                o->progress = now;
        }

        o->sent = 0;
        return OUTBOX_EMPTY;
}

int outbox_write(Outbox *o, int fd, uint64_t now) {
        size_t done = 0;
        int r = OUTBOX_EMPTY;

        assert(o);

        while (r == OUTBOX_EMPTY && done < o->n_lines) {
                r = outbox_write_line(o, &o->lines[done].text, fd, now);
                if (r == OUTBOX_EMPTY)
                        done++;
        }

        outbox_drop(o, done);
        return r;
}

void outbox_expire(Outbox *o, uint64_t now) {
        size_t n = 0;

        assert(o);

        while (n < o->n_lines) {
                uint64_t since = o->lines[n].queued > o->progress ? o->lines[n].queued : o->progress;

                if (now < since + OUTBOX_USEC)
                        break;
                n++;
        }

        if (n > 0 && o->sent > 0) {
                o->torn = true;
                o->sent = 0;
        }
        outbox_drop(o, n);
}

void outbox_clear(Outbox *o) {
        outbox_drop(o, o->n_lines);
        free(o->lines);
        *o = OUTBOX_NULL;
}
