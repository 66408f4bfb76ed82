/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "bls": an entry of the boot loader specification, loader/entries/NAME.conf. GRUB's command "blscfg" and
 * systemd-boot read such entries.
 */

#include <assert.h>

#include "grub/bls.h"

/* GRUB puts this and the path of the kernel before the options. The real device is unknown, but about as long. */
#define BLS_IMAGE_PREFIX "BOOT_IMAGE=(hd0,gpt2)"

#define BLS_OPTIONS "options"

/* A line "key value" of an entry. */
typedef struct BlsField {
        size_t key, key_end, value, value_end;
        size_t next;  /* where the next line begins */
        unsigned number;
} BlsField;

static bool bls_is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static BlsField bls_field_read(const Buffer *content, size_t begin, unsigned number) {
        const char *text = content->data, *newline = memchr(text + begin, '\n', content->size - begin);
        size_t end = newline ? (size_t) (newline - text) : content->size;
        BlsField f = { .key = begin, .value_end = end, .next = newline ? end + 1 : end, .number = number };

        while (f.key < end && bls_is_space(text[f.key]))
                f.key++;
        while (f.value_end > f.key && bls_is_space(text[f.value_end - 1]))
                f.value_end--;

        f.key_end = f.key;
        while (f.key_end < f.value_end && !bls_is_space(text[f.key_end]))
                f.key_end++;

        f.value = f.key_end;
        while (f.value < f.value_end && bls_is_space(text[f.value]))
                f.value++;

        return f;
}

/* Whether a line has a key, and a value for it. Lines without a value are ignored. */
static bool bls_field_is(const Buffer *content, const BlsField *f, const char *key) {
        return f->value < f->value_end && f->key_end - f->key == strlen(key) &&
               memcmp(content->data + f->key, key, strlen(key)) == 0;
}

/* Keep the value of a line, unless an earlier line had the same key: the first one decides. */
static int bls_field_take(const Buffer *content, const BlsField *f, char **p) {
        if (*p)
                return 0;

        *p = strndup(content->data + f->value, f->value_end - f->value);
        return *p ? 0 : -ENOMEM;
}

static int bls_add_options(const Buffer *content, const BlsField *f, BlsLayout *l) {
        int r;

        if (l->line.text.size == 0) {
                l->begin = f->key;
                l->end = f->value_end;
                l->line.first = f->value;
                l->number = f->number;
        } else {
                r = line_append(&l->line, ' ', f->value, f->value);
                if (r < 0)
                        return r;
        }

        return line_map(&l->line, content, f->value, f->value_end);
}

typedef struct BlsKeys {
        char *efi, *version;
} BlsKeys;

static void bls_keys_done(BlsKeys *keys) {
        free(keys->efi);
        free(keys->version);
}

static int bls_read_fields(const Buffer *content, bool first_only, BlsLayout *l, BlsKeys *keys) {
        unsigned number = 1;
        BlsField f;
        int r = 0;

        for (size_t pos = 0; pos < content->size; pos = f.next, number++) {
                f = bls_field_read(content, pos, number);

                if (bls_field_is(content, &f, "title"))
                        r = bls_field_take(content, &f, &l->title);
                else if (bls_field_is(content, &f, "version"))
                        r = bls_field_take(content, &f, &keys->version);
                else if (bls_field_is(content, &f, "efi"))
                        r = bls_field_take(content, &f, &keys->efi);
                else if (bls_field_is(content, &f, "linux") && !l->kernel) {
                        l->place = f.next;
                        l->number = l->number > 0 ? l->number : number;
                        r = bls_field_take(content, &f, &l->kernel);
                } else if (bls_field_is(content, &f, BLS_OPTIONS) && (l->line.text.size == 0 || !first_only))
                        r = bls_add_options(content, &f, l);
                if (r < 0)
                        return r;
        }

        return 0;
}

static bool bls_is_rescue(const char *path, const BlsLayout *l, const BlsKeys *keys) {
        const char *slash = strrchr(path, '/'), *title = strempty(l->title);

        return entry_name_is_rescue(slash ? slash + 1 : path) || entry_name_is_rescue(title) ||
               entry_name_is_snapshot(title) || entry_name_is_rescue(strempty(keys->version));
}

static int bls_find_kind(KernelFiles *files, const char *path, const BlsKeys *keys, BlsLayout *l) {
        int r;

        r = entry_kind_of_kernel(files, strempty(l->kernel ?: keys->efi), &l->kind);
        if (r < 0)
                return r;

        if (l->kind == ENTRY_SYSTEM && !l->kernel)
                l->kind = ENTRY_FOREIGN;
        else if (l->kind == ENTRY_SYSTEM && bls_is_rescue(path, l, keys))
                l->kind = ENTRY_RESCUE;
        else if (l->kind == ENTRY_SYSTEM)
                l->kind = entry_kind_of_cmdline(&l->line.cmdline);
        return 0;
}

static int bls_layout_fill(KernelFiles *files, const char *path, const Buffer *content, bool first_only, BlsLayout *l) {
        _cleanup_(bls_keys_done) BlsKeys keys = {};
        int r;

        l->line.first = SIZE_MAX;
        l->line.first_quote = LINE_VERBATIM;

        r = bls_read_fields(content, first_only, l, &keys);
        if (r < 0)
                return r;

        r = line_parse(&l->line);
        return r < 0 ? r : bls_find_kind(files, path, &keys, l);
}

EntryKind bls_kind(const BootStore *store) {
        const BlsLayout *l = store->layout;

        return l->kind;
}

int bls_entry(const BootStore *store, const Buffer *options, BootEntry *ret) {
        const BlsLayout *l = store->layout;
        BootEntry e = {
                .kind = l->kind,
                .line = l->number,
                .cmdline_size = strlen(BLS_IMAGE_PREFIX) + strlen(strempty(l->kernel)) + (options->size > 0) +
                                options->size,
        };
        int r = -ENOMEM;

        e.id = strdup(store->path);
        e.path = strdup(store->path);
        e.title = strdup(l->title ?: l->kernel ?: store->path);
        e.kernel = strdup(strempty(l->kernel));
        if (e.id && e.path && e.title && e.kernel)
                r = cmdline_parse(options->data, options->size, &e.cmdline);
        if (r < 0) {
                boot_entry_done(&e);
                return r;
        }

        *ret = e;
        return 0;
}

int bls_load(KernelFiles *files, BootStores *stores, const char *path, Buffer *content, bool first_only) {
        BootStore *store;
        BlsLayout *l;
        int r;

        assert(stores);
        assert(path);
        assert(content);

        if (content->size > 0 && memchr(content->data, 0, content->size))
                return boot_stores_problem(stores, path, 0, "boot-store-syntax", /* fatal= */ true,
                                           "The entry holds a NUL byte: write it anew");

        r = boot_stores_add(stores, &boot_store_bls, path, content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        store->layout = l = calloc(1, sizeof(BlsLayout));
        store->entries = calloc(1, sizeof(BootEntry));
        if (!l || !store->entries)
                return -ENOMEM;

        l->first_only = first_only;
        r = bls_layout_fill(files, path, &store->content, first_only, l);
        if (r < 0)
                return r;

        r = bls_entry(store, &l->line.text, store->entries);
        if (r < 0)
                return r;

        store->n_entries = 1;
        return 0;
}

/* The kind of an entry may come from its kernel's file, which is not looked at. */
static int bls_reread(const BootStore *store, const Buffer *content, BootStores *ret) {
        const BlsLayout *l = store->layout;
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;
        KernelFiles none = {};
        int r;

        if (store->n_entries != 1 || bls_refers(store) || memchr(content->data, '$', content->size))
                return 0;

        r = buffer_append(&copy, content->data, content->size);
        if (r >= 0)
                r = bls_load(&none, ret, store->path, &copy, l->first_only);
        if (r < 0)
                return r;

        return ret->n_stores == 1 && bls_kind(ret->stores[0]) == l->kind;
}

/* Add a line "options" with the marker above it to an entry that has none. */
static int bls_insert_line(const Buffer *content, const BlsLayout *l, const LineChange *c, Pieces *pieces) {
        bool newline = l->place > 0 && content->data[l->place - 1] == '\n';
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        int r;

        r = buffer_printf(&insert, "%s%s%s", newline ? "" : "\n", PIECE_MARKER, BLS_OPTIONS);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->n_texts; i++) {
                r = buffer_printf(&insert, " %s", c->texts[i]);
                if (r < 0)
                        return r;
        }

        r = buffer_puts(&insert, newline ? "\n" : "");
        if (r < 0)
                return r;

        return pieces_add(pieces, l->place, 0, insert.data);
}

/* Remove tokens from an entry whose options are now in another file (see grubenv.c). None are added there. */
static int bls_remove_only(const BootStore *store, const PreparedEdits *edits, Pieces *pieces, size_t *ret_left) {
        const BlsLayout *l = store->layout;
        _cleanup_free_ bool *removed = NULL;
        size_t cut;
        int r;

        removed = calloc(l->line.cmdline.n_tokens + 1, sizeof(bool));
        if (!removed)
                return -ENOMEM;

        line_mark(&l->line, edits, (const char *const *) &store->path, 1, removed);
        r = line_cut(&l->line, &store->content, removed, pieces, &cut);
        if (r < 0)
                return r;

        *ret_left = l->line.text.size - cut;
        return 0;
}

static int bls_plan_change(const BootStore *store, const PreparedEdits *edits, Pieces *pieces, LineChange *c) {
        const BlsLayout *l = store->layout;
        int r;

        if (store->n_entries > 0)
                r = line_change(&l->line, &store->content, edits, pieces, c);
        else
                r = bls_remove_only(store, edits, pieces, &c->left);
        if (r < 0)
                return r;

        if (l->line.text.size == 0)
                return c->n_texts > 0 ? bls_insert_line(&store->content, l, c, pieces) : 0;

        if (c->left == 0 && c->n_texts == 0 && piece_is_marked(&store->content, l->begin, l->end))
                return pieces_cut_marked(pieces, &store->content, l->begin, l->end);

        return 0;
}

static int bls_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                      const BootEntry **ret_entry, size_t *ret_size) {
        const BlsLayout *l = store->layout;
        const BootEntry *entry = store->entries;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_(line_change_done) LineChange change = { .entries = &entry, .n_entries = store->n_entries };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        if (l->kind == ENTRY_SYSTEM || l->kind == ENTRY_RESCUE) {
                r = bls_plan_change(store, &prepared, &pieces, &change);
                *ret_entry = entry;
                *ret_size = change.size;
                if (r < 0)
                        return r;
        }

        return pieces_apply(&pieces, &store->content, ret);
}

static void bls_done(BootStore *store) {
        BlsLayout *l = store->layout;

        if (!l)
                return;

        line_done(&l->line);
        free(l->title);
        free(l->kernel);
        free(l);
}

/*
 * kernel-install takes /etc/kernel/cmdline or, without it, /proc/cmdline (systemd: 90-loaderentry.install), grubby
 * copies the default entry, and Fedora's 10_linux writes the value of /etc/default/grub.
 */
static const char *const bls_made_from[] = { "kernel-cmdline", "bls", "grubenv", "grub-cfg", "default-grub", NULL };

const BootStoreDriver boot_store_bls = {
        .name = "bls",
        .title = "boot loader specification entry",
        .made_from = bls_made_from,
        .find = bls_find,
        .render = bls_render,
        .reread = bls_reread,
        .done = bls_done,
};
