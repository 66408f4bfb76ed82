/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "default-grub": GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub and in
 * /etc/default/grub.d/, which grub-mkconfig sources after it. grub-mkconfig writes the values into the entries that it
 * generates, so tokens in these files are still there after grub.cfg was generated again.
 *
 * If grub-mkconfig reads drop-ins, tokens go into one of gtuned's own, and there into the second variable, which
 * recovery entries do not get. Else, and if that does not pass, they go into the first variable in another file. If
 * neither an edit of a value nor a line of its own at the end of a file passes, the files are left alone.
 */

#include <assert.h>

#include "grub/default-grub.h"

#define DEFAULT_GRUB_BY_HAND \
        "Add the tokens to " DEFAULT_GRUB_VARIABLE " by hand: without them the next run of grub-mkconfig drops them"

/* If neither the file of the last token nor that of the last assignment will do, so many files are tried. */
#define DEFAULT_GRUB_TRIES_MAX 8U

/* Add a token that no system has. Return: 1 if that is right; 0 if not; -ENOMEM. */
static int default_grub_try(DefaultGrubFiles *f, const DefaultGrubReading *all, const DefaultGrubTarget *target) {
        static const TokenSpec probe = { .name = "gtuned.probe", .value = "1", .kind = TOKEN_STRING };
        const DefaultGrubFile *file = f->files + target->number;
        BootStore store = { .driver = &boot_store_default_grub, .path = file->path, .content = file->content };
        const TokenEdit edit = { .spec = &probe, .add = true };
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        const BootEntry *entry;
        size_t size;
        int r;

        r = default_grub_fill_store(&store, f, target->number, all, target);
        if (r > 0)
                r = default_grub_render(&store, &edit, 1, &new, &entry, &size);
        default_grub_done(&store);
        if (store.n_entries > 0)
                boot_entry_done(store.entries);
        free(store.entries);

        /* A value that is too long is said when a token shall be added. */
        return r == -ENOMEM ? r : r >= 0 || r == -E2BIG;
}

/* The file of the last token for the kernel, or else of the first byte; SHELL_NO_FILE: none. */
static unsigned default_grub_choose_file(const Line *all, const ShellValue *value) {
        const ShellByte *byte = line_last_byte(all);

        return byte ? byte->file : value->first_file;
}

/* The targets from the best one on. */
typedef struct DefaultGrubTargets {
        DefaultGrubTarget targets[2 + 2 * DEFAULT_GRUB_TRIES_MAX + 2 * _DEFAULT_GRUB_VARIABLE_MAX];
        size_t n;
} DefaultGrubTargets;

/* An edit of the value in one file, and a line in another one; a number that is no file is none. */
static void default_grub_add_targets(DefaultGrubTargets *t, DefaultGrubVariable variable, unsigned value_file,
                                     unsigned line_file) {
        if (t->n + 2 > ELEMENTSOF(t->targets))
                return;

        t->targets[t->n++] = (DefaultGrubTarget) { value_file, variable, /* own_line= */ false };
        t->targets[t->n++] = (DefaultGrubTarget) { line_file, variable, /* own_line= */ true };
}

static void default_grub_list_targets(const DefaultGrubFiles *f, const DefaultGrubReading *all, const Line *line,
                                      DefaultGrubTargets *t) {
        const ShellValue *value = all->values[DEFAULT_GRUB_ALL];
        bool set = value->n_assignments > 0;

        /* From the last variable to the first. */
        for (unsigned i = 0; i < f->n_files; i++)
                for (unsigned v = _DEFAULT_GRUB_VARIABLE_MAX; f->files[i].own && v-- > 0;)
                        default_grub_add_targets(t, v, all->values[v]->n_assignments > 0 ? i : SHELL_NO_FILE, i);

        default_grub_add_targets(t, DEFAULT_GRUB_ALL, set ? default_grub_choose_file(line, value) : SHELL_NO_FILE,
                                 set ? value->file : 0);

        for (unsigned i = 0; i < DEFAULT_GRUB_TRIES_MAX && i < f->n_files; i++) {
                /* The last ones, and then the first. */
                unsigned number = i + 1 < DEFAULT_GRUB_TRIES_MAX ? f->n_files - 1 - i : 0;

                default_grub_add_targets(t, DEFAULT_GRUB_ALL, set ? number : SHELL_NO_FILE, number);
        }
}

/* Return: 1 if the target is set; 0 if no edit is surely right; -ENOMEM. */
static int default_grub_choose(DefaultGrubFiles *f, const DefaultGrubReading *all, DefaultGrubTarget *ret) {
        _cleanup_(line_done) Line line = {};
        DefaultGrubTargets t = {};
        int r;

        if (all->values[DEFAULT_GRUB_ALL]->special)
                return 0;

        r = default_grub_line(all->values[DEFAULT_GRUB_ALL], &line);
        if (r < 0)
                return r;

        default_grub_list_targets(f, all, &line, &t);
        for (size_t i = 0; i < t.n; i++) {
                const DefaultGrubTarget *target = t.targets + i;

                if (target->number >= f->n_files || all->values[target->variable]->special)
                        continue;

                *ret = *target;
                r = default_grub_try(f, all, target);
                if (r != 0)
                        return r;
        }

        return 0;
}

/* Whether a file that is read alone sets a variable in which gtuned edits it. Return: 1, 0 or -ENOMEM. */
static int default_grub_sets(const DefaultGrubFile *file) {
        for (unsigned i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                DefaultGrubPart part = {};
                int r = 0;

                if (default_grub_edits(file, i))
                        r = default_grub_read_alone(&file->content, i, &part);
                line_done(&part.line);
                if (r < 0 || part.n_assignments > 0)
                        return r < 0 ? r : 1;
        }

        return 0;
}

/* Make a store of a file, if it is the target of new tokens or can have tokens. */
static int default_grub_add_store(BootStores *stores, DefaultGrubFiles *f, unsigned number,
                                  const DefaultGrubReading *all, const DefaultGrubTarget *target) {
        bool is_target = target && number == target->number;
        const DefaultGrubFile *file = f->files + number;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStore *store;
        int r;

        r = is_target ? 1 : default_grub_sets(file);
        if (r <= 0)
                return r;

        r = buffer_append(&content, file->content.data, file->content.size);
        if (r < 0)
                return r;

        r = boot_stores_add(stores, &boot_store_default_grub, file->path, &content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        r = default_grub_fill_store(store, f, number, all, is_target ? target : NULL);
        return r < 0 ? r : 0;
}

int default_grub_leave(BootStores *stores, const char *path, unsigned line, const char *code, const char *reason) {
        return boot_stores_leave(stores, path, line, code, "%s is left alone: %s. " DEFAULT_GRUB_BY_HAND,
                                 DEFAULT_GRUB_VARIABLE, reason);
}

/* Say why nothing is changed. */
static int default_grub_explain_leave(BootStores *stores, const DefaultGrubFiles *f, const ShellDoubt *doubt) {
        const DefaultGrubFile *file = f->files + doubt->file;

        return default_grub_leave(stores, file->path,
                                  doubt->reason ? line_number(&file->content, doubt->offset) : 0,
                                  "default-grub-dynamic",
                                  doubt->reason ?: "no line that is added would surely be read");
}

/* Say what is unknown of a variable. */
static int default_grub_explain_doubt(BootStores *stores, const DefaultGrubFiles *f, const DefaultGrubReading *all,
                                      DefaultGrubVariable variable) {
        const ShellDoubt *doubt = &all->values[variable]->doubt;
        const DefaultGrubFile *file = f->files + doubt->file;

        if (!doubt->reason)
                return 0;

        return boot_stores_remark(stores, file->path, line_number(&file->content, doubt->offset),
                                  "default-grub-dynamic", "gtuned does not know all of %s: %s",
                                  default_grub_variables[variable], doubt->reason);
}

int default_grub_add_stores(BootStores *stores, DefaultGrubFiles *f) {
        _cleanup_(default_grub_reading_done) DefaultGrubReading all = {};
        DefaultGrubTarget target = {};
        int found, r;

        if (f->n_files == 0)
                return 0;

        r = default_grub_read(f, 0, NULL, &all);
        if (r == -EINVAL)
                return default_grub_leave(stores, f->files[all.error_file].path,
                                          line_number(&f->files[all.error_file].content, all.error.offset),
                                          all.error.dynamic ? "default-grub-dynamic" : "default-grub-syntax",
                                          all.error.reason);
        if (r < 0)
                return r;

        found = default_grub_choose(f, &all, &target);
        if (found < 0)
                return found;

        for (unsigned i = 0; i < f->n_files; i++) {
                r = default_grub_add_store(stores, f, i, &all, found ? &target : NULL);
                if (r < 0)
                        return r;
        }

        if (!found)
                return default_grub_explain_leave(stores, f, &all.values[DEFAULT_GRUB_ALL]->doubt);

        for (unsigned i = 0; i <= target.variable; i++) {
                r = default_grub_explain_doubt(stores, f, &all, i);
                if (r < 0)
                        return r;
        }

        return 0;
}

int default_grub_add_unread(BootStores *stores, DefaultGrubFiles *f) {
        _cleanup_(default_grub_reading_done) DefaultGrubReading all = {};
        int r;

        r = default_grub_read(f, 0, NULL, &all);
        if (r < 0)
                return r == -EINVAL ? 0 : r;

        return default_grub_add_store(stores, f, 0, &all, NULL);
}

int default_grub_load(BootStores *stores, const char *path, Buffer *content) {
        _cleanup_(default_grub_files_unrefp) DefaultGrubFiles *f = NULL;
        int r;

        assert(stores);
        assert(path);
        assert(content);

        r = default_grub_files_new(&f, NULL);
        if (r < 0)
                return r;

        r = default_grub_files_add(f, path, content);
        return r < 0 ? r : default_grub_add_stores(stores, f);
}

/* No other kind of store depends on these files. A store without an entry is a part of the value of another one. */
static int default_grub_reread(const BootStore *store, const Buffer *content, BootStores *ret) {
        const DefaultGrubLayout *l = store->layout;
        _cleanup_(default_grub_reading_done) DefaultGrubReading all = {};
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;
        BootStore *new;
        int r;

        if (store->n_entries != 1)
                return 0;

        r = default_grub_read(l->files, l->number, content, &all);
        if (r < 0)
                return r == -EINVAL ? 0 : r;
        r = buffer_append(&copy, content->data, content->size);
        if (r >= 0)
                r = boot_stores_add(ret, &boot_store_default_grub, store->path, &copy, &new);
        if (r >= 0)
                r = default_grub_fill_store(new, l->files, l->number, &all, &l->target);

        return r < 0 ? r : new->n_entries == 1;
}

const BootStoreDriver boot_store_default_grub = {
        .name = "default-grub",
        .title = "defaults of grub-mkconfig",
        .find = default_grub_find,
        .render = default_grub_render,
        .reread = default_grub_reread,
        .done = default_grub_done,
};
