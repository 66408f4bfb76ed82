/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "grubenv": the variable kernelopts in GRUB's environment block, where BLS entries refer to it (RHEL 8,
 * Fedora 30 to 33). The block has a fixed size and is padded with "#" (grub-core/lib/envblk.c). If the block does not
 * set the variable, blscfg takes the value that grub.cfg sets, and the entries are moved to the store of that grub.cfg.
 */

#include <assert.h>

#include "grub/bls.h"
#include "grub/grub-cfg.h"
#include "grub/grubenv.h"

#define GRUBENV_VARIABLE "kernelopts"

/* The variables that GRUB knows when it makes its menu: those of a grub.cfg and of the block beside it. */
typedef struct GrubEnvScope {
        BootStores *stores;
        BootStore *cfg;
        GrubEnv env;
        char *path;       /* of the block; NULL if there is none */
        Buffer content;
        BootStore *store; /* made of the block when the first entry needs it */
        bool uncertain;   /* a variable that was looked up can have other values than the one that was found */
        bool settled;     /* add no more: a problem was appended, or another grub.cfg that shares the block was first */
} GrubEnvScope;

static void grubenv_scope_done(GrubEnvScope *e) {
        grubenv_done(&e->env);
        free(e->path);
        buffer_done(&e->content);
}

static bool grubenv_is_set(const Line *l) {
        return l && l->cmdline.n_tokens > 0;
}

/* GRUB loads the block first. grub.cfg then sets kernelopts only if the block did not, and other variables always. */
static const Line *grubenv_scope_line(const GrubEnvScope *e, const char *name) {
        const GrubVariable *v = grub_cfg_variable(e->cfg, name);
        const Line *l = grubenv_get(&e->env, name);

        if (v && (!grubenv_is_set(l) || (grubenv_is_set(&v->line) && !streq(name, GRUBENV_VARIABLE))))
                return &v->line;

        return l;
}

/* The value of kernelopts is that of the line that an edit changes. */
static const char *grubenv_scope_lookup(void *userdata, const char *name) {
        GrubEnvScope *e = userdata;
        const Line *l = grubenv_scope_line(e, name);
        const GrubVariable *v = grub_cfg_variable(e->cfg, name);
        const bool in_cfg = !l || (v && l == &v->line && !streq(name, GRUBENV_VARIABLE));
        bool certain = true;
        const char *value = in_cfg ? grub_cfg_value(e->cfg, name, &certain) : NULL;

        e->uncertain = e->uncertain || !certain;
        return value || !l ? value : l->text.data;
}

static int grubenv_scope_read(const Root *root, GrubEnvScope *e) {
        _cleanup_free_ char *path = NULL;
        int r;

        path = xasprintf("%.*s/" GRUBENV_NAME, (int) (strrchr(e->cfg->path, '/') - e->cfg->path), e->cfg->path);
        if (!path)
                return -ENOMEM;

        r = root_resolve(root, path, &e->path);
        if (r >= 0)
                r = root_read(root, e->path, GRUBENV_SIZE_MAX, &e->content);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
                free(e->path);
                e->path = NULL;
                return 0;
        }
        if (r < 0)
                return boot_stores_read_problem_max(e->stores, e->path ?: path, GRUBENV_SIZE_MAX, r);
        if (!grubenv_is_block(&e->content))
                return boot_stores_problem(e->stores, e->path, 0, "grubenv-syntax", /* fatal= */ true,
                                           "This is no environment block that GRUB reads: make a new one with "
                                           "grub2-editenv, and set kernelopts in it");

        return grubenv_parse(&e->content, &e->env);
}

/* Move an entry to the store of the block, which is made if there is none yet. */
static int grubenv_attach_to_block(GrubEnvScope *e, BootEntry *entry) {
        Line *l;
        int r;

        if (e->settled)
                return 0;
        if (!e->store) {
                r = grubenv_load(e->stores, e->path, &e->content, &e->store);
                e->settled = r == -EEXIST;
                if (r < 0)
                        return e->settled ? 0 : r;
        }

        l = e->store->layout;
        entry->line = line_number(&e->store->content, l->first);
        r = free_and_strdup(&entry->path, e->store->path);
        if (r < 0)
                return r;

        r = grow(&e->store->entries, e->store->n_entries, sizeof(BootEntry));
        if (r < 0)
                return r;

        e->store->entries[e->store->n_entries++] = *entry;
        *entry = (BootEntry) {};
        return 0;
}

static int grubenv_attach_to_cfg(GrubEnvScope *e, const char *name, GrubVariable *v, BootEntry *entry) {
        bool certain = true;
        int r;

        (void) grub_cfg_value(e->cfg, name, &certain);
        if (!v->editable || !certain) {
                if (e->settled)
                        return 0;

                e->settled = true;
                return boot_stores_problem(e->stores, e->cfg->path, v->number, "boot-store-kernelopts",
                                           /* fatal= */ true,
                                           "The entries take their options from %s, and its value is %s: set "
                                           "kernelopts in the environment block, with grub2-editenv", name,
                                           v->editable ? "not certain when the menu is shown" : "computed");
        }

        entry->line = v->number;
        r = free_and_strdup(&entry->path, e->cfg->path);
        if (r < 0)
                return r;

        return grub_cfg_attach(e->cfg, v, entry);
}

static bool grubenv_is_blank(const Buffer *b) {
        return strspn(strempty(b->data), " \t") == b->size;
}

/* The variable of grub.cfg, or NULL if it is not set or empty. */
static GrubVariable *grubenv_scope_variable(const GrubEnvScope *e, const char *name) {
        GrubVariable *v = grub_cfg_variable(e->cfg, name);

        return v && grubenv_is_set(&v->line) ? v : NULL;
}

/* Where nothing sets the variable, rhboot/grub2 takes default_kernelopts; its entries are made for that. */
static int grubenv_remark_unset(GrubEnvScope *e, const BootStore *bls, const BootEntry *entry) {
        if (bls_reader(bls) != BLS_GRUB || bls_kind(bls) != ENTRY_SYSTEM || e->uncertain ||
            !bls_mentions(bls, GRUBENV_VARIABLE) || grubenv_scope_lookup(e, GRUBENV_VARIABLE))
                return 0;

        return boot_stores_remark(e->stores, entry->path, entry->line, "boot-store-bls-unread",
                                  "Nothing sets the variable kernelopts, and the GRUB of this system does not take "
                                  "default_kernelopts for it: write the words into this line, or set kernelopts in the "
                                  "environment block, with grub-editenv, and load that in grub.cfg");
}

/* The entry keeps its command line in its own file. */
static int grubenv_keep(GrubEnvScope *e, BootStore *bls, BootEntry *entry) {
        int r = grubenv_remark_unset(e, bls, entry);

        if (r < 0)
                return r;

        bls_mark_variables(bls, NULL, entry, e->uncertain);
        boot_entry_done(bls->entries);
        *bls->entries = TAKE_GENERIC(*entry, (BootEntry) {});
        return bls_mark_places(bls, grubenv_scope_lookup, e);
}

/* Move an entry to the store whose file has its command line. Return: 1; 0 if that is its own file; -ENOMEM. */
static int grubenv_attach(GrubEnvScope *e, BootStore *bls) {
        const char *name = GRUBENV_VARIABLE;
        GrubVariable *v = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_(boot_entry_done) BootEntry entry = {};
        bool block = bls_mentions(bls, GRUBENV_VARIABLE) && grubenv_is_set(grubenv_get(&e->env, GRUBENV_VARIABLE));
        int r;

        if (!block && bls_mentions(bls, GRUBENV_VARIABLE))
                v = grubenv_scope_variable(e, name);

        e->uncertain = false;
        r = bls_expand(bls, grubenv_scope_lookup, e, &text);
        if (r < 0)
                return r;

        if (grubenv_is_blank(&text) && bls_reader(bls) == BLS_GRUB_FEDORA) {
                name = "default_kernelopts";
                v = grubenv_scope_variable(e, name);
                if (v) {
                        r = buffer_append(&text, v->line.text.data, v->line.text.size);
                        if (r < 0)
                                return r;
                }
        }

        r = bls_entry(bls, &text, &entry);
        if (r >= 0)
                r = bls_remark_length(e->stores, bls, &entry);
        if (r < 0)
                return r;

        if (bls_kind(bls) != ENTRY_SYSTEM || (!block && !v))
                return grubenv_keep(e, bls, &entry);

        bls_mark_variables(bls, block ? grubenv_get(&e->env, GRUBENV_VARIABLE) : &v->line, &entry, e->uncertain);
        r = block ? grubenv_attach_to_block(e, &entry) : grubenv_attach_to_cfg(e, name, v, &entry);
        return r < 0 ? r : 1;
}

static int grubenv_resolve_entries(const Root *root, BootStores *stores, BootStore *cfg, bool *elsewhere) {
        _cleanup_(grubenv_scope_done) GrubEnvScope e = { .stores = stores, .cfg = cfg };
        int r;

        r = grubenv_scope_read(root, &e);
        if (r < 0)
                return r;

        for (size_t i = 0, n = stores->n_stores; i < n; i++) {
                BootStore *s = stores->stores[i];

                if (s->driver != &boot_store_bls || !bls_refers(s))
                        continue;

                r = grubenv_attach(&e, s);
                if (r < 0)
                        return r;

                elsewhere[i] = elsewhere[i] || r > 0;
        }

        return 0;
}

static int grubenv_find(const Root *root, BootStores *stores) {
        size_t n = stores->n_stores;
        _cleanup_free_ bool *elsewhere = NULL;
        int r;

        elsewhere = calloc(n + 1, sizeof(bool));
        if (!elsewhere)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                if (!grub_cfg_reads_bls(stores->stores[i]))
                        continue;

                r = grubenv_resolve_entries(root, stores, stores->stores[i], elsewhere);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < n; i++)
                if (elsewhere[i]) {
                        boot_entry_done(stores->stores[i]->entries);
                        stores->stores[i]->n_entries = 0;
                }

        return 0;
}

int grubenv_load(BootStores *stores, const char *path, Buffer *content, BootStore **ret) {
        _cleanup_(grubenv_done) GrubEnv env = {};
        BootStore *store;
        Line *l;
        int r;

        assert(stores);
        assert(path);
        assert(content);
        assert(ret);

        r = grubenv_parse(content, &env);
        if (r < 0)
                return r;

        r = boot_stores_add(stores, &boot_store_grubenv, path, content, &store);
        if (r < 0)
                return r;

        store->layout = l = calloc(1, sizeof(Line));
        if (!l)
                return -ENOMEM;

        if (grubenv_get(&env, GRUBENV_VARIABLE)) {
                *l = *grubenv_get(&env, GRUBENV_VARIABLE);
                *grubenv_get(&env, GRUBENV_VARIABLE) = (Line) {};
        }

        *ret = store;
        return 0;
}

/* Bring a block back to its size: remove padding, or add some. Return: 0; -ENOSPC if there is too little; -ENOMEM. */
static int grubenv_fit(Buffer *b, size_t size) {
        int r;

        for (; b->size > size; b->size--)
                if (b->data[b->size - 1] != '#')
                        return -ENOSPC;

        /* Removing "#" may have cut into a comment at the end, which was no padding; grubenv_is_block() finds that. */
        if (b->size > 0)
                b->data[b->size] = 0;
        while (b->size < size) {
                r = buffer_append(b, "#", 1);
                if (r < 0)
                        return r;
        }

        return grubenv_is_block(b) ? 0 : -ENOSPC;
}

static int grubenv_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                          const BootEntry **ret_entry, size_t *ret_size) {
        _cleanup_free_ const BootEntry **entries = NULL;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_(line_change_done) LineChange change = { .n_entries = store->n_entries };
        int r;

        entries = calloc(store->n_entries + 1, sizeof(BootEntry *));
        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < store->n_entries; i++)
                entries[i] = store->entries + i;
        change.entries = entries;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        if (store->n_entries > 0) {
                r = line_change(store->layout, &store->content, &prepared, &pieces, &change);
                *ret_entry = change.longest;
                *ret_size = change.size;
                if (r < 0)
                        return r;
        }

        r = pieces_apply(&pieces, &store->content, ret);
        if (r < 0)
                return r;

        r = grubenv_fit(ret, store->content.size);
        if (r < 0)
                buffer_done(ret);
        return r;
}

/* RHEL's 10_linux sets kernelopts to the value of /etc/default/grub. */
static const char *const grubenv_made_from[] = { "default-grub", "grubenv", "grub-cfg", "bls", NULL };

const BootStoreDriver boot_store_grubenv = {
        .name = "grubenv",
        .title = "GRUB environment block",
        .made_from = grubenv_made_from,
        .find = grubenv_find,
        .render = grubenv_render,
        .done = line_store_done,
};
