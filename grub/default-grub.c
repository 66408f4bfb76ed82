/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "default-grub": GRUB_CMDLINE_LINUX in /etc/default/grub and in /etc/default/grub.d/, which grub-mkconfig
 * sources after it. grub-mkconfig writes the value into every entry that it generates, so tokens in these files are
 * still there after grub.cfg was generated again.
 *
 * A new content is read again before it is used: the value must have the words of before and the tokens, and each other
 * variable must be as it was. If neither an edit of a value nor a line of its own at the end of a file passes, the
 * files are left alone.
 */

#include <assert.h>

#include "grub/default-grub.h"

#define DEFAULT_GRUB_BY_HAND \
        "Add the tokens to " DEFAULT_GRUB_VARIABLE " by hand: without them the next run of grub-mkconfig drops them"

/*
 * All files together make up the value that grub-mkconfig writes. New tokens are added to one file. Tokens are removed
 * from every file that has them.
 */
typedef struct DefaultGrubLayout {
        DefaultGrubFiles *files;
        unsigned number;      /* of the file that is edited */
        Line line;            /* the final value; if nothing of it is from this file, the value that this file sets */
        bool final;           /* it is the final value */
        size_t n_assignments; /* in this file */
        size_t begin, end;    /* the last assignment in this file */
        bool own_line;        /* new tokens get a line of their own at the end of the file */
} DefaultGrubLayout;

static void default_grub_done(BootStore *store) {
        DefaultGrubLayout *layout = store->layout;

        if (!layout)
                return;

        line_done(&layout->line);
        default_grub_files_unref(layout->files);
        free(layout);
        store->layout = NULL;
}

static bool default_grub_holds_part(const Line *all, unsigned file) {
        for (size_t i = 0; i < all->text.size; i++)
                if (all->bytes[i].file == file)
                        return true;

        return false;
}

static int default_grub_add_entry(BootStore *store, const ShellValue *behind) {
        const DefaultGrubLayout *layout = store->layout;
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

        r = buffer_puts(&text, behind->text.size > 0 ? " " : "");
        if (r < 0)
                return r;

        r = buffer_append(&text, behind->text.data, behind->text.size);
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

/* The value as a line; its tokens are read. */
static int default_grub_make_line(const ShellValue *value, Line *ret) {
        _cleanup_(line_done) Line line = { .first = value->first, .first_quote = value->first_quote };
        int r;

        r = line_map(&line, &value->text, 0, value->text.size);
        if (r < 0)
                return r;
        for (size_t i = 0; i < value->text.size; i++)
                line.bytes[i] = value->bytes[i];

        r = line_parse(&line);
        if (r < 0)
                return r;

        *ret = TAKE_GENERIC(line, (Line) {});
        return 0;
}

/* What this file makes of the variable if it is read alone. If that is unknown, nothing. */
static int default_grub_read_alone(const Buffer *content, DefaultGrubLayout *layout, Line *ret) {
        _cleanup_(shell_freep) Shell *shell = NULL;
        const ShellValue *own;
        ShellError error;
        int r;

        r = shell_new(&shell, NULL, NULL);
        if (r >= 0)
                r = shell_run(shell, content, 0, &error);
        if (r >= 0)
                r = shell_get(shell, DEFAULT_GRUB_VARIABLE, &own);
        if (r < 0)
                return r == -EINVAL ? 0 : r;

        layout->n_assignments = own->n_assignments;
        layout->begin = own->begin;
        layout->end = own->end;
        return default_grub_make_line(own, ret);
}

/*
 * Fill in the layout of a store and, if it is the target of new tokens, its entry. Return: 1; 0 if the file does not
 * matter; -ENOMEM.
 */
static int default_grub_fill_store(BootStore *store, DefaultGrubFiles *f, unsigned number,
                                   const DefaultGrubReading *all, bool target, bool own_line) {
        DefaultGrubLayout *layout;
        _cleanup_(line_done) Line own = {}, line = {};
        int r;

        store->layout = layout = calloc(1, sizeof(DefaultGrubLayout));
        if (!layout)
                return -ENOMEM;

        f->n_references++;
        layout->files = f;
        layout->number = number;
        layout->own_line = own_line;
        r = default_grub_read_alone(&store->content, layout, &own);
        if (r < 0)
                return r;
        if (!target && layout->n_assignments == 0)
                return 0;

        r = default_grub_make_line(all->value, &line);
        if (r < 0)
                return r;

        layout->final = target || default_grub_holds_part(&line, number);
        if (layout->final)
                r = default_grub_share_line(&line, all->value, number, &layout->line);
        else
                layout->line = TAKE_GENERIC(own, (Line) {});
        if (r < 0 || !target)
                return r < 0 ? r : 1;

        r = default_grub_add_entry(store, all->behind);
        return r < 0 ? r : 1;
}

/* Add an assignment at the end of a file. If the file has no last newline, it gets none. */
static int default_grub_add_line(const Buffer *content, const LineChange *c, bool before, Pieces *pieces) {
        bool newline = content->size == 0 || content->data[content->size - 1] == '\n';
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        int r;

        r = buffer_printf(&insert, "%s%s%s=\"%s", newline ? "" : "\n", PIECE_MARKER, DEFAULT_GRUB_VARIABLE,
                          before ? "" : "$" DEFAULT_GRUB_VARIABLE);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->n_texts; i++) {
                r = buffer_printf(&insert, "%s%s", i > 0 || !before ? " " : "", c->texts[i]);
                if (r < 0)
                        return r;
        }

        r = buffer_printf(&insert, "%s\"%s", before ? " $" DEFAULT_GRUB_VARIABLE : "", newline ? "\n" : "");
        if (r < 0)
                return r;

        return pieces_add(pieces, content->size, 0, insert.data);
}

/* Whether text that comes after the value would be for init, or a part of its last token. */
static bool default_grub_is_closed(const Line *l) {
        const Token *last = l->cmdline.n_tokens > 0 ? l->cmdline.tokens + l->cmdline.n_tokens - 1 : NULL;

        return last && (last->for_init || last->open);
}

/* Whether nothing is left of what the last assignment of the file itself adds to the value. */
static bool default_grub_line_is_empty(const DefaultGrubLayout *l, const bool *removed) {
        size_t k = 0;

        for (size_t i = 0; i < l->line.text.size; i++) {
                const ShellByte *byte = l->line.bytes + i;
                const Cmdline *c = &l->line.cmdline;

                while (k < c->n_tokens && i >= c->tokens[k].offset + c->tokens[k].size)
                        k++;
                if (byte->file == l->line.file && byte->begin >= l->begin && byte->begin < l->end &&
                    k < c->n_tokens && i >= c->tokens[k].offset && !removed[k])
                        return false;
        }

        return true;
}

static bool default_grub_any_removal(const PreparedEdits *edits) {
        for (size_t i = 0; i < edits->n_edits; i++)
                if (!edits->edits[i].edit->add)
                        return true;

        return false;
}

/* An edit of one of the files. */
typedef struct DefaultGrubEdit {
        const PreparedEdits *edits;
        bool *removed;     /* for each token of the line */
        size_t n_removed;  /* from the final value */
        LineChange change; /* with the tokens that are added */
        Pieces pieces;
} DefaultGrubEdit;

static void default_grub_edit_done(DefaultGrubEdit *e) {
        free(e->removed);
        line_change_done(&e->change);
        pieces_done(&e->pieces);
}

/* Fill in the pieces. Return: 0; -E2BIG if the value would be too long; -EBADMSG if there is no place; -ENOMEM. */
static int default_grub_plan_change(const BootStore *store, DefaultGrubEdit *e) {
        static const char *const ids[] = { DEFAULT_GRUB_VARIABLE };
        const DefaultGrubLayout *l = store->layout;
        LineChange *c = &e->change;
        size_t cut;
        int r;

        e->removed = calloc(l->line.cmdline.n_tokens + 1, sizeof(bool));
        if (!e->removed)
                return -ENOMEM;

        line_mark(&l->line, e->edits, ids, 1, e->removed);
        for (size_t i = 0; l->final && i < l->line.cmdline.n_tokens; i++)
                e->n_removed += e->removed[i];

        r = line_cut(&l->line, &store->content, e->removed, &e->pieces, &cut);
        if (r < 0)
                return r;

        if (store->n_entries > 0) {
                r = line_plan(&l->line, e->edits, e->removed, cut, c);
                if (r < 0)
                        return r;
        }

        if (c->n_texts > 0 && l->own_line)
                return default_grub_add_line(&store->content, c, default_grub_is_closed(&l->line), &e->pieces);
        if (c->n_texts > 0 && !line_has_place(&l->line, e->removed))
                return -EBADMSG;
        if (c->n_texts > 0)
                return line_insert(&l->line, e->removed, c->texts, c->n_texts, cut == l->line.text.size, &e->pieces);
        if (default_grub_any_removal(e->edits) && l->n_assignments > 0 &&
            piece_is_marked(&store->content, l->begin, l->end) && default_grub_line_is_empty(l, e->removed))
                return pieces_cut_marked(&e->pieces, &store->content, l->begin, l->end);

        return 0;
}

static bool default_grub_is_edited(const PreparedEdits *edits, const Line *l, const Token *t) {
        for (size_t i = 0; i < edits->n_edits; i++)
                if (edit_text_equal(edits->edits + i, l->text.data + t->offset, t->size))
                        return true;

        return false;
}

/* Whether both values have the same words in the same order, save those that are edited. */
static bool default_grub_same_words(const PreparedEdits *edits, const Line *before, const Line *after) {
        const Cmdline *a = &before->cmdline, *b = &after->cmdline;

        for (size_t i = 0, k = 0;; i++, k++) {
                while (i < a->n_tokens && default_grub_is_edited(edits, before, a->tokens + i))
                        i++;
                while (k < b->n_tokens && default_grub_is_edited(edits, after, b->tokens + k))
                        k++;
                if (i == a->n_tokens || k == b->n_tokens)
                        return i == a->n_tokens && k == b->n_tokens;
                if (a->tokens[i].size != b->tokens[k].size ||
                    memcmp(before->text.data + a->tokens[i].offset, after->text.data + b->tokens[k].offset,
                           a->tokens[i].size) != 0)
                        return false;
        }
}

/* Whether a value surely has a token for the kernel. */
static bool default_grub_has_token(const Line *l, const char *text) {
        for (size_t i = 0; i < l->cmdline.n_tokens; i++) {
                const Token *t = l->cmdline.tokens + i;
                bool sure = !t->for_init && !t->open && t->size == strlen(text) &&
                            memcmp(l->text.data + t->offset, text, t->size) == 0;

                for (size_t k = t->offset; sure && k < t->offset + t->size; k++)
                        sure = !l->bytes[k].unsure;
                if (sure)
                        return true;
        }

        return false;
}

/* Return: 0 if a shell surely makes of the new content what it shall; -EBADMSG if not; -ENOMEM. */
static int default_grub_compare(const DefaultGrubEdit *e, const DefaultGrubReading *before,
                                const DefaultGrubReading *after) {
        _cleanup_(line_done) Line old = {}, new = {};
        int r;

        r = default_grub_make_line(before->value, &old);
        if (r >= 0)
                r = default_grub_make_line(after->value, &new);
        if (r < 0)
                return r;

        if (old.cmdline.n_tokens + e->change.n_texts != new.cmdline.n_tokens + e->n_removed ||
            !default_grub_same_words(e->edits, &old, &new))
                return -EBADMSG;
        for (size_t i = 0; i < e->change.n_texts; i++)
                if (!default_grub_has_token(&new, e->change.texts[i]))
                        return -EBADMSG;

        /* A token that came into another variable by an edit of before has to leave it again. */
        return e->change.n_texts == 0 || shell_same_variables(before->shell, after->shell, DEFAULT_GRUB_VARIABLE)
                       ? 0 : -EBADMSG;
}

static int default_grub_check(const BootStore *store, const DefaultGrubEdit *e, const Buffer *new) {
        const DefaultGrubLayout *l = store->layout;
        _cleanup_(default_grub_reading_done) DefaultGrubReading before = {}, after = {};
        int r;

        if (buffer_equal(new, &store->content))
                return 0;

        r = default_grub_read(l->files, l->number, NULL, &before);
        if (r >= 0)
                r = default_grub_read(l->files, l->number, new, &after);
        if (r < 0)
                return r == -EINVAL ? -EBADMSG : r;

        return default_grub_compare(e, &before, &after);
}

static int default_grub_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                               const BootEntry **ret_entry, size_t *ret_size) {
        const BootEntry *entry = store->entries;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        _cleanup_(default_grub_edit_done) DefaultGrubEdit e = {
                .edits = &prepared, .change = { .entries = &entry, .n_entries = store->n_entries },
        };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        r = default_grub_plan_change(store, &e);
        *ret_entry = entry;
        *ret_size = e.change.size;
        if (r < 0)
                return r;

        r = pieces_apply(&e.pieces, &store->content, &new);
        if (r < 0)
                return r;

        r = default_grub_check(store, &e, &new);
        if (r < 0)
                return r;

        *ret = TAKE_GENERIC(new, BUFFER_NULL);
        return 0;
}

/* Where and how new tokens are added. */
typedef struct DefaultGrubTarget {
        unsigned number;
        bool own_line;
} DefaultGrubTarget;

/* If neither the file of the last token nor that of the last assignment will do, so many files are tried. */
#define DEFAULT_GRUB_TRIES_MAX 8U

/* Add a token that no system has. Return: 1 if that is right; 0 if not; -ENOMEM. */
static int default_grub_try(DefaultGrubFiles *f, const DefaultGrubReading *all, DefaultGrubTarget target) {
        static const TokenSpec probe = { .name = "gtuned.probe", .value = "1", .kind = TOKEN_STRING };
        const DefaultGrubFile *file = f->files + target.number;
        BootStore store = { .driver = &boot_store_default_grub, .path = file->path, .content = file->content };
        const TokenEdit edit = { .spec = &probe, .add = true };
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        const BootEntry *entry;
        size_t size;
        int r;

        r = default_grub_fill_store(&store, f, target.number, all, /* target= */ true, target.own_line);
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

/* The places from the best one on; a number that is no file is none. Return: how many there are. */
static size_t default_grub_list_targets(const DefaultGrubFiles *f, const ShellValue *value, const Line *line,
                                        DefaultGrubTarget *ret) {
        bool set = value->n_assignments > 0;
        size_t n = 0;

        ret[n++] = (DefaultGrubTarget) { set ? default_grub_choose_file(line, value) : SHELL_NO_FILE, false };
        ret[n++] = (DefaultGrubTarget) { set ? value->file : 0, true };

        for (unsigned i = 0; i < DEFAULT_GRUB_TRIES_MAX && i < f->n_files; i++) {
                /* The last ones, and then the first. */
                unsigned number = i + 1 < DEFAULT_GRUB_TRIES_MAX ? f->n_files - 1 - i : 0;

                ret[n++] = (DefaultGrubTarget) { set ? number : SHELL_NO_FILE, false };
                ret[n++] = (DefaultGrubTarget) { number, true };
        }

        return n;
}

/* Return: 1 if the target is set; 0 if no edit is surely right; -ENOMEM. */
static int default_grub_choose(DefaultGrubFiles *f, const DefaultGrubReading *all, DefaultGrubTarget *ret) {
        DefaultGrubTarget targets[2 + 2 * DEFAULT_GRUB_TRIES_MAX];
        _cleanup_(line_done) Line line = {};
        size_t n;
        int r;

        if (all->value->special)
                return 0;

        r = default_grub_make_line(all->value, &line);
        if (r < 0)
                return r;

        n = default_grub_list_targets(f, all->value, &line, targets);
        for (size_t i = 0; i < n; i++) {
                if (targets[i].number >= f->n_files)
                        continue;

                *ret = targets[i];
                r = default_grub_try(f, all, targets[i]);
                if (r != 0)
                        return r;
        }

        return 0;
}

/* Whether the file sets the variable if it is read alone. Return: 1, 0 or -ENOMEM. */
static int default_grub_sets(const Buffer *content) {
        _cleanup_(line_done) Line line = {};
        DefaultGrubLayout layout = {};
        int r;

        r = default_grub_read_alone(content, &layout, &line);
        return r < 0 ? r : layout.n_assignments > 0;
}

/* Make a store of a file, if it is the target of new tokens or can have tokens. */
static int default_grub_add_store(BootStores *stores, DefaultGrubFiles *f, unsigned number,
                                  const DefaultGrubReading *all, const DefaultGrubTarget *target) {
        bool is_target = target && number == target->number;
        const DefaultGrubFile *file = f->files + number;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStore *store;
        int r;

        r = is_target ? 1 : default_grub_sets(&file->content);
        if (r <= 0)
                return r;

        r = buffer_append(&content, file->content.data, file->content.size);
        if (r < 0)
                return r;

        r = boot_stores_add(stores, &boot_store_default_grub, file->path, &content, &store);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        r = default_grub_fill_store(store, f, number, all, is_target, is_target && target->own_line);
        return r < 0 ? r : 0;
}

int default_grub_leave(BootStores *stores, const char *path, unsigned line, const char *code, const char *reason) {
        return boot_stores_leave(stores, path, line, code, "%s is left alone: %s. " DEFAULT_GRUB_BY_HAND,
                                 DEFAULT_GRUB_VARIABLE, reason);
}

/* Say what is unknown, or why nothing is changed. */
static int default_grub_explain(BootStores *stores, const DefaultGrubFiles *f, const ShellValue *value, bool changed) {
        const ShellDoubt *doubt = &value->doubt;
        const DefaultGrubFile *file = f->files + doubt->file;
        unsigned line = doubt->reason ? line_number(&file->content, doubt->offset) : 0;

        if (!changed)
                return default_grub_leave(stores, file->path, line, "default-grub-dynamic",
                                          doubt->reason ?: "no line that is added would surely be read");
        if (!doubt->reason)
                return 0;

        return boot_stores_remark(stores, file->path, line, "default-grub-dynamic",
                                  "gtuned does not know all of " DEFAULT_GRUB_VARIABLE ": %s", doubt->reason);
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

        return default_grub_explain(stores, f, all.value, found);
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

const BootStoreDriver boot_store_default_grub = {
        .name = "default-grub",
        .title = "defaults of grub-mkconfig",
        .find = default_grub_find,
        .render = default_grub_render,
        .done = default_grub_done,
};
