/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Carries out the simple commands of a shell file: assignments, and commands that can set a variable, read another file
 * or end this one. All others are programs, which change no variable.
 *
 * Tested by test-default-grub.c.
 */

#include "grub/shell-internal.h"

/* A command with its words expanded. */
typedef struct ShellCommand {
        ShellValue *words; /* the first is the name of the command */
        size_t n_words;
        size_t first;      /* the number of the first word in s->t.words */
        bool weak;
} ShellCommand;

static void shell_command_done(ShellCommand *c) {
        for (size_t i = 0; i < c->n_words; i++)
                shell_value_done(c->words + i);
        free(c->words);
}

static ShellRange shell_command_range(const Shell *s, const ShellCommand *c, size_t i) {
        return s->t.words[c->first + i];
}

static size_t shell_command_offset(const Shell *s, const ShellCommand *c) {
        return shell_command_range(s, c, 0).begin;
}

static bool shell_word_is(const ShellCommand *c, size_t i, const char *text) {
        return i < c->n_words && shell_value_is_sure(c->words + i) && streq(strempty(c->words[i].text.data), text);
}

/* The variable that a word names, as "NAME" or "NAME=…", becomes unknown. */
static int shell_forget_word(Shell *s, const ShellCommand *c, size_t i, bool special) {
        const char *text = strempty(c->words[i].text.data);
        size_t n = strcspn(text, "=+[");
        ShellValue *v;
        int r;

        if (!shell_value_is_sure(c->words + i) && n == c->words[i].text.size)
                return shell_forget_all(s, shell_command_offset(s, c), "a command sets a variable with a computed name");
        if (n == 0 || *text == '-' || *text == '+')
                return 0;

        r = shell_make(s, text, n, &v);
        if (r < 0)
                return r;

        v->special = v->special || special;
        return shell_forget(s, v, shell_command_offset(s, c), "a command sets it to a value that is computed");
}

static int shell_forget_words(Shell *s, ShellCommand *c) {
        for (size_t i = 1; i < c->n_words; i++) {
                int r;

                r = shell_forget_word(s, c, i, /* special= */ false);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* export and readonly: "NAME=VALUE" is an assignment. */
static int shell_command_export(Shell *s, ShellCommand *c) {
        bool freezes = shell_word_is(c, 0, "readonly");

        for (size_t i = 1; i < c->n_words; i++) {
                ShellRange range = shell_command_range(s, c, i);
                ShellValue *v;
                int r;

                if (shell_assignment_size(s, range) > 0) {
                        r = shell_assign(s, range, c->weak);
                        if (r < 0)
                                return r;
                }
                if (!freezes || shell_name_size(s, range.begin) == 0)
                        continue;

                r = shell_make(s, s->t.text + range.begin, shell_name_size(s, range.begin), &v);
                if (r < 0)
                        return r;
                v->frozen = true;
        }

        return 0;
}

/*
 * declare, typeset and local are not in every shell, so that the assignment may not happen. They can also give a
 * variable attributes, as those of arrays, with which a later assignment means something else.
 */
static int shell_command_declare(Shell *s, ShellCommand *c) {
        bool special = shell_word_is(c, 0, "local");

        for (size_t i = 1; i < c->n_words; i++) {
                const char *text = strempty(c->words[i].text.data);
                ShellRange range = shell_command_range(s, c, i);
                int r;

                if (*text == '-' || *text == '+') {
                        special = special || text[1 + strspn(text + 1, "gx")];
                        continue;
                }

                if (special || shell_assignment_size(s, range) == 0)
                        r = shell_forget_word(s, c, i, special);
                else
                        r = shell_assign(s, range, /* weak= */ true);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_command_unset(Shell *s, ShellCommand *c) {
        if (shell_word_is(c, 1, "-f"))
                return 0;

        for (size_t i = 1; i < c->n_words; i++) {
                const char *text = strempty(c->words[i].text.data);
                ShellValue *v, empty = { .first_file = SHELL_NO_FILE };
                int r;

                if (c->weak || !shell_value_is_sure(c->words + i)) {
                        r = shell_forget_word(s, c, i, /* special= */ false);
                        if (r < 0)
                                return r;
                        continue;
                }

                r = *text == '-' ? 0 : shell_make(s, text, strlen(text), &v);
                if (r < 0)
                        return r;
                if (*text == '-')
                        continue;

                empty.frozen = v->frozen;
                empty.file = s->top;
                shell_value_done(v);
                *v = empty;
        }

        return 0;
}

static int shell_command_printf(Shell *s, ShellCommand *c) {
        return shell_word_is(c, 1, "-v") && c->n_words > 2 ? shell_forget_word(s, c, 2, /* special= */ false) : 0;
}

static int shell_command_array(Shell *s, ShellCommand *c) {
        for (size_t i = 1; i < c->n_words; i++) {
                int r;

                r = shell_forget_word(s, c, i, /* special= */ true);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int shell_command_set(Shell *s, ShellCommand *c) {
        for (size_t i = 1; i < c->n_words && !shell_word_is(c, i, "--"); i++) {
                const char *text = strempty(c->words[i].text.data);

                if (shell_word_is(c, i, "-o") && shell_word_is(c, i + 1, "pipefail"))
                        i++;
                else if (!shell_value_is_sure(c->words + i) ||
                         ((*text == '-' || *text == '+') && strpbrk(text, "unko")))
                        s->refuses_unset = true;
                else if (*text != '-' && *text != '+')
                        break;
        }

        s->arguments = NULL;
        return 0;
}

static int shell_command_refuse(Shell *s, ShellCommand *c) {
        return shell_fail(s, shell_command_offset(s, c), /* dynamic= */ true,
                          "a command here can change the meaning of all that follow");
}

static int shell_command_shopt(Shell *s, ShellCommand *c) {
        for (size_t i = 1; i < c->n_words; i++)
                if (shell_word_is(c, i, "lastpipe") || !shell_value_is_sure(c->words + i))
                        return shell_command_refuse(s, c);

        return 0;
}

static int shell_command_return(Shell *s, ShellCommand *c) {
        if (c->weak)
                s->t.may_have_ended = true;
        else
                s->t.ended = true;

        return 0;
}

/* If the shell itself ends here, nothing is generated. If it may end, all that counts is that it does not. */
static int shell_command_exit(Shell *s, ShellCommand *c) {
        if (c->weak || (shell_word_is(c, 0, "exec") && c->n_words == 1))
                return 0;

        return shell_fail(s, shell_command_offset(s, c), /* dynamic= */ true, "the shell ends here");
}

static int shell_command_eval(Shell *s, ShellCommand *c) {
        return shell_forget_all(s, shell_command_offset(s, c), "it runs commands here that are computed");
}

/*
 * Read another text in the middle of this one. Its bytes have no place in a file that is edited: they may be read
 * elsewhere too.
 */
static int shell_read_inner(Shell *s, const ShellCommand *c, const char *text, ShellRange range) {
        ShellText outer = s->t;
        int r;

        s->n_work += range.end - range.begin;
        if (s->depth >= SHELL_CALLS_MAX || s->n_work > SHELL_WORK_MAX)
                return shell_fail(s, shell_command_offset(s, c), /* dynamic= */ true,
                                  "files or functions are nested too deeply here, or are too large");
        if (s->depth == 0)
                s->top_offset = shell_command_offset(s, c);

        s->depth++;
        s->n_weak += c->weak;
        s->t = (ShellText) { .text = text, .size = range.end, .pos = range.begin, .file = SHELL_NO_FILE };
        r = shell_read_text(s);
        free(s->t.words);
        s->t = outer;
        s->n_weak -= c->weak;
        s->depth--;

        if (r == -EINVAL && s->depth == 0)
                s->error = (ShellError) {
                        .offset = s->top_offset, .dynamic = true, .reason = s->error.reason,
                };
        return r;
}

static int shell_command_source(Shell *s, ShellCommand *c) {
        const Buffer *content = NULL;
        int r = -ENODATA;

        if (c->n_words > 1 && shell_value_is_sure(c->words + 1) && s->source && *strempty(c->words[1].text.data) == '/')
                r = s->source(s->userdata, c->words[1].text.data, &content);
        if (r == -ENODATA)
                return shell_forget_all(s, shell_command_offset(s, c), "it sources a file that gtuned cannot read");
        if (r <= 0)
                return r;
        if (content->size > 0 && memchr(content->data, 0, content->size))
                return shell_fail(s, shell_command_offset(s, c), /* dynamic= */ true,
                                  "it sources a file here that holds a NUL byte");

        return shell_read_inner(s, c, strempty(content->data), (ShellRange) { 0, content->size });
}

static int shell_command_nothing(_unused_ Shell *s, _unused_ ShellCommand *c) {
        return 0;
}

static const struct {
        const char *name;
        int (*execute)(Shell *s, ShellCommand *c);
        bool keeps; /* POSIX 2.14, "special built-in": an assignment before it stays */
} shell_commands[] = {
        { ".",         shell_command_source,  true  },
        { "source",    shell_command_source,  true  },
        { "eval",      shell_command_eval,    true  },
        { "export",    shell_command_export,  true  },
        { "readonly",  shell_command_export,  true  },
        { "declare",   shell_command_declare, true  },
        { "typeset",   shell_command_declare, true  },
        { "local",     shell_command_declare, true  },
        { "unset",     shell_command_unset,   true  },
        { "read",      shell_forget_words,    false },
        { "getopts",   shell_forget_words,    false },
        { "let",       shell_forget_words,    false },
        { "mapfile",   shell_command_array,   false },
        { "readarray", shell_command_array,   false },
        { "printf",    shell_command_printf,  false },
        { "set",       shell_command_set,     true  },
        { "shift",     shell_command_set,     true  },
        { "shopt",     shell_command_shopt,   false },
        { "alias",     shell_command_refuse,  false },
        { "enable",    shell_command_refuse,  false },
        { "coproc",    shell_command_refuse,  false },
        { "return",    shell_command_return,  true  },
        { "exit",      shell_command_exit,    true  },
        { "exec",      shell_command_exit,    true  },
        { ":",         shell_command_nothing, true  },
        { "times",     shell_command_nothing, true  },
        { "trap",      shell_command_nothing, true  },
        { "break",     shell_command_nothing, true  },
        { "continue",  shell_command_nothing, true  },
};

static const ShellFunction *shell_find_function(const Shell *s, const char *name) {
        for (size_t i = 0; i < s->n_functions; i++)
                if (streq(s->functions[i].name, name))
                        return s->functions + i;

        return NULL;
}

static int shell_call(Shell *s, ShellCommand *c, const ShellFunction *f) {
        const ShellValue *arguments = s->arguments;
        size_t n_arguments = s->n_arguments;
        int r;

        if (!f->text)
                return shell_forget_all(s, shell_command_offset(s, c), "it calls a function that is defined twice");

        s->arguments = c->words + 1;
        s->n_arguments = c->n_words - 1;
        r = shell_read_inner(s, c, f->text, f->body);
        s->arguments = arguments;
        s->n_arguments = n_arguments;
        return r;
}

/* A, B: assignments before a command that keeps them in some shells. */
static int shell_keep_assignments(Shell *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r;

                r = shell_assign(s, s->t.words[i], /* weak= */ true);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* After a file that is unknown any other name can be a function of it. */
static bool shell_may_be_function(const Shell *s, const char *name) {
        static const char *const programs[] = { "[", "[[", "test", "true", "false", "echo", "cat", "grep", "sed" };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if (streq(name, programs[i]))
                        return false;

        return s->wild.reason;
}

static int shell_run_command(Shell *s, ShellCommand *c) {
        const char *name = strempty(c->words->text.data);
        const ShellFunction *f;
        int r;

        if (!shell_value_is_sure(c->words))
                return shell_forget_all(s, shell_command_offset(s, c), "it runs a command here whose name is computed");

        f = shell_find_function(s, name);
        if (f) {
                r = shell_keep_assignments(s, c->first);
                return r < 0 ? r : shell_call(s, c, f);
        }

        for (size_t i = 0; i < ELEMENTSOF(shell_commands); i++) {
                if (!streq(name, shell_commands[i].name))
                        continue;

                r = shell_keep_assignments(s, shell_commands[i].keeps ? c->first : 0);
                return r < 0 ? r : shell_commands[i].execute(s, c);
        }

        return shell_may_be_function(s, name)
                       ? shell_forget_all(s, shell_command_offset(s, c), "it runs a command that may be a function")
                       : 0;
}

/* "command" and "builtin" run the command after them. */
static bool shell_is_prefix(const ShellCommand *c) {
        return (shell_word_is(c, 0, "command") || shell_word_is(c, 0, "builtin")) && c->n_words > 1 &&
               *strempty(c->words[1].text.data) != '-';
}

static int shell_expand_command_words(Shell *s, size_t first, ShellCommand *c) {
        c->words = calloc(s->t.n_words - first + 1, sizeof(ShellValue));
        if (!c->words)
                return -ENOMEM;

        c->first = first;
        for (size_t i = first; i < s->t.n_words; i++) {
                int r;

                r = shell_expand_word(s, s->t.words[i], c->words + c->n_words);
                if (r < 0)
                        return r;
                c->n_words++;
        }

        while (shell_is_prefix(c)) {
                shell_value_done(c->words);
                memmove(c->words, c->words + 1, (c->n_words - 1) * sizeof(ShellValue));
                c->n_words--;
                c->first++;
        }

        return 0;
}

int shell_execute(Shell *s) {
        _cleanup_(shell_command_done) ShellCommand c = { .weak = shell_is_weak(s) };
        size_t n = 0;
        int r;

        if (++s->n_commands > SHELL_COMMANDS_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "the file has too many commands");

        while (n < s->t.n_words && shell_assignment_size(s, s->t.words[n]) > 0)
                n++;

        for (size_t i = 0; n == s->t.n_words && i < n; i++) {
                r = shell_assign(s, s->t.words[i], c.weak);
                if (r < 0)
                        return r;
        }
        if (n == s->t.n_words)
                return 0;

        r = shell_expand_command_words(s, n, &c);
        if (r < 0)
                return r;

        return shell_run_command(s, &c);
}
