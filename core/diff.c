/* SPDX-License-Identifier: Apache-2.0 */

#include "core/diff.h"

#define CONTEXT 3U

typedef struct DiffLine {
        const char *text;
        size_t size; /* with its newline, if it has one */
} DiffLine;

typedef struct DiffText {
        DiffLine *lines;
        size_t n;
} DiffText;

static void text_done(DiffText *t) {
        free(t->lines);
}

static int text_split(const Buffer *b, DiffText *ret) {
        const char *p = b && b->data ? b->data : "", *end = p + (b ? b->size : 0);

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                const char *next = newline ? newline + 1 : end;

                if (grow(&ret->lines, ret->n, sizeof(DiffLine)) < 0)
                        return -ENOMEM;
                ret->lines[ret->n++] = (DiffLine) {p, (size_t) (next - p)};
                p = next;
        }

        return 0;
}

static bool same(const DiffLine *a, const DiffLine *b) {
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* Two texts, what they have in common at both ends, and where the output goes. */
typedef struct Diff {
        DiffText old, new;
        size_t head, tail; /* equal lines at the beginning and at the end */
        bool pairwise;
        Buffer *b;
} Diff;

static void diff_done(Diff *d) {
        text_done(&d->old);
        text_done(&d->new);
}

static int print_line(Buffer *b, char mark, const DiffLine *l) {
        int r;

        r = buffer_append(b, &mark, 1);
        if (r >= 0)
                r = buffer_append(b, l->text, l->size);
        if (r >= 0 && (l->size == 0 || l->text[l->size - 1] != '\n'))
                r = buffer_puts(b, "\n\\ No newline at end of file\n");

        return r;
}

static int print_lines(Buffer *b, char mark, const DiffLine *lines, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = print_line(b, mark, lines + i);

        return r;
}

/* "-12,7"; a hunk without lines names the line before it. */
static int print_range(Buffer *b, char mark, size_t start, size_t n) {
        return buffer_printf(b, " %c%zu,%zu", mark, n > 0 ? start + 1 : start, n);
}

/* One hunk: old lines [a, a_end) become new lines [b, b_end), context around them. */
static int print_hunk(const Diff *d, size_t a, size_t a_end, size_t b, size_t b_end) {
        size_t before = a < CONTEXT ? a : CONTEXT;
        size_t after = d->old.n - a_end < CONTEXT ? d->old.n - a_end : CONTEXT;
        int r;

        r = buffer_puts(d->b, "@@");
        if (r >= 0)
                r = print_range(d->b, '-', a - before, a_end - a + before + after);
        if (r >= 0)
                r = print_range(d->b, '+', b - before, b_end - b + before + after);
        if (r >= 0)
                r = buffer_puts(d->b, " @@\n");
        if (r >= 0)
                r = print_lines(d->b, ' ', d->old.lines + a - before, before);

        for (size_t i = a, j = b; r >= 0 && (i < a_end || j < b_end);) {
                size_t n = 0;

                while (d->pairwise && i + n < a_end && same(d->old.lines + i + n, d->new.lines + j + n))
                        n++;
                r = print_lines(d->b, ' ', d->old.lines + i, n);
                i += n;
                j += n;

                n = 0;
                while (d->pairwise && i + n < a_end && !same(d->old.lines + i + n, d->new.lines + j + n))
                        n++;
                if (r >= 0)
                        r = print_lines(d->b, '-', d->old.lines + i, d->pairwise ? n : a_end - i);
                if (r >= 0)
                        r = print_lines(d->b, '+', d->new.lines + j, d->pairwise ? n : b_end - j);
                i = d->pairwise ? i + n : a_end;
                j = d->pairwise ? j + n : b_end;
        }

        return r < 0 ? r : print_lines(d->b, ' ', d->old.lines + a_end, after);
}

/* Where lines are paired, a long equal run ends a hunk. */
static size_t hunk_end(const Diff *d, size_t start, size_t end) {
        size_t last = start, i = start;

        for (; i < end && i - last <= 2 * CONTEXT; i++)
                if (!same(d->old.lines + i, d->new.lines + i))
                        last = i + 1;

        return last;
}

static int print_hunks(const Diff *d) {
        size_t a_end = d->old.n - d->tail, b_end = d->new.n - d->tail;
        int r = 0;

        if (!d->pairwise)
                return print_hunk(d, d->head, a_end, d->head, b_end);

        for (size_t i = d->head; r >= 0 && i < a_end;) {
                size_t end;

                if (same(d->old.lines + i, d->new.lines + i)) {
                        i++;
                        continue;
                }
                end = hunk_end(d, i, a_end);
                r = print_hunk(d, i, end, i, end);
                i = end;
        }

        return r;
}

int diff_unified(Buffer *b, const char *path, const Buffer *old, const Buffer *new) {
        _cleanup_(diff_done) Diff d = {.b = b};
        int r;

        r = text_split(old, &d.old);
        if (r >= 0)
                r = text_split(new, &d.new);
        if (r >= 0)
                r = buffer_printf(b, "--- %s\n+++ %s\n", old ? path : "/dev/null", new ? path : "/dev/null");
        if (r < 0)
                return r;

        while (d.head < d.old.n && d.head < d.new.n && same(d.old.lines + d.head, d.new.lines + d.head))
                d.head++;
        while (d.tail < d.old.n - d.head && d.tail < d.new.n - d.head &&
               same(d.old.lines + d.old.n - 1 - d.tail, d.new.lines + d.new.n - 1 - d.tail))
                d.tail++;
        d.pairwise = d.old.n == d.new.n;

        return d.head == d.old.n && d.head == d.new.n ? 0 : print_hunks(&d);
}
