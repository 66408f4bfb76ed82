/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store "default-grub": GRUB_CMDLINE_LINUX in /etc/default/grub. grub-mkconfig writes it into every entry
 * that it makes, so tokens that stand here survive a new grub.cfg.
 */

#include <assert.h>

#include "grub/shell.h"
#include "grub/stores.h"

#define DEFAULT_GRUB "/etc/default/grub"
#define VARIABLE "GRUB_CMDLINE_LINUX"

/*
 * Where the file does not set the variable, we do, under this line. Once nothing is left in the value, both
 * lines go, and the file is again what it was.
 */
#define MARKER "# Added by gtuned, which removes it again when it is empty.\n"

typedef struct Layout {
        ShellValue value;
        /* For each token, the bytes of the value that it was read from. */
        struct {
                size_t begin, end;
        } *spans;
} Layout;

/* Tokens refer to the value; let them refer to the file. */
static int locate_tokens(Cmdline *c, Layout *layout) {
        const ShellByte *bytes = layout->value.bytes;

        layout->spans = calloc(c->n_tokens + 1, sizeof(*layout->spans));
        if (!layout->spans)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_tokens; i++) {
                Token *t = c->tokens + i;
                size_t begin = t->offset, end = t->offset + t->size;

                layout->spans[i].begin = begin;
                layout->spans[i].end = end;

                /* A token that is put together of several assignments stands in no one place. */
                t->offset = bytes[begin].begin;
                t->size = bytes[end - 1].end > t->offset ? bytes[end - 1].end - t->offset : 0;
        }

        return 0;
}

static unsigned line_of(const Buffer *content, size_t offset) {
        unsigned line = 1;

        for (size_t i = 0; i < offset && i < content->size; i++)
                if (content->data[i] == '\n')
                        line++;

        return line;
}

static int read_entry(BootStore *store, Layout *layout) {
        BootEntry *e;
        int r;

        store->entries = e = calloc(1, sizeof(BootEntry));
        if (!e)
                return -ENOMEM;

        store->n_entries = 1;
        e->id = strdup(VARIABLE);
        e->title = strdup(VARIABLE);
        e->path = strdup(store->path);
        if (!e->id || !e->title || !e->path)
                return -ENOMEM;

        e->kind = ENTRY_TEMPLATE;
        e->line = layout->value.n_assignments > 0 ? line_of(&store->content, layout->value.begin) : 0;
        e->cmdline_size = layout->value.text.size;

        r = cmdline_parse(layout->value.text.data, layout->value.text.size, &e->cmdline);
        if (r < 0)
                return r;

        return locate_tokens(&e->cmdline, layout);
}

int default_grub_load(BootStores *stores, const char *path, Buffer *content) {
        BootStore *store;
        ShellError error;
        ShellValue value;
        Layout *layout;
        int r;

        assert(stores);
        assert(path);
        assert(content);

        r = shell_read_variable(content->data, content->size, VARIABLE, &value, &error);
        if (r == -EINVAL)
                return boot_stores_problem(stores, path, line_of(content, error.offset),
                                           error.dynamic ? "default-grub-dynamic" : "default-grub-syntax",
                                           /* fatal= */ true, "%s cannot be changed here: %s", VARIABLE, error.reason);
        if (r < 0)
                return r;

        layout = calloc(1, sizeof(Layout));
        if (!layout) {
                shell_value_done(&value);
                return -ENOMEM;
        }
        layout->value = value;

        r = boot_stores_add(stores, &boot_store_default_grub, path, content, &store);
        if (r < 0) {
                shell_value_done(&layout->value);
                free(layout);
                return r == -EEXIST ? 0 : r;
        }

        store->layout = layout;
        return read_entry(store, layout);
}

static int default_grub_find(const Root *root, BootStores *stores) {
        _cleanup_free_ char *path = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        int r;

        r = root_resolve(root, DEFAULT_GRUB, &path);
        if (r >= 0)
                r = root_read(root, path, BOOT_FILE_MAX, &content);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return boot_stores_problem(stores, path ?: DEFAULT_GRUB, 0, "default-grub-unreadable",
                                           /* fatal= */ true, "The file cannot be read: %s", strerror(-r));

        return default_grub_load(stores, path, &content);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Whether two bytes of the value stand side by side in the file. */
static bool adjacent(const ShellValue *v, size_t i, size_t k) {
        return v->bytes[i].end == v->bytes[k].begin && v->bytes[i].quote == v->bytes[k].quote;
}

/* Bytes of the file that are replaced. */
typedef struct Piece {
        size_t offset, size;
        const char *text; /* NULL for nothing */
} Piece;

/* The change of the file in the making. */
typedef struct Change {
        const BootStore *store;
        const ShellValue *value;
        Piece *pieces;
        size_t n_pieces;
        Buffer insert;   /* the text of one of the pieces */
        size_t cut;      /* bytes cut out of the value */
        size_t cut_end;  /* where in the value the last cut ended */
        bool cut_start;  /* nothing is left before that */
} Change;

static void change_done(Change *c) {
        free(c->pieces);
        buffer_done(&c->insert);
}

/* Whether a byte is a backslash that stands for itself, and would not before the byte at this place of the file. */
static bool would_quote(const Change *c, size_t i, size_t next) {
        const Buffer *content = &c->store->content;
        const ShellByte *byte = c->value->bytes + i;

        return c->value->text.data[i] == '\\' && byte->end - byte->begin == 1 && byte->quote == SHELL_DOUBLE &&
               strchr("$`\"\\\n", content->data[next]);
}

static int change_add(Change *c, size_t offset, size_t size, const char *text) {
        int r;

        r = grow(&c->pieces, c->n_pieces, sizeof(Piece));
        if (r < 0)
                return r;

        c->pieces[c->n_pieces++] = (Piece) { .offset = offset, .size = size, .text = text };
        return 0;
}

/*
 * Cut a token with the blanks before it, or, where it is the first one, with the one blank behind it: the opposite of
 * what adding does.
 */
static int cut_token(Change *c, size_t begin, size_t end) {
        const ShellValue *v = c->value;
        size_t token = begin;

        while (begin > c->cut_end && is_blank(v->text.data[begin - 1]) && adjacent(v, begin - 1, begin))
                begin--;
        if (begin < token && begin > 0 && would_quote(c, begin - 1, v->bytes[end - 1].end))
                begin++;

        c->cut_start = begin == 0 || (c->cut_start && begin == c->cut_end);
        if (c->cut_start && begin == token && end < v->text.size && is_blank(v->text.data[end]) &&
            adjacent(v, end - 1, end))
                end++;

        c->cut += end - begin;
        c->cut_end = end;
        return change_add(c, v->bytes[begin].begin, v->bytes[end - 1].end - v->bytes[begin].begin, NULL);
}

static int cut_tokens(Change *c, const bool *removed) {
        const Layout *layout = c->store->layout;
        int r;

        for (size_t i = 0; i < c->store->entries->cmdline.n_tokens; i++) {
                if (!removed[i])
                        continue;

                r = cut_token(c, layout->spans[i].begin, layout->spans[i].end);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The last byte of the value behind which a token for the kernel can stand, or SIZE_MAX where there is none. */
static size_t last_byte(const Change *c, const bool *removed) {
        const Cmdline *cmdline = &c->store->entries->cmdline;
        const Layout *layout = c->store->layout;

        for (size_t i = cmdline->n_tokens; i > 0; i--) {
                const Token *t = cmdline->tokens + i - 1;

                if (!t->for_init && !t->open && !removed[i - 1])
                        return layout->spans[i - 1].end - 1;
        }

        return SIZE_MAX;
}

/* Put new tokens behind the last one for the kernel, or before everything else. */
static int insert_tokens(Change *c, const char *const *texts, size_t n, const bool *removed) {
        size_t last = last_byte(c, removed), offset = c->value->first;
        ShellQuote quote = c->value->first_quote;
        const char *blank;
        bool behind = last != SIZE_MAX;
        int r = 0;

        if (behind) {
                offset = c->value->bytes[last].end;
                quote = c->value->bytes[last].quote;
        }

        blank = quote == SHELL_UNQUOTED ? "\\ " : " ";

        for (size_t i = 0; i < n && r >= 0; i++)
                r = buffer_printf(&c->insert, "%s%s", behind || i > 0 ? blank : "", texts[i]);
        if (r >= 0 && !behind && c->cut < c->value->text.size)
                r = buffer_puts(&c->insert, blank);
        if (r < 0)
                return r;

        return change_add(c, offset, 0, c->insert.data);
}

/* Set the variable that the file does not set yet, at its end. A file without a last newline stays one. */
static int insert_variable(Change *c, const char *const *texts, size_t n) {
        const Buffer *content = &c->store->content;
        bool newline = content->size == 0 || content->data[content->size - 1] == '\n';
        int r;

        r = buffer_printf(&c->insert, "%s%s%s=\"", newline ? "" : "\n", MARKER, VARIABLE);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = buffer_printf(&c->insert, "%s%s", i > 0 ? " " : "", texts[i]);
        if (r >= 0)
                r = buffer_printf(&c->insert, "\"%s", newline ? "\n" : "");
        if (r < 0)
                return r;

        return change_add(c, content->size, 0, c->insert.data);
}

/* Whether the assignment is the one that insert_variable() made, alone on its line. */
static bool is_ours(const BootStore *store, const ShellValue *v) {
        const Buffer *content = &store->content;
        size_t n = strlen(MARKER);

        return v->n_assignments == 1 &&
               v->begin >= n && memcmp(content->data + v->begin - n, MARKER, n) == 0 &&
               (v->begin == n || content->data[v->begin - n - 1] == '\n') &&
               (v->end == content->size || content->data[v->end] == '\n');
}

/* Take away what insert_variable() wrote, with the newline that it added before or behind. */
static int cut_variable(Change *c) {
        size_t begin = c->value->begin - strlen(MARKER), end = c->value->end;

        if (end < c->store->content.size)
                end++;
        else if (begin > 0)
                begin--;

        c->n_pieces = 0;
        return change_add(c, begin, end - begin, NULL);
}

static int compare_pieces(const void *a, const void *b) {
        const Piece *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;

        return (x->size > y->size) - (x->size < y->size);
}

static int change_apply(Change *c, Buffer *ret) {
        Buffer to = BUFFER_NULL;
        Rewrite w = { .from = &c->store->content, .to = &to };
        int r = 0;

        if (c->n_pieces > 0)
                qsort(c->pieces, c->n_pieces, sizeof(Piece), compare_pieces);

        for (size_t i = 0; i < c->n_pieces && r >= 0; i++)
                r = rewrite_replace(&w, c->pieces[i].offset, c->pieces[i].size, c->pieces[i].text);
        if (r >= 0)
                r = rewrite_finish(&w);
        if (r < 0) {
                buffer_done(&to);
                return r;
        }

        *ret = to;
        return 0;
}

/* Fill in the pieces; *ret_size is the length of the new value. Return: 0, -ENOMEM, or -E2BIG where it is too long. */
static int plan_change(Change *c, const PreparedEdits *edits, size_t *ret_size) {
        const BootEntry *e = c->store->entries;
        _cleanup_free_ bool *removed = NULL;
        _cleanup_free_ const char **texts = NULL;
        bool removes = false;
        size_t n = 0;
        int r;

        removed = calloc(e->cmdline.n_tokens + 1, sizeof(bool));
        texts = calloc(edits->n_edits + 1, sizeof(char *));
        if (!removed || !texts)
                return -ENOMEM;

        edits_mark(edits, &c->store->content, e, removed);
        r = cut_tokens(c, removed);
        if (r < 0)
                return r;

        *ret_size = e->cmdline_size - c->cut;
        for (size_t i = 0; i < edits->n_edits; i++) {
                removes = removes || !edits->edits[i].edit->add;
                if (!edit_adds(edits->edits + i, e, removed))
                        continue;

                texts[n++] = edits->edits[i].text;
                *ret_size += strlen(edits->edits[i].text) + (*ret_size > 0);
        }

        if (n > 0 && *ret_size > CMDLINE_MAX)
                return -E2BIG;
        if (n > 0 && c->value->n_assignments > 0)
                return insert_tokens(c, texts, n, removed);
        if (n > 0)
                return insert_variable(c, texts, n);
        if (removes && *ret_size == 0 && is_ours(c->store, c->value))
                return cut_variable(c);

        return 0;
}

static int default_grub_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                               const BootEntry **ret_entry, size_t *ret_size) {
        const Layout *layout = store->layout;
        _cleanup_(edits_done) PreparedEdits prepared = {};
        _cleanup_(change_done) Change change = { .store = store, .value = &layout->value };
        int r;

        r = edits_prepare(edits, n_edits, &prepared);
        if (r < 0)
                return r;

        *ret_entry = store->entries;
        r = plan_change(&change, &prepared, ret_size);
        if (r < 0)
                return r;

        return change_apply(&change, ret);
}

static void default_grub_done(BootStore *store) {
        Layout *layout = store->layout;

        if (!layout)
                return;

        shell_value_done(&layout->value);
        free(layout->spans);
        free(layout);
}

const BootStoreDriver boot_store_default_grub = {
        .name = "default-grub",
        .title = "defaults of grub-mkconfig",
        .find = default_grub_find,
        .render = default_grub_render,
        .done = default_grub_done,
};
