/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A command line in a file: its tokens are removed, inserted and measured here.
 *
 * Tested by the tests of the stores that use it: test-bls.c, test-default-grub.c, test-grubenv.c,
 * test-kernel-cmdline.c and test-layouts.c.
 */

#include <assert.h>

#include "grub/line.h"

int line_append(Line *l, char c, size_t begin, size_t end) {
        int r;

        r = grow(&l->bytes, l->text.size, sizeof(ShellByte));
        if (r < 0)
                return r;

        l->bytes[l->text.size] = shell_byte(begin, end, LINE_VERBATIM, 0);
        return buffer_append(&l->text, &c, 1);
}

int line_map(Line *l, const Buffer *content, size_t begin, size_t end) {
        size_t n = l->text.size;
        int r;

        r = grow_by(&l->bytes, n, end - begin, sizeof(ShellByte));
        if (r < 0)
                return r;

        for (size_t i = begin; i < end; i++)
                l->bytes[n + i - begin] = shell_byte(i, i + 1, LINE_VERBATIM, 0);

        return end > begin ? buffer_append(&l->text, content->data + begin, end - begin) : 0;
}

int line_copy(const Line *from, Line *ret) {
        _cleanup_(line_done) Line l = { .first = from->first, .first_quote = from->first_quote, .file = from->file };
        int r;

        r = line_map(&l, &from->text, 0, from->text.size);
        if (r < 0)
                return r;
        for (size_t i = 0; i < from->text.size; i++)
                l.bytes[i] = from->bytes[i];

        r = line_parse(&l);
        if (r < 0)
                return r;

        *ret = l;
        l = (Line) {};
        return 0;
}

int line_parse(Line *l) {
        return cmdline_parse(l->text.data, l->text.size, &l->cmdline);
}

void line_done(Line *l) {
        buffer_done(&l->text);
        free(l->bytes);
        cmdline_done(&l->cmdline);
        *l = (Line) {};
}

void line_store_done(BootStore *store) {
        if (!store->layout)
                return;

        line_done(store->layout);
        free(store->layout);
}

unsigned line_number(const Buffer *content, size_t offset) {
        unsigned line = 1;

        for (size_t i = 0; i < offset && i < content->size; i++)
                if (content->data[i] == '\n')
                        line++;

        return line;
}

static bool line_is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Whether a byte of the line follows another one in the file with nothing in between, under the same quote. */
static bool line_is_adjacent(const Line *l, size_t i, size_t k) {
        const ShellByte *a = l->bytes + i, *b = l->bytes + k;

        return a->end == b->begin && a->quote == b->quote && a->file == b->file;
}

/* Whether the file has a token byte for byte as the kernel gets it, in one place. */
static bool line_is_verbatim(const Line *l, const Token *t) {
        for (size_t i = t->offset; i < t->offset + t->size; i++)
                if (l->bytes[i].file != l->file || l->bytes[i].unsure || l->bytes[i].end != l->bytes[i].begin + 1 ||
                    (i > t->offset && !line_is_adjacent(l, i - 1, i)))
                        return false;

        return true;
}

void line_mark(const Line *l, const PreparedEdits *edits, const char *const *ids, size_t n_ids, bool *removed) {
        for (size_t i = 0; i < edits->n_edits; i++) {
                const PreparedEdit *e = edits->edits + i;

                if (e->edit->add || edit_keeps(e, ids, n_ids))
                        continue;

                /* Remove one occurrence: gtuned added one, a second is the administrator's. */
                for (size_t k = 0; k < l->cmdline.n_tokens; k++) {
                        const Token *t = l->cmdline.tokens + k;

                        if (!t->for_init && line_is_verbatim(l, t) &&
                            edit_text_equal(e, l->text.data + t->offset, t->size)) {
                                removed[k] = true;
                                break;
                        }
                }
        }
}

/*
 * Whether a byte of the line is a backslash in double quotes that stands for itself, but would quote the byte at @next
 * if everything in between were removed.
 */
static bool line_would_quote(const Line *l, const Buffer *content, size_t i, size_t next) {
        const ShellByte *byte = l->bytes + i;

        return l->text.data[i] == '\\' && byte->end - byte->begin == 1 && byte->quote == SHELL_DOUBLE &&
               next < content->size && strchr("$`\"\\\n", content->data[next]);
}

/* The progress of line_cut(). */
typedef struct LineCut {
        size_t size; /* bytes of the line that were removed */
        size_t end;  /* where in the line the last removed range ends */
        bool start;  /* everything before @end was removed */
} LineCut;

/* Remove a token and the blanks that line_insert() would have added with it. */
static int line_cut_token(const Line *l, const Buffer *content, const Token *t, LineCut *c, Pieces *pieces) {
        size_t token = t->offset, begin = token, end = token + t->size;

        while (begin > c->end && line_is_blank(l->text.data[begin - 1]) && line_is_adjacent(l, begin - 1, begin))
                begin--;
        if (begin < token && begin > 0 && line_would_quote(l, content, begin - 1, l->bytes[end - 1].end))
                begin++;

        c->start = begin == 0 || (c->start && begin == c->end);
        if (c->start && begin == token && end < l->text.size && line_is_blank(l->text.data[end]) &&
            line_is_adjacent(l, end - 1, end))
                end++;

        c->size += end - begin;
        c->end = end;
        return pieces_add(pieces, l->bytes[begin].begin, l->bytes[end - 1].end - l->bytes[begin].begin, NULL);
}

int line_cut(const Line *l, const Buffer *content, const bool *removed, Pieces *pieces, size_t *ret_cut) {
        LineCut c = {};
        int r;

        for (size_t i = 0; i < l->cmdline.n_tokens; i++) {
                if (!removed[i])
                        continue;

                r = line_cut_token(l, content, l->cmdline.tokens + i, &c, pieces);
                if (r < 0)
                        return r;
        }

        *ret_cut = c.size;
        return 0;
}

/* Whether text can be inserted right after a byte: the next one does not come from the same bytes of the file. */
static bool line_ends_at(const Line *l, size_t i) {
        const ShellByte *byte = l->bytes + i;

        return byte->file != SHELL_NO_FILE &&
               (i + 1 == l->text.size || byte[1].file != byte->file || byte[1].begin >= byte->end ||
                byte[1].end <= byte->begin);
}

/*
 * The end of the last token for the kernel, or NULL. @removed and @file may be NULL: then no token was removed, and any
 * file will do.
 */
static const ShellByte *line_last_place(const Line *l, const bool *removed, const unsigned *file, bool unsure) {
        for (size_t i = l->cmdline.n_tokens; i > 0; i--) {
                const Token *t = l->cmdline.tokens + i - 1;
                const ShellByte *byte = l->bytes + t->offset + t->size - 1;

                if (!t->for_init && !t->open && (!file || byte->file == *file) && (!removed || !removed[i - 1]) &&
                    (unsure || !byte->unsure) && line_ends_at(l, t->offset + t->size - 1))
                        return byte;
        }

        return NULL;
}

const ShellByte *line_last_byte(const Line *l) {
        return line_last_place(l, NULL, NULL, /* unsure= */ false)
                       ?: line_last_place(l, NULL, NULL, /* unsure= */ true);
}

/* The byte after which new tokens are inserted, or NULL if they are inserted before the whole line. */
static const ShellByte *line_insertion_byte(const Line *l, const bool *removed) {
        const ShellByte *byte = line_last_place(l, removed, &l->file, /* unsure= */ false)
                                        ?: line_last_place(l, removed, &l->file, /* unsure= */ true);

        /* If the line begins in another file, a removed token marks the only place that this file has in the line. */
        return byte || l->first != SIZE_MAX ? byte : line_last_place(l, NULL, &l->file, /* unsure= */ false);
}

bool line_has_place(const Line *l, const bool *removed) {
        return l->first != SIZE_MAX || line_insertion_byte(l, removed);
}

int line_insert(const Line *l, const bool *removed, const char *const *texts, size_t n, bool emptied, bool pad,
                Pieces *pieces) {
        _cleanup_buffer_ Buffer insert = BUFFER_NULL;
        const ShellByte *behind = line_insertion_byte(l, removed);
        ShellQuote quote = behind ? behind->quote : l->first_quote;
        const char *blank = quote == SHELL_UNQUOTED ? "\\ " : " ";
        int r;

        for (size_t i = 0; i < n; i++) {
                r = buffer_printf(&insert, "%s%s%s", behind && pad && i == 0 ? blank : "",
                                  behind || i > 0 ? blank : "", texts[i]);
                if (r < 0)
                        return r;
        }

        r = buffer_puts(&insert, !behind && !emptied ? blank : "");
        if (r < 0)
                return r;

        return pieces_add(pieces, behind ? behind->end : l->first, 0, insert.data);
}

/* Whether a token has to be added to the line: an entry needs it, and no entry has it with another meaning. */
static bool line_needs(const Line *l, const LineChange *c, const TokenSpec *spec, const bool *removed) {
        size_t n_removed = tokens_count(&l->cmdline, spec->name, removed);
        bool needed = false;

        if (tokens_count(&l->cmdline, spec->name, NULL) > n_removed)
                return false;

        for (size_t i = 0; i < c->n_entries; i++)
                if (entry_needs(c->entries[i], spec, n_removed))
                        needed = true;
                else if (cmdline_state(&c->entries[i]->cmdline, spec, NULL) == TOKEN_OPPOSITE)
                        return false;

        return needed;
}

static int line_choose_texts(const Line *l, const PreparedEdits *edits, const bool *removed, LineChange *c) {
        c->texts = calloc(edits->n_edits + 1, sizeof(char *));
        if (!c->texts)
                return -ENOMEM;

        for (size_t i = 0; i < edits->n_edits; i++)
                if (edits->edits[i].edit->add && line_needs(l, c, edits->edits[i].edit->spec, removed))
                        c->texts[c->n_texts++] = edits->edits[i].text;

        return 0;
}

/* Find the entry with the longest command line. Return: 0, or -E2BIG if that becomes too long. */
static int line_measure(const Line *l, size_t cut, LineChange *c) {
        c->left = l->text.size - cut;

        for (size_t i = 0; i < c->n_entries; i++) {
                size_t size = c->entries[i]->cmdline_size > cut ? c->entries[i]->cmdline_size - cut : 0;

                for (size_t k = 0; k < c->n_texts; k++)
                        size += strlen(c->texts[k]) + (size > 0);

                if (!c->longest || size > c->size) {
                        c->longest = c->entries[i];
                        c->size = size;
                }
        }

        return c->n_texts > 0 && c->size > CMDLINE_MAX ? -E2BIG : 0;
}

static const char **line_entry_ids(const LineChange *c) {
        const char **ids = calloc(c->n_entries, sizeof(char *));

        for (size_t i = 0; ids && i < c->n_entries; i++)
                ids[i] = c->entries[i]->id;

        return ids;
}

void line_change_done(LineChange *c) {
        free(c->texts);
        c->texts = NULL;
        c->n_texts = 0;
}

int line_plan(const Line *l, const PreparedEdits *edits, const bool *removed, size_t cut, LineChange *c) {
        int r;

        r = line_choose_texts(l, edits, removed, c);
        if (r < 0)
                return r;

        return line_measure(l, cut, c);
}

int line_change(const Line *l, const Buffer *content, const PreparedEdits *edits, Pieces *pieces, LineChange *c) {
        _cleanup_free_ bool *removed = NULL;
        _cleanup_free_ const char **ids = NULL;
        size_t cut;
        int r;

        assert(l);
        assert(content);
        assert(edits);
        assert(c->n_entries > 0);

        removed = calloc(l->cmdline.n_tokens + 1, sizeof(bool));
        ids = line_entry_ids(c);
        if (!removed || !ids)
                return -ENOMEM;

        line_mark(l, edits, ids, c->n_entries, removed);

        r = line_cut(l, content, removed, pieces, &cut);
        if (r < 0)
                return r;

        r = line_plan(l, edits, removed, cut, c);
        if (r < 0 || c->n_texts == 0 || l->first == SIZE_MAX)
                return r;

        return line_insert(l, removed, c->texts, c->n_texts, c->left == 0, c->pad, pieces);
}
