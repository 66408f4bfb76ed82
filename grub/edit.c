/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "grub/edit.h"

bool boot_entry_takes_tokens(const BootEntry *entry) {
        return entry->kind == ENTRY_SYSTEM || entry->kind == ENTRY_TEMPLATE;
}

bool boot_entry_loses_tokens(const BootEntry *entry) {
        return boot_entry_takes_tokens(entry) || entry->kind == ENTRY_RESCUE;
}

size_t tokens_count(const Cmdline *c, const char *name, const bool *marked) {
        size_t n = 0;

        for (size_t i = 0; i < c->n_tokens; i++)
                if (!c->tokens[i].for_init && (!marked || marked[i]) && parameter_name_equal(c->tokens[i].name, name))
                        n++;

        return n;
}

bool entry_needs(const BootEntry *entry, const TokenSpec *spec, size_t n_removed) {
        return boot_entry_takes_tokens(entry) && (tokens_count(&entry->cmdline, spec->name, NULL) <= n_removed ||
                                                  cmdline_state(&entry->cmdline, spec, NULL) == TOKEN_ABSENT);
}

bool boot_store_lacks(const BootStore *store, const TokenSpec *spec) {
        for (size_t i = 0; i < store->n_entries; i++)
                if (entry_needs(store->entries + i, spec, /* n_removed= */ 0))
                        return true;

        return false;
}

/* Whether a token needs no quotes in any boot file. */
static bool edit_text_is_plain(const char *text) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=-";

        return *text && text[strspn(text, plain)] == 0;
}

static int edit_compare_ids(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int edit_prepare(const TokenEdit *edit, PreparedEdit *p) {
        p->edit = edit;
        p->text = token_spec_format(edit->spec);
        if (!p->text)
                return -ENOMEM;

        if (!edit_text_is_plain(p->text))
                return -EINVAL;

        if (edit->add || !edit->keep)
                return 0;

        while (edit->keep[p->n_keep])
                p->n_keep++;

        p->keep = calloc(p->n_keep + 1, sizeof(char *));
        if (!p->keep)
                return -ENOMEM;

        for (size_t i = 0; i < p->n_keep; i++)
                p->keep[i] = edit->keep[i];
        qsort(p->keep, p->n_keep, sizeof(char *), edit_compare_ids);
        return 0;
}

int edits_prepare(const TokenEdit *edits, size_t n_edits, PreparedEdits *ret) {
        PreparedEdits p = { .n_edits = n_edits };

        assert(edits || n_edits == 0);
        assert(ret);

        p.edits = calloc(n_edits + 1, sizeof(PreparedEdit));
        if (!p.edits)
                return -ENOMEM;

        for (size_t i = 0; i < n_edits; i++) {
                int r;

                r = edit_prepare(edits + i, p.edits + i);
                if (r < 0) {
                        edits_done(&p);
                        return r;
                }
        }

        *ret = p;
        return 0;
}

void edits_done(PreparedEdits *edits) {
        for (size_t i = 0; i < edits->n_edits; i++) {
                free(edits->edits[i].text);
                free(edits->edits[i].keep);
        }

        free(edits->edits);
        *edits = (PreparedEdits) {};
}

bool edit_keeps(const PreparedEdit *edit, const char *const *ids, size_t n_ids) {
        for (size_t i = 0; i < n_ids; i++)
                if (edit->n_keep == 0 ||
                    !bsearch(ids + i, edit->keep, edit->n_keep, sizeof(char *), edit_compare_ids))
                        return false;

        return true;
}

bool edit_text_equal(const PreparedEdit *edit, const char *written, size_t size) {
        const char *text = edit->text;
        bool in_value = false;

        if (strlen(text) != size)
                return false;

        for (size_t i = 0; i < size; i++) {
                char a = written[i], b = text[i];

                if (!in_value && (a == '-' || a == '_') && (b == '-' || b == '_'))
                        continue;
                if (a != b)
                        return false;
                if (a == '=')
                        in_value = true;
        }

        return true;
}

void edits_mark(const PreparedEdits *edits, const Buffer *content, const BootEntry *entry, bool *removed) {
        const Cmdline *c = &entry->cmdline;

        for (size_t i = 0; i < edits->n_edits; i++) {
                const PreparedEdit *e = edits->edits + i;

                if (e->edit->add || edit_keeps(e, (const char *const *) &entry->id, 1))
                        continue;

                /* Remove one occurrence: gtuned added one, a second is the administrator's. */
                for (size_t k = 0; k < c->n_tokens; k++)
                        if (!c->tokens[k].for_init &&
                            edit_text_equal(e, content->data + c->tokens[k].offset, c->tokens[k].size)) {
                                removed[k] = true;
                                break;
                        }
        }
}
