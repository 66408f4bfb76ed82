/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "grub-cfg": the "linux" commands of a grub.cfg that GRUB itself reads.
 */

#include <assert.h>
#include <strings.h>

#include "grub/entry-kind.h"
#include "grub/grub-cfg-layout.h"
#include "grub/grub-cfg-menu.h"
#include "grub/grub-other.h"

/* An id holds the titles of all menus around an entry, so nested menus can make ids much larger than the file. */
#define GRUB_CFG_IDS_SIZE_MAX (16U * 1024U * 1024U)

/* The same for the command lines, in which variables are replaced by their values. */
#define GRUB_CFG_TEXTS_SIZE_MAX (64U * 1024U * 1024U)

/* Make the entry of a load. Its tokens, and the titles, move. */
static int grub_cfg_fill_entry(GrubLoad *l, const char *kernel, const char *path, unsigned line, char **titles,
                               BootEntry *e) {
        int r;

        e->title = TAKE_PTR(*titles);
        e->path = strdup(path);
        e->id = *e->title ? xasprintf("%s | %s", e->title, kernel) : strdup(kernel);
        e->kernel = strdup(kernel);
        if (!e->path || !e->id || !e->kernel)
                return -ENOMEM;

        if (!*e->title) {
                r = free_and_strdup(&e->title, kernel);
                if (r < 0)
                        return r;
        }

        e->line = line;
        e->kind = l->kind;
        e->cmdline = l->cmdline;
        l->cmdline = CMDLINE_NULL;
        e->cmdline_size = l->cmdline_size;
        return 0;
}

static int grub_cfg_read_entry(const Script *script, GrubLoad *l, const char *path, BootEntry *e) {
        const ScriptCommand *c = script->commands + l->command;
        _cleanup_free_ char *titles = NULL;
        int r;

        r = grub_menu_titles(script, c, &titles);
        return r < 0 ? r : grub_cfg_fill_entry(l, c->words[1].value, path, c->line, &titles, e);
}

static int grub_cfg_compare_entries(const void *a, const void *b) {
        const BootEntry *x = *(const BootEntry *const *) a, *y = *(const BootEntry *const *) b;
        int r;

        r = strcmp(x->id, y->id);
        if (r != 0)
                return r;

        return (x > y) - (x < y);
}

/* Whether an id looks like one that got a number: "/boot/vmlinuz#2". */
static bool grub_cfg_id_is_numbered(const char *id) {
        const char *hash = strrchr(id, '#');

        return hash && hash[1] && strspn(hash + 1, "0123456789") == strlen(hash + 1);
}

/* Number entries with the same id: "ID", "ID#2", "ID#3". If ID itself looks numbered, the first one is "ID#1". */
static int grub_cfg_number_group(BootEntry **group, size_t n) {
        bool all = grub_cfg_id_is_numbered(group[0]->id);

        for (size_t i = all ? 0 : 1; i < n; i++) {
                char *id = xasprintf("%s#%zu", group[i]->id, i + 1);

                if (!id)
                        return -ENOMEM;

                free(group[i]->id);
                group[i]->id = id;
        }

        return 0;
}

/* Make ids unique: entries with the same titles and the same kernel have the same id until here. */
static int grub_cfg_number_duplicates(BootStore *store) {
        _cleanup_free_ BootEntry **sorted = NULL;
        size_t n;
        int r;

        sorted = calloc(store->n_entries + 1, sizeof(BootEntry *));
        if (!sorted)
                return -ENOMEM;

        for (size_t i = 0; i < store->n_entries; i++)
                sorted[i] = store->entries + i;
        qsort(sorted, store->n_entries, sizeof(BootEntry *), grub_cfg_compare_entries);

        for (size_t i = 0; i < store->n_entries; i += n) {
                for (n = 1; i + n < store->n_entries && streq(sorted[i + n]->id, sorted[i]->id); n++)
                        ;
                r = grub_cfg_number_group(sorted + i, n);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* What the commands of a file show. */
typedef struct GrubCfgContent {
        const GrubSource *source;
        KernelFiles files;
        size_t iso_menu; /* the last menu that makes a device of an ISO image ("loopback"); SCRIPT_NO_PARENT: none */
        GrubOthers others;
        GrubLoad *loads;
        size_t n_loads, n_system;
        size_t ids_size, texts_size;
        unsigned bls_line;      /* of the first "blscfg"; 0 if there is none */
        char *bls_path;         /* as GrubCfgLayout.bls_path */
        unsigned handover_line; /* of the first command that hands over to another file; 0 if there is none */
} GrubCfgContent;

static void grub_cfg_content_done(GrubCfgContent *content) {
        for (size_t i = 0; i < content->n_loads; i++)
                grub_load_done(content->loads + i);
        free(content->loads);
        free(content->bls_path);
        grub_others_done(&content->others);
        kernel_files_done(&content->files);
}

static int grub_cfg_compare_loads(const void *a, const void *b) {
        const GrubLoad *x = a, *y = b;

        return (x->command > y->command) - (x->command < y->command);
}

/* Entries that are not changed. They come after those that are. */
static int grub_cfg_read_others(BootStore *store, GrubOthers *others) {
        for (size_t i = 0; i < others->n_others; i++) {
                GrubOther *o = others->others + i;
                BootEntry *e = store->entries + store->n_entries;
                int r;

                store->n_entries++;
                r = grub_cfg_fill_entry(&o->load, o->load.kernel, o->path, o->line, &o->titles, e);
                if (r < 0)
                        return r;

                e->by_default = o->by_default;
        }

        return 0;
}

static int grub_cfg_read_entries(BootStore *store, const Script *script, GrubCfgContent *what) {
        GrubCfgLayout *layout = store->layout;
        int r;

        store->entries = calloc(what->n_loads + what->others.n_others + 1, sizeof(BootEntry));
        layout->insert_at = calloc(what->n_loads + 1, sizeof(size_t));
        if (!store->entries || !layout->insert_at)
                return -ENOMEM;

        if (what->n_loads > 0)
                qsort(what->loads, what->n_loads, sizeof(GrubLoad), grub_cfg_compare_loads);
        for (size_t i = 0; i < what->n_loads; i++) {
                layout->insert_at[i] = what->loads[i].insert_at;
                store->n_entries++;
                r = grub_cfg_read_entry(script, what->loads + i, store->path, store->entries + i);
                if (r < 0)
                        return r;
        }

        layout->n_linux = store->n_entries;
        r = grub_cfg_read_others(store, &what->others);
        return r < 0 ? r : grub_cfg_number_duplicates(store);
}

static bool grub_cfg_is_too_large(const GrubCfgContent *content) {
        return content->ids_size > GRUB_CFG_IDS_SIZE_MAX || content->texts_size > GRUB_CFG_TEXTS_SIZE_MAX;
}

/* Whether a command makes a device of an ISO image: "loopback DEVICE FILE". */
static int grub_cfg_opens_iso(const GrubScope *scope, const Script *script, const ScriptCommand *c) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        const GrubForm *last;
        int r;

        if (!streq(c->words[0].value, "loopback") || c->n_words < 3)
                return 0;

        r = grub_scope_expand(scope, script, c->words + c->n_words - 1, &e);
        if (r < 0)
                return r;

        last = e.forms + e.n_forms - 1;
        return last->n_args > 0 && strlen(last->args.data) >= 4 &&
               strcasecmp(last->args.data + strlen(last->args.data) - 4, ".iso") == 0;
}

/* Find out what a load boots: by its menus, by the file that it loads, and by what it hands to the kernel. */
static int grub_cfg_find_kind(GrubCfgContent *content, const GrubSource *source, GrubLoad *l) {
        const Script *script = &source->script;
        const ScriptCommand *c = script->commands + l->command;
        int r;

        r = entry_kind_of_kernel(&content->files, l->kernel, &l->kind);
        if (r < 0)
                return r;
        /* The file says more than a name of the menu, save that a foreign system can have any kernel. */
        if (l->kind == ENTRY_SYSTEM || (l->kind == ENTRY_RESCUE && grub_menu_kind(script, c) == ENTRY_FOREIGN))
                l->kind = grub_menu_kind(script, c);
        if (l->kind == ENTRY_SYSTEM)
                l->kind = entry_kind_of_cmdline(&l->cmdline);

        for (size_t i = c->parent; l->kind == ENTRY_SYSTEM && i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                if (source == content->source && i == content->iso_menu)
                        l->kind = ENTRY_FOREIGN;
        return 0;
}

/* An entry that was found last is not changed. Find out what it boots. */
static int grub_cfg_settle_other(GrubCfgContent *content, const GrubSource *source) {
        GrubOther *o = content->others.others + content->others.n_others - 1;
        int r;

        content->ids_size += grub_menu_id_size(&source->script, source->script.commands + o->load.command);
        content->texts_size += o->load.cmdline_size;
        r = grub_cfg_find_kind(content, source, &o->load);
        if (r >= 0 && o->load.kind == ENTRY_SYSTEM)
                o->load.kind = entry_name_is_snapshot(o->load.kernel) ? ENTRY_RESCUE : ENTRY_UNEDITED;
        return r;
}

static int grub_cfg_add_load(GrubCfgContent *content, const GrubScope *scope, const ScriptCommand *c) {
        const Script *script = &content->source->script;
        GrubLoad *l;
        int r;

        r = grow(&content->loads, content->n_loads, sizeof(GrubLoad));
        if (r < 0)
                return r;

        l = content->loads + content->n_loads;
        r = grub_load_read(scope, script, c, l);
        if (r < 0)
                return r;

        content->n_loads++;
        r = grub_cfg_find_kind(content, content->source, l);
        if (r < 0)
                return r;

        content->n_system += l->kind == ENTRY_SYSTEM;
        content->ids_size += grub_menu_id_size(script, c);
        content->texts_size += l->cmdline_size;
        return 0;
}

/* A kernel in a snapshot is one of an older state, unless all are: after a rollback the system itself is a snapshot. */
static void grub_cfg_settle_snapshots(GrubCfgContent *content) {
        size_t n = 0;

        for (size_t i = 0; i < content->n_loads; i++)
                n += content->loads[i].kind == ENTRY_SYSTEM && entry_name_is_snapshot(content->loads[i].kernel);
        if (n == content->n_system)
                return;

        content->n_system -= n;
        for (size_t i = 0; i < content->n_loads; i++)
                if (content->loads[i].kind == ENTRY_SYSTEM && entry_name_is_snapshot(content->loads[i].kernel))
                        content->loads[i].kind = ENTRY_RESCUE;
}

/* The last form of a word, as a path without "(DEVICE)". Return: 0 or -ENOMEM; *ret stays NULL if it is no path. */
static int grub_cfg_read_path(const GrubScope *scope, const Script *script, const ScriptWord *w, char **ret) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        const char *path, *p;
        int r;

        r = grub_scope_expand(scope, script, w, &e);
        if (r < 0 || e.forms[e.n_forms - 1].n_args == 0)
                return r;

        path = e.forms[e.n_forms - 1].args.data;
        path = startswith(path, "--path=") ?: path;
        p = *path == '(' ? strchr(path, ')') : NULL;
        path = p ? p + 1 : path;
        if (*path != '/' || endswith(path, ".conf"))
                return 0;

        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

/* "blscfg [-p|--path DIR]" (GRUB 2.14: commands/blsuki.c) */
static int grub_cfg_read_blscfg(GrubCfgContent *content, const GrubScope *scope, const ScriptCommand *c) {
        static const char *const options[] = { "-p", "--path", NULL };

        content->bls_line = c->line;
        content->others.blscfg = true;
        for (size_t i = 1; i < c->n_words; i++) {
                bool next = grub_word_is_one_of(c->words[i].value, options);

                if ((next && i + 1 < c->n_words) || startswith(c->words[i].value, "--path="))
                        return grub_cfg_read_path(scope, &content->source->script, c->words + i + next,
                                                  &content->bls_path);
        }

        return 0;
}

/* See GrubVisit. */
static int grub_cfg_examine(void *userdata, const GrubScope *scope, const GrubSource *source, const ScriptCommand *c) {
        static const char *const handovers[] = { "configfile", "source", ".", "normal", NULL };
        const char *name = c->words[0].value;
        GrubCfgContent *content = userdata;
        int r;

        if (grub_cfg_is_too_large(content))
                return 0;

        r = grub_others_examine(&content->others, scope, source, c, source == content->source);
        if (r > 0)
                r = grub_cfg_settle_other(content, source);
        if (r < 0 || source != content->source)
                return r;

        if (streq(name, "blscfg") && content->bls_line == 0) {
                r = grub_cfg_read_blscfg(content, scope, c);
                if (r < 0)
                        return r;
        }
        if (grub_word_is_one_of(name, handovers) && (content->handover_line == 0 || c->line < content->handover_line))
                content->handover_line = c->line;

        r = grub_cfg_opens_iso(scope, &source->script, c);
        if (r < 0)
                return r;
        if (r > 0)
                content->iso_menu = c->parent;

        r = grub_load_is(scope, &source->script, c);
        return r <= 0 ? r : grub_cfg_add_load(content, scope, c);
}

static int grub_cfg_fill_store(BootStore *store, const Script *script, GrubScope *scope, GrubCfgContent *what) {
        GrubCfgLayout *layout;
        int r;

        store->layout = layout = calloc(1, sizeof(GrubCfgLayout));
        if (!layout) {
                grub_scope_free(scope);
                return -ENOMEM;
        }

        layout->scope = scope;
        layout->bls_line = what->bls_line;
        layout->bls_path = TAKE_PTR(what->bls_path);
        r = grub_variables_read(script, &store->content, layout->variables);
        if (r < 0)
                return r;

        return grub_cfg_read_entries(store, script, what);
}

/* Say so if everything that boots this system is not changed. Whoever changes it by hand changes what runs. */
static int grub_cfg_refuse_others(BootStores *stores, const char *path, const GrubCfgContent *what) {
        if (what->n_system > 0 || what->bls_line > 0)
                return 0;

        for (size_t i = 0; i < what->others.n_others; i++) {
                const GrubOther *o = what->others.others + i;

                if (o->load.kind != ENTRY_UNEDITED)
                        continue;

                stores->none = true;
                if (what->others.xen_line > 0)
                        return boot_stores_problem(stores, path, what->others.xen_line, "boot-store-xen",
                                                   /* fatal= */ true,
                                                   "All entries start Xen, and gtuned does not change those: boot an "
                                                   "entry without Xen, or add the tokens to GRUB_CMDLINE_LINUX of "
                                                   "/etc/default/grub, make this file anew with grub-mkconfig, and "
                                                   "reboot");

                return boot_stores_problem(stores, o->path, o->line,
                                           "boot-store-unedited", /* fatal= */ true,
                                           "Only entries that gtuned does not change boot this system: add the tokens "
                                           "to this line by hand, and reboot");
        }

        return 0;
}

/* Make a store of what was read, or say why not. Return: as grub_cfg_load(). */
static int grub_cfg_add_store(BootStores *stores, const char *path, Buffer *content, bool bls_entries,
                              GrubScope **scope, GrubCfgContent *what) {
        BootStore *store;
        int r;

        if (grub_cfg_is_too_large(what))
                return boot_stores_problem(stores, path, 0, "boot-store-too-large", /* fatal= */ true,
                                           "The titles of the menu entries are longer than 16 MiB in total, or their "
                                           "command lines than 64 MiB");

        if (what->bls_line > 0 && what->n_system == 0 && !bls_entries && !what->bls_path)
                return boot_stores_problem(stores, path, what->bls_line, "boot-store-bls-empty", /* fatal= */ true,
                                           "The menu is made of the files in loader/entries (blscfg), and there are "
                                           "none: mount the boot partition, or install a kernel");

        if (what->n_loads == 0 && what->bls_line == 0 && what->others.n_others == 0)
                return 0;

        r = grub_cfg_refuse_others(stores, path, what);
        if (r < 0)
                return r;

        r = boot_stores_add(stores, &boot_store_grub_cfg, path, content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        r = grub_cfg_fill_store(store, &what->source->script, TAKE_PTR(*scope), what);
        return r < 0 ? r : 1;
}

int grub_cfg_load(const Root *root, BootStores *stores, const char *path, Buffer *content, bool bls_entries,
                  unsigned *ret_handover) {
        _cleanup_(grub_source_done) GrubSource source = {};
        _cleanup_(grub_cfg_content_done) GrubCfgContent what = {
                .source = &source, .files.root = root, .iso_menu = SCRIPT_NO_PARENT,
        };
        _cleanup_(grub_scope_freep) GrubScope *scope = NULL;
        ScriptError error;
        int r;

        assert(stores);
        assert(path);
        assert(content);
        assert(ret_handover);

        *ret_handover = 0;
        source.path = strdup(path);
        if (!source.path)
                return -ENOMEM;

        r = script_parse(content->data, content->size, &source.script, &error);
        if (r == -EINVAL)
                return boot_stores_problem(stores, path, error.line, "boot-store-syntax", /* fatal= */ true,
                                           "GRUB drops the command at this line and reads on after it, so that "
                                           "entries can be missing from its menu: %s; mend the line, and check the "
                                           "file with grub-script-check", error.reason);
        if (r < 0)
                return r;

        r = grub_scope_run(root, &source, grub_cfg_examine, &what, &scope);
        if (r < 0)
                return r;

        grub_cfg_settle_snapshots(&what);
        *ret_handover = what.handover_line;
        return grub_cfg_add_store(stores, path, content, bls_entries, &scope, &what);
}

bool grub_cfg_reads_bls(const BootStore *store) {
        const GrubCfgLayout *layout = store->layout;

        return store->driver == &boot_store_grub_cfg && layout->bls_line > 0;
}

const char *grub_cfg_bls_path(const BootStore *store) {
        const GrubCfgLayout *layout = store->layout;

        return layout->bls_path;
}

GrubVariable *grub_cfg_variable(const BootStore *store, const char *name) {
        GrubCfgLayout *layout = store->layout;

        return grub_variables_get(layout->variables, name);
}

void grub_cfg_forget_variables(BootStore *store) {
        GrubCfgLayout *layout = store->layout;

        if (store->driver != &boot_store_grub_cfg)
                return;

        grub_scope_free(layout->scope);
        layout->scope = NULL;
}

const char *grub_cfg_value(const BootStore *store, const char *name, bool *ret_certain) {
        const GrubCfgLayout *layout = store->layout;

        return grub_scope_get(layout->scope, name, ret_certain);
}

int grub_cfg_attach(BootStore *store, GrubVariable *v, BootEntry *e) {
        BootEntry *entries;
        int r;

        r = grow(&v->entries, v->n_entries, sizeof(size_t));
        if (r < 0)
                return r;

        /* The array was allocated with its exact size, which grow() does not expect. */
        entries = reallocarray(store->entries, store->n_entries + 1, sizeof(BootEntry));
        if (!entries)
                return -ENOMEM;

        store->entries = entries;
        v->entries[v->n_entries++] = store->n_entries;
        store->entries[store->n_entries++] = *e;
        *e = (BootEntry) {};
        return 0;
}

static void grub_cfg_done(BootStore *store) {
        GrubCfgLayout *layout = store->layout;

        if (!layout)
                return;

        grub_variables_done(layout->variables);
        grub_scope_free(layout->scope);
        free(layout->insert_at);
        free(layout->bls_path);
        free(layout);
}

/* grub-mkconfig writes the value of /etc/default/grub, and grubby copies the default entry. */
static const char *const grub_cfg_made_from[] = { "default-grub", "grub-cfg", "bls", NULL };

const BootStoreDriver boot_store_grub_cfg = {
        .name = "grub-cfg",
        .title = "GRUB configuration",
        .made_from = grub_cfg_made_from,
        .find = grub_cfg_find,
        .render = grub_cfg_render,
        .done = grub_cfg_done,
};
