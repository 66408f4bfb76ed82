/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <stdarg.h>

#include "grub/bootstore.h"
#include "grub/stores.h"

/* Every kind of boot store, in the order in which they are found: the later ones know the earlier ones. */
static const BootStoreDriver *const drivers[] = {
        &boot_store_grub_cfg,
        &boot_store_bls,
        &boot_store_grubenv,
        &boot_store_default_grub,
        &boot_store_kernel_cmdline,
};

static BootStore *boot_store_free(BootStore *s) {
        if (!s)
                return NULL;

        if (s->driver->done)
                s->driver->done(s);
        for (size_t i = 0; i < s->n_entries; i++)
                boot_entry_done(s->entries + i);
        free(s->entries);
        free(s->path);
        buffer_done(&s->content);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(BootStore *, boot_store_free);

BootStores *boot_stores_free(BootStores *stores) {
        if (!stores)
                return NULL;

        for (size_t i = 0; i < stores->n_stores; i++)
                boot_store_free(stores->stores[i]);
        free(stores->stores);
        free(stores->index);

        for (size_t i = 0; i < stores->n_problems; i++) {
                free(stores->problems[i].path);
                free(stores->problems[i].reason);
        }
        free(stores->problems);

        free(stores);
        return NULL;
}

static bool store_boots_system(const BootStore *s) {
        for (size_t i = 0; i < s->n_entries; i++)
                if (s->entries[i].kind == ENTRY_SYSTEM)
                        return true;

        return false;
}

bool boot_stores_boot_system(const BootStores *stores, const BootStoreDriver *driver) {
        for (size_t i = 0; i < stores->n_stores; i++)
                if ((!driver || stores->stores[i]->driver == driver) && store_boots_system(stores->stores[i]))
                        return true;

        return false;
}

int boot_stores_find(const Root *root, BootStores **ret) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        int r;

        assert(root);
        assert(ret);

        stores = calloc(1, sizeof(BootStores));
        if (!stores)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++) {
                r = drivers[i]->find(root, stores);
                if (r < 0)
                        return r;
        }

        r = boot_stores_refuse_layouts(root, stores);
        if (r < 0)
                return r;

        if (!boot_stores_boot_system(stores, NULL) && stores->n_problems == 0) {
                stores->none = true;
                r = boot_stores_problem(stores, "/boot", 0, "boot-store-none", /* fatal= */ false,
                                        "No boot loader configuration was found that boots this system");
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(stores);
        return 0;
}

/* FNV-1a */
static size_t hash_path(const char *path) {
        uint32_t h = 2166136261U;

        for (; *path; path++)
                h = (h ^ (unsigned char) *path) * 16777619U;

        return h;
}

/* The place of a path in the index: that of the store that has it, or the free one where it belongs. */
static size_t *index_find(const BootStores *stores, const char *path) {
        size_t i = hash_path(path);

        for (;; i++) {
                size_t *place = stores->index + (i & (stores->index_size - 1));

                if (*place == 0 || streq(stores->stores[*place - 1]->path, path))
                        return place;
        }
}

const BootStore *boot_stores_by_path(const BootStores *stores, const char *path) {
        size_t place = stores->index ? *index_find(stores, path) : 0;

        return place > 0 ? stores->stores[place - 1] : NULL;
}

/* Make room for one more; a quarter of the places stays free. */
static int index_grow(BootStores *stores) {
        size_t *old = stores->index;

        if (old && (stores->n_stores + 1) * 4 <= stores->index_size * 3)
                return 0;

        stores->index = calloc(old ? stores->index_size * 2 : 16, sizeof(size_t));
        if (!stores->index) {
                stores->index = old;
                return -ENOMEM;
        }

        stores->index_size = old ? stores->index_size * 2 : 16;
        for (size_t i = 0; i < stores->n_stores; i++)
                *index_find(stores, stores->stores[i]->path) = i + 1;

        free(old);
        return 0;
}

int boot_stores_add(BootStores *stores, const BootStoreDriver *driver, const char *path, Buffer *content,
                    BootStore **ret) {
        _cleanup_(boot_store_freep) BootStore *s = NULL;
        size_t *place;
        int r;

        assert(stores);
        assert(driver);
        assert(path);
        assert(content);

        r = index_grow(stores);
        if (r < 0)
                return r;

        place = index_find(stores, path);
        if (*place > 0)
                return -EEXIST;

        s = calloc(1, sizeof(BootStore));
        if (!s)
                return -ENOMEM;

        s->driver = driver;
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;

        r = grow(&stores->stores, stores->n_stores, sizeof(BootStore *));
        if (r < 0)
                return r;

        s->content = *content;
        *content = BUFFER_NULL;
        if (ret)
                *ret = s;
        stores->stores[stores->n_stores++] = TAKE_PTR(s);
        *place = stores->n_stores;
        return 0;
}

int boot_stores_problem(BootStores *stores, const char *path, unsigned line, const char *code, bool fatal,
                        const char *format, ...) {
        _cleanup_free_ char *copy = NULL;
        char *reason;
        va_list ap;
        int n, r;

        assert(stores);
        assert(path);
        assert(code);

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        r = grow(&stores->problems, stores->n_problems, sizeof(BootStoreProblem));
        if (r < 0)
                return r;

        va_start(ap, format);
        n = vasprintf(&reason, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        stores->problems[stores->n_problems++] = (BootStoreProblem) {
                .path = TAKE_PTR(copy),
                .line = line,
                .reason = reason,
                .code = code,
                .fatal = fatal,
        };
        return 0;
}

int boot_stores_read_problem_max(BootStores *stores, const char *path, size_t max, int r) {
        switch (r) {
        case -ENOMEM:
                return r;
        case -EISDIR:
        case -EOPNOTSUPP:
                return boot_stores_problem(stores, path, 0, "boot-store-not-regular", /* fatal= */ true,
                                           "This is %s, and the boot loader reads a regular file here",
                                           r == -EISDIR ? "a directory" : "a FIFO, a socket or a device");
        case -EFBIG:
                return boot_stores_problem(stores, path, 0, "boot-store-too-large", /* fatal= */ true,
                                           "The file is larger than %zu %s", max < 1024 * 1024 ? max / 1024
                                           : max / 1024 / 1024, max < 1024 * 1024 ? "KiB" : "MiB");
        default:
                return boot_stores_problem(stores, path, 0, "boot-store-unreadable", /* fatal= */ true,
                                           "The file cannot be read: %s", strerror(-r));
        }
}

int boot_stores_read_problem(BootStores *stores, const char *path, int r) {
        return boot_stores_read_problem_max(stores, path, BOOT_FILE_MAX, r);
}

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

/* What needs no quotes in any boot file. */
static bool token_is_plain(const char *text) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=-";

        return *text && text[strspn(text, plain)] == 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int edit_prepare(const TokenEdit *edit, PreparedEdit *p) {
        p->edit = edit;
        p->text = token_spec_format(edit->spec);
        if (!p->text)
                return -ENOMEM;

        if (!token_is_plain(p->text))
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
        qsort(p->keep, p->n_keep, sizeof(char *), compare_strings);
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
                    !bsearch(ids + i, edit->keep, edit->n_keep, sizeof(char *), compare_strings))
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

                /* Ours is one. A second of the same text was written by somebody else since. */
                for (size_t k = 0; k < c->n_tokens; k++)
                        if (!c->tokens[k].for_init &&
                            edit_text_equal(e, content->data + c->tokens[k].offset, c->tokens[k].size)) {
                                removed[k] = true;
                                break;
                        }
        }
}

bool edit_adds(const PreparedEdit *edit, const BootEntry *entry, const bool *removed) {
        const Cmdline *c = &entry->cmdline;

        if (!edit->edit->add)
                return false;

        for (size_t i = 0; i < c->n_tokens; i++)
                if (!c->tokens[i].for_init && !removed[i] &&
                    parameter_name_equal(c->tokens[i].name, edit->edit->spec->name))
                        return false;

        return true;
}
