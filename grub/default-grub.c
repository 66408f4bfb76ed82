/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "default-grub": GRUB_CMDLINE_LINUX in /etc/default/grub and in /etc/default/grub.d/, which grub-mkconfig
 * sources after it. grub-mkconfig writes the value into every entry that it generates, so tokens in these files are
 * still there after grub.cfg was generated again.
 */

#include <assert.h>

#include "grub/line.h"

#define DEFAULT_GRUB_PATH "/etc/default/grub"
#define DEFAULT_GRUB_DROP_INS DEFAULT_GRUB_PATH ".d"
#define DEFAULT_GRUB_VARIABLE "GRUB_CMDLINE_LINUX"

/* util/grub.d/10_linux.in writes this variable after the other one, except in recovery entries. */
#define DEFAULT_GRUB_VARIABLE_BEHIND "GRUB_CMDLINE_LINUX_DEFAULT"

/* Real systems have a few drop-ins. */
#define DEFAULT_GRUB_FILES_MAX 256U

/*
 * All files together make up the value that grub-mkconfig writes. New tokens are added to the file that holds the last
 * token of the value. Tokens are removed from every file that has them.
 */
typedef struct DefaultGrubLayout {
        Line line;            /* the final value; if nothing of it is from this file, the value that this file sets */
        size_t n_assignments; /* in this file */
        size_t begin, end;    /* the last assignment in this file */
        size_t n_all;         /* assignments in all files */
} DefaultGrubLayout;

typedef struct DefaultGrubFile {
        char *path;
        Buffer content;
} DefaultGrubFile;

typedef struct DefaultGrubFiles {
        DefaultGrubFile *files;
        size_t n_files;
} DefaultGrubFiles;

static void default_grub_files_done(DefaultGrubFiles *f) {
        for (size_t i = 0; i < f->n_files; i++) {
                free(f->files[i].path);
                buffer_done(&f->files[i].content);
        }
        free(f->files);
}

/* Read the final value of the variable. Return: 0; 1 if a problem was appended; -ENOMEM. */
static int default_grub_read_variable(BootStores *stores, const DefaultGrubFiles *f, ShellValue *value) {
        for (unsigned i = 0; i < f->n_files; i++) {
                const DefaultGrubFile *file = f->files + i;
                ShellError error;
                int r;

                r = shell_continue_variable(file->content.data, file->content.size, DEFAULT_GRUB_VARIABLE, i,
                                            value, &error);
                if (r == -EINVAL) {
                        r = boot_stores_problem(stores, file->path, line_number(&file->content, error.offset),
                                                error.dynamic ? "default-grub-dynamic" : "default-grub-syntax",
                                                /* fatal= */ true, "%s cannot be changed here: %s",
                                                DEFAULT_GRUB_VARIABLE, error.reason);
                        return r < 0 ? r : 1;
                }
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Read the final value of the variable that follows. If a file cannot be understood, the value is left empty. */
static int default_grub_read_behind(const DefaultGrubFiles *f, ShellValue *value) {
        for (unsigned i = 0; i < f->n_files; i++) {
                const Buffer *content = &f->files[i].content;
                ShellError error;
                int r;

                r = shell_continue_variable(content->data, content->size, DEFAULT_GRUB_VARIABLE_BEHIND, i,
                                            value, &error);
                if (r == -EINVAL) {
                        shell_value_done(value);
                        return 0;
                }
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The file that new tokens are added to: the one with the last token for the kernel, or else with the first byte. */
static unsigned default_grub_choose_file(const Line *all, const ShellValue *value) {
        for (size_t i = all->cmdline.n_tokens; i > 0; i--) {
                const Token *t = all->cmdline.tokens + i - 1;

                if (!t->for_init && !t->open)
                        return all->bytes[t->offset + t->size - 1].file;
        }

        return value->first_file;
}

static bool default_grub_holds_part(const Line *all, unsigned file) {
        for (size_t i = 0; i < all->text.size; i++)
                if (all->bytes[i].file == file)
                        return true;

        return false;
}

static int default_grub_add_entry(BootStore *store, const DefaultGrubLayout *layout, const Buffer *behind) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        BootEntry *e;
        int r;

        store->entries = e = calloc(1, sizeof(BootEntry));
        if (!e)
                return -ENOMEM;

        store->n_entries = 1;
        e->id = strdup(DEFAULT_GRUB_VARIABLE);
        e->title = strdup(DEFAULT_GRUB_VARIABLE);
        e->path = strdup(store->path);
        if (!e->id || !e->title || !e->path)
                return -ENOMEM;

        r = buffer_append(&text, layout->line.text.data, layout->line.text.size);
        if (r < 0)
                return r;

        r = buffer_puts(&text, behind->size > 0 ? " " : "");
        if (r < 0)
                return r;

        r = buffer_append(&text, behind->data, behind->size);
        if (r < 0)
                return r;

        e->kind = ENTRY_TEMPLATE;
        e->line = layout->n_assignments > 0 ? line_number(&store->content, layout->begin) : 0;
        e->cmdline_size = text.size;
        return cmdline_parse(text.data, text.size, &e->cmdline);
}

/* Copy the final value for the store of one file. Edits of that store change the bytes from that file alone. */
static int default_grub_share_line(const Line *all, const ShellValue *value, unsigned file, Line *ret) {
        int r;

        r = line_copy(all, ret);
        if (r < 0)
                return r;

        ret->file = file;
        if (value->first_file != file)
                ret->first = SIZE_MAX;
        return 0;
}

/* Make a store of one of the files. */
static int default_grub_add_store(BootStores *stores, DefaultGrubFile *file, const ShellValue *own, BootStore **ret) {
        BootStore *store;
        DefaultGrubLayout *layout;
        int r;

        r = boot_stores_add(stores, &boot_store_default_grub, file->path, &file->content, &store);
        if (r < 0)
                return r;

        store->layout = layout = calloc(1, sizeof(DefaultGrubLayout));
        if (!layout)
                return -ENOMEM;

        layout->n_assignments = own->n_assignments;
        layout->begin = own->begin;
        layout->end = own->end;
        *ret = store;
        return 0;
}

static int default_grub_load_file(BootStores *stores, DefaultGrubFile *file, unsigned number,
                                  const ShellValue *value, const Line *all, const Buffer *behind) {
        _cleanup_(shell_value_done) ShellValue own = SHELL_VALUE_NULL;
        bool target = number == default_grub_choose_file(all, value);
        BootStore *store;
        ShellError error;
        DefaultGrubLayout *layout;
        int r;

        r = shell_read_variable(file->content.data, file->content.size, DEFAULT_GRUB_VARIABLE, &own, &error);
        if (r == -ENOMEM || (!target && own.n_assignments == 0))
                return r == -ENOMEM ? r : 0;

        r = default_grub_add_store(stores, file, &own, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        layout = store->layout;
        layout->n_all = value->n_assignments;
        if (target || default_grub_holds_part(all, number))
                r = default_grub_share_line(all, value, number, &layout->line);
        else {
                line_take(&layout->line, &own);
                r = line_parse(&layout->line);
        }
        if (r < 0)
                return r;

        return target ? default_grub_add_entry(store, layout, behind) : 0;
}

static int default_grub_load_files(BootStores *stores, DefaultGrubFiles *f) {
        _cleanup_(shell_value_done) ShellValue value = SHELL_VALUE_NULL, behind = SHELL_VALUE_NULL;
        _cleanup_(line_done) Line all = {};
        int r;

        if (f->n_files == 0)
                return 0;

        r = default_grub_read_variable(stores, f, &value);
        if (r != 0)
                return r < 0 ? r : 0;

        line_take(&all, &value);
        r = line_parse(&all);
        if (r < 0)
                return r;

        r = default_grub_read_behind(f, &behind);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < f->n_files; i++) {
                r = default_grub_load_file(stores, f->files + i, i, &value, &all, &behind.text);
                if (r < 0)
                        return r;
        }

        return 0;
}

int default_grub_load(BootStores *stores, const char *path, Buffer *content) {
        _cleanup_(default_grub_files_done) DefaultGrubFiles f = {};
        int r;

        assert(stores);
        assert(path);
        assert(content);

        r = grow(&f.files, 0, sizeof(DefaultGrubFile));
        if (r < 0)
                return r;

        f.n_files = 1;
        f.files->content = *content;
        *content = BUFFER_NULL;
        f.files->path = strdup(path);
        return f.files->path ? default_grub_load_files(stores, &f) : -ENOMEM;
}

/* Append a file to the list. Return: 0, also if it does not exist; 1 if a problem was appended; -ENOMEM. */
static int default_grub_read_file(const Root *root, BootStores *stores, const char *path, DefaultGrubFiles *f) {
        _cleanup_free_ char *real = NULL;
        DefaultGrubFile *file;
        int r;

        r = grow(&f->files, f->n_files, sizeof(DefaultGrubFile));
        if (r < 0)
                return r;

        file = f->files + f->n_files;
        r = root_resolve(root, path, &real);
        if (r >= 0)
                r = root_read(root, real, BOOT_FILE_MAX, &file->content);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                r = boot_stores_problem(stores, real ?: path, 0, "default-grub-unreadable", /* fatal= */ true,
                                        "The file cannot be read: %s", strerror(-r));
                return r < 0 ? r : 1;
        }

        file->path = TAKE_PTR(real);
        f->n_files++;
        return 0;
}

/* Read the drop-ins in the order in which the shell expands "*.cfg". */
static int default_grub_read_drop_ins(const Root *root, BootStores *stores, DefaultGrubFiles *f) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = root_list(root, DEFAULT_GRUB_DROP_INS, &names);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        for (char **n = names; *n; n++) {
                _cleanup_free_ char *path = NULL;

                if (**n == '.' || !endswith(*n, ".cfg"))
                        continue;
                if (f->n_files >= DEFAULT_GRUB_FILES_MAX)
                        return boot_stores_problem(stores, DEFAULT_GRUB_DROP_INS, 0, "default-grub-unreadable",
                                                   /* fatal= */ true, "The directory holds more than %u files",
                                                   DEFAULT_GRUB_FILES_MAX);

                path = xasprintf("%s/%s", DEFAULT_GRUB_DROP_INS, *n);
                if (!path)
                        return -ENOMEM;

                r = default_grub_read_file(root, stores, path, f);
                if (r != 0)
                        return r;
        }

        return 0;
}

static int default_grub_find(const Root *root, BootStores *stores) {
        _cleanup_(default_grub_files_done) DefaultGrubFiles f = {};
        int r;

        r = default_grub_read_file(root, stores, DEFAULT_GRUB_PATH, &f);
        if (r == 0)
                r = default_grub_read_drop_ins(root, stores, &f);
        if (r != 0)
                return r < 0 ? r : 0;

        return default_grub_load_files(stores, &f);
}

/* Add an assignment at the end of a file, if no file has one. If the file has no last newline, it gets none. */
static int default_grub_insert_variable(const Buffer *content, const LineChange *c, Pieces *pieces) {
        bool newline = content->size == 0 || content->data[content->size - 1] == '\n';
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        int r;

        r = buffer_printf(&insert, "%s%s%s=\"", newline ? "" : "\n", PIECE_MARKER, DEFAULT_GRUB_VARIABLE);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->n_texts; i++) {
                r = buffer_printf(&insert, "%s%s", i > 0 ? " " : "", c->texts[i]);
                if (r < 0)
                        return r;
        }

        r = buffer_puts(&insert, newline ? "\"\n" : "\"");
        if (r < 0)
                return r;

        return pieces_add(pieces, content->size, 0, insert.data);
}

/* How many bytes of the value are from this file. */
static size_t default_grub_own_size(const Line *l) {
        size_t n = 0;

        for (size_t i = 0; i < l->text.size; i++)
                if (l->bytes[i].file == l->file)
                        n++;

        return n;
}

static bool default_grub_any_removal(const PreparedEdits *edits) {
        for (size_t i = 0; i < edits->n_edits; i++)
                if (!edits->edits[i].edit->add)
                        return true;

        return false;
}

/* Fill in the pieces. Return: 0; -E2BIG if the value would be too long; -ENOMEM. */
static int default_grub_plan_change(const BootStore *store, const PreparedEdits *edits, Pieces *pieces, LineChange *c) {
        static const char *const ids[] = { DEFAULT_GRUB_VARIABLE };
        const DefaultGrubLayout *l = store->layout;
        _cleanup_free_ bool *removed = NULL;
        size_t cut;
        int r;

        removed = calloc(l->line.cmdline.n_tokens + 1, sizeof(bool));
        if (!removed)
                return -ENOMEM;

        line_mark(&l->line, edits, ids, 1, removed);
        r = line_cut(&l->line, &store->content, removed, pieces, &cut);
        if (r < 0)
                return r;

        if (store->n_entries > 0) {
                r = line_plan(&l->line, edits, removed, cut, c);
                if (r < 0)
                        return r;
        }

        if (c->n_texts > 0 && l->n_all > 0)
                return line_insert(&l->line, removed, c->texts, c->n_texts, cut == l->line.text.size, pieces);
        if (c->n_texts > 0)
                return default_grub_insert_variable(&store->content, c, pieces);
        if (default_grub_any_removal(edits) && cut == default_grub_own_size(&l->line) &&
            l->n_assignments == 1 && piece_is_marked(&store->content, l->begin, l->end))
                return pieces_cut_marked(pieces, &store->content, l->begin, l->end);

        return 0;
}

static int default_grub_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                               const BootEntry **ret_entry, size_t *ret_size) {
        const BootEntry *entry = store->entries;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        _cleanup_(line_change_done) LineChange change = { .entries = &entry, .n_entries = store->n_entries };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        r = default_grub_plan_change(store, &prepared, &pieces, &change);
        *ret_entry = entry;
        *ret_size = change.size;
        if (r < 0)
                return r;

        return pieces_apply(&pieces, &store->content, ret);
}

static void default_grub_done(BootStore *store) {
        DefaultGrubLayout *layout = store->layout;

        if (!layout)
                return;

        line_done(&layout->line);
        free(layout);
}

const BootStoreDriver boot_store_default_grub = {
        .name = "default-grub",
        .title = "defaults of grub-mkconfig",
        .find = default_grub_find,
        .render = default_grub_render,
        .done = default_grub_done,
};
