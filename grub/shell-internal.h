/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For the files of the shell reader only: shell-lexer.c skips words, shell-value.c keeps values, shell-expand.c expands
 * words, shell-command.c carries out simple commands, and shell.c reads commands.
 */

#include "grub/shell.h"

/* The nesting limit of commands, and of quotes. A configuration file needs two or three. */
#define SHELL_DEPTH_MAX 64U

/* The limit of files that are sourced and functions that are called inside each other. */
#define SHELL_CALLS_MAX 8U

/* What one reading may take: real files set 20 variables and have 100 commands. */
#define SHELL_VARIABLES_MAX 512U
#define SHELL_FUNCTIONS_MAX 64U
#define SHELL_WORDS_MAX 512U
#define SHELL_COMMANDS_MAX 65536U
#define SHELL_WORK_MAX (8U * 1024U * 1024U)
#define SHELL_HEREDOCS_MAX 8U

typedef struct ShellRange {
        size_t begin, end;
} ShellRange;

typedef struct ShellVariable {
        char *name;
        ShellValue value;
} ShellVariable;

typedef struct ShellFunction {
        char *name;
        const char *text;
        ShellRange body;
} ShellFunction;

/* A compound command that is open. */
typedef struct ShellOpen {
        char kind;        /* i(f), d(one), c(ase), {, ( */
        bool ignored;     /* its commands change nothing here: a subshell, or the body of a function */
        size_t begin;
        ShellRange name;  /* of the function whose body it is; empty: it is none */
} ShellOpen;

/* A here-document whose body begins after the next newline. */
typedef struct ShellHeredoc {
        ShellRange word; /* the delimiter with its quotes */
        bool strip;      /* "<<-": tabs before the delimiter do not count */
} ShellHeredoc;

/* A text that is read, and the command in it that is being read. */
typedef struct ShellText {
        const char *text;
        size_t size, pos;
        unsigned file;

        ShellOpen open[SHELL_DEPTH_MAX];
        size_t n_open;
        ShellHeredoc heredocs[SHELL_HEREDOCS_MAX];
        size_t n_heredocs;

        ShellRange *words; /* of the simple command */
        size_t n_words;
        bool has_word;     /* a word or keyword was read since the last operator */
        bool ignore_words; /* after "for" and "case": words that are no command */
        bool in_pattern;   /* the words are patterns of "case" */
        bool conditional;  /* the command follows && or || */
        bool piped;        /* it follows | */
        ShellRange define; /* the name of the function whose body comes next; empty: none */

        bool ended;        /* "return" was executed */
        bool may_have_ended;
} ShellText;

struct Shell {
        ShellText t;
        unsigned top;        /* the number of the file that is run */
        size_t top_offset;   /* of its command that is being carried out */
        unsigned depth;      /* of files and functions in each other */
        unsigned n_weak;     /* if not 0, it is unsure whether this text is read at all */
        unsigned n_loops;    /* if not 0, this text may be read more than once */

        ShellVariable *variables;
        size_t n_variables;
        ShellFunction *functions;
        size_t n_functions;
        const ShellValue *arguments; /* of the function that is called */
        size_t n_arguments;

        ShellDoubt wild;     /* a command may have set any variable; no reason: none has */
        bool refuses_unset;  /* "set -u": a reference to a variable that is not set ends the shell */
        size_t n_commands, n_work;

        ShellSource source;
        void *userdata;
        ShellError error;
};

/** shell_fail() - remember an error. Return: -EINVAL */
int shell_fail(Shell *s, size_t offset, bool dynamic, const char *reason);

/** shell_at() - a byte of the text; 0 after its end */
static inline char shell_at(const Shell *s, size_t pos) {
        return pos < s->t.size ? s->t.text[pos] : 0;
}

/** shell_name_size() - the length of the name of a variable that begins here; 0: none does */
size_t shell_name_size(const Shell *s, size_t pos) _pure_;

/** shell_range_is() - whether bytes of the text are these */
bool shell_range_is(const Shell *s, ShellRange range, const char *word) _pure_;

/** shell_skip_word() - move behind a word, with everything that is quoted in it. Return: 0 or -EINVAL. */
int shell_skip_word(Shell *s);

/** shell_skip_expansion() - move behind $(…), ${…} or `…`. Return: 0 or -EINVAL. */
int shell_skip_expansion(Shell *s, ShellQuote quote);

/** shell_skip_brackets() - move behind ( … ), the elements of an array. Return: 0 or -EINVAL. */
int shell_skip_brackets(Shell *s);

/** shell_heredoc_begin() - read the operator << and the delimiter after it. Return: 0 or -EINVAL. */
int shell_heredoc_begin(Shell *s);

/** shell_heredoc_skip() - at the beginning of a line: move behind the bodies that begin here. Return: 0 or -EINVAL. */
int shell_heredoc_skip(Shell *s);

/** shell_value_append() - add a byte. Return: 0; -EINVAL if the value or the work becomes too large; -ENOMEM. */
int shell_value_append(Shell *s, ShellValue *v, char c, const ShellByte *byte);

/** shell_value_append_value() - add the bytes of another value as they are; as shell_value_append() */
int shell_value_append_value(Shell *s, ShellValue *v, const ShellValue *other);

/** shell_value_append_as() - add bytes that all have the same origin; as shell_value_append() */
int shell_value_append_as(Shell *s, ShellValue *v, const char *text, size_t size, const ShellByte *byte);

/** shell_value_is_sure() - whether no byte is unsure */
bool shell_value_is_sure(const ShellValue *v) _pure_;

/** shell_find() - a variable that was set or unset, or NULL */
ShellValue *shell_find(Shell *s, const char *name, size_t size);

/** shell_look_up() - the same; if a command may have set any variable, there is each. Return: as shell_make(). */
int shell_look_up(Shell *s, const char *name, size_t size, const ShellValue **ret);

/** shell_make() - the same; makes it if there is none. Return: 0; -EINVAL if there are too many; -ENOMEM. */
int shell_make(Shell *s, const char *name, size_t size, ShellValue **ret);

/**
 * shell_set() - change a variable
 * @s: the shell
 * @v: the variable
 * @new: its new value; what was set before is carried over; taken
 * @weak: it may not happen: the value becomes what it was or the new one, and is unsure where they differ
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int shell_set(Shell *s, ShellValue *v, ShellValue *new, bool weak);

/** shell_forget() - a variable gets a value that is unknown, by the command at @offset. Return: as shell_set(). */
int shell_forget(Shell *s, ShellValue *v, size_t offset, const char *reason);

/** shell_forget_all() - a command may have set any variable. Return: as shell_set(). */
int shell_forget_all(Shell *s, size_t offset, const char *reason);

/** shell_doubt_at() - the doubt that a command at @offset of the text raises */
ShellDoubt shell_doubt_at(const Shell *s, size_t offset, const char *reason) _pure_;

/** shell_is_weak() - whether the command that is being read may not happen, or happens more than once */
bool shell_is_weak(const Shell *s) _pure_;

/** shell_expand_word() - the text of a word, without its quotes. Return: 0; -EINVAL; -ENOMEM. */
int shell_expand_word(Shell *s, ShellRange range, ShellValue *ret);

/** shell_assignment_size() - the length of "NAME=" or "NAME+=" that a word begins with; 0: it is no assignment */
size_t shell_assignment_size(const Shell *s, ShellRange range) _pure_;

/** shell_assign() - carry out an assignment. Return: 0; -EINVAL; -ENOMEM. */
int shell_assign(Shell *s, ShellRange range, bool weak);

/** shell_execute() - carry out the simple command that was read. Return: 0; -EINVAL; -ENOMEM. */
int shell_execute(Shell *s);

/** shell_read_text() - read commands up to the end of the text. Return: 0; -EINVAL; -ENOMEM. */
int shell_read_text(Shell *s);
