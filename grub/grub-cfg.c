/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "grub-cfg": the "linux" commands of a grub.cfg that GRUB itself reads, wherever it lies.
 */

#include <assert.h>

#include "grub/grub-cfg.h"
#include "grub/grub-variable.h"
#include "grub/script.h"
#include "grub/stores.h"

/* Ids hold the titles of all menus around an entry. A file that makes more of them than this is no menu. */
#define IDS_SIZE_MAX (16U * 1024U * 1024U)

/* GRUB puts this and the kernel's path before the words of the command (grub-core/loader/i386/linux.c). */
#define IMAGE_PREFIX "BOOT_IMAGE="

typedef struct Layout {
        size_t *insert_at; /* of each "linux" command: behind its last token that is for the kernel */
        size_t n_linux;    /* so many entries come first; those behind have the line of a variable */
        unsigned bls_line; /* 0: no "blscfg" */
        GrubVariable variables[GRUB_VARIABLES];
} Layout;

static bool word_is_one_of(const char *word, const char *const *list) {
        for (; *list; list++)
                if (streq(word, *list))
                        return true;

        return false;
}

static bool is_linux(const ScriptCommand *c) {
        static const char *const names[] = { "linux", "linux16", "linuxefi", NULL };

        return c->n_words >= 2 && word_is_one_of(c->words[0].value, names);
}

/* The title of a menuentry or submenu: its first argument that is no option (grub-core/commands/menuentry.c). */
static const char *menu_title(const ScriptCommand *c) {
        static const char *const with_value[] = {
                "--class", "--users", "--hotkey", "--source", "--id", "$menuentry_id_option",
                "${menuentry_id_option}", NULL
        };

        for (size_t i = 1; i < c->n_words; i++) {
                const char *word = c->words[i].value;

                if (word_is_one_of(word, with_value))
                        i++;
                else if (streq(word, "--"))
                        return i + 1 < c->n_words ? c->words[i + 1].value : "";
                else if (!startswith(word, "--"))
                        return word;
        }

        return "";
}

/* grub-mkconfig's own ids say "recovery" in every language: gnulinux-VERSION-recovery-UUID. */
static bool has_recovery_id(const ScriptCommand *c) {
        for (size_t i = 1; i < c->n_words; i++)
                if (startswith(c->words[i].value, "gnulinux-") && strstr(c->words[i].value, "-recovery-"))
                        return true;

        return false;
}

static bool is_rescue_menu(const ScriptCommand *c) {
        const char *title = menu_title(c);

        return strcasestr(title, "rescue") || strcasestr(title, "recovery mode") || has_recovery_id(c);
}

/* 30_os-prober ends the titles of what it finds in "(on /dev/sda1)". */
static bool is_foreign_menu(const ScriptCommand *c) {
        const char *title = menu_title(c), *on = NULL;

        for (const char *p = title; (p = strstr(p, "(on /dev/")); p++)
                on = p;

        return on && endswith(on, ")");
}

static bool any_menu(const Script *script, const ScriptCommand *c, bool (*test)(const ScriptCommand *menu)) {
        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                if (test(script->commands + i))
                        return true;

        return false;
}

static EntryKind entry_kind(const Script *script, const ScriptCommand *c) {
        const char *path = c->words[1].value, *slash = strrchr(path, '/'), *kernel = slash ? slash + 1 : path;

        if (startswith(kernel, "memtest"))
                return ENTRY_MEMTEST;
        if (c->os_prober || any_menu(script, c, is_foreign_menu))
                return ENTRY_FOREIGN;
        if (strcasestr(kernel, "rescue") || any_menu(script, c, is_rescue_menu))
                return ENTRY_RESCUE;

        return ENTRY_SYSTEM;
}

/* The titles of all menus around a command, the outermost first, joined with " > ". */
static int format_titles(const Script *script, const ScriptCommand *c, char **ret) {
        const char *titles[SCRIPT_DEPTH_MAX + 1];
        Buffer b = BUFFER_NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                titles[n++] = menu_title(script->commands + i);

        while (n > 0 && r >= 0) {
                r = buffer_puts(&b, titles[--n]);
                if (r >= 0 && n > 0)
                        r = buffer_puts(&b, " > ");
        }

        if (r >= 0 && !b.data)
                r = buffer_puts(&b, "");
        if (r < 0) {
                buffer_done(&b);
                return r;
        }

        *ret = b.data;
        return 0;
}

/*
 * Write a word as GRUB hands it to the kernel (grub-core/lib/cmdline.c: grub_create_loader_cmdline()): with
 * a blank inside it is put into double quotes, and quotes and backslashes get a backslash. The kernel sees both.
 */
static int append_loader_word(Buffer *b, const char *value) {
        bool quote = strchr(value, ' ');
        int r;

        r = buffer_puts(b, quote ? "\"" : "");
        for (; r >= 0 && *value; value++) {
                if (strchr("\\'\"", *value))
                        r = buffer_append(b, "\\", 1);
                if (r >= 0)
                        r = buffer_append(b, value, 1);
        }
        if (r >= 0 && quote)
                r = buffer_append(b, "\"", 1);

        return r;
}

/*
 * Tokens refer to what the kernel is given; let them refer to the words in the file. A quote that the kernel sees can
 * make one token of several words.
 * @ends: where in the kernel's text each word ends
 */
static void locate_tokens(Cmdline *c, const ScriptWord *words, const size_t *ends) {
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

/* Behind the last token that is for the kernel, if what comes then begins in a word of its own. */
static size_t insertion_point(const Cmdline *c, size_t kernel_end) {
        for (size_t i = c->n_tokens; i > 0; i--) {
                const Token *t = c->tokens + i - 1;
                size_t end = t->offset + t->size;

                if (!t->for_init && !t->open && (i == c->n_tokens || end <= t[1].offset))
                        return end;
        }

        return kernel_end;
}

/* Fill in the tokens of an entry from the words behind the kernel's path. */
static int read_tokens(const ScriptCommand *c, BootEntry *e, size_t *ret_insert_at) {
        const ScriptWord *kernel = c->words + 1;
        _cleanup_buffer_ Buffer image = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_free_ size_t *ends = NULL;
        int r;

        ends = calloc(c->n_words, sizeof(size_t));
        if (!ends)
                return -ENOMEM;

        for (size_t i = 2; i < c->n_words; i++) {
                r = i > 2 ? buffer_append(&text, " ", 1) : 0;
                if (r >= 0)
                        r = append_loader_word(&text, c->words[i].value);
                if (r < 0)
                        return r;

                ends[i - 2] = text.size;
        }

        r = cmdline_parse(text.data, text.size, &e->cmdline);
        if (r < 0)
                return r;

        locate_tokens(&e->cmdline, c->words + 2, ends);

        r = append_loader_word(&image, kernel->value);
        if (r < 0)
                return r;

        e->cmdline_size = strlen(IMAGE_PREFIX) + image.size + (c->n_words > 2) + text.size;

        *ret_insert_at = insertion_point(&e->cmdline, kernel->offset + kernel->size);
        return 0;
}

static int read_entry(const Script *script, const ScriptCommand *c, const char *path, BootEntry *e,
                      size_t *ret_insert_at) {
        const char *kernel = c->words[1].value;
        int r;

        r = format_titles(script, c, &e->title);
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
        e->kind = entry_kind(script, c);
        return read_tokens(c, e, ret_insert_at);
}

static int compare_entries(const void *a, const void *b) {
        const BootEntry *x = *(const BootEntry *const *) a, *y = *(const BootEntry *const *) b;
        int r;

        r = strcmp(x->id, y->id);
        if (r != 0)
                return r;

        return (x > y) - (x < y);
}

/* Whether an id looks as if it had a number already: "/boot/vmlinuz#2". */
static bool ends_in_number(const char *id) {
        const char *hash = strrchr(id, '#');

        return hash && hash[1] && strspn(hash + 1, "0123456789") == strlen(hash + 1);
}

/* Entries with the same id. The first one has no number, unless that could be taken for the id of another one. */
static int number_group(BootEntry **group, size_t n) {
        bool all = ends_in_number(group[0]->id);

        for (size_t i = all ? 0 : 1; i < n; i++) {
                char *id = xasprintf("%s#%zu", group[i]->id, i + 1);

                if (!id)
                        return -ENOMEM;

                free(group[i]->id);
                group[i]->id = id;
        }

        return 0;
}

/* Entries with the same titles and the same kernel are told apart by counting them. */
static int number_duplicates(BootStore *store) {
        _cleanup_free_ BootEntry **sorted = NULL;
        size_t n;
        int r = 0;

        sorted = calloc(store->n_entries + 1, sizeof(BootEntry *));
        if (!sorted)
                return -ENOMEM;

        for (size_t i = 0; i < store->n_entries; i++)
                sorted[i] = store->entries + i;
        qsort(sorted, store->n_entries, sizeof(BootEntry *), compare_entries);

        for (size_t i = 0; r >= 0 && i < store->n_entries; i += n) {
                for (n = 1; i + n < store->n_entries && streq(sorted[i + n]->id, sorted[i]->id); n++)
                        ;
                r = number_group(sorted + i, n);
        }

        return r;
}

static int read_entries(BootStore *store, const Script *script, size_t n_linux) {
        Layout *layout = store->layout;
        int r;

        store->entries = calloc(n_linux + 1, sizeof(BootEntry));
        layout->insert_at = calloc(n_linux + 1, sizeof(size_t));
        if (!store->entries || !layout->insert_at)
                return -ENOMEM;

        for (size_t i = 0; i < script->n_commands; i++) {
                size_t n = store->n_entries;

                if (!is_linux(script->commands + i))
                        continue;

                store->n_entries++;
                r = read_entry(script, script->commands + i, store->path, store->entries + n,
                               layout->insert_at + n);
                if (r < 0)
                        return r;
        }

        layout->n_linux = store->n_entries;
        return number_duplicates(store);
}

/* What a file is, told by its commands. */
typedef struct Content {
        size_t n_linux, n_system;
        size_t ids_size;
        unsigned bls_line;      /* 0: none */
        unsigned handover_line; /* 0: none */
} Content;

static size_t id_size(const Script *script, const ScriptCommand *c) {
        size_t n = strlen(c->words[1].value) + strlen(" | ");

        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                n += strlen(menu_title(script->commands + i)) + strlen(" > ");

        return n;
}

static Content examine_commands(const Script *script) {
        static const char *const handovers[] = { "configfile", "source", ".", "normal", NULL };
        Content content = {};

        for (size_t i = 0; i < script->n_commands && content.ids_size <= IDS_SIZE_MAX; i++) {
                const ScriptCommand *c = script->commands + i;
                const char *name = c->words[0].value;

                if (is_linux(c)) {
                        content.n_linux++;
                        content.n_system += entry_kind(script, c) == ENTRY_SYSTEM;
                        content.ids_size += id_size(script, c);
                } else if (streq(name, "blscfg") && content.bls_line == 0)
                        content.bls_line = c->line;
                else if (word_is_one_of(name, handovers) && content.handover_line == 0)
                        content.handover_line = c->line;
        }

        return content;
}

static int fill_store(BootStore *store, const Script *script, const Content *what) {
        Layout *layout;
        int r;

        store->layout = layout = calloc(1, sizeof(Layout));
        if (!layout)
                return -ENOMEM;

        layout->bls_line = what->bls_line;
        r = grub_variables_read(script, &store->content, layout->variables);
        return r < 0 ? r : read_entries(store, script, what->n_linux);
}

int grub_cfg_load(BootStores *stores, const char *path, Buffer *content, bool bls_entries, unsigned *ret_handover) {
        _cleanup_script_ Script script = SCRIPT_NULL;
        ScriptError error;
        BootStore *store;
        Content what;
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

        what = examine_commands(&script);
        *ret_handover = what.handover_line;

        if (what.ids_size > IDS_SIZE_MAX)
                return boot_stores_problem(stores, path, 0, "boot-store-too-large", /* fatal= */ true,
                                           "The titles of the menu entries are too long altogether");

        if (what.bls_line > 0 && what.n_system == 0 && !bls_entries)
                return boot_stores_problem(stores, path, what.bls_line, "boot-store-bls-empty", /* fatal= */ true,
                                           "The menu is made of the files in loader/entries (blscfg), and there are "
                                           "none: mount the boot partition, or install a kernel");

        if (what.n_linux == 0 && what.bls_line == 0)
                return 0;

        r = boot_stores_add(stores, &boot_store_grub_cfg, path, content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        r = fill_store(store, &script, &what);
        return r < 0 ? r : 1;
}

bool grub_cfg_reads_bls(const BootStore *store) {
        const Layout *layout = store->layout;

        return store->driver == &boot_store_grub_cfg && layout->bls_line > 0;
}

GrubVariable *grub_cfg_variable(const BootStore *store, const char *name) {
        Layout *layout = store->layout;

        return grub_variables_get(layout->variables, name);
}

int grub_cfg_attach(BootStore *store, GrubVariable *v, BootEntry *e) {
        BootEntry *entries;
        int r;

        r = grow(&v->entries, v->n_entries, sizeof(size_t));
        if (r < 0)
                return r;

        /* The array was made with the exact size, so it cannot grow by itself. */
        entries = reallocarray(store->entries, store->n_entries + 1, sizeof(BootEntry));
        if (!entries)
                return -ENOMEM;

        store->entries = entries;
        v->entries[v->n_entries++] = store->n_entries;
        store->entries[store->n_entries++] = *e;
        *e = (BootEntry) {};
        return 0;
}

/* Whether a blank is preceded by a backslash that makes it part of a word, or by what GRUB does not see. */
static bool is_bound(const char *text, size_t pos) {
        bool bound = false;

        if (pos > 0 && text[pos - 1] == '\r')
                return true;

        for (; pos > 0 && strchr("\\\r", text[pos - 1]); pos--)
                bound ^= text[pos - 1] == '\\';

        return bound;
}

/* Where to begin cutting to take a word away together with the blanks before it. */
static size_t cut_begin(const Buffer *content, size_t pos, size_t bound) {
        while (pos > bound && strchr(" \t", content->data[pos - 1]) && !is_bound(content->data, pos - 1))
                pos--;

        return pos;
}

/* GRUB refuses a file that ends in a line continuation, so it goes with the last word behind it. */
static size_t cut_continuation(const Buffer *content, size_t pos, size_t bound) {
        for (;;) {
                size_t p = pos;

                if (p == bound || content->data[p - 1] != '\n')
                        return pos;

                p--;
                while (p > bound && content->data[p - 1] == '\r')
                        p--;
                if (p == bound || content->data[p - 1] != '\\')
                        return pos;

                pos = cut_begin(content, p - 1, bound);
        }
}

static int cut_word(Rewrite *w, const Token *t) {
        size_t begin, end = t->offset + t->size;

        begin = cut_begin(w->from, t->offset, w->done);
        if (end == w->from->size)
                begin = cut_continuation(w->from, begin, w->done);

        return rewrite_replace(w, begin, end - begin, NULL);
}

/*
 * Apply edits to one entry. Tokens are removed with the blanks before them, and added behind the last one for the
 * kernel with one blank before, so that one undoes the other.
 */
static int render_entry(Rewrite *w, const PreparedEdits *edits, const BootEntry *e, size_t insert_at,
                        size_t *ret_size) {
        _cleanup_free_ bool *removed = NULL;
        size_t size = e->cmdline_size;
        bool added = false;
        int r;

        removed = calloc(e->cmdline.n_tokens + 1, sizeof(bool));
        if (!removed)
                return -ENOMEM;

        edits_mark(edits, w->from, e, removed);

        for (size_t i = 0; i < e->cmdline.n_tokens; i++)
                if (removed[i]) {
                        r = cut_word(w, e->cmdline.tokens + i);
                        if (r < 0)
                                return r;

                        size -= e->cmdline.tokens[i].size + 1;
                }

        for (size_t i = 0; i < edits->n_edits; i++) {
                if (!edit_adds(edits->edits + i, e, removed))
                        continue;

                r = rewrite_replace(w, w->done > insert_at ? w->done : insert_at, 0, " ");
                if (r >= 0)
                        r = buffer_puts(w->to, edits->edits[i].text);
                if (r < 0)
                        return r;

                size += strlen(edits->edits[i].text) + 1;
                added = true;
        }

        *ret_size = size;
        return added && size > CMDLINE_MAX ? -E2BIG : 0;
}

/* Write the pieces that stand before a place of the file. */
static int write_pieces(Rewrite *w, const Pieces *pieces, size_t *next, size_t before) {
        int r = 0;

        for (; r >= 0 && *next < pieces->n_pieces && pieces->pieces[*next].offset < before; (*next)++) {
                const Piece *p = pieces->pieces + *next;

                r = rewrite_replace(w, p->offset, p->size, p->text);
        }

        return r;
}

static int render_file(Rewrite *w, const BootStore *store, const PreparedEdits *edits, const Pieces *pieces,
                       const BootEntry **ret_entry, size_t *ret_size) {
        const Layout *layout = store->layout;
        size_t next = 0;
        int r;

        for (size_t i = 0; i < layout->n_linux; i++) {
                if (store->entries[i].kind != ENTRY_SYSTEM)
                        continue;

                *ret_entry = store->entries + i;
                r = write_pieces(w, pieces, &next, layout->insert_at[i]);
                if (r >= 0)
                        r = render_entry(w, edits, store->entries + i, layout->insert_at[i], ret_size);
                if (r < 0)
                        return r;
        }

        r = write_pieces(w, pieces, &next, SIZE_MAX);
        return r < 0 ? r : rewrite_finish(w);
}

static int grub_cfg_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                           const BootEntry **ret_entry, size_t *ret_size) {
        const Layout *layout = store->layout;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_buffer_ Buffer to = BUFFER_NULL;
        Rewrite w = { .from = &store->content, .to = &to };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        for (size_t i = 0; i < GRUB_VARIABLES && r >= 0; i++)
                r = grub_variable_render(store, layout->variables + i, &prepared, &pieces, ret_entry, ret_size);
        if (r < 0)
                return r;

        pieces_sort(&pieces);
        r = render_file(&w, store, &prepared, &pieces, ret_entry, ret_size);
        if (r < 0)
                return r;

        *ret = to;
        to = BUFFER_NULL;
        return 0;
}

static void grub_cfg_done(BootStore *store) {
        Layout *layout = store->layout;

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
