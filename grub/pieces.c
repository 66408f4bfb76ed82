/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "grub/pieces.h"

int rewrite_replace(Rewrite *w, size_t offset, size_t size, const char *text) {
        int r;

        assert(offset >= w->done);
        assert(size <= w->from->size && offset <= w->from->size - size);

        r = buffer_append(w->to, w->from->data + w->done, offset - w->done);
        if (r < 0)
                return r;

        w->done = offset + size;
        return text ? buffer_puts(w->to, text) : 0;
}

int rewrite_finish(Rewrite *w) {
        return rewrite_replace(w, w->from->size, 0, NULL);
}

int pieces_add(Pieces *p, size_t offset, size_t size, const char *text) {
        char *copy = NULL;
        int r;

        r = grow(&p->pieces, p->n_pieces, sizeof(Piece));
        if (r >= 0)
                r = free_and_strdup(&copy, text);
        if (r < 0)
                return r;

        p->pieces[p->n_pieces++] = (Piece) { .offset = offset, .size = size, .text = copy };
        return 0;
}

static int compare_pieces(const void *a, const void *b) {
        const Piece *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;

        return (x->size > y->size) - (x->size < y->size);
}

void pieces_sort(Pieces *p) {
        if (p->n_pieces > 0)
                qsort(p->pieces, p->n_pieces, sizeof(Piece), compare_pieces);
}

int pieces_apply(Pieces *p, const Buffer *from, Buffer *ret) {
        Buffer to = BUFFER_NULL;
        Rewrite w = { .from = from, .to = &to };
        int r = 0;

        pieces_sort(p);
        for (size_t i = 0; i < p->n_pieces && r >= 0; i++)
                r = rewrite_replace(&w, p->pieces[i].offset, p->pieces[i].size, p->pieces[i].text);
        if (r >= 0)
                r = rewrite_finish(&w);
        if (r < 0) {
                buffer_done(&to);
                return r;
        }

        *ret = to;
        return 0;
}

void pieces_done(Pieces *p) {
        for (size_t i = 0; i < p->n_pieces; i++)
                free(p->pieces[i].text);
        free(p->pieces);
        *p = (Pieces) {};
}
