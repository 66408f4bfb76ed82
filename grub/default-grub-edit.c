/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edits a file of the store "default-grub".
 *
 * A new content is read again before it is used: the value must have the words of before and the tokens, and each other
 * variable must be as it was.
 */

#include "grub/default-grub.h"

bool default_grub_edits(const DefaultGrubFile *file, DefaultGrubVariable variable) {
        return variable == DEFAULT_GRUB_ALL || file->own;
}

void default_grub_done(BootStore *store) {
        DefaultGrubLayout *layout = store->layout;

        if (!layout)
                return;

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++)
                line_done(&layout->parts[i].line);
        default_grub_files_unref(layout->files);
        free(layout);
        store->layout = NULL;
}

/* Where the template is for people: a file that is not there yet sets nothing. */
static const DefaultGrubFile *default_grub_show(const BootStore *store, const DefaultGrubReading *all,
                                                size_t *ret_begin, bool *ret_set) {
        const DefaultGrubLayout *layout = store->layout;
        const DefaultGrubPart *part = layout->parts + layout->target.variable;
        const ShellValue *value = all->values[DEFAULT_GRUB_ALL];

        if (!store->missing) {
                *ret_begin = part->begin;
                *ret_set = part->n_assignments > 0;
                return layout->files->files + layout->number;
        }

        *ret_begin = value->begin;
        *ret_set = value->end > 0;
        return layout->files->files + (*ret_set && value->file < layout->files->n_files ? value->file : 0);
}

static int default_grub_add_entry(BootStore *store, const DefaultGrubReading *all) {
        _cleanup_(line_done) Line line = {};
        const DefaultGrubFile *file;
        size_t begin;
        bool set;
        BootEntry *e;
        int r;

        store->entries = e = calloc(1, sizeof(BootEntry));
        if (!e)
                return -ENOMEM;

        store->n_entries = 1;
        file = default_grub_show(store, all, &begin, &set);
        e->id = strdup(DEFAULT_GRUB_VARIABLE);
        e->title = strdup(DEFAULT_GRUB_VARIABLE);
        e->path = strdup(file->path);
        if (!e->id || !e->title || !e->path)
                return -ENOMEM;

        r = default_grub_entry_line(all, &line);
        if (r < 0)
                return r;

        e->kind = ENTRY_TEMPLATE;
        e->line = set ? line_number(&file->content, begin) : 0;
        e->cmdline_size = line.text.size;
        return cmdline_parse(line.text.data, line.text.size, &e->cmdline);
}

static bool default_grub_holds_part(const Line *all, unsigned file) {
        for (size_t i = 0; i < all->text.size; i++)
                if (all->bytes[i].file == file)
                        return true;

        return false;
}

/* Copy the final value for the store of one file. Edits of that store change the bytes from that file alone. */
static int default_grub_share_line(const Line *all, const ShellValue *value, unsigned file, Line *ret) {
        _cleanup_(line_done) Line l = {};
        int r;

        r = line_copy(all, &l);
        if (r < 0)
                return r;

        l.file = file;
        if (value->first_file != file)
                l.first = SIZE_MAX;
        line_done(ret);
        *ret = TAKE_GENERIC(l, (Line) {});
        return 0;
}

static int default_grub_fill_part(const BootStore *store, const ShellValue *value, DefaultGrubVariable variable,
                                  bool target) {
        DefaultGrubLayout *layout = store->layout;
        DefaultGrubPart *part = layout->parts + variable;
        _cleanup_(line_done) Line line = {};
        int r;

        r = default_grub_read_alone(&store->content, variable, part);
        if (r < 0)
                return r;

        part->edited = target || part->n_assignments > 0;
        if (!part->edited)
                return 0;

        r = default_grub_line(value, &line);
        if (r < 0)
                return r;

        part->final = target || default_grub_holds_part(&line, layout->number);
        return part->final ? default_grub_share_line(&line, value, layout->number, &part->line) : 0;
}

int default_grub_fill_store(BootStore *store, DefaultGrubFiles *f, unsigned number, const DefaultGrubReading *all,
                            const DefaultGrubTarget *target) {
        DefaultGrubLayout *layout;
        bool edited = false;
        int r;

        store->layout = layout = calloc(1, sizeof(DefaultGrubLayout));
        if (!layout)
                return -ENOMEM;

        f->n_references++;
        layout->files = f;
        layout->number = number;
        store->own = f->files[number].own;
        store->missing = f->files[number].missing;

        for (unsigned i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                if (!default_grub_edits(f->files + number, i))
                        continue;
                r = default_grub_fill_part(store, all->values[i], i, target && target->variable == i);
                if (r < 0)
                        return r;
                edited = edited || layout->parts[i].edited;
        }

        if (!target)
                return edited;

        layout->target = *target;
        r = default_grub_add_entry(store, all);
        return r < 0 ? r : 1;
}

/* An edit of one of the files. */
typedef struct DefaultGrubEdit {
        const PreparedEdits *edits;
        struct {
                bool *removed;    /* for each token of the line */
                size_t n_removed; /* from the final value */
                size_t cut;       /* bytes of the line */
                Pieces pieces;
        } parts[_DEFAULT_GRUB_VARIABLE_MAX];
        LineChange change; /* with the tokens that are added */
        Pieces pieces;     /* of all parts */
} DefaultGrubEdit;

static void default_grub_edit_done(DefaultGrubEdit *e) {
        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                free(e->parts[i].removed);
                pieces_done(&e->parts[i].pieces);
        }
        line_change_done(&e->change);
        pieces_done(&e->pieces);
}

/* Add an assignment at the end of a file. If the file has no last newline, it gets none. */
static int default_grub_add_line(const Buffer *content, const char *variable, const LineChange *c, bool before,
                                 Pieces *pieces) {
        bool newline = content->size == 0 || content->data[content->size - 1] == '\n';
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        int r;

        r = buffer_printf(&insert, "%s%s%s=\"%s%s", newline ? "" : "\n", PIECE_MARKER, variable, before ? "" : "$",
                          before ? "" : variable);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->n_texts; i++) {
                r = buffer_printf(&insert, "%s%s", i > 0 || !before ? " " : "", c->texts[i]);
                if (r < 0)
                        return r;
        }

        r = buffer_printf(&insert, "%s%s\"%s", before ? " $" : "", before ? variable : "", newline ? "\n" : "");
        if (r < 0)
                return r;

        return pieces_add(pieces, content->size, 0, insert.data);
}

/*
 * Whether text that comes after the value would be for init, a part of its last token, or for another system: what
 * comes after "---" was given to an installer, which keeps it for the system that it installs.
 */
static bool default_grub_is_closed(const Line *l) {
        for (size_t i = 0; i < l->cmdline.n_tokens; i++) {
                const Token *t = l->cmdline.tokens + i;

                if (t->for_init || t->open || streq(t->name, "---"))
                        return true;
        }

        return false;
}

/* Whether nothing is left of what the last assignment of the file itself adds to the value. */
static bool default_grub_line_is_empty(const DefaultGrubPart *part, const bool *removed) {
        size_t k = 0;

        for (size_t i = 0; i < part->line.text.size; i++) {
                const ShellByte *byte = part->line.bytes + i;
                const Cmdline *c = &part->line.cmdline;

                while (k < c->n_tokens && i >= c->tokens[k].offset + c->tokens[k].size)
                        k++;
                if (byte->file == part->line.file && byte->begin >= part->begin && byte->begin < part->end &&
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

/* Whether the last assignment of a variable is a line that gtuned itself added. */
static bool default_grub_is_marked(const BootStore *store, const DefaultGrubPart *part) {
        return part->n_assignments > 0 && piece_is_marked(&store->content, part->begin, part->end);
}

/* Whether an edit removes a token from any variable. */
static bool default_grub_is_done(const DefaultGrubLayout *layout, const DefaultGrubEdit *e, const PreparedEdit *edit) {
        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                const Line *l = &layout->parts[i].line;

                for (size_t k = 0; k < l->cmdline.n_tokens; k++) {
                        const Token *t = l->cmdline.tokens + k;

                        if (e->parts[i].removed[k] && edit_text_equal(edit, l->text.data + t->offset, t->size))
                                return true;
                }
        }

        return false;
}

/*
 * Choose the tokens that are removed: all those in lines that gtuned itself added, and else one in the file, because a
 * second one is the administrator's.
 */
static int default_grub_mark(const BootStore *store, DefaultGrubEdit *e) {
        static const char *const ids[] = { DEFAULT_GRUB_VARIABLE };
        const DefaultGrubLayout *layout = store->layout;

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                e->parts[i].removed = calloc(layout->parts[i].line.cmdline.n_tokens + 1, sizeof(bool));
                if (!e->parts[i].removed)
                        return -ENOMEM;
        }

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++)
                if (default_grub_is_marked(store, layout->parts + i))
                        line_mark(&layout->parts[i].line, e->edits, ids, 1, e->parts[i].removed);

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++)
                for (size_t k = 0; k < e->edits->n_edits; k++) {
                        const PreparedEdits one = { .edits = e->edits->edits + k, .n_edits = 1 };

                        if (!default_grub_is_done(layout, e, one.edits))
                                line_mark(&layout->parts[i].line, &one, ids, 1, e->parts[i].removed);
                }

        return 0;
}

static int default_grub_plan_removal(const BootStore *store, DefaultGrubVariable variable, DefaultGrubEdit *e) {
        const DefaultGrubLayout *layout = store->layout;
        const DefaultGrubPart *part = layout->parts + variable;
        const bool *removed = e->parts[variable].removed;

        for (size_t i = 0; part->final && i < part->line.cmdline.n_tokens; i++)
                e->parts[variable].n_removed += removed[i];

        return line_cut(&part->line, &store->content, removed, &e->parts[variable].pieces, &e->parts[variable].cut);
}

/* Return: 0; -E2BIG if the value would be too long; -EBADMSG if there is no place; -ENOMEM. */
static int default_grub_plan_addition(const BootStore *store, DefaultGrubEdit *e) {
        const DefaultGrubLayout *layout = store->layout;
        const DefaultGrubVariable variable = layout->target.variable;
        const Line *line = &layout->parts[variable].line;
        const bool *removed = e->parts[variable].removed;
        const LineChange *c = &e->change;
        size_t cut = 0;
        int r;

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++)
                cut += layout->parts[i].final ? e->parts[i].cut : 0;

        r = line_plan(line, e->edits, removed, cut, &e->change);
        if (r < 0 || c->n_texts == 0)
                return r;

        if (layout->target.own_line)
                return default_grub_add_line(&store->content, default_grub_variables[variable], c,
                                             default_grub_is_closed(line), &e->pieces);
        if (!line_has_place(line, removed))
                return -EBADMSG;

        return line_insert(line, removed, c->texts, c->n_texts, e->parts[variable].cut == line->text.size,
                           /* pad= */ false, &e->pieces);
}

/* Remove a line of gtuned's own in which nothing is left. */
static int default_grub_drop_line(const BootStore *store, DefaultGrubVariable variable, DefaultGrubEdit *e) {
        const DefaultGrubLayout *layout = store->layout;
        const DefaultGrubPart *part = layout->parts + variable;

        if (!default_grub_is_marked(store, part) || !default_grub_line_is_empty(part, e->parts[variable].removed))
                return 0;

        return pieces_cut_marked(&e->parts[variable].pieces, &store->content, part->begin, part->end);
}

/* Fill in the pieces. Return: 0; -E2BIG if the value would be too long; -EBADMSG if there is no place; -ENOMEM. */
static int default_grub_plan_change(const BootStore *store, DefaultGrubEdit *e) {
        int r;

        r = default_grub_mark(store, e);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                r = default_grub_plan_removal(store, i, e);
                if (r < 0)
                        return r;
        }

        r = store->n_entries > 0 ? default_grub_plan_addition(store, e) : 0;
        if (r < 0)
                return r;

        for (unsigned i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                if (e->change.n_texts == 0 && default_grub_any_removal(e->edits))
                        r = default_grub_drop_line(store, i, e);
                if (r >= 0)
                        r = pieces_join(&e->pieces, &e->parts[i].pieces);
                if (r < 0)
                        return r;
        }

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

/* Whether a line surely has a token for the kernel. */
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

/*
 * Whether a variable has the words of before, with what is added and without what is removed. If it refers to another
 * variable, it may lose what is removed from that. Return: 1, 0 or -ENOMEM.
 */
static int default_grub_compare_variable(const DefaultGrubEdit *e, const ShellValue *before, const ShellValue *after,
                                         size_t n_added, size_t n_removed) {
        _cleanup_(line_done) Line old = {}, new = {};
        int r;

        r = default_grub_line(before, &old);
        if (r >= 0)
                r = default_grub_line(after, &new);
        if (r < 0)
                return r;

        if ((n_added > 0 || n_removed > 0) && old.cmdline.n_tokens + n_added != new.cmdline.n_tokens + n_removed)
                return 0;

        return default_grub_same_words(e->edits, &old, &new);
}

/* Whether a later entry surely gets the tokens that are added. Return: 1, 0 or -ENOMEM. */
static int default_grub_entry_has_tokens(const LineChange *c, const DefaultGrubReading *after) {
        _cleanup_(line_done) Line entry = {};
        int r;

        r = default_grub_entry_line(after, &entry);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->n_texts; i++)
                if (!default_grub_has_token(&entry, c->texts[i]))
                        return 0;

        return 1;
}

/* Return: 0 if a shell surely makes of the new content what it shall; -EBADMSG if not; -ENOMEM. */
static int default_grub_compare(const DefaultGrubLayout *l, const DefaultGrubEdit *e, const DefaultGrubReading *before,
                                const DefaultGrubReading *after) {
        const char *target = default_grub_variables[l->target.variable];
        int r;

        for (size_t i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                if (!l->parts[i].edited)
                        continue;
                r = default_grub_compare_variable(e, before->values[i], after->values[i],
                                                  i == l->target.variable ? e->change.n_texts : 0,
                                                  e->parts[i].n_removed);
                if (r <= 0)
                        return r < 0 ? r : -EBADMSG;
        }

        r = default_grub_entry_has_tokens(&e->change, after);
        if (r < 0)
                return r;

        /* A token that came into another variable by an edit of before has to leave it again. */
        if (!r || (e->change.n_texts > 0 && !shell_same_variables(before->shell, after->shell, target)))
                return -EBADMSG;

        return 0;
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

        return default_grub_compare(l, e, &before, &after);
}

int default_grub_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
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
