/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <stdarg.h>

#include "grub/bootstore.h"
#include "grub/stores.h"

/* Every kind of boot store. */
static const BootStoreDriver *const drivers[] = {
        &boot_store_grub_cfg,
        &boot_store_default_grub,
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

        for (size_t i = 0; i < stores->n_problems; i++) {
                free(stores->problems[i].path);
                free(stores->problems[i].reason);
        }
        free(stores->problems);

        free(stores);
        return NULL;
}

/* Whether this system can be booted by what a store says. */
static bool boots_system(const BootStores *stores) {
        for (size_t i = 0; i < stores->n_stores; i++)
                for (size_t k = 0; k < stores->stores[i]->n_entries; k++)
                        if (stores->stores[i]->entries[k].kind == ENTRY_SYSTEM)
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

        if (!boots_system(stores) && stores->n_problems == 0) {
                r = boot_stores_problem(stores, "/boot", 0, "boot-store-none", /* fatal= */ false,
                                        "No boot loader configuration was found that boots this system");
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(stores);
        return 0;
}

int boot_stores_add(BootStores *stores, const BootStoreDriver *driver, const char *path, Buffer *content,
                    BootStore **ret) {
        _cleanup_(boot_store_freep) BootStore *s = NULL;
        int r;

        assert(stores);
        assert(driver);
        assert(path);
        assert(content);

        for (size_t i = 0; i < stores->n_stores; i++)
                if (streq(stores->stores[i]->path, path))
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

int boot_stores_read_problem(BootStores *stores, const char *path, int r) {
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
                                           "The file is larger than %u MiB", BOOT_FILE_MAX / 1024 / 1024);
        default:
                return boot_stores_problem(stores, path, 0, "boot-store-unreadable", /* fatal= */ true,
                                           "The file cannot be read: %s", strerror(-r));
        }
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

/* Whether a token is written exactly as an edit would write it. */
static bool token_text_equal(const char *written, size_t size, const char *text) {
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

                if (e->edit->add)
                        continue;
                if (e->n_keep > 0 &&
                    bsearch(&entry->id, e->keep, e->n_keep, sizeof(char *), compare_strings))
                        continue;

                /* Ours is one. A second of the same text was written by somebody else since. */
                for (size_t k = 0; k < c->n_tokens; k++)
                        if (!c->tokens[k].for_init &&
                            token_text_equal(content->data + c->tokens[k].offset, c->tokens[k].size, e->text)) {
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
