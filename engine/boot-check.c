/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads boot stores again as they would be. Unless each store says that nothing but its own bytes counts, all of them
 * are searched for anew, so that an entry whose options come from another file (variables of grub.cfg, grubenv) is
 * compared as it would boot.
 *
 * Tested by tests/unit/engine/test-boot-check.c, and by all golden machines.
 */

#include <assert.h>

#include "engine/boot-check.h"

/* The files of the transaction that are boot stores, for root_overlay(). Return: 0 or -ENOMEM. */
static int boot_check_overlay(const Survey *survey, const Transaction *t, RootOverlay **ret, size_t *ret_n) {
        RootOverlay *files = calloc(t->n_files + 1, sizeof(RootOverlay));
        size_t n = 0;

        if (!files)
                return -ENOMEM;

        for (size_t i = 0; i < t->n_files; i++)
                if (boot_stores_by_path(survey->stores, t->files[i].path))
                        files[n++] = (RootOverlay) {.path = t->files[i].path, .content = &t->files[i].new};
        qsort(files, n, sizeof(RootOverlay), root_overlay_compare);

        *ret = files;
        *ret_n = n;
        return 0;
}

static bool boot_check_is_edited(const Token *token, const BootCheckToken *tokens, size_t n_tokens) {
        for (size_t i = 0; i < n_tokens && !token->for_init; i++)
                if (parameter_name_equal(token->name, tokens[i].name) && streq_ptr(token->value, tokens[i].value))
                        return true;

        return false;
}

static size_t boot_check_next(const Cmdline *c, size_t i, const BootCheckToken *tokens, size_t n_tokens) {
        while (i < c->n_tokens && boot_check_is_edited(c->tokens + i, tokens, n_tokens))
                i++;

        return i;
}

static bool boot_check_same_words(const Cmdline *a, const Cmdline *b, const BootCheckToken *tokens, size_t n_tokens) {
        size_t i = boot_check_next(a, 0, tokens, n_tokens), k = boot_check_next(b, 0, tokens, n_tokens);

        while (i < a->n_tokens && k < b->n_tokens) {
                const Token *x = a->tokens + i, *y = b->tokens + k;

                if (!streq(x->name, y->name) || !streq_ptr(x->value, y->value) || x->for_init != y->for_init ||
                    x->open != y->open)
                        return false;

                i = boot_check_next(a, i + 1, tokens, n_tokens);
                k = boot_check_next(b, k + 1, tokens, n_tokens);
        }

        return i == a->n_tokens && k == b->n_tokens;
}

/* A template may be in another file of its kind afterwards: the one that the next token would be added to. */
static bool boot_check_same_entry(const BootEntry *a, const BootEntry *b, const BootCheckToken *tokens,
                                  size_t n_tokens) {
        return streq(a->id, b->id) && a->kind == b->kind && (a->kind == ENTRY_TEMPLATE || streq(a->path, b->path)) &&
               boot_check_same_words(&a->cmdline, &b->cmdline, tokens, n_tokens);
}

/*
 * Whether an entry can be another one because of what is written. Of the rest, the file may have been changed by
 * another process since the survey, which is no fault of the edit.
 */
static bool boot_check_concerns(const BootEntry *e, const RootOverlay *files, size_t n_files) {
        const RootOverlay key = {.path = e->path};

        return e->kind == ENTRY_TEMPLATE || bsearch(&key, files, n_files, sizeof(RootOverlay), root_overlay_compare);
}

static size_t boot_check_next_before(const Machine *before, size_t k, const RootOverlay *files, size_t n_files) {
        while (k < before->n_entries && !boot_check_concerns(before->entries[k], files, n_files))
                k++;

        return k;
}

/* Return: the file of the first entry that is not as it should be, or NULL. */
static const char *boot_check_compare(const Machine *before, const BootStores *after, const RootOverlay *files,
                                      size_t n_files, const BootCheckToken *tokens, size_t n_tokens) {
        size_t k = boot_check_next_before(before, 0, files, n_files);

        for (size_t s = 0; s < after->n_stores; s++)
                for (size_t i = 0; i < after->stores[s]->n_entries; i++) {
                        const BootEntry *e = after->stores[s]->entries + i;

                        if (!boot_check_concerns(e, files, n_files))
                                continue;
                        if (k == before->n_entries)
                                return after->stores[s]->path;
                        if (!boot_check_same_entry(before->entries[k], e, tokens, n_tokens))
                                return before->entries[k]->path;
                        k = boot_check_next_before(before, k + 1, files, n_files);
                }

        return k < before->n_entries ? before->entries[k]->path : NULL;
}

/*
 * Compare each file by itself. Return: 1 if all could be, and *ret_path is NULL or the first that is not as it should
 * be; 0 if other files count, too; -ENOMEM.
 */
static int boot_check_alone(const Survey *survey, const RootOverlay *files, size_t n_files,
                            const BootCheckToken *tokens, size_t n_tokens, const char **ret_path) {
        *ret_path = NULL;
        for (size_t i = 0; i < n_files; i++) {
                const BootStore *before = boot_stores_by_path(survey->stores, files[i].path);
                _cleanup_(boot_stores_freep) BootStores *after = calloc(1, sizeof(BootStores));
                int r;

                if (!after)
                        return -ENOMEM;
                r = before->driver->reread ? before->driver->reread(before, files[i].content, after) : 0;
                if (r <= 0)
                        return r;
                if (!*ret_path && !boot_check_same_entry(before->entries, after->stores[0]->entries, tokens, n_tokens))
                        *ret_path = before->path;
        }

        return 1;
}

/* Search for all stores again, with these files as they would be. Return: as boot_check(). */
static int boot_check_together(const Survey *survey, const RootOverlay *files, size_t n_files,
                               const BootCheckToken *tokens, size_t n_tokens, char **ret_path) {
        const Machine *m = survey->machine;
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(boot_stores_freep) BootStores *after = NULL;
        const char *path;
        int r;

        r = root_copy(&root, survey->root);
        if (r < 0)
                return r;

        root_overlay(root, files, n_files);
        r = boot_stores_find(root, m->cmdline_text ? &m->cmdline : NULL, &after);
        if (r < 0)
                return r;

        path = boot_check_compare(m, after, files, n_files, tokens, n_tokens);
        return path ? free_and_strdup(ret_path, path) : 0;
}

int boot_check(const Survey *survey, const Transaction *t, const BootCheckToken *tokens, size_t n_tokens,
               char **ret_path) {
        _cleanup_free_ RootOverlay *files = NULL;
        const char *path;
        size_t n;
        int r;

        assert(survey);
        assert(t);
        assert(ret_path);

        r = boot_check_overlay(survey, t, &files, &n);
        if (r < 0 || n == 0)
                return r;

        r = boot_check_alone(survey, files, n, tokens, n_tokens, &path);
        if (r == 0)
                return boot_check_together(survey, files, n, tokens, n_tokens, ret_path);
        if (r < 0)
                return r;

        return path ? free_and_strdup(ret_path, path) : 0;
}
