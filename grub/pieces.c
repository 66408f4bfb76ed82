/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Replaces byte ranges of a file.
 *
 * Tested by the tests of all stores, and by test-layouts.c.
 */

#include <assert.h>

#include "grub/pieces.h"

int pieces_add(Pieces *p, size_t offset, size_t size, const char *text) {
        char *copy = NULL;
        int r;

        r = grow(&p->pieces, p->n_pieces, sizeof(Piece));
        if (r < 0)
                return r;

        r = free_and_strdup(&copy, text);
        if (r < 0)
                return r;

        p->pieces[p->n_pieces++] = (Piece) { .offset = offset, .size = size, .text = copy };
        return 0;
}

static int piece_compare(const void *a, const void *b) {
        const Piece *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;

        return (x->size > y->size) - (x->size < y->size);
}

int pieces_apply(Pieces *p, const Buffer *from, Buffer *ret) {
        _cleanup_buffer_ Buffer to = BUFFER_NULL;
        size_t done = 0; /* bytes of "from" that were copied or dropped */
        int r;

        assert(p);
        assert(from);
        assert(ret);

        if (p->n_pieces > 0)
                qsort(p->pieces, p->n_pieces, sizeof(Piece), piece_compare);

        for (size_t i = 0; i < p->n_pieces; i++) {
                const Piece *piece = p->pieces + i;

                assert(piece->offset >= done);
                assert(piece->offset <= from->size && piece->size <= from->size - piece->offset);

                r = buffer_append(&to, from->data + done, piece->offset - done);
                if (r < 0)
                        return r;

                r = buffer_puts(&to, strempty(piece->text));
                if (r < 0)
                        return r;

                done = piece->offset + piece->size;
        }

        r = buffer_append(&to, from->data + done, from->size - done);
        if (r < 0)
                return r;

        *ret = to;
        to = BUFFER_NULL;
        return 0;
}

bool piece_is_marked(const Buffer *content, size_t begin, size_t end) {
        size_t n = strlen(PIECE_MARKER);

        return begin >= n && memcmp(content->data + begin - n, PIECE_MARKER, n) == 0 &&
               (begin == n || content->data[begin - n - 1] == '\n') &&
               (end == content->size || content->data[end] == '\n');
}

int pieces_cut_marked(Pieces *p, const Buffer *content, size_t begin, size_t end) {
        begin -= strlen(PIECE_MARKER);

        if (end < content->size)
                end++;
        else if (begin > 0)
                begin--;

        pieces_done(p);
        return pieces_add(p, begin, end - begin, NULL);
}

void pieces_done(Pieces *p) {
        for (size_t i = 0; i < p->n_pieces; i++)
                free(p->pieces[i].text);
        free(p->pieces);
        *p = (Pieces) {};
}
