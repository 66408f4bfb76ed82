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

/* Return: 1 if a list has the same removal; 0 if not; -EBADMSG if a piece of it overlaps. */
static int pieces_has_removal(const Pieces *p, const Piece *piece) {
        for (size_t i = 0; i < p->n_pieces; i++) {
                const Piece *q = p->pieces + i;

                if (q->offset == piece->offset && q->size == piece->size && q->size > 0 && !q->text && !piece->text)
                        return 1;
                if (q->offset < piece->offset + piece->size && piece->offset < q->offset + q->size)
                        return -EBADMSG;
        }

        return 0;
}

int pieces_join(Pieces *p, Pieces *from) {
        size_t n = p->n_pieces;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n_pieces; i++) {
                const Piece *piece = from->pieces + i;
                const Pieces before = { .pieces = p->pieces, .n_pieces = n };

                r = pieces_has_removal(&before, piece);
                if (r == 0)
                        r = pieces_add(p, piece->offset, piece->size, piece->text);
        }

        pieces_done(from);
        return r < 0 ? r : 0;
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
