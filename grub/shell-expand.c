/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Expands the words of a shell file as far as that is possible without executing a command.
 *
 * Tested by test-default-grub.c.
 */

#include "grub/shell-internal.h"

/* These are not set before the first file: util/grub-mkconfig.in sets other variables before it reads the files. */
#define SHELL_UNSET_PREFIX "GRUB_CMDLINE_"

/* The expansion of a word; s->t.pos is the position in it. */
typedef struct ShellExpansion {
        ShellValue value;
        ShellQuote quote;
        size_t end;
        const char *name; /* of the variable that is assigned; NULL: none is */
        size_t name_size;
        bool refers;      /* the old value is in it with its own places */
        size_t old_begin, old_end;
} ShellExpansion;

static int shell_expand_range(Shell *s, ShellExpansion *x, size_t end);

static int shell_expand_plain(Shell *s, ShellExpansion *x, size_t skip) {
        const ShellByte byte = shell_byte(s->t.pos, s->t.pos + skip + 1, x->quote, s->t.file);
        char c = s->t.text[s->t.pos + skip];

        s->t.pos += skip + 1;
        return shell_value_append(s, &x->value, c, &byte);
}

/* A byte that stands for something in the text from @begin on. */
static ShellByte shell_reference(const Shell *s, const ShellExpansion *x, size_t begin, bool unsure) {
        ShellByte byte = shell_byte(begin, s->t.pos, x->quote, s->t.file);

        byte.unsure = unsure;
        return byte;
}

/* Add bytes of which it is unknown whether the shell has them here. */
static int shell_expand_unsure(Shell *s, ShellExpansion *x, size_t begin, const char *text, size_t size,
                               const char *reason) {
        const ShellByte byte = shell_reference(s, x, begin, /* unsure= */ true);

        x->value.doubt = shell_doubt_at(s, begin, reason);
        return shell_value_append_as(s, &x->value, text, size, &byte);
}

static int shell_expand_command(Shell *s, ShellExpansion *x) {
        size_t begin = s->t.pos;
        int r;

        r = shell_skip_expansion(s, x->quote);
        if (r < 0)
                return r;

        return shell_expand_unsure(s, x, begin, "$(…)", strlen("$(…)"), "a part of it is the output of a command");
}

/*
 * Insert the value of a variable; s->t.pos is behind the reference. The old value of the variable that is assigned
 * keeps its places, because a token there is in the new value once. Bytes of any other variable are in this place.
 */
static int shell_expand_value(Shell *s, ShellExpansion *x, size_t begin, const ShellValue *v, bool itself) {
        if (v->doubt.reason)
                x->value.doubt = v->doubt;
        if (itself && !x->refers) {
                x->refers = true;
                x->old_begin = x->value.text.size;
                x->old_end = x->old_begin + v->text.size;
                return shell_value_append_value(s, &x->value, v);
        }

        for (size_t i = 0; i < v->text.size; i++) {
                const ShellByte byte = shell_reference(s, x, begin, v->bytes[i].unsure);
                int r;

                r = shell_value_append(s, &x->value, v->text.data[i], &byte);
                if (r < 0)
                        return r;
        }

        /* An edit in the old places would be in the value twice. */
        for (size_t i = x->old_begin; itself && i < x->old_end; i++)
                x->value.bytes[i].file = SHELL_NO_FILE;

        return 0;
}

static bool shell_expansion_is_of(const ShellExpansion *x, const char *name, size_t n) {
        return x->name && x->name_size == n && memcmp(x->name, name, n) == 0;
}

/* Whether a variable that no file has set is surely not set. */
static bool shell_is_unset(const Shell *s, const ShellExpansion *x, const char *name, size_t n) {
        return !s->wild.reason && (shell_expansion_is_of(x, name, n) ||
                            (n >= strlen(SHELL_UNSET_PREFIX) &&
                             memcmp(name, SHELL_UNSET_PREFIX, strlen(SHELL_UNSET_PREFIX)) == 0));
}

typedef enum ShellAnswer {
        SHELL_NO,
        SHELL_YES,
        SHELL_MAYBE,
} ShellAnswer;

/* Whether a variable is set, or set and not empty. */
static ShellAnswer shell_is_set(const Shell *s, const ShellExpansion *x, const ShellValue *v, const char *name,
                                size_t n, bool and_filled) {
        if (!v || v->n_assignments == 0)
                return shell_is_unset(s, x, name, n) ? SHELL_NO : SHELL_MAYBE;
        if (shell_value_is_sure(v))
                return !and_filled || v->text.size > 0 ? SHELL_YES : SHELL_NO;

        for (size_t i = 0; i < v->text.size; i++)
                if (!v->bytes[i].unsure)
                        return SHELL_YES;

        return SHELL_MAYBE;
}

static int shell_expand_name(Shell *s, ShellExpansion *x, size_t begin, const char *name, size_t n) {
        const ShellValue *v;
        ShellAnswer set;
        int r;

        r = shell_look_up(s, name, n, &v);
        if (r < 0)
                return r;

        set = shell_is_set(s, x, v, name, n, /* and_filled= */ false);
        if (s->refuses_unset && (set == SHELL_NO || (set == SHELL_MAYBE && v)))
                return shell_fail(s, begin, /* dynamic= */ true, "the shell may end here, as a variable is not set");
        if (v && v->n_assignments > 0)
                return shell_expand_value(s, x, begin, v, shell_expansion_is_of(x, name, n));
        if (shell_is_unset(s, x, name, n))
                return 0;

        return shell_expand_unsure(s, x, begin, s->t.text + begin, s->t.pos - begin,
                                   "a part of it is a variable that the file does not set");
}

/* $1 and ${1} in a function; $# and so on are unknown. */
static int shell_expand_argument(Shell *s, ShellExpansion *x, size_t begin, char c) {
        size_t i = (size_t) (c - '1');

        if (c >= '1' && c <= '9' && s->arguments && i < s->n_arguments)
                return shell_expand_value(s, x, begin, s->arguments + i, /* itself= */ false);
        if (c >= '1' && c <= '9' && s->arguments)
                return 0;

        return shell_expand_unsure(s, x, begin, s->t.text + begin, s->t.pos - begin, "a part of it is an argument");
}

/* ${NAME=WORD} sets the variable to what was expanded of the word. */
static int shell_assign_default(Shell *s, const ShellExpansion *x, ShellRange name, size_t from, bool weak) {
        _cleanup_(shell_value_done) ShellValue new = { .first_file = SHELL_NO_FILE };
        ShellValue *v;
        int r;

        for (size_t i = from; i < x->value.text.size; i++) {
                ShellByte byte = x->value.bytes[i];

                byte.file = SHELL_NO_FILE;
                r = shell_value_append(s, &new, x->value.text.data[i], &byte);
                if (r < 0)
                        return r;
        }

        r = shell_make(s, s->t.text + name.begin, name.end - name.begin, &v);
        if (r < 0)
                return r;

        return shell_set(s, v, &new, weak);
}

/* ${NAME OPERATOR WORD}, where the operator is -, =, + or ?, with or without a colon; s->t.pos is behind it. */
static int shell_expand_default(Shell *s, ShellExpansion *x, size_t begin, ShellRange name, char operator,
                                ShellRange word) {
        static const char reason[] = "a part of it depends on another variable";
        const char *text = s->t.text + name.begin;
        size_t n = name.end - name.begin, behind = s->t.pos, from = x->value.text.size;
        const ShellValue *v = shell_find(s, text, n);
        ShellAnswer set = shell_is_set(s, x, v, text, n, s->t.text[name.end] == ':');
        bool quotes = memchr(s->t.text + word.begin, '"', word.end - word.begin) ||
                      memchr(s->t.text + word.begin, '\'', word.end - word.begin);
        int r = 0;

        if (operator == '?')
                return shell_expand_name(s, x, begin, text, n);
        if (operator != '+' && set == SHELL_YES)
                return shell_expand_value(s, x, begin, v, shell_expansion_is_of(x, text, n));
        if (operator == '+' && set == SHELL_NO)
                return 0;

        if (set == SHELL_MAYBE || quotes) {
                if (v && operator != '+')
                        r = shell_expand_unsure(s, x, begin, v->text.data, v->text.size, reason);
                if (r >= 0)
                        r = shell_expand_unsure(s, x, begin, s->t.text + word.begin, word.end - word.begin, reason);
        } else {
                s->t.pos = word.begin;
                r = shell_expand_range(s, x, word.end);
                s->t.pos = behind;
        }
        if (r < 0 || operator != '=')
                return r;

        return shell_assign_default(s, x, name, from, shell_is_weak(s) || set == SHELL_MAYBE);
}

static int shell_expand_braces(Shell *s, ShellExpansion *x) {
        size_t begin = s->t.pos, n = shell_name_size(s, begin + 2);
        ShellRange name = { .begin = begin + 2, .end = begin + 2 + n };
        size_t operator = name.end + (shell_at(s, name.end) == ':');
        char c = shell_at(s, operator);
        int r;

        r = shell_skip_expansion(s, x->quote);
        if (r < 0)
                return r;
        if (n > 0 && s->t.text[name.end] == '}')
                return shell_expand_name(s, x, begin, s->t.text + name.begin, n);
        if (n > 0 && c && strchr("-=+?", c))
                return shell_expand_default(s, x, begin, name, c, (ShellRange) { operator + 1, s->t.pos - 1 });
        if (n == 0 && s->t.pos - begin == strlen("${1}"))
                return shell_expand_argument(s, x, begin, s->t.text[begin + 2]);

        return shell_expand_unsure(s, x, begin, "${…}", strlen("${…}"), "a part of it is computed by ${…}");
}

/* An assignment in $((…)) changes a variable. */
static int shell_expand_arithmetic(Shell *s, ShellExpansion *x) {
        size_t begin = s->t.pos;
        int r;

        r = shell_expand_command(s, x);
        if (r < 0)
                return r;

        for (size_t i = begin, n; i < s->t.pos; i += n > 0 ? n : 1) {
                ShellValue *v;

                n = shell_name_size(s, i);
                v = shell_find(s, s->t.text + i, n);
                if (!v)
                        continue;
                r = shell_forget(s, v, begin, "arithmetic may set it");
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_expand_variable(Shell *s, ShellExpansion *x) {
        size_t begin = s->t.pos, n = shell_name_size(s, begin + 1);
        char c = shell_at(s, begin + 1);

        if (c == '(')
                return shell_at(s, begin + 2) == '(' ? shell_expand_arithmetic(s, x) : shell_expand_command(s, x);
        if (c == '{')
                return shell_expand_braces(s, x);
        if ((c == '\'' || c == '"') && x->quote == SHELL_UNQUOTED) {
                /* bash leaves the "$" out, and dash does not. */
                s->t.pos++;
                return shell_expand_unsure(s, x, begin, "$", 1, "not all shells have $'…' and $\"…\"");
        }
        if (n > 0) {
                s->t.pos = begin + 1 + n;
                return shell_expand_name(s, x, begin, s->t.text + begin + 1, n);
        }
        if (c && strchr("0123456789@*#?-$!", c)) {
                s->t.pos = begin + 2;
                return shell_expand_argument(s, x, begin, c);
        }

        return shell_expand_plain(s, x, 0);
}

static int shell_expand_escape(Shell *s, ShellExpansion *x) {
        char next = shell_at(s, s->t.pos + 1);

        if (next == '\n') {
                s->t.pos += 2;
                return 0;
        }

        return shell_expand_plain(s, x, x->quote == SHELL_UNQUOTED || strchr("$`\"\\", next) ? 1 : 0);
}

/* Enter or leave quotes. Return: whether the character is a quote that does so. */
static bool shell_expand_quote(ShellExpansion *x, char c) {
        ShellQuote quote = c == '"' ? SHELL_DOUBLE : SHELL_SINGLE;

        if ((c != '"' && c != '\'') || (x->quote != SHELL_UNQUOTED && x->quote != quote))
                return false;

        x->quote = x->quote == SHELL_UNQUOTED ? quote : SHELL_UNQUOTED;
        return true;
}

/* Expand up to @end. The word was skipped before, so its quotes are balanced. */
static int shell_expand_range(Shell *s, ShellExpansion *x, size_t end) {
        while (s->t.pos < end) {
                char c = s->t.text[s->t.pos];
                int r = 0;

                if (shell_expand_quote(x, c))
                        s->t.pos++;
                else if (x->quote == SHELL_SINGLE)
                        r = shell_expand_plain(s, x, 0);
                else if (c == '\\')
                        r = shell_expand_escape(s, x);
                else if (c == '$')
                        r = shell_expand_variable(s, x);
                else if (c == '`')
                        r = shell_expand_command(s, x);
                else
                        r = shell_expand_plain(s, x, 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_expand(Shell *s, ShellExpansion *x, size_t begin, size_t end) {
        size_t pos = s->t.pos;
        int r;

        s->t.pos = begin;
        r = shell_expand_range(s, x, end);
        s->t.pos = pos;
        return r;
}

int shell_expand_word(Shell *s, ShellRange range, ShellValue *ret) {
        ShellExpansion x = {};
        int r;

        r = shell_expand(s, &x, range.begin, range.end);
        if (r < 0) {
                shell_value_done(&x.value);
                return r;
        }

        *ret = x.value;
        return 0;
}

size_t shell_assignment_size(const Shell *s, ShellRange range) {
        size_t n = shell_name_size(s, range.begin);

        if (n == 0 || range.begin + n >= range.end)
                return 0;
        if (s->t.text[range.begin + n] == '+')
                n++;

        return range.begin + n < range.end && s->t.text[range.begin + n] == '=' ? n + 1 : 0;
}

/* Where text is inserted to come before the whole value. */
static void shell_value_set_first(const Shell *s, ShellValue *v, size_t begin) {
        char c = shell_at(s, begin);

        v->first_quote = c == '"' ? SHELL_DOUBLE : c == '\'' ? SHELL_SINGLE : SHELL_UNQUOTED;
        v->first = begin + (v->first_quote != SHELL_UNQUOTED);
        v->first_file = s->t.file;
}

int shell_assign(Shell *s, ShellRange range, bool weak) {
        size_t n = shell_name_size(s, range.begin), value = range.begin + shell_assignment_size(s, range);
        bool append = s->t.text[range.begin + n] == '+';
        ShellExpansion x = { .name = s->t.text + range.begin, .name_size = n, .refers = append };
        _cleanup_(shell_value_done) ShellValue new = SHELL_VALUE_NULL;
        const ShellValue *old;
        ShellValue *v;
        int r;

        r = shell_look_up(s, x.name, n, &old);
        if (r >= 0 && append && old) {
                x.value.doubt = old->doubt;
                x.old_end = old->text.size;
                r = shell_value_append_value(s, &x.value, old);
        }
        if (r >= 0)
                r = shell_expand(s, &x, value, range.end);
        new = x.value;
        if (r < 0)
                return r;

        r = shell_make(s, x.name, n, &v);
        if (r < 0)
                return r;
        if (v->frozen)
                return shell_fail(s, range.begin, /* dynamic= */ true, "the shell ends here: the variable is read-only");

        if (append && v->n_assignments > 0) {
                new.first = v->first;
                new.first_quote = v->first_quote;
                new.first_file = v->first_file;
        } else
                shell_value_set_first(s, &new, value);
        if (s->depth == 0) {
                new.begin = range.begin;
                new.end = range.end;
        }

        return shell_set(s, v, &new, weak);
}
