/* SPDX-License-Identifier: Apache-2.0 */

#include "grub/grub-cfg-layout.h"

/* Whether a blank is preceded by a backslash that makes it part of a word, or by what GRUB does not see. */
static bool is_bound(const char *text, size_t pos) {
        bool bound = false;

        if (pos > 0 && text[pos - 1] == '\r')
                return true;

        for (; pos > 0 && strchr("\\\r", text[pos - 1]); pos--)
                bound ^= text[pos - 1] == '\\';

        return bound;
}

/* Where to begin cutting to take a word away together with the blanks before it. */
static size_t cut_begin(const Buffer *content, size_t pos, size_t bound) {
        while (pos > bound && strchr(" \t", content->data[pos - 1]) && !is_bound(content->data, pos - 1))
                pos--;

        return pos;
}

/* GRUB refuses a file that ends in a line continuation, so it goes with the last word behind it. */
static size_t cut_continuation(const Buffer *content, size_t pos, size_t bound) {
        for (;;) {
                size_t p = pos;

                if (p == bound || content->data[p - 1] != '\n')
                        return pos;

                p--;
                while (p > bound && content->data[p - 1] == '\r')
                        p--;
                if (p == bound || content->data[p - 1] != '\\')
                        return pos;

                pos = cut_begin(content, p - 1, bound);
        }
}

static int cut_word(Rewrite *w, const Token *t) {
        size_t begin, end = t->offset + t->size;

        begin = cut_begin(w->from, t->offset, w->done);
        if (end == w->from->size)
                begin = cut_continuation(w->from, begin, w->done);

        return rewrite_replace(w, begin, end - begin, NULL);
}

/*
 * Apply edits to one entry. Tokens are removed with the blanks before them, and added behind the last one for the
 * kernel with one blank before, so that one undoes the other.
 */
static int render_entry(Rewrite *w, const PreparedEdits *edits, const BootEntry *e, size_t insert_at,
                        size_t *ret_size) {
        _cleanup_free_ bool *removed = NULL;
        size_t size = e->cmdline_size;
        bool added = false;
        int r;

        removed = calloc(e->cmdline.n_tokens + 1, sizeof(bool));
        if (!removed)
                return -ENOMEM;

        edits_mark(edits, w->from, e, removed);

        for (size_t i = 0; i < e->cmdline.n_tokens; i++)
                if (removed[i]) {
                        r = cut_word(w, e->cmdline.tokens + i);
                        if (r < 0)
                                return r;

                        size -= e->cmdline.tokens[i].size + 1;
                }

        for (size_t i = 0; i < edits->n_edits; i++) {
                if (!edit_adds(edits->edits + i, e, removed))
                        continue;

                r = rewrite_replace(w, w->done > insert_at ? w->done : insert_at, 0, " ");
                if (r >= 0)
                        r = buffer_puts(w->to, edits->edits[i].text);
                if (r < 0)
                        return r;

                size += strlen(edits->edits[i].text) + 1;
                added = true;
        }

        *ret_size = size;
        return added && size > CMDLINE_MAX ? -E2BIG : 0;
}

/* Write the pieces that stand before a place of the file. */
static int write_pieces(Rewrite *w, const Pieces *pieces, size_t *next, size_t before) {
        int r = 0;

        for (; r >= 0 && *next < pieces->n_pieces && pieces->pieces[*next].offset < before; (*next)++) {
                const Piece *p = pieces->pieces + *next;

                r = rewrite_replace(w, p->offset, p->size, p->text);
        }

        return r;
}

static int render_file(Rewrite *w, const BootStore *store, const PreparedEdits *edits, const Pieces *pieces,
                       const BootEntry **ret_entry, size_t *ret_size) {
        const GrubCfgLayout *layout = store->layout;
        size_t next = 0;
        int r;

        for (size_t i = 0; i < layout->n_linux; i++) {
                if (store->entries[i].kind != ENTRY_SYSTEM)
                        continue;

                *ret_entry = store->entries + i;
                r = write_pieces(w, pieces, &next, layout->insert_at[i]);
                if (r >= 0)
                        r = render_entry(w, edits, store->entries + i, layout->insert_at[i], ret_size);
                if (r < 0)
                        return r;
        }

        r = write_pieces(w, pieces, &next, SIZE_MAX);
        return r < 0 ? r : rewrite_finish(w);
}

int grub_cfg_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                    const BootEntry **ret_entry, size_t *ret_size) {
        const GrubCfgLayout *layout = store->layout;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_buffer_ Buffer to = BUFFER_NULL;
        Rewrite w = { .from = &store->content, .to = &to };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        for (size_t i = 0; i < GRUB_VARIABLES && r >= 0; i++)
                r = grub_variable_render(store, layout->variables + i, &prepared, &pieces, ret_entry, ret_size);
        if (r < 0)
                return r;

        pieces_sort(&pieces);
        r = render_file(&w, store, &prepared, &pieces, ret_entry, ret_size);
        if (r < 0)
                return r;

        *ret = to;
        to = BUFFER_NULL;
        return 0;
}
