/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the value of a variable from a shell file without executing it.
 *
 * Tested by test-default-grub.c.
 */

#include <assert.h>

#include "grub/shell.h"

/* The nesting limit of commands, and of quotes. A configuration file needs two or three. */
#define SHELL_DEPTH_MAX 64U

/* An assignment to the variable in the command that is being read. It counts when the command ends. */
typedef struct ShellAssignment {
        size_t begin; /* the name */
        size_t value; /* after the "=" */
        size_t end;
        bool append;
} ShellAssignment;

typedef struct Shell {
        const char *text;
        size_t size, pos;
        const char *name;
        unsigned file;

        char open[SHELL_DEPTH_MAX]; /* compound commands: i(f), d(one), c(ase), {, ( */
        size_t n_open;

        /* The command that is being read. */
        ShellAssignment *pending;
        size_t n_pending;
        bool has_word;
        bool has_command;  /* a word other than an assignment was read */
        bool is_export;
        bool conditional;  /* it follows && or || or | */

        ShellValue value;
        ShellError error;
} Shell;

static int shell_fail(Shell *s, size_t offset, bool dynamic, const char *reason) {
        s->error = (ShellError) { .offset = offset, .dynamic = dynamic, .reason = reason };
        return -EINVAL;
}

static char shell_at(const Shell *s, size_t pos) {
        return pos < s->size ? s->text[pos] : 0;
}

static bool shell_is_name_char(char c, bool first) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static size_t shell_name_size(const Shell *s, size_t pos) {
        size_t n = 0;

        while (pos + n < s->size && shell_is_name_char(s->text[pos + n], n == 0))
                n++;

        return n;
}

static bool shell_name_matches(const Shell *s, size_t pos, size_t n) {
        return n == strlen(s->name) && memcmp(s->text + pos, s->name, n) == 0;
}

/* Skip single quotes. */
static int shell_skip_single(Shell *s) {
        const char *close = memchr(s->text + s->pos + 1, '\'', s->size - s->pos - 1);

        if (!close)
                return shell_fail(s, s->pos, /* dynamic= */ false, "a single quote is never closed");

        s->pos = (size_t) (close - s->text) + 1;
        return 0;
}

/* The quotes and brackets that are open inside a word, innermost last. */
typedef struct ShellNest {
        char open[SHELL_DEPTH_MAX]; /* ", `, ( and { */
        size_t n;
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

static int shell_nest_push(Shell *s, ShellNest *nest, char c) {
        if (nest->n >= SHELL_DEPTH_MAX)
                return shell_fail(s, s->pos, /* dynamic= */ false, "quotes are nested too deeply");

        nest->open[nest->n++] = c;
        return 0;
}

/* Skip one character, or a pair, inside quotes or brackets. */
static int shell_nest_step(Shell *s, ShellNest *nest) {
        char c = s->text[s->pos], next = shell_at(s, s->pos + 1), open = shell_nest_top(nest);

        if (c == '\\') {
                s->pos += 2;
                return 0;
        }

        if (c == '\'' && !shell_nest_quotes(nest))
                return shell_skip_single(s);

        if (c == '#' && open == '(' && strchr(" \t\n;(", s->text[s->pos - 1])) {
                while (s->pos < s->size && s->text[s->pos] != '\n')
                        s->pos++;
                return 0;
        }

        s->pos++;

        if ((c == '"' && open == '"') || (c == '`' && open == '`') || (c == ')' && open == '(') ||
            (c == '}' && open == '{')) {
                nest->n--;
                return 0;
        }

        if (c == '$' && (next == '(' || next == '{')) {
                s->pos++;
                return shell_nest_push(s, nest, next);
        }

        if (c == '"' || c == '`' || (c == '(' && open == '('))
                return shell_nest_push(s, nest, c);

        return 0;
}

/* Skip double quotes, backquotes, $(…) or ${…} with everything in them. */
static int shell_skip_nested(Shell *s) {
        size_t begin = s->pos;
        ShellNest nest = {};
        int r;

        do {
                if (s->pos >= s->size)
                        return shell_fail(s, begin, /* dynamic= */ false, "a quote or bracket is never closed");

                r = shell_nest_step(s, &nest);
                if (r < 0)
                        return r;
        } while (nest.n > 0);

        return 0;
}

static int shell_skip_word(Shell *s) {
        while (s->pos < s->size && !strchr(" \t\n;&|()<>", s->text[s->pos])) {
                char c = s->text[s->pos], next = shell_at(s, s->pos + 1);
                int r = 0;

                if (c == '\\') {
                        s->pos += 2;
                        if (s->pos > s->size || (next == '\n' && s->pos == s->size))
                                return shell_fail(s, s->pos - 2, /* dynamic= */ false,
                                                  "the file ends in a line continuation");
                } else if (c == '\'')
                        r = shell_skip_single(s);
                else if (c == '"' || c == '`' || (c == '$' && (next == '(' || next == '{')))
                        r = shell_skip_nested(s);
                else
                        s->pos++;
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_value_append(Shell *s, ShellValue *v, char c, const ShellByte *byte) {
        int r;

        if (v->text.size >= SHELL_VALUE_MAX)
                return shell_fail(s, byte->begin, /* dynamic= */ true, "the value is too long");

        r = grow(&v->bytes, v->text.size, sizeof(ShellByte));
        if (r < 0)
                return r;

        v->bytes[v->text.size] = *byte;
        return buffer_append(&v->text, &c, 1);
}

static int shell_value_append_value(Shell *s, ShellValue *v, const ShellValue *other) {
        for (size_t i = 0; i < other->text.size; i++) {
                int r;

                r = shell_value_append(s, v, other->text.data[i], other->bytes + i);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The expansion of the word that is assigned; s->pos is the position in it. */
typedef struct ShellExpansion {
        ShellValue value;
        ShellQuote quote;
        size_t end;
        bool refers; /* it has the old value of the variable in it */
} ShellExpansion;

static int shell_expand_plain(Shell *s, ShellExpansion *x, size_t skip) {
        ShellByte byte = { .begin = s->pos, .end = s->pos + skip + 1, .quote = x->quote, .file = s->file };
        char c = s->text[s->pos + skip];

        s->pos = byte.end;
        return shell_value_append(s, &x->value, c, &byte);
}

/* A "$": the variable itself is replaced by its old value, others are not expanded. */
static int shell_expand_variable(Shell *s, ShellExpansion *x) {
        bool braces = shell_at(s, s->pos + 1) == '{';
        size_t name = s->pos + 1 + braces, n = shell_name_size(s, name);
        int r;

        if (shell_at(s, s->pos + 1) == '(')
                return shell_fail(s, s->pos, /* dynamic= */ true, "the value is the output of a command");
        if (shell_at(s, s->pos + 1) == '\'' && x->quote == SHELL_UNQUOTED)
                return shell_fail(s, s->pos, /* dynamic= */ true, "the value uses $'…', which not all shells know");
        if (braces && (n == 0 || shell_at(s, name + n) != '}'))
                return shell_fail(s, s->pos, /* dynamic= */ true, "the value is computed by ${…}");

        if (n > 0 && shell_name_matches(s, name, n)) {
                if (x->refers)
                        return shell_fail(s, s->pos, /* dynamic= */ true, "the value holds its old value twice");

                x->refers = true;
                s->pos = name + n + braces;
                return shell_value_append_value(s, &x->value, &s->value);
        }

        for (n = name + n + braces; s->pos < n;) {
                r = shell_expand_plain(s, x, 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_expand_escape(Shell *s, ShellExpansion *x) {
        char next = shell_at(s, s->pos + 1);

        if (next == '\n') {
                s->pos += 2;
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

/* Expand the word. It was skipped before, so its quotes are balanced. */
static int shell_expand(Shell *s, ShellExpansion *x) {
        while (s->pos < x->end) {
                char c = s->text[s->pos];
                int r = 0;

                if (shell_expand_quote(x, c))
                        s->pos++;
                else if (x->quote == SHELL_SINGLE)
                        r = shell_expand_plain(s, x, 0);
                else if (c == '\\')
                        r = shell_expand_escape(s, x);
                else if (c == '$')
                        r = shell_expand_variable(s, x);
                else if (c == '`')
                        r = shell_fail(s, s->pos, /* dynamic= */ true, "the value is the output of a command");
                else
                        r = shell_expand_plain(s, x, 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Carry out an assignment. */
static int shell_assign(Shell *s, const ShellAssignment *a) {
        ShellExpansion x = { .end = a->end, .refers = a->append };
        size_t pos = s->pos;
        char c;
        int r = 0;

        if (a->append)
                r = shell_value_append_value(s, &x.value, &s->value);
        s->pos = a->value;
        if (r >= 0)
                r = shell_expand(s, &x);
        s->pos = pos;
        if (r < 0) {
                shell_value_done(&x.value);
                return r;
        }

        x.value.first = s->value.first;
        x.value.first_quote = s->value.first_quote;
        x.value.first_file = s->value.first_file;
        if (s->value.n_assignments == 0 || !a->append) {
                c = shell_at(s, a->value);
                x.value.first_quote = c == '"' ? SHELL_DOUBLE : c == '\'' ? SHELL_SINGLE : SHELL_UNQUOTED;
                x.value.first = a->value + (x.value.first_quote != SHELL_UNQUOTED);
                x.value.first_file = s->file;
        }

        x.value.begin = a->begin;
        x.value.end = a->end;
        x.value.file = s->file;
        x.value.n_assignments = s->value.n_assignments + 1;

        shell_value_done(&s->value);
        s->value = x.value;
        return 0;
}

/* End a command, at an operator. */
static int shell_end_command(Shell *s, const char *operator) {
        bool apart = streq(operator, "|") || streq(operator, "&");
        int r;

        /* A newline after "&&" does not end the command. */
        if (streq(operator, "\n") && !s->has_word)
                return 0;

        for (size_t i = 0; i < s->n_pending && (s->is_export || !s->has_command); i++) {
                if (s->n_open > 0 || s->conditional || apart)
                        return shell_fail(s, s->pending[i].begin, /* dynamic= */ true,
                                          "the value is set under a condition");

                r = shell_assign(s, s->pending + i);
                if (r < 0)
                        return r;
        }

        s->n_pending = 0;
        s->has_word = s->has_command = s->is_export = false;
        s->conditional = streq(operator, "&&") || streq(operator, "||") || streq(operator, "|");
        return 0;
}

static int shell_open_compound(Shell *s, char c) {
        if (s->n_open >= SHELL_DEPTH_MAX)
                return shell_fail(s, s->pos, /* dynamic= */ false, "commands are nested too deeply");

        s->open[s->n_open++] = c;
        return 0;
}

static int shell_close_compound(Shell *s, char c) {
        char top = s->n_open > 0 ? s->open[s->n_open - 1] : 0;

        /* The bracket after a pattern of "case". */
        if (c == '(' && top == 'c')
                return 0;

        if (top != c)
                return shell_fail(s, s->pos, /* dynamic= */ false,
                                  "a keyword or bracket closes a command that was not opened");

        s->n_open--;
        return 0;
}

static const struct {
        const char *word;
        char opens, closes;
} shell_keywords[] = {
        { "if",    'i', 0   },
        { "fi",    0,   'i' },
        { "for",   'd', 0   },
        { "while", 'd', 0   },
        { "until", 'd', 0   },
        { "done",  0,   'd' },
        { "case",  'c', 0   },
        { "esac",  0,   'c' },
        { "{",     '{', 0   },
        { "}",     0,   '{' },
        { "then",  0,   0   },
        { "else",  0,   0   },
        { "elif",  0,   0   },
        { "do",    0,   0   },
        { "!",     0,   0   },
};

static bool shell_word_is(const Shell *s, size_t begin, const char *word) {
        return s->pos - begin == strlen(word) && memcmp(s->text + begin, word, strlen(word)) == 0;
}

/* The first word of a command. Return: 1 if it is a keyword, 0 if not, or -EINVAL. */
static int shell_read_keyword(Shell *s, size_t begin) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(shell_keywords); i++) {
                if (!shell_word_is(s, begin, shell_keywords[i].word))
                        continue;

                if (shell_keywords[i].opens)
                        r = shell_open_compound(s, shell_keywords[i].opens);
                else if (shell_keywords[i].closes)
                        r = shell_close_compound(s, shell_keywords[i].closes);

                /* After these, words follow that are no command. */
                s->has_command = streq(shell_keywords[i].word, "for") || streq(shell_keywords[i].word, "case");
                return r < 0 ? r : true;
        }

        return false;
}

/*
 * Return: 1 if the word is an assignment to any variable, 0 if not, -EINVAL if it assigns to a part of the variable or
 * makes it an array, or -ENOMEM.
 */
static int shell_read_assignment(Shell *s, size_t begin) {
        size_t n = shell_name_size(s, begin);
        bool append = n > 0 && shell_at(s, begin + n) == '+';
        int r;

        if (n > 0 && shell_name_matches(s, begin, n) &&
            (shell_at(s, begin + n) == '[' || (shell_at(s, s->pos) == '(' && s->text[s->pos - 1] == '=')))
                return shell_fail(s, begin, /* dynamic= */ true, "the value is an array");
        if (n == 0 || begin + n + append >= s->pos || shell_at(s, begin + n + append) != '=')
                return false;
        if (!shell_name_matches(s, begin, n))
                return true;

        r = grow(&s->pending, s->n_pending, sizeof(ShellAssignment));
        if (r < 0)
                return r;

        s->pending[s->n_pending++] = (ShellAssignment) {
                .begin = begin,
                .value = begin + n + append + 1,
                .end = s->pos,
                .append = append,
        };
        return true;
}

/* Commands after which it is unknown what the file sets, or that end it. */
static const struct {
        const char *word, *reason;
} shell_refused[] = {
        { ".",       "it sources another file here"                 },
        { "source",  "it sources another file here"                 },
        { "eval",    "it runs commands here that are computed"      },
        { "declare", "not every shell has the command here"         },
        { "typeset", "not every shell has the command here"         },
        { "local",   "not every shell has the command here"         },
        { "alias",   "an alias can change each command after it"    },
        { "return",  "the shell stops to read the file here"        },
        { "exit",    "the shell stops to read the file here"        },
        { "exec",    "the shell stops to read the file here"        },
};

static int shell_refuse_command(Shell *s, size_t begin) {
        for (size_t i = 0; i < ELEMENTSOF(shell_refused); i++)
                if (shell_word_is(s, begin, shell_refused[i].word))
                        return shell_fail(s, begin, /* dynamic= */ true, shell_refused[i].reason);

        return 0;
}

static int shell_read_word(Shell *s) {
        size_t begin = s->pos;
        int r;

        r = shell_skip_word(s);
        if (r < 0)
                return r;

        s->has_word = true;

        if (!s->has_command && s->n_pending == 0) {
                r = shell_read_keyword(s, begin);
                if (r != 0)
                        return r;
        }

        if (!s->has_command || s->is_export) {
                r = shell_read_assignment(s, begin);
                if (r != 0)
                        return r;
        }

        if (!s->has_command) {
                r = shell_refuse_command(s, begin);
                if (r < 0)
                        return r;

                s->has_command = true;
                s->is_export = shell_word_is(s, begin, "export") || shell_word_is(s, begin, "readonly");
        } else if (shell_word_is(s, begin, s->name) && !s->is_export)
                return shell_fail(s, begin, /* dynamic= */ true,
                                  "a command has the name of the variable as an argument");

        return 0;
}

/* <, >, >>, >&, <& and the word after them, which is not part of the command. */
static int shell_read_redirection(Shell *s) {
        if (shell_at(s, s->pos) == '<' && shell_at(s, s->pos + 1) == '<')
                return shell_fail(s, s->pos, /* dynamic= */ true,
                                  "the file has a here-document, which gtuned does not read");

        s->pos++;
        while (s->pos < s->size && strchr("<>&|", s->text[s->pos]))
                s->pos++;
        while (shell_at(s, s->pos) == ' ' || shell_at(s, s->pos) == '\t')
                s->pos++;

        return shell_skip_word(s);
}

static int shell_read_operator(Shell *s) {
        static const char *const operators[] = { "&&", "||", "\n", ";", "&", "|" };
        char c = s->text[s->pos];
        int r;

        for (size_t i = 0; i < ELEMENTSOF(operators); i++) {
                size_t n = strlen(operators[i]);

                if (s->size - s->pos < n || memcmp(s->text + s->pos, operators[i], n) != 0)
                        continue;

                r = shell_end_command(s, operators[i]);
                s->pos += n;
                return r;
        }

        if (c == '<' || c == '>')
                return shell_read_redirection(s);

        r = shell_end_command(s, ";");
        if (r < 0)
                return r;

        r = c == '(' ? shell_open_compound(s, '(') : shell_close_compound(s, '(');
        s->pos++;
        return r;
}

static int shell_read_file(Shell *s) {
        int r;

        while (s->pos < s->size) {
                char c = s->text[s->pos];

                r = 0;

                if (c == ' ' || c == '\t')
                        s->pos++;
                else if (c == '\\' && shell_at(s, s->pos + 1) == '\n' && s->pos + 2 < s->size)
                        s->pos += 2;
                else if (c == '#')
                        while (s->pos < s->size && s->text[s->pos] != '\n')
                                s->pos++;
                else
                        r = strchr("\n;&|()<>", c) ? shell_read_operator(s) : shell_read_word(s);
                if (r < 0)
                        return r;
        }

        if (s->conditional && !s->has_word)
                return shell_fail(s, s->size, /* dynamic= */ false, "the file ends after an operator");

        r = shell_end_command(s, "\n");
        if (r < 0)
                return r;

        if (s->n_open > 0)
                return shell_fail(s, s->size, /* dynamic= */ false, "a command is never closed");

        return 0;
}

/* Copy a value. */
static int shell_value_copy(const ShellValue *from, ShellValue *to) {
        *to = *from;
        to->text = BUFFER_NULL;
        to->bytes = NULL;

        for (size_t i = 0; i < from->text.size; i++) {
                int r;

                r = grow(&to->bytes, i, sizeof(ShellByte));
                if (r < 0)
                        return r;

                r = buffer_append(&to->text, from->text.data + i, 1);
                if (r < 0)
                        return r;

                to->bytes[i] = from->bytes[i];
        }

        return 0;
}

int shell_continue_variable(const char *text, size_t size, const char *name, unsigned file, ShellValue *value,
                            ShellError *ret_error) {
        Shell s = { .text = text, .size = size, .name = name, .file = file };
        const char *nul;
        int r;

        assert(text || size == 0);
        assert(name);
        assert(value);
        assert(ret_error);

        nul = size > 0 ? memchr(text, 0, size) : NULL;
        r = shell_value_copy(value, &s.value);
        if (r >= 0 && nul)
                r = shell_fail(&s, (size_t) (nul - text), /* dynamic= */ false, "the file holds a NUL byte");
        else if (r >= 0)
                r = shell_read_file(&s);

        free(s.pending);
        if (r < 0) {
                *ret_error = s.error;
                shell_value_done(&s.value);
                return r;
        }

        shell_value_done(value);
        *value = s.value;
        return 0;
}

int shell_read_variable(const char *text, size_t size, const char *name, ShellValue *ret, ShellError *ret_error) {
        ShellValue value = SHELL_VALUE_NULL;
        int r;

        assert(ret);

        r = shell_continue_variable(text, size, name, /* file= */ 0, &value, ret_error);
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

void shell_value_done(ShellValue *v) {
        buffer_done(&v->text);
        free(v->bytes);
        *v = SHELL_VALUE_NULL;
}
