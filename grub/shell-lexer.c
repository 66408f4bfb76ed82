/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Skips the words of a shell file, with the quotes, brackets and here-documents in them.
 *
 * Tested by test-default-grub.c.
 */

#include "grub/shell-internal.h"

int shell_fail(Shell *s, size_t offset, bool dynamic, const char *reason) {
        s->error = (ShellError) { .offset = offset, .dynamic = dynamic, .reason = reason };
        return -EINVAL;
}

static bool shell_is_name_char(char c, bool first) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

size_t shell_name_size(const Shell *s, size_t pos) {
        size_t n = 0;

        while (pos + n < s->t.size && shell_is_name_char(s->t.text[pos + n], n == 0))
                n++;

        return n;
}

bool shell_range_is(const Shell *s, ShellRange range, const char *word) {
        return range.end - range.begin == strlen(word) &&
               memcmp(s->t.text + range.begin, word, range.end - range.begin) == 0;
}

/* The quotes and brackets that are open inside a word, innermost last. */
typedef struct ShellNest {
        char open[SHELL_DEPTH_MAX]; /* ", `, ( and {; a: arithmetic; c: "case" in a command substitution */
        size_t n;
        size_t n_heredocs; /* that began before it */
} ShellNest;

static char shell_nest_top(const ShellNest *nest) {
        return nest->n > 0 ? nest->open[nest->n - 1] : 0;
}

/* Whether a single quote is an ordinary character: in double quotes it is, and in a ${…} there. */
static bool shell_nest_quotes(const ShellNest *nest) {
        size_t n = nest->n;

        while (n > 0 && nest->open[n - 1] == '{')
                n--;

        return n > 0 && nest->open[n - 1] == '"';
}

static bool shell_nest_has(const ShellNest *nest, char c) {
        return nest->n > 0 && memchr(nest->open, c, nest->n);
}

static int shell_nest_push(Shell *s, ShellNest *nest, char c) {
        if (nest->n >= SHELL_DEPTH_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "quotes are nested too deeply");

        nest->open[nest->n++] = c;
        return 0;
}

/* Skip single quotes. */
static int shell_skip_single(Shell *s) {
        ShellText *t = &s->t;
        const char *close = memchr(t->text + t->pos + 1, '\'', t->size - t->pos - 1);

        if (!close)
                return shell_fail(s, t->pos, /* dynamic= */ false, "a single quote is never closed");

        t->pos = (size_t) (close - t->text) + 1;
        return 0;
}

static bool shell_is_blank(char c) {
        return c && strchr(" \t\n;&|(", c);
}

/* Whether a word of a command substitution begins here, and is this one. */
static bool shell_nest_word_is(const Shell *s, const char *word) {
        size_t n = strlen(word), pos = s->t.pos;
        char next = shell_at(s, pos + n);

        return pos > 0 && shell_is_blank(s->t.text[pos - 1]) && s->t.size - pos >= n &&
               memcmp(s->t.text + pos, word, n) == 0 && (!next || strchr(" \t\n;&|)", next));
}

static void shell_skip_comment(Shell *s, char end) {
        ShellText *t = &s->t;

        while (t->pos < t->size && t->text[t->pos] != '\n' && (!end || t->text[t->pos] != end))
                t->pos++;
}

/* In a command substitution: a comment, a here-document, "case". Return: 1 if it was one, 0 if not, or -EINVAL. */
static int shell_nest_command(Shell *s, ShellNest *nest) {
        char c = s->t.text[s->t.pos], open = shell_nest_top(nest);
        bool shift = c == '<' && shell_at(s, s->t.pos + 1) == '<' && shell_at(s, s->t.pos + 2) != '<';
        int r = 1;

        if (c == '#' && shell_is_blank(s->t.text[s->t.pos - 1]))
                shell_skip_comment(s, open == '`' ? '`' : 0);
        else if (shift && shell_nest_has(nest, 'a') && strchr("0123456789 =", shell_at(s, s->t.pos + 2)))
                s->t.pos += 2;
        else if ((shift && (open == '`' || shell_nest_has(nest, 'a'))) || (c == '\n' && nest->n_heredocs > 0))
                r = shell_fail(s, s->t.pos, /* dynamic= */ true, "it is unclear where a here-document begins");
        else if (open == '`')
                return 0;
        else if (shift)
                r = shell_heredoc_begin(s);
        else if (c == '\n') {
                s->t.pos++;
                r = shell_heredoc_skip(s);
        } else if (shell_nest_word_is(s, "case")) {
                s->t.pos += strlen("case");
                r = shell_nest_push(s, nest, 'c');
        } else if (open == 'c' && shell_nest_word_is(s, "esac")) {
                s->t.pos += strlen("esac");
                nest->n--;
        } else
                return 0;

        return r < 0 ? r : 1;
}

/* dash takes $'…' for a "$" and single quotes, and in bash a backslash can quote the quote in it. */
static int shell_check_ansi_quotes(Shell *s) {
        const char *close = memchr(s->t.text + s->t.pos + 2, '\'', s->t.size - s->t.pos - 2);

        if (close && memchr(s->t.text + s->t.pos + 2, '\\', (size_t) (close - s->t.text) - s->t.pos - 2))
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "it uses $'…', which not all shells know");

        s->t.pos++;
        return 0;
}

/* Skip one character, or a pair, inside quotes or brackets. */
static int shell_nest_step(Shell *s, ShellNest *nest) {
        ShellText *t = &s->t;
        char c = t->text[t->pos], next = shell_at(s, t->pos + 1), open = shell_nest_top(nest);
        int r;

        if (c == '\\') {
                t->pos += 2;
                return 0;
        }

        if (c == '\'' && !shell_nest_quotes(nest))
                return shell_skip_single(s);
        if (c == '$' && next == '\'' && !shell_nest_quotes(nest))
                return shell_check_ansi_quotes(s);

        /* Of $((…)) nothing is between the brackets on either side. */
        if (open == 'a' && c != '(' && c != ')')
                return shell_fail(s, t->pos, /* dynamic= */ true, "it is unclear whether $(( begins arithmetic here");

        if (open == '(' || open == '`' || open == 'c') {
                r = shell_nest_command(s, nest);
                if (r != 0)
                        return r < 0 ? r : 0;
        }

        t->pos++;

        if ((c == '"' && open == '"') || (c == '`' && open == '`') || (c == ')' && (open == '(' || open == 'a')) ||
            (c == '}' && open == '{')) {
                nest->n--;
                return 0;
        }

        if (c == '$' && (next == '(' || next == '{')) {
                t->pos++;
                return shell_nest_push(s, nest, next == '(' && shell_at(s, t->pos) == '(' ? 'a' : next);
        }

        if (c == '"' || c == '`' || (c == '(' && (open == '(' || open == 'a' || open == 'c')))
                return shell_nest_push(s, nest, c);

        return 0;
}

/* Skip until no more is open than @nest has now, and at least one step. */
static int shell_skip_nest(Shell *s, ShellNest *nest, size_t outer) {
        size_t begin = s->t.pos;
        int r;

        do {
                if (s->t.pos >= s->t.size)
                        return shell_fail(s, begin, shell_nest_has(nest, 'c'),
                                          "a quote or bracket is never closed");

                r = shell_nest_step(s, nest);
                if (r < 0)
                        return r;
        } while (nest->n > outer);

        if (s->t.n_heredocs > nest->n_heredocs)
                return shell_fail(s, begin, /* dynamic= */ true, "a here-document begins inside of brackets, and ends "
                                                                 "outside");

        return 0;
}

int shell_skip_expansion(Shell *s, ShellQuote quote) {
        ShellNest nest = { .open = { '"' }, .n = quote == SHELL_DOUBLE, .n_heredocs = s->t.n_heredocs };

        return shell_skip_nest(s, &nest, nest.n);
}

int shell_skip_brackets(Shell *s) {
        ShellNest nest = { .open = { '(' }, .n = 1, .n_heredocs = s->t.n_heredocs };

        s->t.pos++;
        return shell_skip_nest(s, &nest, 0);
}

int shell_skip_word(Shell *s) {
        ShellText *t = &s->t;

        while (t->pos < t->size && !strchr(" \t\n;&|()<>", t->text[t->pos])) {
                char c = t->text[t->pos], next = shell_at(s, t->pos + 1);
                int r = 0;

                if (c == '\\') {
                        t->pos += 2;
                        if (t->pos > t->size || (next == '\n' && t->pos == t->size))
                                return shell_fail(s, t->pos - 2, /* dynamic= */ false,
                                                  "the file ends in a line continuation");
                } else if (c == '\'')
                        r = shell_skip_single(s);
                else if (c == '$' && next == '\'')
                        r = shell_check_ansi_quotes(s);
                else if (c == '"' || c == '`' || (c == '$' && (next == '(' || next == '{')))
                        r = shell_skip_expansion(s, SHELL_UNQUOTED);
                else
                        t->pos++;
                if (r < 0)
                        return r;
        }

        return 0;
}

int shell_heredoc_begin(Shell *s) {
        ShellText *t = &s->t;
        size_t begin = t->pos;
        ShellHeredoc h = {};
        int r;

        if (t->n_heredocs >= SHELL_HEREDOCS_MAX)
                return shell_fail(s, begin, /* dynamic= */ true, "too many here-documents begin in a line");

        t->pos += 2;
        h.strip = shell_at(s, t->pos) == '-';
        t->pos += h.strip;
        while (shell_at(s, t->pos) == ' ' || shell_at(s, t->pos) == '\t')
                t->pos++;

        h.word.begin = t->pos;
        r = shell_skip_word(s);
        if (r < 0)
                return r;

        h.word.end = t->pos;
        if (h.word.begin == h.word.end || memchr(t->text + h.word.begin, '\n', h.word.end - h.word.begin))
                return shell_fail(s, begin, /* dynamic= */ true, "a here-document has no plain delimiter");

        t->heredocs[t->n_heredocs++] = h;
        return 0;
}

/* Whether a line is the delimiter, whose quotes do not count. */
static bool shell_heredoc_ends(const Shell *s, const ShellHeredoc *h, ShellRange line) {
        const char *text = s->t.text;
        size_t k = line.begin;

        while (h->strip && k < line.end && text[k] == '\t')
                k++;

        for (size_t i = h->word.begin; i < h->word.end; i++) {
                if (strchr("'\"\\", text[i]))
                        continue;
                if (k >= line.end || text[k] != text[i])
                        return false;
                k++;
        }

        return k == line.end;
}

int shell_heredoc_skip(Shell *s) {
        ShellText *t = &s->t;

        for (size_t i = 0; i < t->n_heredocs; i++)
                for (bool ends = false; !ends;) {
                        const char *newline;
                        ShellRange line = { .begin = t->pos };

                        /* Shells take the rest of the file for the document, and a line that is added, too. */
                        if (t->pos >= t->size)
                                return shell_fail(s, t->heredocs[i].word.begin, /* dynamic= */ true,
                                                  "a here-document is never closed");

                        newline = memchr(t->text + t->pos, '\n', t->size - t->pos);
                        line.end = newline ? (size_t) (newline - t->text) : t->size;
                        t->pos = line.end + (newline != NULL);
                        ends = shell_heredoc_ends(s, t->heredocs + i, line);
                }

        t->n_heredocs = 0;
        return 0;
}
