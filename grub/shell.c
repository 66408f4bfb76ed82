/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the commands of a shell file without executing one. Commands under a condition are read once, as commands that
 * may not happen; those of a subshell are skipped.
 *
 * Tested by test-default-grub.c.
 */

#include <assert.h>

#include "grub/shell-internal.h"

bool shell_is_weak(const Shell *s) {
        return s->n_weak > 0 || s->t.n_open > 0 || s->t.conditional || s->t.may_have_ended;
}

static bool shell_is_ignored(const Shell *s) {
        return s->t.n_open > 0 && s->t.open[s->t.n_open - 1].ignored;
}

static void shell_forget_words_read(ShellText *t) {
        t->n_words = 0;
        t->has_word = t->ignore_words = false;
}

/* End a simple command, at an operator. */
static int shell_end_command(Shell *s, const char *operator) {
        ShellText *t = &s->t;
        bool apart = streq(operator, "|") || streq(operator, "&") || t->piped;
        int r;

        /* A newline after "&&" does not end the command. */
        if (streq(operator, "\n") && !t->has_word)
                return 0;

        if (t->n_words > 0 && !apart && !shell_is_ignored(s)) {
                r = shell_execute(s);
                if (r < 0)
                        return r;
        }

        shell_forget_words_read(t);
        t->conditional = streq(operator, "&&") || streq(operator, "||");
        t->piped = streq(operator, "|");
        return 0;
}

static int shell_open_compound(Shell *s, char kind, size_t begin) {
        ShellText *t = &s->t;
        bool definition = t->define.end > 0;

        if (t->n_open >= SHELL_DEPTH_MAX)
                return shell_fail(s, t->pos, /* dynamic= */ true, "commands are nested too deeply");

        t->open[t->n_open] = (ShellOpen) {
                .kind = kind,
                .ignored = shell_is_ignored(s) || definition || kind == '(' || t->piped,
                .begin = begin,
                .name = t->define,
        };
        t->define = (ShellRange) {};
        t->n_open++;
        s->n_loops += kind == 'd';
        return 0;
}

/* Keep the body of a function. If it is defined twice, or under a condition, it is unknown which one is called. */
static int shell_define(Shell *s, ShellRange name, ShellRange body) {
        ShellText *t = &s->t;
        ShellFunction *f;
        int r;

        if (shell_is_ignored(s))
                return 0;

        for (size_t i = 0; i < s->n_functions; i++)
                if (shell_range_is(s, name, s->functions[i].name)) {
                        s->functions[i].text = NULL;
                        return 0;
                }

        if (s->n_functions >= SHELL_FUNCTIONS_MAX)
                return shell_fail(s, name.begin, /* dynamic= */ true, "the file has too many functions");
        r = grow(&s->functions, s->n_functions, sizeof(ShellFunction));
        if (r < 0)
                return r;

        f = s->functions + s->n_functions;
        *f = (ShellFunction) {
                .name = strndup(t->text + name.begin, name.end - name.begin),
                .text = shell_is_weak(s) ? NULL : t->text,
                .body = body,
        };
        if (!f->name)
                return -ENOMEM;

        s->n_functions++;
        return 0;
}

static int shell_close_compound(Shell *s, char kind, size_t end) {
        ShellText *t = &s->t;
        const ShellOpen *open = t->n_open > 0 ? t->open + t->n_open - 1 : NULL;

        if (!open || open->kind != kind)
                return shell_fail(s, t->pos, /* dynamic= */ false,
                                  "a keyword or bracket closes a command that was not opened");

        t->n_open--;
        s->n_loops -= kind == 'd';
        t->in_pattern = false;
        if (open->name.end == 0)
                return 0;

        /* A subshell is a part of the body, and braces are not. */
        return shell_define(s, open->name, kind == '{' ? (ShellRange) { open->begin + 1, end - 1 }
                                                       : (ShellRange) { open->begin, end });
}

static const struct {
        const char *word;
        char opens, closes;
} shell_keywords[] = {
        { "if",     'i', 0   },
        { "fi",     0,   'i' },
        { "for",    'd', 0   },
        { "while",  'd', 0   },
        { "until",  'd', 0   },
        { "select", 'd', 0   },
        { "done",   0,   'd' },
        { "case",   'c', 0   },
        { "esac",   0,   'c' },
        { "{",      '{', 0   },
        { "}",      0,   '{' },
        { "then",   0,   0   },
        { "else",   0,   0   },
        { "elif",   0,   0   },
        { "do",     0,   0   },
        { "!",      0,   0   },
};

/* "for NAME": the variable takes each of the words. */
static int shell_read_for(Shell *s) {
        ShellText *t = &s->t;
        size_t n;
        ShellValue *v;
        int r;

        while (shell_at(s, t->pos) == ' ' || shell_at(s, t->pos) == '\t')
                t->pos++;

        n = shell_name_size(s, t->pos);
        if (n == 0 || shell_is_ignored(s))
                return 0;

        r = shell_make(s, t->text + t->pos, n, &v);
        if (r < 0)
                return r;

        return shell_forget(s, v, t->pos, "a loop sets it");
}

/* The first word of a command. Return: 1 if it is a keyword, 0 if not, or -EINVAL. */
static int shell_read_keyword(Shell *s, ShellRange word) {
        ShellText *t = &s->t;

        for (size_t i = 0; i < ELEMENTSOF(shell_keywords); i++) {
                const char *keyword = shell_keywords[i].word;
                bool takes_name = streq(keyword, "for") || streq(keyword, "select");
                int r = 0;

                if (!shell_range_is(s, word, keyword))
                        continue;

                if (shell_keywords[i].opens)
                        r = shell_open_compound(s, shell_keywords[i].opens, word.begin);
                else if (shell_keywords[i].closes)
                        r = shell_close_compound(s, shell_keywords[i].closes, word.end);
                if (r < 0)
                        return r;

                /* After these, words follow that are no command. */
                t->ignore_words = takes_name || streq(keyword, "case");
                r = takes_name ? shell_read_for(s) : 0;
                return r < 0 ? r : 1;
        }

        return 0;
}

/* "function NAME" of bash; "()" may follow. */
static int shell_read_function_keyword(Shell *s) {
        ShellText *t = &s->t;
        int r;

        while (shell_at(s, t->pos) == ' ' || shell_at(s, t->pos) == '\t')
                t->pos++;

        t->define.begin = t->pos;
        r = shell_skip_word(s);
        if (r < 0)
                return r;

        t->define.end = t->pos;
        while (shell_at(s, t->pos) == ' ' || shell_at(s, t->pos) == '\t')
                t->pos++;
        if (shell_at(s, t->pos) == '(' && shell_at(s, t->pos + 1) == ')')
                t->pos += 2;

        shell_forget_words_read(t);
        return 0;
}

/* A word between "case … in" or ";;" and the bracket after the patterns. */
static int shell_read_pattern(Shell *s, ShellRange word) {
        if (!shell_range_is(s, word, "esac"))
                return 0;

        s->t.ignore_words = false;
        return shell_close_compound(s, 'c', word.end);
}

static int shell_keep_word(Shell *s, ShellRange word) {
        ShellText *t = &s->t;
        int r;

        if (t->n_words >= SHELL_WORDS_MAX)
                return shell_fail(s, word.begin, /* dynamic= */ true, "a command has too many words");

        r = grow(&t->words, t->n_words, sizeof(ShellRange));
        if (r < 0)
                return r;

        t->words[t->n_words++] = word;
        return 0;
}

/* "NAME[0]=…" of bash makes the variable an array. */
static int shell_read_element(Shell *s, ShellRange word) {
        size_t n = shell_name_size(s, word.begin);
        ShellValue *v;
        int r;

        if (n == 0 || word.begin + n >= word.end || s->t.text[word.begin + n] != '[' || shell_is_ignored(s))
                return 0;

        r = shell_make(s, s->t.text + word.begin, n, &v);
        if (r < 0)
                return r;

        v->special = true;
        return shell_forget(s, v, word.begin, "the value is an array");
}

static int shell_read_word(Shell *s) {
        ShellText *t = &s->t;
        ShellRange word = { .begin = t->pos };
        int r;

        r = shell_skip_word(s);
        if (r < 0)
                return r;

        word.end = t->pos;
        t->has_word = true;
        if (t->in_pattern)
                return shell_read_pattern(s, word);
        if (t->ignore_words) {
                t->in_pattern = t->n_open > 0 && t->open[t->n_open - 1].kind == 'c' && shell_range_is(s, word, "in");
                return 0;
        }

        if (t->n_words == 0) {
                if (shell_range_is(s, word, "function"))
                        return shell_read_function_keyword(s);
                r = shell_read_keyword(s, word);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (t->define.end > 0)
                        return shell_fail(s, word.begin, /* dynamic= */ false, "a function has no body");
                if (shell_range_is(s, word, "time"))
                        return shell_fail(s, word.begin, /* dynamic= */ true, "not all shells have \"time\"");
        }

        r = shell_read_element(s, word);
        return r < 0 ? r : shell_keep_word(s, word);
}

/* <, >, >>, >&, <& and the word after them, which is not part of the command. */
static int shell_read_redirection(Shell *s) {
        ShellText *t = &s->t;
        size_t begin = t->pos;

        if (shell_at(s, begin) == '<' && shell_at(s, begin + 1) == '<' && shell_at(s, begin + 2) != '<')
                return shell_heredoc_begin(s);

        t->pos++;
        while (t->pos < t->size && strchr("<>&|", t->text[t->pos]))
                t->pos++;
        while (shell_at(s, t->pos) == ' ' || shell_at(s, t->pos) == '\t')
                t->pos++;
        if (shell_at(s, t->pos) == '(')
                return shell_fail(s, begin, /* dynamic= */ true, "not all shells have <(…)");

        return shell_skip_word(s);
}

/* "NAME=(…)" and "NAME+=(…)" of bash. */
static int shell_read_array(Shell *s) {
        ShellText *t = &s->t;
        ShellRange word = t->words[t->n_words - 1];
        ShellValue *v;
        int r;

        t->n_words--;
        r = shell_skip_brackets(s);
        if (r < 0 || shell_is_ignored(s))
                return r;

        r = shell_make(s, t->text + word.begin, shell_name_size(s, word.begin), &v);
        if (r < 0)
                return r;

        v->special = true;
        return shell_forget(s, v, word.begin, "the value is an array");
}

/* An opening bracket: of a pattern, a subshell, a function or an array. */
static int shell_read_open_bracket(Shell *s) {
        ShellText *t = &s->t;
        ShellRange last = t->n_words > 0 ? t->words[t->n_words - 1] : (ShellRange) {};
        size_t assignment = t->n_words > 0 ? shell_assignment_size(s, last) : 0;
        size_t next = t->pos + 1;

        if (t->in_pattern) {
                t->pos++;
                return 0;
        }

        if (assignment > 0 && last.begin + assignment == t->pos && last.end == t->pos)
                return shell_read_array(s);

        while (shell_at(s, next) == ' ' || shell_at(s, next) == '\t')
                next++;

        if (t->n_words == 1 && assignment == 0 && shell_at(s, next) == ')') {
                t->define = last;
                t->pos = next + 1;
                shell_forget_words_read(t);
                return 0;
        }

        if (t->n_words > 0 || t->ignore_words || shell_at(s, t->pos + 1) == '(')
                return shell_fail(s, t->pos, /* dynamic= */ true, "not all shells take a bracket here");

        t->pos++;
        return shell_open_compound(s, '(', t->pos - 1);
}

static int shell_read_close_bracket(Shell *s) {
        ShellText *t = &s->t;
        int r;

        t->pos++;
        if (t->in_pattern) {
                t->in_pattern = false;
                shell_forget_words_read(t);
                return 0;
        }

        r = shell_end_command(s, ";");
        if (r < 0)
                return r;

        return shell_close_compound(s, '(', t->pos);
}

static int shell_read_operator(Shell *s) {
        static const char *const operators[] = { "&&", "||", "\n", ";", "&", "|" };
        ShellText *t = &s->t;
        char c = t->text[t->pos];
        int r;

        if (c == '<' || c == '>')
                return shell_read_redirection(s);
        if (c == '(')
                return shell_read_open_bracket(s);
        if (c == ')')
                return shell_read_close_bracket(s);

        for (size_t i = 0; i < ELEMENTSOF(operators); i++) {
                size_t n = strlen(operators[i]);

                if (t->size - t->pos < n || memcmp(t->text + t->pos, operators[i], n) != 0)
                        continue;

                /* "&>" of bash redirects, and in dash it ends a command that runs beside. */
                if (c == '&' && n == 1 && shell_at(s, t->pos + 1) == '>')
                        return shell_fail(s, t->pos, /* dynamic= */ true, "not all shells have &>");

                r = t->in_pattern ? 0 : shell_end_command(s, operators[i]);
                if (r < 0)
                        return r;

                t->pos += n;
                if (c == ';' && (shell_at(s, t->pos) == ';' || shell_at(s, t->pos) == '&') && t->n_open > 0 &&
                    t->open[t->n_open - 1].kind == 'c') {
                        t->pos += strspn(t->text + t->pos, ";&");
                        t->in_pattern = true;
                }
                return c == '\n' ? shell_heredoc_skip(s) : 0;
        }

        return 0;
}

static int shell_read_step(Shell *s) {
        ShellText *t = &s->t;
        char c = t->text[t->pos];

        if (c == ' ' || c == '\t')
                t->pos++;
        else if (c == '\\' && shell_at(s, t->pos + 1) == '\n' && t->pos + 2 < t->size)
                t->pos += 2;
        else if (c == '#')
                while (t->pos < t->size && t->text[t->pos] != '\n')
                        t->pos++;
        else
                return strchr("\n;&|()<>", c) ? shell_read_operator(s) : shell_read_word(s);

        return 0;
}

int shell_read_text(Shell *s) {
        ShellText *t = &s->t;
        int r;

        while (t->pos < t->size && !t->ended) {
                r = shell_read_step(s);
                if (r < 0)
                        return r;
        }

        if ((t->conditional || t->piped || t->define.end > 0) && !t->has_word && !t->ended)
                return shell_fail(s, t->size, /* dynamic= */ false, "the file ends after an operator");

        r = t->ended ? 0 : shell_end_command(s, "\n");
        if (r < 0)
                return r;

        if (t->n_open > 0 && !t->ended)
                return shell_fail(s, t->size, /* dynamic= */ false, "a command is never closed");

        return t->ended ? 0 : shell_heredoc_skip(s);
}

int shell_new(Shell **ret, ShellSource source, void *userdata) {
        Shell *s = calloc(1, sizeof(Shell));

        if (!s)
                return -ENOMEM;

        s->source = source;
        s->userdata = userdata;
        *ret = s;
        return 0;
}

Shell *shell_free(Shell *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_variables; i++) {
                free(s->variables[i].name);
                shell_value_done(&s->variables[i].value);
        }
        for (size_t i = 0; i < s->n_functions; i++)
                free(s->functions[i].name);
        free(s->variables);
        free(s->functions);
        free(s);
        return NULL;
}

int shell_run(Shell *s, const Buffer *content, unsigned file, ShellError *ret_error) {
        const char *nul;
        int r;

        assert(s);
        assert(content);
        assert(ret_error);

        s->top = file;
        s->t = (ShellText) { .text = strempty(content->data), .size = content->size, .file = file };

        nul = content->size > 0 ? memchr(content->data, 0, content->size) : NULL;
        if (nul)
                r = shell_fail(s, (size_t) (nul - content->data), /* dynamic= */ false, "the file holds a NUL byte");
        else
                r = shell_read_text(s);
        free(s->t.words);
        s->t.words = NULL;
        if (r == -EINVAL)
                *ret_error = s->error;
        return r;
}

int shell_get(Shell *s, const char *name, const ShellValue **ret) {
        ShellValue *v;
        int r;

        r = shell_make(s, name, strlen(name), &v);
        if (r < 0)
                return r;

        *ret = v;
        return 0;
}
