/* SPDX-License-Identifier: Apache-2.0 */

#include "core/diff.h"
#include "core/text.h"

#define DIFF_CONTEXT 3U

typedef struct DiffLine {
        const char *text;
        size_t size; /* with its newline, if it has one */
} DiffLine;

typedef struct DiffText {
        DiffLine *lines;
        size_t n;
} DiffText;

static void diff_text_done(DiffText *t) {
        free(t->lines);
}

static int diff_text_split(const Buffer *b, DiffText *ret) {
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

static bool diff_line_equal(const DiffLine *a, const DiffLine *b) {
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* Two texts, the number of lines that they share at both ends, and the output. */
typedef struct Diff {
        DiffText old, new;
        size_t head, tail; /* equal lines at the beginning and at the end */
        bool pairwise;     /* both have the same number of lines */
        Buffer *b;
} Diff;

static void diff_done(Diff *d) {
        diff_text_done(&d->old);
        diff_text_done(&d->new);
}

static int diff_print_lines(Buffer *b, char mark, const DiffLine *lines, size_t n) {
        for (const DiffLine *l = lines; l < lines + n; l++) {
                if (buffer_append(b, &mark, 1) < 0 || buffer_append(b, l->text, l->size) < 0)
                        return -ENOMEM;
                if (l->size > 0 && l->text[l->size - 1] == '\n')
                        continue;
                if (buffer_puts(b, "\n\\ No newline at end of file\n") < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* Print a range such as "-12,7". A range without lines names the line before it. */
static int diff_print_range(Buffer *b, char mark, size_t start, size_t n) {
        return text_printf(b, " %c%zu,%zu", mark, n > 0 ? start + 1 : start, n);
}

/* Print one hunk: old lines [a, a_end) become new lines [b, b_end). */
static int diff_print_hunk(const Diff *d, size_t a, size_t a_end, size_t b, size_t b_end) {
        size_t before = a < DIFF_CONTEXT ? a : DIFF_CONTEXT;
        size_t after = d->old.n - a_end < DIFF_CONTEXT ? d->old.n - a_end : DIFF_CONTEXT;
        const DiffLine *old = d->old.lines, *new = d->new.lines;

        if (buffer_puts(d->b, "@@") < 0 ||
            diff_print_range(d->b, '-', a - before, a_end - a + before + after) < 0 ||
            diff_print_range(d->b, '+', b - before, b_end - b + before + after) < 0 ||
            buffer_puts(d->b, " @@\n") < 0 || diff_print_lines(d->b, ' ', old + a - before, before) < 0)
                return -ENOMEM;

        for (size_t i = a, j = b; i < a_end || j < b_end;) {
                size_t n = 0;

                while (d->pairwise && i + n < a_end && diff_line_equal(old + i + n, new + j + n))
                        n++;
                if (diff_print_lines(d->b, ' ', old + i, n) < 0)
                        return -ENOMEM;
                i += n;
                j += n;

                n = 0;
                while (d->pairwise && i + n < a_end && !diff_line_equal(old + i + n, new + j + n))
                        n++;
                if (diff_print_lines(d->b, '-', old + i, d->pairwise ? n : a_end - i) < 0 ||
                    diff_print_lines(d->b, '+', new + j, d->pairwise ? n : b_end - j) < 0)
                        return -ENOMEM;
                i = d->pairwise ? i + n : a_end;
                j = d->pairwise ? j + n : b_end;
        }

        return diff_print_lines(d->b, ' ', old + a_end, after);
}

/* Find the end of a hunk of paired lines: it ends before a run of equal lines that is longer than twice the context. */
static size_t diff_hunk_end(const Diff *d, size_t start, size_t end) {
        size_t last = start, i = start;

        for (; i < end && i - last <= 2 * DIFF_CONTEXT; i++)
                if (!diff_line_equal(d->old.lines + i, d->new.lines + i))
                        last = i + 1;

        return last;
}

static int diff_print_hunks(const Diff *d) {
        size_t a_end = d->old.n - d->tail, b_end = d->new.n - d->tail;
        int r;

        if (!d->pairwise)
                return diff_print_hunk(d, d->head, a_end, d->head, b_end);

        for (size_t i = d->head; i < a_end;) {
                size_t end;

                if (diff_line_equal(d->old.lines + i, d->new.lines + i)) {
                        i++;
                        continue;
                }
                end = diff_hunk_end(d, i, a_end);
                r = diff_print_hunk(d, i, end, i, end);
                if (r < 0)
                        return r;
                i = end;
        }

        return 0;
}

int diff_unified(Buffer *b, const char *path, const Buffer *old, const Buffer *new) {
        _cleanup_(diff_done) Diff d = {.b = b};
        int r;

        r = diff_text_split(old, &d.old);
        if (r < 0)
                return r;
        r = diff_text_split(new, &d.new);
        if (r < 0)
                return r;
        r = text_printf(b, "--- %s\n+++ %s\n", old ? path : "/dev/null", new ? path : "/dev/null");
        if (r < 0)
                return r;

        while (d.head < d.old.n && d.head < d.new.n && diff_line_equal(d.old.lines + d.head, d.new.lines + d.head))
                d.head++;
        while (d.tail < d.old.n - d.head && d.tail < d.new.n - d.head &&
               diff_line_equal(d.old.lines + d.old.n - 1 - d.tail, d.new.lines + d.new.n - 1 - d.tail))
                d.tail++;
        d.pairwise = d.old.n == d.new.n;

        return d.head == d.old.n && d.head == d.new.n ? 0 : diff_print_hunks(&d);
}
