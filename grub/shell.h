/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads shell files such as /etc/default/grub, and knows what each variable is after them: the value, and the bytes of
 * the files that make it up. grub-mkconfig reads these files with the "." command of /bin/sh, which is dash or bash.
 * No command is executed. A part of a value that only a shell can compute, or that depends on a condition, is marked
 * as unsure.
 */

#include <limits.h>

#include "core/buffer.h"

/* The longest value that is read, in bytes. */
#define SHELL_VALUE_MAX (64U * 1024U)

/* The number of a file of which no byte is edited: a file that is sourced, the body of a function, a loop. */
#define SHELL_NO_FILE UINT16_MAX

typedef enum ShellQuote {
        SHELL_UNQUOTED,
        SHELL_SINGLE,
        SHELL_DOUBLE,
} ShellQuote;

/* The origin of a byte of the value. It is small, because there is one for each byte of each boot entry. */
typedef struct ShellByte {
        uint32_t begin, end; /* its bytes in the file, with an escaping backslash; or the reference that it comes from */
        uint16_t file;       /* the number of the file, as given to shell_run(), or SHELL_NO_FILE */
        ShellQuote quote : 8;
        bool unsure;         /* the shell may have other bytes here, or none */
} ShellByte;

/** shell_byte() - a byte that is what it seems; offsets in boot files fit 32 bits (BOOT_FILE_MAX), and numbers of files 16 */
static inline ShellByte shell_byte(size_t begin, size_t end, ShellQuote quote, unsigned file) {
        return (ShellByte) {
                .begin = (uint32_t) begin, .end = (uint32_t) end, .file = (uint16_t) file, .quote = quote,
        };
}

/* A command that makes a value unsure. */
typedef struct ShellDoubt {
        unsigned file;      /* the file that was run */
        size_t offset;
        const char *reason; /* a sentence without a full stop; NULL: there is no such command */
} ShellDoubt;

typedef struct ShellValue {
        Buffer text;      /* the value; a reference to a variable of the environment is not expanded */
        ShellByte *bytes; /* one for each byte of the text */
        size_t n_assignments; /* 0: no file sets the variable */
        size_t begin, end;    /* the last assignment from its name to its end; both 0: it has no place in a file */
        unsigned file;        /* the file that was run when it was last changed */
        size_t first;         /* where text is inserted to come before the whole value */
        ShellQuote first_quote;
        unsigned first_file;  /* SHELL_NO_FILE: no such place */
        bool special;         /* an array, or declared with attributes: its assignments are no plain ones */
        bool frozen;          /* it is read-only: a later assignment would fail */
        ShellDoubt doubt;     /* why a part of it is unsure */
} ShellValue;

#define SHELL_VALUE_NULL ((ShellValue) {})

typedef struct ShellError {
        size_t offset;
        bool dynamic;       /* the file is valid, or may be, but it is unknown what a shell makes of it */
        const char *reason; /* a sentence without a full stop */
} ShellError;

/*
 * Returns the bytes of a file that is sourced, which must stay as they are as long as the shell is used. Return: 1; 0
 * if there is no such file; -ENODATA if it is unknown what it holds; -ENOMEM.
 */
typedef int (*ShellSource)(void *userdata, const char *path, const Buffer **ret);

typedef struct Shell Shell;

/**
 * shell_new() - begin with no file read
 * @ret: takes the shell; the caller frees it
 * @source: reads a file that is sourced; NULL: all of them are unknown
 * @userdata: passed to @source
 *
 * Return: 0 or -ENOMEM.
 */
int shell_new(Shell **ret, ShellSource source, void *userdata);

/** shell_free() - release everything; NULL is ignored */
Shell *shell_free(Shell *s);
DEFINE_CLEANUP(Shell *, shell_free);

/**
 * shell_run() - read a file as the shell does that sources it
 * @s: the shell, after the files before this one; of no use after a failure
 * @content: the file; must stay as it is as long as the shell is used
 * @file: its number, which its bytes of values get
 * @ret_error: set with -EINVAL only
 *
 * It understands quotes, here-documents, "+=", "export", references to variables with a default, functions, files that
 * are sourced, and what ends a file. An assignment that may not happen (in "if", after "&&") makes a value unsure; so
 * do command substitution, "eval" and a file that is unknown.
 *
 * Return: 0; -EINVAL with the error, also where the file asks for too much; -ENOMEM.
 */
int shell_run(Shell *s, const Buffer *content, unsigned file, ShellError *ret_error);

/**
 * shell_get() - a variable after the files
 * @s: the shell
 * @name: the variable
 * @ret: takes the value, owned by the shell until the next call
 *
 * Return: 0; -EINVAL if the files set too many variables; -ENOMEM.
 */
int shell_get(Shell *s, const char *name, const ShellValue **ret);

/**
 * shell_same_variables() - whether two shells have the same variables with the same text
 * @a: a shell
 * @b: another one
 * @except: the name of a variable that may differ
 */
bool shell_same_variables(const Shell *a, const Shell *b, const char *except) _pure_;

/** shell_value_done() - release a value */
void shell_value_done(ShellValue *v);
