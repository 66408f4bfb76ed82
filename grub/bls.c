/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "bls": an entry of the boot loader specification, loader/entries/NAME.conf. GRUB's commands "blscfg", of
 * which there are two, and systemd-boot read such entries.
 */

#include <assert.h>

#include "grub/bls.h"

/* GRUB puts this and the path of the kernel before the options. The real device is unknown, but about as long. */
#define BLS_IMAGE_PREFIX "BOOT_IMAGE=(hd0,gpt2)"

/* Memory of GRUB comes in pieces of this size, or of twice of it (grub-core/kern/mm.c). */
#define BLS_MEMORY_UNIT 16U

void bls_keys_done(BlsKeys *keys) {
        free(keys->efi);
        free(keys->version);
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

static int bls_layout_fill(KernelFiles *files, const char *path, const Buffer *content, BlsLayout *l) {
        _cleanup_(bls_keys_done) BlsKeys keys = {};
        int r;

        l->line.first = SIZE_MAX;
        l->line.first_quote = LINE_VERBATIM;

        r = bls_read_fields(content, l, &keys);
        if (r < 0)
                return r;

        r = line_parse(&l->line);
        return r < 0 ? r : bls_find_kind(files, path, &keys, l);
}

EntryKind bls_kind(const BootStore *store) {
        const BlsLayout *l = store->layout;

        return l->kind;
}

BlsReader bls_reader(const BootStore *store) {
        const BlsLayout *l = store->layout;

        return l->reader;
}

bool bls_overruns(const BootStore *store, size_t cmdline_size) {
        return bls_reader(store) == BLS_GRUB &&
               (cmdline_size - strlen(BLS_IMAGE_PREFIX) + strlen("linux ") + 1) % BLS_MEMORY_UNIT == 0;
}

int bls_remark_length(BootStores *stores, const BootStore *store, const BootEntry *e) {
        if (e->kind != ENTRY_SYSTEM || !bls_overruns(store, e->cmdline_size))
                return 0;

        return boot_stores_remark(stores, store->path, e->line, "boot-store-bls-unread",
                                  "GRUB loses the end of a command of this length, and can boot without the initrd: "
                                  "write one blank more between two words");
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

int bls_load(KernelFiles *files, BootStores *stores, const char *path, Buffer *content, BlsReader reader) {
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

        l->reader = reader;
        r = bls_layout_fill(files, path, &store->content, l);
        if (r < 0)
                return r;

        r = bls_remark_unread(stores, path, l);
        if (r < 0)
                return r;

        r = bls_entry(store, &l->line.text, store->entries);
        if (r < 0)
                return r;

        store->n_entries = 1;
        if (bls_refers(store))
                return 0;

        store->entries->cmdline_size += l->n_blanks;
        return bls_remark_length(stores, store, store->entries);
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
                r = bls_load(&none, ret, store->path, &copy, l->reader);
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

/* With a blank in the line, Fedora's GRUB no longer ends the key at the tab: it would read no options at all. */
static bool bls_key_ends_with_tab(const BootStore *store) {
        const BlsLayout *l = store->layout;

        return l->reader == BLS_GRUB_FEDORA && l->line.text.size > 0 &&
               store->content.data[l->begin + strlen(BLS_OPTIONS)] == '\t';
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
        if (c->n_texts > 0 && bls_key_ends_with_tab(store))
                return -EBADMSG;

        if (l->line.text.size == 0)
                return c->n_texts > 0 ? bls_insert_line(&store->content, l, c, pieces) : 0;

        if (c->left == 0 && c->n_texts == 0 && piece_is_marked(&store->content, l->begin, l->end))
                return pieces_cut_marked(pieces, &store->content, l->begin, l->end);

        return 0;
}

static int bls_render_once(const BootStore *store, const PreparedEdits *edits, LineChange *c, Buffer *ret) {
        const BlsLayout *l = store->layout;
        _cleanup_(pieces_done) Pieces pieces = {};
        int r;

        if (l->kind == ENTRY_SYSTEM || l->kind == ENTRY_RESCUE) {
                r = bls_plan_change(store, edits, &pieces, c);
                if (r < 0)
                        return r;
        }

        return pieces_apply(&pieces, &store->content, ret);
}

static int bls_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                      const BootEntry **ret_entry, size_t *ret_size) {
        const BootEntry *entry = store->entries;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(line_change_done) LineChange change = { .entries = &entry, .n_entries = store->n_entries };
        size_t size;
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        r = bls_render_once(store, &prepared, &change, ret);
        if (r >= 0 && change.n_texts > 0 && bls_overruns(store, change.size)) {
                size = ret->size;
                buffer_done(ret);
                line_change_done(&change);
                change.pad = true;
                r = bls_render_once(store, &prepared, &change, ret);
                if (r >= 0 && ret->size == size)
                        r = -EBADMSG;
        }
        *ret_entry = entry;
        *ret_size = change.size;
        return r;
}

void bls_layout_done(BlsLayout *l) {
        line_done(&l->line);
        free(l->title);
        free(l->kernel);
}

static void bls_done(BootStore *store) {
        if (!store->layout)
                return;

        bls_layout_done(store->layout);
        free(store->layout);
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
