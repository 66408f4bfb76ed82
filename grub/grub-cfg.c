/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "grub-cfg": the "linux" commands of a grub.cfg that GRUB itself reads.
 */

#include <assert.h>

#include "grub/grub-cfg-layout.h"
#include "grub/grub-cfg-menu.h"

/* An id holds the titles of all menus around an entry, so nested menus can make ids much larger than the file. */
#define GRUB_CFG_IDS_SIZE_MAX (16U * 1024U * 1024U)

/* GRUB puts this and the path of the kernel before the arguments (grub-core/loader/i386/linux.c). */
#define GRUB_CFG_IMAGE_PREFIX "BOOT_IMAGE="

/*
 * Write a word as GRUB passes it to the kernel (grub-core/lib/cmdline.c: grub_create_loader_cmdline()): in double
 * quotes if it has a blank, and with a backslash before each quote and backslash. The kernel gets these bytes too.
 */
static int grub_cfg_append_loader_word(Buffer *b, const char *value) {
        bool quote = strchr(value, ' ');
        int r;

        r = buffer_puts(b, quote ? "\"" : "");
        if (r < 0)
                return r;

        for (;;) {
                size_t n = strcspn(value, "\\'\"");
                const char with_backslash[] = { '\\', value[n] };

                r = buffer_append(b, value, n);
                if (r < 0)
                        return r;

                value += n;
                if (!*value)
                        break;
                r = buffer_append(b, with_backslash, 2);
                if (r < 0)
                        return r;
                value++;
        }

        return buffer_puts(b, quote ? "\"" : "");
}

/*
 * Tokens were read from the text that the kernel gets. Change their offsets and sizes to those of the words in the
 * file. A quote in that text can join several words into one token.
 * @ends: for each word, where it ends in the kernel's text
 */
static void grub_cfg_locate_tokens(Cmdline *c, const ScriptWord *words, const size_t *ends) {
        size_t w = 0;

        for (size_t i = 0; i < c->n_tokens; i++) {
                Token *t = c->tokens + i;
                size_t last = t->offset + t->size - 1;

                while (ends[w] <= t->offset)
                        w++;
                t->offset = words[w].offset;

                while (ends[w] <= last)
                        w++;
                t->size = words[w].offset + words[w].size - t->offset;
        }
}

/* Where new tokens are inserted: after the last token for the kernel that does not share a word with the next one. */
static size_t grub_cfg_insertion_point(const Cmdline *c, size_t kernel_end) {
        for (size_t i = c->n_tokens; i > 0; i--) {
                const Token *t = c->tokens + i - 1;
                size_t end = t->offset + t->size;

                if (!t->for_init && !t->open && (i == c->n_tokens || end <= t[1].offset))
                        return end;
        }

        return kernel_end;
}

/* Read the tokens of an entry from the words after the path of the kernel. */
static int grub_cfg_read_tokens(const ScriptCommand *c, BootEntry *e, size_t *ret_insert_at) {
        const ScriptWord *kernel = c->words + 1;
        _cleanup_buffer_ Buffer image = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_free_ size_t *ends = NULL;
        int r;

        ends = calloc(c->n_words, sizeof(size_t));
        if (!ends)
                return -ENOMEM;

        for (size_t i = 2; i < c->n_words; i++) {
                r = buffer_puts(&text, i > 2 ? " " : "");
                if (r < 0)
                        return r;

                r = grub_cfg_append_loader_word(&text, c->words[i].value);
                if (r < 0)
                        return r;

                ends[i - 2] = text.size;
        }

        r = cmdline_parse(text.data, text.size, &e->cmdline);
        if (r < 0)
                return r;

        grub_cfg_locate_tokens(&e->cmdline, c->words + 2, ends);

        r = grub_cfg_append_loader_word(&image, kernel->value);
        if (r < 0)
                return r;

        e->cmdline_size = strlen(GRUB_CFG_IMAGE_PREFIX) + image.size + (c->n_words > 2) + text.size;

        *ret_insert_at = grub_cfg_insertion_point(&e->cmdline, kernel->offset + kernel->size);
        return 0;
}

static int grub_cfg_read_entry(const Script *script, const ScriptCommand *c, const char *path, BootEntry *e,
                               size_t *ret_insert_at) {
        const char *kernel = c->words[1].value;
        int r;

        r = grub_menu_titles(script, c, &e->title);
        if (r < 0)
                return r;

        e->path = strdup(path);
        e->id = *e->title ? xasprintf("%s | %s", e->title, kernel) : strdup(kernel);
        if (!e->path || !e->id)
                return -ENOMEM;

        if (!*e->title) {
                r = free_and_strdup(&e->title, kernel);
                if (r < 0)
                        return r;
        }

        e->line = c->line;
        e->kind = grub_menu_kind(script, c);
        return grub_cfg_read_tokens(c, e, ret_insert_at);
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

static int grub_cfg_read_entries(BootStore *store, const Script *script, size_t n_linux) {
        GrubCfgLayout *layout = store->layout;
        int r;

        store->entries = calloc(n_linux + 1, sizeof(BootEntry));
        layout->insert_at = calloc(n_linux + 1, sizeof(size_t));
        if (!store->entries || !layout->insert_at)
                return -ENOMEM;

        for (size_t i = 0; i < script->n_commands; i++) {
                size_t n = store->n_entries;

                if (!grub_menu_is_linux(script->commands + i))
                        continue;

                store->n_entries++;
                r = grub_cfg_read_entry(script, script->commands + i, store->path, store->entries + n,
                                        layout->insert_at + n);
                if (r < 0)
                        return r;
        }

        layout->n_linux = store->n_entries;
        return grub_cfg_number_duplicates(store);
}

/* What the commands of a file show. */
typedef struct GrubCfgContent {
        size_t n_linux, n_system;
        size_t ids_size;
        unsigned bls_line;      /* of the first "blscfg"; 0 if there is none */
        unsigned handover_line; /* of the first command that hands over to another file; 0 if there is none */
} GrubCfgContent;

static GrubCfgContent grub_cfg_examine(const Script *script) {
        static const char *const handovers[] = { "configfile", "source", ".", "normal", NULL };
        GrubCfgContent content = {};

        for (size_t i = 0; i < script->n_commands && content.ids_size <= GRUB_CFG_IDS_SIZE_MAX; i++) {
                const ScriptCommand *c = script->commands + i;
                const char *name = c->words[0].value;

                if (grub_menu_is_linux(c)) {
                        content.n_linux++;
                        content.n_system += grub_menu_kind(script, c) == ENTRY_SYSTEM;
                        content.ids_size += grub_menu_id_size(script, c);
                } else if (streq(name, "blscfg") && content.bls_line == 0)
                        content.bls_line = c->line;
                else if (grub_word_is_one_of(name, handovers) && content.handover_line == 0)
                        content.handover_line = c->line;
        }

        return content;
}

static int grub_cfg_fill_store(BootStore *store, const Script *script, const GrubCfgContent *what) {
        GrubCfgLayout *layout;
        int r;

        store->layout = layout = calloc(1, sizeof(GrubCfgLayout));
        if (!layout)
                return -ENOMEM;

        layout->bls_line = what->bls_line;
        r = grub_variables_read(script, &store->content, layout->variables);
        if (r < 0)
                return r;

        return grub_cfg_read_entries(store, script, what->n_linux);
}

int grub_cfg_load(BootStores *stores, const char *path, Buffer *content, bool bls_entries, unsigned *ret_handover) {
        _cleanup_script_ Script script = SCRIPT_NULL;
        ScriptError error;
        BootStore *store;
        GrubCfgContent what;
        int r;

        assert(stores);
        assert(path);
        assert(content);
        assert(ret_handover);

        *ret_handover = 0;

        r = script_parse(content->data, content->size, &script, &error);
        if (r == -EINVAL)
                return boot_stores_problem(stores, path, error.line, "boot-store-syntax", /* fatal= */ true,
                                           "GRUB would refuse this file: %s", error.reason);
        if (r < 0)
                return r;

        what = grub_cfg_examine(&script);
        *ret_handover = what.handover_line;

        if (what.ids_size > GRUB_CFG_IDS_SIZE_MAX)
                return boot_stores_problem(stores, path, 0, "boot-store-too-large", /* fatal= */ true,
                                           "The titles of the menu entries are longer than 16 MiB in total");

        if (what.bls_line > 0 && what.n_system == 0 && !bls_entries)
                return boot_stores_problem(stores, path, what.bls_line, "boot-store-bls-empty", /* fatal= */ true,
                                           "The menu is made of the files in loader/entries (blscfg), and there are "
                                           "none: mount the boot partition, or install a kernel");

        if (what.n_linux == 0 && what.bls_line == 0)
                return 0;

        r = boot_stores_add(stores, &boot_store_grub_cfg, path, content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        r = grub_cfg_fill_store(store, &script, &what);
        return r < 0 ? r : 1;
}

bool grub_cfg_reads_bls(const BootStore *store) {
        const GrubCfgLayout *layout = store->layout;

        return store->driver == &boot_store_grub_cfg && layout->bls_line > 0;
}

GrubVariable *grub_cfg_variable(const BootStore *store, const char *name) {
        GrubCfgLayout *layout = store->layout;

        return grub_variables_get(layout->variables, name);
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
        free(layout->insert_at);
        free(layout);
}

const BootStoreDriver boot_store_grub_cfg = {
        .name = "grub-cfg",
        .title = "GRUB configuration",
        .find = grub_cfg_find,
        .render = grub_cfg_render,
        .done = grub_cfg_done,
};
