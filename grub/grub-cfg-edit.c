/* SPDX-License-Identifier: Apache-2.0 */

#include "grub/grub-cfg-layout.h"

/* Whether a blank is preceded by a backslash that makes it part of a word, or by what GRUB does not see. */
static bool grub_cfg_is_bound(const char *text, size_t pos) {
        bool bound = false;

        if (pos > 0 && text[pos - 1] == '\r')
                return true;

        for (; pos > 0 && strchr("\\\r", text[pos - 1]); pos--)
                bound ^= text[pos - 1] == '\\';

        return bound;
}

/* Where to begin cutting to take a word away together with the blanks before it. */
static size_t grub_cfg_cut_begin(const Buffer *content, size_t pos, size_t bound) {
        while (pos > bound && strchr(" \t", content->data[pos - 1]) && !grub_cfg_is_bound(content->data, pos - 1))
                pos--;

        return pos;
}

/* GRUB refuses a file that ends in a line continuation, so it goes with the last word behind it. */
static size_t grub_cfg_cut_continuation(const Buffer *content, size_t pos, size_t bound) {
        for (;;) {
                size_t p = pos;

                if (p == bound || content->data[p - 1] != '\n')
                        return pos;

                p--;
                while (p > bound && content->data[p - 1] == '\r')
                        p--;
                if (p == bound || content->data[p - 1] != '\\')
                        return pos;

                pos = grub_cfg_cut_begin(content, p - 1, bound);
        }
}

/*
 * Take a token out together with the blanks before it.
 * @done: where the last token that was taken out ended; set
 */
static int grub_cfg_cut_token(const Buffer *content, const Token *t, Pieces *pieces, size_t *done) {
        size_t begin, end = t->offset + t->size;

        begin = grub_cfg_cut_begin(content, t->offset, *done);
        if (end == content->size)
                begin = grub_cfg_cut_continuation(content, begin, *done);

        *done = end;
        return pieces_add(pieces, begin, end - begin, NULL);
}

/*
 * Apply edits to one entry. Tokens are removed with the blanks before them, and added behind the last one for the
 * kernel with one blank before, so that one undoes the other.
 */
static int grub_cfg_render_entry(const Buffer *content, const PreparedEdits *edits, const BootEntry *e,
                                 size_t insert_at, Pieces *pieces, size_t *ret_size) {
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        _cleanup_free_ bool *removed = NULL;
        size_t size = e->cmdline_size, done = 0;
        int r;

        removed = calloc(e->cmdline.n_tokens + 1, sizeof(bool));
        if (!removed)
                return -ENOMEM;

        edits_mark(edits, content, e, removed);

        for (size_t i = 0; i < e->cmdline.n_tokens; i++) {
                if (!removed[i])
                        continue;

                r = grub_cfg_cut_token(content, e->cmdline.tokens + i, pieces, &done);
                if (r < 0)
                        return r;

                size -= e->cmdline.tokens[i].size + 1;
        }

        for (size_t i = 0; i < edits->n_edits; i++) {
                const PreparedEdit *edit = edits->edits + i;
                const TokenSpec *spec = edit->edit->spec;

                if (!edit->edit->add || !entry_needs(e, spec, tokens_count(&e->cmdline, spec->name, removed)))
                        continue;

                r = buffer_printf(&insert, " %s", edit->text);
                if (r < 0)
                        return r;
        }

        *ret_size = size + insert.size;
        if (insert.size == 0)
                return 0;
        if (*ret_size > CMDLINE_MAX)
                return -E2BIG;

        return pieces_add(pieces, insert_at > done ? insert_at : done, 0, insert.data);
}

int grub_cfg_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                    const BootEntry **ret_entry, size_t *ret_size) {
        const GrubCfgLayout *layout = store->layout;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        for (size_t i = 0; i < GRUB_VARIABLES; i++) {
                r = grub_variable_render(store, layout->variables + i, &prepared, &pieces, ret_entry, ret_size);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < layout->n_linux; i++) {
                if (!boot_entry_takes_tokens(store->entries + i))
                        continue;

                *ret_entry = store->entries + i;
                r = grub_cfg_render_entry(&store->content, &prepared, store->entries + i, layout->insert_at[i], &pieces,
                                          ret_size);
                if (r < 0)
                        return r;
        }

        return pieces_apply(&pieces, &store->content, ret);
}
