/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "kernel-cmdline": /etc/kernel/cmdline, which kernel-install writes into the entry of a new kernel
 * (systemd: 90-loaderentry.install; Fedora and RHEL: 20-grub.install). Newlines separate tokens as blanks do.
 */

#include <assert.h>

#include "grub/line.h"

#define KERNEL_CMDLINE_PATH "/etc/kernel/cmdline"
#define KERNEL_CMDLINE_SIZE_MAX (64U * 1024U)

/* Newer versions of kernel-install skip lines that begin with "#", so no token is added to such a line. */
static int kernel_cmdline_map(const Buffer *content, Line *l) {
        const char *text = content->data;
        size_t begin = 0;
        int r;

        while (begin < content->size) {
                const char *newline = memchr(text + begin, '\n', content->size - begin);
                size_t end = newline ? (size_t) (newline - text) + 1 : content->size;

                if (text[begin] != '#' || !newline) {
                        r = line_map(l, content, begin, end);
                        if (r < 0)
                                return r;
                } else if (l->text.size == 0)
                        l->first = end;

                begin = end;
        }

        return line_parse(l);
}

static int kernel_cmdline_add_entry(BootStore *store, Line *l) {
        size_t first = l->cmdline.n_tokens > 0 ? l->bytes[l->cmdline.tokens->offset].begin : 0;
        BootEntry *e;

        store->entries = e = calloc(1, sizeof(BootEntry));
        if (!e)
                return -ENOMEM;

        store->n_entries = 1;
        e->kind = ENTRY_TEMPLATE;
        e->line = line_number(&store->content, first);
        e->cmdline_size = l->text.size;
        e->id = strdup(store->path);
        e->title = strdup(KERNEL_CMDLINE_PATH);
        e->path = strdup(store->path);
        if (!e->id || !e->title || !e->path)
                return -ENOMEM;

        return cmdline_parse(l->text.data, l->text.size, &e->cmdline);
}

int kernel_cmdline_load(BootStores *stores, const char *path, Buffer *content) {
        BootStore *store;
        Line *l;
        int r;

        assert(stores);
        assert(path);
        assert(content);

        if (content->size > 0 && memchr(content->data, 0, content->size))
                return boot_stores_leave(stores, path, 0, "kernel-cmdline-unreadable",
                                         "The file is left alone, because it holds a NUL byte: write it anew");

        l = calloc(1, sizeof(Line));
        if (!l)
                return -ENOMEM;

        l->first_quote = LINE_VERBATIM;
        r = boot_stores_add(stores, &boot_store_kernel_cmdline, path, content, &store);
        if (r < 0) {
                free(l);
                return r == -EEXIST ? 0 : r;
        }

        store->layout = l;
        r = kernel_cmdline_map(&store->content, l);
        if (r < 0)
                return r;

        return kernel_cmdline_add_entry(store, l);
}

static int kernel_cmdline_find(const Root *root, BootStores *stores) {
        _cleanup_free_ char *path = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        int r;

        r = root_resolve(root, KERNEL_CMDLINE_PATH, &path);
        if (r >= 0)
                r = root_read(root, path, KERNEL_CMDLINE_SIZE_MAX, &content);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return boot_stores_leave(stores, path ?: KERNEL_CMDLINE_PATH, 0, "kernel-cmdline-unreadable",
                                         "The file is left alone, because it cannot be read: %s", error_text(-r));

        return kernel_cmdline_load(stores, path, &content);
}

static int kernel_cmdline_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                                 const BootEntry **ret_entry, size_t *ret_size) {
        const BootEntry *entry = store->entries;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_(line_change_done) LineChange change = { .entries = &entry, .n_entries = 1 };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        r = line_change(store->layout, &store->content, &prepared, &pieces, &change);
        *ret_entry = entry;
        *ret_size = change.size;
        if (r < 0)
                return r;

        return pieces_apply(&pieces, &store->content, ret);
}

static int kernel_cmdline_reread(const BootStore *store, const Buffer *content, BootStores *ret) {
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;
        int r;

        r = buffer_append(&copy, content->data, content->size);
        if (r >= 0)
                r = kernel_cmdline_load(ret, store->path, &copy);

        return r < 0 ? r : ret->n_stores == 1;
}

/* It is made of /proc/cmdline, and Fedora's 10_linux writes the value of /etc/default/grub. */
static const char *const kernel_cmdline_made_from[] = { "bls", "grubenv", "grub-cfg", "default-grub", NULL };

const BootStoreDriver boot_store_kernel_cmdline = {
        .name = "kernel-cmdline",
        .title = "command line of later kernels",
        .made_from = kernel_cmdline_made_from,
        .find = kernel_cmdline_find,
        .render = kernel_cmdline_render,
        .reread = kernel_cmdline_reread,
        .done = line_store_done,
};
