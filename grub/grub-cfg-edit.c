/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Applies edits to a grub.cfg.
 *
 * Tested by test-grub-cfg.c.
 */

#include "grub/grub-cfg-layout.h"

/* Whether a blank must stay, because a backslash before it makes it part of a word, or a "\r" is there. */
static bool grub_cfg_is_bound(const char *text, size_t pos) {
        bool bound = false;

        if (pos > 0 && text[pos - 1] == '\r')
                return true;

        for (; pos > 0 && strchr("\\\r", text[pos - 1]); pos--)
                bound ^= text[pos - 1] == '\\';

        return bound;
}

/* Where the blanks before a word begin, if they may be removed with it. */
static size_t grub_cfg_cut_begin(const Buffer *content, size_t pos, size_t bound) {
        while (pos > bound && strchr(" \t", content->data[pos - 1]) && !grub_cfg_is_bound(content->data, pos - 1))
                pos--;

        return pos;
}

/* GRUB refuses a file that ends in a line continuation, so it is removed together with the last word of a file. */
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
 * Remove a token together with the blanks before it.
 * @done: the end of the token that was removed last, or 0; updated
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
 * Apply edits to one entry. A token is removed with the blanks before it, and added after the last token for the kernel
 * with one blank before it, so that removing undoes adding.
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
                if (!boot_entry_loses_tokens(store->entries + i))
                        continue;

                *ret_entry = store->entries + i;
                r = grub_cfg_render_entry(&store->content, &prepared, store->entries + i, layout->insert_at[i], &pieces,
                                          ret_size);
                if (r < 0)
                        return r;
        }

        return pieces_apply(&pieces, &store->content, ret);
}
